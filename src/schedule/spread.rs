//! Many feeds at once: at the first start, after downtime and after a suspend
//! their polls are spread, so that neither we nor their servers see a herd.

use jiff::{SignedDuration, Timestamp};

use super::jitter::{later, mixed};
use crate::model::FeedName;

/// Time over which the polls of very many feeds are spread.
const SPREAD: SignedDuration = SignedDuration::from_mins(15);
/// Longest step between two of them: 1,500 feeds take less than five minutes.
const SPREAD_STEP: SignedDuration = SignedDuration::from_millis(190);
/// Feeds that may be polled at once.
const AT_ONCE: usize = 8;
/// Feeds that may be polled within the first second, however many there are.
const FIRST_SECOND: usize = 10;

/// The first poll of the `rank`th of `count` new feeds: a handful at once,
/// more of them evenly over a quarter of an hour at the most.
pub fn first_poll(now: Timestamp, rank: usize, count: usize) -> Timestamp {
    spread_overdue(now, rank, count, SPREAD)
}

/// The next poll of the `rank`th (from 0) of `count` feeds that are all overdue.
///
/// A handful is polled at once. More are spread evenly, 190 ms apart: 1,500
/// feeds over less than five minutes. With more feeds the steps get shorter,
/// so that nobody waits longer than a quarter of an hour or its own interval;
/// the first second still sees ten at the most.
pub fn spread_overdue(
    now: Timestamp,
    rank: usize,
    count: usize,
    interval: SignedDuration,
) -> Timestamp {
    if count <= AT_ONCE {
        return now;
    }
    let window = interval.clamp(SignedDuration::from_secs(2), SPREAD).as_millis();
    let (rank, count) = (rank.min(count - 1) as i128, count as i128);
    let first = FIRST_SECOND as i128;
    let even = (rank * window / count).min(rank * SPREAD_STEP.as_millis());
    // Ten in the first second, the others over what is left of the window.
    let gentle = if rank < first {
        rank * 1_000 / first
    } else {
        1_000 + (rank - first) * (window - 1_000) / (count - first).max(1)
    };
    let crowded = window / count < 1_000 / first;
    let millis = if crowded { gentle } else { even };
    later(now, SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// A feed as far as spreading cares.
#[derive(Clone, Copy, Debug)]
pub struct Overdue<'a> {
    /// Its name, which gives its place in the order.
    pub name: &'a FeedName,
    /// When it is due at present.
    pub due: Timestamp,
    /// Time between two of its polls.
    pub interval: SignedDuration,
}

/// New due times for those of `feeds` that are due by `now`, as pairs of index
/// and time, each feed once and never sooner than `now`. The others keep
/// theirs.
///
/// The order is that of [`phase`], the same at every start. Once the times are
/// stored the feeds are no longer overdue, so a second call spreads nothing anew.
pub fn spread_overdue_feeds(now: Timestamp, feeds: &[Overdue<'_>]) -> Vec<(usize, Timestamp)> {
    let mut late: Vec<usize> = (0..feeds.len()).filter(|&at| feeds[at].due <= now).collect();
    late.sort_by_key(|&at| (phase(feeds[at].name), feeds[at].name));
    let count = late.len();
    late.into_iter()
        .enumerate()
        .map(|(rank, at)| (at, spread_overdue(now, rank, count, feeds[at].interval)))
        .collect()
}

/// A feed's place among others: a hash of its name (FNV-1a, mixed) that is the
/// same on every machine and in every version.
pub fn phase(name: &FeedName) -> u64 {
    let hash = name.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mixed(hash)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn now() -> Timestamp {
        "2026-11-03T10:00:00Z".parse().unwrap()
    }

    fn minutes(until: Timestamp) -> f64 {
        until.duration_since(now()).as_secs_f64() / 60.0
    }

    #[test]
    fn many_new_feeds_are_spread_and_few_are_not() {
        assert_eq!(first_poll(now(), 7, 8), now());
        let last = minutes(first_poll(now(), 599, 600));
        assert!(last > 1.5 && last < 2.0, "{last}");
        assert!(minutes(first_poll(now(), 9_999, 10_000)) <= 15.0);
    }

    /// Polls a second after `count` feeds were all overdue.
    fn each_second(count: usize, interval: SignedDuration) -> Vec<usize> {
        let names: Vec<FeedName> = (0..count).map(|n| FeedName::new(format!("feed-{n}"))).collect();
        let feeds: Vec<Overdue<'_>> = names
            .iter()
            .map(|name| Overdue { name, due: now() - MINUTE * 350, interval })
            .collect();
        let spread = spread_overdue_feeds(now(), &feeds);
        let mut seconds = BTreeMap::<i64, usize>::new();
        let mut polled = vec![0; count];
        for (at, due) in spread {
            polled[at] += 1;
            *seconds.entry(due.duration_since(now()).as_secs()).or_default() += 1;
        }
        assert!(polled.iter().all(|&times| times == 1));
        let last = *seconds.keys().next_back().unwrap();
        (0..=last).map(|second| seconds.get(&second).copied().unwrap_or(0)).collect()
    }

    #[test]
    fn overdue_feeds_come_neither_as_a_herd_nor_late() {
        let check = |count: usize, interval: SignedDuration, within: usize| {
            let seconds = each_second(count, interval);
            assert!(seconds[0] <= 10, "{count}: {} in the first second", seconds[0]);
            assert!(seconds.len() <= within, "{count}: {} seconds", seconds.len());
            let mean = count as f64 / seconds.len() as f64;
            let most = *seconds.iter().max().unwrap();
            assert!(most as f64 <= 3.0 * mean.max(1.0), "{count}: {most} of {mean}");
        };
        check(1, MINUTE * 15, 1);
        check(9, MINUTE * 15, 3);
        check(600, MINUTE * 15, 120);
        check(1_500, MINUTE * 15, 300);
        check(2_000, MINUTE * 15, 400);
        check(10_000, MINUTE * 15, 900);
        check(10_000, MINUTE * 720, 900);
        check(10_000, MINUTE, 60);
        check(100, SignedDuration::from_secs(1), 20);
    }

    #[test]
    fn two_thousand_feeds_stay_under_three_times_the_mean_of_a_quarter_of_an_hour() {
        let most = each_second(2_000, MINUTE * 15).into_iter().max().unwrap();
        assert!(most as f64 <= 3.0 * 2_000.0 / 900.0, "{most}");
    }

    #[test]
    fn feeds_that_are_not_overdue_keep_their_time_and_a_second_call_changes_nothing() {
        let names: Vec<FeedName> = (0..40).map(|n| FeedName::new(format!("feed-{n}"))).collect();
        let interval = MINUTE * 15;
        let mut feeds: Vec<Overdue<'_>> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let due = if at < 20 { now() - MINUTE } else { now() + MINUTE };
                Overdue { name, due, interval }
            })
            .collect();
        let spread = spread_overdue_feeds(now(), &feeds);
        assert_eq!(spread.len(), 20);
        assert!(spread.iter().all(|&(at, due)| at < 20 && due >= now()));
        for (at, due) in spread {
            feeds[at].due = due;
        }
        // Only the one that is due at this very moment is left.
        assert_eq!(spread_overdue_feeds(now(), &feeds).len(), 1);
    }

    #[test]
    fn a_feeds_place_is_the_same_for_ever() {
        assert_eq!(phase(&FeedName::new("bbc")), PHASE_OF_BBC);
        let high = (0..1_000)
            .filter(|n| phase(&FeedName::new(format!("feed-{n}"))) > u64::MAX / 2)
            .count();
        assert!((400..600).contains(&high), "{high}");
    }

    const PHASE_OF_BBC: u64 = 9_658_776_485_983_640_139;

    #[test]
    fn a_shorter_interval_brings_the_next_poll_forward() {
        let due = now() + MINUTE * 60;
        assert_eq!(rescheduled(due, Some(now()), MINUTE * 5), now() + MINUTE * 5);
        assert_eq!(rescheduled(due, None, MINUTE * 5), due);
    }
}
