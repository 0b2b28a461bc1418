//! Tells operators what happened to feeds: gathers notices into messages.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::complaint::Complaint;
use super::{Poller, Pulse, Watched};
use crate::alert;
use crate::health;
use crate::model::Clock;
use crate::store::{NoticePlan, Store, StoreError};

/// Between two looks for notices that have settled.
const EVERY: Duration = Duration::from_secs(5);

/// The loop and what it works with.
#[derive(Clone)]
pub struct Notifier {
    /// Notices, and the outbox that they go into.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who is to be told.
    pub live: Watched,
    /// Counts commits that planned deliveries; dispatchers wait on it.
    pub planned: watch::Sender<u64>,
}

impl Notifier {
    /// One that works with what a poller works with.
    pub fn beside(poller: &Poller) -> Self {
        Self {
            store: poller.store.clone(),
            clock: poller.clock.clone(),
            live: poller.live.clone(),
            planned: poller.planned.clone(),
        }
    }

    /// Gathers until stopped.
    pub async fn run(self, stop: CancellationToken, pulse: Pulse) {
        let beat = pulse.join("notify", self.clock.awake());
        let mut complaint = Complaint::default();
        loop {
            beat.now(self.clock.awake());
            if let Err(error) = self.tell(false).await
                && complaint.is_due()
            {
                tracing::error!(%error, "cannot put notices into a message; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = beat.rest(&self.clock, EVERY) => {}
            }
        }
    }

    /// Puts what there is into a message: when it is time, or at once.
    ///
    /// # Errors
    /// When the store fails; the notices then wait.
    pub async fn tell(&self, at_once: bool) -> Result<(), StoreError> {
        let live = self.live.borrow().clone();
        let now = self.clock.now();
        // First, so that what belongs to a host's outage is told as that.
        let notices = health::host_notices(&self.store.hosts().await?, now);
        if !notices.is_empty() {
            self.store.add_notices(notices).await?;
        }
        let plan = NoticePlan {
            quiet: live.quiet_notices.clone(),
            deliveries: Box::new(move |message| {
                alert::deliveries(&live.policy, &live.notified, message, now)
            }),
            at_once,
        };
        if self.store.tell_notices(plan, now).await? > 0 {
            self.planned.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}
