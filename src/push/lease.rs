//! How long a subscription lasts, when it is renewed, and when a hub that
//! failed is asked again.

use jiff::{SignedDuration, Timestamp};

/// What hubs are asked for: ten days, as the Recommendation suggests.
pub const LEASE: SignedDuration = SignedDuration::from_hours(10 * 24);

/// What a hub that states no lease, or one that makes no sense, is believed.
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);
/// No lease is believed for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Not even a hub that gives less is asked more often.
const SOONEST: SignedDuration = SignedDuration::from_secs(5);
/// After the first failure.
const FIRST_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// After many.
const LAST_RETRY: SignedDuration = SignedDuration::from_hours(24);

/// The lease that a hub states, within bounds.
///
/// A lease of some seconds is believed as it is: to take it for five minutes
/// would be to wait for news from a hub that has forgotten us.
pub fn lease(stated: Option<&str>) -> SignedDuration {
    let digits = stated
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    // A number too great for us is a great number.
    match digits.map(|text| text.parse::<i64>().unwrap_or(i64::MAX)) {
        None | Some(0) => SHORTEST,
        Some(seconds) => SignedDuration::from_secs(seconds).clamp(SOONEST, LONGEST),
    }
}

/// When a lease that begins now is renewed: after 60 to 80 % of it, by `seed`,
/// so that many subscriptions do not fall due together.
pub fn renewal(now: Timestamp, lease: SignedDuration, seed: u64) -> Timestamp {
    let thousandths = 600 + i32::try_from(seed % 201).unwrap_or(0);
    let wait = lease.saturating_mul(thousandths) / 1_000;
    now.checked_add(wait).unwrap_or(now)
}

/// When a hub is asked again after `attempts` in vain; while a lease still
/// runs, several times before it ends.
pub fn retry(now: Timestamp, attempts: u32, left: Option<SignedDuration>) -> Timestamp {
    let wait = FIRST_RETRY.saturating_mul(1 << attempts.saturating_sub(1).min(12)).min(LAST_RETRY);
    let wait = match left {
        Some(left) => wait.min((left / 4).max(SOONEST)),
        None => wait,
    };
    now.checked_add(wait).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_that_make_no_sense_are_short_and_endless_ones_have_an_end() {
        let check = |stated: Option<&str>, seconds: i64| {
            assert_eq!(lease(stated), SignedDuration::from_secs(seconds), "{stated:?}");
        };
        for bad in ["", "0", "-1", "-864000", "ten", "1e6", "86400.5", "+60", "0x10"] {
            check(Some(bad), 300);
        }
        check(None, 300);
        check(Some("1"), 5);
        check(Some("15"), 15);
        check(Some(" 300 "), 300);
        check(Some("864000"), 864_000);
        check(Some("2592001"), 2_592_000);
        check(Some("1000000000000"), 2_592_000);
        check(Some("99999999999999999999999999"), 2_592_000);
    }

    #[test]
    fn renewals_come_between_60_and_80_per_cent_of_the_lease() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let lease = SignedDuration::from_secs(1_000);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..1_000 {
            let after = renewal(now, lease, seed * 7_919).duration_since(now).as_secs();
            assert!((600..=800).contains(&after), "{after}");
            seen.insert(after);
        }
        assert!(seen.len() > 150, "{seen:?}");
    }

    #[test]
    fn a_hub_that_fails_is_asked_less_and_less_often_but_before_its_lease_ends() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let wait = |attempts, left: Option<i64>| {
            let left = left.map(SignedDuration::from_secs);
            retry(now, attempts, left).duration_since(now).as_secs()
        };
        assert_eq!(
            [0, 1, 2, 3, 11, 12, 99].map(|n| wait(n, None)),
            [60, 60, 120, 240, 61_440, 86_400, 86_400]
        );
        assert_eq!(wait(9, Some(400)), 100);
        assert_eq!(wait(9, Some(6)), 5);
        assert_eq!(wait(1, Some(864_000)), 60);
    }
}
