//! The words of a rule one by one: which of them texts really have.

use super::eval::{Place, Subject};
use super::syntax::{Expr, Kind};

/// What the parts of a rule made of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anatomy {
    /// For each of [`RuleSet::words`](super::RuleSet::words): whether it
    /// occurs where the rule looks for it.
    pub words: Vec<bool>,
    /// Whether the rule would hold but for what it excludes.
    pub but_for_exclusions: bool,
}

/// The words, phrases and patterns of a rule and its lists, as they are
/// written, each once.
pub(super) fn words(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    each_word(expr, Place::TOP, &mut |word, _| {
        let written = word.canonical();
        if !found.contains(&written) {
            found.push(written);
        }
    });
    found
}

/// Looks at each of the words, which `words` gave, in a story.
pub(super) fn dissect(subject: &Subject<'_>, expr: &Expr, words: &[String]) -> Anatomy {
    let mut occurs = vec![false; words.len()];
    each_word(expr, Place::TOP, &mut |word, place| {
        let written = word.canonical();
        let at = words.iter().position(|known| *known == written);
        if let Some(occurs) = at.and_then(|at| occurs.get_mut(at)) {
            *occurs = *occurs || subject.holds(word, place, &mut Vec::new());
        }
    });
    Anatomy { words: occurs, but_for_exclusions: wanted_parts_hold(subject, expr) }
}

fn wanted_parts_hold(subject: &Subject<'_>, expr: &Expr) -> bool {
    let Kind::And(parts) = &expr.kind else { return false };
    let (unwanted, wanted): (Vec<&Expr>, Vec<&Expr>) =
        parts.iter().partition(|part| matches!(part.kind, Kind::Not(_)));
    let holds = |part: &&Expr| subject.holds(part, Place::TOP, &mut Vec::new());
    !unwanted.is_empty() && wanted.iter().all(holds) && !unwanted.iter().all(holds)
}

fn each_word(expr: &Expr, place: Place, found: &mut dyn FnMut(&Expr, Place)) {
    match &expr.kind {
        Kind::Term(_) | Kind::Pattern(_) => found(expr, place),
        Kind::List(list) => {
            if let Some(body) = &list.body {
                each_word(body, place, found);
            }
        }
        Kind::Scoped(fields, inner) => each_word(inner, Place { fields: *fields, ..place }, found),
        _ => expr.children().iter().for_each(|child| each_word(child, place, found)),
    }
}
