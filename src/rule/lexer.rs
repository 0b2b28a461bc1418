//! Characters of an expression into lexemes.

pub(super) mod operator;
mod suffix;

use std::ops::Range;

use super::syntax::{Fields, Nearness, SyntaxError};
use operator::{Operator, is_digits, operator};

/// One lexeme, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Lexeme<'a> {
    pub(super) kind: Lex<'a>,
    pub(super) span: Range<usize>,
}

/// What a lexeme is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lex<'a> {
    Open,
    Close,
    Comma,
    And,
    Or,
    Not,
    /// A `-` right before a term.
    Minus,
    Scope(ScopeName),
    /// `NEAR/8`, `SENT` and their like, between two operands.
    Near(Nearness),
    /// `ATLEAST/3`
    AtLeast(usize),
    /// `SCORE/10`
    Score(i64),
    /// `~3` after a phrase.
    Loose(u32),
    /// `^5` after a member of SCORE.
    Weight(i64),
    Word(&'a str),
    Exact(&'a str),
    Form(&'a str),
    Phrase(&'a str),
    FormPhrase(&'a str),
    List(&'a str),
    /// `negotiate~`
    Stem(&'a str),
    /// `/.../`, and whether case does not count.
    Regex(&'a str, bool),
    /// What could not be read, and was told.
    Missing(Role),
}

/// What a scope looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeName {
    /// Words of these fields.
    Words(Fields),
    Feed,
    Site,
    Lang,
}

/// Where something that cannot be read stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Before a term or group.
    Prefix,
    /// Instead of a term.
    Term,
}

const SCOPES: [(&str, ScopeName); 11] = [
    ("title", ScopeName::Words(Fields::Title)),
    ("text", ScopeName::Words(Fields::Text)),
    ("lead", ScopeName::Words(Fields::Lead)),
    ("hlead", ScopeName::Words(Fields::Hlead)),
    ("author", ScopeName::Words(Fields::Author)),
    ("category", ScopeName::Words(Fields::Category)),
    ("source", ScopeName::Words(Fields::Source)),
    ("url", ScopeName::Words(Fields::Url)),
    ("feed", ScopeName::Feed),
    ("site", ScopeName::Site),
    ("lang", ScopeName::Lang),
];
/// Largest distance, in words.
const MOST_WORDS: u32 = 1_000;
/// Largest number of ATLEAST.
const MOST_TIMES: u32 = 1_000;
/// Largest threshold of SCORE.
const MOST_SCORE: u32 = 1_000_000;

/// Cuts an expression into lexemes, as far as it can be understood.
pub(super) fn lex(source: &str) -> (Vec<Lexeme<'_>>, Vec<SyntaxError>) {
    let mut lexer = Lexer { source, at: 0, lexemes: Vec::new(), errors: Vec::new() };
    while let Some(c) = lexer.peek() {
        lexer.next(c);
    }
    (lexer.lexemes, lexer.errors)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    lexemes: Vec<Lexeme<'a>>,
    errors: Vec<SyntaxError>,
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '＂')
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || is_quote(c) || "()（）{}｛｝,，~^".contains(c)
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.source.get(range).unwrap_or_default()
    }

    fn push(&mut self, kind: Lex<'a>, end: usize) {
        self.lexemes.push(Lexeme { kind, span: self.at..end });
        self.at = end;
    }

    fn next(&mut self, c: char) {
        let after = self.at + c.len_utf8();
        match c {
            c if c.is_whitespace() => self.at = after,
            '(' | '（' => self.push(Lex::Open, after),
            ')' | '）' => self.push(Lex::Close, after),
            ',' | '，' => self.push(Lex::Comma, after),
            '{' | '｛' => self.braces(after),
            '@' | '＠' => self.list(after),
            '/' => self.slash(),
            c if is_quote(c) => self.phrase(after, false),
            '=' if self.second().is_some_and(is_quote) => {
                let quote = self.second().map_or(0, char::len_utf8);
                self.phrase(after + quote, true);
            }
            '=' if self.second().is_some_and(|c| !ends_word(c)) => {
                let end = self.word_end(after);
                self.push(Lex::Form(self.slice(after..end)), end);
                self.suffix();
            }
            '-' if self.second().is_some_and(|c| !c.is_whitespace() && !"-)）,".contains(c)) => {
                self.push(Lex::Minus, after);
            }
            '^' => self.weight(),
            '}' | '｝' | '~' | '=' => {
                let message = format!("\"{c}\" does not belong here");
                self.errors.push(SyntaxError::new(self.at..after, message));
                self.at = after;
            }
            _ => self.word(),
        }
    }

    fn phrase(&mut self, start: usize, form: bool) {
        let Some(length) = self.slice(start..self.source.len()).find(is_quote) else {
            let span = self.at..start;
            let error = SyntaxError::new(span, "this quote is never closed");
            self.errors.push(error.hint("put a quote after the last word of the phrase"));
            let end = self.source.len();
            self.push(Lex::Missing(Role::Term), end);
            return;
        };
        let body = self.slice(start..start + length);
        let quote = self.slice(start + length..self.source.len()).chars().next();
        let end = start + length + quote.map_or(0, char::len_utf8);
        self.push(if form { Lex::FormPhrase(body) } else { Lex::Phrase(body) }, end);
        self.suffix();
    }

    fn braces(&mut self, start: usize) {
        let rest = self.slice(start..self.source.len());
        match rest.char_indices().find(|(_, c)| matches!(c, '}' | '｝')) {
            Some((length, brace)) => {
                let end = start + length + brace.len_utf8();
                self.push(Lex::Exact(self.slice(start..start + length)), end);
                self.suffix();
            }
            None => {
                let error = SyntaxError::new(self.at..start, "this brace is never closed");
                self.errors.push(error.hint("put } after the word"));
                self.push(Lex::Missing(Role::Term), self.source.len());
            }
        }
    }

    fn list(&mut self, start: usize) {
        let rest = self.slice(start..self.source.len());
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if length == 0 {
            self.errors.push(
                SyntaxError::new(self.at..start, "the name of a list must follow @")
                    .hint("to find a handle, write the word without @"),
            );
            self.push(Lex::Missing(Role::Term), start);
        } else {
            self.push(Lex::List(self.slice(start..start + length)), start + length);
        }
    }

    /// `/s`, `/p` and `/8` are operators; any other slash begins a regular
    /// expression.
    fn slash(&mut self) {
        let end = self.word_end(self.at);
        let body = self.slice(self.at + 1..end);
        match body {
            "s" | "S" => return self.push(Lex::Near(Nearness::Sentence), end),
            "p" | "P" => return self.push(Lex::Near(Nearness::Paragraph), end),
            _ if is_digits(body) => return self.distance(Nearness::Near, body, end),
            _ => {}
        }
        let mut escaped = false;
        let close = self.rest().char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '/' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let Some((length, _)) = close else {
            let span = self.at..self.at + 1;
            let error = SyntaxError::new(span, "this regular expression is never closed");
            self.errors.push(error.hint("put / after it; to find a slash, put the word in quotes"));
            return self.push(Lex::Missing(Role::Term), end.max(self.at + 1));
        };
        let body = self.slice(self.at + 1..self.at + length);
        let end = self.at + length + 1;
        let rest = self.slice(end..self.source.len());
        let any_case =
            rest.strip_prefix('i').is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        self.push(Lex::Regex(body, any_case), end + usize::from(any_case));
    }

    /// Where a word that begins at `start` ends.
    fn word_end(&self, start: usize) -> usize {
        let rest = self.slice(start..self.source.len());
        let digit = |at: Option<usize>| {
            at.and_then(|at| rest.as_bytes().get(at)).is_some_and(u8::is_ascii_digit)
        };
        let end = rest.char_indices().find(|(at, c)| {
            let grouped = *c == ',' && digit(at.checked_sub(1)) && digit(at.checked_add(1));
            ends_word(*c) && !grouped
        });
        start + end.map_or(rest.len(), |(length, _)| length)
    }

    fn word(&mut self) {
        let end = self.word_end(self.at);
        let word = self.slice(self.at..end);
        let head = word.split_once(':').map(|(head, _)| head);
        if let Some(name) =
            head.map(|head| head.trim_start_matches(|c| crate::text::fold::class(c).is_none()))
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphabetic())
        {
            return self.scope(name, end);
        }
        let opens = self.slice(end..self.source.len()).trim_start().starts_with(['(', '（']);
        match operator(word, opens) {
            Some(Operator::Known(kind)) => self.push(kind, end),
            Some(Operator::Distance(how, digits)) => self.distance(how, digits, end),
            Some(Operator::AtLeast(digits)) => {
                let count = self.number(digits, MOST_TIMES, end);
                self.push(Lex::AtLeast(usize::try_from(count).unwrap_or(1)), end);
            }
            Some(Operator::Score(digits)) => {
                let threshold = self.number(digits, MOST_SCORE, end);
                self.push(Lex::Score(i64::from(threshold)), end);
            }
            Some(Operator::NoDistance) => {
                let error = SyntaxError::new(self.at..end, format!("{word} needs a distance"));
                self.errors.push(error.hint(format!("write {word}/8: at most 8 words apart")));
                self.push(Lex::Near(Nearness::Near(8)), end);
            }
            None => {
                self.push(Lex::Word(word), end);
                self.suffix();
            }
        }
    }

    fn scope(&mut self, name: &str, word_end: usize) {
        let end = self.at + self.rest().find(':').unwrap_or_default() + 1;
        let lower = name.to_ascii_lowercase();
        if let Some((_, scope)) = SCOPES.iter().find(|(known, _)| *known == lower) {
            return self.push(Lex::Scope(*scope), end);
        }
        let close = |known: &&str| strsim::osa_distance(known, &lower) <= 2;
        let error = SyntaxError::new(self.at..end, format!("unknown scope \"{name}:\""));
        let hint = match SCOPES.iter().map(|(known, _)| *known).find(|known| close(known)) {
            Some(known) => format!("did you mean {known}:?"),
            None => format!(
                "put it in quotes to look for the words: \"{}\"",
                self.slice(self.at..word_end)
            ),
        };
        self.errors.push(error.hint(hint));
        self.push(Lex::Missing(Role::Prefix), end);
    }

    fn distance(&mut self, how: fn(u32) -> Nearness, digits: &str, end: usize) {
        let words = self.number(digits, MOST_WORDS, end);
        self.push(Lex::Near(how(words)), end);
    }

    /// A number from 1 to `most`; anything else is an error.
    fn number(&mut self, digits: &str, most: u32, end: usize) -> u32 {
        match digits.parse() {
            Ok(number @ 1..) if number <= most => number,
            _ => {
                let message = format!("{digits} does not do here: write a number from 1 to {most}");
                self.errors.push(SyntaxError::new(self.at..end, message));
                1
            }
        }
    }
}

/// Whether a bare word would be read as something else than a word.
pub(super) fn is_reserved(word: &str) -> bool {
    matches!(word, "and" | "or" | "not") || operator(word, true).is_some()
}
