//! Words that are operators, with the ways in which other systems write them.

use super::super::syntax::{Fields, Nearness};
use super::{Lex, ScopeName};

/// What a word between or before operands may be.
pub(super) enum Operator<'a> {
    Known(Lex<'static>),
    Distance(fn(u32) -> Nearness, &'a str),
    AtLeast(&'a str),
    Score(&'a str),
    /// An operator whose distance was forgotten.
    NoDistance,
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a bare word is an operator; `opens` says that a bracket follows.
pub(super) fn operator(word: &str, opens: bool) -> Option<Operator<'_>> {
    match word {
        "AND" => return Some(Operator::Known(Lex::And)),
        "OR" => return Some(Operator::Known(Lex::Or)),
        "NOT" => return Some(Operator::Known(Lex::Not)),
        "SENT" => return Some(Operator::Known(Lex::Near(Nearness::Sentence))),
        "PARA" | "SAME" => return Some(Operator::Known(Lex::Near(Nearness::Paragraph))),
        "NEAR" | "PRE" => return Some(Operator::NoDistance),
        _ => {}
    }
    if opens && word.eq_ignore_ascii_case("hlead") {
        return Some(Operator::Known(Lex::Scope(ScopeName::Words(Fields::Hlead))));
    }
    let (letters, digits) = word.split_at(word.find(|c: char| !c.is_ascii_alphabetic())?);
    let name = letters.to_ascii_lowercase();
    let (slash, digits) = match digits.strip_prefix('/') {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    if !is_digits(digits) {
        return None;
    }
    match name.as_str() {
        "near" => Some(Operator::Distance(Nearness::Near, digits)),
        "w" if slash => Some(Operator::Distance(Nearness::Near, digits)),
        "adj" => Some(Operator::Distance(Nearness::Pre, digits)),
        "pre" | "before" | "onear" if slash => Some(Operator::Distance(Nearness::Pre, digits)),
        "atleast" if slash || opens => Some(Operator::AtLeast(digits)),
        "score" if slash => Some(Operator::Score(digits)),
        _ => None,
    }
}

/// The operator that a word in capitals between two operands was meant to be,
/// with the word's own number.
pub(in super::super) fn nearest(word: &str) -> Option<String> {
    const NAMES: [&str; 10] =
        ["AND", "OR", "NOT", "NEAR", "PRE", "SENT", "PARA", "OF", "ATLEAST", "SCORE"];
    let (name, rest) =
        word.split_at(word.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(word.len()));
    let digits = rest.strip_prefix('/').unwrap_or(rest);
    if name.len() < 2 || !(rest.is_empty() || is_digits(digits)) {
        return None;
    }
    let far = if name.len() > 3 && !rest.is_empty() { 2 } else { 1 };
    let close = NAMES.iter().map(|known| (strsim::osa_distance(known, name), *known)).min()?;
    let counts = matches!(close.1, "NEAR" | "PRE" | "ATLEAST" | "SCORE");
    // Short words in capitals are names more often than slips.
    let slip = close.0 <= far && (counts != rest.is_empty());
    (slip && !matches!(close.1, "OF")).then(|| match rest.is_empty() {
        true => close.1.to_owned(),
        false => format!("{}/{digits}", close.1),
    })
}
