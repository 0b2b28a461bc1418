//! Characters of an expression into lexemes.

use std::ops::Range;

use super::syntax::SyntaxError;

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
    Word(&'a str),
    Exact(&'a str),
    Form(&'a str),
    Phrase(&'a str),
    FormPhrase(&'a str),
    List(&'a str),
    /// Part of the language, but not of this version.
    Missing(Role),
}

/// A scope that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeName {
    Title,
    Text,
    Feed,
    Lang,
}

/// Where a missing piece of the language stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Between two terms.
    Infix,
    /// Before a term or group.
    Prefix,
    /// Instead of a term.
    Term,
}

const SCOPES: [(&str, ScopeName); 4] = [
    ("title", ScopeName::Title),
    ("text", ScopeName::Text),
    ("feed", ScopeName::Feed),
    ("lang", ScopeName::Lang),
];
const MISSING_SCOPES: [&str; 7] = ["lead", "hlead", "author", "category", "source", "site", "url"];

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

    fn missing(&mut self, role: Role, end: usize, what: &str) {
        let message = format!("{what} is not available in this version");
        self.errors.push(SyntaxError::new(self.at..end, message));
        self.push(Lex::Missing(role), end);
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
            '}' | '｝' | '~' | '^' | '=' => {
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
        let operator = matches!(body, "s" | "p" | "S" | "P")
            || (!body.is_empty() && body.chars().all(|c| c.is_ascii_digit()));
        if operator {
            self.missing(Role::Infix, end, self.slice(self.at..end));
            return;
        }
        let mut escaped = false;
        let close = self.rest().char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '/' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let end = close.map_or(end, |(length, _)| self.at + length + 1);
        self.missing(Role::Term, end.max(self.at + 1), "a regular expression");
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
            head.map(|head| head.trim_start_matches(|c| super::fold::class(c).is_none()))
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphabetic())
        {
            return self.scope(name, end);
        }
        let opens = self.slice(end..self.source.len()).trim_start().starts_with(['(', '（']);
        match operator(word, opens) {
            Some(Operator::Known(kind)) => self.push(kind, end),
            Some(Operator::Missing(role)) => self.missing(role, end, word),
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
        if MISSING_SCOPES.contains(&lower.as_str()) {
            return self.missing(Role::Prefix, end, &format!("{lower}:"));
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

    /// Refuses `~`, `~3` and `^5` after a term.
    fn suffix(&mut self) {
        let Some(mark) = self.peek().filter(|c| matches!(c, '~' | '^')) else { return };
        let rest = self.slice(self.at + 1..self.source.len());
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let end = self.at + 1 + digits;
        let what = match (mark, self.lexemes.last().map(|lexeme| &lexeme.kind)) {
            ('^', _) => "a weight (^)",
            (_, Some(Lex::Phrase(_) | Lex::FormPhrase(_))) => "a loose phrase (~)",
            _ => "a stem (~)",
        };
        let start = self.lexemes.last().map_or(self.at, |lexeme| lexeme.span.start);
        let message = format!("{what} is not available in this version");
        self.errors.push(SyntaxError::new(start..end, message));
        self.at = end;
    }
}

/// Whether a bare word would be read as something else than a word.
pub(super) fn is_reserved(word: &str) -> bool {
    matches!(word, "and" | "or" | "not") || operator(word, true).is_some()
}

enum Operator {
    Known(Lex<'static>),
    Missing(Role),
}

/// Whether a bare word is an operator; `opens` says that a bracket follows.
fn operator(word: &str, opens: bool) -> Option<Operator> {
    match word {
        "AND" => return Some(Operator::Known(Lex::And)),
        "OR" => return Some(Operator::Known(Lex::Or)),
        "NOT" => return Some(Operator::Known(Lex::Not)),
        "NEAR" | "SENT" | "PARA" | "SAME" => return Some(Operator::Missing(Role::Infix)),
        _ => {}
    }
    let lower = word.to_ascii_lowercase();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((name, _)) = lower.split_once('/').filter(|(_, number)| digits(number)) {
        return match name {
            "near" | "w" | "pre" | "before" | "onear" => Some(Operator::Missing(Role::Infix)),
            "atleast" | "score" => Some(Operator::Missing(Role::Prefix)),
            _ => None,
        };
    }
    if ["near", "adj"].iter().any(|name| lower.strip_prefix(name).is_some_and(digits)) {
        return Some(Operator::Missing(Role::Infix));
    }
    let called = lower == "hlead" || lower.strip_prefix("atleast").is_some_and(digits);
    (opens && called).then_some(Operator::Missing(Role::Prefix))
}
