//! Proof of life: each loop beats, and whoever feeds the watchdog looks
//! whether all of them did lately.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

/// A loop's name and when it last beat, in milliseconds since 1970.
type Loop = (String, Arc<AtomicI64>);

/// The beats of all loops.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    loops: Arc<Mutex<Vec<Loop>>>,
}

/// One loop's own beat; the loop is forgotten when it is dropped.
#[derive(Debug)]
pub struct Beat {
    pulse: Pulse,
    last: Arc<AtomicI64>,
}

impl Pulse {
    /// Adds a loop, alive as of `now`.
    pub fn join(&self, name: &str, now: Timestamp) -> Beat {
        let last = Arc::new(AtomicI64::new(now.as_millisecond()));
        if let Ok(mut loops) = self.loops.lock() {
            loops.push((name.to_string(), Arc::clone(&last)));
        }
        Beat { pulse: self.clone(), last }
    }

    /// Loops that have not beaten for longer than `limit`.
    pub fn silent(&self, now: Timestamp, limit: SignedDuration) -> Vec<String> {
        let before = now.as_millisecond() - limit.as_millis() as i64;
        let loops = self.loops.lock().map(|loops| loops.clone()).unwrap_or_default();
        let silent = loops.into_iter().filter(|(_, last)| last.load(Ordering::Relaxed) < before);
        silent.map(|(name, _)| name).collect()
    }
}

impl Beat {
    /// Says: this loop has just come round.
    pub fn now(&self, now: Timestamp) {
        self.last.store(now.as_millisecond(), Ordering::Relaxed);
    }
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
        let now: Timestamp = "2026-11-03T10:00:00Z".parse().unwrap();
        let (pulse, limit) = (Pulse::default(), SignedDuration::from_secs(30));
        let poll = pulse.join("poll", now);
        let sweep = pulse.join("sweep", now);
        let later = now + SignedDuration::from_secs(40);
        poll.now(later);
        assert_eq!(pulse.silent(later, limit), ["sweep"]);
        drop(sweep);
        assert!(pulse.silent(later, limit).is_empty());
    }
}
