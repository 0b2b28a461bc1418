//! Proof of life: each loop beats, and whoever feeds the watchdog looks
//! whether all of them did lately.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::model::Clock;
use crate::wedge::wedge;

/// Who waits beats this often where nobody asks for more.
const REST: Duration = Duration::from_secs(15);

/// A loop's name and when it last beat, in milliseconds of [`Clock::awake`].
///
/// [`Clock::awake`]: crate::model::Clock::awake
type Loop = (String, Arc<AtomicU64>);

/// The beats of all loops.
#[derive(Clone, Debug)]
pub struct Pulse {
    loops: Arc<Mutex<Vec<Loop>>>,
    rest: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self::resting(REST)
    }
}

/// One loop's own beat; the loop is forgotten when it is dropped.
#[derive(Debug)]
pub struct Beat {
    pulse: Pulse,
    name: String,
    last: Arc<AtomicU64>,
}

impl Pulse {
    /// Loops that wait beat at least so often.
    pub fn resting(rest: Duration) -> Self {
        Self { loops: Arc::default(), rest: rest.min(REST) }
    }

    /// Adds a loop, alive as of `awake`, which no setting of the clock changes.
    pub fn join(&self, name: &str, awake: Duration) -> Beat {
        let last = Arc::new(AtomicU64::new(millis(awake)));
        if let Ok(mut loops) = self.loops.lock() {
            loops.push((name.to_string(), Arc::clone(&last)));
        }
        Beat { pulse: self.clone(), name: name.to_string(), last }
    }

    /// Loops that have not beaten since a moment.
    pub fn silent_since(&self, moment: Duration) -> Vec<String> {
        self.silent(moment, Duration::ZERO)
    }

    /// Loops that have not beaten for longer than `limit`.
    pub fn silent(&self, awake: Duration, limit: Duration) -> Vec<String> {
        let before = millis(awake.saturating_sub(limit));
        let loops = self.loops.lock().map(|loops| loops.clone()).unwrap_or_default();
        let silent = loops.into_iter().filter(|(_, last)| last.load(Ordering::Relaxed) < before);
        silent.map(|(name, _)| name).collect()
    }
}

impl Beat {
    /// Says: this loop has just come round.
    pub fn now(&self, awake: Duration) {
        wedge(&self.name);
        self.last.store(millis(awake), Ordering::Relaxed);
    }

    /// Waits idly, which is a way of being alive.
    pub async fn rest(&self, clock: &Clock, wait: Duration) {
        let end = tokio::time::Instant::now() + wait;
        while tokio::time::Instant::now() < end {
            tokio::time::sleep_until(end.min(tokio::time::Instant::now() + self.pulse.rest)).await;
            self.now(clock.awake());
        }
    }
}

fn millis(awake: Duration) -> u64 {
    u64::try_from(awake.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Beat {
    fn drop(&mut self) {
        if let Ok(mut loops) = self.pulse.loops.lock() {
            loops.retain(|(_, last)| !Arc::ptr_eq(last, &self.last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stops_beating_is_named_and_one_that_ended_is_not() {
        let now = Duration::from_secs(1_000);
        let (pulse, limit) = (Pulse::default(), Duration::from_secs(30));
        let poll = pulse.join("poll", now);
        let sweep = pulse.join("sweep", now);
        let later = now + Duration::from_secs(40);
        poll.now(later);
        assert_eq!(pulse.silent(later, limit), ["sweep"]);
        drop(sweep);
        assert!(pulse.silent(later, limit).is_empty());
    }
}
