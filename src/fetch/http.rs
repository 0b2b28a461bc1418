//! Conditional GET over HTTP (RFC 9110), redirects followed by hand so that
//! each hop is checked and nothing meant for one origin reaches another.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::{self, Terms};
use super::decode::OFFERED;
use super::{FetchError, Fetched, MAX_REDIRECTS, Request, RequestKind, hints};
use crate::model::{Auth, RequestOptions, Validators, Veil};
use crate::net::{self, Blocked, MAX_HEADER_BYTES, MAX_HEADERS};

const ACCEPTED: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, \
     */*;q=0.1";

/// What is asked for where a web page is meant.
const PAGE: &str = "text/html, application/xhtml+xml, text/plain;q=0.5, */*;q=0.1";

/// RFC 3229: asks for only what is new since the validators' document.
const A_IM: HeaderName = HeaderName::from_static("a-im");

/// A URL longer than this is no place to go.
const MAX_URL: usize = 8 << 10;

/// Header lines that are ours to set, or that would change what a request is.
const OURS: [&str; 13] = [
    "accept-encoding",
    "a-im",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-modified-since",
    "if-none-match",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The way to a server.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    /// Sends the requests.
    pub client: &'a Client,
    /// Sends those that may reach public addresses only.
    pub guarded: &'a Client,
    /// For the connection.
    pub connect: Duration,
    /// What holds for the answers.
    pub terms: Terms<'a>,
}

/// Fetches a document over HTTP.
pub(super) async fn get(
    way: Way<'_>,
    request: Request<'_>,
    now: Timestamp,
) -> Result<Fetched, FetchError> {
    let mut route = Route::to(request.url, request.home)?;
    let end = way.terms.end;
    for _ in 0..=MAX_REDIRECTS {
        let (way, request) = route.guarded(way, request);
        let url = &route.url;
        let validators = request.validators.filter(|v| v.url == url.as_str());
        let response = timeout_at(end, send(way, request, &route, validators)).await;
        let response = response.unwrap_or_else(|_| Err(FetchError::timed_out()))?;
        let fetched = match response.status() {
            StatusCode::NOT_MODIFIED => answer::not_modified(&response, validators, url, now)?,
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                route.follow(&response, now)?;
                continue;
            }
            StatusCode::OK => {
                answer::document(response, url, (way.terms, request.kind), now).await?
            }
            StatusCode::IM_USED if validators.is_some() => {
                answer::partial(response, url, way.terms, now).await?
            }
            _ => {
                let refusal = answer::refusal(response, request.options, way.terms, now);
                let refusal = timeout_at(end, refusal).await;
                return Err(refusal.unwrap_or_else(|_| FetchError::timed_out()));
            }
        };
        return Ok(route.arrived(fetched, &Veil::of("", request.options)));
    }
    Err(FetchError::Failed(format!("more than {MAX_REDIRECTS} redirects")))
}

/// Where the requests went so far.
struct Route {
    /// The configured URL; credentials are for its origin.
    home: Url,
    /// The URL that was asked first.
    begun: Url,
    url: Url,
    /// Whether every redirect so far was for good.
    permanent: bool,
    retry_after: Option<SignedDuration>,
}

impl Route {
    fn to(url: &str, home: &str) -> Result<Self, FetchError> {
        let no_url = |error| FetchError::Failed(format!("not a URL: {error}"));
        let mut url = Url::parse(url).map_err(no_url)?;
        url.set_fragment(None);
        let home = Url::parse(home).map_err(no_url)?;
        Ok(Self { begun: url.clone(), home, url, permanent: true, retry_after: None })
    }

    /// A page may lead anywhere, but not into the user's own network.
    fn guarded<'a>(&self, mut way: Way<'a>, mut request: Request<'a>) -> (Way<'a>, Request<'a>) {
        if request.kind == RequestKind::Page
            && !self.is_home()
            && self.url.origin() != self.begun.origin()
        {
            request.allow_private = false;
            if request.options.proxy.is_none() {
                way.client = way.guarded;
            }
        }
        (way, request)
    }

    fn is_home(&self) -> bool {
        self.url.origin() == self.home.origin()
    }

    fn follow(&mut self, response: &Response, now: Timestamp) -> Result<(), FetchError> {
        let to = redirected(response, &self.url)?;
        let status = response.status();
        self.permanent &=
            matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
        // A connection that anybody can change gets no say in where we stay.
        self.permanent &= !(self.url.scheme() == "https" && to.scheme() == "http");
        self.retry_after = self.retry_after.max(hints::hints(response.headers(), now).retry_after);
        self.url = to;
        Ok(())
    }

    /// A place whose address repeats a login is nowhere to stay: it would be
    /// stored and shown.
    fn arrived(self, mut fetched: Fetched, veil: &Veil) -> Fetched {
        fetched.hints.retry_after = fetched.hints.retry_after.max(self.retry_after);
        let stays = self.permanent && self.url != self.begun;
        if stays && !veil.is_broken_by(self.url.as_str()) {
            fetched.moved_to = Some(self.url.to_string());
        }
        fetched
    }
}

fn redirected(response: &Response, from: &Url) -> Result<Url, FetchError> {
    let status = response.status();
    let failed = |what: &str| FetchError::Failed(format!("{status} {what}"));
    let location = response.headers().get(LOCATION);
    // Not only ASCII in practice; the URL parser encodes the rest.
    let location = location.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let location = location.ok_or_else(|| failed("without a usable Location"))?;
    let mut to =
        from.join(location).map_err(|error| failed(&format!("to a bad Location: {error}")))?;
    if to.as_str().len() > MAX_URL {
        return Err(failed(&format!("to a Location of more than {MAX_URL} bytes")));
    }
    to.set_fragment(None);
    // Credentials in a URL belong to its origin alone.
    if to.origin() != from.origin() {
        let _ = to.set_username("");
        let _ = to.set_password(None);
    }
    Ok(to)
}

async fn send(
    way: Way<'_>,
    request: Request<'_>,
    route: &Route,
    validators: Option<&Validators>,
) -> Result<Response, FetchError> {
    allowed(request, &route.url).await?;
    let mut headers = headers(request.options, route, validators)?;
    if request.kind == RequestKind::Page {
        headers.insert(ACCEPT, HeaderValue::from_static(PAGE));
    }
    // The client's own limit knows nothing of what is waited for.
    let latest = way.terms.end.duration_since(Instant::now()) + way.terms.limits.wait;
    let sent = way.client.get(route.url.clone()).headers(headers).timeout(latest).send();
    let sent = tokio::time::timeout(way.connect + way.terms.limits.headers, sent)
        .await
        .map_err(|_| FetchError::Failed("timed out waiting for an answer".to_string()))?;
    answered(request, sent)
}

/// An answer that may be looked at.
pub(super) fn answered(
    request: Request<'_>,
    sent: Result<Response, reqwest::Error>,
) -> Result<Response, FetchError> {
    let response = sent.map_err(|error| match net::is_blocked(&error) {
        true => blocked(Blocked::Address),
        false => FetchError::Failed(net::short_error(&error)),
    })?;
    // The last line of defence: where did the connection really go? Behind a
    // proxy only the proxy knows.
    if let (false, None, Some(peer)) =
        (request.allow_private, &request.options.proxy, response.remote_addr())
        && !net::is_public(peer.ip())
    {
        return Err(blocked(Blocked::Address));
    }
    let bytes = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    let size: usize = response.headers().iter().map(bytes).sum();
    if response.headers().len() > MAX_HEADERS || size > MAX_HEADER_BYTES {
        return Err(FetchError::Failed("the answer's header is too large".to_string()));
    }
    Ok(response)
}

pub(super) async fn allowed(request: Request<'_>, url: &Url) -> Result<(), FetchError> {
    net::check_url(url, request.allow_private).map_err(blocked)?;
    match &request.options.proxy {
        Some(proxy) if !request.allow_private => {
            net::check_behind_proxy(url, proxy).await.map_err(blocked)
        }
        _ => Ok(()),
    }
}

fn blocked(why: Blocked) -> FetchError {
    match why {
        // No setting opens these.
        Blocked::Scheme => FetchError::Failed("neither http nor https".to_string()),
        Blocked::Address | Blocked::Port => FetchError::Blocked(why.to_string()),
    }
}

fn headers(
    options: &RequestOptions,
    route: &Route,
    validators: Option<&Validators>,
) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(OFFERED));
    if let Some(agent) = &options.user_agent {
        headers.insert(USER_AGENT, value("User-Agent", agent)?);
    }
    if route.is_home() {
        private(&mut headers, options)?;
    }
    if let Some(validators) = validators {
        condition(&mut headers, IF_NONE_MATCH, validators.etag.as_deref());
        condition(&mut headers, IF_MODIFIED_SINCE, validators.last_modified.as_deref());
        headers.insert(A_IM, HeaderValue::from_static("feed"));
    }
    Ok(headers)
}

/// What only the feed's own origin may see.
fn private(headers: &mut HeaderMap, options: &RequestOptions) -> Result<(), FetchError> {
    for (name, text) in &options.headers {
        let lower = name.to_ascii_lowercase();
        let key = HeaderName::from_bytes(lower.as_bytes()).ok();
        let Some(key) = key.filter(|_| !OURS.contains(&lower.as_str())) else {
            return Err(FetchError::Failed(format!("header \"{name}\" cannot be set for a feed")));
        };
        headers.insert(key, sensitive(name, text.expose())?);
    }
    let credentials = match &options.auth {
        None => return Ok(()),
        Some(Auth::Bearer(token)) => format!("Bearer {}", token.expose()),
        Some(Auth::Basic { user, password }) => basic(user, password.expose()),
    };
    headers.insert(AUTHORIZATION, sensitive("Authorization", &credentials)?);
    Ok(())
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

pub(super) fn value(name: &str, text: &str) -> Result<HeaderValue, FetchError> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| FetchError::Failed(format!("the value of header \"{name}\" cannot be sent")))
}

fn sensitive(name: &str, text: &str) -> Result<HeaderValue, FetchError> {
    let mut value = value(name, text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends a validator back byte for byte; an empty one is none.
fn condition(headers: &mut HeaderMap, name: HeaderName, value: Option<&[u8]>) {
    if let Some(value) = value.filter(|value| !value.is_empty())
        && let Ok(value) = HeaderValue::from_bytes(value)
    {
        headers.insert(name, value);
    }
}
