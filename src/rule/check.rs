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
        Kind::Of(count, parts) => {
            parts.iter().filter(|part| holds_for_nothing(part)).count() >= *count
        }
        Kind::Score(threshold, weights, parts) => {
            let weighed = weights.iter().zip(parts).filter(|(_, part)| holds_for_nothing(part));
            weighed.map(|(weight, _)| weight).sum::<i64>() >= *threshold
        }
        Kind::Near(..) | Kind::AtLeast(..) => false,
        Kind::List(list) => list.body.as_ref().is_some_and(|body| holds_for_nothing(body)),
        Kind::Term(_)
        | Kind::Pattern(_)
        | Kind::Feed(_)
        | Kind::Site(_)
        | Kind::Lang(_)
        | Kind::Broken => false,
    }
}

/// Small words that are most often meant as something else.
const SURPRISES: [(&str, &str); 5] = [
    ("us", "US for the country"),
    ("it", "IT for the trade"),
    ("who", "WHO for the organisation"),
    ("may", "{May} for the month or name"),
    ("un", "UN for the organisation"),
];

/// Warns of words that are read otherwise than most people mean them.
pub(super) fn surprises(expr: &Expr, warnings: &mut Vec<SyntaxError>) {
    if let Kind::Term(term) = &expr.kind
        && let Some((word, other)) = SURPRISES.iter().find(|(word, _)| term.display == *word)
    {
        let message = format!("\"{word}\" finds the common word in nearly every story");
        let hint = format!("write {other}, or ={word} if you mean it");
        warnings.push(SyntaxError::new(expr.span.clone(), message).hint(hint));
    }
    expr.children().iter().for_each(|child| surprises(child, warnings));
}

/// Reports every AND that asks for something and for its absence, every
/// count that cannot be reached, and every operand of NEAR or ATLEAST that has
/// no place in a text.
pub(super) fn sense(expr: &Expr, errors: &mut Vec<SyntaxError>) {
    look(expr, Fields::Both, errors);
}

fn look(expr: &Expr, fields: Fields, errors: &mut Vec<SyntaxError>) {
    let fields = if let Kind::Scoped(fields, _) = expr.kind { fields } else { fields };
    if let Kind::And(parts) = &expr.kind {
        errors.extend(contradiction(parts, fields));
    }
    errors.extend(unreachable(expr));
    errors.extend(without_place(expr));
    for child in expr.children() {
        look(child, fields, errors);
    }
}

/// A count or threshold that its members cannot reach.
fn unreachable(expr: &Expr) -> Option<SyntaxError> {
    let (wanted, most) = match &expr.kind {
        Kind::Of(count, parts) => (*count as i64, parts.len() as i64),
        Kind::Score(threshold, weights, _) => {
            (*threshold, weights.iter().filter(|weight| **weight > 0).sum())
        }
        _ => return None,
    };
    let message = format!("this can never match: {wanted} are wanted, its members give {most}");
    (wanted > most).then(|| SyntaxError::new(expr.span.clone(), message).hint("lower the number"))
}

/// An operand of NEAR, SENT, PARA or ATLEAST of which nobody can say where it
/// stands.
fn without_place(expr: &Expr) -> Option<SyntaxError> {
    let operator = match &expr.kind {
        Kind::Near(how, _) => how.to_string(),
        Kind::AtLeast(count, _) => format!("ATLEAST/{count}"),
        _ => return None,
    };
    let (operand, what) =
        expr.children().iter().find_map(|operand| Some((operand, no_place(operand)?)))?;
    let message = format!("{operator} needs words that stand somewhere, and this has {what}");
    let hint = match (&operand.kind, &expr.kind) {
        (Kind::And(_), Kind::Near(how, _)) => {
            format!("write (a {how} c) AND (b {how} c), or a list with OR")
        }
        (Kind::Scoped(..), _) => "write the scope before the whole: title:(...)".to_owned(),
        _ => "combine words, phrases, OR and lists of them here; put the rest outside".to_owned(),
    };
    Some(SyntaxError::new(operand.span.clone(), message).hint(hint))
}

/// What keeps an expression from having a place.
fn no_place(expr: &Expr) -> Option<String> {
    let what = match &expr.kind {
        Kind::Term(_) | Kind::Pattern(_) | Kind::Broken => return None,
        Kind::Or(parts) => return parts.iter().find_map(no_place),
        // Its operands are looked at when its own turn comes.
        Kind::Near(..) => return None,
        Kind::List(list) => {
            let what = list.body.as_ref().and_then(|body| no_place(body))?;
            return Some(format!("@{} with {what}", list.name));
        }
        Kind::And(_) => "AND",
        Kind::Not(_) => "NOT",
        Kind::Of(..) => "OF",
        Kind::AtLeast(..) => "ATLEAST",
        Kind::Score(..) => "SCORE",
        Kind::Scoped(..) => "a scope",
        Kind::Feed(_) => "feed:",
        Kind::Site(_) => "site:",
        Kind::Lang(_) => "lang:",
    };
    Some(what.to_owned())
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
    // Most parts have more alternatives than anything forbids.
    let most = forbidden.iter().map(|(_, atoms)| atoms.len()).max().unwrap_or(0);
    let wanted = wanted.filter(|part| fewest_alternatives(part) <= most);
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

/// No more than the number of an expression's distinct alternatives, unless
/// it repeats itself.
fn fewest_alternatives(expr: &Expr) -> usize {
    match &expr.kind {
        Kind::Or(parts) if parts.len() > 64 => 0,
        Kind::Or(parts) => {
            let mut words: Vec<&str> = Vec::new();
            for part in parts {
                match &part.kind {
                    Kind::Term(term) if !words.contains(&term.display.as_str()) => {
                        words.push(&term.display);
                    }
                    Kind::Term(_) => {}
                    _ => return 0,
                }
            }
            words.len()
        }
        _ => 0,
    }
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
        Kind::Feed(_) | Kind::Site(_) | Kind::Lang(_) => {
            atoms.insert((expr.canonical(), Fields::Both));
        }
        _ => {
            atoms.insert((expr.canonical(), fields));
        }
    }
}
