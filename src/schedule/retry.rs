//! When is a delivery tried again, and when does it end?

use jiff::{SignedDuration, Timestamp};

use super::jitter::{later, stretched};
use crate::model::RetryPolicy;

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
}
