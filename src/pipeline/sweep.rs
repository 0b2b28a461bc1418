//! Forgets what is older than the retention, a little at a time.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Pulse, Watched};
use crate::model::Clock;
use crate::store::Store;

/// Stories forgotten in one transaction: short enough not to hold up ingest.
const BATCH: usize = 200;
/// Between two looks.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The loop comes round at least this often.
const BEAT: Duration = Duration::from_secs(10);

/// The loop and what it works with.
pub struct Sweeper {
    /// What is swept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The retention as of now.
    pub live: Watched,
}

impl Sweeper {
    /// Sweeps until stopped.
    pub async fn run(self, stop: CancellationToken, pulse: Pulse) {
        let beat = pulse.join("sweep", self.clock.now());
        let mut due = self.clock.now();
        loop {
            let now = self.clock.now();
            beat.now(now);
            if now >= due && !self.sweep_batch().await {
                due = now.checked_add(EVERY).unwrap_or(now);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    /// Forgets one batch; whether there may be more.
    async fn sweep_batch(&self) -> bool {
        let now = self.clock.now();
        let retention = self.live.borrow().retention;
        match self.store.sweep(now, retention, BATCH).await {
            Ok(0) => false,
            Ok(stories) => {
                tracing::info!(stories, "forgot old stories");
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot forget old stories");
                false
            }
        }
    }
}
