//! Whether an expression holds for a story, and which words made it hold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::model::{Field, Span};

use super::analysis::{FieldText, Story};
use super::find::occurrences;
use super::near::Hit;
use super::pattern::TextPattern;
use super::syntax::{Expr, Fields, Kind, ListRef};
use super::term::Mention;
use crate::text::fold::fold;
use crate::text::language;

/// Most occurrences of one term that are told.
pub(super) const MOST_OCCURRENCES: usize = 8;
/// How many words are the lead of a text.
const LEAD: usize = 60;

/// A story that rules are asked about.
pub(super) struct Subject<'a> {
    pub(super) story: Story<'a>,
    origin: Origin<'a>,
    /// What lists came to, for they are shared by rules.
    lists: RefCell<HashMap<(usize, Place), Evidence>>,
    /// Where lists occur in a field.
    pub(super) places: RefCell<Places>,
}

/// The spans of something that holds; `None` if it does not.
type Evidence = Option<Rc<[Span]>>;

/// Where lists occur, by the list and where it was looked for.
pub(super) type Places = HashMap<(usize, Field, usize), Rc<[Hit]>>;

/// Where a story comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// Anywhere that pleases the rule: only its words are of interest.
    Assumed,
    /// From a feed.
    Known {
        /// Its configured name.
        feed: &'a str,
        /// The story's link.
        url: &'a str,
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
    /// A story that was read.
    pub(super) fn new(story: Story<'a>, origin: Origin<'a>) -> Self {
        Self { story, origin, lists: RefCell::default(), places: RefCell::default() }
    }

    /// The parts of the story that a scope looks at.
    pub(super) fn fields(&self, fields: Fields) -> impl Iterator<Item = (Field, FieldText<'_>)> {
        let scratch = self.story.scratch;
        fields.parts().iter().map(move |(field, lead)| {
            let whole = scratch.field(*field as usize, &self.story);
            (*field, if *lead { whole.lead(LEAD) } else { whole })
        })
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
            Kind::Pattern(pattern) => self.pattern(pattern, place.fields, out),
            Kind::Feed(pattern) => self.feed(pattern, place, out),
            Kind::Site(pattern) => self.site(pattern, place, out),
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

    fn term(&self, term: &Mention, fields: Fields, out: &mut Vec<Span>) -> bool {
        if term.must.is_some_and(|id| !self.story.scratch.has(id)) {
            return false;
        }
        let before = out.len();
        for (field, text) in self.fields(fields) {
            let room = MOST_OCCURRENCES - (out.len() - before);
            if let Some(id) = term.must.filter(|_| term.alone) {
                out.extend(text.positions(id).take(room).map(|at| text.span(field, at, at)));
            } else if room > 0 {
                let found = occurrences(text, term).take(room);
                out.extend(found.map(|(first, last)| text.span(field, first, last)));
            }
        }
        out.len() > before
    }

    fn pattern(&self, pattern: &TextPattern, fields: Fields, out: &mut Vec<Span>) -> bool {
        let before = out.len();
        for (field, text) in self.fields(fields) {
            let room = MOST_OCCURRENCES - (out.len() - before);
            let found = pattern.find(text.shown()).take(room);
            out.extend(found.map(|range| Span { field, start: range.start, end: range.end }));
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
        let Origin::Known { feed, .. } = self.origin else { return place.positive };
        let holds = wildcard_match(&fold(pattern), &fold(feed), false);
        if holds {
            out.push(Span { field: Field::Feed, start: 0, end: feed.len() });
        }
        holds
    }

    /// `site:example.org` is that host and all below it.
    fn site(&self, pattern: &str, place: Place, out: &mut Vec<Span>) -> bool {
        let Origin::Known { url, .. } = self.origin else { return place.positive };
        let Some(range) = host(url) else { return false };
        let host = fold(url.get(range.clone()).unwrap_or_default());
        let pattern = fold(pattern);
        let below = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let holds = std::iter::once(host.as_str())
            .chain(below)
            .any(|host| wildcard_match(&pattern, host, false));
        if holds {
            out.push(Span { field: Field::Url, start: range.start, end: range.end });
        }
        holds
    }

    fn lang(&self, wanted: &str, place: Place, out: &mut Vec<Span>) -> bool {
        let Origin::Known { .. } = self.origin else { return place.positive };
        let holds = self.story.language().is_some_and(|tag| language::is_kind_of(tag, wanted));
        if holds {
            // A language that was detected stands nowhere.
            let end = self.story.stated.map_or(0, str::len);
            out.push(Span { field: Field::Lang, start: 0, end });
        }
        holds
    }
}

/// Where the host stands in a URL, without a port and user.
fn host(url: &str) -> Option<std::ops::Range<usize>> {
    let start = url.find("://")? + 3;
    let rest = url.get(start..)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let user = authority.rfind('@').map_or(0, |at| at + 1);
    let name = authority.get(user..)?;
    let length = name.find(':').filter(|_| !name.starts_with('[')).unwrap_or(name.len());
    (length > 0).then_some(start + user..start + user + length)
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
