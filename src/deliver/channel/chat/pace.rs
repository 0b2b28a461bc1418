//! How fast a place may be posted to, and until when it wants none.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A wait that an attempt makes by itself; a longer one is the schedule's.
const SHORT: SignedDuration = SignedDuration::from_secs(5);

/// One place's pace.
pub(super) struct Pace {
    gap: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The next post may begin then.
    next: Option<Instant>,
    /// The service wants none before.
    held: Option<Timestamp>,
}

impl Pace {
    /// At least `gap` between two posts.
    pub(super) fn new(gap: Duration) -> Self {
        Self { gap, state: Mutex::default() }
    }

    /// Waits for the turn of a post. If that is far off, gives its time.
    pub(super) async fn wait(&self, now: Timestamp) -> Option<Timestamp> {
        let (turn, held) = {
            let mut state = self.state();
            let left = state.held.map(|held| held.duration_since(now));
            if left.is_some_and(|left| left > SHORT) {
                return state.held;
            }
            let held = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
            let turn = state.next.unwrap_or_else(Instant::now).max(Instant::now() + held);
            state.next = Some(turn + self.gap);
            (turn, held)
        };
        if turn > Instant::now() || !held.is_zero() {
            tokio::time::sleep_until(turn).await;
        }
        None
    }

    /// No posts before this time.
    pub(super) fn hold(&self, until: Timestamp) {
        let mut state = self.state();
        state.held = state.held.max(Some(until));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The lock guards no invariant that a panic could have broken.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn posts_keep_their_distance_and_a_long_hold_is_the_schedules() {
        let pace = Pace::new(Duration::from_secs(1));
        let (begun, now) = (Instant::now(), Timestamp::UNIX_EPOCH);
        for _ in 0..4 {
            assert_eq!(pace.wait(now).await, None);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
        pace.hold(now + SignedDuration::from_secs(4));
        assert_eq!(pace.wait(now).await, None);
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
        let far = now + SignedDuration::from_secs(60);
        pace.hold(far);
        pace.hold(now);
        assert_eq!(pace.wait(now).await, Some(far));
        assert_eq!(pace.wait(far).await, None);
    }
}
