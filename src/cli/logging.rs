//! Logs go to the journal when systemd listens, else to standard error.

use std::fmt;
use std::io::{IsTerminal, Write};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::args::{Command, LogFormat};
use super::plain::{Escape, Records, plain};

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
    let lines = lines_for_people(std::io::stderr, std::io::stderr().is_terminal());
    let _ = registry.with(lines).try_init();
}

/// A line a record, with colours or without.
fn lines_for_people<S, W>(
    to: impl Fn() -> W + Send + Sync + 'static,
    colours: bool,
) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(PlainFields)
        .with_writer(move || Records::new(to(), Escape::Text, colours))
        .with_ansi(colours)
        .with_target(false)
}

/// Fields as the subscriber writes them, but for what acts on a terminal: that
/// is written out before the subscriber adds colours of its own.
struct PlainFields;

impl<'w> FormatFields<'w> for PlainFields {
    fn format_fields<R: RecordFields>(&self, to: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = PlainVisitor(DefaultVisitor::new(to, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct PlainVisitor<'w>(DefaultVisitor<'w>);

impl Visit for PlainVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.0.record_debug(field, &format_args!("{}", plain(&text, Escape::Text)));
    }
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Where lines are kept.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, record: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(record)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(colours: bool, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let lines = lines_for_people(move || to.clone(), colours);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// What stands after the log's own colours are taken out.
    fn uncoloured(line: &str) -> String {
        let mut parts = line.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').expect("a colour's end").1)
    }

    #[test]
    fn strangers_words_do_nothing_to_a_terminal_with_colours() {
        const FOREIGN: &str =
            "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred\u{9b}31m\u{202e}txt\u{2066}\r\nWARN forged";
        let log = || {
            let span = tracing::error_span!("visit", feed = FOREIGN, title = %FOREIGN);
            let _open = span.enter();
            let error = std::io::Error::other(FOREIGN);
            let wrong: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(title = %FOREIGN, text = FOREIGN, bytes = ?FOREIGN, %error, wrong, "no");
            tracing::warn!("{FOREIGN}");
        };
        let (plain, coloured) = (logged(false, log), logged(true, log));
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        assert!(coloured.contains("\u{1b}[33m"), "the log's own colours stay: {coloured:?}");
        for text in [&plain, &uncoloured(&coloured)] {
            let acts =
                |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}');
            assert!(!text.contains(acts), "{text:?}");
            assert_eq!(text.lines().count(), 2, "{text:?}");
            assert_eq!(text.matches("\\u{1b}]0;owned\\u{7}").count(), 10, "{text:?}");
        }
        // No colour of theirs: red is for errors.
        assert!(!coloured.contains("\u{1b}[31m") && !coloured.contains("\u{1b}[2J"));
    }
}
