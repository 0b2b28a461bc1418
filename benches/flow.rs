//! How fast the stages are: parse, match, and ten thousand entries from files
//! to durable alerts. Each group has a baseline, so that a figure is a ratio
//! of two measurements of one run and not a property of the machine.

#![expect(clippy::unwrap_used, reason = "a bench may stop where it cannot go on")]

use std::collections::HashSet;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::{self, Config, Environment};
use wirewatch::model::{Clock, Document, RuleName};
use wirewatch::parse::parse_feed;
use wirewatch::rule::{Compiled, Item, Lists, Rule, RuleSet};

/// Words that texts are made of; every story gets its own mixture.
const WORDS: [&str; 40] = [
    "minister",
    "talks",
    "strait",
    "carrier",
    "sanction",
    "embargo",
    "court",
    "market",
    "harvest",
    "river",
    "engine",
    "bridge",
    "coach",
    "festival",
    "vaccine",
    "tariff",
    "quarry",
    "museum",
    "ferry",
    "signal",
    "reactor",
    "ceasefire",
    "border",
    "summit",
    "envoy",
    "China",
    "US",
    "Beijing",
    "Pentagon",
    "Brussels",
    "union",
    "council",
    "report",
    "storm",
    "flood",
    "strike",
    "pilot",
    "satellite",
    "cable",
    "harbour",
];

/// A text that is the same for the same number.
fn words(seed: usize, count: usize) -> String {
    let mut state = seed as u64 * 2_654_435_761 + 1;
    let mut text = String::new();
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
        text.push(' ');
    }
    text
}

fn rss(feed: usize, items: usize, length: usize) -> String {
    let items: String = (0..items)
        .map(|item| {
            let seed = feed * 100_000 + item;
            format!(
                "<item><guid isPermaLink=\"false\">{seed}</guid><title>{}</title>\
                 <link>https://news.example.org/{seed}</link>\
                 <description><![CDATA[<p>{}</p><p>A &amp; B</p>]]></description>\
                 <pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item>\n",
                words(seed, 9),
                words(seed + 7, length)
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>Feed {feed}</title>{items}</channel></rss>")
}

fn parse(c: &mut Criterion) {
    let text = rss(1, 700, 160);
    let document = Document { bytes: text.clone().into_bytes(), ..Document::default() };
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("baseline: feed-rs alone", |b| {
        b.iter(|| feed_rs::parser::parse(black_box(text.as_bytes())).unwrap());
    });
    group.bench_function("wirewatch", |b| b.iter(|| parse_feed(black_box(&document)).unwrap()));
    group.finish();
}

fn rules(count: usize) -> RuleSet {
    let lists = Lists::parse(&[("us", "US OR Pentagon"), ("china", "{China} OR Beijing")]).0;
    let rule = |number: usize| {
        let (a, b) = (WORDS[number % 40], WORDS[(number / 40 + number + 7) % 40]);
        let source = match number % 4 {
            0 => format!("@us AND @china AND \"{a} {b}\""),
            1 => format!("title:{a} AND NOT {b}"),
            2 => format!("\"{a} {b}\" OR \"{b} {a}\""),
            _ => format!("{a} AND {b} AND number{number}"),
        };
        let compiled = Compiled::new(&source, &lists, false).ok()?.0;
        let name = RuleName::new(format!("r{number}"));
        Some(Rule { name, compiled, feeds: None, languages: Vec::new() })
    };
    RuleSet::new((0..count).filter_map(rule).collect())
}

fn matching(c: &mut Criterion) {
    let stories: Vec<(String, String)> =
        (0..200).map(|n| (words(n, 9), words(n + 5, 40))).collect();
    let known: HashSet<String> = WORDS.iter().map(|word| word.to_lowercase()).collect();
    let mut group = c.benchmark_group("match");
    group.throughput(Throughput::Elements(stories.len() as u64));
    group.bench_function("baseline: split, lower-case, one look-up a word", |b| {
        b.iter(|| {
            let words = stories
                .iter()
                .flat_map(|(title, text)| title.split_whitespace().chain(text.split_whitespace()));
            words.filter(|word| known.contains(&word.to_lowercase())).count()
        });
    });
    for count in [10, 100, 1_000] {
        let rules = rules(count);
        group.bench_function(format!("{count} rules"), |b| {
            b.iter(|| {
                let found = stories.iter().map(|(title, text)| {
                    rules
                        .matches(&Item {
                            title,
                            text,
                            feed: "wire",
                            lang: Some("en"),
                            ..Item::default()
                        })
                        .len()
                });
                found.sum::<usize>()
            });
        });
    }
    group.finish();
}

const FEEDS: usize = 100;
const ENTRIES: usize = 100;

fn prepare(dir: &Path) -> Config {
    let mut toml = format!(
        "[store]\npath = \"{}/watch.db\"\n[defaults]\nbackfill = \"all\"\n\
         [rule.contact]\nmatch = 'ceasefire AND envoy AND \"China Beijing\"'\nchannels = []\n",
        dir.display()
    );
    for feed in 0..FEEDS {
        std::fs::write(dir.join(format!("{feed}.xml")), rss(feed, ENTRIES, 60)).unwrap();
        toml.push_str(&format!("[feed.f{feed}]\nurl = \"file:{feed}.xml\"\n"));
    }
    let path = dir.join("watch.toml");
    std::fs::write(&path, toml).unwrap();
    config::load(&path, &Environment::from_process()).unwrap()
}

/// The least that durable storage of as much text costs.
fn bare_inserts(path: &Path, rows: &[(String, String)]) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE entry (id INTEGER PRIMARY KEY, guid TEXT UNIQUE, title TEXT, text TEXT)",
    )
    .unwrap();
    for (feed, chunk) in rows.chunks(ENTRIES).enumerate() {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut insert = db.prepare_cached("INSERT INTO entry VALUES (NULL, ?, ?, ?)").unwrap();
        for (item, (title, text)) in chunk.iter().enumerate() {
            insert.execute((format!("{feed}-{item}"), title, text)).unwrap();
        }
        drop(insert);
        db.execute_batch("COMMIT").unwrap();
    }
}

fn ingest(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows: Vec<_> = (0..FEEDS * ENTRIES).map(|n| (words(n, 9), words(n + 7, 60))).collect();
    let mut group = c.benchmark_group("ingest of 10,000 entries");
    group.throughput(Throughput::Elements((FEEDS * ENTRIES) as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    let folder = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    group.bench_function("baseline: bare inserts, a durable commit per 100", |b| {
        b.iter_batched(
            folder,
            |dir| {
                bare_inserts(&dir.path().join("bare.db"), &rows);
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("wirewatch, from files to durable matches", |b| {
        b.iter_batched(
            || {
                let dir = folder();
                let config = prepare(dir.path());
                (dir, config)
            },
            |(dir, config)| {
                let stop = CancellationToken::new();
                let round = app::once(&config, Clock::System, &stop, |_| {});
                let report = runtime.block_on(round).unwrap();
                assert_eq!(report.round.new, FEEDS * ENTRIES);
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, parse, matching, ingest);
criterion_main!(benches);
