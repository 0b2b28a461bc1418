//! Clocks that jump. Due times are kept as wall-clock times, but promise spans
//! of real time; when the wall clock jumps they move along with it.
//!
//! A loop keeps a [`Moment`] from its last turn, takes a new one at the start
//! of each turn, before it claims anything, and then:
//!
//! 1. [`clock_jump`] gives a span: the wall clock was set. Every stored time
//!    that schedules something (due times, host pauses, leases, last attempts)
//!    goes through [`shifted`] by that span, in one transaction. All of them,
//!    overdue or not: what was due stays due, what was not waits as long as before.
//! 2. [`paused`] is true: real time passed while nobody looked, by suspend or
//!    SIGSTOP. Nothing is shifted; what is overdue is spread
//!    (`spread_overdue_feeds`).
//! 3. The new moment replaces the old one, jump or not. Slow drift then never
//!    adds up to a jump.
//!
//! At the start there is no old moment: due times go through [`at_start`].
//! Facts (first seen, published) are history and are never shifted. What
//! deletes by age should rest for a day of real time after a jump ahead.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::jitter::{MAX_SERVER_WAIT, later, stretched};

/// Disagreement of two clocks that counts as a jump.
const JUMP: SignedDuration = SignedDuration::from_secs(30);

/// What two clocks showed at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock, which people and NTP may set.
    pub wall: Timestamp,
    /// A clock that nobody sets and that counts suspend: Linux's
    /// `CLOCK_BOOTTIME`. `std::time::Instant` stands still in a suspend and
    /// will not do: waking up would look like a jump ahead.
    pub elapsed: Duration,
}

/// By how much the wall clock was set between two moments: positive when it
/// jumped ahead, `None` when both clocks agree within 30 seconds.
///
/// A suspend is no jump, because both clocks count it.
pub fn clock_jump(previous: Moment, current: Moment) -> Option<SignedDuration> {
    let wall = current.wall.duration_since(previous.wall);
    let real = real_time(previous, current);
    let jump = wall.checked_sub(real)?;
    (jump.abs() > JUMP).then_some(jump)
}

/// Whether much more real time passed than the loop's usual turn, so that many
/// feeds may have become overdue at once: more than twice the turn and 30 seconds.
pub fn paused(previous: Moment, current: Moment, turn: SignedDuration) -> bool {
    let usual = turn.saturating_mul(2).max(JUMP);
    real_time(previous, current) > usual
}

/// A stored time after the wall clock jumped. `Timestamp::MAX` means never and
/// stays.
pub fn shifted(time: Timestamp, jump: SignedDuration) -> Timestamp {
    if time == Timestamp::MAX {
        return time;
    }
    time.checked_add(jump).unwrap_or(if jump.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// A stored due time as it holds at the start of the process, when nothing
/// tells whether the wall clock was set meanwhile.
///
/// A last attempt in the future proves that the clock went back, by that much
/// at least, and the due time goes back with it. Whatever the cause, nothing
/// waits longer than 31 days or the interval; `Timestamp::MAX` means never.
pub fn at_start(
    now: Timestamp,
    due: Timestamp,
    last_attempt: Option<Timestamp>,
    interval: SignedDuration,
) -> Timestamp {
    if due == Timestamp::MAX {
        return due;
    }
    let ahead = last_attempt.map_or(SignedDuration::ZERO, |last| last.duration_since(now));
    let due = if ahead.is_positive() { shifted(due, -ahead) } else { due };
    // Jitter adds up to 20 % to an interval; beyond that the time is not ours.
    let longest = stretched(interval, 120, 120, 0).max(MAX_SERVER_WAIT);
    if due > later(now, longest) { later(now, interval) } else { due }
}

fn real_time(previous: Moment, current: Moment) -> SignedDuration {
    let elapsed = current.elapsed.saturating_sub(previous.elapsed);
    SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: SignedDuration = SignedDuration::from_secs(1);
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn start() -> Timestamp {
        "2026-11-03T10:00:00Z".parse().unwrap()
    }

    fn moment(wall: SignedDuration, elapsed_seconds: u64) -> Moment {
        Moment { wall: start() + wall, elapsed: Duration::from_secs(elapsed_seconds) }
    }

    #[test]
    fn a_jump_is_where_the_clocks_disagree() {
        let check = |wall: SignedDuration, real: u64, expected: Option<SignedDuration>| {
            let found = clock_jump(moment(SignedDuration::ZERO, 500), moment(wall, 500 + real));
            assert_eq!(found, expected, "{wall:?} in {real} s");
        };
        check(SECOND * 10, 10, None);
        check(HOUR * 2, 7_200, None);
        check(SECOND * 39, 10, None);
        check(SECOND * 41, 10, Some(SECOND * 31));
        check(SECOND * 10 + HOUR * 2, 10, Some(HOUR * 2));
        check(SECOND * 10 - HOUR * 2, 10, Some(-HOUR * 2));
        check(HOUR * 24 * 400, 0, Some(HOUR * 24 * 400));
        check(-HOUR * 24 * 400, 0, Some(-HOUR * 24 * 400));
        // Set back by two hours during a suspend of six.
        check(HOUR * 4, 21_600, Some(-HOUR * 2));
    }

    #[test]
    fn a_suspend_is_a_pause_and_no_jump() {
        let (before, after) = (moment(SignedDuration::ZERO, 0), moment(HOUR * 6, 21_600));
        assert_eq!(clock_jump(before, after), None);
        assert!(paused(before, after, SECOND));
        assert!(!paused(before, moment(SECOND * 20, 20), SECOND * 10));
        // A jump alone is no pause.
        assert!(!paused(before, moment(HOUR * 2, 5), SECOND));
    }

    #[test]
    fn drift_is_never_a_jump_when_each_moment_replaces_the_last() {
        let mut last = moment(SignedDuration::ZERO, 0);
        for minute in 1..=10_000 {
            let current = moment(SECOND * 59 * minute, 60 * minute as u64);
            assert_eq!(clock_jump(last, current), None);
            last = current;
        }
    }

    /// Polls one feed every quarter of an hour while the wall clock is set
    /// `jumps` (at a second of real time, by a span), and gives the real
    /// seconds of its polls.
    fn polls(jumps: &[(u64, SignedDuration)], hours: u64) -> Vec<u64> {
        let interval = SECOND * 900;
        let (mut offset, mut due, mut found) = (SignedDuration::ZERO, start(), Vec::new());
        let mut last = moment(offset, 0);
        for real in (0..hours * 3_600).step_by(5) {
            offset += jumps.iter().filter(|jump| jump.0 == real).map(|jump| jump.1).sum();
            let current = moment(offset + SECOND * real as i32, real);
            if let Some(jump) = clock_jump(last, current) {
                due = shifted(due, jump);
            }
            last = current;
            if due <= current.wall {
                found.push(real);
                due = current.wall + interval;
            }
        }
        found
    }

    #[test]
    fn no_jump_changes_how_often_a_feed_is_polled() {
        let undisturbed = polls(&[], 12);
        assert_eq!(undisturbed.len(), 48);
        let day = HOUR * 24;
        for jumps in [
            &[(4_000, HOUR * 2)][..],
            &[(4_000, -HOUR * 2)],
            &[(900, HOUR * 2)],
            &[(900, -HOUR * 2)],
            &[(4_000, day * 400), (9_000, -day * 400)],
            &[(4_000, -day * 20_000), (4_005, day * 20_000)],
            &[(4_000, SECOND * 31), (5_000, -SECOND * 31)],
        ] {
            assert_eq!(polls(jumps, 12), undisturbed, "{jumps:?}");
        }
    }

    #[test]
    fn never_stays_never() {
        assert_eq!(shifted(Timestamp::MAX, -HOUR), Timestamp::MAX);
        assert_eq!(shifted(Timestamp::MAX - HOUR, HOUR * 2), Timestamp::MAX);
        assert_eq!(at_start(start(), Timestamp::MAX, None, HOUR), Timestamp::MAX);
    }

    #[test]
    fn at_the_start_a_clock_that_went_back_stops_nothing() {
        let check =
            |due: SignedDuration, last: Option<SignedDuration>, expected: SignedDuration| {
                let last = last.map(|last| start() + last);
                let found = at_start(start(), start() + due, last, HOUR);
                assert_eq!(found, start() + expected, "{due:?} after {last:?}");
            };
        check(HOUR, None, HOUR);
        check(-HOUR, Some(-HOUR * 2), -HOUR);
        check(SECOND * 60, Some(SECOND * -3_540), SECOND * 60);
        // A server asked for 30 days.
        check(HOUR * 24 * 30, Some(-HOUR), HOUR * 24 * 30);
        // Last visited "in two hours": the clock is two hours back.
        check(HOUR * 3, Some(HOUR * 2), HOUR);
        // Booted in 1970.
        check(HOUR * 500_000, None, HOUR);
        check(HOUR * 400_001, Some(HOUR * 400_000), HOUR);
    }
}
