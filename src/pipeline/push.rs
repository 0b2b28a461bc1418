//! Has hubs bring the news (WebSub): asks for subscriptions and renews them,
//! and takes in what they bring, the same way as what is fetched.
//!
//! Who answers hubs is `callback.rs`; between the two stands the store.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ask::Asker;
use super::complaint::Complaint;
use super::poll::STORE_PAUSE;
use super::{Arrived, Beat, Live, Meter, Pulse, Watched, ingest, prepare};
use crate::fetch::Fetcher;
use crate::model::{Clock, Document, FeedName, Newness, Scope};
use crate::schedule::Rhythm;
use crate::store::{CommitReport, QueuedPush, Store, StoreError, TakenIn};

/// Hubs asked at once.
const ASKED: usize = 4;
/// The loop comes round at least this often.
const TURN: Duration = Duration::from_secs(2);
/// The same while no hub can reach us.
const IDLE_TURN: Duration = Duration::from_secs(10);
/// After a start and a reload.
const OPENING: Duration = Duration::from_millis(500);
/// Documents read in one turn, so that the loop beats.
const READ: usize = 20;
/// A document that was begun so often ended the process each time.
const MAX_TRIES: u32 = 3;
/// Until a retired address is given back once more.
const GOODBYE_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The loop and what it works with.
#[derive(Clone)]
pub struct Subscriber {
    /// Subscriptions, what hubs brought, entries.
    pub store: Store,
    /// The way out, as configured now.
    pub fetcher: watch::Receiver<Fetcher>,
    /// Rules and feeds as of now.
    pub live: Watched,
    /// The time.
    pub clock: Clock,
    /// Counts commits that planned deliveries.
    pub planned: watch::Sender<u64>,
    /// Counts what came.
    pub meter: Meter,
    /// Counts what waits to be read.
    pub arrived: watch::Receiver<u64>,
}

impl Subscriber {
    /// Subscribes, renews and reads until stopped.
    pub async fn run(mut self, stop: CancellationToken, pulse: Pulse) {
        let beat = pulse.join("push", self.clock.awake());
        let (mut asked, mut complaint) = (JoinSet::new(), Complaint::default());
        let mut configured = true;
        while !stop.is_cancelled() {
            beat.now(self.clock.awake());
            let wait = match self.turn(&mut asked, configured, &beat).await {
                Ok(wait) => {
                    configured = false;
                    wait
                }
                Err(error) => {
                    if complaint.is_due() {
                        tracing::error!(%error, "cannot follow hubs; trying again");
                    }
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(_) = asked.join_next() => {}
                () = beat.rest(&self.clock, wait) => {}
                changed = self.arrived.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
                changed = self.live.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    configured = true;
                }
            }
        }
    }

    /// One turn, and how long nothing will be to do. `configured` says that
    /// feeds may have changed.
    async fn turn(
        &self,
        asked: &mut JoinSet<()>,
        configured: bool,
        beat: &Beat,
    ) -> Result<Duration, StoreError> {
        if !self.store.has_hubs().await? {
            return Ok(self.rest());
        }
        let live = self.live.borrow().clone();
        let more = self.read_some(&live, beat).await?;
        let now = self.clock.now();
        let wanted = configured.then(|| {
            let feeds = live.feeds.values().filter(|feed| feed.websub);
            feeds.map(|feed| feed.name.clone()).collect::<Vec<FeedName>>()
        });
        for feed in self.store.end_subscriptions(wanted, now).await? {
            tracing::warn!(%feed, "the hub's lease ran out; the feed is polled as ever");
        }
        while asked.try_join_next().is_some() {}
        if configured {
            // The endpoint that hubs ask back at may be opening just now.
            return Ok(OPENING);
        }
        self.ask(&live, asked).await?;
        Ok(if more { Duration::ZERO } else { self.rest() })
    }

    fn rest(&self) -> Duration {
        if self.live.borrow().callbacks.is_some() { TURN } else { IDLE_TURN }
    }

    /// Asks hubs, a few at a time.
    async fn ask(&self, live: &Arc<Live>, asked: &mut JoinSet<()>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let asker = Asker {
            store: self.store.clone(),
            fetcher: self.fetcher.borrow().clone(),
            live: Arc::clone(live),
            clock: self.clock.clone(),
        };
        let free = ASKED.saturating_sub(asked.len());
        if free > 0 && live.callbacks.is_some() {
            for due in self.store.due_subscriptions(now, free).await? {
                // Before the task: the next turn must not find it due again.
                if let Some(prepared) = asker.prepare(due).await? {
                    let asker = asker.clone();
                    asked.spawn(async move { asker.subscribe(prepared).await });
                }
            }
        }
        let next = now.checked_add(GOODBYE_AGAIN).unwrap_or(now);
        if asked.len() < ASKED
            && let Some(retired) = self.store.take_goodbye(now, next).await?
        {
            asked.spawn(async move { asker.unsubscribe(retired).await });
        }
        Ok(())
    }

    /// Reads what waits; whether more may wait.
    async fn read_some(&self, live: &Arc<Live>, beat: &Beat) -> Result<bool, StoreError> {
        for _ in 0..READ {
            let Some(push) = self.store.begin_push().await? else { return Ok(false) };
            self.read(live, push).await?;
            beat.now(self.clock.awake());
        }
        Ok(true)
    }

    /// Takes in one document. One that says nothing is a reason to look at the
    /// feed itself.
    async fn read(&self, live: &Arc<Live>, push: QueuedPush) -> Result<(), StoreError> {
        let (name, row) = (push.name.clone(), (push.id, push.feed));
        let Some(feed) = live.feeds.get(&name) else {
            return self.store.drop_push(row, "the feed is not configured".to_owned()).await;
        };
        let document = Document {
            bytes: push.body.clone(),
            content_type: push.content_type.clone(),
            base_url: Some(push.topic.clone()),
        };
        let reading = tokio::task::spawn_blocking(move || prepare(&document));
        let prepared = match reading.await {
            _ if push.tries >= MAX_TRIES => Err("it was begun too often".to_owned()),
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the parser failed on it; please report it".to_owned()),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(reason) => {
                self.meter.pushed("broken");
                tracing::warn!(feed = %name, reason, "what a hub brought cannot be read");
                self.store.drop_push(row, format!("a broken document: {reason}")).await?;
                return self.store.poll_soon(push.feed, self.clock.now()).await.map(drop);
            }
        };
        let dates: Vec<_> =
            prepared.entries.iter().map(|(entry, _)| entry.published.or(entry.updated)).collect();
        let arrived = Arrived {
            feed_row: push.feed,
            url: push.url.clone(),
            now: self.clock.now(),
            prepared,
            validators: None,
            body_hash: Vec::new(),
            scope: Scope::Pushed,
        };
        let report = ingest(&self.store, live, feed, arrived, None).await?;
        self.finish(push, &dates, &report).await
    }

    /// Tells, and forgets the document.
    async fn finish(
        &self,
        push: QueuedPush,
        dates: &[Option<jiff::Timestamp>],
        report: &CommitReport,
    ) -> Result<(), StoreError> {
        let alerts = report.alerts();
        let (entries, new) = (report.entries.len(), report.new_entries());
        tracing::info!(feed = %push.name, entries, new, alerts, "a hub brought news");
        if report.deliveries > 0 {
            self.planned.send_modify(|count| *count += 1);
        }
        self.meter.pushed("read");
        let now = self.clock.now();
        let mut rhythm = Rhythm { arrivals: push.arrivals };
        let outcomes = report.entries.iter().zip(dates);
        let dates = outcomes.filter(|(entry, _)| entry.newness == Newness::New).map(|(_, at)| *at);
        rhythm.remember(dates, push.last_success.or(Some(now)), now);
        let done = TakenIn {
            push: push.id,
            feed: push.feed,
            hash: push.hash,
            new,
            arrivals: rhythm.arrivals,
        };
        self.store.finish_push(done, now).await
    }
}
