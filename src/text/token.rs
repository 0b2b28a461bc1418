//! Text into tokens. Offsets always lead back to the original text.
//!
//! The definition of a word is ours, see `scan`. Nothing here knows rules.

use std::ops::Range;

use super::fold::{Class, class, fold, is_apostrophe, is_mark};

/// A token as it was found, before it was folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawToken {
    /// The token without its possessive ending.
    pub(crate) range: Range<usize>,
    /// One past the possessive ending; `range.end` when there is none.
    pub(crate) after: usize,
    /// How its script divides words.
    pub(crate) class: Class,
    /// Whether it is an abbreviation like `U.S.`, whose dots do not count.
    pub(crate) dotted: bool,
}

/// Words that French and Italian glue to the next one with an apostrophe.
const ELISIONS: [&str; 23] = [
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "un",
    "all", "dall", "dell", "nell", "sull", "quell", "quest", "dov", "com",
];

/// Finds the tokens of `text` in order. With `wildcards`, `*` and `?` are
/// letters.
pub(crate) fn scan(text: &str, wildcards: bool) -> Vec<RawToken> {
    let mut tokens = Vec::new();
    each_token(text, 0..text.len(), wildcards, |token| tokens.push(token));
    tokens
}

/// Gives the tokens that begin in a part of `text` to `found`, in order.
pub(crate) fn each_token(
    text: &str,
    part: Range<usize>,
    wildcards: bool,
    mut found: impl FnMut(RawToken),
) {
    let scanner = Scanner { text, wildcards };
    let mut at = part.start;
    while at < part.end
        && let Some(c) = scanner.char_at(at)
    {
        if let Some(end) = scanner.simple(at) {
            found(scanner.plain(at, end, Class::Spaced));
            at = end;
            continue;
        }
        let Some(class) = scanner.class(c) else {
            at += c.len_utf8();
            continue;
        };
        let token = match class {
            Class::Spaced => scanner.word(at),
            Class::Hangul => scanner.plain(at, scanner.run(at, Class::Hangul), class),
            Class::Ideograph | Class::Cluster => {
                scanner.plain(at, scanner.marks(at + c.len_utf8()), class)
            }
        };
        at = token.after;
        found(token);
    }
}

struct Scanner<'a> {
    text: &'a str,
    wildcards: bool,
}

impl Scanner<'_> {
    fn char_at(&self, at: usize) -> Option<char> {
        match self.text.as_bytes().get(at) {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => self.text.get(at..)?.chars().next(),
            None => None,
        }
    }

    fn class(&self, c: char) -> Option<Class> {
        if self.wildcards && matches!(c, '*' | '?') { Some(Class::Spaced) } else { class(c) }
    }

    /// The end of a word of which it takes no more than a look at the next
    /// character to know that it ends there: most are.
    fn simple(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric());
        let length = length.unwrap_or(rest.len());
        if length < 2 {
            return None;
        }
        let end = start + length;
        let ends = match rest.get(length) {
            None | Some(b' ' | b'-' | b'"' | b'\n' | b':' | b';' | b')' | b'!' | b'/') => true,
            Some(b'.' | b',') => !rest.get(length - 1)?.is_ascii_digit(),
            Some(_) => false,
        };
        ends.then_some(end)
    }

    fn starts(&self, at: usize, wanted: Class) -> bool {
        self.char_at(at).and_then(|c| self.class(c)) == Some(wanted)
    }

    /// The end of the run of characters of one class, with their marks.
    fn run(&self, mut at: usize, wanted: Class) -> usize {
        while let Some(c) = self.char_at(at) {
            if self.class(c) != Some(wanted) && !is_mark(c) {
                break;
            }
            at += c.len_utf8();
        }
        at
    }

    fn marks(&self, mut at: usize) -> usize {
        while let Some(c) = self.char_at(at).filter(|c| is_mark(*c)) {
            at += c.len_utf8();
        }
        at
    }

    fn plain(&self, start: usize, end: usize, class: Class) -> RawToken {
        RawToken { range: start..end, after: end, class, dotted: false }
    }

    fn word(&self, start: usize) -> RawToken {
        if let Some(end) = self.abbreviation(start) {
            let after = self.possessive(end).unwrap_or(end);
            return RawToken { range: start..end, after, class: Class::Spaced, dotted: true };
        }
        let mut end = self.run(start, Class::Spaced);
        loop {
            if let Some(after) = self.possessive(end) {
                return RawToken { after, ..self.plain(start, end, Class::Spaced) };
            }
            match self.extend(start, end) {
                Some(longer) => end = longer,
                None => return self.plain(start, end, Class::Spaced),
            }
        }
    }

    /// `U.S.`, `e.g.`: single letters, each but perhaps the last with a dot.
    fn abbreviation(&self, start: usize) -> Option<usize> {
        let mut end = self.single_letter(start)?;
        let mut letters = 1;
        while self.char_at(end) == Some('.') {
            match self.single_letter(end + 1) {
                Some(next) => {
                    end = next;
                    letters += 1;
                }
                None if letters > 1 => return Some(end + 1),
                None => return None,
            }
        }
        (letters > 1).then_some(end)
    }

    /// The end of a word of one letter that begins at `at`.
    fn single_letter(&self, at: usize) -> Option<usize> {
        let c = self.char_at(at).filter(|c| c.is_alphabetic())?;
        let end = self.run(at, Class::Spaced);
        (self.class(c) == Some(Class::Spaced) && self.marks(at + c.len_utf8()) == end)
            .then_some(end)
    }

    /// The end of a possessive ending that begins at `at`.
    fn possessive(&self, at: usize) -> Option<usize> {
        let apostrophe = self.char_at(at).filter(|c| is_apostrophe(*c))?;
        let next = at + apostrophe.len_utf8();
        if self.starts(next, Class::Spaced) {
            let end = self.run(next, Class::Spaced);
            let inner = self.char_at(end).is_some_and(is_apostrophe)
                && self.starts(end + self.char_at(end)?.len_utf8(), Class::Spaced);
            let is_s = self.text.get(next..end).is_some_and(|s| s.eq_ignore_ascii_case("s"));
            return (is_s && !inner).then_some(end);
        }
        let before = self.text.get(..at)?.chars().next_back()?;
        matches!(before, 's' | 'S' | 'x' | 'z').then_some(next)
    }

    /// A longer end for a word that so far ends at `end`.
    fn extend(&self, start: usize, end: usize) -> Option<usize> {
        let c = self.char_at(end)?;
        let next = end + c.len_utf8();
        let head = self.text.get(start..end)?;
        let tail = self.run(next, Class::Spaced);
        let tail_text = self.text.get(next..tail)?;
        let joined = match c {
            '.' | ',' => {
                head.ends_with(|c: char| c.is_ascii_digit())
                    && tail_text.starts_with(|c: char| c.is_ascii_digit())
            }
            '&' => {
                let short = |s: &str| (1..=3).contains(&s.chars().count());
                short(head) && short(tail_text) && !head.contains('&')
            }
            '+' => {
                let after = next + 1;
                let double = self.char_at(next) == Some('+') && !head.ends_with('+');
                return (double && !self.starts(after, Class::Spaced)).then_some(after);
            }
            '#' => {
                let single = head.len() == 1 && head.chars().all(|c| c.is_ascii_alphabetic());
                return (single && tail_text.is_empty()).then_some(next);
            }
            c if is_apostrophe(c) => {
                self.starts(next, Class::Spaced) && !ELISIONS.contains(&fold(head).as_str())
            }
            _ => false,
        };
        joined.then_some(tail)
    }
}

/// How a word is capitalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// Every letter is a capital.
    Capitals,
    /// The first letter and no other.
    Initial,
    /// Anything else, or a script without capitals.
    Other,
}

/// How `word` is capitalised; digits and signs do not count.
pub(crate) fn letters(word: &str) -> Letters {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let Some(first) = letters.next().filter(|c| c.is_uppercase()) else { return Letters::Other };
    let (mut upper, mut lower) = (true, true);
    for c in letters {
        upper &= c.is_uppercase();
        lower &= c.is_lowercase();
    }
    match (upper, lower) {
        (true, _) => Letters::Capitals,
        (false, true) if first.is_uppercase() => Letters::Initial,
        (false, _) => Letters::Other,
    }
}
