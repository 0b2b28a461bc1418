//! Operands and the operators between them, up to a bracket: one expression,
//! or an explanation why it could mean more than one.

use std::ops::Range;

use super::lexer::operator;
use super::syntax::{Expr, Kind, Nearness, SyntaxError, shorten};
use super::term::Style;

/// What stands between two operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    And(Range<usize>),
    Or(Range<usize>),
    Near(Nearness, Range<usize>),
    /// Nothing at all.
    SideBySide,
    /// Something that was already reported.
    Unknown,
}

/// Operands, with one link fewer between them.
#[derive(Default)]
pub(super) struct Level {
    pub(super) operands: Vec<Expr>,
    pub(super) links: Vec<Link>,
}

impl Level {
    /// One expression of it all.
    pub(super) fn build(mut self, source: &str, errors: &mut Vec<SyntaxError>) -> Expr {
        if self.links.contains(&Link::SideBySide) {
            self.side_by_side(source, errors);
        } else if let Some(error) = self.unclear_nearness(source).or_else(|| self.mixed(source)) {
            errors.push(error);
        }
        self.join_near();
        if self.operands.len() == 1
            && let Some(only) = self.operands.pop()
        {
            return only;
        }
        let start = self.operands.first().map_or(0, |operand| operand.span.start);
        let end = self.operands.last().map_or(start, |operand| operand.span.end);
        let or = self.links.iter().any(|link| matches!(link, Link::Or(_)));
        let mut parts = Vec::new();
        for operand in self.operands {
            match operand.kind {
                Kind::And(inner) if !or => parts.extend(inner),
                Kind::Or(inner) if or => parts.extend(inner),
                _ => parts.push(operand),
            }
        }
        Expr::new(if or { Kind::Or(parts) } else { Kind::And(parts) }, start..end.max(start))
    }

    /// Makes one operand of those that a nearness combines: it binds tighter
    /// than AND, and goes from left to right.
    fn join_near(&mut self) {
        let links = std::mem::take(&mut self.links);
        let mut operands = std::mem::take(&mut self.operands).into_iter();
        self.operands.extend(operands.next());
        for (link, right) in links.into_iter().zip(operands) {
            match (link, self.operands.pop()) {
                (Link::Near(how, _), Some(left)) => {
                    let span = left.span.start..right.span.end.max(left.span.start);
                    let pair = Box::new([left, right]);
                    self.operands.push(Expr::new(Kind::Near(how, pair), span));
                }
                (link, left) => {
                    self.operands.extend(left);
                    self.links.push(link);
                    self.operands.push(right);
                }
            }
        }
    }

    /// The error for a nearness beside OR, or right beside another one: what
    /// it combines is anybody's guess.
    fn unclear_nearness(&self, source: &str) -> Option<SyntaxError> {
        let near = |at: usize| match self.links.get(at) {
            Some(Link::Near(how, span)) => Some((*how, span)),
            _ => None,
        };
        let beside = |at: usize| {
            let (how, (next, _)) = (near(at)?.0, near(at + 1)?);
            let clear = how == next && !matches!(how, Nearness::NotNear(_));
            (!clear).then(|| (at, next.to_string()))
        };
        let or = || {
            self.links.iter().find(|link| matches!(link, Link::Or(_)))?;
            let at = self.links.iter().position(|link| matches!(link, Link::Near(..)))?;
            Some((at, "OR".to_owned()))
        };
        let (at, other) = or().or_else(|| (0..self.links.len()).find_map(beside))?;
        let (how, span) = near(at)?;
        let side = |at: usize| self.operands.get(at).map(|operand| snippet(operand, source, 30));
        let (left, right) = (side(at)?, side(at + 1)?);
        let message = format!("{how} and {other} stand side by side and could be read in two ways");
        let hint = format!("put brackets around what {how} combines: ({left} {how} {right})");
        Some(SyntaxError::new(span.clone(), message).hint(hint))
    }

    /// Reports every run of operands without an operator between them.
    fn side_by_side(&self, source: &str, errors: &mut Vec<SyntaxError>) {
        let mut first = 0;
        while first < self.operands.len() {
            let linked = |link: &&Link| **link == Link::SideBySide;
            let count = self.links.iter().skip(first).take_while(linked).count();
            if let Some(run) = self.operands.get(first..=first + count).filter(|_| count > 0) {
                errors.extend(run_error(run, source));
            }
            first += count + 1;
        }
    }

    /// The error for AND and OR without brackets, if that is what we have.
    fn mixed(&self, source: &str) -> Option<SyntaxError> {
        let has = |wanted: fn(&Link) -> bool| self.links.iter().position(wanted);
        let and = has(|link| matches!(link, Link::And(_)))?;
        let or = has(|link| matches!(link, Link::Or(_)))?;
        let (Link::And(span) | Link::Or(span)) = self.links.get(and.max(or))? else { return None };
        let reading = |tight_and: bool| self.reading(source, tight_and);
        let hint = format!("write {} or {}", reading(true), reading(false));
        let message = "AND and OR stand side by side and could be read in two ways";
        Some(SyntaxError::new(span.clone(), message).hint(hint))
    }

    /// The level with brackets around what the tighter operator combines.
    fn reading(&self, source: &str, tight_and: bool) -> String {
        let tight = |link: Option<&Link>| match link {
            Some(Link::And(_)) => tight_and,
            Some(Link::Or(_)) => !tight_and,
            _ => false,
        };
        let mut out = String::new();
        for (at, operand) in self.operands.iter().enumerate() {
            let before = tight(at.checked_sub(1).and_then(|at| self.links.get(at)));
            let after = tight(self.links.get(at));
            if after && !before {
                out.push('(');
            }
            out.push_str(&snippet(operand, source, 30));
            if before && !after {
                out.push(')');
            }
            match self.links.get(at) {
                Some(Link::And(_)) => out.push_str(" AND "),
                Some(Link::Or(_)) => out.push_str(" OR "),
                _ => {}
            }
        }
        out
    }
}

fn snippet(operand: &Expr, source: &str, most: usize) -> String {
    let text = source.get(operand.span.clone()).unwrap_or_default();
    let one_line: Vec<&str> = text.split_whitespace().collect();
    shorten(&one_line.join(" "), most)
}

fn run_error(run: &[Expr], source: &str) -> Option<SyntaxError> {
    if run.iter().any(|operand| matches!(operand.kind, Kind::Broken)) {
        return None;
    }
    let (first, last) = (run.first()?, run.last()?);
    let meant = |operand: &Expr| {
        let word = source.get(operand.span.clone())?;
        Some((operand.span.clone(), word, operator::nearest(word)?))
    };
    let meant = run.iter().find_map(meant);
    let words: Vec<String> = run.iter().map(|operand| snippet(operand, source, 40)).collect();
    let plain =
        |operand: &Expr| matches!(&operand.kind, Kind::Term(term) if term.style == Style::Word);
    let both = words.join(" AND ");
    let hint = if run.iter().all(plain) {
        format!("write \"{}\" for the phrase, or {both} for all of the words", words.join(" "))
    } else {
        format!("write {both}, or OR between them")
    };
    if let Some((span, word, operator)) = meant {
        let error = SyntaxError::new(span, format!("there is no operator \"{word}\""));
        return Some(error.hint(format!("did you mean {operator}? otherwise {hint}")));
    }
    let message = "nothing says how these belong together";
    Some(SyntaxError::new(first.span.start..last.span.end, message).hint(hint))
}
