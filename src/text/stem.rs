//! Inflections: the stem of a word in each language that Snowball knows.

use rust_stemmers::{Algorithm, Stemmer};

use super::fold::fold;

/// Languages with a stemmer, by ISO 639-1; the number of one is its place.
const LANGUAGES: [(&str, Algorithm); 18] = [
    ("en", Algorithm::English),
    ("da", Algorithm::Danish),
    ("nl", Algorithm::Dutch),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("de", Algorithm::German),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("es", Algorithm::Spanish),
    ("sv", Algorithm::Swedish),
    ("tr", Algorithm::Turkish),
    ("ru", Algorithm::Russian),
    ("el", Algorithm::Greek),
    ("ar", Algorithm::Arabic),
    ("ta", Algorithm::Tamil),
];
/// The first of them are written in Latin letters.
const LATIN: usize = 14;
/// Languages in Latin letters without a stemmer: their words are not English.
const WITHOUT: [&str; 24] = [
    "af", "az", "ca", "cs", "cy", "eo", "et", "eu", "ga", "gl", "hr", "id", "is", "la", "lt", "lv",
    "ms", "pl", "sk", "sl", "sq", "sw", "tl", "vi",
];

/// A set of languages that have a stemmer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Languages(u32);

impl Languages {
    /// Whatever the language.
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) fn one(number: u8) -> Self {
        Self(1 << number)
    }

    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// How words of a text are read: those in Latin letters by its language,
    /// or as English where nobody knows or it has other letters; Cyrillic as
    /// Russian unless it is something else.
    pub(crate) fn of_text(language: Option<&str>) -> Self {
        let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
        let primary = primary.to_ascii_lowercase();
        let number = |wanted: &str| LANGUAGES.iter().position(|(code, _)| *code == wanted);
        let latin = match number(&primary) {
            Some(own) if own < LATIN => Some(own),
            _ if WITHOUT.contains(&primary.as_str()) => None,
            _ => Some(0),
        };
        let cyrillic = matches!(primary.as_str(), "uk" | "be" | "bg" | "sr" | "mk" | "kk");
        let persian = matches!(primary.as_str(), "fa" | "ur" | "ps");
        // A whole bit stays for what holds in any language.
        let mut set = 1 << 31;
        for (at, (code, _)) in LANGUAGES.iter().enumerate().skip(LATIN) {
            let other = (*code == "ru" && cyrillic) || (*code == "ar" && persian);
            set |= u32::from(!other) << at;
        }
        Self(set | latin.map_or(0, |own| 1 << own))
    }
}

/// The stems of a word by the number of the language, in every language that
/// its letters allow. Accents are looked at and then left out, or left out
/// before.
pub(crate) fn stems(word: &str) -> Vec<(u8, String)> {
    let numbers = match word.chars().find(|c| c.is_alphabetic()) {
        Some(c) if c < '\u{0250}' || ('\u{1E00}'..'\u{1F00}').contains(&c) => 0..LATIN,
        Some('\u{0400}'..='\u{052F}') => LATIN..LATIN + 1,
        Some('\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}') => LATIN + 1..LATIN + 2,
        Some('\u{0600}'..='\u{06FF}') => LATIN + 2..LATIN + 3,
        Some('\u{0B80}'..='\u{0BFF}') => LATIN + 3..LATIN + 4,
        _ => return Vec::new(),
    };
    let lower = word.to_lowercase();
    let bare = fold(word);
    let mut found = Vec::new();
    for (number, (_, algorithm)) in
        LANGUAGES.iter().enumerate().take(numbers.end).skip(numbers.start)
    {
        let stemmer = Stemmer::create(*algorithm);
        let number = u8::try_from(number).unwrap_or_default();
        let stem = single_end(fold(&stemmer.stem(&lower)));
        let other = single_end(stemmer.stem(&bare).into_owned());
        if other != stem {
            found.push((number, other));
        }
        found.push((number, stem));
    }
    found
}

/// The stem of a folded word in one language, English where it is unknown.
/// Long words of a language without a stemmer lose their last letters: most
/// inflections are there.
pub(crate) fn stem_in(folded: &str, language: Option<&str>) -> String {
    /// Letters that such a word keeps.
    const KEPT: usize = 6;
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let primary = primary.to_ascii_lowercase();
    let known = LANGUAGES.iter().find(|(code, _)| *code == primary);
    if known.is_none() && WITHOUT.contains(&primary.as_str()) {
        return folded.chars().take(KEPT).collect();
    }
    let algorithm = known.map_or(Algorithm::English, |(_, algorithm)| *algorithm);
    Stemmer::create(algorithm).stem(folded).into_owned()
}

/// The English stemmer makes "rebuf" of "rebuffed", but leaves "rebuff".
fn single_end(mut stem: String) -> String {
    let mut last = stem.chars().rev();
    let (end, before) = (last.next(), last.next());
    if stem.len() > 4 && end == before && end.is_some_and(|c| "bdfgmnprt".contains(c)) {
        stem.pop();
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(language: &str, a: &str, b: &str) -> bool {
        let wanted = Languages::of_text(Some(language));
        let other = stems(b);
        stems(a).iter().any(|stem| Languages::one(stem.0).meets(wanted) && other.contains(stem))
    }

    #[test]
    fn inflections_share_a_stem_in_their_language() {
        let check = |language: &str, a: &str, b: &str, expected: bool| {
            assert_eq!(same(language, a, b), expected, "{language}: {a} {b}");
        };
        check("en", "negotiate", "Negotiations", true);
        check("en-GB", "intercept", "intercepting", true);
        check("en", "rebuff", "rebuffed", true);
        check("en", "police", "policy", false);
        check("fr", "négocier", "negocierons", true);
        check("de", "Verhandlung", "Verhandlungen", true);
        check("ru", "переговоры", "переговорах", true);
        check("es", "negociar", "negociaron", true);
        check("pl", "negotiate", "negotiations", false);
        check("", "negotiate", "negotiated", true);
        check("zh", "negotiate", "negotiated", true);
    }
}
