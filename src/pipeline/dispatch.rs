//! Sends what waits for one channel. Each channel has a loop of its own, so a
//! dead one holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::complaint::Complaint;
use super::gate::ChannelGate;
use super::{Meter, Pulse, Watched};
use crate::deliver::Channel;
use crate::model::{Attempt, ChannelName, Clock, Delivery, Outcome};
use crate::schedule::{self, FailedTry};
use crate::store::{Finish, Pause, Store, StoreError};

/// How long a claim holds: longer than a channel's longest timeouts together.
/// After a crash nobody waits for it: starting gives all claims back.
const LEASE: SignedDuration = SignedDuration::from_mins(30);
/// The loop comes round at least this often, for rows that another process
/// made due.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Between two looks at least.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// Pauses that a single round waits for, in all.
const SHORT_PAUSE: Duration = Duration::from_secs(30);
/// A receiver that does not let us in is not asked by everything that waits:
/// servers lock accounts and addresses for that.
const UNKNOWN_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// After the store failed: try again then.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// What a drain sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Accepted by receivers.
    pub sent: usize,
    /// To be tried again later.
    pub waiting: usize,
    /// Given up.
    pub failed: usize,
}

/// The sends under way, each of which ends as it was recorded, or with nothing
/// if it could not be. A receiver's `Retry-After` is for all that waits for it
/// and costs none of it a try.
#[derive(Default)]
struct Sends {
    under_way: JoinSet<Option<Finish>>,
    paused_until: Option<Timestamp>,
}

impl Sends {
    /// The next that ends; nothing when none is under way.
    async fn next(&mut self) -> Option<Option<Finish>> {
        Some(self.under_way.join_next().await?.unwrap_or_default())
    }

    /// How long the receiver wants nothing yet.
    fn pause_left(&self, now: Timestamp) -> Option<Duration> {
        let left = self.paused_until?.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }
}

/// One channel's loop.
#[derive(Clone)]
pub struct Dispatcher {
    /// The outbox.
    pub store: Store,
    /// The channel's name.
    pub name: ChannelName,
    /// The way out.
    pub channel: Arc<dyn Channel>,
    /// What its receivers want to be spared.
    pub live: Watched,
    /// The time.
    pub clock: Clock,
    /// Counts tries.
    pub meter: Meter,
}

impl Dispatcher {
    /// Sends until stopped; then waits for the sends under way.
    pub async fn run(
        self,
        stop: CancellationToken,
        pulse: Pulse,
        mut planned: watch::Receiver<u64>,
    ) {
        let beat = pulse.join(&format!("dispatch {}", self.name), self.clock.awake());
        let (mut sends, mut complaint) = (Sends::default(), Complaint::default());
        while !stop.is_cancelled() {
            beat.now(self.clock.awake());
            planned.mark_unchanged();
            let wait = match self.start_sends(&mut sends).await {
                Ok(()) => self.until_next(&sends).await,
                Err(error) => {
                    if complaint.is_due() {
                        tracing::error!(channel = %self.name, %error, "cannot claim deliveries");
                    }
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(_) = sends.next() => {}
                () = beat.rest(&self.clock, wait) => {}
                changed = planned.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        while sends.next().await.is_some() {
            beat.now(self.clock.awake());
        }
    }

    /// Sends everything that is due, once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drain(&self, stop: &CancellationToken) -> Result<Drained, StoreError> {
        let mut drained = Drained::default();
        let mut sends = Sends::default();
        let mut patience = SHORT_PAUSE;
        loop {
            if !stop.is_cancelled() {
                self.start_sends(&mut sends).await?;
            }
            match sends.next().await {
                None => match sends.pause_left(self.clock.now()) {
                    Some(left) if left <= patience && !stop.is_cancelled() => {
                        patience -= left;
                        tokio::time::sleep(left).await;
                        self.store.resume_channel(self.name.clone()).await?;
                    }
                    _ => return Ok(drained),
                },
                Some(Some(Finish::Sent)) => drained.sent += 1,
                Some(Some(Finish::Failed)) => drained.failed += 1,
                // What could not be recorded has a lease that ends; then it is
                // sent again with the same id.
                Some(Some(Finish::Retry(_)) | None) => drained.waiting += 1,
            }
        }
    }

    async fn start_sends(&self, sends: &mut Sends) -> Result<(), StoreError> {
        let free = self.channel.manners().at_once.saturating_sub(sends.under_way.len());
        let now = self.clock.now();
        if free == 0 {
            return Ok(());
        }
        let gate = Box::new(ChannelGate::new(&self.live, &self.name, now));
        let name = self.name.clone();
        let claimed = self.store.claim_deliveries(name, gate, now, (LEASE, free)).await?;
        sends.paused_until = claimed.paused_until;
        for delivery in claimed.deliveries {
            let dispatcher = self.clone();
            sends.under_way.spawn(async move { dispatcher.send(delivery).await });
        }
        Ok(())
    }

    async fn until_next(&self, sends: &Sends) -> Duration {
        if sends.under_way.len() >= self.channel.manners().at_once {
            return LONGEST_WAIT;
        }
        if let Some(left) = sends.pause_left(self.clock.now()) {
            return left.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        }
        let Ok(Some(due)) = self.store.next_delivery_due(self.name.clone()).await else {
            return LONGEST_WAIT;
        };
        let wait = due.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        wait.unsigned_abs().clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }

    async fn send(&self, delivery: Delivery) -> Option<Finish> {
        let started_at = self.clock.now();
        let outcome = self.channel.send(&delivery, started_at).await;
        let finished_at = self.clock.now();
        let finish = self.decide(&delivery, &outcome);
        self.tell(&delivery, &outcome, finish);
        self.count(&delivery, finish, finished_at);
        let pause = pause(&outcome, finished_at);
        let attempt = Attempt { started_at, finished_at, outcome };
        let recorded = self.record(&delivery, attempt, (finish, pause)).await;
        if let Err(error) = &recorded {
            tracing::error!(
                delivery = %delivery.id, %error,
                "cannot record a delivery; it will be sent again with the same id"
            );
        }
        recorded.ok().map(|()| finish)
    }

    fn count(&self, delivery: &Delivery, finish: Finish, now: Timestamp) {
        let result = match finish {
            Finish::Sent => "sent",
            Finish::Retry(_) => "retry",
            Finish::Failed => "failed",
        };
        self.meter.tried(self.name.as_str(), result);
        if finish == Finish::Sent {
            let took = now.duration_since(delivery.created_at).as_secs_f64();
            self.meter.delivered(self.name.as_str(), took);
        }
    }

    async fn record(
        &self,
        delivery: &Delivery,
        attempt: Attempt,
        (finish, pause): (Finish, Option<Pause>),
    ) -> Result<(), StoreError> {
        if let Some(pause) = pause {
            self.store.pause_channel(self.name.clone(), pause, attempt.finished_at).await?;
        }
        self.store.finish_delivery(delivery.id.clone(), attempt, finish).await
    }

    fn decide(&self, delivery: &Delivery, outcome: &Outcome) -> Finish {
        let (refused, not_before) = match outcome {
            Outcome::Sent(_) => return Finish::Sent,
            Outcome::GiveUp(_) => return Finish::Failed,
            Outcome::Refused(_) => (true, None),
            // By its own schedule, once the channel goes on.
            Outcome::Unknown(_) => (false, None),
            Outcome::TryAgain { not_before, .. } => (false, *not_before),
        };
        let failed = FailedTry { attempts: delivery.attempts + 1, refused, not_before };
        let seed = u64::from_str_radix(delivery.id.as_str().get(1..9).unwrap_or("0"), 16);
        let seed = seed.unwrap_or_default().wrapping_add(u64::from(delivery.attempts));
        schedule::next_try(self.clock.now(), self.channel.manners().retry, failed, seed)
            .map_or(Finish::Failed, Finish::Retry)
    }

    fn tell(&self, delivery: &Delivery, outcome: &Outcome, finish: Finish) {
        let (id, channel) = (&delivery.id, &self.name);
        let attempt = delivery.attempts + 1;
        match (outcome, finish) {
            (Outcome::Sent(answer), _) => {
                tracing::info!(delivery = %id, %channel, attempt, answer, "delivered");
            }
            (
                Outcome::TryAgain { reason, .. }
                | Outcome::Unknown(reason)
                | Outcome::Refused(reason)
                | Outcome::GiveUp(reason),
                Finish::Retry(at),
            ) => {
                tracing::warn!(delivery = %id, %channel, attempt, reason, next = %at, "not delivered, will try again");
            }
            (
                Outcome::TryAgain { reason, .. }
                | Outcome::Unknown(reason)
                | Outcome::Refused(reason)
                | Outcome::GiveUp(reason),
                _,
            ) => {
                tracing::error!(delivery = %id, %channel, attempt, reason, "given up; see `wirewatch deliveries --state failed`");
            }
        }
    }
}

/// How long a receiver is left alone after such an answer.
fn pause(outcome: &Outcome, now: Timestamp) -> Option<Pause> {
    match outcome {
        Outcome::TryAgain { reason, not_before: Some(until) } => {
            Some(Pause { until: *until, until_start: false, reason: reason.clone() })
        }
        Outcome::Unknown(reason) => Some(Pause {
            until: now.checked_add(UNKNOWN_PAUSE).ok()?,
            until_start: true,
            reason: reason.clone(),
        }),
        Outcome::TryAgain { not_before: None, .. }
        | Outcome::Sent(_)
        | Outcome::Refused(_)
        | Outcome::GiveUp(_) => None,
    }
}
