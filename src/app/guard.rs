//! What the watchdog is told, and when.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

use super::endpoint::{Vitality, Write};
use crate::pipeline::{Complaint, Pulse};

/// Looks in the time after which the watchdog bites.
const LOOKS: u32 = 12;
/// The log says again after so many looks what is wrong.
const SAID_EVERY: u32 = 12;

/// Loops that wait beat so often in the time after which the watchdog bites.
const BEATS: u32 = 6;

/// The beats that the watchdog of this process needs, if it has one.
pub(super) fn pulse() -> Pulse {
    sd_notify::watchdog_enabled().map_or_else(Pulse::default, |limit| Pulse::resting(limit / BEATS))
}

/// Gives signs of life: only when every loop came round since the sign before,
/// and the database has just taken a write. A loop that hangs is thus found by
/// the next look, and one that is slow has all of the watchdog's time.
pub struct Guard {
    vitality: Vitality,
    look: Interval,
    /// When the last sign was given, by the clock that nobody sets.
    signed: Duration,
    silent_looks: u32,
    /// The write under way: whoever waits for a sign may stop and come again.
    write: JoinSet<Write>,
    complaint: Complaint,
}

impl Guard {
    pub(super) fn new(vitality: Vitality, limit: Duration) -> Self {
        let every = (limit / LOOKS).max(Duration::from_millis(100));
        let mut look = tokio::time::interval(every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (signed, write, complaint) = (Duration::ZERO, JoinSet::new(), Complaint::default());
        Self { vitality, look, signed, silent_looks: 0, write, complaint }
    }

    /// Completes when all is alive. It may be dropped and called again.
    pub async fn sign(&mut self) {
        loop {
            self.look.tick().await;
            let now = self.vitality.clock.awake();
            let silent = self.vitality.pulse.silent_since(self.signed);
            if !silent.is_empty() {
                self.silent_looks += 1;
                if self.silent_looks.is_multiple_of(SAID_EVERY) {
                    tracing::error!(loops = ?silent, "loops do not come round");
                }
                continue;
            }
            if self.write.is_empty() {
                let vitality = self.vitality.clone();
                self.write.spawn(async move { vitality.write().await });
            }
            if self.write.join_next().await.is_some_and(|write| self.is_well(write.ok())) {
                self.signed = now;
                self.silent_looks = 0;
                return;
            }
        }
    }

    fn is_well(&mut self, write: Option<Write>) -> bool {
        if let Some(Write::Shut(error) | Write::Refused(error)) = &write
            && self.complaint.is_due()
        {
            tracing::error!(%error, "the database takes no writes");
        }
        matches!(write, Some(Write::Taken | Write::Shut(_)))
    }
}
