//! The bytes behind one URL. Every limit of the way there stands in
//! [`Options`] and the constants below.

mod file;
mod http;

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::model::{Document, RequestOptions, ServerHints, Validators, VisitFailure};
use crate::net::{self, NetError};

/// Redirects followed before giving up.
pub const MAX_REDIRECTS: usize = 5;

/// What all fetches have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The `User-Agent` of every request.
    pub user_agent: String,
    /// Longest time for name look-up, connection and TLS.
    pub connect_timeout: Duration,
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Largest document after content decoding, in bytes.
    pub max_body: u64,
    /// Authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// One document to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `http(s)://…`, or `file:` or `exec:` and an absolute path.
    pub url: &'a str,
    /// Whether private and loopback addresses may be asked.
    pub allow_private: bool,
    /// What the document of last time came with.
    pub validators: Option<&'a Validators>,
    /// What this feed's requests carry beyond the usual.
    pub options: &'a RequestOptions,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The document, or word that it is as it was.
    pub body: Body,
    /// The validators to keep: of the document, or as renewed by a 304.
    pub validators: Option<Validators>,
    /// When the server wants to be asked again.
    pub hints: ServerHints,
    /// Where the feed lives now, when every redirect on the way was permanent
    /// (301, 308).
    pub moved_to: Option<String>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// The server says that nothing changed.
    NotModified,
    /// A document.
    Document {
        /// Its bytes.
        document: Document,
        /// Their SHA-256.
        hash: Vec<u8>,
        /// 226 (RFC 3229): only what is new, so that absence means nothing.
        partial: bool,
    },
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// 410: it will not come back.
    #[error("HTTP 410: the feed is gone for good")]
    Gone,
    /// 429 or 503: too many requests, or busy.
    #[error("{reason}")]
    Throttled {
        /// When the server wants to be asked again.
        until: Option<Timestamp>,
        /// For people.
        reason: String,
    },
    /// An address that may not be asked.
    #[error("{0}; set allow_private = true for this feed if that is meant")]
    Blocked(String),
    /// A bot check stands before the feed.
    #[error("{0}")]
    Challenged(String),
    /// Anything else: try later.
    #[error("{0}")]
    Failed(String),
}

impl FetchError {
    /// The decision for the schedule.
    pub fn failure(&self, now: Timestamp) -> VisitFailure {
        match self {
            Self::Gone => VisitFailure::Gone,
            Self::Throttled { until, .. } => {
                VisitFailure::Throttled { retry_after: until.map(|until| wait(now, until)) }
            }
            Self::Challenged(_) => VisitFailure::Challenged,
            Self::Blocked(_) | Self::Failed(_) => VisitFailure::Failed,
        }
    }
}

fn wait(now: Timestamp, until: Timestamp) -> SignedDuration {
    until.duration_since(now).max(SignedDuration::ZERO)
}

/// Fetches documents; clones share connections.
#[derive(Clone, Debug)]
pub struct Fetcher {
    guarded: reqwest::Client,
    open: reqwest::Client,
    max_body: u64,
}

impl Fetcher {
    /// Prepares clients, one that refuses private addresses and one that does not.
    ///
    /// # Errors
    /// When the file of extra authorities cannot be used.
    pub fn new(options: &Options) -> Result<Self, NetError> {
        let client = |allow_private| {
            net::client(&net::ClientOptions {
                user_agent: options.user_agent.clone(),
                allow_private,
                ca_file: options.ca_file.clone(),
                connect_timeout: options.connect_timeout,
                timeout: options.timeout,
            })
        };
        Ok(Self { guarded: client(false)?, open: client(true)?, max_body: options.max_body })
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// Each variant of [`FetchError`] is another decision for the schedule. A
    /// body that is cut short, too large or undecodable is an error, never a
    /// shorter document.
    pub async fn fetch(&self, request: Request<'_>, now: Timestamp) -> Result<Fetched, FetchError> {
        match request.url.strip_prefix("file:") {
            Some(path) => file::read(path, self.max_body).await,
            None => {
                let client = if request.allow_private { &self.open } else { &self.guarded };
                http::get(client, request, self.max_body, now).await
            }
        }
    }
}

/// The host that requests to this URL are spaced by; a file is its own.
pub fn host_of(url: &str) -> String {
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_ascii_lowercase))
        .unwrap_or_else(|| url.to_string())
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}
