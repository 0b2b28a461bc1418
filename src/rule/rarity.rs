//! How rare words are: what rules are best found by.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::vocabulary::{LiteralId, Vocabulary};

/// Words that most English news stories have, the commonest first.
const COMMON: [&str; 110] = [
    "the",
    "to",
    "of",
    "a",
    "in",
    "and",
    "s",
    "on",
    "for",
    "that",
    "is",
    "with",
    "said",
    "at",
    "by",
    "as",
    "it",
    "from",
    "was",
    "has",
    "be",
    "he",
    "are",
    "an",
    "have",
    "his",
    "new",
    "will",
    "but",
    "not",
    "after",
    "their",
    "who",
    "they",
    "its",
    "been",
    "more",
    "were",
    "year",
    "first",
    "which",
    "over",
    "had",
    "two",
    "about",
    "or",
    "one",
    "would",
    "also",
    "people",
    "out",
    "than",
    "up",
    "other",
    "this",
    "us",
    "government",
    "could",
    "last",
    "state",
    "into",
    "against",
    "president",
    "police",
    "three",
    "country",
    "week",
    "time",
    "officials",
    "all",
    "her",
    "she",
    "when",
    "if",
    "no",
    "can",
    "what",
    "we",
    "you",
    "i",
    "there",
    "some",
    "former",
    "being",
    "before",
    "while",
    "during",
    "company",
    "years",
    "million",
    "world",
    "may",
    "since",
    "most",
    "minister",
    "city",
    "told",
    "according",
    "day",
    "news",
    "made",
    "national",
    "just",
    "now",
    "between",
    "under",
    "including",
    "american",
    "monday",
    "u",
];
/// The share of stories that have a word nobody counted.
const UNKNOWN: f32 = 0.002;

/// What is known of the rarity of a vocabulary's literals.
pub(super) struct Rarity<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    /// How many of `stories` had a literal, by literal; may be empty.
    pub(super) counts: &'a [u32],
    pub(super) stories: u32,
}

impl Rarity<'_> {
    /// The share of stories that have a literal, about.
    pub(super) fn share(&self, id: LiteralId) -> f32 {
        if self.stories > 0
            && let Some(count) = self.counts.get(id as usize)
        {
            // What was never seen is not impossible.
            return (*count as f32 + 0.2) / self.stories as f32;
        }
        let forms = self.vocabulary.forms(id);
        forms.iter().map(|form| guess(form)).sum::<f32>().min(1.0)
    }
}

fn guess(form: &str) -> f32 {
    static SHARES: LazyLock<HashMap<&str, f32>> = LazyLock::new(|| {
        let ranked = COMMON.iter().enumerate();
        ranked.map(|(rank, word)| (*word, 0.95 - 0.008 * rank as f32)).collect()
    });
    if let Some(share) = SHARES.get(form) {
        return *share;
    }
    let open = form.contains(['*', '?']);
    match form.chars().count() {
        0..=2 => 0.05,
        3..=4 => UNKNOWN * 3.0,
        _ if open => UNKNOWN * 5.0,
        _ => UNKNOWN,
    }
}
