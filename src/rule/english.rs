//! What the language knows of English: regular plurals, and which short words
//! are no abbreviations when everything is in capitals.

/// Words of two and three letters that are also written in small letters.
const COMMON: [&str; 96] = [
    "ad", "age", "ago", "aid", "air", "all", "am", "an", "and", "any", "are", "arm", "art", "as",
    "at", "bad", "ban", "bar", "be", "big", "bit", "bus", "but", "buy", "by", "can", "cap", "car",
    "cup", "cut", "day", "did", "do", "end", "eye", "far", "few", "fit", "for", "gas", "get", "go",
    "got", "had", "has", "he", "her", "him", "his", "hit", "how", "ice", "if", "in", "is", "it",
    "its", "may", "me", "men", "my", "new", "no", "not", "now", "of", "off", "oh", "oil", "old",
    "on", "one", "or", "our", "out", "own", "put", "ran", "run", "sad", "say", "see", "she", "so",
    "the", "to", "too", "two", "up", "us", "was", "way", "we", "who", "why", "you",
];

/// Whether a folded form is also a common word.
pub(super) fn is_common(folded: &str) -> bool {
    COMMON.contains(&folded)
}

/// A folded word and its regular English plurals.
pub(super) fn with_plurals(word: String, hyphenated: bool) -> Vec<String> {
    let ascii = word.chars().all(|c| c.is_ascii_alphanumeric());
    let has_letter = word.contains(|c: char| c.is_ascii_alphabetic());
    let digit_end = word.ends_with(|c: char| c.is_ascii_digit());
    let long_enough = word.len() >= 3 || (hyphenated && digit_end);
    if !ascii || !long_enough || word == "new" || !(has_letter || hyphenated) {
        return vec![word];
    }
    let before = word.chars().rev().nth(1);
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end));
    let plurals = if hisses {
        vec![format!("{word}es")]
    } else if word.ends_with('y') && before.is_some_and(|c| !"aeiou".contains(c)) {
        vec![format!("{}ies", word.trim_end_matches('y'))]
    } else if word.ends_with('o') {
        vec![format!("{word}s"), format!("{word}es")]
    } else {
        vec![format!("{word}s")]
    };
    std::iter::once(word).chain(plurals).collect()
}
