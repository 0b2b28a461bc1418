//! What it costs to find an entry's story while the window holds many: items a second for windows
//! of five sizes, each in its steady state, where as many stories expire as begin.
//!
//! The baseline of each size is the least that any engine must do with the same items: split the
//! text, lower-case each word, look it up in a hash table.
//!
//! Items are made: events with names, places, numbers and words of their own, told by one to
//! thirty outlets in their own order of words; words have the frequencies of Zipf's law. With
//! `WIREWATCH_STREAM=FILE`, JSON lines with `title`, `text`, `url`, `feed`, `lang`, it takes those
//! instead, again and again with other names.
//!
//! What is too much to keep in mind is written to files, as the daemon does it; with
//! `WIREWATCH_PAPER=memory` it is all kept in memory.
//!
//! `cargo bench --bench stories -- --memory N` fills a window with N items, fills another one with
//! what a store would keep of them, as a start does, and prints the peak of the process in MiB and
//! how long a start would take for it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench may stop where it cannot go on, and the figures are its output"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use jiff::{SignedDuration, Timestamp};
use wirewatch::app::ScratchFiles;
use wirewatch::model::{EntryId, FeedName, MemoryPosition, StoredMemory, StoredTelling, StoryId};
use wirewatch::story::{Features, Join, Memory};

const SIZES: [u64; 5] = [12_500, 25_000, 50_000, 100_000, 200_000];
const WINDOW: SignedDuration = SignedDuration::from_hours(72);
const VOCABULARY: u64 = 40_000;
const OUTLETS: u64 = 300;
/// Events that are told at a time.
const CURRENT: usize = 400;

struct Item {
    feed: FeedName,
    url: String,
    title: String,
    text: String,
    lang: Option<String>,
}

/// A source of items without end, the same in every run.
struct Stream {
    random: u64,
    events: Vec<Event>,
    recorded: Vec<Item>,
    made: u64,
}

struct Event {
    names: Vec<String>,
    words: Vec<String>,
    left: u64,
}

impl Stream {
    fn new() -> Self {
        let recorded = std::env::var_os("WIREWATCH_STREAM").map(|path| recorded(&path));
        let recorded = recorded.unwrap_or_default();
        Self { random: 0x9E37_79B9_7F4A_7C15, events: Vec::new(), recorded, made: 0 }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    /// A word; the n-th most frequent comes with a chance of 1/n.
    fn word(&mut self) -> String {
        let chance = self.random(1 << 20) as f64 / f64::from(1 << 20);
        let rank = (VOCABULARY as f64).powf(chance) as u64;
        format!("{}{}", ["ka", "lor", "mes", "tiv", "un"][(rank % 5) as usize], spelled(rank))
    }

    fn name(&mut self) -> String {
        let rank = self.random(50_000);
        let mut name = spelled(rank * 7 + 3);
        name.replace_range(0..1, &name[0..1].to_uppercase());
        name
    }

    fn event(&mut self) -> Event {
        let names = (0..4).map(|_| self.name()).collect();
        let words = (0..25).map(|_| self.word()).collect();
        let left = match self.random(10) {
            0..=5 => 1,
            6..=8 => 2 + self.random(4),
            _ => 6 + self.random(25),
        };
        Event { names, words, left }
    }

    fn next(&mut self) -> Item {
        self.made += 1;
        if !self.recorded.is_empty() {
            return self.again();
        }
        while self.events.len() < CURRENT {
            let event = self.event();
            self.events.push(event);
        }
        let at = self.random(CURRENT as u64) as usize;
        let outlet = self.random(OUTLETS);
        let mut said = Vec::new();
        for _ in 0..30 {
            let word = match self.random(10) {
                0 => self.events[at].names[(self.random % 4) as usize].clone(),
                1..=5 => self.events[at].words[(self.random % 25) as usize].clone(),
                _ => self.word(),
            };
            said.push(word);
        }
        let title = format!(
            "{} {} {}",
            self.events[at].names[0],
            self.events[at].names[1],
            said[..6].join(" ")
        );
        self.events[at].left -= 1;
        if self.events[at].left == 0 {
            self.events[at] = self.event();
        }
        Item {
            feed: FeedName::new(format!("feed{outlet}")),
            url: format!("https://outlet{outlet}.example/{}", self.made),
            title,
            text: said.join(" "),
            lang: Some("en".to_owned()),
        }
    }

    /// A recorded item; in later rounds with other names and numbers, so that it is no copy.
    fn again(&mut self) -> Item {
        let length = self.recorded.len() as u64;
        let item = &self.recorded[((self.made - 1) % length) as usize];
        let round = (self.made - 1) / length;
        let other = |text: &str| match round {
            0 => text.to_owned(),
            _ => text.split(' ').map(|word| other_word(word, round)).collect::<Vec<_>>().join(" "),
        };
        Item {
            feed: item.feed.clone(),
            url: format!("{}?{round}", item.url),
            title: other(&item.title),
            text: other(&item.text),
            lang: item.lang.clone(),
        }
    }
}

/// Names get another ending in each round, and a fifth of the other words, too.
fn other_word(word: &str, round: u64) -> String {
    let is_name = word.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    let is_chosen = word.len() > 5 && word.bytes().map(u64::from).sum::<u64>() % 5 == round % 5;
    if is_name || is_chosen { format!("{word}{}", spelled(round)) } else { word.to_owned() }
}

/// A number as a word.
fn spelled(mut number: u64) -> String {
    let mut word = String::new();
    loop {
        word.push(char::from(b"bdfgklmnprstvz"[(number % 14) as usize]));
        number /= 14;
        word.push(char::from(b"aeiou"[(number % 5) as usize]));
        number /= 5;
        if number == 0 {
            return word;
        }
    }
}

fn recorded(path: &std::ffi::OsStr) -> Vec<Item> {
    let text = std::fs::read_to_string(path).unwrap();
    let item = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Item {
            feed: FeedName::new(field("feed")),
            url: field("url"),
            title: field("title"),
            text: field("text"),
            lang: value["lang"].as_str().map(str::to_owned),
        }
    };
    text.lines().map(item).collect()
}

/// A memory that writes as the daemon's does.
fn empty() -> Memory {
    if std::env::var_os("WIREWATCH_PAPER").is_some_and(|paper| paper == "memory") {
        return Memory::default();
    }
    Memory::on(Arc::new(ScratchFiles::temporary()))
}

/// Fills a memory with as many stored tellings, each a story of its own. Making them is not counted.
fn refill(size: u64) -> Duration {
    let (mut stream, mut making) = (Stream::new(), Duration::ZERO);
    let step = SignedDuration::from_micros(WINDOW.as_micros() as i64 / size as i64);
    let mut at = Timestamp::from_second(1_700_000_000).unwrap();
    let mut tellings = (1..=size as i64).map(|n| {
        let began = Instant::now();
        let item = stream.next();
        at += step;
        let features = Features::of(&item.title, &item.text, item.lang.as_deref()).to_bytes();
        let (entry, story) = (EntryId(n), StoryId::new(format!("s{n:016x}")));
        making += began.elapsed();
        StoredTelling { entry, story, feed: item.feed, url: Some(item.url), at, features }
    });
    let position = MemoryPosition { last: size as i64, edits: 0 };
    let (memory, began) = (empty(), Instant::now());
    memory.restore(StoredMemory { knowledge: None, upto: 0, tellings: &mut tellings, position });
    began.elapsed() - making
}

/// A memory that is fed at a rate at which its window holds so many items.
struct Desk {
    memory: Memory,
    stream: Stream,
    now: Timestamp,
    step: SignedDuration,
    stored: i64,
    stories: u64,
}

impl Desk {
    fn filled(size: u64) -> Self {
        let step = SignedDuration::from_micros(WINDOW.as_micros() as i64 / size as i64);
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let (memory, stream) = (empty(), Stream::new());
        let mut desk = Self { memory, stream, now, step, stored: 0, stories: 0 };
        for _ in 0..size {
            let item = desk.stream.next();
            desk.take_in(&item);
        }
        desk
    }

    fn take_in(&mut self, item: &Item) {
        self.now += self.step;
        self.stored += 1;
        let mut features = Features::of(&item.title, &item.text, item.lang.as_deref());
        let page = (&item.feed, Some(item.url.as_str()));
        let found = self.memory.consider(page, self.now, &mut features, Some(Join::Event));
        let story = found.map(|(story, _)| story).unwrap_or_else(|| {
            self.stories += 1;
            StoryId::new(format!("s{:016x}", self.stories))
        });
        self.memory.keep((EntryId(self.stored), story), page, self.now, features);
    }

    /// Time for so many items; making them is not counted.
    fn run(&mut self, count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..count {
            let item = self.stream.next();
            let began = Instant::now();
            self.take_in(&item);
            spent += began.elapsed();
        }
        spent
    }
}

fn floor(stream: &mut Stream, known: &mut HashMap<String, u64>, count: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..count {
        let item = stream.next();
        let began = Instant::now();
        for word in item.title.split(' ').chain(item.text.split(' ')) {
            *known.entry(word.to_lowercase()).or_default() += 1;
        }
        spent += began.elapsed();
    }
    black_box(known.len());
    spent
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--memory") {
        let size = words[at + 1].parse().unwrap();
        let desk = Desk::filled(size);
        println!("{size} items, {} stories, peak {} MiB", desk.stories, peak());
        drop(desk);
        println!("filled anew in {:.1} s", refill(size).as_secs_f64());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    for size in SIZES {
        let mut group = criterion.benchmark_group(format!("window of {size}"));
        group.sample_size(10).throughput(Throughput::Elements(1));
        let (mut stream, mut known) = (Stream::new(), HashMap::new());
        group.bench_function("floor", |b| {
            b.iter_custom(|count| floor(&mut stream, &mut known, count));
        });
        let mut desk = None;
        group.bench_function("story", |b| {
            b.iter_custom(|count| desk.get_or_insert_with(|| Desk::filled(size)).run(count));
        });
        group.finish();
    }
    criterion.final_summary();
}
