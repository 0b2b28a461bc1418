//! The bytes behind one URL. Every limit of the way there stands in
//! [`Options`], in [`Limits`] and in the constants below; the limits for
//! header lines are `net`'s, and interim answers (1xx) end with the time for
//! the header.

mod answer;
mod challenge;
mod decode;
mod exec;
mod file;
mod hints;
mod http;
mod hub;
mod large;
mod links;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use reqwest::Client;

use crate::model::{Document, RequestOptions, Secret, ServerHints, Validators, Veil, VisitFailure};
use crate::net::{self, ClientOptions, NetError};

pub use hub::HubRequest;
pub use large::Place;

use large::Places;

/// Redirects followed before giving up.
pub const MAX_REDIRECTS: usize = 5;

/// Proxies whose connections are kept; one more, and all are built anew.
const MAX_PROXIES: usize = 32;

/// What all fetches have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The `User-Agent` of every request.
    pub user_agent: String,
    /// Longest time for name look-up, connection and TLS.
    pub connect_timeout: Duration,
    /// Longest time for a whole fetch, redirects included, or for a program.
    pub timeout: Duration,
    /// Largest document after content decoding, in bytes.
    pub max_body: u64,
    /// Authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// What nobody has to set.
    pub limits: Limits,
}

/// Limits that suit every feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from the connection to the end of the answer's header.
    pub headers: Duration,
    /// Longest time without a byte of the body.
    pub idle: Duration,
    /// Largest body as it arrives, in bytes. A feed's own `max_body` raises it.
    pub wire: u64,
    /// A document of more bytes is large and needs a place.
    pub small: u64,
    /// Places for large documents. They are held from the first byte too many
    /// until the document is stored.
    pub places: usize,
    /// Longest wait for a place, which is no part of the time for a fetch.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(15),
            idle: Duration::from_secs(15),
            wire: 5 << 20,
            small: 1 << 20,
            places: 4,
            wait: Duration::from_secs(120),
        }
    }
}

/// One document to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `http(s)://…`, or `file:` or `exec:` and an absolute path.
    pub url: &'a str,
    /// The URL that the user gave. What a document or a server names instead
    /// may be no file and no program, and gets no credentials of the user's
    /// unless it is of the same origin.
    pub home: &'a str,
    /// Whether private and loopback addresses may be asked.
    pub allow_private: bool,
    /// What the document of last time came with.
    pub validators: Option<&'a Validators>,
    /// What this feed's requests carry beyond the usual.
    pub options: &'a RequestOptions,
    /// What is meant.
    pub kind: RequestKind,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A feed, or a list of feeds.
    Document,
    /// A web page that a feed's entry links to. A redirect then reaches private
    /// addresses of the page's own origin only, and a bot check is for the
    /// reader of the page to notice.
    Page,
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
    /// Of a large document; to be kept until it is read and stored.
    pub place: Option<Place>,
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
    #[error("{reason}")]
    Challenged {
        /// When the server wants to be asked again.
        until: Option<Timestamp>,
        /// For people: whose check it is, and what can be done.
        reason: String,
    },
    /// There was no place for another large document.
    #[error("too many large documents are being read")]
    Busy,
    /// Anything else: try later.
    #[error("{0}")]
    Failed(String),
}

impl FetchError {
    /// Without what the server repeats of the request's secrets.
    fn veiled(self, veil: &Veil) -> Self {
        match self {
            Self::Gone => Self::Gone,
            Self::Throttled { until, reason } => {
                Self::Throttled { until, reason: veil.over(reason) }
            }
            Self::Blocked(reason) => Self::Blocked(veil.over(reason)),
            Self::Challenged { until, reason } => {
                Self::Challenged { until, reason: veil.over(reason) }
            }
            Self::Busy => Self::Busy,
            Self::Failed(reason) => Self::Failed(veil.over(reason)),
        }
    }

    fn timed_out() -> Self {
        Self::Failed("timed out".to_string())
    }

    /// The decision for the schedule.
    pub fn failure(&self, now: Timestamp) -> VisitFailure {
        match self {
            Self::Gone => VisitFailure::Gone,
            Self::Throttled { until, .. } => {
                VisitFailure::Throttled { retry_after: until.map(|until| wait(now, until)) }
            }
            Self::Challenged { until, .. } => {
                VisitFailure::Challenged { retry_after: until.map(|until| wait(now, until)) }
            }
            Self::Blocked(_) | Self::Busy | Self::Failed(_) => VisitFailure::Failed,
        }
    }
}

fn wait(now: Timestamp, until: Timestamp) -> SignedDuration {
    until.duration_since(now).max(SignedDuration::ZERO)
}

/// Fetches documents; clones share connections.
#[derive(Clone, Debug)]
pub struct Fetcher {
    guarded: Client,
    open: Client,
    options: Arc<Options>,
    proxied: Arc<Mutex<Vec<Proxied>>>,
    places: Places,
}

/// A client whose requests go through a proxy.
#[derive(Clone, Debug)]
struct Proxied {
    proxy: Secret,
    allow_private: bool,
    client: Client,
}

impl Fetcher {
    /// Prepares clients, one that refuses private addresses and one that does not.
    ///
    /// # Errors
    /// When the file of extra authorities cannot be used.
    pub fn new(options: &Options) -> Result<Self, NetError> {
        Self::with(options, Places::new(options.limits.places, options.limits.wait))
    }

    /// Prepares clients with other options beside these, whose requests may be
    /// under way: large documents have their places in common.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn renewed(&self, options: &Options) -> Result<Self, NetError> {
        Self::with(options, self.places.clone())
    }

    fn with(options: &Options, places: Places) -> Result<Self, NetError> {
        Ok(Self {
            guarded: net::client(&client_options(options, false))?,
            open: net::client(&client_options(options, true))?,
            options: Arc::new(options.clone()),
            proxied: Arc::default(),
            places,
        })
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// Each variant of [`FetchError`] is another decision for the schedule. A
    /// body that is cut short, too large or undecodable is an error, never a
    /// shorter document.
    pub async fn fetch(&self, request: Request<'_>, now: Timestamp) -> Result<Fetched, FetchError> {
        let max_body = request.options.max_body.unwrap_or(self.options.max_body);
        let local = ["file:", "exec:"].iter().any(|scheme| request.url.starts_with(scheme));
        if local && request.url != request.home {
            return Err(FetchError::Failed(
                "only the configuration may name files and programs".into(),
            ));
        }
        if let Some(path) = request.url.strip_prefix("file:") {
            return self.placed(file::read(path, max_body).await?).await;
        }
        let limit = self.options.timeout;
        if let Some(path) = request.url.strip_prefix("exec:") {
            let args = &request.options.args;
            let program = exec::Program { path, args, max: max_body, limit };
            return self.placed(exec::run(program).await?).await;
        }
        let client = self.client(request)?;
        let mut limits = self.options.limits;
        limits.wire = limits.wire.max(request.options.max_body.unwrap_or(0));
        if request.kind == RequestKind::Page {
            // Few are read at once, and none is larger than a few megabytes.
            limits.small = u64::MAX;
        }
        let way = http::Way {
            client: &client,
            guarded: &self.guarded,
            connect: self.options.connect_timeout,
            terms: answer::Terms {
                limits,
                max_body,
                end: tokio::time::Instant::now() + limit,
                places: &self.places,
            },
        };
        let fetched = http::get(way, request, now).await;
        let veil = Veil::of(request.url, request.options);
        fetched.map_err(|error| error.veiled(&veil))
    }

    /// What came from this machine waits for its place when it is there, for as
    /// long as it takes: a program may say what it has to say once only.
    async fn placed(&self, fetched: Fetched) -> Result<Fetched, FetchError> {
        let size = match &fetched.body {
            Body::Document { document, .. } => document.bytes.len() as u64,
            Body::NotModified => 0,
        };
        let is_large = size > self.options.limits.small;
        let place = if is_large { Some(self.places.wait_for().await?) } else { None };
        Ok(Fetched { place, ..fetched })
    }

    fn client(&self, request: Request<'_>) -> Result<Client, FetchError> {
        let allow_private = request.allow_private;
        let Some(proxy) = &request.options.proxy else {
            return Ok(if allow_private { self.open.clone() } else { self.guarded.clone() });
        };
        let mut proxied = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        let known = proxied.iter().find(|p| p.allow_private == allow_private && p.proxy == *proxy);
        if let Some(known) = known {
            return Ok(known.client.clone());
        }
        let client = net::proxied(&client_options(&self.options, allow_private), proxy)
            .map_err(|error| FetchError::Failed(error.to_string()))?;
        if proxied.len() >= MAX_PROXIES {
            proxied.clear();
        }
        proxied.push(Proxied { proxy: proxy.clone(), allow_private, client: client.clone() });
        Ok(client)
    }
}

fn client_options(options: &Options, allow_private: bool) -> ClientOptions {
    ClientOptions {
        user_agent: options.user_agent.clone(),
        allow_private,
        ca_file: options.ca_file.clone(),
        connect_timeout: options.connect_timeout,
        timeout: options.timeout,
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
