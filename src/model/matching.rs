//! A rule satisfied, and the evidence.

use super::RuleName;

/// The part of an entry that a piece of evidence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The headline.
    Title,
    /// The body.
    Text,
    /// The authors, one a line.
    Author,
    /// The categories, one a line.
    Category,
    /// The outlet it was taken from: name, address and agency, one a line.
    Source,
    /// The link.
    Url,
    /// The feed's configured name.
    Feed,
    /// The language tag.
    Lang,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Title,
        Self::Text,
        Self::Author,
        Self::Category,
        Self::Source,
        Self::Url,
        Self::Feed,
        Self::Lang,
    ];

    /// The word used in rules and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Author => "author",
            Self::Category => "category",
            Self::Source => "source",
            Self::Url => "url",
            Self::Feed => "feed",
            Self::Lang => "lang",
        }
    }

    /// Reads [`Field::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
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
    /// Whether it hangs on words whose capitals say nothing, because the
    /// headline is all in capitals.
    pub capitals_only: bool,
}
