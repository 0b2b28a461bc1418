//! Conditional GET over HTTP (RFC 9110), redirects followed by hand so that
//! each hop is checked and nothing meant for one origin reaches another.

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::{Body, FetchError, Fetched, MAX_REDIRECTS, Request, hash};
use crate::model::{Document, ServerHints, Validators};
use crate::net;

const ACCEPTED: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, \
     */*;q=0.1";

/// Fetches a document over HTTP.
pub(super) async fn get(
    client: &Client,
    request: Request<'_>,
    max_body: u64,
    now: Timestamp,
) -> Result<Fetched, FetchError> {
    let mut url = Url::parse(request.url)
        .map_err(|error| FetchError::Failed(format!("not a URL: {error}")))?;
    for _ in 0..=MAX_REDIRECTS {
        let validators = request.validators.filter(|v| v.url == url.as_str());
        let response = send(client, &url, request.allow_private, validators).await?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return not_modified(&response, validators, &url),
            status if status.is_redirection() => url = redirected(&response, &url)?,
            StatusCode::OK => return document(response, url, max_body).await,
            status => return Err(refusal(status, &response, now)),
        }
    }
    Err(FetchError::Failed(format!("more than {MAX_REDIRECTS} redirects")))
}

async fn send(
    client: &Client,
    url: &Url,
    allow_private: bool,
    validators: Option<&Validators>,
) -> Result<Response, FetchError> {
    net::check_url(url, allow_private)
        .map_err(|blocked| FetchError::Blocked(blocked.to_string()))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    if let Some(validators) = validators {
        condition(&mut headers, IF_NONE_MATCH, validators.etag.as_deref());
        condition(&mut headers, IF_MODIFIED_SINCE, validators.last_modified.as_deref());
    }
    let sent = client.get(url.clone()).headers(headers).send().await;
    let response = sent.map_err(|error| {
        if net::is_blocked(&error) {
            FetchError::Blocked(net::Blocked::Address.to_string())
        } else {
            FetchError::Failed(net::short_error(&error))
        }
    })?;
    // The last line of defence: where did the connection really go?
    if let (false, Some(peer)) = (allow_private, response.remote_addr())
        && !net::is_public(peer.ip())
    {
        return Err(FetchError::Blocked("blocked address".to_string()));
    }
    Ok(response)
}

/// Sends a validator back byte for byte; an empty one is none.
fn condition(headers: &mut HeaderMap, name: HeaderName, value: Option<&[u8]>) {
    if let Some(value) = value.filter(|value| !value.is_empty())
        && let Ok(value) = HeaderValue::from_bytes(value)
    {
        headers.insert(name, value);
    }
}

fn validators(response: &Response, url: &Url) -> Option<Validators> {
    let value = |name| {
        let value = response.headers().get(name).map(|value| value.as_bytes().to_vec());
        value.filter(|value: &Vec<u8>| !value.is_empty())
    };
    let found =
        Validators { etag: value(ETAG), last_modified: value(LAST_MODIFIED), url: url.to_string() };
    (found.etag.is_some() || found.last_modified.is_some()).then_some(found)
}

/// A 304 is an answer to a condition; without one the server is confused and
/// believing it would freeze the feed.
fn not_modified(
    response: &Response,
    sent: Option<&Validators>,
    url: &Url,
) -> Result<Fetched, FetchError> {
    let Some(sent) = sent else {
        return Err(FetchError::Failed("HTTP 304 to a request without validators".to_string()));
    };
    let renewed = validators(response, url).map(|new| Validators {
        etag: new.etag.or_else(|| sent.etag.clone()),
        last_modified: new.last_modified.or_else(|| sent.last_modified.clone()),
        url: new.url,
    });
    Ok(Fetched {
        body: Body::NotModified,
        validators: renewed,
        hints: ServerHints::default(),
        moved_to: None,
    })
}

fn redirected(response: &Response, from: &Url) -> Result<Url, FetchError> {
    let status = response.status();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        return Err(FetchError::Failed(format!("{status} without a usable Location")));
    };
    let mut to = from
        .join(location)
        .map_err(|error| FetchError::Failed(format!("{status} to a bad Location: {error}")))?;
    // Credentials in a URL belong to its origin alone.
    if to.origin() != from.origin() {
        let _ = to.set_username("");
        let _ = to.set_password(None);
    }
    Ok(to)
}

fn refusal(status: StatusCode, response: &Response, now: Timestamp) -> FetchError {
    let reason = format!("HTTP {status}");
    let wish = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let until = wish.and_then(|wish| net::retry_after(wish, now));
    match status {
        StatusCode::GONE => FetchError::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            FetchError::Throttled { until, reason }
        }
        _ => FetchError::Failed(reason),
    }
}

async fn document(mut response: Response, url: Url, max_body: u64) -> Result<Fetched, FetchError> {
    let validators = validators(&response, &url);
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|error| FetchError::Failed(net::short_error(&error)))? {
            None => break,
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
        if bytes.len() as u64 > max_body {
            return Err(FetchError::Failed(format!(
                "the document is larger than {max_body} bytes"
            )));
        }
    }
    let body_hash = hash(&bytes);
    let document = Document { bytes, content_type, base_url: Some(url.to_string()) };
    Ok(Fetched {
        body: Body::Document { document, hash: body_hash, partial: false },
        validators,
        hints: ServerHints::default(),
        moved_to: None,
    })
}
