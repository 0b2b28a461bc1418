//! A URL we watch, with what we remember of it.

use jiff::SignedDuration;

use super::{Backfill, FeedName};

/// A feed as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its key in the configuration.
    pub name: FeedName,
    /// `http(s)://…`, or `file:` and an absolute path.
    pub url: String,
    /// The outlet's name for people; the document's own title when unset.
    pub title: Option<String>,
    /// Time between polls.
    pub interval: SignedDuration,
    /// What the first poll may alert.
    pub backfill: Backfill,
    /// Whether it may live on a private or loopback address.
    pub allow_private: bool,
}

/// Cache validators (RFC 9110 section 8.8), kept byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` field value.
    pub etag: Option<Vec<u8>>,
    /// The `Last-Modified` field value.
    pub last_modified: Option<Vec<u8>>,
    /// The URL that gave them; they are sent to no other.
    pub url: String,
}

/// What a poll needs to know from the visits before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedState {
    /// Validators of the last document that was stored.
    pub validators: Option<Validators>,
    /// SHA-256 of the last document that was stored.
    pub body_hash: Option<Vec<u8>>,
    /// Failed visits in a row.
    pub failures: u32,
}

/// How a feed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedHealth {
    /// Not visited yet.
    New,
    /// The last visit went well.
    Ok,
    /// The last visits failed; polling goes on, more slowly.
    Failing,
    /// The server said 410: not polled until a person revives it.
    Gone,
}

impl FeedHealth {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// Reads the store's word; anything unknown is taken for `New`.
    pub fn from_word(word: &str) -> Self {
        match word {
            "ok" => Self::Ok,
            "failing" => Self::Failing,
            "gone" => Self::Gone,
            _ => Self::New,
        }
    }
}

/// Why a visit brought nothing, as far as scheduling cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisitFailure {
    /// 410: stop polling.
    Gone,
    /// 429 or 503: leave the host alone, for this long if it said so.
    Throttled {
        /// `Retry-After` as a span from now.
        retry_after: Option<SignedDuration>,
    },
    /// Anything else: try again later, less and less often.
    Failed,
}
