//! Feeds that publish all day long, and a receiver that keeps what it is told.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::SignedDuration;

use super::life::VirtualTime;
use super::random::Random;
use super::support::http::{FeedServer, Reply, Request, handler};
use super::{Arrivals, Told};

/// Rules, each of which waits for a word of its own and for three that hardly come together.
pub(crate) const RULES: u64 = 1_000;
const HOSTS: u64 = 40;
/// Feeds that carry each other's texts.
const CHORUS: u64 = 4;
/// Items in a document.
const WINDOW: u64 = 30;
/// Of each feed, in a day.
pub(crate) const ARTICLES: u64 = 250;
const HOOK: &str = "/hook";
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo",
];

/// One item of a feed.
#[derive(Clone, Copy)]
struct Item {
    feed: u64,
    number: u64,
}

impl Item {
    /// Four of ten are the same text in all feeds of a chorus.
    const fn is_shared(self) -> bool {
        self.number % 10 < 4
    }

    /// What tells one text from all others.
    fn name(self) -> String {
        if self.is_shared() {
            return format!("chorus{}x{}", self.feed / CHORUS, self.number);
        }
        format!("feed{}x{}", self.feed, self.number)
    }

    /// The rule that waits for this text, if one does.
    fn rule(self) -> Option<u64> {
        let voice = if self.is_shared() { self.feed / CHORUS } else { self.feed };
        let lot = self.number * 7_919 + voice * 104_729;
        lot.is_multiple_of(10).then_some(lot / 10 % RULES)
    }

    /// Since the beginning.
    fn published(self) -> SignedDuration {
        every() * i32::try_from(self.number - WINDOW).unwrap() + offset(self.feed)
    }

    fn text(self) -> String {
        let seed = if self.is_shared() { self.feed / CHORUS + 1_000_000 } else { self.feed };
        let mut random = Random::new(self.number, seed + 1);
        let mut words = |count: usize| {
            let word =
                |random: &mut Random| (0..3).map(|_| random.choose(&SYLLABLES)).collect::<String>();
            let words: Vec<_> = (0..count).map(|_| word(&mut random)).collect();
            words.join(" ")
        };
        let (title, body) = (words(8), words(60));
        let alarm = self.rule().map_or(String::new(), |rule| format!(" alarm{rule}word."));
        let link = format!("http://127.0.9.1/{}/{}", self.feed, self.number);
        format!(
            "<item><title>{title} {}</title><link>{link}</link><guid>{link}</guid>\
             <description>{body}.{alarm}</description></item>\n",
            self.name(),
        )
    }
}

/// The time between two items of a feed.
fn every() -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(86_400_000 / ARTICLES).unwrap())
}

/// Each chorus has its time.
fn offset(feed: u64) -> SignedDuration {
    every() * i32::try_from(feed / CHORUS % 100).unwrap() / 100
}

/// What is known of each feed: the newest item of its first answer, and of its last one.
type Shown = Arc<Mutex<Vec<Option<(u64, u64)>>>>;

pub(crate) struct Press {
    feeds: u64,
    hosts: Vec<FeedServer>,
    desk: FeedServer,
    begun: Instant,
    time: VirtualTime,
    shown: Shown,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Press {
    pub(crate) async fn open(feeds: u64, time: VirtualTime) -> Self {
        let (begun, mut hosts) = (Instant::now(), Vec::new());
        for number in 1..=HOSTS {
            let number = u8::try_from(number).unwrap();
            hosts.push(FeedServer::start_at(Ipv4Addr::new(127, 0, 8, number).into()).await);
        }
        let shown = Shown::new(Mutex::new(vec![None; usize::try_from(feeds).unwrap()]));
        let arrivals = Arc::new(Mutex::new(Arrivals::new()));
        let desk = FeedServer::start().await;
        let kept = Arc::clone(&arrivals);
        desk.route(HOOK, handler(move |request| keep(&kept, request, begun)));
        let press = Self { feeds, hosts, desk, begun, time, shown, arrivals };
        for feed in 0..feeds {
            let shown = Arc::clone(&press.shown);
            let answer = move |request: &Request| {
                let newest = newest(feed, time.seen(begun.elapsed()));
                let known = request.header("If-None-Match") == Some(&format!("\"{newest}\""));
                let mut shown = shown.lock().unwrap();
                let entry = &mut shown[usize::try_from(feed).unwrap()];
                *entry = Some((entry.map_or(newest, |(first, _)| first), newest));
                if known { Reply::status(304) } else { document(feed, newest) }
            };
            press.host(feed).route(&path(feed), handler(answer));
        }
        press
    }

    fn host(&self, feed: u64) -> &FeedServer {
        &self.hosts[usize::try_from(feed % HOSTS).unwrap()]
    }

    /// All of the configuration but the store and patience.
    pub(crate) fn configuration(&self) -> String {
        let mut config = format!(
            "[channel.desk.webhook]\nurl = \"{}\"\nallow_private = true\ntimeout = \"5m\"\n",
            self.desk.url(HOOK)
        );
        for feed in 0..self.feeds {
            let url = self.host(feed).url(&path(feed));
            config.push_str(&format!(
                "[feed.f{feed}]\nurl = \"{url}\"\nallow_private = true\ninterval = \"10m\"\n"
            ));
        }
        let mut random = Random::new(1, 1);
        let mut word = || (0..3).map(|_| random.choose(&SYLLABLES)).collect::<String>();
        for rule in 0..RULES {
            let (a, b, c) = (word(), word(), word());
            config.push_str(&format!(
                "[rule.r{rule}]\nmatch = 'alarm{rule}word OR (\"{a} {b}\" AND {c})'\n\
                 channels = [\"desk\"]\n"
            ));
        }
        config
    }

    /// What was to be told by now, and what was.
    pub(crate) fn told(&self, patience: SignedDuration) -> Told {
        let end = self.time.seen(self.begun.elapsed());
        let due = self.due(end - patience, u64::max);
        let arrivals = self.arrivals.lock().unwrap().clone();
        let delay = |name: &String, at: SignedDuration| {
            arrivals.get(name).map(|(_, when)| self.time.seen(*when) - at)
        };
        let mut delays: Vec<_> = due.iter().filter_map(|(name, at)| delay(name, *at)).collect();
        delays.sort();
        let part = |share: usize| delays.get(delays.len() * share / 100).copied();
        let named = |name: &String| arrivals.get(name).is_some_and(|(ids, _)| ids.len() > 1);
        let expected: std::collections::BTreeMap<_, _> =
            self.due(end, u64::min).into_iter().collect();
        let shown = self.shown.lock().unwrap();
        let items = shown.iter().flatten().map(|(_, last)| *last).sum::<u64>();
        Told {
            published: usize::try_from(items).unwrap(),
            missing: due
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !arrivals.contains_key(name))
                .collect(),
            twice: arrivals.keys().filter(|name| named(name)).cloned().collect(),
            phantom: arrivals.keys().filter(|name| !expected.contains_key(*name)).count(),
            due: due.len(),
            median: part(50).unwrap_or_default(),
            p99: part(99).unwrap_or_default(),
            longest: delays.last().copied().unwrap_or_default(),
        }
    }

    /// Texts that a rule waits for, published by some moment, and when. What a feed showed when it
    /// was first asked is old. Of a chorus a text may be old for some and new for others, who were
    /// asked earlier: `which` of their first answers counts.
    fn due(
        &self,
        end: SignedDuration,
        which: fn(u64, u64) -> u64,
    ) -> Vec<(String, SignedDuration)> {
        let shown = self.shown.lock().unwrap().clone();
        let first = |feed: u64| {
            let voices = feed / CHORUS * CHORUS..(feed / CHORUS + 1) * CHORUS;
            let firsts = voices.map(|feed| {
                shown[usize::try_from(feed).unwrap()].map_or(u64::MAX, |(first, _)| first)
            });
            firsts.reduce(which).unwrap()
        };
        let mut due = std::collections::BTreeMap::new();
        for feed in 0..self.feeds {
            let last = shown[usize::try_from(feed).unwrap()].map_or(0, |(_, last)| last);
            for number in first(feed).saturating_add(1)..=last {
                let item = Item { feed, number };
                if item.rule().is_some() && item.published() <= end {
                    due.insert(item.name(), item.published());
                }
            }
        }
        due.into_iter().collect()
    }
}

/// The number of the newest item after so much time.
fn newest(feed: u64, since: SignedDuration) -> u64 {
    let passed = (since - offset(feed)).as_millis() / every().as_millis();
    WINDOW + u64::try_from(passed.max(0)).unwrap()
}

fn document(feed: u64, newest: u64) -> Reply {
    let mut text = format!("<rss version=\"2.0\"><channel><title>Wire {feed}</title>\n");
    for number in (newest - WINDOW + 1..=newest).rev() {
        text.push_str(&Item { feed, number }.text());
    }
    text.push_str("</channel></rss>");
    Reply::ok(text)
        .header("Content-Type", "application/rss+xml")
        .header("ETag", format!("\"{newest}\""))
}

/// The last word of a title is the name of its text.
fn keep(arrivals: &Mutex<Arrivals>, request: &Request, begun: Instant) -> Reply {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let text = body.to_string();
    let names = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_name = |word: &&str| {
        let digits = word.strip_prefix("chorus").or_else(|| word.strip_prefix("feed"));
        digits.and_then(|rest| rest.split_once('x')).is_some_and(|(voice, number)| {
            voice.parse::<u64>().is_ok() && number.parse::<u64>().is_ok()
        })
    };
    let mut found: Vec<&str> = names.filter(is_name).collect();
    found.sort_unstable();
    found.dedup();
    let id = request.header("webhook-id").unwrap_or_default().to_owned();
    let mut arrivals = arrivals.lock().unwrap();
    for name in found {
        let arrival = arrivals.entry(name.to_owned()).or_insert((BTreeSet::new(), begun.elapsed()));
        arrival.0.insert(id.clone());
    }
    Reply::ok("kept")
}

fn path(feed: u64) -> String {
    format!("/{feed}.xml")
}
