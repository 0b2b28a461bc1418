//! Reads the whole database now and then, so that damage is found while there
//! is a good backup, and not by the alert that is missing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::health;
use crate::model::Clock;
use crate::store::Store;

/// After the start: what is due then goes first.
const FIRST: Duration = Duration::from_secs(60);
/// Between two looks, which are thorough.
const EVERY: Duration = Duration::from_secs(7 * 24 * 3600);
/// The loop sleeps no longer than this: a machine that sleeps has no time.
const NAP: Duration = Duration::from_secs(300);

/// The loop and what it works with. A look may take minutes, so that it is not
/// among the loops that must come round every few seconds.
pub struct Inspector {
    /// What is read.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

impl Inspector {
    /// Looks until stopped.
    pub async fn run(self, stop: CancellationToken) {
        let mut due = self.clock.awake().saturating_add(FIRST);
        let mut thorough = false;
        loop {
            let now = self.clock.awake();
            if now >= due {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.look(thorough) => {}
                }
                due = self.clock.awake().saturating_add(EVERY);
                thorough = true;
            }
            let nap = due.saturating_sub(now).min(NAP);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// One look; tells operators of a fault.
    pub async fn look(&self, thorough: bool) {
        let begun = self.clock.awake();
        let fault = match self.store.inspect(thorough).await {
            Ok(None) => {
                let seconds = self.clock.awake().saturating_sub(begun).as_secs();
                tracing::debug!(thorough, seconds, "the database is sound");
                return;
            }
            Ok(Some(fault)) => fault,
            Err(error) if error.is_damage() => error.to_string(),
            Err(error) => {
                tracing::warn!(%error, "cannot check the database");
                return;
            }
        };
        tracing::error!(fault, "the database is damaged");
        let notice = health::damaged(&fault, self.clock.now());
        if let Err(error) = self.store.add_notices(vec![notice]).await {
            tracing::error!(%error, "cannot tell of it");
        }
    }
}
