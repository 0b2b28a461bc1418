//! Operators that count: OF, ATLEAST, SCORE.

use std::ops::Range;

use super::super::lexer::Lex;
use super::super::syntax::{Expr, Kind, SyntaxError};
use super::{Parser, Reading};

/// A member of OF or SCORE, and its weight with where that stands.
struct Member {
    expr: Expr,
    weight: Option<(i64, Range<usize>)>,
}

impl Parser<'_> {
    /// `2 OF (a, b, c)`
    pub(super) fn quorum(&mut self, number: &str, reading: Reading) -> Expr {
        let start = self.span_at(self.at).start;
        let head = start..self.span_at(self.at + 1).end;
        self.at += 2;
        let members = self.members(reading);
        for span in members.iter().filter_map(|member| member.weight.as_ref()).map(|(_, s)| s) {
            let error = SyntaxError::new(span.clone(), "a weight has a meaning inside SCORE only");
            self.errors.push(error.hint("write SCORE/10 (a^5, b^5)"));
        }
        let count = number.parse().ok().filter(|count| *count > 0).unwrap_or_else(|| {
            self.error(head, "OF wants a number from 1 to the number of its members");
            1
        });
        let parts = members.into_iter().map(|member| member.expr).collect();
        Expr::new(Kind::Of(count, parts), start..self.end_before())
    }

    pub(super) fn at_least(&mut self, count: usize, reading: Reading) -> Expr {
        let start = self.span_at(self.at).start;
        self.at += 1;
        let inner = self.bare_operand(reading);
        Expr::new(Kind::AtLeast(count, Box::new(inner)), start..self.end_before())
    }

    /// `SCORE/10 (a^5, b^-3)`
    pub(super) fn score(&mut self, threshold: i64, reading: Reading) -> Expr {
        let span = self.span_at(self.at);
        self.at += 1;
        if self.peek() != Some(&Lex::Open) {
            let error = SyntaxError::new(span.clone(), "SCORE wants its members in brackets");
            self.errors.push(error.hint("write SCORE/10 (a^5, \"b c\"^4, d^-10)"));
            return Expr::broken(span);
        }
        let (mut weights, mut parts) = (Vec::new(), Vec::new());
        for member in self.members(reading) {
            if member.weight.is_none() && !matches!(member.expr.kind, Kind::Broken) {
                let error = SyntaxError::new(member.expr.span.clone(), "this has no weight");
                self.errors.push(error.hint("write ^5 after it"));
            }
            weights.push(member.weight.map_or(1, |(weight, _)| weight));
            parts.push(member.expr);
        }
        Expr::new(Kind::Score(threshold, weights, parts), span.start..self.end_before())
    }

    /// Where the lexeme before this one ends.
    fn end_before(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.span_at(at).end)
    }

    /// What stands in brackets, separated by commas. The bracket is there.
    fn members(&mut self, reading: Reading) -> Vec<Member> {
        let open = self.span_at(self.at);
        let mut members = Vec::new();
        loop {
            self.at += 1;
            let outer = std::mem::replace(&mut self.commas, 1);
            let expr = self.level(reading);
            self.commas = outer;
            let weight = match self.peek() {
                Some(Lex::Weight(weight)) => Some((*weight, self.span_at(self.at))),
                _ => None,
            };
            self.at += usize::from(weight.is_some());
            members.push(Member { expr, weight });
            match self.peek() {
                Some(Lex::Comma) => {}
                Some(Lex::Close) => {
                    self.at += 1;
                    return members;
                }
                Some(_) => {
                    let span = self.span_at(self.at);
                    self.error(span, "a comma is missing before this");
                    self.at -= 1;
                }
                None => {
                    if !self.stopped {
                        self.error(open, "this bracket is never closed");
                    }
                    return members;
                }
            }
        }
    }
}
