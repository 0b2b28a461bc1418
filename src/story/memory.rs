//! What was told in the last days and learnt from it, shared by all visits.
//!
//! It mirrors the store: [`MemoryPosition`] says up to which stored telling. The
//! store compares positions in every transaction and has the memory filled
//! anew when they differ: after a start, after a transaction that was undone.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::features::Features;
use super::learned::Learned;
use super::paper::{MemoryPaper, Paper};
use super::window::{Join, Telling, Window};
use crate::model::{EntryId, FeedName, Joined, MemoryPosition, StoredMemory, StoryId};

/// Tellings between two times that what was learnt is stored.
const STORED_EVERY: u32 = 5_000;

/// The stories in reach of a new entry.
#[derive(Debug)]
pub struct Memory {
    paper: Arc<dyn Paper>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    position: MemoryPosition,
    learned: Learned,
    window: Window,
    unstored: u32,
    /// The paper failed, and is not trusted the next time.
    failed: bool,
}

impl Inner {
    fn new(paper: &Arc<dyn Paper>) -> Self {
        Self {
            position: MemoryPosition::default(),
            learned: Learned::default(),
            window: Window::new(paper),
            unstored: 0,
            failed: false,
        }
    }

    /// What of a result can be used. Where the paper failed (and said so in the
    /// log) nothing can be: it reflects no store any more, and until it is
    /// filled anew stories may be taken for new ones that are not.
    fn checked<T: Default>(&mut self, result: io::Result<T>) -> T {
        result.unwrap_or_else(|_| {
            self.position.last = -1;
            self.failed = true;
            T::default()
        })
    }

    fn add(&mut self, telling: Telling) {
        let added = self.window.add(telling);
        self.checked(added);
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::on(Arc::new(MemoryPaper))
    }
}

impl Memory {
    /// One that writes on this what is too much to keep in mind.
    pub fn on(paper: Arc<dyn Paper>) -> Self {
        Self { inner: Mutex::new(Inner::new(&paper)), paper }
    }

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
    ///
    /// If the paper fails it does not reflect the store afterwards; it is kept
    /// in mind the next time.
    pub fn restore(&self, stored: StoredMemory<'_>) {
        let mut inner = self.inner();
        let paper = if inner.failed { Arc::new(MemoryPaper) } else { Arc::clone(&self.paper) };
        *inner = Inner::new(&paper);
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
            inner.add(Telling { entry, story, host, at, features });
            if inner.failed {
                return;
            }
        }
        inner.position = stored.position;
    }

    /// Knows nothing any more, and reflects no store.
    pub fn forget(&self) {
        let mut inner = self.inner();
        let (position, failed) = (MemoryPosition { last: -1, edits: -1 }, inner.failed);
        *inner = Inner { position, failed, ..Inner::new(&self.paper) };
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
        let page = host(feed, url);
        let found = inner.window.choose(page, at, features, (join?, &inner.learned));
        inner.checked(found)
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
        inner.unstored += 1;
        let host = host(feed, url);
        inner.add(Telling { entry, story, host, at, features });
        if !inner.failed {
            inner.position.last = entry.0;
        }
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::SignedDuration;

    use super::super::paper::Sheet;
    use super::*;
    use crate::model::StoredTelling;

    /// Paper that fails after so many uses, and from then on.
    #[derive(Clone, Debug)]
    struct Failing {
        uses: Arc<AtomicUsize>,
        bytes: Vec<u8>,
    }

    impl Failing {
        fn after(uses: usize) -> Arc<Self> {
            Arc::new(Self { uses: Arc::new(AtomicUsize::new(uses)), bytes: Vec::new() })
        }

        fn is_used(&self) -> io::Result<()> {
            let left = |uses: usize| uses.checked_sub(1);
            match self.uses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
                Ok(_) => Ok(()),
                Err(_) => Err(io::ErrorKind::StorageFull.into()),
            }
        }
    }

    impl Paper for Failing {
        fn sheet(&self) -> io::Result<Box<dyn Sheet>> {
            self.is_used()?;
            Ok(Box::new(self.clone()))
        }
    }

    impl Sheet for Failing {
        fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            self.is_used()?;
            self.bytes.write(at, bytes)
        }

        fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
            self.is_used()?;
            self.bytes.read(at, bytes)
        }
    }

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
            self.memory = Memory::default();
            self.fill(knowledge, upto);
            assert_eq!(self.memory.position(), self.position());
        }

        fn position(&self) -> MemoryPosition {
            MemoryPosition { last: self.stored.len() as i64, edits: 0 }
        }

        fn fill(&mut self, knowledge: Option<Vec<u8>>, upto: i64) {
            let (position, tellings) = (self.position(), &mut self.stored.clone().into_iter());
            self.memory.restore(StoredMemory { knowledge, upto, tellings, position });
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

    /// Wherever the paper fails, at most one entry is taken for news that is
    /// none, and all is as it was once it was filled anew, twice if need be.
    #[test]
    fn a_paper_that_fails_is_done_without() {
        let new = |paper| Desk { memory: Memory::on(paper), stored: Vec::new() };
        let mut failures = 0;
        for uses in (0..900).step_by(7) {
            let mut steady = new(Arc::new(MemoryPaper));
            let mut failing = new(Failing::after(uses));
            for n in 0..60 {
                let expected = steady.take_in(n);
                let found = failing.take_in(n);
                if failing.memory.position() == failing.position() {
                    assert_eq!(found, expected, "item {n} after {uses} uses");
                    continue;
                }
                failures += 1;
                failing.stored.clone_from(&steady.stored);
                failing.fill(None, 0);
                if failing.memory.position() != failing.position() {
                    failing.fill(None, 0);
                }
                assert_eq!(failing.memory.position(), failing.position(), "after {uses} uses");
            }
        }
        assert!(failures > 60, "only {failures} failures");
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
