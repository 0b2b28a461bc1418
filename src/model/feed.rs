//! A URL we watch, with what we remember of it.

use jiff::SignedDuration;

use super::{Backfill, FeedName, Fulltext, Secret};

/// A feed as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its key in the configuration.
    pub name: FeedName,
    /// `http(s)://…`, or `file:` or `exec:` and an absolute path.
    pub url: String,
    /// The outlet's name for people; the document's own title when unset.
    pub title: Option<String>,
    /// Time between polls.
    pub interval: Interval,
    /// What the first poll may alert.
    pub backfill: Backfill,
    /// Whether it may live on a private or loopback address.
    pub allow_private: bool,
    /// Folders it stands in, outermost first, as `news/asia`.
    pub groups: Vec<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Whether ttl, skipHours, skipDays, sy:* and max-age are ignored.
    /// `Retry-After` never is.
    pub ignore_hints: bool,
    /// Whether pages behind its entries are read, if anybody says.
    pub fulltext: Option<Fulltext>,
    /// Whether news may be ordered at the hub that it names.
    pub websub: bool,
    /// How it is asked for.
    pub request: RequestOptions,
}

/// Time between two polls of a feed that does well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// As the user says.
    Fixed(SignedDuration),
    /// As the feed's own rhythm suggests, within polite bounds.
    Adaptive,
}

impl Interval {
    /// The interval before anything is known of the feed's rhythm.
    pub fn at_first(self) -> SignedDuration {
        match self {
            Self::Fixed(interval) => interval,
            Self::Adaptive => SignedDuration::from_mins(15),
        }
    }
}

/// What one feed's requests carry beyond the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// Instead of the general `User-Agent`.
    pub user_agent: Option<String>,
    /// Sent to the feed's own origin only.
    pub headers: Vec<(String, Secret)>,
    /// Sent to the feed's own origin only.
    pub auth: Option<Auth>,
    /// `http://`, `https://`, `socks5://` or `socks5h://`, perhaps with credentials.
    pub proxy: Option<Secret>,
    /// Largest document after decoding, in bytes, instead of the general limit.
    pub max_body: Option<u64>,
    /// Arguments of an `exec:` program.
    pub args: Vec<String>,
}

/// Credentials of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// RFC 7617.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// RFC 6750.
    Bearer(Secret),
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

/// How a feed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedHealth {
    /// Not visited yet.
    New,
    /// The last visit went well.
    Ok,
    /// Its documents are broken; every complete entry is read all the same.
    Degraded,
    /// The last visits failed; polling goes on, more slowly.
    Failing,
    /// It has failed for so long that somebody should know; polling goes on.
    Down,
    /// The server wants to see a browser or a person (a bot check).
    Challenged,
    /// It answers, but brings nothing for much longer than it used to.
    Silent,
    /// The server said 410: not polled until a person revives it.
    Gone,
}

impl FeedHealth {
    const ALL: [Self; 8] = [
        Self::New,
        Self::Ok,
        Self::Degraded,
        Self::Failing,
        Self::Down,
        Self::Challenged,
        Self::Silent,
        Self::Gone,
    ];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
            Self::Down => "down",
            Self::Challenged => "challenged",
            Self::Silent => "silent",
            Self::Gone => "gone",
        }
    }

    /// Reads the store's word; anything unknown is taken for `New`.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|health| health.as_str() == word).unwrap_or(Self::New)
    }
}

/// Why a visit brought nothing, as far as scheduling and health care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisitFailure {
    /// 410: stop polling.
    Gone,
    /// 429 or 503: leave the host alone, for this long if it said so.
    Throttled {
        /// `Retry-After` as a span from now.
        retry_after: Option<SignedDuration>,
    },
    /// A page that tells robots from people stands before the feed.
    Challenged {
        /// `Retry-After` as a span from now.
        retry_after: Option<SignedDuration>,
    },
    /// Anything else: try again later, less and less often.
    Failed,
}
