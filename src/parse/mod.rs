//! Bytes to entries. Pure.
//!
//! The format is found in the document, not by what a server says: RSS comes
//! as `text/html` often enough. See docs/decisions/reading.md.

mod build;
mod convert;
mod date;
mod decode;
mod entity;
mod entry;
mod feed;
mod field;
mod json;
mod names;
mod read;
mod repair;
mod root;
mod text;
mod tree;
mod weight;
mod xml;

use std::borrow::Cow;

use crate::model::{Decoding, Document, Entry, FeedHints};

use repair::{Repair, Repairs};

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
    /// The document breaks off: what came after is missing. Its validators must
    /// not be kept, or "not modified" would hide the rest for good.
    pub cut: bool,
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
/// One lenient reader reads sound and broken documents alike; the strict
/// reader (feed-rs) is asked where ours had to mend something or found
/// nothing, and the one with more entries is believed.
///
/// # Errors
/// When the document is no feed, or is broken beyond reading. An item
/// that is empty is left out with a warning.
pub fn parse_feed(document: &Document) -> Result<ParsedFeed, ParseError> {
    let (text, decoding, mut warnings) = decode::decode(document);
    let head = text.trim_start_matches(['\u{feff}', '\u{fffe}', '\0', ' ', '\t', '\r', '\n']);
    if head.is_empty() {
        return Err(ParseError::Empty);
    }
    let base = document.base_url.as_deref();
    let mut repairs = Repairs::default();
    let head = &*without_c1(head, &mut repairs);
    if decoding.lossy {
        repairs.note(Repair::LossyText);
    }
    let ours = guarded(|| match head.starts_with('{') || head.starts_with('[') {
        true => json::read(head, base, &mut repairs),
        false => read::read(head, base, &mut repairs),
    });
    let asks_strict = match &ours {
        Ok(feed) => !repairs.is_empty() || feed.entries.is_empty(),
        Err(ParseError::WebPage(_)) => false,
        Err(_) => true,
    };
    let asks_strict = asks_strict && !is_hostile(&repairs) && !weight::has_many_tags(head);
    let theirs = if asks_strict { strictly(head, base) } else { None };
    let mut parsed = match (ours, theirs) {
        (Ok(ours), Some(theirs)) if theirs.entries.len() > ours.entries.len() => {
            ParsedFeed { entries: theirs.entries, warnings: theirs.warnings, ..ours }
        }
        (Ok(ours), _) => ours,
        (Err(_), Some(theirs)) if !theirs.entries.is_empty() => theirs,
        (Err(error), _) => return Err(error),
    };
    let cut = repairs.has(Repair::Truncated);
    if cut && parsed.entries.is_empty() {
        let reason = "it breaks off before its first complete item";
        return Err(ParseError::Malformed(reason.to_string()));
    }
    warnings.append(&mut parsed.warnings);
    Ok(ParsedFeed { warnings, cut, decoding, repairs: repairs.sentences(), ..parsed })
}

/// The characters that windows-1252 has where Unicode has the control
/// characters 128 to 159: nobody means those.
fn without_c1<'a>(text: &'a str, repairs: &mut Repairs) -> Cow<'a, str> {
    let is_c1 = |at: usize| text.as_bytes().get(at + 1).is_some_and(|next| *next < 0xa0);
    if !memchr::memchr_iter(0xc2, text.as_bytes()).any(is_c1) {
        return Cow::Borrowed(text);
    }
    repairs.note(Repair::Controls);
    let meant = |c: char| match u8::try_from(c) {
        Ok(byte @ 128..=159) => {
            let byte = [byte];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next().unwrap_or(c)
        }
        _ => c,
    };
    Cow::Owned(text.chars().map(meant).collect())
}

/// What breaks the limits is not given to a reader that has none.
fn is_hostile(repairs: &Repairs) -> bool {
    [Repair::TooDeep, Repair::TooManyAttributes, Repair::TooManyElements]
        .into_iter()
        .any(|limit| repairs.has(limit))
}

/// Documents are hostile: a panic of a reader costs this one only.
fn guarded(
    read: impl FnOnce() -> Result<ParsedFeed, ParseError>,
) -> Result<ParsedFeed, ParseError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParseError::Malformed("the parser failed on it".to_string())))
}

fn strictly(text: &str, base: Option<&str>) -> Option<ParsedFeed> {
    let reading = || {
        let feed = convert::builder(base).build().parse(text.as_bytes()).map_err(convert::error)?;
        Ok(convert::feed(feed, base))
    };
    guarded(reading).ok()
}

#[cfg(test)]
mod tests;
