//! Logs go to the journal when systemd listens, else to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::{Command, LogFormat};
use super::plain::{Escape, Records};

/// Starts logging. `WIREWATCH_LOG` (tracing's filter syntax) overrides the
/// level; on a terminal only warnings are shown, because alerts are. A format
/// that was asked for goes to standard error, journal or not.
pub(super) fn start(command: &Option<Command>, verbose: u8, format: Option<LogFormat>) {
    std::panic::set_hook(Box::new(log_panic));
    let daemon = matches!(command, None | Some(Command::Run));
    let usual = match verbose {
        0 if daemon && !std::io::stderr().is_terminal() => "wirewatch=info,warn",
        0 if daemon => "warn",
        0 => "error",
        1 => "wirewatch=debug,info",
        _ => "wirewatch=trace,debug",
    };
    let filter = EnvFilter::try_from_env("WIREWATCH_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let registry = tracing_subscriber::registry().with(filter);
    if daemon
        && format.is_none()
        && journal_is_stderr()
        && let Ok(journal) = tracing_journald::layer()
    {
        let _ = registry.with(journal.with_field_prefix(Some("WIREWATCH".to_string()))).try_init();
        return;
    }
    if format == Some(LogFormat::Json) {
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(|| Records::new(std::io::stderr(), Escape::Json, false))
            .with_target(false);
        let _ = registry.with(lines).try_init();
        return;
    }
    let colours = std::io::stderr().is_terminal();
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(move || Records::new(std::io::stderr(), Escape::Text, colours))
        .with_ansi(colours)
        .with_target(false);
    let _ = registry.with(stderr).try_init();
}

/// A bug in a reader of foreign documents quotes them, and what is foreign must
/// not write lines of its own into the log.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let words: String = info.payload_as_str().unwrap_or_default().chars().take(300).collect();
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(place, ?words, "a bug was met; please report it");
    } else {
        super::output::complain(&format!("a bug was met at {place}; please report it: {words:?}"));
    }
}

/// systemd names the journal's socket by device and inode (systemd.exec(5)).
fn journal_is_stderr() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::io::stderr().as_fd().try_clone_to_owned() else { return false };
    let Ok(metadata) = std::fs::File::from(stderr).metadata() else { return false };
    stream == format!("{}:{}", metadata.dev(), metadata.ino())
}
