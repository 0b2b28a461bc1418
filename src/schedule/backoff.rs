//! When is a feed that failed visited again? Later and later, but never never:
//! only 410 ends polling.

use jiff::{SignedDuration, Timestamp};

use super::jitter::{MAX_SERVER_WAIT, later, stretched};
use crate::model::VisitFailure;

/// Longest wait between two polls of a failing feed.
const MAX_BACKOFF: SignedDuration = SignedDuration::from_hours(24);
/// Shortest wait after a 429 or 503 that names no time.
const THROTTLED: SignedDuration = SignedDuration::from_hours(1);

/// The next poll after a failure, or `None` when the feed is gone for good.
///
/// `failures` counts this one. Waits double from the interval to a day, with
/// 20 % jitter; a server's own wish is a floor.
pub fn after_failure(
    now: Timestamp,
    interval: SignedDuration,
    failures: u32,
    failure: &VisitFailure,
    seed: u64,
) -> Option<Timestamp> {
    let doubled = doubled(interval, failures.saturating_sub(1));
    let wait = match failure {
        VisitFailure::Gone => return None,
        VisitFailure::Challenged { retry_after: Some(wish) } => {
            stretched(doubled, 100, 120, seed).max((*wish).min(MAX_SERVER_WAIT))
        }
        VisitFailure::Failed | VisitFailure::Challenged { retry_after: None } => {
            stretched(doubled, 100, 120, seed)
        }
        VisitFailure::Throttled { retry_after: Some(wish) } => {
            interval.max((*wish).min(MAX_SERVER_WAIT))
        }
        VisitFailure::Throttled { retry_after: None } => {
            self::doubled(interval.max(THROTTLED), failures.saturating_sub(1))
        }
    };
    Some(later(now, wait))
}

/// Until when a whole host is left alone after one of its feeds was throttled:
/// the server's wish, else an hour, doubling to a day. The feed's own interval
/// has no part in it; other feeds of the host have theirs.
pub fn host_pause(now: Timestamp, failures: u32, failure: &VisitFailure) -> Option<Timestamp> {
    match failure {
        VisitFailure::Throttled { retry_after: Some(wish) }
        | VisitFailure::Challenged { retry_after: Some(wish) } => {
            Some(later(now, (*wish).min(MAX_SERVER_WAIT)))
        }
        VisitFailure::Throttled { retry_after: None } => {
            Some(later(now, doubled(THROTTLED, failures.saturating_sub(1))))
        }
        VisitFailure::Gone | VisitFailure::Challenged { .. } | VisitFailure::Failed => None,
    }
}

fn doubled(interval: SignedDuration, times: u32) -> SignedDuration {
    let factor = 1_i32.checked_shl(times.min(20)).unwrap_or(i32::MAX);
    let wait = interval.checked_mul(factor).unwrap_or(MAX_BACKOFF);
    // A feed that is polled less than daily is not polled more often for failing.
    wait.min(MAX_BACKOFF.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn now() -> Timestamp {
        "2026-11-03T10:00:00Z".parse().unwrap()
    }

    fn wait(until: Option<Timestamp>) -> Option<f64> {
        until.map(|until| until.duration_since(now()).as_secs_f64() / 60.0)
    }

    #[test]
    fn failures_double_the_wait_up_to_a_day() {
        let check = |failures, failure: &VisitFailure, range: Option<(f64, f64)>| {
            let minutes = wait(after_failure(now(), MINUTE * 15, failures, failure, 7));
            match (minutes, range) {
                (Some(minutes), Some((low, high))) => {
                    assert!((low..=high).contains(&minutes), "{failure:?}: {minutes}");
                }
                (found, expected) => assert_eq!(found.is_none(), expected.is_none()),
            }
        };
        check(1, &VisitFailure::Failed, Some((15.0, 18.0)));
        check(2, &VisitFailure::Failed, Some((30.0, 36.0)));
        check(40, &VisitFailure::Failed, Some((1440.0, 1728.0)));
        check(1, &VisitFailure::Gone, None);
        let throttled = |wish| VisitFailure::Throttled { retry_after: wish };
        check(1, &throttled(None), Some((60.0, 60.0)));
        check(2, &throttled(None), Some((120.0, 120.0)));
        check(1, &throttled(Some(MINUTE * 120)), Some((120.0, 120.0)));
        check(1, &throttled(Some(MINUTE)), Some((15.0, 15.0)));
        let challenged = |wish| VisitFailure::Challenged { retry_after: wish };
        check(1, &challenged(None), Some((15.0, 18.0)));
        check(1, &challenged(Some(MINUTE * 180)), Some((180.0, 180.0)));
        check(5, &challenged(Some(MINUTE)), Some((240.0, 288.0)));
        check(1, &throttled(Some(MINUTE * 100_000)), Some((44_640.0, 44_640.0)));
    }
}
