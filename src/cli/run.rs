//! `run`: the daemon, in the foreground or under systemd.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, Context, output};
use crate::app::{App, Guard};
use crate::config::{self, Config, Environment};
use crate::model::{Clock, FeedName};
use crate::serve::{has_manager, tell_manager, tell_manager_surely};
use crate::store::Gauges;

/// How often systemd is told how things stand.
const STATUS: Duration = Duration::from_secs(30);
/// For what it is told then.
const STATUS_TIME: Duration = Duration::from_secs(5);
/// How often a first round is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(mut context: Context) -> Result<ExitCode, CliError> {
    // First: until then a SIGHUP, meant as a reload, would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let path = context.config_path()?;
    let config = context.load()?;
    warn(&config);
    let mut app = App::start(&config, Clock::System).await?;
    tell_manager_surely(&[NotifyState::Ready, NotifyState::Status(&summary(&config))]).await;
    tracing::info!(
        feeds = config.feeds.len(),
        rules = config.rules.len(),
        channels = config.channels.len(),
        store = %config.store.display(),
        "watching"
    );
    let told = CancellationToken::new();
    let mut guard = sd_notify::watchdog_enabled().map(|limit| app.guard(limit));
    let mut status = tokio::time::interval(STATUS);
    let failed = loop {
        tokio::select! {
            () = first_round(&app, &config), if !told.is_cancelled() => {
                told.cancel();
                // Nobody need read it: the daemon goes on without a terminal.
                if let Err(error) = announce(&mut context, &app, &config) {
                    tracing::warn!(%error, "cannot print to standard output");
                }
            }
            _ = hangup.recv() => reload(&mut app, &path).await,
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            () = sign(guard.as_mut()) => tell_manager(&[NotifyState::Watchdog]),
            _ = status.tick(), if has_manager() => tell_status(&app).await,
            error = app.failed() => break Some(error),
        }
    };
    tell_manager(&[NotifyState::Stopping]);
    tracing::info!("stopping");
    if !app.stop().await {
        tracing::warn!("not everything finished in time; it goes on after the next start");
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn warn(config: &Config) {
    for problem in &config.warnings {
        tracing::warn!("{problem}");
    }
}

fn summary(config: &Config) -> String {
    format!(
        "watching {} with {}",
        count(config.feeds.len(), "feed"),
        count(config.rules.len(), "rule")
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Completes when the feeds that were due at the start are read and what they
/// caused is told.
async fn first_round(app: &App, config: &Config) {
    let polling = app.polling();
    loop {
        let status = polling.borrow().clone();
        let now = Clock::System.now();
        let soon = now.checked_add(config.gather).unwrap_or(now);
        let quiet = status.in_flight == 0
            && status.next.as_ref().is_none_or(|(due, _)| *due > now)
            && app.store().waiting_before(soon).await.is_ok_and(|waiting| {
                !waiting.iter().any(|(channel, _)| config.channels.contains_key(channel))
            });
        if quiet {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn announce(context: &mut Context, app: &App, config: &Config) -> Result<(), CliError> {
    let next = app.polling().borrow().next.clone();
    let next = next.map_or_else(String::new, |(due, feed)| next_poll(due, &feed));
    context.out.line(format!("{}{next}. Ctrl-C stops.", summary(config)))?;
    context.out.flush()?;
    Ok(())
}

fn next_poll(due: Timestamp, feed: &FeedName) -> String {
    let local = due.to_zoned_datetime(jiff::tz::TimeZone::system());
    format!("; next poll at {} ({feed})", local.strftime("%H:%M:%S"))
}

/// Validates first; a wrong configuration changes nothing and is told in full.
async fn reload(app: &mut App, path: &std::path::Path) {
    let usec = NotifyState::monotonic_usec_now();
    match usec {
        Ok(usec) => tell_manager(&[NotifyState::Reloading, usec]),
        Err(_) => tell_manager(&[NotifyState::Reloading]),
    }
    match config::load(path, &Environment::from_process()) {
        Err(problems) => {
            output::problems(&problems);
            tracing::error!(
                problems = problems.list.len(),
                first = %problems.list.first().map(ToString::to_string).unwrap_or_default(),
                "the new configuration is wrong; the old one stays in force"
            );
        }
        Ok(config) => {
            warn(&config);
            match app.reload(&config).await {
                Ok(reloaded) => tracing::info!(
                    feeds_added = ?names(&reloaded.feeds.added),
                    feeds_changed = ?names(&reloaded.feeds.changed),
                    feeds_removed = ?names(&reloaded.feeds.removed),
                    channels_started = ?reloaded.channels_started.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    channels_stopped = ?reloaded.channels_stopped.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    policies_changed = ?reloaded.policies_changed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    rules = config.rules.len(),
                    "configuration reloaded"
                ),
                Err(error) => {
                    tracing::error!(%error, "cannot follow the new configuration; the old one stays in force");
                }
            }
        }
    }
    tell_manager_surely(&[NotifyState::Ready]).await;
}

fn names(feeds: &[FeedName]) -> Vec<&str> {
    feeds.iter().map(FeedName::as_str).collect()
}

/// Completes at a sign of life for the watchdog, if there is one.
async fn sign(guard: Option<&mut Guard>) {
    match guard {
        Some(guard) => guard.sign().await,
        None => std::future::pending().await,
    }
}

/// What `systemctl status` shows.
async fn tell_status(app: &App) {
    let now = Clock::System.now();
    // Nothing else is heard in the meantime, signals among it.
    let line = match tokio::time::timeout(STATUS_TIME, app.store().gauges(now)).await {
        Ok(Ok(gauges)) => standing(&gauges),
        Ok(Err(error)) => format!("the database: {error}"),
        Err(_) => "the database does not answer".to_owned(),
    };
    tell_manager(&[NotifyState::Status(&line)]);
}

/// "412 of 415 feeds well (2 down, 1 failing), 3 deliveries waiting, 1 given up".
fn standing(gauges: &Gauges) -> String {
    let total: i64 = gauges.feeds.iter().map(|(_, count)| count).sum();
    let well = |health: &str| matches!(health, "ok" | "new" | "degraded");
    let (well, ill): (Vec<_>, Vec<_>) = gauges.feeds.iter().partition(|(health, _)| well(health));
    let well: i64 = well.iter().map(|(_, count)| count).sum();
    let ill: Vec<String> = ill.iter().map(|(health, count)| format!("{count} {health}")).collect();
    let ill = if ill.is_empty() { String::new() } else { format!(" ({})", ill.join(", ")) };
    let waiting: i64 = gauges.waiting.iter().map(|(_, count, _)| count).sum();
    let failed = match gauges.failed {
        0 => String::new(),
        failed => format!(", {failed} given up"),
    };
    let noun = if waiting == 1 { "delivery" } else { "deliveries" };
    format!("{well} of {total} feeds well{ill}, {waiting} {noun} waiting{failed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_things_stand_in_a_line() {
        let feeds =
            |rows: &[(&str, i64)]| rows.iter().map(|(h, n)| ((*h).to_owned(), *n)).collect();
        let check = |gauges: Gauges, expected: &str| assert_eq!(standing(&gauges), expected);
        let quiet = Gauges { feeds: feeds(&[("ok", 3), ("new", 1)]), ..Gauges::default() };
        check(quiet, "4 of 4 feeds well, 0 deliveries waiting");
        let busy = Gauges {
            feeds: feeds(&[("degraded", 1), ("down", 2), ("failing", 1), ("ok", 411)]),
            waiting: vec![("desk".to_owned(), 1, None)],
            failed: 2,
            ..Gauges::default()
        };
        check(busy, "412 of 415 feeds well (2 down, 1 failing), 1 delivery waiting, 2 given up");
    }
}
