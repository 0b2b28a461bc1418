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
    const STEP: f64 = 300.0;
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
