//! How often is a feed worth a visit? As often as it brings something: the
//! times of its last entries foretell the next ones.
//!
//! A poll of a feed that brings entries at rate r finds them half an interval
//! late on average. For a given number of requests in all, the sum of delays is
//! least when each feed's polls go with the *square root* of its rate, so that
//! is the rule here: interval = sqrt(gap × [`PACE`]). Rates follow the hour of the
//! day where the feed has a day of its own, and quiet or busy spells.

use jiff::{SignedDuration, Timestamp};

/// Entries' times that are remembered.
const MEMORY: usize = 64;
/// Times closer than this are one arrival: a batch is not a rhythm.
const BATCH: SignedDuration = SignedDuration::from_mins(1);
/// Arrivals from which on a feed's usual gap is known.
const KNOWN: usize = 10;
/// The interval at which a feed with one arrival an hour is polled, squared,
/// in hours: see the module's rule.
const PACE: f64 = 8.0 / 60.0;
/// The interval of a feed of which nothing is known.
const AT_FIRST: SignedDuration = SignedDuration::from_mins(15);
/// Silence after which two visits a day are enough.
const ASLEEP: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The interval of a feed that sleeps.
const SLEEPER: SignedDuration = SignedDuration::from_hours(12);
/// Shares of the last arrivals that each give an estimate of the rate.
const SPELLS: [usize; 4] = [4, 8, 24, MEMORY];
/// Arrivals that are assumed beyond those seen, for each hour of the day.
const FLAT: f64 = 1.0;

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// When a feed brought something new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// The last 64 arrivals at the most, oldest first, at least a minute apart.
    pub arrivals: Vec<Timestamp>,
}

impl Rhythm {
    /// Takes in the new entries of a visit at `now`, by the times they claim
    /// for themselves.
    ///
    /// A claim is believed between the last visit that went well and now;
    /// outside of that the nearer end counts, and an entry without a claim came
    /// now. On the first visit (`previous` is `None`) all claims of the past
    /// are believed, the others say nothing, and the visit itself counts when
    /// nothing else does, so that an empty feed decays too.
    pub fn remember(
        &mut self,
        claimed: impl IntoIterator<Item = Option<Timestamp>>,
        previous: Option<Timestamp>,
        now: Timestamp,
    ) {
        let times = claimed.into_iter().filter_map(|claim| match (claim, previous) {
            (Some(claim), Some(previous)) => Some(claim.max(previous).min(now)),
            (None, Some(_)) => Some(now),
            (Some(claim), None) => (claim <= now).then_some(claim),
            (None, None) => None,
        });
        self.arrivals.extend(times);
        if self.arrivals.is_empty() && previous.is_none() {
            self.arrivals.push(now);
        }
        self.arrivals.sort_unstable();
        self.arrivals.dedup_by(|later, kept| later.duration_since(*kept) < BATCH);
        let surplus = self.arrivals.len().saturating_sub(MEMORY);
        self.arrivals.drain(..surplus);
    }

    /// The gap between arrivals that is nothing special for this feed: the
    /// mean, or a fifth of the longest if that is more. `None` until ten
    /// arrivals are known.
    pub fn usual_gap(&self) -> Option<SignedDuration> {
        if self.arrivals.len() < KNOWN {
            return None;
        }
        let span = self.arrivals.last()?.duration_since(*self.arrivals.first()?);
        let mean = span / i32::try_from(self.arrivals.len() - 1).ok()?;
        let gaps = self.arrivals.windows(2).map(|pair| pair[1].duration_since(pair[0]));
        Some(mean.max(gaps.max()? / 5))
    }

    /// How long nothing has come.
    pub fn silence(&self, now: Timestamp) -> Option<SignedDuration> {
        self.arrivals.last().map(|&last| now.duration_since(last).max(SignedDuration::ZERO))
    }
}

/// The interval that suits a feed at `now`: 5 minutes to 6 hours when its
/// server answers with a validator, else 15 minutes to 12 hours; 15 minutes
/// when nothing is known. After 30 days without arrivals it is 12 hours.
pub fn interval(rhythm: &Rhythm, now: Timestamp, has_validator: bool) -> SignedDuration {
    let Some(silence) = rhythm.silence(now) else { return AT_FIRST };
    if silence > ASLEEP {
        return SLEEPER;
    }
    let (least, most) = if has_validator { (5, 6 * 60) } else { (15, 12 * 60) };
    let (least, most) = (SignedDuration::from_mins(least), SignedDuration::from_mins(most));
    let rate = rate(&rhythm.arrivals, now);
    let day = Day::of(&rhythm.arrivals, now);
    // Polls that the rule wants, summed up over the time ahead: at one, go.
    const STEP: f64 = 900.0;
    let (mut wanted, mut ahead) = (0.0, 0.0);
    while wanted < 1.0 && ahead < most.as_secs_f64() {
        let here = rate * day.share(now.as_second() as f64 + ahead + STEP / 2.0);
        let more = STEP * (here / (PACE * HOUR)).sqrt();
        if wanted + more >= 1.0 {
            ahead += STEP * (1.0 - wanted) / more;
            break;
        }
        wanted += more;
        ahead += STEP;
    }
    SignedDuration::from_millis((ahead * 1_000.0) as i64).clamp(least, most)
}

/// Arrivals a second at present: the busiest of what the last few, some more
/// and all of them tell. Each counts the silence since the last one, so a spell
/// ends by itself.
fn rate(arrivals: &[Timestamp], now: Timestamp) -> f64 {
    let known = arrivals.len();
    let prior = AT_FIRST.as_secs_f64().powi(2) / (PACE * HOUR);
    let of_last = |count: usize| {
        let since = now.duration_since(arrivals[known - count]).as_secs_f64().max(0.0);
        count as f64 / (since + prior)
    };
    SPELLS.iter().map(|&count| of_last(count.min(known).max(1))).fold(0.0, f64::max)
}

/// How a feed's arrivals lie over the hours of the day (UTC).
struct Day {
    /// Share of each hour relative to an even day; 1 when nothing is known.
    hours: [f64; 24],
}

impl Day {
    fn of(arrivals: &[Timestamp], now: Timestamp) -> Self {
        let mut hours = [1.0; 24];
        let Some(&first) = arrivals.first() else { return Self { hours } };
        // Less than two days show a spell, not a habit.
        if now.duration_since(first).as_secs_f64() < 2.0 * DAY {
            return Self { hours };
        }
        let mut counts = [FLAT; 24];
        for arrival in arrivals {
            let hour = arrival.as_second().rem_euclid(86_400) / 3_600;
            // Neighbours get a share: habits are not that exact.
            for (distance, share) in [(0, 0.4), (1, 0.2), (23, 0.2), (2, 0.1), (22, 0.1)] {
                counts[(hour as usize + distance) % 24] += share;
            }
        }
        let mean = counts.iter().sum::<f64>() / 24.0;
        for (hour, count) in hours.iter_mut().zip(counts) {
            *hour = count / mean;
        }
        Self { hours }
    }

    fn share(&self, second: f64) -> f64 {
        self.hours[(second.rem_euclid(DAY) / HOUR) as usize % 24]
    }
}

/// Whether a feed should be asked without validators, because its "not
/// modified" can no longer be believed.
///
/// `unchanged` counts its 304 answers in a row, `last_full` is when it last
/// gave a whole document. That is so after 50 of them, after a week, or when
/// it has been silent for three usual gaps and at least six hours. It happens
/// once a day at the most, and less often the longer the silence lasts.
pub fn full_fetch_due(
    now: Timestamp,
    last_full: Option<Timestamp>,
    rhythm: &Rhythm,
    unchanged: u32,
) -> bool {
    if unchanged == 0 {
        return false;
    }
    let Some(last_full) = last_full else { return true };
    let age = now.duration_since(last_full);
    let (day, week) = (SignedDuration::from_hours(24), SignedDuration::from_hours(7 * 24));
    if age < day {
        return false;
    }
    if age >= week {
        return true;
    }
    let silence = rhythm.silence(now).unwrap_or_default();
    let patience = (silence / 4).max(day);
    let odd = rhythm.usual_gap().map(|gap| (gap * 3).max(SignedDuration::from_hours(6)));
    age >= patience && (unchanged >= 50 || odd.is_some_and(|odd| silence > odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn now() -> Timestamp {
        "2026-11-03T10:00:00Z".parse().unwrap()
    }

    /// `count` arrivals, one every `gap`, the last one `silence` ago.
    fn steady(count: i32, gap: SignedDuration, silence: SignedDuration) -> Rhythm {
        Rhythm { arrivals: (0..count).rev().map(|n| now() - silence - gap * n).collect() }
    }

    #[test]
    fn intervals_follow_the_rhythm_within_their_bounds() {
        let check = |rhythm: Rhythm, validator: bool, low: i64, high: i64| {
            let minutes = interval(&rhythm, now(), validator).as_mins();
            assert!((low..=high).contains(&minutes), "{minutes} is not {low} to {high}");
        };
        check(Rhythm::default(), true, 15, 15);
        check(Rhythm::default(), false, 15, 15);
        check(steady(64, MINUTE, MINUTE), true, 5, 5);
        check(steady(64, MINUTE, MINUTE), false, 15, 15);
        check(steady(64, MINUTE * 60, MINUTE * 30), true, 15, 30);
        check(steady(64, MINUTE * 360, MINUTE * 180), true, 35, 90);
        check(steady(64, DAY, DAY / 2), true, 60, 240);
        check(steady(20, DAY * 7, DAY), true, 120, 360);
        // A busy feed that fell silent, hour by hour and day by day.
        check(steady(64, MINUTE * 10, MINUTE * 180), true, 8, 30);
        check(steady(64, MINUTE * 10, DAY * 10), true, 30, 120);
        check(steady(64, MINUTE * 10, DAY * 31), true, 720, 720);
        check(steady(1, MINUTE, DAY * 31), false, 720, 720);
        // The clock went back.
        check(steady(64, MINUTE * 10, -DAY), true, 5, 360);
    }

    #[test]
    fn a_burst_shortens_the_interval_and_silence_lengthens_it() {
        let quiet = steady(40, DAY, DAY / 2);
        let before = interval(&quiet, now(), true);
        let mut burst = quiet.clone();
        burst.remember((0..6).map(|n| Some(now() - MINUTE * 5 * n)), Some(now() - before), now());
        assert!(interval(&burst, now(), true) * 3 < before, "{before:?}");
        let mut last = SignedDuration::ZERO;
        for hours in [0, 6, 24, 72, 240, 600] {
            let at = now() + MINUTE * 60 * hours;
            let interval = interval(&burst, at, true);
            // The hour of the day sways it, the silence decides.
            assert!(interval.as_secs_f64() > 0.6 * last.as_secs_f64(), "{hours} h: {interval:?}");
            last = interval;
        }
        assert!(last > MINUTE * 120, "{last:?}");
    }

    #[test]
    fn a_feed_with_a_day_of_its_own_is_asked_more_by_day() {
        let hours = [8, 10, 12, 14, 16];
        let days = (1..12).rev().flat_map(|day| hours.map(|hour| (day, hour)));
        let midnight: Timestamp = "2026-11-03T00:00:00Z".parse().unwrap();
        let at = |day: i32, hour: i32| midnight - DAY * day + MINUTE * 60 * hour;
        let arrivals: Vec<_> = days.map(|(day, hour)| at(day, hour)).collect();
        let rhythm = Rhythm { arrivals };
        let noon = interval(&rhythm, at(0, 12), true);
        let night = interval(&rhythm, at(0, 1), true);
        assert!(night > noon * 3 / 2, "{noon:?} {night:?}");
        // It does not oversleep the morning.
        assert!(at(0, 5) + interval(&rhythm, at(0, 5), true) < at(0, 9));
    }

    #[test]
    fn claims_are_believed_between_two_visits() {
        let previous = now() - MINUTE * 30;
        let check =
            |claim: Option<Timestamp>, previous: Option<Timestamp>, expected: &[Timestamp]| {
                let mut rhythm = Rhythm::default();
                rhythm.remember([claim], previous, now());
                assert_eq!(rhythm.arrivals, expected, "{claim:?} {previous:?}");
            };
        let claim = now() - MINUTE * 10;
        check(Some(claim), Some(previous), &[claim]);
        check(Some(now() - DAY), Some(previous), &[previous]);
        check(Some(now() + DAY), Some(previous), &[now()]);
        check(None, Some(previous), &[now()]);
        // The first visit.
        check(Some(now() - DAY), None, &[now() - DAY]);
        check(Some(now() + DAY), None, &[now()]);
        check(None, None, &[now()]);
    }

    #[test]
    fn the_last_64_arrivals_are_kept_in_order_and_a_batch_is_one() {
        let mut rhythm = Rhythm::default();
        rhythm.remember((0..200).map(|n| Some(now() - MINUTE * 7 * n)), None, now());
        assert_eq!(rhythm.arrivals.len(), 64);
        assert!(rhythm.arrivals.is_sorted());
        assert_eq!(rhythm.arrivals.last(), Some(&now()));
        let before = rhythm.clone();
        rhythm.remember([Some(now()), None, None], Some(now()), now());
        assert_eq!(rhythm, before);
    }

    #[test]
    fn the_usual_gap_needs_ten_arrivals_and_allows_for_nights() {
        assert_eq!(steady(9, DAY, DAY).usual_gap(), None);
        assert_eq!(steady(10, DAY, DAY).usual_gap(), Some(DAY));
        let mut rhythm = steady(20, MINUTE * 10, DAY);
        rhythm.arrivals.insert(0, rhythm.arrivals[0] - DAY * 10);
        assert_eq!(rhythm.usual_gap(), Some(DAY * 2));
    }

    #[test]
    fn a_validator_is_doubted_when_the_feed_is_quiet_beyond_its_habit() {
        let check = |full: Option<SignedDuration>, rhythm: &Rhythm, unchanged: u32, due: bool| {
            let full = full.map(|ago| now() - ago);
            let found = full_fetch_due(now(), full, rhythm, unchanged);
            assert_eq!(found, due, "{full:?} {unchanged}");
        };
        let busy = steady(64, MINUTE * 20, MINUTE * 90);
        let stuck = steady(64, MINUTE * 20, DAY * 2);
        check(None, &busy, 1, true);
        check(None, &busy, 0, false);
        check(Some(DAY * 2), &busy, 10, false);
        check(Some(DAY * 2), &busy, 50, true);
        check(Some(DAY / 2), &busy, 500, false);
        check(Some(DAY * 7), &busy, 1, true);
        check(Some(DAY), &stuck, 3, true);
        check(Some(DAY / 2), &stuck, 3, false);
        // Five hours are too little, whatever the rhythm.
        check(Some(DAY * 2), &steady(64, MINUTE * 5, MINUTE * 300), 3, false);
        check(Some(DAY * 2), &steady(64, MINUTE * 5, MINUTE * 400), 3, true);
        // Usual for this one.
        check(Some(DAY * 2), &steady(20, DAY * 3, DAY * 2), 3, false);
        // The longer it lasts, the less often.
        check(Some(DAY * 2), &steady(64, MINUTE * 20, DAY * 20), 3, false);
        check(Some(DAY * 5), &steady(64, MINUTE * 20, DAY * 20), 3, true);
        check(Some(DAY * 6), &Rhythm::default(), 3, false);
    }

    #[test]
    fn a_stuck_validator_costs_one_full_document_a_day() {
        let rhythm = steady(64, MINUTE * 20, MINUTE);
        let (mut full, mut unchanged, mut fetched) = (now(), 0, 0);
        for minute in (0..30 * 1_440).step_by(5) {
            let at = now() + MINUTE * minute;
            if full_fetch_due(at, Some(full), &rhythm, unchanged) {
                assert!(at.duration_since(full) >= DAY);
                (full, unchanged, fetched) = (at, 0, fetched + 1);
            } else {
                unchanged += 1;
            }
        }
        assert!((5..=30).contains(&fetched), "{fetched}");
    }
}
