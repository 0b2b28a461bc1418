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
    /// The paper failed: nothing can be used until it is filled anew.
    fails: bool,
    /// So many times from now on it is filled in memory, as the paper failed.
    distrust: u32,
}

/// A disk is full for a while, and to find that out once more takes time.
const DISTRUST: u32 = 20;

impl Inner {
    fn new(paper: &Arc<dyn Paper>, distrust: u32) -> Self {
        let memory: Arc<dyn Paper> = Arc::new(MemoryPaper);
        let window = Window::new(if distrust > 0 { &memory } else { paper });
        let (position, learned) = (MemoryPosition::default(), Learned::default());
        Self { position, learned, window, unstored: 0, fails: false, distrust }
    }

    /// What of a result can be used. Where the paper failed (and said so in the
    /// log) nothing can be: it reflects no store any more, and what was decided
    /// since it last did has to be decided again.
    fn checked<T: Default>(&mut self, result: io::Result<T>) -> T {
        result.unwrap_or_else(|_| {
            self.position.last = -1;
            self.fails = true;
            self.distrust = DISTRUST;
            T::default()
        })
    }

    /// Says whether that worked.
    fn add(&mut self, telling: Telling) -> bool {
        if self.fails {
            return false;
        }
        let added = self.window.add(telling);
        self.checked(added.map(|()| true))
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
        Self { inner: Mutex::new(Inner::new(&paper, 0)), paper }
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
        *inner = Inner::new(&self.paper, inner.distrust);
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
            if !inner.add(Telling { entry, story, host, at, features }) {
                return;
            }
        }
        inner.distrust = inner.distrust.saturating_sub(1);
        inner.position = stored.position;
    }

    /// Knows nothing any more, and reflects no store.
    pub fn forget(&self) {
        let mut inner = self.inner();
        let position = MemoryPosition { last: -1, edits: -1 };
        *inner = Inner { position, ..Inner::new(&self.paper, inner.distrust) };
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
        if inner.fails {
            return None;
        }
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
        if inner.add(Telling { entry, story, host, at, features }) {
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

    /// Wherever the paper fails it is noticed before a document is stored, and
    /// all is decided as ever once it was filled anew, twice if need be.
    #[test]
    fn a_paper_that_fails_is_done_without() {
        let new = |paper| Desk { memory: Memory::on(paper), stored: Vec::new() };
        let mut failures = 0;
        for uses in (0..900).step_by(7) {
            let mut steady = new(Arc::new(MemoryPaper));
            let mut failing = new(Failing::after(uses));
            // Documents of five entries.
            for document in 0..12 {
                let entries = document * 5..document * 5 + 5;
                let take_in = |desk: &mut Desk| -> Vec<_> {
                    entries.clone().map(|n| desk.take_in(n)).collect()
                };
                let expected = take_in(&mut steady);
                let before = failing.stored.clone();
                let mut found = take_in(&mut failing);
                if failing.memory.position() != failing.position() {
                    failures += 1;
                    failing.stored = before;
                    failing.fill(None, 0);
                    if failing.memory.position() != failing.position() {
                        failing.fill(None, 0);
                    }
                    found = take_in(&mut failing);
                }
                assert_eq!(found, expected, "document {document} after {uses} uses");
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
