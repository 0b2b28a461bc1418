//! What leads to stories and texts: lists of their numbers by key.
//!
//! New pairs of a key and a number are at hand. When there are many they are
//! written down in order, as a run; runs are merged so that few have to be
//! asked (a log-structured merge tree), and what leads nowhere is left out then.

use std::io;
use std::sync::Arc;

use hashbrown::HashMap;

use super::paper::Paper;
use super::run::{Pair, Reader, Run, Writer};

/// New pairs at hand.
const AT_HAND: usize = 16_384;
/// Runs are not merged to longer ones than this, so that no merge takes long.
const LONGEST: usize = 4_000_000;
/// A run is so many times as long as all later ones together.
const STEP: usize = 3;
/// A run is looked through again after so long. In milliseconds.
const SIFTED_AFTER: i64 = 24 * 3_600_000;

/// What a key is of, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A term; leads to stories.
    Term = 0,
    /// The id of a story; leads to it.
    Id = 1,
    /// A run of words; leads to texts.
    Words = 2,
    /// A headline; leads to texts.
    Heading = 3,
}

impl Kind {
    /// With a hash, a key.
    pub(super) fn key(self, hash: u32) -> u64 {
        (self as u64) << 32 | u64::from(hash)
    }

    fn of(key: u64) -> Self {
        match key >> 32 {
            0 => Self::Term,
            1 => Self::Id,
            2 => Self::Words,
            _ => Self::Heading,
        }
    }
}

/// Lists of numbers by key.
#[derive(Debug)]
pub(super) struct Index {
    paper: Arc<dyn Paper>,
    /// New pairs.
    fresh: HashMap<u64, Numbers>,
    count: usize,
    /// The oldest first.
    runs: Vec<Run>,
}

/// Most keys have one number, which needs no list.
#[derive(Debug)]
enum Numbers {
    One(u32),
    #[expect(clippy::box_collection, reason = "half as large where there is one number")]
    More(Box<Vec<u32>>),
}

impl Numbers {
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::More(numbers) => numbers,
        }
    }

    fn push(&mut self, number: u32) {
        match self {
            Self::One(first) => *self = Self::More(Box::new(vec![*first, number])),
            Self::More(numbers) => numbers.push(number),
        }
    }
}

impl Index {
    pub(super) fn new(paper: Arc<dyn Paper>) -> Self {
        Self { paper, fresh: HashMap::new(), count: 0, runs: Vec::new() }
    }

    /// Adds a number to a list.
    pub(super) fn push(&mut self, key: u64, number: u32) {
        self.count += 1;
        self.fresh
            .entry(key)
            .and_modify(|numbers| numbers.push(number))
            .or_insert(Numbers::One(number));
    }

    /// Shows the numbers of a key, the newest first, until `see` has enough.
    pub(super) fn newest(
        &self,
        key: u64,
        mut see: impl FnMut(u32) -> io::Result<bool>,
    ) -> io::Result<()> {
        for number in self.fresh(key).iter().rev() {
            if !see(*number)? {
                return Ok(());
            }
        }
        for run in self.runs.iter().rev() {
            if !run.visit(key, true, &mut see)? {
                break;
            }
        }
        Ok(())
    }

    /// Shows the numbers of a key, the oldest first, until `see` has enough.
    pub(super) fn oldest(
        &self,
        key: u64,
        mut see: impl FnMut(u32) -> io::Result<bool>,
    ) -> io::Result<()> {
        for run in &self.runs {
            if !run.visit(key, false, &mut see)? {
                return Ok(());
            }
        }
        for number in self.fresh(key) {
            if !see(*number)? {
                break;
            }
        }
        Ok(())
    }

    fn fresh(&self, key: u64) -> &[u32] {
        self.fresh.get(&key).map(Numbers::as_slice).unwrap_or_default()
    }

    /// Writes down what is at hand if it is much, without what leads nowhere.
    pub(super) fn tidy(
        &mut self,
        now: i64,
        leads: impl Fn(Kind, u32) -> bool + Copy,
    ) -> io::Result<()> {
        if self.count < AT_HAND {
            return Ok(());
        }
        let keep = |pair: &Pair| leads(Kind::of(pair.0), pair.1);
        let mut writer = Writer::new(self.paper.as_ref(), now)?;
        let mut keys: Vec<u64> = self.fresh.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            for pair in self.fresh(key).iter().map(|number| (key, *number)).filter(keep) {
                writer.write(pair)?;
            }
        }
        self.runs.push(writer.end()?);
        self.fresh.clear();
        self.count = 0;
        self.merge_last(now, keep)?;
        self.sift(now, keep)
    }

    /// Merges the last runs until each is much longer than all later ones.
    fn merge_last(&mut self, now: i64, keep: impl Fn(&Pair) -> bool) -> io::Result<()> {
        let mut from = self.runs.len();
        let mut pairs = 0;
        while let Some(run) = from.checked_sub(1).and_then(|at| self.runs.get(at)) {
            let short = run.len() < STEP * pairs && run.len() + pairs <= LONGEST;
            if from < self.runs.len() && !short {
                break;
            }
            pairs += run.len();
            from -= 1;
        }
        if from + 1 < self.runs.len() {
            self.merge(from, self.runs.len(), now, keep)
        } else {
            Ok(())
        }
    }

    /// Looks through the run that waits for it longest, if any does, together
    /// with a neighbour where both are short.
    fn sift(&mut self, now: i64, keep: impl Fn(&Pair) -> bool) -> io::Result<()> {
        let longest = self.runs.iter().enumerate().min_by_key(|(_, run)| run.sifted);
        let Some((at, run)) = longest.filter(|(_, run)| run.sifted < now - SIFTED_AFTER) else {
            return Ok(());
        };
        let next = self.runs.get(at + 1).filter(|next| next.len() + run.len() <= LONGEST);
        let to = if next.is_some() { at + 2 } else { at + 1 };
        self.merge(at, to, now, keep)
    }

    /// Makes one run of some.
    fn merge(
        &mut self,
        from: usize,
        to: usize,
        now: i64,
        keep: impl Fn(&Pair) -> bool,
    ) -> io::Result<()> {
        let runs = self.runs.get(from..to).unwrap_or_default();
        let mut readers = runs.iter().map(Reader::new).collect::<io::Result<Vec<_>>>()?;
        let mut writer = Writer::new(self.paper.as_ref(), now)?;
        loop {
            // Of equal keys that of the oldest run.
            let first = readers.iter_mut().filter(|reader| reader.next().is_some());
            let first = first.min_by_key(|reader| reader.next().map(|(key, _)| key));
            let Some((reader, pair)) = first
                .and_then(|reader| Some((reader.next()?, reader)))
                .map(|(pair, reader)| (reader, pair))
            else {
                break;
            };
            if keep(&pair) {
                writer.write(pair)?;
            }
            reader.advance()?;
        }
        drop(readers);
        let merged = writer.end()?;
        self.runs.splice(from..to, (merged.len() > 0).then_some(merged));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::paper::MemoryPaper;
    use super::*;

    fn listed(index: &Index, key: u64, newest: bool) -> Vec<u32> {
        let mut seen = Vec::new();
        let see = |number| {
            seen.push(number);
            Ok(true)
        };
        if newest { index.newest(key, see) } else { index.oldest(key, see) }.unwrap();
        seen
    }

    /// Many pairs, of which the older half leads nowhere after a while.
    #[test]
    fn lists_are_those_of_a_simple_map_through_runs_and_merges() {
        let mut index = Index::new(Arc::new(MemoryPaper));
        let mut simple: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        let mut state = 7_u64;
        let hour = 3_600_000;
        for n in 0..150_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Some keys have many numbers, most have few.
            let hash = (state >> 33) as u32;
            let hash = if n % 5 == 0 { hash % 10 } else { hash % 100_000 };
            let key = Kind::Term.key(hash);
            index.push(key, n);
            simple.entry(key).or_default().push(n);
            let oldest = n.saturating_sub(75_000);
            index.tidy(i64::from(n / 1_000) * hour, |_, number| number >= oldest).unwrap();
        }
        assert!(index.runs.len() < 12, "{} runs", index.runs.len());
        let pairs: usize = index.runs.iter().map(Run::len).sum();
        assert!(pairs < 125_000, "{pairs} pairs of 75,000 that lead somewhere");
        let valid = |numbers: &[u32]| -> Vec<u32> {
            numbers.iter().copied().filter(|number| *number >= 75_000).collect()
        };
        for (key, numbers) in &simple {
            let mut expected = valid(numbers);
            assert_eq!(valid(&listed(&index, *key, false)), expected, "{key}");
            expected.reverse();
            assert_eq!(valid(&listed(&index, *key, true)), expected, "{key}");
        }
        assert!(listed(&index, Kind::Id.key(3), true).is_empty());
    }

    #[test]
    fn what_leads_nowhere_goes_when_nothing_more_comes_to_it() {
        let mut index = Index::new(Arc::new(MemoryPaper));
        for n in 0..AT_HAND as u32 {
            index.push(Kind::Words.key(n), n);
        }
        index.tidy(0, |_, _| true).unwrap();
        for n in 0..AT_HAND as u32 {
            index.push(Kind::Heading.key(n), n);
        }
        index.tidy(SIFTED_AFTER + 1, |kind, _| kind == Kind::Heading).unwrap();
        assert_eq!(index.runs.len(), 1);
        assert!(listed(&index, Kind::Words.key(5), true).is_empty());
        assert_eq!(listed(&index, Kind::Heading.key(5), true), [5]);
    }

    #[test]
    fn enough_is_enough() {
        let mut index = Index::new(Arc::new(MemoryPaper));
        for n in 0..AT_HAND as u32 + 10 {
            index.push(Kind::Term.key(1), n);
            index.tidy(0, |_, _| true).unwrap();
        }
        let mut seen = Vec::new();
        let see = |number| {
            seen.push(number);
            Ok(seen.len() < 12)
        };
        index.newest(Kind::Term.key(1), see).unwrap();
        let last = AT_HAND as u32 + 9;
        assert_eq!(seen, (last - 11..=last).rev().collect::<Vec<_>>());
    }
}
