//! A day of news, faster: a hundred thousand articles, a thousand rules, and what the program
//! takes for it, hour by hour.
//!
//! ```sh
//! apt-get install faketime
//! cargo test --test soak                     # an hour with a tenth of the feeds, in half a minute
//! cargo build --release
//! WIREWATCH_SOAK_HOURS=24 WIREWATCH_SOAK_ARTICLES=100000 WIREWATCH_SOAK_SPEED=30 \
//!   WIREWATCH_BIN=target/release/wirewatch cargo test --test soak    # the day, in 48 minutes
//! WIREWATCH_SOAK_HOURS=192 WIREWATCH_SOAK_ARTICLES=10000 WIREWATCH_SOAK_SPEED=240 \
//!   WIREWATCH_BIN=target/release/wirewatch cargo test --test soak    # eight days, as long
//! ```
//!
//! Time runs faster, under libfaketime; without it the test says that it is skipped. Four hundred
//! feeds on forty hosts show the newest thirty of their items, four of ten of which three other
//! feeds carry as well. Each tenth text says what one of the thousand rules waits for. Whether all
//! of them were told, once, is counted at the receiver; memory, descriptors and files are read
//! from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "manners/life.rs"]
#[allow(dead_code, reason = "the tests of manners use the rest")]
mod life;
#[path = "soak/press.rs"]
mod press;
#[path = "kill/random.rs"]
#[allow(dead_code, reason = "the tests of kills use the rest")]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "soak/usage.rs"]
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use life::{Daemon, VirtualTime, stop};
use press::{Press, RULES};
use usage::Usage;

/// An article is told within this virtual time after it was published: its feed is asked every ten
/// minutes, and what a busy machine takes counts so many times.
const PATIENCE: SignedDuration = SignedDuration::from_mins(20);
/// From this hour on memory may grow by a twentieth, however long it goes on, besides where each
/// entry since then stands.
const SETTLED: usize = 1;
const OF_AN_ENTRY: u64 = 16;
/// Requests under way, and files of stories that are merged, beside what is always open.
const MORE_DESCRIPTORS: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_news_needs_no_more_at_its_end_than_at_its_beginning() {
    let Some(library) = life::library() else {
        say("skipped: faketime is not installed");
        return;
    };
    let hours: f64 = setting("WIREWATCH_SOAK_HOURS", 1.0);
    let articles: u64 = setting("WIREWATCH_SOAK_ARTICLES", 10_000);
    let time = VirtualTime::faster_by(setting("WIREWATCH_SOAK_SPEED", 120));
    let press = Press::open(articles / press::ARTICLES, time).await;
    let daemon = Daemon::install(&library, &press.configuration());
    let mut process = daemon.start(&time);
    let pid = process.id().unwrap();
    let mut seen = Vec::new();
    let steps = (hours * 2.0).ceil();
    for step in 0..steps as u32 {
        // The passing of time is what this is about.
        time.pass(SignedDuration::from_secs_f64(hours * 3600.0 / steps)).await;
        let usage = Usage::of(pid, &daemon.database());
        say(&format!("{:5.1} h: {usage}", f64::from(step + 1) * hours / steps));
        seen.push(usage);
    }
    let late = press.told(PATIENCE);
    say(&late.to_string());
    stop(&mut process).await;
    let log = daemon.log_tail();
    assert!(late.due > 0, "nothing was to be told:\n{log}");
    assert_eq!((late.missing.len(), late.twice.len(), late.phantom), (0, 0, 0), "{late:?}\n{log}");
    assert!(late.longest < PATIENCE, "{late}\n{log}");
    check_growth(&seen);
}

fn check_growth(seen: &[Usage]) {
    let last = seen.last().unwrap();
    assert!(seen.iter().all(|usage| usage.log <= 64 << 20), "the log grows: {seen:?}");
    let Some(settled) = seen.get(SETTLED * 2 - 1) else { return };
    let since = (last.entries - settled.entries).max(0).unsigned_abs();
    let allowed = settled.memory / 20 * 21 + since * OF_AN_ENTRY;
    assert!(last.memory <= allowed, "memory grows beyond {allowed}: {seen:?}");
    let most = settled.descriptors + MORE_DESCRIPTORS;
    assert!(seen.iter().all(|usage| usage.descriptors <= most), "descriptors grow: {seen:?}");
}

fn setting<T: std::str::FromStr>(name: &str, usual: T) -> T {
    env::var(name).map_or(usual, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}"))
    })
}

/// Says something even if the test passes: the harness keeps back only what the macros print.
fn say(words: &str) {
    std::io::stderr().write_all(format!("soak: {words}\n").as_bytes()).unwrap();
}

/// What the receiver was told, compared with what was published.
#[derive(Debug)]
pub(crate) struct Told {
    published: usize,
    due: usize,
    missing: Vec<String>,
    twice: Vec<String>,
    phantom: usize,
    median: SignedDuration,
    p99: SignedDuration,
    longest: SignedDuration,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minutes = |time: SignedDuration| time.as_secs_f64() / 60.0;
        write!(
            f,
            "{} articles, {RULES} rules; {} to be told: {} missing, {} twice, {} others; minutes \
             from publication to the receiver: median {:.1}, p99 {:.1}, at most {:.1}",
            self.published,
            self.due,
            self.missing.len(),
            self.twice.len(),
            self.phantom,
            minutes(self.median),
            minutes(self.p99),
            minutes(self.longest),
        )
    }
}

/// The ids under which each name was told, and when first.
type Arrivals = BTreeMap<String, (BTreeSet<String>, Duration)>;
