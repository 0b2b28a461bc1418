//! Asks for a feed once; given a page, looks for the feed behind it.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};
use url::Url;

use crate::app;
use crate::cli::CliError;
use crate::config::Config;
use crate::discover::{self, Candidate};
use crate::fetch::{Body, FetchError, Fetcher, Request, RequestKind};
use crate::model::{Clock, Document, RequestOptions, Veil, shown};
use crate::parse::{self, ParseError, ParsedFeed};

/// Between two requests, which mostly go to one host.
const SPACING: Duration = Duration::from_secs(1);
/// Feeds of a page that are tried.
const MAX_TRIES: usize = 4;

/// A feed that was found.
pub(super) struct Found {
    /// Where to ask for it from now on.
    pub(super) url: String,
    /// What led to it: `given`, `declared`, `linked` or `customary`.
    pub(super) by: &'static str,
    /// The document's media type as the server stated it.
    pub(super) content_type: Option<String>,
    /// Bytes of the document.
    pub(super) size: usize,
    /// What it says.
    pub(super) feed: ParsedFeed,
    /// Other feeds that the page names.
    pub(super) others: Vec<Candidate>,
}

/// What stands behind a URL.
enum Answer {
    Feed(Box<Found>),
    Page { html: String, url: Url },
    Nothing(String),
}

/// Asks, one request after the other.
pub(super) struct Prober {
    fetcher: Fetcher,
    options: RequestOptions,
    allow_private: bool,
    pace: Interval,
    /// The URL that was given.
    home: String,
}

impl Prober {
    pub(super) fn new(
        config: &Config,
        options: RequestOptions,
        allow_private: bool,
    ) -> Result<Self, CliError> {
        let fetcher = Fetcher::new(&app::fetch_options(config))
            .map_err(|error| CliError::Failed(error.to_string()))?;
        let mut pace = tokio::time::interval(SPACING);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { fetcher, options, allow_private, pace, home: String::new() })
    }

    /// The feed at this URL, or the best one behind this page, or the reason
    /// why there is none.
    pub(super) async fn find(&mut self, url: &str) -> Result<Found, String> {
        self.home = url.to_owned();
        match self.ask(url, "given").await {
            Answer::Feed(found) => Ok(*found),
            Answer::Nothing(reason) => Err(reason),
            Answer::Page { html, url } => self.behind(&html, &url).await,
        }
    }

    async fn behind(&mut self, html: &str, page: &Url) -> Result<Found, String> {
        let candidates = discover::feed_links(html, page);
        let mut reasons = Vec::new();
        for candidate in candidates.iter().take(MAX_TRIES) {
            let by = if candidate.declared { "declared" } else { "linked" };
            match self.ask(&candidate.url, by).await {
                Answer::Feed(mut found) => {
                    found.others =
                        candidates.iter().filter(|other| *other != candidate).cloned().collect();
                    return Ok(*found);
                }
                Answer::Page { .. } => {
                    reasons.push(format!("{}: a web page", shown(&candidate.url)))
                }
                Answer::Nothing(reason) => {
                    reasons.push(format!("{}: {reason}", shown(&candidate.url)))
                }
            }
        }
        let tried = |url: &String| candidates.iter().any(|candidate| candidate.url == *url);
        for url in discover::customary(page).iter().filter(|url| !tried(url)) {
            if let Answer::Feed(found) = self.ask(url, "customary").await {
                return Ok(*found);
            }
        }
        if reasons.is_empty() {
            return Err("a web page that names no feed, and none in the usual places".to_string());
        }
        Err(format!("a web page whose feeds cannot be read: {}", reasons.join("; ")))
    }

    async fn ask(&mut self, url: &str, by: &'static str) -> Answer {
        self.pace.tick().await;
        let request = Request {
            url,
            home: &self.home,
            allow_private: self.allow_private,
            validators: None,
            options: &self.options,
            kind: RequestKind::Document,
        };
        let fetched = match Box::pin(self.fetcher.fetch(request, Clock::System.now())).await {
            Ok(fetched) => fetched,
            Err(FetchError::Blocked(reason)) => {
                let hint = "give --allow-private if that is meant";
                return Answer::Nothing(format!("{reason}; {hint}"));
            }
            Err(error) => return Answer::Nothing(error.to_string()),
        };
        let Body::Document { document, .. } = fetched.body else {
            return Answer::Nothing("the server says \"not modified\" to a first request".into());
        };
        match parse::parse_feed(&document) {
            Ok(feed) => Answer::Feed(Box::new(Found {
                url: fetched.moved_to.unwrap_or_else(|| url.to_string()),
                by,
                size: document.bytes.len(),
                content_type: document.content_type,
                feed,
                others: Vec::new(),
            })),
            Err(error) => match page(document, url, &error) {
                Answer::Nothing(reason) => {
                    Answer::Nothing(Veil::of(url, &self.options).over(reason))
                }
                page => page,
            },
        }
    }
}

/// A document that is no feed may be a page that names one.
fn page(document: Document, asked: &str, error: &ParseError) -> Answer {
    let declared = document.content_type.as_ref().is_some_and(|kind| kind.contains("html"));
    let base = document.base_url.as_deref().unwrap_or(asked);
    match Url::parse(base) {
        Ok(url) if declared || matches!(error, ParseError::WebPage(_)) => {
            // Addresses are ASCII, whatever the page's encoding.
            let html = String::from_utf8_lossy(&document.bytes).into_owned();
            Answer::Page { html, url }
        }
        _ => Answer::Nothing(error.to_string()),
    }
}
