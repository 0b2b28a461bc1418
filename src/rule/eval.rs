//! Whether an expression holds for a story, and which words made it hold.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::model::{Field, Span};

use super::find::find;
use super::fold::fold;
use super::language;
use super::near::Hit;
use super::syntax::{Expr, Fields, Kind, ListRef};
use super::term::Term;
use super::token::FieldText;

/// Most occurrences of one term that are told.
pub(super) const MOST_OCCURRENCES: usize = 8;

/// A story that rules are asked about.
pub(super) struct Subject<'a> {
    pub(super) title: FieldText<'a>,
    pub(super) text: FieldText<'a>,
    source: Source<'a>,
    /// What lists came to, for they are shared by rules.
    lists: RefCell<HashMap<(usize, Place), Evidence>>,
    /// Where lists occur in a field.
    pub(super) places: RefCell<Places>,
}

/// The spans of something that holds; `None` if it does not.
type Evidence = Option<Rc<[Span]>>;

/// Where lists occur, by the list and the field.
pub(super) type Places = HashMap<(usize, Field), Rc<[Hit]>>;

/// Where a story comes from.
pub(super) enum Source<'a> {
    /// Anywhere that pleases the rule: only its words are of interest.
    Assumed,
    /// From this feed.
    Known {
        /// Its configured name.
        feed: &'a str,
        /// The language it states.
        lang: Option<&'a str>,
        /// The language its words are in, once somebody asked.
        detected: OnceCell<Option<&'static str>>,
    },
}

/// Where in an expression we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) fields: Fields,
    /// Not below an odd number of NOTs.
    pub(super) positive: bool,
}

impl Place {
    /// The top of an expression.
    pub(super) const TOP: Self = Self { fields: Fields::Both, positive: true };
}

impl<'a> Subject<'a> {
    /// Analyses a story.
    pub(super) fn new(title: &'a str, text: &'a str, source: Source<'a>) -> Self {
        Self {
            title: FieldText::new(title),
            text: FieldText::new(text),
            source,
            lists: RefCell::default(),
            places: RefCell::default(),
        }
    }

    /// The language, as stated or else as its words tell.
    pub(super) fn language(&self) -> Option<&str> {
        let Source::Known { lang, detected, .. } = &self.source else { return None };
        let stated = lang.map(str::trim).filter(|tag| !tag.is_empty());
        let detect = || language::detect(self.title.text, self.text.text);
        stated.or_else(|| *detected.get_or_init(detect))
    }

    /// Whether `expr` holds; if it does, the evidence goes to `out`.
    pub(super) fn holds(&self, expr: &Expr, place: Place, out: &mut Vec<Span>) -> bool {
        let before = out.len();
        let holds = match &expr.kind {
            Kind::And(parts) => parts.iter().all(|part| self.holds(part, place, out)),
            Kind::Or(parts) => {
                let mut any = false;
                for part in parts {
                    any |= self.holds(part, place, out);
                }
                any
            }
            Kind::Not(inner) => {
                let below = Place { positive: !place.positive, ..place };
                let holds = self.holds(inner, below, out);
                out.truncate(before);
                !holds
            }
            Kind::Term(term) => self.term(term, place.fields, out),
            Kind::List(list) => self.list(list, place, out),
            Kind::Scoped(fields, inner) => {
                self.holds(inner, Place { fields: *fields, ..place }, out)
            }
            Kind::Near(how, pair) => self.near(*how, pair, place, out),
            Kind::Of(count, parts) => {
                let mut met = 0;
                for part in parts {
                    met += usize::from(self.holds(part, place, out));
                }
                met >= *count
            }
            Kind::AtLeast(count, inner) => self.at_least(*count, inner, place, out),
            Kind::Score(threshold, weights, parts) => {
                let weighed = weights.iter().zip(parts);
                let sum: i64 = weighed.map(|(w, part)| self.weigh(*w, part, place, out)).sum();
                sum >= *threshold
            }
            Kind::Feed(pattern) => self.feed(pattern, place, out),
            Kind::Lang(tag) => self.lang(tag, place, out),
            Kind::Broken => false,
        };
        if !holds {
            out.truncate(before);
        }
        holds
    }

    /// A member's weight if it holds. What counts against the rule is no
    /// evidence for it.
    fn weigh(&self, weight: i64, part: &Expr, place: Place, out: &mut Vec<Span>) -> i64 {
        let before = out.len();
        let place = Place { positive: place.positive == (weight > 0), ..place };
        let holds = self.holds(part, place, out);
        if weight < 0 {
            out.truncate(before);
        }
        if holds { weight } else { 0 }
    }

    fn term(&self, term: &Term, fields: Fields, out: &mut Vec<Span>) -> bool {
        let before = out.len();
        let in_title = (Field::Title, &self.title, fields != Fields::Text);
        let in_text = (Field::Text, &self.text, fields != Fields::Title);
        for (field, text, wanted) in [in_title, in_text] {
            let room = MOST_OCCURRENCES - (out.len() - before);
            if wanted && room > 0 {
                let found = find(text, term, room).into_iter();
                out.extend(found.map(|range| Span { field, start: range.start, end: range.end }));
            }
        }
        out.len() > before
    }

    fn list(&self, list: &ListRef, place: Place, out: &mut Vec<Span>) -> bool {
        let Some(body) = &list.body else { return false };
        let key = (Arc::as_ptr(body) as usize, place);
        let known = self.lists.borrow().get(&key).cloned();
        let evidence = known.unwrap_or_else(|| {
            let mut spans = Vec::new();
            let holds = self.holds(body, place, &mut spans);
            let evidence: Evidence = holds.then(|| longest(spans).into());
            self.lists.borrow_mut().insert(key, Evidence::clone(&evidence));
            evidence
        });
        out.extend(evidence.iter().flat_map(|spans| spans.iter()));
        evidence.is_some()
    }

    fn feed(&self, pattern: &str, place: Place, out: &mut Vec<Span>) -> bool {
        let Source::Known { feed, .. } = &self.source else { return place.positive };
        let holds = wildcard_match(&fold(pattern), &fold(feed), false);
        if holds {
            out.push(Span { field: Field::Feed, start: 0, end: feed.len() });
        }
        holds
    }

    fn lang(&self, wanted: &str, place: Place, out: &mut Vec<Span>) -> bool {
        let Source::Known { lang, .. } = &self.source else { return place.positive };
        let holds = self.language().is_some_and(|tag| language::is_kind_of(tag, wanted));
        if holds {
            // A language that was detected stands nowhere.
            out.push(Span { field: Field::Lang, start: 0, end: lang.map_or(0, str::len) });
        }
        holds
    }
}

/// Leaves out what lies inside a longer piece: in a list that has both, "South
/// China Sea" is no evidence of "China".
fn longest(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.field, span.start, std::cmp::Reverse(span.end)));
    spans.dedup();
    let mut kept: Vec<Span> = Vec::new();
    for span in spans {
        let inside =
            kept.last().is_some_and(|last| last.field == span.field && span.end <= last.end);
        if !inside {
            kept.push(span);
        }
    }
    kept
}

/// Whether `text` fits `pattern`, where `*` is any characters and, with
/// `question`, `?` is any one. Takes time in proportion to the product of the
/// lengths at worst.
pub(super) fn wildcard_match(pattern: &str, text: &str, question: bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == c || (question && wanted == '?') => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}
