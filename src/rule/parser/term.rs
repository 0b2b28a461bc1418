//! Words, phrases, lists and regular expressions.

use std::ops::Range;

use super::super::lexer::Lex;
use super::super::pattern::TextPattern;
use super::super::syntax::{Expr, Kind, ListRef, SyntaxError};
use super::super::term::{Mention, Style, Term};
use super::{Parser, Reading};

impl<'a> Parser<'a> {
    fn regex(&mut self, text: &str, any_case: bool, span: Range<usize>) -> Expr {
        match TextPattern::new(text, any_case, span.start + 1) {
            Ok(pattern) => Expr::new(Kind::Pattern(Box::new(pattern)), span),
            Err(error) => {
                self.errors.push(error);
                Expr::broken(span)
            }
        }
    }

    /// Reads what follows a scope that does not exist, only to find more
    /// problems.
    pub(super) fn missing_prefix(&mut self, reading: Reading) -> Expr {
        let span = self.span_at(self.at);
        self.at += 1;
        if self.begins_operand(self.at) {
            self.operand(reading);
        }
        Expr::broken(span)
    }

    pub(super) fn term(&mut self, kind: Lex<'a>, span: Range<usize>, reading: Reading) -> Expr {
        match reading {
            Reading::Words => {}
            _ => return self.name(&kind, span, reading),
        }
        let (style, text) = match kind {
            Lex::Word(text) => (Style::Word, text),
            Lex::Exact(text) => (Style::Exact, text),
            Lex::Form(text) => (Style::Form, text),
            Lex::Phrase(text) => (Style::Phrase, text),
            Lex::FormPhrase(text) => (Style::FormPhrase, text),
            Lex::Stem(text) => (Style::Stem, text),
            Lex::Regex(text, any_case) => return self.regex(text, any_case, span),
            Lex::List(name) => {
                let list = ListRef { name: name.to_owned(), body: None };
                return Expr::new(Kind::List(list), span);
            }
            _ => return Expr::broken(span),
        };
        match Term::new(style, text) {
            Ok(mut term) => {
                let mut span = span;
                if let Some(Lex::Loose(words)) = self.peek() {
                    term.loosen(*words);
                    span.end = self.span_at(self.at).end;
                    self.at += 1;
                }
                Expr::new(Kind::Term(Mention::new(term)), span)
            }
            Err((message, hint)) => {
                self.errors.push(SyntaxError { message, span: span.clone(), hint });
                Expr::broken(span)
            }
        }
    }
}
