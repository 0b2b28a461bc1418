//! Hyphenated parts written as one word.

use super::{Check, Forms, Pattern};

/// Parts of a hyphenated word on their way to becoming one.
pub(super) struct Joined {
    /// All parts but the last, first form only.
    head: String,
    /// The forms of the last part.
    tails: Vec<String>,
    wildcard: bool,
    contains: Vec<Vec<String>>,
}

impl Joined {
    pub(super) fn new(first: &Forms) -> Self {
        let mut joined = Self {
            head: String::new(),
            tails: vec![String::new()],
            wildcard: false,
            contains: vec![],
        };
        joined.push(first);
        joined
    }

    /// Adds a part; false when it is one that always stands alone.
    pub(super) fn push(&mut self, part: &Forms) -> bool {
        let forms = match &part.pattern {
            Pattern::Keys(keys) => keys.clone(),
            Pattern::Wildcard(pattern) => {
                self.wildcard = true;
                vec![pattern.clone()]
            }
            Pattern::Prefix(_) | Pattern::Stem(_) => return false,
        };
        let Some(bare) = forms.first() else { return false };
        if let Some(tail) = self.tails.first() {
            self.head.push_str(tail);
        }
        let capitals: String = bare.chars().flat_map(char::to_uppercase).collect();
        match part.check {
            Check::Capitals { .. } => self.contains.push(vec![capitals]),
            Check::CapitalsOrInitial => {
                let mut rest = bare.chars();
                let initial = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest);
                self.contains.push(vec![initial.collect(), capitals]);
            }
            _ => {}
        }
        self.tails = forms;
        true
    }

    pub(super) fn forms(&self) -> Forms {
        let whole = |tail: &String| format!("{}{tail}", self.head);
        let pattern = if self.wildcard {
            Pattern::Wildcard(self.tails.first().map(whole).unwrap_or_default())
        } else {
            Pattern::Keys(self.tails.iter().map(whole).collect())
        };
        let contains = self.contains.clone();
        let check = if contains.is_empty() { Check::Plain } else { Check::Contains(contains) };
        Forms { pattern, check, id: 0 }
    }
}
