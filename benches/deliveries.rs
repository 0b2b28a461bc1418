//! How many deliveries a second a channel gets rid of when its receiver is fast, and what a
//! million of them that wait cost.
//!
//! A delivery is claimed, composed, sent, answered and recorded, each in a durable transaction, one
//! after the other where a channel keeps order. Two floors go with it: the two transactions alone,
//! and the sends alone, of a channel that remembers nothing.
//!
//! `cargo bench --bench deliveries -- --queue 1000000` fills an outbox and prints what it takes to
//! open, to claim from and to drain, the memory of the process, and the start of the program.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a bench may stop where it cannot go on, and the figures are its output"
)]

#[path = "deliveries/outbox.rs"]
mod outbox;
#[path = "deliveries/rig.rs"]
mod rig;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};

use outbox::Outbox;
use rig::{CHANNELS, Rig};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--queue") {
        return queue(words[at + 1].parse().unwrap());
    }
    let mut criterion = Criterion::default().configure_from_args();
    let rig = Rig::start();
    let mut group = criterion.benchmark_group("deliveries");
    group.sample_size(10).throughput(Throughput::Elements(1));
    group.bench_function("floor: two transactions", |b| b.iter_custom(outbox::commits));
    for channel in CHANNELS {
        group.bench_function(format!("{channel}: floor, sends alone"), |b| {
            b.iter_custom(|count| rig.sends(channel, count));
        });
        group.bench_function(channel, |b| b.iter_custom(|count| rig.drain(channel, count)));
    }
    group.finish();
    criterion.final_summary();
}

/// What many deliveries cost that wait for one receiver.
fn queue(size: u64) {
    let rig = Rig::start();
    let empty = memory("VmRSS");
    let mut outbox = Outbox::new();
    let fill = timed(|| outbox.fill("webhook", "", size));
    println!("{size} rows, {} MiB on disk, filled in {fill:.1?}", outbox.megabytes());
    println!("program answers `status`: {:.2?}", timed(|| rig.status(&outbox)));
    println!("program starts, sends one and ends: {:.2?}", timed(|| rig.first_of(&outbox)));
    let begun = Instant::now();
    let store = outbox.open();
    println!("store opened: {:.2?}", begun.elapsed());
    let sent = 20_000.min(size / 2);
    let taken = rig.some(store, usize::try_from(sent).unwrap());
    let rate = sent as f64 / taken.as_secs_f64();
    println!("{sent} sent in {taken:.1?}: {rate:.0} a second");
    println!("memory: {empty} MiB before, {} now, {} at most", memory("VmRSS"), memory("VmHWM"));
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// A figure of this process, in MiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
