//! One item of a feed, and what makes it the same item next time.

use jiff::Timestamp;

/// One item as its feed states it, its text made plain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// GUID, Atom id or JSON Feed id, trimmed; `None` when the feed gives none.
    pub guid: Option<String>,
    /// The item's own link, absolute where a base was known.
    pub url: Option<String>,
    /// Plain text on one line.
    pub title: String,
    /// Plain text; paragraphs are separated by one `\n`.
    pub text: String,
    /// The publication time that the feed claims.
    pub published: Option<Timestamp>,
    /// The modification time that the feed claims.
    pub updated: Option<Timestamp>,
    /// Names as stated.
    pub authors: Vec<String>,
    /// Category terms or labels as stated.
    pub categories: Vec<String>,
    /// BCP 47 language tag as stated by the entry or its feed.
    pub lang: Option<String>,
    /// Where the feed took the item from, when it says so (RSS `source`,
    /// Atom `source`, a sitemap's publication).
    pub source: Option<Source>,
}

/// The outlet that an aggregated item comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its name for people.
    pub title: Option<String>,
    /// Its feed or home page, absolute.
    pub url: Option<String>,
}

/// A 128-bit cut of SHA-256: feeds are hostile input, and with a weaker hash
/// one feed could hide another's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// Its first half.
    pub fn mark(self) -> Mark {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        Mark([a, b, c, d, e, f, g, h])
    }
}

/// The first half of a [`Key`]: enough to tell the entries of one feed apart,
/// which can hide none but its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark(pub [u8; 8]);

/// All that an entry can be recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKeys {
    /// Hash of the GUID; of its canonical form where it is a URL.
    pub guid: Option<Key>,
    /// Hash of the GUID as stated where that differs: databases of earlier
    /// versions know entries by it.
    pub stated_guid: Option<Key>,
    /// Hash of the canonical link, unless the link does not single out an
    /// entry (a home page, or shared by several items of the document).
    pub link: Option<Key>,
    /// Hash of normalised title and text, unless they are too short to
    /// single out a story.
    pub content: Option<Key>,
    /// Hash of title and text as stored: says whether an entry was revised.
    pub revision: Key,
    /// Hash of the normalised title: tells a re-used GUID from an edit.
    pub title: Key,
    /// What stands for the entry when it has none of the first three.
    pub last_resort: Key,
    /// The claimed date: tells a repetition from the same words said again.
    pub published: Option<Timestamp>,
}

/// What the first successful poll of a feed may alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Backfill {
    /// Nothing: the first poll is a silent baseline.
    #[default]
    None,
    /// Entries published at most this long before the poll.
    Within(jiff::SignedDuration),
    /// Everything.
    All,
}
