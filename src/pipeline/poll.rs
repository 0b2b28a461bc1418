//! Visits feeds that are due: politely, a bounded number at once, one request
//! at a time for a host.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::complaint::Complaint;
use super::round::{Round, RoundReport};
use super::{Desk, Meter, Pulse, Watched};
use crate::fetch::Fetcher;
use crate::model::{Clock, FeedName};
use crate::schedule::{self, Moment, Overdue};
use crate::store::{Claim, Scheduled, Store, StoreError};

/// How long a claim holds: more than the longest fetch and its ingest.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// The loop comes round at least this often, whatever the clock does.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// After the store failed (a full disk): try again then.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(5);

/// What the loop is about, for whoever waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollStatus {
    /// Visits under way.
    pub in_flight: usize,
    /// The next visit, and whose.
    pub next: Option<(Timestamp, FeedName)>,
}

/// The loop and what it works with.
#[derive(Clone)]
pub struct Poller {
    /// Feeds, schedule, entries.
    pub store: Store,
    /// The way out, as configured now.
    pub fetcher: watch::Receiver<Fetcher>,
    /// Rules and feeds as of now.
    pub live: Watched,
    /// The time.
    pub clock: Clock,
    /// Counts commits that planned deliveries; dispatchers wait on it.
    pub planned: watch::Sender<u64>,
    /// Counts visits.
    pub meter: Meter,
    /// Where documents are read.
    pub desk: Desk,
    /// Counts feeds that fell due out of turn.
    pub hurried: watch::Receiver<u64>,
}

impl Poller {
    /// Polls until stopped; then finishes the visits under way.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        pulse: Pulse,
        status: watch::Sender<PollStatus>,
    ) {
        let beat = pulse.join("poll", self.clock.awake());
        let mut round = Round::new(None);
        let (mut last, mut complaint) = (None, Complaint::default());
        while !stop.is_cancelled() {
            beat.now(self.clock.awake());
            let turn = match self.watch_clock(&mut last).await {
                Ok(()) => self.start_visits(&mut round).await,
                Err(error) => Err(error),
            };
            let wait = match turn {
                Ok(_) => self.until_next(&mut round, &status).await,
                Err(error) => {
                    if complaint.is_due() {
                        tracing::error!(%error, "cannot claim feeds; trying again");
                    }
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(visited) = round.visits.join_next() => {
                    round.finish_ended(visited);
                }
                () = beat.rest(&self.clock, wait) => {}
                changed = self.live.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
                changed = self.hurried.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        round.finish_all(&beat, &self.clock).await;
    }

    /// Polls every feed once, due or not, except those that are gone or whose
    /// server asked for a pause. `progress` is told how many feeds are done.
    ///
    /// # Errors
    /// When feeds cannot be claimed.
    pub async fn once(
        &self,
        stop: &CancellationToken,
        mut progress: impl FnMut(usize),
    ) -> Result<RoundReport, StoreError> {
        let mut round = Round::new(Some(self.clock.now()));
        let mut done = 0;
        loop {
            let started =
                if stop.is_cancelled() { 0 } else { self.start_visits(&mut round).await? };
            if let Some(visited) = round.visits.join_next().await {
                done += round.finish_ended(visited);
                progress(done);
            } else if let Some(rested) = round.hosts.next_rested().filter(|_| !stop.is_cancelled())
            {
                tokio::time::sleep_until(rested).await;
            } else if started == 0 {
                break;
            }
        }
        Ok(round.report)
    }

    /// Keeps the schedule true when the wall clock was set, and gentle when
    /// nobody looked for long. `last` is the moment of the last turn.
    async fn watch_clock(&self, last: &mut Option<Moment>) -> Result<(), StoreError> {
        let moment = Moment { wall: self.clock.now(), elapsed: self.clock.elapsed() };
        match *last {
            None => {
                let plan = move |feeds: &[Scheduled]| schedule_at_start(feeds, moment.wall);
                self.store.reschedule_feeds(plan).await?;
            }
            Some(previous) => {
                if let Some(jump) = schedule::clock_jump(previous, moment) {
                    tracing::warn!(
                        seconds = jump.as_secs(),
                        "the clock was set; the schedule moves with it"
                    );
                    self.store.shift_schedule(jump).await?;
                }
                let turn = SignedDuration::try_from(LONGEST_WAIT).unwrap_or_default();
                if schedule::paused(previous, moment, turn) {
                    let plan = move |feeds: &[Scheduled]| spread(feeds, moment.wall);
                    let late = self.store.reschedule_feeds(plan).await?;
                    tracing::info!(late, "nobody looked for a while; late feeds are spread");
                }
            }
        }
        *last = Some(moment);
        Ok(())
    }

    async fn start_visits(&self, round: &mut Round) -> Result<usize, StoreError> {
        let concurrency = self.live.borrow().concurrency;
        let free = concurrency.max(1).saturating_sub(round.visits.len());
        if free == 0 {
            return Ok(0);
        }
        let claim = Claim {
            now: self.clock.now(),
            lease: LEASE,
            limit: free,
            busy_hosts: round.hosts.busy(),
            untried_since: round.untried_since,
        };
        let claimed = self.store.claim_feeds(claim).await?;
        let started = claimed.len();
        // Looked at after the claim: a reload swaps this before it adds rows.
        let live = self.live.borrow().clone();
        for claim in claimed {
            round.hosts.asked.push(claim.host.clone());
            let Some(feed) = live.feeds.get(&claim.name).cloned() else {
                // Left the configuration between claim and look: its lease ends.
                round.hosts.asked.retain(|host| *host != claim.host);
                continue;
            };
            let poller = self.clone();
            round.visits.spawn(async move { poller.visit(feed, claim).await });
        }
        Ok(started)
    }

    /// How long nothing will be to do, unless a visit ends before.
    async fn until_next(&self, round: &mut Round, status: &watch::Sender<PollStatus>) -> Duration {
        let busy = round.hosts.busy();
        let next = self.store.next_feed_due(Vec::new()).await.unwrap_or_default();
        let startable = if busy.is_empty() {
            next.clone()
        } else {
            self.store.next_feed_due(busy).await.unwrap_or_default()
        };
        status.send_replace(PollStatus { in_flight: round.visits.len(), next });
        if round.visits.len() >= self.live.borrow().concurrency.max(1) {
            return LONGEST_WAIT;
        }
        let now = self.clock.now();
        let due = startable
            .map(|(due, _)| due.duration_since(now).max(SignedDuration::ZERO).unsigned_abs());
        let rested = round.hosts.next_rested();
        let rested = rested.map(|rested| rested.saturating_duration_since(Instant::now()));
        let wait = due.into_iter().chain(rested).min().unwrap_or(LONGEST_WAIT);
        wait.clamp(Duration::from_millis(5), LONGEST_WAIT)
    }
}

/// New due times at the start of the process: none far in the future because
/// the clock went back, and those that are late spread.
fn schedule_at_start(feeds: &[Scheduled], now: Timestamp) -> Vec<(usize, Timestamp)> {
    let sane: Vec<Scheduled> = feeds
        .iter()
        .map(|feed| Scheduled {
            due: schedule::at_start(now, feed.due, feed.last_attempt, feed.interval),
            ..feed.clone()
        })
        .collect();
    let spread = spread(&sane, now);
    let moved = sane.iter().enumerate().filter(|(at, feed)| feed.due != feeds[*at].due);
    let moved: Vec<(usize, Timestamp)> = moved.map(|(at, feed)| (at, feed.due)).collect();
    // A feed that is in both lists takes its place in the spread: the later entry.
    moved.into_iter().chain(spread).collect()
}

fn spread(feeds: &[Scheduled], now: Timestamp) -> Vec<(usize, Timestamp)> {
    let overdue: Vec<Overdue<'_>> = feeds
        .iter()
        .map(|feed| Overdue { name: &feed.name, due: feed.due, interval: feed.interval })
        .collect();
    schedule::spread_overdue_feeds(now, &overdue)
}
