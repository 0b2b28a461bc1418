//! Lexemes into an expression. Goes on after an error where that makes
//! sense, so that one reading finds every problem.

mod members;
mod name;
mod term;

use std::ops::Range;

use super::level::{Level, Link};
use super::lexer::{Lex, Lexeme, Role, ScopeName, lex};
use super::syntax::{Expr, Kind, Nearness, SyntaxError};

/// Most bytes of an expression.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// Most levels of brackets and lists in each other.
pub(super) const MOST_LEVELS: usize = 64;
/// More errors than this are not worth reading.
const MOST_ERRORS: usize = 50;

/// What came of reading an expression.
pub(super) struct Parsed {
    /// Whole if there are no errors; otherwise with gaps.
    pub(super) expr: Expr,
    pub(super) errors: Vec<SyntaxError>,
    pub(super) warnings: Vec<SyntaxError>,
}

/// Reads an expression. Names of lists are not looked up.
pub(super) fn parse(source: &str) -> Parsed {
    read(source, false)
}

/// The same; words side by side are all wanted, as people search.
pub(super) fn parse_search(source: &str) -> Parsed {
    read(source, true)
}

fn read(source: &str, side_by_side: bool) -> Parsed {
    let whole = 0..source.len();
    let refused = |error| Parsed {
        expr: Expr::broken(whole.clone()),
        errors: vec![error],
        warnings: Vec::new(),
    };
    if source.len() > MOST_BYTES {
        let message = format!("{} bytes are too long: at most 64 KiB", source.len());
        return refused(SyntaxError::new(whole.clone(), message).hint("move parts into lists"));
    }
    let (lexemes, errors) = lex(source);
    if lexemes.is_empty() && errors.is_empty() {
        return refused(SyntaxError::new(whole.clone(), "there is nothing to look for"));
    }
    let mut parser = Parser {
        source,
        lexemes,
        at: 0,
        levels: 0,
        commas: 0,
        stopped: false,
        side_by_side,
        errors,
        warnings: Vec::new(),
    };
    let expr = parser.whole();
    parser.errors.sort_by_key(|error| (error.span.start, error.span.end));
    parser.errors.dedup();
    parser.errors.truncate(MOST_ERRORS);
    Parsed { expr, errors: parser.errors, warnings: parser.warnings }
}

/// What a bare word means where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Words,
    Feeds,
    Sites,
    Langs,
}

struct Parser<'a> {
    source: &'a str,
    lexemes: Vec<Lexeme<'a>>,
    at: usize,
    /// Brackets and prefixes we are inside of.
    levels: usize,
    /// Whether commas and weights end an operand here (1) or not (0).
    commas: usize,
    /// Whether the rest was left unread, so that nothing can be said of its end.
    stopped: bool,
    /// Whether words side by side are all wanted.
    side_by_side: bool,
    errors: Vec<SyntaxError>,
    warnings: Vec<SyntaxError>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Lex<'a>> {
        self.lexemes.get(self.at).map(|lexeme| &lexeme.kind)
    }

    fn span_at(&self, at: usize) -> Range<usize> {
        let end = self.source.len();
        self.lexemes.get(at).map_or(end..end, |lexeme| lexeme.span.clone())
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.errors.push(SyntaxError::new(span, message));
    }

    fn whole(&mut self) -> Expr {
        let mut exprs = Vec::new();
        while self.at < self.lexemes.len() {
            if self.peek() == Some(&Lex::Close) {
                let span = self.span_at(self.at);
                self.error(span, "this bracket was never opened");
                self.at += 1;
            } else {
                exprs.push(self.level(Reading::Words));
            }
        }
        match (exprs.pop(), exprs.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                exprs.extend(last);
                Expr::new(Kind::And(exprs), 0..self.source.len())
            }
        }
    }

    /// Operands and operators up to a closing bracket or the end.
    fn level(&mut self, reading: Reading) -> Expr {
        let mut level = Level::default();
        loop {
            let operand = self.operand(reading);
            level.operands.push(operand);
            match self.link() {
                Some(link) => level.links.push(link),
                None => break,
            }
        }
        level.build(self.source, &mut self.errors)
    }

    /// What combines the operand just read with the next.
    fn link(&mut self) -> Option<Link> {
        let span = self.span_at(self.at);
        let next = self.lexemes.get(self.at + 1).map(|lexeme| &lexeme.kind);
        let link = match self.peek()? {
            Lex::Close => return None,
            Lex::Not if matches!(next, Some(Lex::Near(_))) => return Some(self.not_near(span)),
            Lex::Word("not") if matches!(next, Some(Lex::Near(_))) => {
                self.warn_small(span.clone(), "NOT");
                return Some(self.not_near(span));
            }
            Lex::Near(how) => Link::Near(*how, span),
            // After a name, or a phrase that was refused.
            Lex::Loose(_) => {
                self.error(span, "only words of a text can have others between them");
                self.at += 1;
                return self.link();
            }
            Lex::Weight(_) if self.commas > 0 => return None,
            Lex::Weight(_) => {
                let error = SyntaxError::new(span, "a weight has a meaning inside SCORE only");
                self.errors.push(error.hint("write SCORE/10 (a^5, b^5)"));
                self.at += 1;
                return self.link();
            }
            Lex::Not | Lex::Minus => return Some(Link::And(span)),
            Lex::Word("not") if self.begins_operand(self.at + 1) => return Some(Link::And(span)),
            Lex::And => Link::And(span),
            Lex::Or => Link::Or(span),
            Lex::Word(word @ ("and" | "or")) if self.begins_operand(self.at + 1) => {
                let is_and = *word == "and";
                self.warn_small(span.clone(), if is_and { "AND" } else { "OR" });
                if is_and { Link::And(span) } else { Link::Or(span) }
            }
            Lex::Comma if self.commas > 0 => return None,
            Lex::Comma => {
                let error = SyntaxError::new(span, "a comma does not combine terms");
                self.errors.push(error.hint("write OR between them if one of them is enough"));
                Link::Unknown
            }
            _ if self.side_by_side => return Some(Link::And(span.start..span.start)),
            _ => return Some(Link::SideBySide),
        };
        self.at += 1;
        Some(link)
    }

    /// `NOT NEAR/3` between two operands.
    fn not_near(&mut self, not: Range<usize>) -> Link {
        let near = self.span_at(self.at + 1);
        let span = not.start..near.end;
        let words = match self.lexemes.get(self.at + 1).map(|lexeme| &lexeme.kind) {
            Some(Lex::Near(Nearness::Near(words))) => Some(*words),
            _ => None,
        };
        self.at += 2;
        let Some(words) = words else {
            let error = SyntaxError::new(span, "NOT goes with NEAR/8 only");
            self.errors.push(error.hint("write a NOT NEAR/8 b, or a AND NOT (a SENT b)"));
            return Link::Unknown;
        };
        Link::Near(Nearness::NotNear(words), span)
    }

    fn begins_operand(&self, at: usize) -> bool {
        !matches!(
            self.lexemes.get(at).map(|lexeme| &lexeme.kind),
            None | Some(
                Lex::Close | Lex::Comma | Lex::And | Lex::Or | Lex::Near(_) | Lex::Weight(_)
            )
        )
    }

    fn warn_small(&mut self, span: Range<usize>, operator: &str) {
        let word = operator.to_ascii_lowercase();
        let warning = SyntaxError::new(span, format!("\"{word}\" is read as {operator}"));
        let hint = format!("write {operator}, or \"{word}\" in quotes to look for the word");
        self.warnings.push(warning.hint(hint));
    }

    /// One term or group, with the NOTs before it.
    fn operand(&mut self, reading: Reading) -> Expr {
        let start = self.span_at(self.at).start;
        let mut negated = false;
        loop {
            match self.peek() {
                Some(Lex::Not | Lex::Minus) => {}
                Some(Lex::Word("not")) if self.begins_operand(self.at + 1) => {
                    self.warn_small(self.span_at(self.at), "NOT");
                }
                _ => break,
            }
            negated = !negated;
            self.at += 1;
        }
        let expr = self.bare_operand(reading);
        let span = start..expr.span.end.max(start);
        if negated { expr.negated(span) } else { expr }
    }

    fn bare_operand(&mut self, reading: Reading) -> Expr {
        let span = self.span_at(self.at);
        let Some(kind) = self.peek().cloned() else { return self.nothing_follows() };
        match kind {
            Lex::Close => self.nothing_follows(),
            Lex::And | Lex::Or | Lex::Comma | Lex::Near(_) | Lex::Weight(_) | Lex::Loose(_) => {
                let what = self.source.get(span.clone()).unwrap_or_default();
                let message = format!("\"{what}\" has nothing before it to combine");
                self.error(span.clone(), message);
                // `link` steps over it, and the next operand stands by itself.
                Expr::broken(span.start..span.start)
            }
            Lex::Open => self.nested(|parser| parser.group(reading)),
            Lex::Scope(name) => self.nested(|parser| parser.scoped(name, reading)),
            Lex::Missing(Role::Prefix) => self.nested(|parser| parser.missing_prefix(reading)),
            Lex::Word(number) if self.is_quorum(number) => {
                self.nested(|parser| parser.quorum(number, reading))
            }
            Lex::AtLeast(count) => self.nested(|parser| parser.at_least(count, reading)),
            Lex::Score(threshold) => self.nested(|parser| parser.score(threshold, reading)),
            kind => {
                self.at += 1;
                self.term(kind, span, reading)
            }
        }
    }

    /// `2 OF (`
    fn is_quorum(&self, number: &str) -> bool {
        let next = |ahead: usize| self.lexemes.get(self.at + ahead).map(|lexeme| &lexeme.kind);
        number.bytes().all(|b| b.is_ascii_digit())
            && matches!(next(1), Some(Lex::Word("OF" | "of")))
            && next(2) == Some(&Lex::Open)
    }

    fn nothing_follows(&mut self) -> Expr {
        let end = self.span_at(self.at).start;
        let before = self.at.checked_sub(1).map(|at| self.span_at(at));
        let span = before.unwrap_or(end..end);
        let what = self.source.get(span.clone()).unwrap_or_default();
        let empty = matches!(what, "(" | "（");
        let message = if empty {
            "there is nothing between these brackets".to_owned()
        } else {
            format!("nothing follows \"{what}\"")
        };
        let span = if empty { span.start..self.span_at(self.at).end } else { span };
        self.error(span, message);
        Expr::broken(end..end)
    }

    /// Goes one level down, unless that is too deep.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Expr) -> Expr {
        if self.levels >= MOST_LEVELS {
            let span = self.span_at(self.at);
            let message = format!("brackets stand in more than {MOST_LEVELS} levels");
            self.errors.push(SyntaxError::new(span.clone(), message).hint("use lists"));
            self.at = self.lexemes.len();
            self.stopped = true;
            return Expr::broken(span);
        }
        self.levels += 1;
        let expr = inner(self);
        self.levels -= 1;
        expr
    }

    fn group(&mut self, reading: Reading) -> Expr {
        let open = self.span_at(self.at);
        self.at += 1;
        let commas = std::mem::take(&mut self.commas);
        let mut expr = self.level(reading);
        self.commas = commas;
        if self.peek() == Some(&Lex::Close) {
            expr.span = open.start..self.span_at(self.at).end;
            self.at += 1;
        } else if !self.stopped {
            self.error(open, "this bracket is never closed");
        }
        expr
    }

    fn scoped(&mut self, name: ScopeName, reading: Reading) -> Expr {
        let mut span = self.span_at(self.at);
        self.at += 1;
        if reading != Reading::Words {
            self.error(span.clone(), "a scope cannot stand inside feed:, site: or lang:");
        }
        if let Some(Lex::Scope(_)) = self.peek() {
            let second = self.span_at(self.at);
            self.error(second, "a term can have only one scope");
            self.at += 1;
        }
        let (reading, fields) = match name {
            ScopeName::Words(fields) => (Reading::Words, Some(fields)),
            ScopeName::Feed => (Reading::Feeds, None),
            ScopeName::Site => (Reading::Sites, None),
            ScopeName::Lang => (Reading::Langs, None),
        };
        let inner = self.operand(reading);
        span.end = inner.span.end.max(span.end);
        match fields {
            Some(fields) => Expr::new(Kind::Scoped(fields, Box::new(inner)), span),
            None => Expr { span, ..inner },
        }
    }
}
