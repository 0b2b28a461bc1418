//! Many days go by, on a clock that only the test moves, and what is old is forgotten.
//!
//! What must hold: the file stops growing once the retention is reached, except by what entries are
//! recognised by; and nothing is told twice, though each document shows items that were forgotten
//! long ago, some that it has always shown and some that it had dropped in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use wirewatch::store::{Store, StoreError};

use super::press::{Item, document};
use super::random::{self, Random};
use super::scene::some;
use super::world::World;
use super::{count, say};

/// Of all days, the part that a story is kept, and the part after which the file should have the
/// size that it keeps: a month and two months of half a year.
const KEPT: usize = 6;
const SETTLED: usize = 3;
/// The most stories that come at once: a day is one poll, or several.
const EDITION: usize = 1000;
/// Editions of which a document shows the items.
const WINDOW: usize = 2;
/// Old items that each document shows besides.
const REVENANTS: usize = 5;
/// Looks of the sweep a day; the daemon's has three times as many.
const SWEEPS: i64 = 8;
/// Stories that a look finds at most.
const LOOK: usize = 2_000;
/// What the rule waits for.
const MARKER: &str = "marker ";
/// Of the size when the retention was reached, in percent.
const GROWTH: u64 = 120;

pub(crate) async fn trial() -> Result<(), String> {
    let days = count("WIREWATCH_DAYS", 45);
    let daily = count("WIREWATCH_DAILY", 30);
    let one_in = count("WIREWATCH_TOLD_ONE_IN", 1);
    let seed = random::seed();
    let mut random = Random::new(seed, 130);
    let world = World::new().await;
    let (kept, settled) = (days / KEPT, days / SETTLED);
    let retention = format!("retention = \"{kept}d\"\n");
    let toml =
        world.toml(&world.feed("wire")).replacen("[defaults]", &(retention + "[defaults]"), 1);
    let config = world.config(&toml);
    let (mut items, mut sizes, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..days {
        // A feed that shows more than some thousand items is not read to its end.
        for part in (0..daily).step_by(EDITION) {
            let size = EDITION.min(daily - part);
            let news = (0..size).map(|at| write(items.len() + at, one_in, &mut random));
            let news: Vec<Item> = news.collect();
            items.extend(news);
            let shown = shown(&items, size, &mut random);
            world.feeds.serve("/wire", "application/rss+xml", document(&shown));
            world.once(&config).await;
        }
        sizes.push(pass_a_day(&world, &config.store, kept, &mut batches).await?);
    }
    let (before, last) = (sizes[settled - 1], sizes[days - 1]);
    let percent = 100 * last / before.max(1);
    let mut problems = judge(&world, &items);
    batches.sort_unstable();
    let part = |part: usize| batches[(batches.len() - 1) * part / 1000];
    say(&format!(
        "{days} days of {daily} stories, WIREWATCH_SEED={seed}: {} KiB after {settled} days, {} \
         KiB at the end ({percent} %), {} batches: p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, at most \
         {:.1?}; {} told",
        before >> 10,
        last >> 10,
        batches.len(),
        part(500),
        part(990),
        part(999),
        part(1000),
        world.hook.accepted().len()
    ));
    if percent > GROWTH {
        problems.push(format!("the file has {percent} % of its size after {settled} days"));
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("seed {seed}:\n{}", problems.join("\n"))) }
}

/// A story, of which one in so many matches the rule.
fn write(number: usize, one_in: usize, random: &mut Random) -> Item {
    let mut item = Item::write(number, random);
    if !number.is_multiple_of(one_in) {
        item.title = item.title.replacen(MARKER, "", 1);
    }
    item
}

/// What a document shows: the last editions, the first item ever, and some old ones.
fn shown(items: &[Item], edition: usize, random: &mut Random) -> Vec<Item> {
    let recent = items.len().saturating_sub(edition * WINDOW);
    let mut shown: BTreeMap<usize, Item> = BTreeMap::new();
    let mut show = |at: usize| drop(shown.insert(at, items[at].clone()));
    show(0);
    for _ in 0..REVENANTS.min(recent) {
        show(usize::try_from(random.below(recent as u64)).unwrap());
    }
    (recent..items.len()).for_each(show);
    shown.into_values().collect()
}

/// Lets a day go by, in which the sweep looks every few hours; how large the file is then. Notes
/// how long each batch took.
async fn pass_a_day(
    world: &World,
    database: &Path,
    kept: usize,
    batches: &mut Vec<Duration>,
) -> Result<u64, String> {
    let store = Store::open(database).map_err(|error| error.to_string())?;
    for _ in 0..SWEEPS {
        world.wait(SignedDuration::from_mins(24 * 60 / SWEEPS));
        let retention = SignedDuration::from_hours(24 * kept as i64);
        loop {
            let told = |error: StoreError| error.to_string();
            let mut old = store.find_old(world.clock.now(), retention, LOOK).await.map_err(told)?;
            if old.is_empty() {
                break;
            }
            let mut gone = 0;
            while !old.is_empty() {
                let begun = Instant::now();
                gone += store.forget_some(&mut old).await.map_err(told)?;
                batches.push(begun.elapsed());
            }
            if gone == 0 {
                break;
            }
        }
    }
    drop(store);
    Ok(fs::metadata(database).unwrap().len())
}

/// Everything that matches was told once, and nothing else.
fn judge(world: &World, items: &[Item]) -> Vec<String> {
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for delivery in world.hook.accepted() {
        let title = delivery.json["data"]["title"].as_str().unwrap_or_default();
        *told.entry(title.to_owned()).or_default() += 1;
    }
    let again: Vec<_> =
        told.iter().filter(|(_, times)| **times > 1).map(|(title, _)| title).collect();
    let wanted = items.iter().map(|item| &item.title).filter(|title| title.starts_with(MARKER));
    let wanted: BTreeSet<&String> = wanted.collect();
    let lost: Vec<_> = wanted.iter().filter(|title| !told.contains_key(**title)).collect();
    let mut problems = Vec::new();
    if !again.is_empty() {
        problems.push(format!("{} told again: {}", again.len(), some(&again)));
    }
    if !lost.is_empty() {
        problems.push(format!("{} not told: {}", lost.len(), some(&lost)));
    }
    problems
}
