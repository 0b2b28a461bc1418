//! Polling by a feed's rhythm against polling every hour: how late entries are
//! found, for how many requests.
//!
//! ```sh
//! cargo test --test rhythm -- --nocapture
//! ```
//!
//! One test draws its own series, with days, nights, bursts and feeds that
//! hardly ever say anything. The other replays a month of real feeds from
//! `WIREWATCH_SHARED` (else `../shared`) and is skipped without it.
//!
//! The rows `adaptive` are the intervals as the daemon would use them; in the
//! rows `equal` they are all stretched or shortened by one factor, so that the
//! requests are those of the fixed interval.

#![expect(clippy::print_stdout, reason = "the test shows its table")]

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use wirewatch::schedule::{Rhythm, interval};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// When one feed's entries were published, oldest first.
type Series = Vec<Timestamp>;

/// How the next interval is chosen.
#[derive(Clone, Copy)]
enum Polling {
    Fixed(SignedDuration),
    /// By the rhythm, times a factor.
    Adaptive {
        has_validator: bool,
        factor: f64,
    },
}

/// What polling cost and brought.
struct Report {
    requests: usize,
    /// Minutes from publication to discovery, sorted.
    delays: Vec<f64>,
    /// Each feed's median of those, sorted.
    feeds: Vec<f64>,
}

impl Report {
    fn mean(&self) -> f64 {
        self.delays.iter().sum::<f64>() / self.delays.len() as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:9} | {:6.1} | {:6.1} | {:6.1} | {:6.1}",
            self.requests,
            quantile(&self.delays, 0.5),
            self.mean(),
            quantile(&self.delays, 0.9),
            quantile(&self.feeds, 0.5),
        )
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// Polls all feeds from `start` to `end`. What a feed shows at the first visit
/// is its past: it tells of its rhythm and counts for no delay.
fn poll(feeds: &[Series], start: Timestamp, end: Timestamp, polling: Polling) -> Report {
    let (mut requests, mut delays, mut medians) = (0, Vec::new(), Vec::new());
    for (rank, series) in feeds.iter().enumerate() {
        // Feeds do not all come at :00.
        let mut now = start + SignedDuration::from_secs(3_600 * rank as i64 / feeds.len() as i64);
        let (mut rhythm, mut previous, mut seen) = (Rhythm::default(), None, 0);
        let mut own = Vec::new();
        loop {
            let known = series.partition_point(|&published| published <= now);
            let fresh = &series[seen..known];
            if previous.is_some() {
                own.extend(fresh.iter().map(|&p| now.duration_since(p).as_secs_f64() / 60.0));
            }
            rhythm.remember(fresh.iter().map(|&published| Some(published)), previous, now);
            seen = known;
            // The visit after the end finds the rest and is not counted.
            if now > end {
                break;
            }
            requests += 1;
            previous = Some(now);
            now += match polling {
                Polling::Fixed(interval) => interval,
                Polling::Adaptive { has_validator, factor } => {
                    let millis = interval(&rhythm, now, has_validator).as_millis() as f64 * factor;
                    SignedDuration::from_millis(millis as i64)
                }
            };
        }
        own.sort_by(f64::total_cmp);
        if !own.is_empty() {
            medians.push(quantile(&own, 0.5));
        }
        delays.extend(own);
    }
    delays.sort_by(f64::total_cmp);
    medians.sort_by(f64::total_cmp);
    Report { requests, delays, feeds: medians }
}

/// The factor on all intervals at which adaptive polling costs what fixed does,
/// or a little less.
fn equal_cost(requests: usize, cost: impl Fn(f64) -> usize) -> f64 {
    let (mut low, mut high) = (0.5_f64, 2.0_f64);
    for _ in 0..6 {
        let middle = (low * high).sqrt();
        if cost(middle) > requests { low = middle } else { high = middle }
    }
    high
}

/// Prints the comparison and holds it to its aim.
fn compare(title: &str, feeds: &[Series], start: Timestamp, end: Timestamp) {
    let entries: usize = feeds.iter().map(Vec::len).sum();
    println!("{title}: {} feeds, {entries} entries", feeds.len());
    println!("| polling | requests | median | mean | p90 | median feed | (minutes)");
    let run = |polling| poll(feeds, start, end, polling);
    let fixed = run(Polling::Fixed(HOUR));
    println!("| every 60 min         | {fixed}");
    let adaptive = |has_validator, factor| run(Polling::Adaptive { has_validator, factor });
    let (with, without) = (adaptive(true, 1.0), adaptive(false, 1.0));
    println!("| adaptive, validator  | {with}");
    println!("| adaptive, none       | {without}");
    let factor = equal_cost(fixed.requests, |factor| adaptive(true, factor).requests);
    let equal = adaptive(true, factor);
    println!("| equal, intervals x{factor:.2} | {equal}");
    for (word, report) in [("validator", &with), ("none", &without), ("equal", &equal)] {
        let delay = quantile(&report.delays, 0.5) / quantile(&fixed.delays, 0.5);
        let cost = report.requests as f64 / fixed.requests as f64;
        println!("  {word}: {delay:.2} of the median delay for {cost:.2} of the requests");
        assert!(delay <= 0.8, "{title}, {word}: {delay} of the delay");
        assert!(cost <= 1.0, "{title}, {word}: {cost} of the requests");
    }
}

fn shared() -> PathBuf {
    std::env::var_os("WIREWATCH_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}

#[derive(serde::Deserialize)]
struct Item {
    feed: String,
    published: String,
}

#[test]
fn real_feeds_are_read_sooner_for_no_more_requests() {
    let path = shared().join("data/stream/rss_items_2022-11.jsonl.zst");
    let Ok(packed) = std::fs::read(&path) else {
        println!("SKIPPED: {} is not there", path.display());
        return;
    };
    let text = String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap();
    let mut feeds = BTreeMap::<String, Series>::new();
    for line in text.lines() {
        let item: Item = serde_json::from_str(line).unwrap();
        feeds.entry(item.feed).or_default().push(item.published.parse().unwrap());
    }
    let mut feeds: Vec<Series> = feeds.into_values().collect();
    feeds.iter_mut().for_each(|series| series.sort());
    assert!(feeds.len() >= 200, "{} feeds", feeds.len());
    let start = "2022-11-01T00:00:00Z".parse().unwrap();
    let end = "2022-12-01T00:00:00Z".parse().unwrap();
    compare("real feeds, November 2022", &feeds, start, end);
}

/// A small generator (xorshift64*), so that the series are the same everywhere.
struct Random(u64);

impl Random {
    /// Evenly in (0, 1].
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (bits + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// A feed with `per_day` entries on average, five times as many by day as by
/// night, and now and then a burst of eight times as many for two hours.
fn drawn(random: &mut Random, per_day: f64, start: Timestamp, days: i64) -> Series {
    let (mut series, mut second, mut burst_until) = (Vec::new(), 0.0, 0.0);
    let dawn = random.share() * 24.0;
    let busiest = per_day / 86_400.0 * 1.5 * 8.0;
    while second < days as f64 * 86_400.0 {
        second += -random.share().ln() / busiest;
        let hour = (second / 3_600.0 + dawn) % 24.0;
        let daily = if hour < 14.0 { 1.5 } else { 0.3 };
        if random.share() < 0.000_5 {
            burst_until = second + 7_200.0;
        }
        let bursting = if second < burst_until { 8.0 } else { 1.0 };
        if random.share() < daily * bursting / (1.5 * 8.0) {
            series.push(start + SignedDuration::from_secs(second as i64));
        }
    }
    series
}

#[test]
fn drawn_feeds_are_read_sooner_for_no_more_requests() {
    let start: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
    let mut random = Random(0x5eed_0ffe_ed50);
    // As in any list of feeds: a few busy ones, many quiet ones.
    let feeds: Vec<Series> = (0..200)
        .map(|rank| drawn(&mut random, 300.0 / f64::from(rank + 1).powf(1.3), start, 28))
        .collect();
    compare("drawn feeds", &feeds, start, start + HOUR * 24 * 28);
}

#[test]
fn a_feed_that_has_been_silent_for_a_month_is_asked_twice_a_day() {
    let start: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
    let busy: Series = (0..500).map(|n| start - HOUR * 24 * 31 - HOUR * n).rev().collect();
    for series in [busy, Vec::new()] {
        for has_validator in [true, false] {
            let mut rhythm = Rhythm::default();
            let mut now = start - HOUR * 24 * 31;
            rhythm.remember(series.iter().map(|&published| Some(published)), None, now);
            let mut requests = 0;
            while now < start + HOUR * 24 * 30 {
                requests += u32::from(now >= start);
                now += interval(&rhythm, now, has_validator);
            }
            assert!(requests <= 60, "{requests} in 30 days");
        }
    }
}
