//! Visits feeds that are due: politely, a bounded number at once, one request
//! at a time for a host.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::round::{Round, RoundReport, VisitResult, Visited};
use super::{Arrived, Live, Pulse, Watched, ingest, prepare};
use crate::fetch::{Body, FetchError, Fetched, Fetcher, Request};
use crate::model::{
    Clock, Document, Feed, FeedHealth, FeedHints, FeedName, ServerHints, Validators,
};
use crate::schedule::{self, Wishes};
use crate::store::{Claim, ClaimedFeed, CommitReport, Store, StoreError, VisitOutcome};

/// How long a claim holds: more than the longest fetch and its ingest.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// The loop comes round at least this often, whatever the clock does.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Tries to store a document, within the lease.
const STORE_TRIES: usize = 120;
/// After the store failed (a full disk): try again then.
const STORE_PAUSE: Duration = Duration::from_secs(5);

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
}

impl Poller {
    /// Polls until stopped; then finishes the visits under way.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        pulse: Pulse,
        status: watch::Sender<PollStatus>,
    ) {
        let beat = pulse.join("poll", self.clock.now());
        let mut round = Round::new(None);
        while !stop.is_cancelled() {
            beat.now(self.clock.now());
            let wait = match self.start_visits(&mut round).await {
                Ok(_) => self.until_next(&mut round, &status).await,
                Err(error) => {
                    tracing::error!(%error, "cannot claim feeds; trying again");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(visited) = round.visits.join_next() => round.finish(visited),
                () = tokio::time::sleep(wait) => {}
                changed = self.live.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        round.finish_all(&beat, &self.clock).await;
    }

    /// Polls every feed once, due or not, except those that are gone or whose
    /// server asked for a pause. `progress` is told of each feed that is done.
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
                round.finish(visited);
                done += 1;
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

    async fn visit(&self, feed: Feed, claim: ClaimedFeed) -> Visited {
        let (name, host) = (claim.name.clone(), claim.host.clone());
        let request = Request {
            url: &claim.url,
            allow_private: feed.allow_private,
            validators: claim.state.validators.as_ref(),
            options: &feed.request,
        };
        let fetcher = self.fetcher.borrow().clone();
        let fetched = fetcher.fetch(request, self.clock.now()).await;
        let result = match self.take_in(&feed, &claim, fetched).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(feed = %name, %error, "cannot store a visit; the feed stays due");
                VisitResult::StoreFailed(error.to_string())
            }
        };
        let rests = !feed.allow_private && !claim.url.starts_with("file:");
        Visited { feed: name, host, rests, result }
    }

    async fn take_in(
        &self,
        feed: &Feed,
        claim: &ClaimedFeed,
        fetched: Result<Fetched, FetchError>,
    ) -> Result<VisitResult, StoreError> {
        match fetched {
            Err(error) => self.failed(feed, claim, &error).await,
            Ok(fetched) => match fetched.body {
                Body::Document { document, hash, .. }
                    if claim.state.body_hash.as_ref() != Some(&hash) =>
                {
                    self.document(feed, claim, document, (fetched.validators, hash)).await
                }
                _ => self.unchanged(feed, claim, fetched.validators).await,
            },
        }
    }

    async fn document(
        &self,
        feed: &Feed,
        claim: &ClaimedFeed,
        document: Document,
        (validators, body_hash): (Option<Validators>, Vec<u8>),
    ) -> Result<VisitResult, StoreError> {
        // Parsing is hostile work: off the executor, and a panic costs one feed one poll.
        let reading = tokio::task::spawn_blocking(move || prepare(&document)).await;
        let prepared = match reading {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => {
                return self.failed(feed, claim, &FetchError::Failed(error.to_string())).await;
            }
            Err(_) => {
                let reason = "the parser failed on this document; please report it".to_string();
                return self.failed(feed, claim, &FetchError::Failed(reason)).await;
            }
        };
        for warning in &prepared.warnings {
            tracing::debug!(feed = %claim.name, warning, "document is odd");
        }
        let now = self.clock.now();
        let arrived = Arrived {
            feed_row: claim.id,
            url: claim.url.clone(),
            now,
            prepared,
            validators,
            body_hash,
            next_due: on_time(feed, claim, now),
        };
        let live = self.live.borrow().clone();
        let report = self.store_it(&live, feed, arrived).await?;
        self.tell(claim, &report);
        Ok(VisitResult::Stored(report))
    }

    /// A document that cannot be stored, on a full disk say, is kept and tried
    /// again: by the time the feed is due once more it may have dropped entries.
    async fn store_it(
        &self,
        live: &Arc<Live>,
        feed: &Feed,
        arrived: Arrived,
    ) -> Result<CommitReport, StoreError> {
        for _ in 1..STORE_TRIES {
            match ingest(&self.store, live, feed, arrived.clone()).await {
                Err(StoreError::Sqlite(error)) => {
                    tracing::error!(feed = %feed.name, %error, "cannot store a document; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                result => return result,
            }
        }
        ingest(&self.store, live, feed, arrived).await
    }

    fn tell(&self, claim: &ClaimedFeed, report: &CommitReport) {
        let alerts: usize = report.entries.iter().map(|entry| entry.alerts.len()).sum();
        tracing::info!(
            feed = %claim.name,
            entries = report.entries.len(),
            stories = report.new_stories,
            matches = report.matches,
            alerts,
            baseline = report.baseline,
            "feed read"
        );
        if report.deliveries > 0 {
            self.planned.send_modify(|count| *count += 1);
        }
    }

    async fn unchanged(
        &self,
        feed: &Feed,
        claim: &ClaimedFeed,
        validators: Option<Validators>,
    ) -> Result<VisitResult, StoreError> {
        let now = self.clock.now();
        tracing::debug!(feed = %claim.name, "not modified");
        let visit = VisitOutcome {
            feed: claim.id,
            url: claim.url.clone(),
            health: FeedHealth::Ok,
            next_due: on_time(feed, claim, now),
            blocked_until: None,
            error: None,
            validators,
        };
        self.store.record_visit(visit, now).await?;
        Ok(VisitResult::NotModified)
    }

    async fn failed(
        &self,
        feed: &Feed,
        claim: &ClaimedFeed,
        error: &FetchError,
    ) -> Result<VisitResult, StoreError> {
        let now = self.clock.now();
        let (failure, failures) = (error.failure(now), claim.state.failures + 1);
        let next = schedule::after_failure(
            now,
            feed.interval.at_first(),
            failures,
            &failure,
            seed(claim, now),
        );
        let pause = schedule::host_pause(now, failures, &failure);
        let visit = VisitOutcome {
            feed: claim.id,
            url: claim.url.clone(),
            health: if next.is_none() { FeedHealth::Gone } else { FeedHealth::Failing },
            next_due: next.unwrap_or(Timestamp::MAX),
            blocked_until: pause,
            error: Some(error.to_string()),
            validators: None,
        };
        self.store.record_visit(visit, now).await?;
        tracing::warn!(feed = %claim.name, failures, reason = %error, "feed could not be read");
        Ok(VisitResult::Failed(error.to_string()))
    }
}

/// The next poll after one that went well.
fn on_time(feed: &Feed, claim: &ClaimedFeed, now: Timestamp) -> Timestamp {
    let (server, hints) = (ServerHints::default(), FeedHints::default());
    let wishes = Wishes { server: &server, feed: &hints, ignore_hints: feed.ignore_hints };
    schedule::after_success(now, feed.interval.at_first(), &wishes, seed(claim, now))
}

/// Jitter that differs from feed to feed and from poll to poll, and is the
/// same when a poll is computed again.
fn seed(claim: &ClaimedFeed, now: Timestamp) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(claim.name.as_str());
    hasher.update(now.as_second().to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(bytes)
}
