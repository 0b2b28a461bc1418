//! A rule satisfied, and the evidence.

use super::RuleName;

/// The part of an entry that a piece of evidence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The headline.
    Title,
    /// The body.
    Text,
    /// The feed's configured name.
    Feed,
    /// The language tag.
    Lang,
}

impl Field {
    /// The word used in rules and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Feed => "feed",
            Self::Lang => "lang",
        }
    }

    /// Reads [`Field::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Title, Self::Text, Self::Feed, Self::Lang]
            .into_iter()
            .find(|field| field.as_str() == word)
    }
}

/// Where a piece of evidence stands: byte offsets into the field's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Which field.
    pub field: Field,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A rule that holds for an entry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule.
    pub rule: RuleName,
    /// Evidence for every clause that made it true, in order of field and
    /// place, without repeats.
    pub spans: Vec<Span>,
}
