//! A rule's expression, ready to be asked.

use super::check;
use super::examples::{self, ExampleFailure};
use super::lists::{Lists, MOST_PARTS, too_large};
use super::parser::{Parsed, parse, parse_search};
use super::syntax::{Expr, Kind, SyntaxError};

/// Most terms of a rule, those of its lists included.
const MOST_TERMS: usize = 2000;
/// Evaluation recurses once for each of these, so it bounds the stack.
const MOST_DEPTH: usize = 256;

/// A rule's expression that was checked and can be evaluated.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) expr: Expr,
}

impl Compiled {
    /// Compiles an expression; with it come warnings. `has_filter` says that
    /// the rule names feeds or languages besides, which lets it consist of
    /// absences only.
    ///
    /// # Errors
    ///
    /// Every problem that was found, in order of place.
    pub fn new(
        source: &str,
        lists: &Lists,
        has_filter: bool,
    ) -> Result<(Self, Vec<SyntaxError>), Vec<SyntaxError>> {
        Self::of(parse(source), source, lists, has_filter)
    }

    /// Compiles what somebody searches for: words side by side are all wanted,
    /// and it may consist of absences.
    ///
    /// # Errors
    ///
    /// Every problem that was found, in order of place.
    pub fn search(
        source: &str,
        lists: &Lists,
    ) -> Result<(Self, Vec<SyntaxError>), Vec<SyntaxError>> {
        Self::of(parse_search(source), source, lists, true)
    }

    fn of(
        mut parsed: Parsed,
        source: &str,
        lists: &Lists,
        has_filter: bool,
    ) -> Result<(Self, Vec<SyntaxError>), Vec<SyntaxError>> {
        lists.link(&mut parsed.expr, &mut parsed.errors);
        let whole = 0..source.len();
        let mut errors = parsed.errors;
        if errors.is_empty() {
            let terms = lists.count_terms(&parsed.expr);
            if terms > MOST_TERMS {
                let message = format!("{terms} terms are too many: at most {MOST_TERMS}");
                errors.push(SyntaxError::new(whole, message).hint("make two rules of it"));
            } else if lists.size(&parsed.expr) > MOST_PARTS {
                errors.push(too_large(lists.size(&parsed.expr), whole));
            } else if lists.depth(&parsed.expr) > MOST_DEPTH {
                errors.push(SyntaxError::new(whole, "brackets and lists go too deep"));
            } else {
                check_sense(&parsed.expr, has_filter, &mut errors);
            }
        }
        if errors.is_empty() {
            check::surprises(&parsed.expr, &mut parsed.warnings);
            return Ok((Self { expr: parsed.expr }, parsed.warnings));
        }
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        Err(errors)
    }

    /// The rule in its one canonical form.
    pub fn canonical(&self) -> String {
        self.expr.canonical()
    }

    /// The lists that it mentions, and those that they mention, each once: name
    /// and canonical form.
    pub fn lists(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        mentioned(&self.expr, &mut found);
        found
    }

    /// Tries the rule on headlines that it should match and on headlines that
    /// it should ignore. Filters are left aside: the examples test the words.
    pub fn check_examples(&self, matches: &[String], ignores: &[String]) -> Vec<ExampleFailure> {
        examples::check(&self.expr, matches, ignores)
    }
}

fn mentioned(expr: &Expr, found: &mut Vec<(String, String)>) {
    if let Kind::List(list) = &expr.kind
        && let Some(body) = &list.body
        && !found.iter().any(|(name, _)| *name == list.name)
    {
        found.push((list.name.clone(), body.canonical()));
        mentioned(body, found);
    }
    expr.children().iter().for_each(|child| mentioned(child, found));
}

fn check_sense(expr: &Expr, has_filter: bool, errors: &mut Vec<SyntaxError>) {
    check::sense(expr, errors);
    if !has_filter && check::holds_for_nothing(expr) {
        let message = "this only says what must be absent, so nearly every story matches";
        let hint = "add a term that must be present, or name the rule's feeds or languages";
        errors.push(SyntaxError::new(expr.span.clone(), message).hint(hint));
    }
}
