//! Commands that look back: `search`, `explain`, `backtest`, `plan`.

pub(super) mod backtest;
pub(super) mod explain;
mod highlight;
pub(super) mod plan;
pub(super) mod search;

pub(super) use highlight::spans_json;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::CliError;
use crate::config::RuleConfig;
use crate::model::{Clock, RuleName};
use crate::rule::{Item, Rule};
use crate::store::{ArchiveQuery, Archived, Store};

/// Entries read at once.
const PAGE: usize = 500;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(500);

/// Whether there is to be more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    Stop,
}

/// Gives each stored entry to `each`, the newest first, with progress on
/// standard error when somebody watches.
async fn each_entry(
    store: &Store,
    mut query: ArchiveQuery,
    mut each: impl FnMut(&Archived) -> Result<Go, CliError>,
) -> Result<u64, CliError> {
    let mut progress = Progress::new();
    query.limit = PAGE;
    loop {
        let page = store.archive(query.clone()).await?;
        for archived in &page {
            progress.step();
            if each(archived)? == Go::Stop {
                return Ok(progress.done());
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => query.before = Some(last.id),
            _ => return Ok(progress.done()),
        }
    }
}

struct Progress {
    entries: u64,
    told: Instant,
    watched: bool,
}

impl Progress {
    fn new() -> Self {
        Self { entries: 0, told: Instant::now(), watched: std::io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.entries += 1;
        if self.watched && self.told.elapsed() > PROGRESS {
            super::output::progress(&format!("{} entries read", self.entries));
            self.told = Instant::now();
        }
    }

    fn done(self) -> u64 {
        if self.watched {
            super::output::progress("");
        }
        self.entries
    }
}

fn item(archived: &Archived) -> Item<'_> {
    Item::of_entry(&archived.entry, &archived.feed)
}

fn since(span: Option<SignedDuration>) -> Result<Option<Timestamp>, CliError> {
    let since = span.map(|span| Clock::System.now().checked_sub(span)).transpose();
    since.map_err(|_| CliError::Failed("--since is too long".to_owned()))
}

/// A rule by name, or an error that names one like it.
fn find_rule(rules: Vec<RuleConfig>, name: &str) -> Result<Rule, CliError> {
    let names: Vec<String> = rules.iter().map(|rule| rule.rule.name.to_string()).collect();
    let found = rules.into_iter().find(|rule| rule.rule.name.as_str() == name);
    found.map(|rule| rule.rule).ok_or_else(|| unknown_rule(&RuleName::new(name), &names))
}

/// The error for a rule that does not exist.
pub(super) fn unknown_rule(name: &RuleName, known: &[String]) -> CliError {
    let close = |other: &&String| strsim::osa_distance(other, name.as_str()) <= 3;
    let hint = match known.iter().find(close) {
        Some(known) => format!("did you mean \"{known}\"?"),
        None if known.is_empty() => "there are no rules".to_owned(),
        None => format!("the rules are: {}", known.join(", ")),
    };
    CliError::Failed(format!("there is no rule \"{name}\"; {hint}"))
}
