//! `once`: one round over all feeds, then what is due, then a summary.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, Context};
use crate::app::{self, OnceReport};
use crate::config::Config;
use crate::deliver::ChannelOptions;
use crate::model::Clock;
use crate::pipeline::PagesReport;

pub(super) async fn run(mut context: Context) -> Result<ExitCode, CliError> {
    let mut config = context.load()?;
    if context.json {
        keep_stdout_clean(&mut config);
    }
    let (stop, total) = (CancellationToken::new(), config.feeds.len());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let work = app::once(&config, Clock::System, &stop, |done| progress(done, total));
    tokio::pin!(work);
    let report = loop {
        tokio::select! {
            report = &mut work => break report?,
            // The round then ends after the visits under way.
            _ = interrupt.recv(), if !stop.is_cancelled() => stop.cancel(),
            _ = terminate.recv(), if !stop.is_cancelled() => stop.cancel(),
        }
    };
    if context.json {
        context.out.json(&as_json(&report, total))?;
    } else {
        for line in as_text(&report, total) {
            context.out.line(line)?;
        }
    }
    context.out.flush()?;
    let code = if report.round.store_error.is_some() { super::FAILED } else { 0 };
    Ok(ExitCode::from(code))
}

/// With `--json`, standard output is the summary alone.
fn keep_stdout_clean(config: &mut Config) {
    for options in config.channels.values_mut() {
        if let ChannelOptions::Console(console) = options {
            console.stderr = true;
        }
    }
}

/// A counter that overwrites itself, on a terminal only.
fn progress(done: usize, total: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let end = if done == total { "\r\x1b[K" } else { "" };
        let _ = write!(stderr, "\rpolled {done} of {total} feeds{end}");
    }
}

fn as_json(report: &OnceReport, feeds: usize) -> serde_json::Value {
    let (round, pages, drained) = (&report.round, &report.pages, &report.drained);
    let failures: Vec<_> = round
        .failed
        .iter()
        .map(|(feed, reason)| json!({ "feed": feed.as_str(), "reason": reason }))
        .collect();
    json!({
        "feeds": feeds,
        "read": round.read,
        "not_modified": round.not_modified,
        "failed": round.failed.len(),
        "failures": failures,
        "entries": { "new": round.new, "known": round.known, "revised": round.revised },
        "stories": round.stories,
        "pages": {
            "read": pages.read, "unread": pages.unread, "not_stored": pages.not_stored
        },
        "matches": round.matches + pages.matches,
        "alerts": round.alerts + pages.alerts,
        "deliveries": {
            "sent": drained.sent, "waiting": drained.waiting, "failed": drained.failed
        },
        "error": round.store_error,
    })
}

fn as_text(report: &OnceReport, feeds: usize) -> Vec<String> {
    let (round, pages, drained) = (&report.round, &report.pages, &report.drained);
    let mut lines = vec![
        format!(
            "feeds: {feeds}, {} read, {} not modified, {} failed",
            round.read,
            round.not_modified,
            round.failed.len()
        ),
        format!(
            "entries: {} new, {} known, {} revised; {} new stories, {} matches, {} alerts",
            round.new,
            round.known,
            round.revised,
            round.stories,
            round.matches + pages.matches,
            round.alerts + pages.alerts
        ),
        format!(
            "deliveries: {} sent, {} waiting, {} failed",
            drained.sent, drained.waiting, drained.failed
        ),
    ];
    if pages.read + pages.unread + pages.not_stored > 0 {
        let PagesReport { read, unread, not_stored, .. } = pages;
        lines.insert(
            2,
            format!("pages: {read} read, {unread} gave no text, {not_stored} could not be stored"),
        );
    }
    lines.extend(round.failed.iter().map(|(feed, why)| format!("feed \"{feed}\" failed: {why}")));
    lines.extend(round.store_error.iter().map(|why| format!("not everything was stored: {why}")));
    lines
}
