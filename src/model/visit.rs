//! What visits leave on a feed, and what the next one needs to know of them.

use jiff::{SignedDuration, Timestamp};

use super::{Decoding, FeedHints, HealthState, HubSeen, Notice, Validators};

/// What the visits before left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedMemory {
    /// Validators of the last document that was stored.
    pub validators: Option<Validators>,
    /// SHA-256 of the last document that was stored.
    pub body_hash: Option<Vec<u8>>,
    /// How the feed does, as the state machine of `health` remembers it.
    pub health: HealthState,
    /// When entries appeared, the latest last.
    pub arrivals: Vec<Timestamp>,
    /// The last visit that went well.
    pub last_success: Option<Timestamp>,
    /// When a document that differed from the one before last came.
    pub last_document: Option<Timestamp>,
    /// When a whole document last came, changed or not.
    pub last_full: Option<Timestamp>,
    /// "Not modified" answers in a row.
    pub unchanged_run: u32,
    /// What the last document said of itself.
    pub facts: Option<DocumentFacts>,
    /// Permanent redirects seen, in a row and to one place.
    pub sighting: Option<Sighting>,
    /// Whether the URL asked is one that the feed moved to, not the configured one.
    pub moved: bool,
    /// Older pages that are still to be read after a gap.
    pub older_pages: Option<String>,
    /// Until when a hub that has proved itself brings the news: the feed is
    /// polled seldom till then.
    pub pushed_until: Option<Timestamp>,
    /// When a hub last brought something new.
    pub pushed_at: Option<Timestamp>,
}

/// A document's own word on itself, and how it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    /// For example `RSS 2.0`.
    pub format: String,
    /// How its bytes were read.
    pub decoding: Decoding,
    /// Why it counts as broken; empty for a sound one.
    pub repairs: Vec<String>,
    /// What it says of its rhythm and place.
    pub hints: FeedHints,
}

/// How much of a feed a document shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scope {
    /// All that the feed shows at present.
    #[default]
    Whole,
    /// Only what is new (RFC 3229): what it lacks says nothing.
    Partial,
    /// What a hub brought (WebSub): what it lacks says nothing, and what it
    /// says of itself is not believed.
    Pushed,
    /// An older page (RFC 5005), or an item given by itself: it says nothing
    /// of the feed's present.
    Older,
}

/// A permanent redirect that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Where it led.
    pub url: String,
    /// Since when it leads there.
    pub since: Timestamp,
    /// How often it was seen.
    pub count: u32,
}

/// Times between which entries may have come and gone unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last document before.
    pub since: Timestamp,
    /// The first document after.
    pub until: Timestamp,
}

/// What a visit changes on its feed, whatever it brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedAfter {
    /// How the feed does from now on.
    pub health: HealthState,
    /// When it is next due; `None` is never.
    pub next_due: Option<Timestamp>,
    /// The interval now in force: no claim comes sooner.
    pub interval: SignedDuration,
    /// The server asked to be left alone, all feeds of its host, until then.
    pub blocked_until: Option<Timestamp>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The validators to send from now on.
    pub validators: Option<Validators>,
    /// See [`FeedMemory::arrivals`].
    pub arrivals: Vec<Timestamp>,
    /// See [`FeedMemory::last_full`].
    pub last_full: Option<Timestamp>,
    /// See [`FeedMemory::unchanged_run`].
    pub unchanged_run: u32,
    /// See [`FeedMemory::sighting`].
    pub sighting: Option<Sighting>,
    /// From now on ask here, or at the configured URL again.
    pub moves: Option<Move>,
    /// Entries may have been lost.
    pub gap: Option<Gap>,
    /// See [`FeedMemory::older_pages`].
    pub older_pages: Option<String>,
    /// What operators should know.
    pub notices: Vec<Notice>,
    /// When it would be due if no hub brought its news.
    pub plain_due: Option<Timestamp>,
    /// The soonest it may be asked when there is a reason to look.
    pub soon_due: Option<Timestamp>,
    /// What was seen of its hub.
    pub hub: HubSeen,
    /// It showed something new that its hub should have brought.
    pub missed: bool,
}

/// A change of the address that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// To where permanent redirects lead, and the host that requests are spaced by.
    To {
        /// The URL.
        url: String,
        /// Its host.
        host: String,
    },
    /// Back to the configured URL.
    Back {
        /// Its host.
        host: String,
    },
}
