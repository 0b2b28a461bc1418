//! When is a feed that did well visited again? Its own interval, unless the
//! server or the document asks for more patience.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::jitter::{MAX_SERVER_WAIT, later, mixed, stretched};
use crate::model::{FeedHints, ServerHints};

const HOUR_MILLIS: i64 = 3_600_000;
/// All hours of a day, as bits.
const ALL_HOURS: u32 = (1 << 24) - 1;
/// All days of a week, as bits.
const ALL_DAYS: u8 = (1 << 7) - 1;

/// What the server and the document ask for. A wish is a floor: it makes the
/// next poll later, never sooner.
#[derive(Clone, Copy, Debug)]
pub struct Wishes<'a> {
    /// From the answer's header.
    pub server: &'a ServerHints,
    /// From the last document that was read; a 304 does not change it.
    pub feed: &'a FeedHints,
    /// The user's word that only `Retry-After` counts.
    pub ignore_hints: bool,
}

/// The next poll after one that went well: the interval and up to 10 % more,
/// or what the wishes say if that is later, at most 31 days ahead. An interval
/// of more than 31 days is kept.
///
/// Wishes that are zero or negative say nothing; those beyond 31 days count as
/// 31 days. The result is moved out of `skipHours` and `skipDays`, which are
/// ignored when they leave no hour or no day at all.
pub fn after_success(
    now: Timestamp,
    interval: SignedDuration,
    wishes: &Wishes,
    seed: u64,
) -> Timestamp {
    let own = stretched(interval, 100, 110, seed);
    let latest = later(now, own.max(MAX_SERVER_WAIT));
    let mut wait = own.max(capped(wishes.server.retry_after));
    if wishes.ignore_hints {
        return later(now, wait);
    }
    wait = wait.max(capped(wishes.server.fresh_for)).max(capped(wishes.feed.ttl));
    let next = later(now, wait).max(next_update(now, wishes.feed, seed));
    outside_skips(next, wishes.feed, seed).min(latest)
}

fn capped(wish: Option<SignedDuration>) -> SignedDuration {
    wish.unwrap_or_default().clamp(SignedDuration::ZERO, MAX_SERVER_WAIT)
}

/// The document's next update by its own schedule (`sy:*`): a period from now,
/// or with an `updateBase` the next whole period counted from there.
fn next_update(now: Timestamp, feed: &FeedHints, seed: u64) -> Timestamp {
    let period = capped(feed.update_period);
    if period.is_zero() {
        return now;
    }
    let Some(base) = feed.update_base else { return later(now, period) };
    let millis = period.as_millis();
    let since_base = now.duration_since(base).as_millis();
    let until = millis - since_base.rem_euclid(millis.max(1));
    // The publisher is seldom done on the second, and everybody else comes then.
    // One per cent keeps two visits a period apart.
    let delay = i128::from(mixed(seed) % 11) * millis / 1_000;
    later(now, SignedDuration::from_millis(i64::try_from(until + delay).unwrap_or(i64::MAX)))
}

/// The first time from `next` on whose hour and day (UTC) are not to be
/// skipped; up to six minutes into it, so that not everybody comes at once.
fn outside_skips(next: Timestamp, feed: &FeedHints, seed: u64) -> Timestamp {
    let hours = feed.skip_hours & ALL_HOURS;
    let days = feed.skip_days & ALL_DAYS;
    let hours = if hours == ALL_HOURS { 0 } else { hours };
    let days = if days == ALL_DAYS { 0 } else { days };
    let skipped = |at: Timestamp| {
        let at = TimeZone::UTC.to_datetime(at);
        let day = at.weekday().to_monday_zero_offset();
        hours >> at.hour() & 1 == 1 || days >> day & 1 == 1
    };
    if !skipped(next) {
        return next;
    }
    let into_hour = next.as_millisecond().rem_euclid(HOUR_MILLIS);
    let mut at = later(next, SignedDuration::from_millis(HOUR_MILLIS - into_hour));
    // One hour of one day is free, so that a week always ends the search.
    for _ in 0..24 * 7 {
        if !skipped(at) {
            break;
        }
        at = later(at, SignedDuration::from_hours(1));
    }
    later(at, SignedDuration::from_millis(i64::from(mixed(seed) as u32) % (HOUR_MILLIS / 10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const OFF: SignedDuration = SignedDuration::ZERO;

    /// A case: everything that is not named says nothing. The time of the visit
    /// is a Tuesday.
    #[derive(Clone)]
    struct Case {
        now: &'static str,
        own: SignedDuration,
        server: ServerHints,
        feed: FeedHints,
        ignore: bool,
    }

    fn case() -> Case {
        Case {
            now: "2026-11-03T10:00:00Z",
            own: MINUTE * 15,
            server: ServerHints::default(),
            feed: FeedHints::default(),
            ignore: false,
        }
    }

    impl Case {
        fn at(self, now: &'static str) -> Self {
            Self { now, ..self }
        }
        fn own(self, minutes: i32) -> Self {
            Self { own: MINUTE * minutes, ..self }
        }
        fn retry(mut self, wish: SignedDuration) -> Self {
            self.server.retry_after = Some(wish);
            self
        }
        fn fresh(mut self, wish: SignedDuration) -> Self {
            self.server.fresh_for = Some(wish);
            self
        }
        fn ttl(mut self, minutes: i64) -> Self {
            self.feed.ttl = Some(SignedDuration::from_mins(minutes));
            self
        }
        fn period(mut self, minutes: i64) -> Self {
            self.feed.update_period = Some(SignedDuration::from_mins(minutes));
            self
        }
        fn base(mut self, base: &str) -> Self {
            self.feed.update_base = Some(base.parse().unwrap());
            self
        }
        fn hours(mut self, hours: impl IntoIterator<Item = u32>) -> Self {
            self.feed.skip_hours = hours.into_iter().fold(0, |set, hour| set | 1 << hour);
            self
        }
        fn days(mut self, days: impl IntoIterator<Item = u8>) -> Self {
            self.feed.skip_days = days.into_iter().fold(0, |set, day| set | 1 << day);
            self
        }
        fn ignored(self) -> Self {
            Self { ignore: true, ..self }
        }
    }

    /// The next poll is never before `earliest`, and at most `slack` after it,
    /// whatever the seed.
    fn check(case: Case, earliest: &str, slack: SignedDuration) {
        let (now, earliest): (Timestamp, Timestamp) =
            (case.now.parse().unwrap(), earliest.parse().unwrap());
        let Case { server, feed, ignore, own, .. } = &case;
        let wishes = Wishes { server, feed, ignore_hints: *ignore };
        for seed in 0..200 {
            let next = after_success(now, *own, &wishes, seed);
            assert!(
                next >= earliest && next <= earliest + slack,
                "{next} is not {slack:?} after {earliest} for {server:?} {feed:?}"
            );
        }
    }

    const JITTER: SignedDuration = SignedDuration::from_secs(90);
    /// How far into a free hour a skipped poll comes.
    const INTO_HOUR: SignedDuration = SignedDuration::from_mins(6);

    #[test]
    fn the_own_interval_holds_when_nothing_is_asked() {
        check(case(), "2026-11-03T10:15:00Z", JITTER);
        check(case().own(1), "2026-11-03T10:01:00Z", MINUTE);
        check(case().own(720), "2026-11-03T22:00:00Z", MINUTE * 72);
        check(case().own(60 * 24 * 40), "2026-12-13T10:00:00Z", MINUTE * 5_760);
    }

    #[test]
    fn a_wish_makes_the_next_poll_later_and_never_sooner() {
        check(case().retry(MINUTE * 120), "2026-11-03T12:00:00Z", OFF);
        check(case().fresh(MINUTE * 60), "2026-11-03T11:00:00Z", OFF);
        check(case().ttl(45), "2026-11-03T10:45:00Z", OFF);
        check(case().period(180), "2026-11-03T13:00:00Z", OFF);
        check(case().retry(MINUTE), "2026-11-03T10:15:00Z", JITTER);
        check(case().fresh(MINUTE), "2026-11-03T10:15:00Z", JITTER);
        check(case().ttl(5), "2026-11-03T10:15:00Z", JITTER);
        check(case().period(10), "2026-11-03T10:15:00Z", JITTER);
    }

    #[test]
    fn the_largest_of_several_wishes_counts() {
        check(case().ttl(60).fresh(MINUTE * 30), "2026-11-03T11:00:00Z", OFF);
        check(case().ttl(30).fresh(MINUTE * 60), "2026-11-03T11:00:00Z", OFF);
        check(case().ttl(30).fresh(MINUTE * 60).retry(MINUTE * 90), "2026-11-03T11:30:00Z", OFF);
        check(case().ttl(30).period(1_440), "2026-11-04T10:00:00Z", OFF);
        check(case().own(240).ttl(30).period(60), "2026-11-03T14:00:00Z", MINUTE * 24);
    }

    #[test]
    fn wishes_without_sense_say_nothing_and_huge_ones_are_capped() {
        check(case().ttl(0), "2026-11-03T10:15:00Z", JITTER);
        check(case().ttl(-60), "2026-11-03T10:15:00Z", JITTER);
        check(case().fresh(OFF), "2026-11-03T10:15:00Z", JITTER);
        check(case().fresh(MINUTE * -600), "2026-11-03T10:15:00Z", JITTER);
        check(case().retry(MINUTE * -600), "2026-11-03T10:15:00Z", JITTER);
        check(case().period(0), "2026-11-03T10:15:00Z", JITTER);
        check(case().period(-60), "2026-11-03T10:15:00Z", JITTER);
        check(case().period(0).base("2026-01-01T00:00:00Z"), "2026-11-03T10:15:00Z", JITTER);
        check(case().ttl(1_000_000), "2026-12-04T10:00:00Z", OFF);
        check(case().fresh(SignedDuration::MAX), "2026-12-04T10:00:00Z", OFF);
        check(case().retry(SignedDuration::MAX), "2026-12-04T10:00:00Z", OFF);
        check(case().retry(SignedDuration::MIN), "2026-11-03T10:15:00Z", JITTER);
        check(
            case().retry(SignedDuration::from_hours(31 * 24) + MINUTE * 100),
            "2026-12-04T10:00:00Z",
            OFF,
        );
        check(case().period(60 * 24 * 365), "2026-12-04T10:00:00Z", OFF);
        // A user's interval of 40 days is longer than any wish.
        check(case().own(57_600).ttl(1_000_000), "2026-12-13T10:00:00Z", MINUTE * 5_760);
    }

    #[test]
    fn ignoring_hints_leaves_retry_after() {
        let all = case().ttl(600).fresh(MINUTE * 600).period(600).hours(0..23).days(0..6);
        check(all.clone().ignored(), "2026-11-03T10:15:00Z", JITTER);
        check(all.retry(MINUTE * 120).ignored(), "2026-11-03T12:00:00Z", OFF);
    }

    #[test]
    fn update_periods_count_from_their_base() {
        let slack = |period: i32| MINUTE * period / 100;
        let hourly = case().own(5).period(60);
        check(hourly.clone().base("1970-01-01T00:00:00Z"), "2026-11-03T11:00:00Z", slack(60));
        check(hourly.clone().base("2000-01-01T12:20:00Z"), "2026-11-03T10:20:00Z", slack(60));
        check(hourly.clone().base("2026-11-03T10:00:00Z"), "2026-11-03T11:00:00Z", slack(60));
        // A base in the future counts backwards.
        check(hourly.base("2030-01-01T00:50:00Z"), "2026-11-03T10:50:00Z", slack(60));
        let daily = case().period(1_440).base("2000-01-01T12:00:00Z");
        check(daily.clone(), "2026-11-03T12:00:00Z", slack(1_440));
        // Just before its time: the own interval is the floor, and finds it.
        check(daily.at("2026-11-03T11:55:00Z"), "2026-11-03T12:10:00Z", slack(1_440));
    }

    #[test]
    fn a_feed_on_its_own_schedule_is_asked_once_a_period() {
        let feed = case().period(60).base("2000-01-01T00:00:00Z").feed;
        let wishes = Wishes { server: &ServerHints::default(), feed: &feed, ignore_hints: false };
        let mut last: Timestamp = "2026-11-03T10:00:00Z".parse().unwrap();
        for seed in 0..500 {
            let next = after_success(last, MINUTE * 5, &wishes, seed);
            let gap = next.duration_since(last).as_secs_f64();
            assert!((3_528.0..=3_672.0).contains(&gap), "{gap}");
            last = next;
        }
    }

    #[test]
    fn skipped_hours_are_waited_out() {
        check(case().hours([9]), "2026-11-03T10:15:00Z", JITTER);
        check(case().hours([10]), "2026-11-03T11:00:00Z", INTO_HOUR);
        check(case().hours([10, 11, 12]), "2026-11-03T13:00:00Z", INTO_HOUR);
        check(case().hours([10, 12]), "2026-11-03T11:00:00Z", INTO_HOUR);
        // Across midnight.
        let night = case().hours([22, 23, 0, 1, 2, 3, 4, 5]);
        check(night.clone().at("2026-11-03T22:30:00Z"), "2026-11-04T06:00:00Z", INTO_HOUR);
        check(night.clone().at("2026-11-03T21:50:00Z"), "2026-11-04T06:00:00Z", INTO_HOUR);
        check(night.at("2026-11-03T06:00:00Z"), "2026-11-03T06:15:00Z", JITTER);
        // All but one.
        check(case().hours((0..24).filter(|&hour| hour != 9)), "2026-11-04T09:00:00Z", INTO_HOUR);
        check(case().hours([10]).ttl(45), "2026-11-03T11:00:00Z", INTO_HOUR);
        check(case().hours([12]).retry(MINUTE * 130), "2026-11-03T13:00:00Z", INTO_HOUR);
    }

    #[test]
    fn skipped_days_are_waited_out() {
        // 3 November 2026 is a Tuesday: bit 1.
        check(case().days([0]), "2026-11-03T10:15:00Z", JITTER);
        check(case().days([1]), "2026-11-04T00:00:00Z", INTO_HOUR);
        check(case().days([1, 2, 3]), "2026-11-06T00:00:00Z", INTO_HOUR);
        check(case().days((0..7).filter(|&day| day != 0)), "2026-11-09T00:00:00Z", INTO_HOUR);
        // Weekends, asked on a Friday night.
        let weekend = case().days([5, 6]).at("2026-11-06T23:50:00Z");
        check(weekend, "2026-11-09T00:00:00Z", INTO_HOUR);
        // The days end in hours that are to be skipped too.
        check(case().days([1]).hours([0, 1]), "2026-11-04T02:00:00Z", INTO_HOUR);
        check(case().days([1]).hours(1..24), "2026-11-04T00:00:00Z", INTO_HOUR);
        check(
            case().days((0..7).filter(|&day| day != 0)).hours((0..24).filter(|&hour| hour != 23)),
            "2026-11-09T23:00:00Z",
            INTO_HOUR,
        );
    }

    #[test]
    fn skips_that_leave_no_time_at_all_are_ignored() {
        check(case().hours(0..24), "2026-11-03T10:15:00Z", JITTER);
        check(case().days(0..7), "2026-11-03T10:15:00Z", JITTER);
        check(case().hours(0..24).days([1]), "2026-11-04T00:00:00Z", INTO_HOUR);
        check(case().days(0..7).hours([10]), "2026-11-03T11:00:00Z", INTO_HOUR);
        // Bits that stand for nothing.
        check(case().hours(24..32), "2026-11-03T10:15:00Z", JITTER);
        check(case().days([7]), "2026-11-03T10:15:00Z", JITTER);
    }
}
