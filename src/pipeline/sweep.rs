//! Forgets what is older than the retention, a little at a time, and keeps the
//! search index tidy in between.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Pulse, Watched};
use crate::model::Clock;
use crate::store::{Old, Store, StoreError};

/// Stories looked for at once.
const LOOK: usize = 2_000;
/// Between two looks, while there is nothing more to forget.
const EVERY: Duration = Duration::from_secs(3600);
/// The same of the search index, which grows with each entry.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// The loop comes round at least this often.
const BEAT: Duration = Duration::from_secs(10);
/// Between two transactions, so that all others have most of the time.
const BREATH: Duration = Duration::from_millis(250);

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
        let (mut due, mut tidy_due) = (self.clock.awake(), self.clock.awake());
        let (mut old, mut gone) = (Old::default(), 0);
        loop {
            let awake = self.clock.awake();
            beat.now(awake);
            let mut rest = BEAT;
            if awake >= due {
                match self.step(&mut old).await {
                    Ok(rows) => gone += rows,
                    Err(error) => {
                        tracing::error!(%error, "cannot forget old stories");
                        old = Old::default();
                        due = awake.saturating_add(EVERY);
                    }
                }
                if !old.is_empty() {
                    rest = BREATH;
                } else if gone > 0 {
                    tracing::info!(rows = gone, "forgot old stories");
                    gone = 0;
                } else {
                    due = awake.saturating_add(EVERY);
                }
            }
            if old.is_empty() && awake >= tidy_due {
                match self.store.tidy_words().await {
                    Ok(true) => rest = BREATH,
                    Ok(false) => tidy_due = awake.saturating_add(TIDY_EVERY),
                    Err(error) => {
                        tracing::error!(%error, "cannot tidy the search index");
                        tidy_due = awake.saturating_add(EVERY);
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = beat.rest(&self.clock, rest) => {}
            }
        }
    }

    /// Looks for what is old where none is known, and forgets some of it.
    async fn step(&self, old: &mut Old) -> Result<usize, StoreError> {
        let retention = self.live.borrow().retention;
        // What was found may be less old now that another retention holds.
        if old.is_empty() || old.retention() != retention {
            *old = self.store.find_old(self.clock.now(), retention, LOOK).await?;
        }
        self.store.forget_some(old).await
    }
}
