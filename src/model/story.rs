//! The same news from one or more entries.

use super::{AlertId, RuleName, StoryId};

/// A stored story that shares a key with a new entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryCandidate {
    /// Its public id.
    pub id: StoryId,
    /// Rules that it already matched, and the alert if one was raised.
    pub matched: Vec<(RuleName, Option<AlertId>)>,
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
    pub link: Option<StoryCandidate>,
    /// Found by equal title and text.
    pub content: Option<StoryCandidate>,
}
