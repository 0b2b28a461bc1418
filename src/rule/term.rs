//! A word or phrase of a rule, and the forms of it that texts may have.

mod joined;

use super::english::{is_common, with_plurals};
use super::lexer;
use super::vocabulary::LiteralId;
use crate::text::fold::{Class, exact, fold, is_dash, is_joiner};
use crate::text::token::{Letters, RawToken, letters, scan};
use joined::Joined;

/// A word or phrase: tokens that follow each other.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// As it is written in canonical form.
    pub(super) display: String,
    pub(super) style: Style,
    /// Never empty.
    pub(super) steps: Vec<Step>,
    /// Extra words that may stand between its words, in all.
    pub(super) slack: u32,
    /// Steps that may also be found as one token.
    pub(super) joins: Vec<Join>,
}

/// A term where it stands in an expression. Once it is bound, most questions
/// about it are answered by what is beside it here.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    term: Box<Term>,
    /// A literal without which it is nowhere.
    pub(super) must: Option<LiteralId>,
    /// Whether that literal is all there is to it.
    pub(super) alone: bool,
}

impl Mention {
    pub(super) fn new(term: Term) -> Self {
        Self { term: Box::new(term), must: None, alone: false }
    }

    /// Notes what is beside the term.
    pub(super) fn bind(&mut self, adopt: &mut dyn FnMut(&mut Forms)) {
        self.term.steps.iter_mut().for_each(|step| adopt(&mut step.forms));
        self.term.joins.iter_mut().for_each(|join| adopt(&mut join.forms));
        self.term.steps.shrink_to_fit();
        if self.term.joins.is_empty() {
            self.must = self.term.steps.last().map(|step| step.forms.id);
            self.alone = self.term.steps.len() == 1;
        }
    }
}

impl std::ops::Deref for Mention {
    type Target = Term;

    fn deref(&self) -> &Term {
        &self.term
    }
}

/// How a term was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `word`
    Word,
    /// `{Word}`
    Exact,
    /// `=word`
    Form,
    /// `"a phrase"`
    Phrase,
    /// `="a phrase"`
    FormPhrase,
    /// `word~`
    Stem,
}

/// One token of a term.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What may stand between this token and the one before it.
    pub(super) gap: Gap,
    pub(super) forms: Forms,
}

/// What may stand between two tokens that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Anything but the end of a paragraph.
    Any,
    /// Dashes, slashes, spaces, or nothing.
    Joiner,
    /// Nothing.
    Empty,
    /// Just this.
    Is(String),
}

impl Gap {
    /// Whether a gap of a text will do; `text` holds no `\n`.
    pub(super) fn allows(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Joiner => text.chars().all(is_joiner),
            Self::Empty => text.is_empty(),
            Self::Is(wanted) => text == wanted,
        }
    }
}

/// Several steps written as one word: `F16` for `F-16`.
#[derive(Clone, Debug)]
pub(super) struct Join {
    /// First step.
    pub(super) from: usize,
    /// How many steps.
    pub(super) count: usize,
    pub(super) forms: Forms,
}

/// The tokens that will do.
#[derive(Clone, Debug)]
pub(super) struct Forms {
    pub(super) pattern: Pattern,
    pub(super) check: Check,
    /// Its number, once a vocabulary took it in.
    pub(super) id: LiteralId,
}

/// Which folded forms will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One of these.
    Keys(Vec<String>),
    /// Any that begins so.
    Prefix(String),
    /// Any that fits, with `*` and `?`.
    Wildcard(String),
    /// Every inflection of this word, which is as written.
    Stem(String),
}

/// What must hold besides the folded form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Not an abbreviation with dots.
    Plain,
    /// An abbreviation with dots.
    Dotted,
    /// In capitals. Where everything is in capitals, a form that is also a
    /// `common` word does not count without dots.
    Capitals { common: bool },
    /// In capitals, or with a capital first.
    CapitalsOrInitial,
    /// Written exactly so.
    Exactly(String),
    /// One of each row must occur in the word as written.
    Contains(Vec<Vec<String>>),
}

/// At most this many parts of a hyphenated word may be written as one word.
const MOST_JOINED: usize = 8;

impl Term {
    /// Understands a literal; the text is what stands inside quotes, braces
    /// or after the equals sign.
    ///
    /// # Errors
    ///
    /// A message and a hint when there is nothing to look for.
    pub(super) fn new(style: Style, text: &str) -> Result<Self, (String, Option<String>)> {
        let mut term =
            Self { display: String::new(), style, steps: Vec::new(), slack: 0, joins: Vec::new() };
        let mut shown = Vec::new();
        for (style, word) in words(style, text) {
            let first = term.steps.len();
            let Some(display) = term.add_word(style, word)? else { continue };
            term.add_joins(first, style);
            shown.push(display);
        }
        if term.steps.is_empty() {
            return Err((format!("nothing to look for in \"{text}\""), None));
        }
        let shown = shown.join(" ");
        term.display = match style {
            Style::Word if lexer::is_reserved(&shown) => format!("\"{shown}\""),
            Style::Word => shown,
            Style::Exact => format!("{{{shown}}}"),
            Style::Form => format!("={shown}"),
            Style::Phrase => format!("\"{shown}\""),
            Style::FormPhrase => format!("=\"{shown}\""),
            Style::Stem => format!("{shown}~"),
        };
        Ok(term)
    }

    /// Lets so many extra words stand between its words.
    pub(super) fn loosen(&mut self, words: u32) {
        self.slack = words;
        self.display.push_str(&format!("~{words}"));
    }

    /// Adds the tokens of one word; its canonical spelling, if it has any.
    fn add_word(
        &mut self,
        style: WordStyle,
        word: &str,
    ) -> Result<Option<String>, (String, Option<String>)> {
        let wildcards = style.kind == WordKind::Plain && word.contains(['*', '?']);
        if style.kind != WordKind::Plain && word.contains('*') {
            let message = "wildcards do not work in braces, after an equals sign or before a ~";
            return Err((message.to_owned(), Some("leave out one or the other".to_owned())));
        }
        let tokens = scan(word, wildcards);
        let hyphenated = tokens.len() > 1 && word.contains(|c: char| c.is_ascii_alphabetic());
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Ok(None) };
        let shown = word.get(first.range.start..last.after).unwrap_or_default();
        let mut before: Option<&RawToken> = None;
        for token in &tokens {
            let gap = match before {
                None => Gap::Any,
                Some(before) => style.gap(word.get(before.after..token.range.start).unwrap_or("")),
            };
            let surface = word.get(token.range.clone()).unwrap_or_default();
            let forms = forms(style, token, surface, hyphenated && token == last)?;
            self.steps.push(Step { gap, forms });
            before = Some(token);
        }
        Ok(Some(style.show(&shown.replace(is_dash, "-"))))
    }

    /// Adds what the hyphenated parts of the steps from `first` on look like
    /// when written as one word.
    fn add_joins(&mut self, first: usize, style: WordStyle) {
        if style.kind == WordKind::Exact {
            return;
        }
        for from in first..self.steps.len() {
            let mut joined = match self.steps.get(from) {
                Some(step) => Joined::new(&step.forms),
                None => return,
            };
            let rest = self.steps.iter().enumerate().skip(from + 1).take(MOST_JOINED - 1);
            for (at, step) in rest.take_while(|(_, step)| step.gap == Gap::Joiner) {
                if !joined.push(&step.forms) {
                    break;
                }
                let forms = joined.forms();
                self.joins.push(Join { from, count: at - from + 1, forms });
            }
        }
    }
}

/// How one word inside a term is to be read.
#[derive(Clone, Copy)]
struct WordStyle {
    kind: WordKind,
    /// Inside quotes.
    phrase: bool,
    /// Inside quotes with braces or an equals sign of its own.
    marked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WordKind {
    Plain,
    Exact,
    Form,
    Stem,
}

impl WordStyle {
    fn gap(self, text: &str) -> Gap {
        if text.is_empty() {
            Gap::Empty
        } else if text.chars().all(is_joiner) {
            Gap::Joiner
        } else if self.phrase {
            Gap::Any
        } else {
            Gap::Is(text.to_owned())
        }
    }

    fn show(self, word: &str) -> String {
        match self.kind {
            WordKind::Exact if self.marked => format!("{{{word}}}"),
            WordKind::Form if self.marked => format!("={word}"),
            WordKind::Stem if self.marked => format!("{word}~"),
            _ => word.to_owned(),
        }
    }
}

/// Cuts a literal into words, each with its style.
fn words(style: Style, text: &str) -> Vec<(WordStyle, &str)> {
    let phrase = matches!(style, Style::Phrase | Style::FormPhrase);
    let kind = match style {
        Style::Word | Style::Phrase => WordKind::Plain,
        Style::Exact => WordKind::Exact,
        Style::Form | Style::FormPhrase => WordKind::Form,
        Style::Stem => WordKind::Stem,
    };
    let read = |word: &'_ str| {
        if style != Style::Phrase {
            (kind, false)
        } else if word.starts_with('{') && word.contains('}') {
            (WordKind::Exact, true)
        } else if word.starts_with('=') {
            (WordKind::Form, true)
        } else if word.ends_with('~') {
            (WordKind::Stem, true)
        } else {
            (kind, false)
        }
    };
    text.split_whitespace()
        .map(|word| {
            let (kind, marked) = read(word);
            // In a phrase, a question mark that ends a word is punctuation.
            let word = if phrase { word.trim_end_matches('?') } else { word };
            (WordStyle { kind, phrase, marked }, word)
        })
        .collect()
}

/// The forms that one token of a literal accepts.
fn forms(
    style: WordStyle,
    token: &RawToken,
    surface: &str,
    hyphenated: bool,
) -> Result<Forms, (String, Option<String>)> {
    let folded = if token.dotted { fold(&surface.replace('.', "")) } else { fold(surface) };
    let plain = if token.dotted { Check::Dotted } else { Check::Plain };
    let of = |pattern, check| Ok(Forms { pattern, check, id: 0 });
    if style.kind == WordKind::Plain && surface.contains(['*', '?']) {
        return wildcard(folded);
    }
    match style.kind {
        WordKind::Exact => {
            let surface = exact(surface).trim_end_matches('.').to_owned();
            return of(Pattern::Keys(vec![folded]), Check::Exactly(surface));
        }
        WordKind::Form => return of(Pattern::Keys(vec![folded]), plain),
        WordKind::Stem if !token.dotted => {
            return of(Pattern::Stem(surface.to_owned()), Check::Plain);
        }
        WordKind::Stem => return of(Pattern::Keys(vec![folded]), plain),
        WordKind::Plain if token.class == Class::Hangul => {
            return of(Pattern::Prefix(folded), Check::Plain);
        }
        WordKind::Plain => {}
    }
    let count = surface.chars().filter(|c| c.is_alphabetic()).count();
    match (letters(surface), count) {
        (Letters::Capitals, 2..=3) => {
            let common = is_common(&folded);
            of(Pattern::Keys(vec![folded]), Check::Capitals { common })
        }
        (Letters::Capitals, 4..) => of(Pattern::Keys(vec![folded]), Check::CapitalsOrInitial),
        _ if token.dotted => of(Pattern::Keys(vec![folded]), Check::Dotted),
        _ => of(Pattern::Keys(with_plurals(folded, hyphenated)), Check::Plain),
    }
}

fn wildcard(pattern: String) -> Result<Forms, (String, Option<String>)> {
    let unspaced = |c: char| {
        !matches!(crate::text::fold::class(c), None | Some(Class::Spaced | Class::Hangul))
    };
    if pattern.chars().any(unspaced) {
        let message = "wildcards do not work with characters that are words by themselves";
        let hint = "leave the wildcard out: such characters are found inside longer text anyway";
        return Err((message.to_owned(), Some(hint.to_owned())));
    }
    if pattern.chars().filter(|c| !matches!(c, '*' | '?')).count() < 2 {
        let message = format!("\"{pattern}\" has fewer than two letters besides its wildcards");
        return Err((message, Some("write at least two letters, as in in?ner or co*".to_owned())));
    }
    Ok(Forms { pattern: Pattern::Wildcard(pattern), check: Check::Plain, id: 0 })
}
