//! What the services have in common: a call, an answer, and what it means.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use std::time::Duration;

use super::super::answer::{declines, wish, words};
use super::telling::{Telling, bare};
use crate::deliver::BuildError;
use crate::model::Outcome;

/// So much of what a service says is passed on.
const MAX_WORD: usize = 200;

/// One service, with the place to post to.
pub(super) trait Service: Send + Sync {
    /// The word used in configuration and output.
    fn kind(&self) -> &'static str;

    /// The request for a message.
    ///
    /// # Errors
    ///
    /// When there is no way to say it.
    fn call(&self, telling: &Telling) -> Result<Call, String>;

    /// The request to make at once after an answer that found fault with the
    /// markup.
    fn plainer(&self, _telling: &Telling, _answer: &Answer) -> Option<Call> {
        None
    }

    /// What an answer says.
    fn read(&self, answer: &Answer) -> Reading;

    /// Time between two posts.
    fn gap(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the service knows a repeat when it gets one.
    fn drops_repeats(&self) -> bool {
        false
    }

    /// What no answer may show.
    fn secrets(&self) -> Vec<String>;
}

/// A request to make.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Call {
    /// A POST of JSON.
    pub(super) fn post(url: Url, body: Value) -> Self {
        Self { method: Method::POST, url, headers: Vec::new(), body }
    }

    /// With another header.
    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How long a used-up bucket asks everybody to wait (Discord's headers).
    pub(super) fn pause(&self) -> Option<SignedDuration> {
        let header = |name: &str| self.headers.get(name)?.to_str().ok();
        if header("x-ratelimit-remaining")? != "0" {
            return None;
        }
        seconds(header("x-ratelimit-reset-after")?.parse().ok()?)
    }
}

/// A number of seconds that a service named, rounded up to milliseconds.
pub(super) fn seconds(seconds: f64) -> Option<SignedDuration> {
    let is_sane = (0.0..=2_678_400.0).contains(&seconds);
    is_sane.then(|| SignedDuration::from_secs_f64(seconds) + SignedDuration::from_millis(1))
}

/// An answer as its service understands it.
pub(super) struct Reading {
    /// Whether it proves that the message was taken.
    pub(super) accepted: bool,
    /// What it says, in short.
    pub(super) says: String,
    /// The status that counts, where it is not that of HTTP.
    pub(super) status: StatusCode,
    /// How long to wait, as the body says.
    pub(super) wait: Option<SignedDuration>,
}

impl Reading {
    /// Accepted by a 2xx with this proof; otherwise these words.
    pub(super) fn new(answer: &Answer, proof: bool, says: &str) -> Self {
        Self {
            accepted: answer.status.is_success() && proof,
            says: bare(says, MAX_WORD),
            status: answer.status,
            wait: None,
        }
    }

    /// What follows, and whether the message may have arrived all the same.
    pub(super) fn outcome(self, answer: &Answer, now: Timestamp) -> (Outcome, bool) {
        let colon = if self.says.is_empty() { "" } else { ": " };
        let reason = format!("{}{colon}{}", words(self.status), self.says);
        if self.accepted {
            return (Outcome::Sent(format!("HTTP {}", self.status.as_u16())), false);
        }
        let by_body = self.wait.and_then(|wait| now.saturating_add(wait).ok());
        let not_before = wish(&answer.headers, now).max(by_body);
        let status = self.status;
        if status.is_success() {
            let reason = format!("{reason}: not an answer of this service");
            return (Outcome::TryAgain { reason, not_before }, true);
        }
        if status.is_redirection() {
            let reason = format!("{reason}: redirects are not followed");
            return (Outcome::TryAgain { reason, not_before }, false);
        }
        if not_before.is_none() && declines(status) {
            // Whom we are may be mended meanwhile; what we say will not.
            let outcome = match status.as_u16() {
                401 | 403 => Outcome::Refused(reason),
                _ => Outcome::GiveUp(reason),
            };
            return (outcome, false);
        }
        // A gateway that gave up waiting says nothing about the server.
        let is_doubtful = matches!(status.as_u16(), 408 | 502 | 504);
        (Outcome::TryAgain { reason, not_before }, is_doubtful)
    }
}

/// A base URL with path segments added.
pub(super) fn with_path(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Reads a URL that may be a secret.
pub(super) fn url(field: &'static str, text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| BuildError::Invalid {
        field,
        value: "[hidden]".to_owned(),
        reason: "not an http or https URL".to_owned(),
    })
}

/// What is secret of such a URL: its path and query, whole and in parts.
pub(super) fn secret_parts(url: &Url) -> Vec<String> {
    let mut parts = vec![url.as_str().to_owned(), url.path().to_owned()];
    parts.extend(url.query().map(str::to_owned));
    let segments = url.path_segments().into_iter().flatten();
    parts.extend(segments.filter(|segment| segment.len() >= 16).map(str::to_owned));
    parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|v| v.len() >= 16));
    parts
}
