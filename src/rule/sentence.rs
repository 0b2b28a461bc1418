//! Where one sentence ends and the next begins.

use crate::text::fold::fold;

/// Words that carry a dot without ending a sentence.
const ABBREVIATIONS: [&str; 52] = [
    "adm", "apr", "art", "assoc", "aug", "ave", "brig", "capt", "cmdr", "co", "col", "corp", "cpl",
    "dec", "dept", "dr", "feb", "fig", "gen", "gov", "inc", "jan", "jr", "lt", "ltd", "maj", "mar",
    "messrs", "mr", "mrs", "ms", "mt", "no", "nov", "oct", "pp", "prof", "pvt", "rep", "reps",
    "rev", "sen", "sens", "sep", "sept", "sgt", "sr", "st", "supt", "univ", "vol", "vs",
];

/// Words that begin a sentence where an abbreviation with dots came before.
const BEGINNERS: [&str; 38] = [
    "a",
    "after",
    "all",
    "although",
    "an",
    "and",
    "as",
    "at",
    "but",
    "by",
    "during",
    "earlier",
    "for",
    "he",
    "how",
    "however",
    "i",
    "if",
    "in",
    "it",
    "its",
    "last",
    "meanwhile",
    "no",
    "on",
    "our",
    "she",
    "since",
    "that",
    "the",
    "there",
    "these",
    "they",
    "this",
    "we",
    "what",
    "when",
    "while",
];

/// Whether a sentence ends between two words: `gap` is what stands there,
/// `dotted` says that the word before is an abbreviation with dots.
pub(super) fn ends(before: &str, dotted: bool, gap: &str, next: &str) -> bool {
    if gap.contains('\n') || gap.contains(['。', '！', '？', '．', '।', '؟', '۔', '։']) {
        return true;
    }
    let Some(first) = next.chars().next().filter(|c| !c.is_lowercase()) else { return false };
    if dotted {
        let starts = gap.starts_with(char::is_whitespace) && first.is_uppercase();
        return starts && before.ends_with('.') && BEGINNERS.contains(&fold(next).as_str());
    }
    let Some(end) = gap.find(['.', '!', '?', '…']) else { return false };
    if !gap.get(end..).is_some_and(|rest| rest.contains(char::is_whitespace)) {
        return false;
    }
    gap.get(end..).is_none_or(|rest| !rest.starts_with('.') || rest.starts_with(".."))
        || !is_abbreviation(before)
}

/// `Gen.`, or the initial of a name.
fn is_abbreviation(word: &str) -> bool {
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.binary_search(&fold(word).as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::analysis::{Scratch, Story};
    use super::super::vocabulary::Vocabulary;
    use super::*;

    /// The first words of the sentences of a text.
    fn check(text: &str, expected: &[&str]) {
        let vocabulary = Vocabulary::default();
        let mut scratch = Scratch::default();
        let parts = ["", text, "", "", "", ""].map(|text| (text, 0..text.len()));
        scratch.read(&vocabulary, &parts);
        let story = Story::new(&scratch, &vocabulary, parts, None);
        let field = scratch.field(1, &story);
        let mut before = None;
        let mut found = Vec::new();
        for place in 0..field.tokens.len() {
            if before.replace(field.sentence(place)) != Some(field.sentence(place)) {
                found.push(field.surface(place));
            }
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn sentences_end_where_readers_see_them_end() {
        check(
            "Talks fail. Ministers leave! Why? Nobody knows",
            &["Talks", "Ministers", "Why", "Nobody"],
        );
        check("He spoke. “We stay,” she said.", &["He", "We"]);
        check("One line\nanother", &["One", "another"]);
        check("会谈失败。中方离开", &["会", "中"]);
        check("It was 3.5 m. 400 came", &["It", "400"]);
        check("Он ушёл. Она осталась", &["Он", "Она"]);
    }

    #[test]
    fn what_only_has_a_dot_does_not_end() {
        check("Gen. Smith met Adm. Li", &["Gen"]);
        check("J. Smith of Acme Inc. Ltd", &["J"]);
        check("the U.S. Navy said", &["the"]);
        check("in the U.S. The minister left", &["in", "The"]);
        check("see example.com for more", &["see"]);
        check("\"Really?\" he said", &["Really"]);
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(ABBREVIATIONS.is_sorted() && BEGINNERS.is_sorted());
    }
}
