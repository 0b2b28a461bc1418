//! Visits under way: which hosts they keep busy, and what they brought.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Beat;
use crate::model::{Clock, FeedName};
use crate::store::CommitReport;

/// Between the end of one visit to a host and the next.
pub(super) const HOST_REST: Duration = Duration::from_secs(1);

/// What a round of visits brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundReport {
    /// Documents read.
    pub read: usize,
    /// Feeds that had nothing new to send.
    pub not_modified: usize,
    /// Feeds that could not be read, and why.
    pub failed: Vec<(FeedName, String)>,
    /// Entries never seen before.
    pub new: usize,
    /// Entries seen before.
    pub known: usize,
    /// Entries seen before in other words.
    pub revised: usize,
    /// Stories that began.
    pub stories: usize,
    /// Matches recorded.
    pub matches: usize,
    /// Alerts raised.
    pub alerts: usize,
    /// The store failed: what was fetched is not stored.
    pub store_error: Option<String>,
}

impl RoundReport {
    fn add(&mut self, visit: Visited) {
        match visit.result {
            VisitResult::NotModified => self.not_modified += 1,
            VisitResult::Failed(reason) => self.failed.push((visit.feed, reason)),
            VisitResult::StoreFailed(reason) => self.store_error = Some(reason),
            VisitResult::Stored(report) => {
                use crate::model::Newness::{Known, New, Revised};
                let count =
                    |newness| report.entries.iter().filter(|e| e.newness == newness).count();
                self.read += 1;
                self.new += count(New);
                self.known += count(Known);
                self.revised += count(Revised);
                self.stories += report.new_stories;
                self.matches += report.matches;
                self.alerts += report.alerts();
            }
        }
    }
}

pub(super) struct Visited {
    pub(super) feed: FeedName,
    pub(super) host: String,
    /// Private hosts are the user's own: no rest between requests.
    pub(super) rests: bool,
    pub(super) result: VisitResult,
}

pub(super) enum VisitResult {
    NotModified,
    Stored(CommitReport),
    Failed(String),
    StoreFailed(String),
}

/// Hosts that must not be asked now.
#[derive(Default)]
pub(super) struct Hosts {
    pub(super) asked: Vec<String>,
    resting: HashMap<String, Instant>,
}

impl Hosts {
    /// Hosts that must not be asked now.
    pub(super) fn busy(&mut self) -> Vec<String> {
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        self.asked.iter().chain(self.resting.keys()).cloned().collect()
    }

    fn finished(&mut self, visited: &Visited) {
        self.asked.retain(|host| *host != visited.host);
        if visited.rests {
            self.resting.insert(visited.host.clone(), Instant::now() + HOST_REST);
        }
    }

    /// When the first of the resting hosts may be asked again.
    pub(super) fn next_rested(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        self.resting.values().min().copied()
    }
}

/// Visits under way and what they have brought so far.
pub(super) struct Round {
    pub(super) visits: JoinSet<Visited>,
    pub(super) hosts: Hosts,
    pub(super) report: RoundReport,
    pub(super) untried_since: Option<Timestamp>,
}

impl Round {
    /// Begins a round; with a time, one that reports.
    pub(super) fn new(untried_since: Option<Timestamp>) -> Self {
        Self {
            visits: JoinSet::new(),
            hosts: Hosts::default(),
            report: RoundReport::default(),
            untried_since,
        }
    }

    /// Takes note of a visit that ended.
    pub(super) fn finish(&mut self, visited: Result<Visited, tokio::task::JoinError>) {
        match visited {
            Ok(visited) => {
                self.hosts.finished(&visited);
                // A daemon would collect for ever; only a single round is reported.
                if self.untried_since.is_some() {
                    self.report.add(visited);
                }
            }
            // The host is not known any more, so all are let go.
            Err(error) => {
                tracing::error!(%error, "a visit ended badly");
                self.hosts.asked.clear();
            }
        }
    }

    /// Takes note of one that ended, and of those that ended meanwhile: who
    /// claims the next ones asks once for all.
    pub(super) fn finish_ended(&mut self, first: Result<Visited, tokio::task::JoinError>) -> usize {
        let mut ended = 1;
        self.finish(first);
        while let Some(visited) = self.visits.try_join_next() {
            self.finish(visited);
            ended += 1;
        }
        ended
    }

    /// Waits for all visits under way.
    pub(super) async fn finish_all(&mut self, beat: &Beat, clock: &Clock) {
        while let Some(visited) = self.visits.join_next().await {
            beat.now(clock.awake());
            self.finish(visited);
        }
    }
}
