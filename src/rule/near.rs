//! Operands that have a place in a text, and how near they are to each other.

use std::rc::Rc;
use std::sync::Arc;

use crate::model::{Field, Span};

use super::analysis::FieldText;
use super::eval::{MOST_OCCURRENCES, Place, Subject};
use super::find::occurrences;
use super::syntax::{Expr, Kind, ListRef, Nearness, Operands};

/// Most places of a nested operand; a text with more is looked at as far as that.
const MOST_HITS: usize = 10_000;

/// A place where an operand occurs, as positions of tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    first: usize,
    last: usize,
    /// What makes it one: parts with their first and last token. Empty when
    /// that is the hit itself.
    parts: Vec<(usize, usize)>,
}

impl Hit {
    fn parts(&self) -> Vec<(usize, usize)> {
        if self.parts.is_empty() { vec![(self.first, self.last)] } else { self.parts.clone() }
    }

    fn with(&self, other: &Self) -> Self {
        let mut parts = self.parts();
        parts.extend(other.parts());
        parts.sort_unstable();
        parts.dedup();
        Self { first: self.first.min(other.first), last: self.last.max(other.last), parts }
    }

    /// How many words apart they are; 0 when they share a word. Where one of
    /// several parts has the other between them, the nearest part counts.
    fn distance(&self, other: &Self) -> usize {
        if other.first > self.last || self.first > other.last {
            return apart((self.first, self.last), (other.first, other.last));
        }
        let (ours, theirs) = (self.parts(), other.parts());
        let pairs = ours.iter().flat_map(|a| theirs.iter().map(|b| apart(*a, *b)));
        pairs.min().unwrap_or(0)
    }
}

/// How many words on one begins after the other ends; 0 when they overlap.
fn apart(a: (usize, usize), b: (usize, usize)) -> usize {
    if b.0 > a.1 { b.0 - a.1 } else { a.0.saturating_sub(b.1) }
}

impl Subject<'_> {
    /// Whether two operands stand as asked; the evidence goes to `out`.
    pub(super) fn near(
        &self,
        how: Nearness,
        pair: &Operands,
        place: Place,
        out: &mut Vec<Span>,
    ) -> bool {
        let mut any = false;
        for (field, text) in self.fields(place.fields) {
            let [left, right] = pair.as_ref();
            let (a, b) = (self.hits(left, field, text), self.hits(right, field, text));
            let found = together(text, how, &a, &b, false);
            any |= !found.is_empty();
            tell(&found, field, text, out);
        }
        any
    }

    /// How many words at least the operands stand apart, where both are in one
    /// field.
    pub(super) fn distance(&self, pair: &Operands, place: Place) -> Option<usize> {
        let [left, right] = pair.as_ref();
        let mut nearest: Option<usize> = None;
        for (field, text) in self.fields(place.fields) {
            let (a, b) = (self.hits(left, field, text), self.hits(right, field, text));
            // Enough to say how far off a rule was; it need not be exact for long texts.
            let pairs = a.iter().take(100).flat_map(|hit| {
                b.iter().take(1_000).map(|other| hit.distance(other)).filter(|apart| *apart > 0)
            });
            nearest = nearest.into_iter().chain(pairs).min();
        }
        nearest
    }

    /// Whether an operand occurs often enough.
    pub(super) fn at_least(
        &self,
        count: usize,
        inner: &Expr,
        place: Place,
        out: &mut Vec<Span>,
    ) -> bool {
        let mut found = 0;
        for (field, text) in self.fields(place.fields) {
            let hits = longest(self.hits(inner, field, text).to_vec());
            found += hits.len();
            tell(&hits, field, text, out);
        }
        found >= count
    }

    /// Everywhere an operand occurs in a field, in order. What has no place
    /// occurs nowhere; such operands are refused before.
    fn hits(&self, expr: &Expr, field: Field, text: FieldText<'_>) -> Rc<[Hit]> {
        let mut hits: Vec<Hit> = match &expr.kind {
            Kind::Term(term) => {
                let found = occurrences(text, term).take(MOST_HITS);
                found.map(|(first, last)| Hit { first, last, parts: Vec::new() }).collect()
            }
            Kind::Pattern(pattern) => {
                let found = pattern.find(text.shown()).take(MOST_HITS);
                let places = found.filter_map(|range| text.tokens_of(range));
                places.map(|(first, last)| Hit { first, last, parts: Vec::new() }).collect()
            }
            Kind::List(list) => return self.list_hits(list, field, text),
            Kind::Or(parts) => {
                let all = parts.iter().map(|part| self.hits(part, field, text));
                all.flat_map(|hits| hits.to_vec()).collect()
            }
            Kind::Near(how, pair) => {
                let [left, right] = pair.as_ref();
                let (a, b) = (self.hits(left, field, text), self.hits(right, field, text));
                together(text, *how, &a, &b, true)
            }
            _ => Vec::new(),
        };
        hits.sort_unstable();
        hits.dedup();
        hits.into()
    }

    fn list_hits(&self, list: &ListRef, field: Field, text: FieldText<'_>) -> Rc<[Hit]> {
        let Some(body) = &list.body else { return Rc::default() };
        let key = (Arc::as_ptr(body) as usize, field, text.tokens.len());
        if let Some(known) = self.places.borrow().get(&key) {
            return Rc::clone(known);
        }
        let hits: Rc<[Hit]> = longest(self.hits(body, field, text).to_vec()).into();
        self.places.borrow_mut().insert(key, Rc::clone(&hits));
        hits
    }
}

fn tell(hits: &[Hit], field: Field, text: FieldText<'_>, out: &mut Vec<Span>) {
    for (first, last) in hits.iter().take(MOST_OCCURRENCES).flat_map(Hit::parts) {
        out.push(text.span(field, first, last));
    }
}

/// Leaves out what lies inside a longer one: in a list that has both, "South
/// China Sea" is no place of "China".
fn longest(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.first, std::cmp::Reverse(hit.last)));
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        if kept.last().is_none_or(|last| hit.last > last.last) {
            kept.push(hit);
        }
    }
    kept
}

/// The places of `a` that stand to one of `b` as asked, both in order. Each
/// with its nearest `b`, or with `all`.
fn together(field: FieldText<'_>, how: Nearness, a: &[Hit], b: &[Hit], all: bool) -> Vec<Hit> {
    let reach = b.iter().map(|hit| hit.last - hit.first).max().unwrap_or(0);
    let mut found = Vec::new();
    for hit in a {
        let (low, high) = window(field, how, hit, reach);
        let begin = b.partition_point(|other| other.first < low);
        let within = b.iter().skip(begin).take_while(|other| other.first <= high);
        let mut fitting = within.filter(|other| fits(field, how, hit, other));
        if matches!(how, Nearness::NotNear(_)) {
            found.extend(fitting.next().is_none().then(|| hit.clone()));
        } else if all {
            found.extend(fitting.map(|other| hit.with(other)));
        } else {
            let nearest = fitting.min_by_key(|other| (hit.distance(other), other.first));
            found.extend(nearest.map(|other| hit.with(other)));
        }
        // Of places that are not to be combined further, a few are told.
        if found.len() >= if all { MOST_HITS } else { MOST_OCCURRENCES } {
            break;
        }
    }
    found
}

/// First tokens that an operand near `hit` may have.
fn window(field: FieldText<'_>, how: Nearness, hit: &Hit, reach: usize) -> (usize, usize) {
    // Numbers of sentences and paragraphs only rise.
    let bounds = |numbers: &[u32]| {
        let wanted = numbers.get(hit.first).copied().unwrap_or_default();
        let first = numbers.partition_point(|number| *number < wanted);
        (first, numbers.partition_point(|number| *number <= wanted))
    };
    match how {
        Nearness::Near(words) | Nearness::NotNear(words) => {
            (hit.first.saturating_sub(words as usize + reach), hit.last + words as usize)
        }
        Nearness::Pre(words) => (hit.last + 1, hit.last + words as usize),
        Nearness::Sentence => bounds(field.sentences()),
        Nearness::Paragraph => bounds(field.paragraphs()),
    }
}

fn fits(field: FieldText<'_>, how: Nearness, hit: &Hit, other: &Hit) -> bool {
    let distance = hit.distance(other);
    let same = |of: &dyn Fn(usize) -> u32| {
        let one = of(hit.first);
        distance > 0 && [hit.last, other.first, other.last].iter().all(|at| of(*at) == one)
    };
    match how {
        Nearness::Near(words) => (1..=words as usize).contains(&distance),
        // What touches it is near as well, but not the very same words.
        Nearness::NotNear(words) => {
            distance <= words as usize && (hit.first, hit.last) != (other.first, other.last)
        }
        Nearness::Pre(words) => other.first > hit.last && distance <= words as usize,
        Nearness::Sentence => same(&|at| field.sentence(at)),
        Nearness::Paragraph => same(&|at| field.paragraph(at)),
    }
}
