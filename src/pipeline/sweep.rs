//! Forgets what is older than the retention, a little at a time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Pulse, Watched};
use crate::model::Clock;
use crate::store::Store;

/// Stories forgotten in one transaction: short enough not to hold up ingest.
const BATCH: usize = 200;
/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
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
        let beat = pulse.join("sweep", self.clock.awake());
        let mut due = self.clock.awake();
        loop {
            let awake = self.clock.awake();
            beat.now(awake);
            if awake >= due && !self.sweep_batch().await {
                due = awake.saturating_add(EVERY);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = beat.rest(&self.clock, BEAT) => {}
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
