//! Reads the feeds with which other readers are tested, and compares what is
//! understood with what those tests expect. Skipped, visibly, without the
//! shared data (`WIREWATCH_SHARED`, by default `../shared`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of a test: what goes wrong in them fails it, and the table is for people"
)]

#[path = "fixtures/archive.rs"]
mod archive;
#[path = "fixtures/expect.rs"]
mod expect;
#[path = "fixtures/python.rs"]
mod python;
#[path = "fixtures/score.rs"]
mod score;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use archive::Fixture;
use score::Score;
use wirewatch::model::Document;
use wirewatch::parse::{ParsedFeed, parse_feed};

/// Far more than any of these small files needs, even on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(10);

fn read(bytes: &[u8], content_type: Option<&str>, base: Option<&str>) -> Option<ParsedFeed> {
    let document = Document {
        bytes: bytes.to_vec(),
        content_type: content_type.map(str::to_string),
        base_url: base.map(str::to_string),
    };
    parse_feed(&document).ok()
}

fn fixtures() -> Option<Vec<Fixture>> {
    let found = archive::fixtures();
    if found.is_none() {
        println!("SKIPPED: no fixtures under {}", archive::shared().display());
    }
    found
}

#[test]
fn every_fixture_is_read_without_panic_or_hang() {
    let Some(fixtures) = fixtures() else { return };
    for fixture in &fixtures {
        let started = Instant::now();
        let reading = AssertUnwindSafe(|| read(&fixture.bytes, None, None));
        assert!(std::panic::catch_unwind(reading).is_ok(), "{} panics", fixture.path);
        assert!(started.elapsed() < TOO_LONG, "{} takes too long", fixture.path);
    }
    println!("{} fixtures read", fixtures.len());
}

#[test]
fn what_fixtures_expect_is_understood() {
    let Some(fixtures) = fixtures() else { return };
    let mut score = Score::new(include_str!("fixtures/excused.txt"));
    expect::feedparser(&fixtures, &mut score);
    expect::gofeed(&fixtures, &mut score);
    expect::rss_parser(&fixtures, &mut score);
    expect::miniflux(&archive::miniflux(), &mut score);
    score.print();
    score.check(0.99);
}

#[test]
fn a_document_that_the_strict_reader_takes_gives_no_fewer_entries() {
    let Some(fixtures) = fixtures() else { return };
    let mut compared = 0;
    let mut fewer = Vec::new();
    for fixture in &fixtures {
        let strict = std::panic::catch_unwind(|| feed_rs::parser::parse(fixture.bytes.as_slice()));
        let Ok(Ok(strict)) = strict else { continue };
        // An item with nothing in it is none.
        let says = |entry: &&feed_rs::model::Entry| {
            entry.title.is_some()
                || entry.summary.is_some()
                || entry.content.is_some()
                || !entry.links.is_empty()
        };
        let wanted = strict.entries.iter().filter(says).count();
        let ours = read(&fixture.bytes, None, None).map_or(0, |feed| feed.entries.len());
        compared += 1;
        if ours < wanted {
            fewer.push(format!("{}: {ours} instead of {wanted}", fixture.path));
        }
    }
    println!("{compared} documents compared");
    assert!(fewer.is_empty(), "fewer entries than feed-rs:\n{}", fewer.join("\n"));
}
