//! Where a term occurs in a text.

use std::ops::Range;

use super::eval::wildcard_match;
use super::fold::exact;
use super::term::{Check, Forms, Gap, Pattern, Step, Term};
use super::token::{FieldText, Letters, Token};

/// The first `most` occurrences of a term, as byte ranges without a final
/// possessive.
pub(super) fn find(field: &FieldText<'_>, term: &Term, most: usize) -> Vec<Range<usize>> {
    occurrences(field, term)
        .filter_map(|(first, last)| {
            Some(field.tokens.get(first)?.start..field.tokens.get(last)?.end)
        })
        .take(most)
        .collect()
}

/// Every occurrence of a term in order, as positions of its first and last
/// token: the shortest from each place.
pub(super) fn occurrences(
    field: &FieldText<'_>,
    term: &Term,
) -> impl Iterator<Item = (usize, usize)> {
    let starts = starts(field, term).into_iter();
    starts.filter_map(|start| Some((start, matches_from(field, term, start)?)))
}

/// Positions where the term may begin, in order.
fn starts(field: &FieldText<'_>, term: &Term) -> Vec<usize> {
    let first = term.steps.first().map(|step| &step.forms);
    let joined = term.joins.iter().filter(|join| join.from == 0).map(|join| &join.forms);
    let mut found = Vec::new();
    for forms in first.into_iter().chain(joined) {
        match &forms.pattern {
            Pattern::Keys(keys) => {
                found.extend(keys.iter().flat_map(|key| field.positions(key)));
            }
            pattern => {
                let fitting = field.forms().filter(|(form, _)| fits(pattern, form));
                found.extend(fitting.flat_map(|(_, positions)| positions));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The last token of the shortest occurrence that begins at `start`.
fn matches_from(field: &FieldText<'_>, term: &Term, start: usize) -> Option<usize> {
    // Steps that may be due at the token we look at: several, because
    // hyphenated parts may be written as one word.
    // Each with the extra words that were stepped over before it.
    let mut due = vec![(0, 0)];
    let mut at = start;
    while !due.is_empty() {
        let token = field.tokens.get(at)?;
        let before = at.checked_sub(1).filter(|_| at > start);
        let before = before.and_then(|at| field.tokens.get(at));
        let mut next = Vec::new();
        for &(number, extra) in &due {
            let Some(step) = term.steps.get(number) else { continue };
            if !follows(field, before, token, step) {
                continue;
            }
            if accepts(field, &step.forms, token) {
                next.push((number + 1, extra));
            }
            if at > start && extra < term.slack && step.gap == Gap::Any {
                next.push((number, extra + 1));
            }
            for join in term.joins.iter().filter(|join| join.from == number) {
                if accepts(field, &join.forms, token) {
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

/// Whether what lies between two tokens is what the step asks for.
fn follows(field: &FieldText<'_>, before: Option<&Token>, token: &Token, step: &Step) -> bool {
    before.is_none_or(|before| {
        before.paragraph == token.paragraph && step.gap.allows(field.gap(before, token))
    })
}

fn fits(pattern: &Pattern, form: &str) -> bool {
    match pattern {
        Pattern::Keys(keys) => keys.iter().any(|key| key == form),
        Pattern::Prefix(prefix) => form.starts_with(prefix.as_str()),
        Pattern::Wildcard(pattern) => {
            // Most forms fall at the letters before the first wildcard.
            let head = pattern.split(['*', '?']).next().unwrap_or_default();
            form.starts_with(head) && wildcard_match(pattern, form, true)
        }
    }
}

fn accepts(field: &FieldText<'_>, forms: &Forms, token: &Token) -> bool {
    if !fits(&forms.pattern, field.form(token)) {
        return false;
    }
    let surface = field.surface(token);
    match &forms.check {
        Check::Plain => !token.dotted,
        Check::Dotted => token.dotted,
        Check::Capitals { common } => {
            token.letters == Letters::Capitals && (token.dotted || !(*common && token.shouted))
        }
        Check::CapitalsOrInitial => token.letters != Letters::Other,
        Check::Exactly(wanted) => exact(surface).trim_end_matches('.') == wanted,
        Check::Contains(rows) => {
            !token.dotted && rows.iter().all(|row| row.iter().any(|part| surface.contains(part)))
        }
    }
}
