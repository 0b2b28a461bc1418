//! Rules that can be read but make no sense.

use std::collections::HashSet;

use super::syntax::{Expr, Fields, Kind, SyntaxError, shorten};

/// Whether a story without any words, feed and language would match.
pub(super) fn holds_for_nothing(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::And(parts) => parts.iter().all(holds_for_nothing),
        Kind::Or(parts) => parts.iter().any(holds_for_nothing),
        Kind::Not(inner) => !holds_for_nothing(inner),
        Kind::Scoped(_, inner) => holds_for_nothing(inner),
        Kind::List(list) => list.body.as_ref().is_some_and(|body| holds_for_nothing(body)),
        Kind::Term(_) | Kind::Feed(_) | Kind::Lang(_) | Kind::Broken => false,
    }
}

/// Reports every AND that asks for something and for its absence.
pub(super) fn contradictions(expr: &Expr, errors: &mut Vec<SyntaxError>) {
    look(expr, Fields::Both, errors);
}

fn look(expr: &Expr, fields: Fields, errors: &mut Vec<SyntaxError>) {
    let fields = if let Kind::Scoped(fields, _) = expr.kind { fields } else { fields };
    if let Kind::And(parts) = &expr.kind {
        errors.extend(contradiction(parts, fields));
    }
    for child in expr.children() {
        look(child, fields, errors);
    }
}

type Atoms = HashSet<(String, Fields)>;

/// A part whose every alternative is forbidden by another part.
fn contradiction(parts: &[Expr], fields: Fields) -> Option<SyntaxError> {
    let forbidden: Vec<(&Expr, Atoms)> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            Kind::Not(inner) => Some((part, alternatives(inner, fields))),
            _ => None,
        })
        .collect();
    if forbidden.is_empty() {
        return None;
    }
    let wanted = parts.iter().filter(|part| !matches!(part.kind, Kind::Not(_)));
    wanted.map(|part| (part, alternatives(part, fields))).find_map(|(part, wanted)| {
        let (never, _) = forbidden.iter().find(|(_, atoms)| wanted.is_subset(atoms))?;
        let message = format!(
            "{} AND {} can never match",
            shorten(&part.canonical(), 40),
            shorten(&never.canonical(), 40)
        );
        Some(SyntaxError::new(never.span.clone(), message).hint("take one of the two out"))
    })
}

/// Atoms of which one must hold for `expr` to hold. A word in "title or
/// text" is two of them.
fn alternatives(expr: &Expr, fields: Fields) -> Atoms {
    let mut atoms = Atoms::new();
    collect(expr, fields, &mut atoms);
    atoms
}

fn collect(expr: &Expr, fields: Fields, atoms: &mut Atoms) {
    match &expr.kind {
        Kind::Or(parts) => parts.iter().for_each(|part| collect(part, fields, atoms)),
        Kind::Scoped(inner_fields, inner) => collect(inner, *inner_fields, atoms),
        Kind::List(list) => {
            if let Some(body) = &list.body {
                collect(body, fields, atoms);
            }
        }
        Kind::Term(term) if fields == Fields::Both => {
            atoms.insert((term.display.clone(), Fields::Title));
            atoms.insert((term.display.clone(), Fields::Text));
        }
        Kind::Feed(_) | Kind::Lang(_) => {
            atoms.insert((expr.canonical(), Fields::Both));
        }
        _ => {
            atoms.insert((expr.canonical(), fields));
        }
    }
}
