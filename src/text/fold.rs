//! One spelling for many: the form under which words are compared.
//!
//! NFKD, without the marks U+0300 to U+036F, full case folding, NFC. Also
//! what a character is to the tokenizer: a letter, a mark, a dash.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::properties::CanonicalCombiningClassMap;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use unicode_script::{Script, UnicodeScript};

/// How a script divides into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Written with spaces between words.
    Spaced,
    /// Han, Hiragana, Katakana, Bopomofo: every character is a token.
    Ideograph,
    /// Hangul: words carry their particles at the end.
    Hangul,
    /// Thai, Lao, Khmer: a base character and its marks are a token.
    Cluster,
}

/// The class of a character that words are made of; `None` for all others
/// and for marks, which belong to the character before them.
pub(crate) fn class(c: char) -> Option<Class> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then_some(Class::Spaced);
    }
    if !c.is_alphanumeric() || is_mark(c) || is_apostrophe(c) {
        return None;
    }
    if c < '\u{0E00}' {
        return Some(Class::Spaced);
    }
    Some(match c.script() {
        Script::Han | Script::Hiragana | Script::Katakana | Script::Bopomofo => Class::Ideograph,
        Script::Hangul => Class::Hangul,
        Script::Thai | Script::Lao | Script::Khmer => Class::Cluster,
        // The long-vowel and repeat marks of Kana are shared by two scripts.
        _ if matches!(c, '\u{3031}'..='\u{3035}' | 'ー' | 'ｰ') => Class::Ideograph,
        _ => Class::Spaced,
    })
}

/// Whether a character only modifies the one before it.
pub(crate) fn is_mark(c: char) -> bool {
    if c < '\u{0300}' {
        return c == '\u{00AD}';
    }
    let cluster_mark = matches!(c,
        '\u{0E31}' | '\u{0E34}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}'
        | '\u{0EB1}' | '\u{0EB4}'..='\u{0EBC}' | '\u{0EC8}'..='\u{0ECE}'
        | '\u{17B4}'..='\u{17D3}' | '\u{17DD}');
    // Half-width voicing marks of Kana.
    let voicing = matches!(c, '\u{FF9E}' | '\u{FF9F}');
    cluster_mark || voicing || is_ignorable(c) || CanonicalCombiningClassMap::new().get_u8(c) != 0
}

/// Characters without a look of their own: soft hyphen, joiners, selectors.
pub(crate) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{200C}' | '\u{200D}' | '\u{2060}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Straight and curly apostrophes.
pub(crate) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{02BC}' | '\u{FF07}')
}

/// Anything that looks like a hyphen or dash.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
}

/// What may stand between the parts of a hyphenated word.
pub(crate) fn is_joiner(c: char) -> bool {
    is_dash(c)
        || is_apostrophe(c)
        || matches!(c, '/' | '\u{2215}' | '\u{FF0F}')
        || (c != '\n' && c.is_whitespace())
}

/// The form under which words are compared.
pub(crate) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizer::new_nfkd().normalize(word);
    let bare: String = decomposed
        .chars()
        .filter(|c| !matches!(c, '\u{0300}'..='\u{036F}') && !is_ignorable(*c))
        .map(|c| if is_apostrophe(c) { '\'' } else { c })
        .collect();
    let folded = CaseMapper::new().fold_string(&bare);
    ComposingNormalizer::new_nfc().normalize(&folded).into_owned()
}

/// The form under which words in braces are compared: case and accents stay,
/// only encodings of the same look become one.
pub(crate) fn exact(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
    let same_look: String = word
        .chars()
        .filter(|c| !is_ignorable(*c))
        .map(|c| if is_apostrophe(c) { '\'' } else { c })
        .collect();
    Cow::Owned(ComposingNormalizer::new_nfc().normalize(&same_look).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_widths_and_case_fold_to_one_form() {
        let check = |word: &str, expected: &str| assert_eq!(fold(word), expected, "{word}");
        check("Résumé", "resume");
        check("re\u{0301}sume\u{0301}", "resume");
        check("ＵＳ", "us");
        check("Straße", "strasse");
        check("İstanbul", "istanbul");
        check("ΣΊΣΥΦΟΣ", "σισυφοσ");
        check("МОСКВА", "москва");
        check("ガス", "ガス");
        check("ｶﾞｽ", "ガス");
        check("북한", "북한");
        check("O’Brien", "o'brien");
        check("co\u{00AD}op", "coop");
    }

    #[test]
    fn characters_know_their_class() {
        let check = |c: char, expected: Option<Class>| assert_eq!(class(c), expected, "{c}");
        check('a', Some(Class::Spaced));
        check('ж', Some(Class::Spaced));
        check('中', Some(Class::Ideograph));
        check('ー', Some(Class::Ideograph));
        check('북', Some(Class::Hangul));
        check('ป', Some(Class::Cluster));
        check('\u{0E49}', None);
        check('-', None);
        check('’', None);
    }
}
