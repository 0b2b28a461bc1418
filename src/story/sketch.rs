//! Copies of one text, with edits, cuts and other headlines.
//!
//! A sketch keeps the smallest hashes of a text's runs of four words (MinHash,
//! of which the smallest k are kept). From two sketches and the texts' lengths
//! follows how much of the shorter text stands in the longer one, which is
//! what a cut wire copy keeps; a SimHash tells only how alike whole texts are.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use crate::text::fold::fold;
use crate::text::token::scan;

/// Words in a run.
const RUN: usize = 4;
/// Hashes kept.
const KEPT: usize = 32;
/// Hashes by which a text is looked up.
const LOOKED_UP: usize = 8;
/// Runs that a text must have to be recognised.
const FEWEST: u32 = 10;
/// Share of the shorter text that must stand in the longer one.
const COPIED: f64 = 0.6;

/// What is kept of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    /// The smallest hashes, in order.
    smallest: Vec<u32>,
    /// How many different runs the text has.
    runs: u32,
}

impl Sketch {
    /// Of a title and its text. A text that only repeats its title is none.
    pub(super) fn of(title: &str, text: &str) -> Self {
        let whole = if text.trim().is_empty() { Cow::Borrowed(title) } else { Cow::Borrowed(text) };
        let words: Vec<u64> = scan(&whole, false)
            .into_iter()
            .filter_map(|token| whole.get(token.range))
            .map(|word| xxh3_64(fold(word).as_bytes()))
            .collect();
        let run = |run: &[u64]| {
            let mut bytes = [0; 8 * RUN];
            for (place, word) in bytes.chunks_exact_mut(8).zip(run) {
                place.copy_from_slice(&word.to_le_bytes());
            }
            (xxh3_64(&bytes) >> 32) as u32
        };
        let mut hashes: Vec<u32> = words.windows(RUN).map(run).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let runs = u32::try_from(hashes.len()).unwrap_or(u32::MAX);
        hashes.truncate(KEPT);
        hashes.shrink_to_fit();
        Self { smallest: hashes, runs }
    }

    /// The hashes to be found by; none for a text too short to be recognised.
    pub(super) fn looked_up(&self) -> &[u32] {
        let enough = self.runs >= FEWEST;
        let wanted = if enough { LOOKED_UP.min(self.smallest.len()) } else { 0 };
        self.smallest.get(..wanted).unwrap_or_default()
    }

    /// How much of the shorter text stands in the longer one, 0 to 1, if that
    /// makes them copies.
    pub(super) fn copied(&self, other: &Self) -> Option<f64> {
        let shorter = self.runs.min(other.runs);
        if shorter < FEWEST {
            return None;
        }
        let share = (self.likeness(other) / (1.0 + self.likeness(other)))
            * (f64::from(self.runs) + f64::from(other.runs))
            / f64::from(shorter);
        let share = share.min(1.0);
        (share >= COPIED).then_some(share)
    }

    /// Runs in common of all runs of both (Jaccard), as the smallest tell.
    fn likeness(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.smallest.iter().peekable(), other.smallest.iter().peekable());
        let (mut seen, mut both) = (0_u32, 0_u32);
        while seen < KEPT as u32 {
            let (x, y) = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) => (**x, **y),
                (None, None) => break,
                // One text is kept whole: what is left of the other is its own.
                (x, y) if x.is_some() || y.is_some() => {
                    seen += 1;
                    a.next();
                    b.next();
                    continue;
                }
                _ => break,
            };
            seen += 1;
            both += u32::from(x == y);
            if x <= y {
                a.next();
            }
            if y <= x {
                b.next();
            }
        }
        if seen == 0 { 0.0 } else { f64::from(both) / f64::from(seen) }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.runs.to_le_bytes());
        out.push(self.smallest.len() as u8);
        out.extend(self.smallest.iter().flat_map(|hash| hash.to_le_bytes()));
    }

    /// Reads [`Sketch::write`], and gives what follows.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (runs, rest) = bytes.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first()?;
        let (hashes, rest) = rest.split_at_checked(usize::from(*count) * 4)?;
        let hash = |chunk: &[u8]| Some(u32::from_le_bytes(chunk.try_into().ok()?));
        let smallest = hashes.chunks_exact(4).map(hash).collect::<Option<Vec<_>>>()?;
        Some((Self { smallest, runs: u32::from_le_bytes(*runs) }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &str = "Two patrol ships of neighbouring navies came within two hundred metres of \
        each other near the reef on Monday, the coast guard said, and parted after an exchange by \
        radio that lasted most of the afternoon. Nobody was hurt. It was the third such encounter \
        since spring, and the ministers of both countries have not spoken since the last of them. \
        A spokeswoman declined to say whether a meeting planned for the autumn would take place.";

    #[test]
    fn copies_are_recognised_through_cuts_edits_and_notes() {
        let check = |other: &str, copy: bool| {
            let found = Sketch::of("", WIRE).copied(&Sketch::of("Ships met", other));
            assert_eq!(found.is_some(), copy, "{found:?} {other}");
        };
        check(WIRE, true);
        check(&WIRE[..200], true);
        check(&WIRE.replace("Monday", "Tuesday"), true);
        check(&format!("Our reporter writes from the coast: {WIRE} Follow us for more."), true);
        check(
            "Two patrol ships met near a reef, and nobody was hurt, the coast guard said later \
            in a short note that did not mention how near they had come to each other.",
            false,
        );
        check("", false);
    }

    #[test]
    fn a_text_of_a_few_words_is_no_copy_of_anything() {
        let short = Sketch::of("", "Ships met near the reef");
        assert_eq!(short.copied(&short), None);
        assert!(short.looked_up().is_empty());
    }
}
