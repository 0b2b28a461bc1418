//! A rule's own tests, and why one failed.

use super::analysis::{Scratch, Story};
use super::bind::Binder;
use super::eval::{Origin, Place, Subject};
use super::item::{self, Item};
use super::syntax::{Expr, Fields, Kind, Nearness, Operands, shorten};

/// An example that came out wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFailure {
    /// Its number among the examples of its kind, from 0.
    pub index: usize,
    /// Whether the rule should have matched it.
    pub expected_match: bool,
    /// Which part of the rule decided.
    pub reason: String,
}

/// Tries all examples, each as a headline without a body.
pub(super) fn check(expr: &Expr, matches: &[String], ignores: &[String]) -> Vec<ExampleFailure> {
    let wanted = matches.iter().enumerate().map(|example| (example, true));
    let unwanted = ignores.iter().enumerate().map(|example| (example, false));
    let (mut binder, mut expr) = (Binder::default(), expr.clone());
    binder.bind(&mut expr);
    let mut scratch = Scratch::default();
    let failed = |((index, headline), expected_match): ((usize, &String), bool)| {
        let item = Item { title: headline, ..Item::default() };
        let texts = item.texts(false);
        let parts = item::parts(&texts);
        scratch.read(&binder.vocabulary, &parts);
        let story = Story::new(&scratch, &binder.vocabulary, parts, None);
        let subject = Subject::new(story, Origin::Assumed);
        let reason = failure(&subject, &expr, headline, expected_match)?;
        Some(ExampleFailure { index, expected_match, reason })
    };
    wanted.chain(unwanted).filter_map(failed).collect()
}

/// Why an example came out other than expected.
fn failure(subject: &Subject<'_>, expr: &Expr, headline: &str, expected: bool) -> Option<String> {
    let mut spans = Vec::new();
    match subject.holds(expr, Place::TOP, &mut spans) {
        holds if holds == expected => None,
        true => {
            spans.sort_unstable_by_key(|span| (span.start, span.end));
            spans.dedup();
            let words: Vec<String> = spans
                .iter()
                .filter_map(|span| headline.get(span.start..span.end))
                .map(|word| format!("\"{word}\""))
                .collect();
            Some(because(&words))
        }
        false => Some(why_not(subject, expr, Place::TOP)),
    }
}

fn because(words: &[String]) -> String {
    match words {
        [] => "matched because nothing forbids it".to_owned(),
        [only] => format!("matched because of {only}"),
        [first @ .., last] => format!("matched because of {} and {last}", first.join(", ")),
    }
}

/// Why a rule does not hold, with what did; and whether but one part is
/// missing.
pub(super) fn closest(subject: &Subject<'_>, expr: &Expr) -> (String, bool) {
    let reason = why_not(subject, expr, Place::TOP);
    let Kind::And(parts) = &expr.kind else { return (reason, false) };
    let holds = |part: &&Expr| subject.holds(part, Place::TOP, &mut Vec::new());
    let held: Vec<&Expr> = parts.iter().filter(holds).collect();
    let wanted = held.iter().filter(|part| !matches!(part.kind, Kind::Not(_)));
    let shown: Vec<String> = wanted.map(|part| shorten(&part.canonical(), 40)).collect();
    // What a NOT alone excluded had all that was asked for.
    let nearly = held.len() + 1 == parts.len() && !shown.is_empty();
    if shown.is_empty() {
        return (reason, nearly);
    }
    (format!("it has {}; but {reason}", shown.join(" and ")), nearly)
}

/// The first part that kept `expr` from holding.
pub(super) fn why_not(subject: &Subject<'_>, expr: &Expr, place: Place) -> String {
    let fields = place.fields.phrase();
    match &expr.kind {
        Kind::And(parts) => {
            let failed = parts.iter().find(|part| !subject.holds(part, place, &mut Vec::new()));
            failed.map_or_else(String::new, |part| why_not(subject, part, place))
        }
        Kind::Or(parts) => format!("none of {} in {fields}", alternatives(parts)),
        Kind::Not(inner) => {
            let below = Place { positive: !place.positive, ..place };
            format!("excluded by {}", culprit(subject, inner, below))
        }
        Kind::Term(term) => format!("no {} in {fields}", quoted(&term.display)),
        Kind::List(list) => match &list.body {
            Some(body) if !matches!(body.kind, Kind::Or(_) | Kind::Term(_)) => {
                format!("@{}: {}", list.name, why_not(subject, body, place))
            }
            _ => format!("no member of @{} in {fields}", list.name),
        },
        Kind::Near(how, pair) => not_near(subject, *how, pair, place),
        Kind::Of(count, parts) => {
            let met = parts.iter().filter(|p| subject.holds(p, place, &mut Vec::new()));
            format!("{} of {} in {fields}, {count} wanted", met.count(), alternatives(parts))
        }
        Kind::AtLeast(count, inner) => {
            format!("fewer than {count} times {} in {fields}", shorten(&inner.canonical(), 60))
        }
        Kind::Score(threshold, weights, parts) => {
            let weighed = weights.iter().zip(parts);
            let met = weighed.filter(|(_, p)| subject.holds(p, place, &mut Vec::new()));
            let sum: i64 = met.map(|(weight, _)| weight).sum();
            format!("a score of {sum} in {fields}, {threshold} wanted")
        }
        Kind::Scoped(fields, inner) => why_not(subject, inner, Place { fields: *fields, ..place }),
        Kind::Pattern(_) => format!("no {} in {fields}", expr.canonical()),
        Kind::Feed(_) | Kind::Site(_) | Kind::Lang(_) | Kind::Broken => {
            format!("not {}", expr.canonical())
        }
    }
}

/// Which side is missing, or that both are there but not so.
fn not_near(subject: &Subject<'_>, how: Nearness, pair: &Operands, place: Place) -> String {
    let [left, right] = pair.as_ref();
    for side in [left, right] {
        let needed = std::ptr::eq(side, left) || !matches!(how, Nearness::NotNear(_));
        if needed && !subject.holds(side, place, &mut Vec::new()) {
            return why_not(subject, side, place);
        }
    }
    let (left, right) = (shorten(&left.canonical(), 40), shorten(&right.canonical(), 40));
    match subject.distance(pair, place) {
        Some(apart) if !matches!(how, Nearness::NotNear(_)) => {
            format!("{left} and {right} are there, but {apart} words apart, not as {how} wants")
        }
        _ => format!("{left} and {right} are there, but not as {how} wants"),
    }
}

fn alternatives(parts: &[Expr]) -> String {
    let mut shown: Vec<String> =
        parts.iter().take(6).map(|part| shorten(&part.canonical(), 40)).collect();
    if parts.len() > shown.len() {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// The first alternative below a NOT that holds.
fn culprit(subject: &Subject<'_>, expr: &Expr, place: Place) -> String {
    match &expr.kind {
        Kind::Or(parts) => {
            let found = parts.iter().find(|part| subject.holds(part, place, &mut Vec::new()));
            found.map_or_else(String::new, |part| culprit(subject, part, place))
        }
        Kind::Scoped(fields, inner) => culprit(subject, inner, Place { fields: *fields, ..place }),
        Kind::Term(term) if place.fields == Fields::Both => quoted(&term.display),
        Kind::Term(term) => format!("{} in {}", quoted(&term.display), place.fields.phrase()),
        _ => shorten(&expr.canonical(), 60),
    }
}

fn quoted(display: &str) -> String {
    if display.contains('"') { display.to_owned() } else { format!("\"{display}\"") }
}
