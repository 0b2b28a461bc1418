//! What is remembered of entries and their feed, and what was decided from it.

use jiff::Timestamp;

use super::{EntryId, Key, Mark, StoryId};

/// What the store knows of an entry that shares a key with a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// Its row.
    pub id: EntryId,
    /// The story it belongs to; `None` once the texts were forgotten.
    pub story: Option<StoryId>,
    /// Keys as of its latest revision.
    pub link: Option<Mark>,
    /// See [`EntryKeys::title`](super::EntryKeys::title).
    pub title: Mark,
    /// See [`EntryKeys::revision`](super::EntryKeys::revision); `None` once
    /// the texts were forgotten.
    pub revision: Option<Key>,
    /// Whether its feed gave it a GUID.
    pub has_guid: bool,
    /// See [`EntryKeys::published`](super::EntryKeys::published).
    pub published: Option<Timestamp>,
}

/// Whether an entry was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newness {
    /// Never seen in this feed.
    New,
    /// Seen, and the same as last time.
    Known,
    /// Seen, with another title or text than last time.
    Revised,
}

impl Newness {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Revised => "revised",
        }
    }
}

/// The stored entries that share a key with an entry of the same feed.
#[derive(Clone, Debug, Default)]
pub struct KnownByKey {
    /// Found by GUID.
    pub guid: Option<KnownEntry>,
    /// Found by link.
    pub link: Option<KnownEntry>,
    /// Found by title and text, or by the last resort.
    pub content: Option<KnownEntry>,
}

impl KnownByKey {
    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.guid.is_none() && self.link.is_none() && self.content.is_none()
    }
}

/// What identity decided about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Not seen in this feed.
    New(Telling),
    /// The same entry as a stored one.
    Same(KnownEntry, Newness),
    /// The same as an earlier entry of the document, which is new; its index.
    Twin(usize, Newness),
}

/// Which keys of a new entry may choose its story: one that another entry of
/// the feed has, without being the same, tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The link may.
    pub link: bool,
    /// Title and text may.
    pub content: bool,
}

/// Whether a feed's GUIDs identify its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Guids {
    /// As they should.
    #[default]
    Trusted,
    /// They change from document to document and are ignored.
    Random,
}

impl Guids {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Random => "random",
        }
    }

    /// Reads [`Guids::as_str`] back; anything else is taken for `Trusted`.
    pub fn from_word(word: &str) -> Self {
        if word == Self::Random.as_str() { Self::Random } else { Self::Trusted }
    }
}

/// What earlier documents of a feed taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedPast {
    /// Whether a first document was taken in from its present URL.
    pub baselined: bool,
    /// Whether the only document so far broke off, so that the next one may
    /// show more of what was there at first.
    pub unfinished: bool,
    /// Whether its GUIDs are worth anything.
    pub guids: Guids,
    /// Documents in a row that spoke against `guids`.
    pub guid_signs: u32,
    /// When its last new document came.
    pub last_document: Option<Timestamp>,
    /// The latest date that its entries claimed, dates in the future left out.
    pub newest_date: Option<Timestamp>,
}

/// What was decided about a document's entries before any is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// For each entry of the document.
    pub identities: Vec<Identity>,
    /// What to think of the feed's GUIDs from now on.
    pub guids: Guids,
    /// See [`FeedPast::guid_signs`].
    pub guid_signs: u32,
    /// Whether so much looks new that the feed itself may have changed.
    pub suspicious: bool,
}

/// Most of a known feed looked new at once, and not because time went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassChange {
    /// Entries of the document.
    pub entries: usize,
    /// Those that looked new.
    pub looked_new: usize,
    /// Those that are held back, as old ones in new clothes.
    pub held: usize,
}
