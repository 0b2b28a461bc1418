//! The same news from one or more entries.

use jiff::Timestamp;

use super::{AlertId, AlertState, EntryId, FeedName, RuleName, StoryId};

/// A stored story that shares a key with a new entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryCandidate {
    /// Its public id.
    pub id: StoryId,
    /// How often a user took tellings out of it.
    pub edits: u32,
    /// Rules that it already matched.
    pub matched: Vec<PastMatch>,
}

/// A rule that a story matched, and what became of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastMatch {
    /// The rule.
    pub rule: RuleName,
    /// The alert, if one was raised.
    pub alert: Option<AlertId>,
    /// What was decided.
    pub state: AlertState,
    /// The entry that matched.
    pub entry: EntryId,
    /// Its headline when it did.
    pub title: String,
    /// Independent sources that were told of.
    pub sources: u32,
    /// Whether the alert's message is on its way: what it says is fixed.
    pub out: bool,
}

/// The story that an entry was decided to belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoryRef {
    /// A story that the store already has.
    Known(StoryId),
    /// A story that begins with this entry.
    New(StoryId),
}

impl StoryRef {
    /// The story's public id, known or new.
    pub fn id(&self) -> &StoryId {
        match self {
            Self::Known(id) | Self::New(id) => id,
        }
    }
}

/// The stored stories that share a key with a new entry, of any feed.
#[derive(Clone, Debug, Default)]
pub struct StoriesByKey {
    /// Found by canonical link.
    pub link: Option<StoryId>,
    /// Found by equal title and text.
    pub content: Option<StoryId>,
}

/// Why an entry is part of its story.
#[derive(Clone, Debug, PartialEq)]
pub enum Joined {
    /// It is the first telling.
    First,
    /// Another telling has its link.
    Link,
    /// Another telling has its very words.
    Words,
    /// It is a copy of a text: `share` of the shorter one stands in the other.
    Copy {
        /// The telling that has the text.
        of: EntryId,
        /// 0 to 1.
        share: f64,
    },
    /// Another outlet's telling has the same headline.
    Headline {
        /// That telling.
        of: EntryId,
    },
    /// It tells of the same event in other words.
    Event {
        /// How much more alike than it must be; 0 is just enough.
        score: f64,
        /// The words that say so, the heaviest first.
        shared: Vec<String>,
    },
}

impl Joined {
    /// The word used in output and store.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Link => "link",
            Self::Words => "words",
            Self::Copy { .. } => "copy",
            Self::Headline { .. } => "headline",
            Self::Event { .. } => "event",
        }
    }
}

/// What was decided about a new entry's story.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryChoice {
    /// The story.
    pub story: StoryRef,
    /// Why.
    pub joined: Joined,
    /// Who speaks; outlets of one owner are one.
    pub outlet: String,
    /// The agency that the telling is credited to.
    pub agency: Option<String>,
    /// What of the entry is compared with others, to be kept.
    pub features: Vec<u8>,
}

/// How much of the store a memory of stories reflects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryPosition {
    /// The last telling.
    pub last: i64,
    /// The last correction of stories by a user.
    pub edits: i64,
}

/// A stored telling, for the memory of stories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTelling {
    /// Its entry.
    pub entry: EntryId,
    /// Its story.
    pub story: StoryId,
    /// Its feed.
    pub feed: FeedName,
    /// Its page.
    pub url: Option<String>,
    /// When it came.
    pub at: Timestamp,
    /// See [`StoryChoice::features`].
    pub features: Vec<u8>,
}

/// What a memory of stories begins with.
pub struct StoredMemory<'a> {
    /// What was learnt, up to a telling.
    pub knowledge: Option<Vec<u8>>,
    /// That telling.
    pub upto: i64,
    /// Later tellings, and those of stories that were told lately; in order.
    /// There may be hundreds of thousands: one at a time.
    pub tellings: &'a mut dyn Iterator<Item = StoredTelling>,
    /// Where the store stands.
    pub position: MemoryPosition,
}

/// A telling, for counting sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teller {
    /// Who speaks.
    pub outlet: String,
    /// The agency it is credited to.
    pub agency: Option<String>,
    /// Tellings with one number here are copies of one text.
    pub text: i64,
}
