//! What was told in the last days and learnt from it, shared by all visits.
//!
//! It mirrors the store: [`MemoryPosition`] says up to which stored telling. The
//! store compares positions in every transaction and has the memory filled
//! anew when they differ: after a start, after a transaction that was undone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::features::Features;
use super::learned::Learned;
use super::window::{Join, Telling, Window};
use crate::model::{EntryId, FeedName, Joined, MemoryPosition, StoredMemory, StoryId};

/// Tellings between two times that what was learnt is stored.
const STORED_EVERY: u32 = 5_000;

/// The stories in reach of a new entry.
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    position: MemoryPosition,
    learned: Learned,
    window: Window,
    unstored: u32,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic half-way leaves a position that the store does not share.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the store it reflects.
    pub fn position(&self) -> MemoryPosition {
        self.inner().position
    }

    /// Begins anew from what was stored: what was learnt up to a telling, then
    /// the later ones and those of stories that may still grow, in order.
    pub fn restore(&self, stored: StoredMemory<'_>) {
        let mut inner = self.inner();
        *inner = Inner::default();
        let known = stored.knowledge.as_deref().and_then(Learned::from_bytes);
        let learned_to = if known.is_some() { stored.upto } else { 0 };
        inner.learned = known.unwrap_or_default();
        for stored in stored.tellings {
            let mut features = Features::from_bytes(&stored.features);
            let (feed, host) =
                (number(stored.feed.as_str()), host(&stored.feed, stored.url.as_deref()));
            if stored.entry.0 > learned_to {
                inner.learned.observe(feed, &mut features);
                inner.unstored += 1;
            }
            let (entry, story, at) = (stored.entry, stored.story, stored.at);
            inner.window.add(Telling { entry, story, host, at, features });
        }
        inner.position = stored.position;
    }

    /// Knows nothing any more, and reflects no store.
    pub fn forget(&self) {
        *self.inner() =
            Inner { position: MemoryPosition { last: -1, edits: -1 }, ..Inner::default() };
    }

    /// Learns from an entry and says which story it joins and why; `None`
    /// when it begins one. Nothing is chosen where `join` is none.
    pub fn consider(
        &self,
        (feed, url): (&FeedName, Option<&str>),
        at: Timestamp,
        features: &mut Features,
        join: Option<Join>,
    ) -> Option<(StoryId, Joined)> {
        let inner = &mut *self.inner();
        // Between learning and keeping it reflects no state of the store.
        inner.position.last = -1;
        inner.learned.observe(number(feed.as_str()), features);
        inner.window.choose(host(feed, url), at, features, (join?, &inner.learned))
    }

    /// Keeps the entry that was considered last, as it was stored.
    pub fn keep(
        &self,
        (entry, story): (EntryId, StoryId),
        (feed, url): (&FeedName, Option<&str>),
        at: Timestamp,
        features: Features,
    ) {
        let mut inner = self.inner();
        inner.position.last = entry.0;
        inner.unstored += 1;
        let host = host(feed, url);
        inner.window.add(Telling { entry, story, host, at, features });
    }

    /// What was learnt, when it is time to store it.
    pub fn to_store(&self) -> Option<Vec<u8>> {
        let mut inner = self.inner();
        if inner.unstored < STORED_EVERY {
            return None;
        }
        inner.unstored = 0;
        Some(inner.learned.to_bytes())
    }
}

/// A name as a number.
fn number(name: &str) -> u32 {
    (xxh3_64(name.as_bytes()) >> 32) as u32
}

/// The host of a page as a number, or its feed where it has none.
fn host(feed: &FeedName, url: Option<&str>) -> u32 {
    let rest = url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    number(host.map_or(feed.as_str(), |host| host.trim_start_matches("www.")))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::model::StoredTelling;

    /// Takes items in and keeps what a store would keep.
    struct Desk {
        memory: Memory,
        stored: Vec<StoredTelling>,
    }

    impl Desk {
        fn take_in(&mut self, n: i64) -> (StoryId, Option<Joined>) {
            let topics = ["ferry sinks near the northern reef", "ministers cancel talks in Hanoi"];
            let topic = topics[usize::try_from(n).unwrap() % 2];
            let title = format!("{topic} says witness{} on shore{}", n % 7, n % 5);
            let feed = FeedName::new(format!("feed{}", n % 9));
            let url = format!("https://host{}.example/{n}", n % 9);
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(n * 5);
            let mut features = Features::of(&title, "", Some("en"));
            let found =
                self.memory.consider((&feed, Some(&url)), at, &mut features, Some(Join::Event));
            let (story, joined) = found.map_or_else(
                || (StoryId::new(format!("s{n}")), None),
                |(story, joined)| (story, Some(joined)),
            );
            let bytes = features.to_bytes();
            let entry = EntryId(n + 1);
            self.memory.keep((entry, story.clone()), (&feed, Some(&url)), at, features);
            let url = Some(url);
            self.stored.push(StoredTelling {
                entry,
                story: story.clone(),
                feed,
                url,
                at,
                features: bytes,
            });
            (story, joined)
        }

        fn restart(&mut self, knowledge: Option<Vec<u8>>, upto: i64) {
            let position = MemoryPosition { last: self.stored.len() as i64, edits: 0 };
            let tellings = &mut self.stored.clone().into_iter();
            self.memory = Memory::default();
            self.memory.restore(StoredMemory { knowledge, upto, tellings, position });
            assert_eq!(self.memory.position(), position);
        }
    }

    #[test]
    fn a_restart_in_the_middle_changes_no_decision() {
        let new = || Desk { memory: Memory::default(), stored: Vec::new() };
        let (mut steady, mut restarted) = (new(), new());
        let mut joined = 0;
        for n in 0..120 {
            if n % 13 == 0 {
                restarted.restart(None, 0);
            }
            if n == 60 {
                let knowledge = restarted.memory.inner().learned.to_bytes();
                restarted.restart(Some(knowledge), 60);
            }
            let (one, other) = (steady.take_in(n), restarted.take_in(n));
            assert_eq!(one, other, "item {n}");
            joined += usize::from(one.1.is_some());
        }
        assert!(joined > 20, "only {joined} joined");
    }

    #[test]
    fn what_was_considered_and_not_kept_is_no_position_of_the_store() {
        let memory = Memory::default();
        let mut features = Features::of("Ferry sinks", "", None);
        let feed = FeedName::new("wire");
        memory.consider((&feed, None), Timestamp::UNIX_EPOCH, &mut features, Some(Join::Event));
        assert_ne!(memory.position(), MemoryPosition::default());
    }
}
