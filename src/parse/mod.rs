//! Bytes to entries. Pure.
//!
//! The format is found by the first characters, not by what a server says:
//! RSS comes as `text/html` often enough.

mod convert;
mod date;
mod decode;

use crate::model::{Decoding, Document, Entry, FeedHints};

pub use date::parse_date;

/// Entries kept of one document; the rest is cut with a warning.
pub const MAX_ENTRIES: usize = 5_000;
/// Bytes kept of a title.
pub const MAX_TITLE: usize = 1_000;
/// Bytes kept of a text.
pub const MAX_TEXT: usize = 256 * 1024;
/// Bytes kept of a link or GUID.
pub const MAX_LINK: usize = 4_096;

/// What a feed document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedFeed {
    /// The outlet's own name for the feed.
    pub title: Option<String>,
    /// In document order, newest first by custom.
    pub entries: Vec<Entry>,
    /// What was odd, for people.
    pub warnings: Vec<String>,
    /// Why the document counts as broken although its entries were read;
    /// empty for a sound one.
    pub repairs: Vec<String>,
    /// Which format it turned out to be, for example `RSS 2.0`.
    pub format: String,
    /// What it says of its rhythm and place.
    pub hints: FeedHints,
    /// How its bytes were read.
    pub decoding: Decoding,
}

/// Why a document gives no entries at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// A web page: often an error, consent or login page under the feed's URL.
    #[error("this is a web page, not a feed{0}")]
    WebPage(String),
    /// Neither XML nor JSON, or an XML document of another kind.
    #[error("not a feed that is understood (RSS, Atom, RDF, JSON Feed): {0}")]
    NotAFeed(String),
    /// A feed that breaks off or breaks the rules of its format.
    #[error("the feed is malformed: {0}")]
    Malformed(String),
}

/// Reads a feed document.
///
/// # Errors
/// When the document is no feed, or is broken beyond reading. An entry that
/// has neither title, text nor link is left out with a warning.
pub fn parse_feed(document: &Document) -> Result<ParsedFeed, ParseError> {
    let (text, decoding, mut warnings) = decode::decode(document);
    let head = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if head.is_empty() {
        return Err(ParseError::Empty);
    }
    if let Some(title) = web_page_title(head) {
        return Err(ParseError::WebPage(title));
    }
    let feed = parse_strictly(head, document.base_url.as_deref())?;
    let mut parsed = convert::feed(feed, document.base_url.as_deref());
    warnings.append(&mut parsed.warnings);
    Ok(ParsedFeed { warnings, decoding, ..parsed })
}

/// Documents are hostile: a panic of the parser below costs this one only.
fn parse_strictly(text: &str, base: Option<&str>) -> Result<feed_rs::model::Feed, ParseError> {
    let parsing = || convert::builder(base).build().parse(text.as_bytes());
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(parsing)) {
        Ok(parsed) => parsed.map_err(convert::error),
        Err(_) => Err(ParseError::Malformed("the parser failed on it".to_string())),
    }
}

/// Says whether the text begins like HTML, and what its title is.
fn web_page_title(head: &str) -> Option<String> {
    let start: String = head.chars().take(1_024).collect::<String>().to_ascii_lowercase();
    if !start.starts_with("<!doctype html") && !start.starts_with("<html") {
        return None;
    }
    let title = start
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| format!(" (its title is \"{}\")", convert::clean(title)));
    Some(title.unwrap_or_default())
}

#[cfg(test)]
mod tests;
