//! How rare words are, which of them are names, and what each feed says all
//! the time: learnt from the entries themselves, over a shipped beginning.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::features::{CAPITAL, Features, HABIT, SMALL, term_id};

/// Stems of English news and in how many of 100,000 stories they stand:
/// counted over 25,800 stories of 2004 to 2022 from four collections.
const SEED: &str = include_str!("seed.txt");
/// So many stories the shipped counts are worth.
const SEED_STORIES: f64 = 5_000.0;
/// After so many entries all counts are halved, so that old ones fade.
const HALVED_AFTER: u32 = 200_000;
/// So many terms are remembered at most: when there are more, those seen once
/// go, and count as never seen.
const MOST_TERMS: usize = 50_000;
/// After so many entries of a feed its counts are halved.
const FEED_HALVED_AFTER: u32 = 400;
/// Entries of a feed from which on it can have habits.
const FEED_ENTRIES: u32 = 16;
/// Terms remembered of a feed.
const FEED_TERMS: usize = 380;
/// A term in more than this share of a feed's entries is a habit.
const HABITUAL: f64 = 0.2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    entries: u32,
    /// How it was written: only which is more counts, so both are halved when
    /// one is full.
    small: u16,
    capital: u16,
}

impl Count {
    fn observe(&mut self, small: bool, capital: bool) {
        self.entries += 1;
        self.small += u16::from(small);
        self.capital += u16::from(capital);
        if self.small.max(self.capital) == u16::MAX {
            self.small /= 2;
            self.capital /= 2;
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FeedCount {
    entries: u32,
    terms: HashMap<u32, u32>,
}

/// What was learnt so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    entries: u32,
    terms: HashMap<u32, Count>,
    feeds: HashMap<u32, FeedCount>,
}

impl Default for Learned {
    fn default() -> Self {
        // A table that is half full at most never grows, however much goes and
        // comes, and so leaves no holes in memory.
        let terms = HashMap::with_capacity(2 * MOST_TERMS);
        Self { entries: 0, terms, feeds: HashMap::new() }
    }
}

/// In how many of the stories that the shipped counts are worth a term stands.
fn seeded(term: u32) -> f32 {
    static SEEDED: LazyLock<HashMap<u32, f32>> = LazyLock::new(|| {
        let lines = SEED.lines().filter_map(|line| line.split_once(' '));
        let counts = lines.filter_map(|(stem, n)| Some((term_id(stem), n.parse::<f64>().ok()?)));
        counts.map(|(term, n)| (term, (SEED_STORIES * n / 1e5) as f32)).collect()
    });
    SEEDED.get(&term).copied().unwrap_or_default()
}

impl Learned {
    /// Counts an entry, and marks the terms that its feed says all the time.
    pub(super) fn observe(&mut self, feed: u32, features: &mut Features) {
        self.entries += 1;
        let of_feed = self.feeds.entry(feed).or_default();
        of_feed.entries += 1;
        for term in &mut features.terms {
            let seen = of_feed.terms.entry(term.id).or_default();
            *seen += 1;
            let habit = of_feed.entries >= FEED_ENTRIES
                && f64::from(*seen) > HABITUAL * f64::from(of_feed.entries);
            term.flags = if habit { term.flags | HABIT } else { term.flags & !HABIT };
            if habit {
                continue;
            }
            let count = self.terms.entry(term.id).or_default();
            count.observe(term.is(SMALL), term.is(CAPITAL));
        }
        of_feed.fade();
        self.fade();
    }

    fn fade(&mut self) {
        let many = self.terms.len() > MOST_TERMS;
        if many {
            self.terms.retain(|_, count| count.entries > 1);
        }
        let full = many && self.terms.len() > MOST_TERMS / 4 * 3;
        if self.entries < HALVED_AFTER && !full {
            return;
        }
        self.entries /= 2;
        self.terms.retain(|_, count| {
            count.entries /= 2;
            count.small /= 2;
            count.capital /= 2;
            count.entries > 0
        });
    }

    /// How much a term tells, the rarer the more, and whether it is mostly
    /// written as names are.
    pub(super) fn weight_and_name(&self, term: u32) -> (f64, bool) {
        let count = self.terms.get(&term).copied().unwrap_or_default();
        let name = count.capital > 0 && count.capital >= count.small;
        let seen = f64::from(count.entries) + f64::from(seeded(term));
        let weight = (f64::from(self.entries) + SEED_STORIES + 1.0) / (seen + 0.5);
        (weight.ln().max(0.05), name)
    }

    /// The weight of a term that was never seen.
    pub(super) fn most_weight(&self) -> f64 {
        (f64::from(self.entries) + SEED_STORIES).ln()
    }

    /// All that was learnt, the same bytes for the same knowledge.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let feeds = self.feeds.values().map(|feed| 12 + 6 * feed.terms.len()).sum::<usize>();
        let mut out = Vec::with_capacity(16 + 8 * self.terms.len() + feeds);
        out.push(VERSION);
        put(&mut out, &[self.entries, self.terms.len() as u32]);
        for id in sorted(&self.terms) {
            let count = self.terms.get(&id).copied().unwrap_or_default();
            out.extend(id.to_le_bytes());
            put(&mut out, &[count.entries, count.small.into(), count.capital.into()]);
        }
        for id in sorted(&self.feeds) {
            let Some(feed) = self.feeds.get(&id) else { continue };
            out.extend(id.to_le_bytes());
            put(&mut out, &[feed.entries, feed.terms.len() as u32]);
            for term in sorted(&feed.terms) {
                out.extend(term.to_le_bytes());
                put(&mut out, &[feed.terms.get(&term).copied().unwrap_or_default()]);
            }
        }
        out
    }

    /// Reads [`Learned::to_bytes`], also of earlier versions; `None` for
    /// anything else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first()?;
        let mut read = Numbers { packed: *version == VERSION, bytes };
        if !read.packed && *version != UNPACKED {
            return None;
        }
        let mut learned = Self { entries: read.count()?, ..Self::default() };
        for _ in 0..read.count()? {
            let id = read.id()?;
            let (entries, small, capital) = (read.count()?, read.count()?, read.count()?);
            // Earlier versions counted further.
            let shift = (small.max(capital) / u32::from(u16::MAX)).checked_ilog2();
            let fit = |count: u32| (count >> shift.map_or(0, |shift| shift + 1)) as u16;
            let (small, capital) = (fit(small), fit(capital));
            learned.terms.insert(id, Count { entries, small, capital });
        }
        while !read.bytes.is_empty() {
            let id = read.id()?;
            let mut feed = FeedCount { entries: read.count()?, ..FeedCount::default() };
            for _ in 0..read.count()? {
                feed.terms.insert(read.id()?, read.count()?);
            }
            learned.feeds.insert(id, feed);
        }
        Some(learned)
    }
}

/// The version of the stored form: ids of four bytes, and counts of as many
/// groups of seven bits as they need (LEB128).
const VERSION: u8 = 2;
/// The one before: all of four bytes.
const UNPACKED: u8 = 1;

fn sorted<T>(by_id: &HashMap<u32, T>) -> Vec<u32> {
    let mut ids: Vec<u32> = by_id.keys().copied().collect();
    ids.sort_unstable();
    ids
}

fn put(out: &mut Vec<u8>, counts: &[u32]) {
    for count in counts {
        let mut rest = *count;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
}

/// What is left to be read.
struct Numbers<'a> {
    packed: bool,
    bytes: &'a [u8],
}

impl Numbers<'_> {
    fn id(&mut self) -> Option<u32> {
        let (id, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u32::from_le_bytes(*id))
    }

    fn count(&mut self) -> Option<u32> {
        if !self.packed {
            return self.id();
        }
        let mut count = 0_u32;
        for shift in (0..32).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            count |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(count);
            }
        }
        None
    }
}

impl FeedCount {
    fn fade(&mut self) {
        if self.entries >= FEED_HALVED_AFTER {
            self.entries /= 2;
            self.terms.retain(|_, seen| {
                *seen /= 2;
                *seen > 0
            });
        }
        // What a feed says all the time was said more than once by then.
        if self.terms.len() > FEED_TERMS {
            self.terms.retain(|_, seen| *seen > 1);
        }
        if self.terms.len() > FEED_TERMS {
            let limit = self.entries / 50;
            self.terms.retain(|_, seen| *seen > limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(learned: &mut Learned, feed: u32, title: &str) -> Features {
        let mut features = Features::of(title, "", Some("en"));
        learned.observe(feed, &mut features);
        features
    }

    #[test]
    fn common_words_weigh_less_and_names_are_learnt_by_their_capitals() {
        let mut learned = Learned::default();
        for n in 0..50 {
            observe(&mut learned, n, &format!("Police met the mayor of town {n} and Zorblat"));
        }
        let weight = |word: &str| learned.weight_and_name(term_id(word)).0;
        assert!(weight("zorblat") < weight("neverseen"));
        assert!(weight("govern") < weight("neverseen"));
        assert!(learned.weight_and_name(term_id("zorblat")).1);
        assert!(!learned.weight_and_name(term_id("met")).1);
    }

    #[test]
    fn what_a_feed_says_all_the_time_is_a_habit_of_its_own() {
        let mut learned = Learned::default();
        let last = (0..40).map(|n| observe(&mut learned, 1, &format!("Ferry{n} sinks - Gazette")));
        let last = last.last().unwrap();
        let habits: Vec<&String> =
            last.terms.iter().zip(&last.words).filter(|(t, _)| t.is(HABIT)).map(|x| x.1).collect();
        assert_eq!(habits.len(), 2, "{habits:?}");
        let other = observe(&mut learned, 2, "Ferry sinks - Gazette");
        assert!(other.terms.iter().all(|term| !term.is(HABIT)));
    }

    #[test]
    fn knowledge_comes_back_as_it_was() {
        let mut learned = Learned::default();
        for n in 0..600 {
            observe(&mut learned, n % 3, &format!("Ferry{n} sinks near Reef{}", n % 7));
        }
        learned.entries = 70_000;
        let bytes = learned.to_bytes();
        assert_eq!(Learned::from_bytes(&bytes).unwrap(), learned);
        for cut in [0, 1, 2, 7, bytes.len() - 1] {
            assert_eq!(Learned::from_bytes(&bytes[..cut]), None, "{cut} bytes");
        }
        assert_eq!(Learned::from_bytes(b"?"), None);
    }

    #[test]
    fn knowledge_of_earlier_versions_is_read() {
        let mut bytes = vec![UNPACKED];
        // Entries, one term, a feed with one.
        for number in [9_u32, 1, 77, 9, 300_000, 200_000, 5, 9, 1, 77, 4] {
            bytes.extend(number.to_le_bytes());
        }
        let learned = Learned::from_bytes(&bytes).unwrap();
        assert_eq!((learned.entries, learned.feeds[&5].terms[&77]), (9, 4));
        assert_eq!(learned.terms[&77], Count { entries: 9, small: 37_500, capital: 25_000 });
    }

    #[test]
    fn words_seen_once_are_forgotten_when_there_are_many_and_the_table_never_grows() {
        let mut learned = Learned::default();
        let room = learned.terms.allocation_size();
        for n in 0..3_000 {
            let title: String = (0..40).map(|word| format!("ferry w{}x{word} ", n)).collect();
            observe(&mut learned, n % 50, &title);
        }
        assert!(learned.terms.len() <= MOST_TERMS + 40, "{}", learned.terms.len());
        assert_eq!(learned.terms.allocation_size(), room);
        assert!(learned.weight_and_name(term_id("ferri")).0 < learned.most_weight() / 2.0);
    }
}
