//! The common shape of rules laid out flat: some of these words, and some of
//! those, and none of these. With many rules in force most of the time goes
//! into fetching them from memory, and this is one piece of it for each rule.

use crate::model::{Field, Span};

use super::analysis::{FieldText, Scratch};
use super::eval::{MOST_OCCURRENCES, Subject};
use super::syntax::{Expr, Fields, Kind};
use super::term::{Gap, Mention};
use super::vocabulary::LiteralId;

/// Marks an alternative of two words that follow each other.
const PAIR: u32 = 1 << 31;
/// Marks a clause of which nothing may be there.
const NOT: u32 = 1 << 31;

/// Rules in flat form, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// For each clause the number of its alternatives, perhaps with [`NOT`],
    /// and then these: a literal, or a literal with [`PAIR`] and the next one.
    code: Vec<u32>,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    from: u32,
    to: u32,
}

impl Flat {
    /// Lays a rule out, if it has the common shape.
    pub(super) fn add(&mut self, expr: &Expr) -> Option<Place> {
        let from = self.code.len();
        let parts = match &expr.kind {
            Kind::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        let excluded = |part: &&Expr| matches!(part.kind, Kind::Not(_));
        let wanted = parts.iter().filter(|part| !excluded(part));
        let laid =
            wanted.chain(parts.iter().filter(excluded)).try_for_each(|part| self.clause(part));
        if laid.is_none() || parts.iter().all(|part| excluded(&part)) {
            self.code.truncate(from);
            return None;
        }
        let offset = |at: usize| u32::try_from(at).ok();
        Some(Place { from: offset(from)?, to: offset(self.code.len())? })
    }

    fn clause(&mut self, part: &Expr) -> Option<()> {
        let (part, sign) = match &part.kind {
            Kind::Not(inner) => (inner.as_ref(), NOT),
            _ => (part, 0),
        };
        let terms = match &part.kind {
            Kind::Or(parts) => parts.as_slice(),
            _ => std::slice::from_ref(part),
        };
        self.code.push(u32::try_from(terms.len()).ok()? | sign);
        terms.iter().try_for_each(|term| match &term.kind {
            Kind::Term(term) => self.term(term),
            _ => None,
        })
    }

    fn term(&mut self, term: &Mention) -> Option<()> {
        match term.steps.as_slice() {
            [only] if term.alone => self.code.push(only.forms.id),
            [first, second] if term.must.is_some() && term.slack == 0 && second.gap == Gap::Any => {
                self.code.extend([first.forms.id | PAIR, second.forms.id]);
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a rule holds; the evidence goes to `out`.
    pub(super) fn holds(&self, place: Place, subject: &Subject<'_>, out: &mut Vec<Span>) -> bool {
        let code = self.code.get(place.from as usize..place.to as usize).unwrap_or_default();
        let mut code = code.iter().copied();
        while let Some(head) = code.next() {
            let before = out.len();
            for _ in 0..head & !NOT {
                let Some(first) = code.next() else { return false };
                let (first, second) = match first & PAIR {
                    0 => (first, None),
                    _ => (first & !PAIR, code.next()),
                };
                if is_there(subject.story.scratch, first, second) {
                    find(subject, first, second, out);
                }
            }
            let found = out.len() > before;
            if found == (head & NOT != 0) {
                return false;
            }
        }
        true
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.code.capacity() * size_of::<u32>()
    }
}

fn is_there(story: &Scratch, first: LiteralId, second: Option<LiteralId>) -> bool {
    story.has(first) && second.is_none_or(|second| story.has(second))
}

fn find(subject: &Subject<'_>, first: LiteralId, second: Option<LiteralId>, out: &mut Vec<Span>) {
    let before = out.len();
    for (field, text) in subject.fields(Fields::Both) {
        let room = MOST_OCCURRENCES - (out.len() - before);
        match second {
            None => {
                out.extend(text.positions(first).take(room).map(|at| text.span(field, at, at)));
            }
            Some(second) => out.extend(pairs(text, field, first, second).take(room)),
        }
    }
}

fn pairs<'a>(
    text: FieldText<'a>,
    field: Field,
    first: LiteralId,
    second: LiteralId,
) -> impl Iterator<Item = Span> + 'a {
    let follows =
        move |at: &usize| text.is(at + 1, second) && !text.gap_before(at + 1).contains('\n');
    text.positions(first).filter(follows).map(move |at| text.span(field, at, at + 1))
}
