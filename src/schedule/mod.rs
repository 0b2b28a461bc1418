//! When is something next due? Pure: takes `now`, the past and a seed for
//! jitter, gives a time.

use jiff::{SignedDuration, Timestamp};

use crate::model::VisitFailure;

/// Longest wait between two polls of a failing feed.
const MAX_BACKOFF: SignedDuration = SignedDuration::from_hours(24);
/// Longest wait that a server may ask for.
const MAX_SERVER_WAIT: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Shortest wait after a 429 or 503 that names no time.
const THROTTLED: SignedDuration = SignedDuration::from_hours(1);
/// Time over which the first polls of many feeds are spread.
const SPREAD: SignedDuration = SignedDuration::from_mins(15);
/// Shortest step between two first polls.
const SPREAD_STEP: SignedDuration = SignedDuration::from_millis(190);
/// New feeds that may be polled at once.
const AT_ONCE: usize = 8;

/// The next poll after one that went well: the interval, give or take 10 %,
/// never sooner than 98 % of it.
pub fn after_success(now: Timestamp, interval: SignedDuration, seed: u64) -> Timestamp {
    later(now, stretched(interval, 100, 110, seed))
}

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
        VisitFailure::Failed | VisitFailure::Challenged => stretched(doubled, 100, 120, seed),
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
        VisitFailure::Throttled { retry_after: Some(wish) } => {
            Some(later(now, (*wish).min(MAX_SERVER_WAIT)))
        }
        VisitFailure::Throttled { retry_after: None } => {
            Some(later(now, doubled(THROTTLED, failures.saturating_sub(1))))
        }
        VisitFailure::Gone | VisitFailure::Challenged | VisitFailure::Failed => None,
    }
}

/// The first poll of the `rank`th of `count` new feeds: a handful at once,
/// more of them evenly over a quarter of an hour at the most.
pub fn first_poll(now: Timestamp, rank: usize, count: usize) -> Timestamp {
    if count <= AT_ONCE {
        return now;
    }
    let step = (SPREAD / i32::try_from(count).unwrap_or(i32::MAX)).min(SPREAD_STEP);
    later(now, step * i32::try_from(rank).unwrap_or(i32::MAX))
}

/// A known feed's due time after its interval was edited: what it would have
/// been, counted from the last attempt.
pub fn rescheduled(
    due: Timestamp,
    last_attempt: Option<Timestamp>,
    interval: SignedDuration,
) -> Timestamp {
    last_attempt.map_or(due, |last| due.min(later(last, interval)))
}

/// When a delivery is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// HTTP receivers: about three days (Standard Webhooks' schedule).
    Webhook,
    /// SMTP: quick at first, then hourly, five days in all.
    Email,
    /// The terminal: every few seconds, for an hour.
    Console,
}

const WEBHOOK: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const EMAIL: [i64; 4] = [60, 300, 900, 1_800];
const EMAIL_TRIES: u32 = 122;
const CONSOLE_TRIES: u32 = 60;
/// Tries for an answer that will hardly change: a 4xx that is not about load.
const REFUSED_TRIES: u32 = 3;

/// A try that did not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailedTry {
    /// Tries so far, this one counted.
    pub attempts: u32,
    /// The receiver understood and declined, which seldom changes.
    pub refused: bool,
    /// The receiver's own wish.
    pub not_before: Option<Timestamp>,
}

/// The next try, or `None` to give up.
pub fn next_try(
    now: Timestamp,
    policy: RetryPolicy,
    failed: FailedTry,
    seed: u64,
) -> Option<Timestamp> {
    let FailedTry { attempts, refused, not_before } = failed;
    if refused && attempts >= REFUSED_TRIES {
        return None;
    }
    let index = attempts.saturating_sub(1) as usize;
    let seconds = match policy {
        RetryPolicy::Webhook => *WEBHOOK.get(index)?,
        RetryPolicy::Email if attempts >= EMAIL_TRIES => return None,
        RetryPolicy::Email => EMAIL.get(index).copied().unwrap_or(3_600),
        RetryPolicy::Console if attempts >= CONSOLE_TRIES => return None,
        RetryPolicy::Console => (1 << index.min(6)).min(60),
    };
    let wait = stretched(SignedDuration::from_secs(seconds), 90, 115, seed);
    Some(later(now, wait).max(not_before.unwrap_or(now)))
}

fn doubled(interval: SignedDuration, times: u32) -> SignedDuration {
    let factor = 1_i32.checked_shl(times.min(20)).unwrap_or(i32::MAX);
    let wait = interval.checked_mul(factor).unwrap_or(MAX_BACKOFF);
    // A feed that is polled less than daily is not polled more often for failing.
    wait.min(MAX_BACKOFF.max(interval))
}

/// The duration times `from` to `to` per cent, by the seed.
fn stretched(duration: SignedDuration, from: u64, to: u64, seed: u64) -> SignedDuration {
    // SplitMix64: one multiplication-xor chain is enough to spread polls.
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let promille = from * 10 + (z ^ (z >> 31)) % ((to - from) * 10 + 1);
    let millis = duration.as_millis() * i128::from(promille) / 1_000;
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn later(from: Timestamp, wait: SignedDuration) -> Timestamp {
    from.checked_add(wait).unwrap_or(Timestamp::MAX)
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
    fn a_poll_never_comes_before_its_interval() {
        for seed in 0..1_000 {
            let minutes = wait(Some(after_success(now(), MINUTE * 15, seed))).unwrap();
            assert!((15.0..=16.5).contains(&minutes), "{minutes}");
        }
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
        check(1, &throttled(Some(MINUTE * 100_000)), Some((44_640.0, 44_640.0)));
    }

    #[test]
    fn many_new_feeds_are_spread_and_few_are_not() {
        assert_eq!(first_poll(now(), 7, 8), now());
        let last = wait(Some(first_poll(now(), 599, 600))).unwrap();
        assert!(last > 1.5 && last < 2.0, "{last}");
        assert!(wait(Some(first_poll(now(), 9_999, 10_000))).unwrap() <= 15.0);
    }

    #[test]
    fn retries_follow_their_channel_and_end() {
        let at = |policy, attempts, refused| {
            let failed = FailedTry { attempts, refused, not_before: None };
            wait(next_try(now(), policy, failed, 3)).map(|m| m * 60.0)
        };
        assert!((4.5..=5.8).contains(&at(RetryPolicy::Webhook, 1, false).unwrap()));
        assert!((270.0..=345.0).contains(&at(RetryPolicy::Webhook, 2, false).unwrap()));
        assert_eq!(at(RetryPolicy::Webhook, 10, false), None);
        assert_eq!(at(RetryPolicy::Webhook, 3, true), None);
        assert!(at(RetryPolicy::Webhook, 2, true).is_some());
        assert!((54.0..=69.0).contains(&at(RetryPolicy::Email, 1, false).unwrap()));
        assert!((3240.0..=4140.0).contains(&at(RetryPolicy::Email, 100, false).unwrap()));
        assert_eq!(at(RetryPolicy::Email, 122, false), None);
    }

    #[test]
    fn a_receivers_wish_is_a_floor() {
        let wish = now() + MINUTE * 10;
        let failed = FailedTry { attempts: 1, refused: false, not_before: Some(wish) };
        assert_eq!(next_try(now(), RetryPolicy::Webhook, failed, 0), Some(wish));
    }

    #[test]
    fn a_shorter_interval_brings_the_next_poll_forward() {
        let due = now() + MINUTE * 60;
        assert_eq!(rescheduled(due, Some(now()), MINUTE * 5), now() + MINUTE * 5);
        assert_eq!(rescheduled(due, None, MINUTE * 5), due);
    }
}
