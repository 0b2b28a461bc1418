//! Which words an entry must have for a rule to hold, for a full-text index
//! to narrow a search by. The index holds our own tokens, each as one word.

use std::collections::BTreeSet;

use super::term::Pattern;
use super::vocabulary::{LiteralId, Vocabulary};
use crate::text::fold::fold;
use crate::text::token::scan;

/// More alternatives than this narrow nothing.
const MOST_FORMS: usize = 200;
/// Conditions of a query at the most; the rarest are taken.
const MOST_NEEDS: usize = 4;

/// The distinct words of a title and text for the full-text index: folded,
/// and without characters that would divide them there.
pub fn search_words(title: &str, text: &str) -> String {
    let mut words = BTreeSet::new();
    for text in [title, text] {
        for token in scan(text, false) {
            let surface = text.get(token.range).unwrap_or_default();
            let bare = if token.dotted { surface.replace('.', "") } else { surface.to_owned() };
            words.insert(encode(&fold(&bare)));
        }
    }
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// The index takes ASCII letters and digits and everything else but ASCII.
fn encode(form: &str) -> String {
    let shift = |c: char| match c {
        c if c.is_ascii_alphanumeric() || !c.is_ascii() => c,
        c => char::from_u32(0xE000 + u32::from(c)).unwrap_or(c),
    };
    form.chars().map(shift).collect()
}

/// The query of an FTS5 table for needs, each a set of literals of which one
/// must be there; `None` when they narrow nothing. The rarest come first.
pub(super) fn query(vocabulary: &Vocabulary, needs: &[Vec<LiteralId>]) -> Option<String> {
    let conditions = needs.iter().filter_map(|need| condition(vocabulary, need));
    let conditions: Vec<String> = conditions.take(MOST_NEEDS).collect();
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

fn condition(vocabulary: &Vocabulary, need: &[LiteralId]) -> Option<String> {
    let mut forms = BTreeSet::new();
    for id in need {
        match vocabulary.pattern(*id)? {
            Pattern::Keys(keys) => forms.extend(keys.iter().map(|key| quoted(key, false))),
            Pattern::Prefix(head) => {
                forms.insert(quoted(head, true));
            }
            Pattern::Wildcard(pattern) => {
                let head = pattern.split(['*', '?']).next().filter(|head| !head.is_empty())?;
                forms.insert(quoted(head, true));
            }
            // Its inflections may begin in other ways.
            Pattern::Stem(_) => return None,
        }
    }
    let all: Vec<String> = forms.into_iter().collect();
    (all.len() <= MOST_FORMS).then(|| format!("({})", all.join(" OR ")))
}

fn quoted(form: &str, prefix: bool) -> String {
    format!("\"{}\"{}", encode(form), if prefix { "*" } else { "" })
}
