//! Text into tokens. Offsets always lead back to the original text.
//!
//! The definition of a word is ours, see `scan`. Nothing here knows rules.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::fold::{Class, class, fold, is_apostrophe, is_mark};
use super::sentence;

/// A token as it was found, before it was folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawToken {
    /// The token without its possessive ending.
    pub(super) range: Range<usize>,
    /// One past the possessive ending; `range.end` when there is none.
    pub(super) after: usize,
    /// How its script divides words.
    pub(super) class: Class,
    /// Whether it is an abbreviation like `U.S.`, whose dots do not count.
    pub(super) dotted: bool,
}

/// Words that French and Italian glue to the next one with an apostrophe.
const ELISIONS: [&str; 23] = [
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "un",
    "all", "dall", "dell", "nell", "sull", "quell", "quest", "dov", "com",
];

/// Finds the tokens of `text` in order. With `wildcards`, `*` and `?` are
/// letters.
pub(super) fn scan(text: &str, wildcards: bool) -> Vec<RawToken> {
    let scanner = Scanner { text, wildcards };
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = scanner.char_at(at) {
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
        tokens.push(token);
    }
    tokens
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

/// A token of a text that is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte, without the possessive.
    pub(super) end: usize,
    /// One past the last byte, with the possessive.
    pub(super) after: usize,
    /// Number of the paragraph it stands in.
    pub(super) paragraph: u32,
    /// Number of the sentence it stands in.
    pub(super) sentence: u32,
    /// Its folded form, as a number.
    pub(super) form: usize,
    /// An abbreviation with dots.
    pub(super) dotted: bool,
    /// How it is capitalised.
    pub(super) letters: Letters,
    /// One of three or more words in capitals, with only spaces between them.
    pub(super) shouted: bool,
}

/// How a word is capitalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// Every letter is a capital.
    Capitals,
    /// The first letter and no other.
    Initial,
    /// Anything else, or a script without capitals.
    Other,
}

/// How `word` is capitalised; digits and signs do not count.
pub(super) fn letters(word: &str) -> Letters {
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

/// A title or body, ready to be looked through.
#[derive(Debug)]
pub(super) struct FieldText<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    forms: Vec<(Rc<str>, Vec<usize>)>,
    by_form: HashMap<Rc<str>, usize>,
}

impl<'a> FieldText<'a> {
    /// Analyses a text.
    pub(super) fn new(text: &'a str) -> Self {
        let mut field =
            Self { text, tokens: Vec::new(), forms: Vec::new(), by_form: HashMap::new() };
        let (mut paragraph, mut sentence) = (0, 0);
        let mut before: Option<RawToken> = None;
        for raw in scan(text, false) {
            let gap = field.slice(before.as_ref().map_or(0, |b| b.after)..raw.range.start);
            if gap.contains('\n') {
                paragraph += 1;
            }
            let next = field.slice(raw.range.clone());
            sentence += u32::from(before.is_some_and(|before| {
                sentence::ends(field.slice(before.range), before.dotted, gap, next)
            }));
            field.push(&raw, paragraph, sentence);
            before = Some(raw);
        }
        field.mark_shouted();
        field
    }

    /// The folded form of a token.
    pub(super) fn form(&self, token: &Token) -> &str {
        self.forms.get(token.form).map_or("", |(form, _)| form)
    }

    /// The token as written, without its possessive.
    pub(super) fn surface(&self, token: &Token) -> &'a str {
        self.slice(token.start..token.end)
    }

    /// Positions of the tokens with this form.
    pub(super) fn positions(&self, form: &str) -> &[usize] {
        let known = self.by_form.get(form).and_then(|number| self.forms.get(*number));
        known.map_or(&[], |(_, positions)| positions)
    }

    /// Every distinct form, with its positions.
    pub(super) fn forms(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.forms.iter().map(|(form, positions)| (&**form, positions.as_slice()))
    }

    /// What stands between a token and the next.
    pub(super) fn gap(&self, token: &Token, next: &Token) -> &'a str {
        self.slice(token.after..next.start)
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    fn push(&mut self, raw: &RawToken, paragraph: u32, sentence: u32) {
        let surface = self.slice(raw.range.clone());
        let form = if raw.dotted { fold(&surface.replace('.', "")) } else { fold(surface) };
        let position = self.tokens.len();
        let number = match self.by_form.get(form.as_str()) {
            Some(number) => *number,
            None => {
                let form: Rc<str> = form.into();
                self.forms.push((Rc::clone(&form), Vec::new()));
                self.by_form.insert(form, self.forms.len() - 1);
                self.forms.len() - 1
            }
        };
        if let Some((_, positions)) = self.forms.get_mut(number) {
            positions.push(position);
        }
        self.tokens.push(Token {
            start: raw.range.start,
            end: raw.range.end,
            after: raw.after,
            paragraph,
            sentence,
            form: number,
            dotted: raw.dotted,
            letters: letters(surface),
            shouted: false,
        });
    }

    fn mark_shouted(&mut self) {
        let mut first = 0;
        for at in 0..=self.tokens.len() {
            if at > first && self.continues_shout(at) {
                continue;
            }
            if at - first >= 3 {
                for token in &mut self.tokens[first..at] {
                    token.shouted = true;
                }
            }
            first = at;
        }
    }

    /// Whether the token at `at` and the one before it are words in capitals
    /// with only spaces between them.
    fn continues_shout(&self, at: usize) -> bool {
        let (Some(token), Some(before)) = (self.tokens.get(at), self.tokens.get(at - 1)) else {
            return false;
        };
        token.letters == Letters::Capitals
            && before.letters == Letters::Capitals
            && token.paragraph == before.paragraph
            && self.gap(before, token).chars().all(char::is_whitespace)
    }
}
