//! `[fulltext]`, and the key of that name in other tables.

use super::document::Document;
use super::fields::Fields;
use crate::model::{Fulltext, PageBudget};

/// Limits for the reading of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FulltextConfig {
    /// For each host and day.
    pub budget: PageBudget,
    /// Pages read at the same time.
    pub concurrency: usize,
}

/// Reads the table.
pub(super) fn fulltext(document: &Document) -> FulltextConfig {
    let fields = &document.fulltext;
    FulltextConfig {
        budget: PageBudget {
            pages: u32::try_from(fields.count("pages_per_host")).unwrap_or(u32::MAX),
            bytes: fields.size("bytes_per_host"),
        },
        concurrency: fields.count("concurrency"),
    }
}

/// What a table says of pages, if it does.
pub(super) fn mode(fields: &Fields) -> Option<Fulltext> {
    fields.text("fulltext").and_then(|word| Fulltext::from_word(&word.text))
}
