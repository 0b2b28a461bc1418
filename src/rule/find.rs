//! Where a term occurs in a text.

use super::analysis::FieldText;
use super::term::{Gap, Step, Term};

/// Every occurrence of a term in order, as positions of its first and last
/// token: the shortest from each place.
pub(super) fn occurrences<'a>(
    field: FieldText<'a>,
    term: &'a Term,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let starts = starts(field, term).into_iter();
    starts.filter_map(move |start| Some((start, matches_from(field, term, start)?)))
}

/// Positions where the term may begin, in order.
fn starts(field: FieldText<'_>, term: &Term) -> Vec<usize> {
    // Unless it may be written as one word, each of its words must be there.
    if term.joins.is_empty() && term.steps.iter().any(|step| !field.has(step.forms.id)) {
        return Vec::new();
    }
    let first = term.steps.first().map(|step| &step.forms);
    let joined = term.joins.iter().filter(|join| join.from == 0).map(|join| &join.forms);
    let mut found = Vec::new();
    let mut sources = 0;
    for forms in first.into_iter().chain(joined) {
        found.extend(field.positions(forms.id));
        sources += 1;
    }
    if sources > 1 {
        found.sort_unstable();
        found.dedup();
    }
    found
}

/// The last token of the shortest occurrence that begins at `start`.
fn matches_from(field: FieldText<'_>, term: &Term, start: usize) -> Option<usize> {
    if let [_] = term.steps.as_slice() {
        return Some(start);
    }
    // Steps that may be due at the token we look at: several, because
    // hyphenated parts may be written as one word.
    // Each with the extra words that were stepped over before it.
    let mut due = vec![(0, 0)];
    let mut at = start;
    while !due.is_empty() {
        field.tokens.get(at)?;
        let mut next = Vec::new();
        for &(number, extra) in &due {
            let Some(step) = term.steps.get(number) else { continue };
            if at > start && !follows(field, at, step) {
                continue;
            }
            if field.is(at, step.forms.id) {
                next.push((number + 1, extra));
            }
            if at > start && extra < term.slack && step.gap == Gap::Any {
                next.push((number, extra + 1));
            }
            for join in term.joins.iter().filter(|join| join.from == number) {
                if field.is(at, join.forms.id) {
                    next.push((number + join.count, extra));
                }
            }
        }
        if next.iter().any(|(number, _)| *number == term.steps.len()) {
            return Some(at);
        }
        next.sort_unstable();
        next.dedup();
        due = next;
        at += 1;
    }
    None
}

/// Whether what lies between a token and the one before it is what the step
/// asks for.
fn follows(field: FieldText<'_>, at: usize, step: &Step) -> bool {
    let gap = field.gap_before(at);
    !gap.contains('\n') && step.gap.allows(gap)
}
