//! How fast documents are read, file by file, for a comparison with other parsers.
//!
//! `scripts/bench-parsers` runs this beside parsers of other languages. Arguments are files; each
//! gives one JSON line: bytes, entries, median seconds of a reading, or why it is not read. One
//! thread, everything from bytes to entries, no process start and no file access in the time.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are the output")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wirewatch::model::Document;
use wirewatch::parse::parse_feed;

/// Readings before any is counted.
const WARM_UP: usize = 3;
/// Readings go on for at least so long, and are at least so many.
const LONG_ENOUGH: Duration = Duration::from_millis(500);
const OFTEN_ENOUGH: usize = 9;

fn main() {
    // `cargo bench` adds a flag of its own.
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if files.is_empty() {
        eprintln!("usage: parsers FILE...; scripts/bench-parsers runs it beside other parsers");
    }
    for file in files {
        println!("{}", measure(&file));
    }
}

fn measure(file: &str) -> Value {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return json!({ "file": file, "error": error.to_string() }),
    };
    let document = Document {
        bytes,
        base_url: Some("http://feeds.example/feed".to_string()),
        ..Document::default()
    };
    let entries = match parse_feed(&document) {
        Ok(feed) => feed.entries.len(),
        Err(error) => return json!({ "file": file, "error": error.to_string() }),
    };
    for _ in 0..WARM_UP {
        let _ = black_box(parse_feed(black_box(&document)));
    }
    let begun = Instant::now();
    let mut seconds = Vec::new();
    while begun.elapsed() < LONG_ENOUGH || seconds.len() < OFTEN_ENOUGH {
        let start = Instant::now();
        let _ = black_box(parse_feed(black_box(&document)));
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    json!({ "file": file, "bytes": document.bytes.len(), "entries": entries, "seconds": median })
}
