//! What an answer means: a document, nothing new, or a refusal and its reason.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::challenge::{ADVICE, LOOKED_AT, challenge};
use super::decode::{Bounds, Decoder};
use super::large::{Place, Places};
use super::{Body, FetchError, Fetched, Limits, RequestKind, hash, hints, links};
use crate::model::{Document, RequestOptions, ServerHints, Validators};
use crate::net;

/// A longer validator would make a request that servers refuse, for ever.
const LONGEST_VALIDATOR: usize = 4 << 10;

/// How far `max-age` reaches on an answer that is no feed: many servers put
/// one and the same on everything.
const LONGEST_FRESH_REFUSAL: SignedDuration = SignedDuration::from_hours(24);

/// What holds for answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    /// Times and sizes.
    pub limits: Limits,
    /// Largest document after decoding, in bytes.
    pub max_body: u64,
    /// When the time for the whole of it is over.
    pub end: Instant,
    /// Of large documents.
    pub places: &'a Places,
}

impl Terms<'_> {
    fn bounds(self) -> Bounds {
        Bounds { wire: self.limits.wire, decoded: self.max_body, small: self.limits.small }
    }
}

/// Reads a 200 to its end.
pub(super) async fn document(
    response: Response,
    url: &Url,
    (terms, kind): (Terms<'_>, RequestKind),
    now: Timestamp,
) -> Result<Fetched, FetchError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut wishes = wishes(&headers, now);
    links::add(&mut wishes, &headers, url);
    let (bytes, place) = whole_body(response, terms).await?;
    // Articles may carry the marks of a check that let us through.
    if let Some(name) = challenge(status, &headers, &bytes).filter(|_| kind != RequestKind::Page) {
        return Err(challenged(status, name, &wishes, now));
    }
    let content_type = headers.get(CONTENT_TYPE);
    let content_type =
        content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let body_hash = hash(&bytes);
    let document = Document { bytes, content_type, base_url: Some(url.to_string()) };
    Ok(Fetched {
        body: Body::Document { document, hash: body_hash, partial: false },
        validators: validators(&headers, url),
        // RFC 9110 gives Retry-After no meaning beside a document.
        hints: ServerHints { retry_after: None, ..wishes },
        moved_to: None,
        place,
    })
}

/// Reads a 226 (RFC 3229), which counts only if the one manipulation that was
/// asked for is the one that was made.
pub(super) async fn partial(
    response: Response,
    url: &Url,
    terms: Terms<'_>,
    now: Timestamp,
) -> Result<Fetched, FetchError> {
    let made = response.headers().get_all("im").iter();
    let made: Vec<_> = made.map(|value| value.as_bytes().to_ascii_lowercase()).collect();
    if made != [b"feed"] {
        return Err(FetchError::Failed("HTTP 226 that is not \"IM: feed\"".to_string()));
    }
    let mut fetched = document(response, url, (terms, RequestKind::Document), now).await?;
    if let Body::Document { partial, .. } = &mut fetched.body {
        *partial = true;
    }
    Ok(fetched)
}

/// A 304 is an answer to a condition; without one the server is confused and
/// believing it would freeze the feed.
pub(super) fn not_modified(
    response: &Response,
    sent: Option<&Validators>,
    url: &Url,
    now: Timestamp,
) -> Result<Fetched, FetchError> {
    let Some(sent) = sent else {
        return Err(FetchError::Failed("HTTP 304 to a request without validators".to_string()));
    };
    let renewed = validators(response.headers(), url).map(|new| Validators {
        etag: new.etag.or_else(|| sent.etag.clone()),
        last_modified: new.last_modified.or_else(|| sent.last_modified.clone()),
        url: new.url,
    });
    Ok(Fetched {
        body: Body::NotModified,
        validators: renewed,
        hints: wishes(response.headers(), now),
        moved_to: None,
        place: None,
    })
}

/// The validators of an answer. Of several lines with one name the first
/// counts; bytes are never understood, only kept.
fn validators(headers: &HeaderMap, url: &Url) -> Option<Validators> {
    let value = |name| {
        let value = headers.get(name).map(|value| value.as_bytes().to_vec());
        value.filter(|value: &Vec<u8>| !value.is_empty() && value.len() <= LONGEST_VALIDATOR)
    };
    let found =
        Validators { etag: value(ETAG), last_modified: value(LAST_MODIFIED), url: url.to_string() };
    (found.etag.is_some() || found.last_modified.is_some()).then_some(found)
}

fn wishes(headers: &HeaderMap, now: Timestamp) -> ServerHints {
    hints::hints(headers, now)
}

/// Reads a body to its end. One that becomes large waits for a place first;
/// from then on it has the rest of its time, so that a slow server keeps a
/// place no longer than any fetch lasts.
async fn whole_body(
    mut response: Response,
    mut terms: Terms<'_>,
) -> Result<(Vec<u8>, Option<Place>), FetchError> {
    let failed = |error: super::decode::DecodeError| FetchError::Failed(error.to_string());
    if response.content_length().is_some_and(|length| length > terms.limits.wire) {
        let limit = terms.limits.wire;
        return Err(failed(super::decode::DecodeError::Wire(limit)));
    }
    let mut decoder = Decoder::new(response.headers(), terms.bounds()).map_err(failed)?;
    let mut place = None;
    while let Some(chunk) = next_chunk(&mut response, terms).await? {
        decoder.push(&chunk).map_err(failed)?;
        if decoder.is_waiting() {
            let since = Instant::now();
            place = Some(terms.places.take().await?);
            terms.end += since.elapsed();
            decoder.admit().map_err(failed)?;
        }
    }
    Ok((decoder.finish().map_err(failed)?, place))
}

async fn next_chunk(
    response: &mut Response,
    terms: Terms<'_>,
) -> Result<Option<impl std::ops::Deref<Target = [u8]> + use<>>, FetchError> {
    let idle = terms.limits.idle;
    match timeout_at(terms.end, timeout(idle, response.chunk())).await {
        Ok(Ok(chunk)) => chunk.map_err(|error| FetchError::Failed(net::short_error(&error))),
        Ok(Err(_)) => Err(FetchError::Failed(format!("no byte of the answer came for {idle:?}"))),
        Err(_) => Err(FetchError::timed_out()),
    }
}

/// Reads a refusal, and its page as far as that helps to understand it.
pub(super) async fn refusal(
    mut response: Response,
    options: &RequestOptions,
    terms: Terms<'_>,
    now: Timestamp,
) -> FetchError {
    let (status, headers) = (response.status(), response.headers().clone());
    let page = timeout(terms.limits.idle, page(&mut response, terms)).await;
    let wishes = wishes(&headers, now);
    if let Some(name) = challenge(status, &headers, &page.unwrap_or_default()) {
        return challenged(status, name, &wishes, now);
    }
    match status {
        StatusCode::GONE => FetchError::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            FetchError::Throttled { until: until(&wishes, now), reason: format!("HTTP {status}") }
        }
        status => FetchError::Failed(match advice(status, options) {
            Some(advice) => format!("HTTP {status}: {advice}"),
            None => format!("HTTP {status}"),
        }),
    }
}

/// The beginning of a page; whatever goes wrong with it is of no interest.
async fn page(response: &mut Response, terms: Terms<'_>) -> Vec<u8> {
    let most = 2 * LOOKED_AT as u64;
    let bounds = Bounds { wire: LOOKED_AT as u64, decoded: most, small: most };
    let Ok(mut decoder) = Decoder::new(response.headers(), bounds) else {
        return Vec::new();
    };
    while decoder.so_far().len() < LOOKED_AT {
        match next_chunk(response, terms).await {
            Ok(Some(chunk)) if decoder.push(&chunk).is_ok() => {}
            _ => break,
        }
    }
    decoder.so_far().to_vec()
}

fn challenged(status: StatusCode, name: &str, wishes: &ServerHints, now: Timestamp) -> FetchError {
    let until = wishes.retry_after.and_then(|wait| now.checked_add(wait).ok());
    let reason = format!("HTTP {status}, a bot check ({name}); {ADVICE}");
    FetchError::Challenged { until, reason }
}

fn until(wishes: &ServerHints, now: Timestamp) -> Option<Timestamp> {
    let fresh = wishes.fresh_for.map(|fresh| fresh.min(LONGEST_FRESH_REFUSAL));
    now.checked_add(wishes.retry_after.max(fresh)?).ok()
}

/// What a person can do about a status.
fn advice(status: StatusCode, options: &RequestOptions) -> Option<&'static str> {
    let has_login = options.auth.is_some() || !options.headers.is_empty();
    Some(match status.as_u16() {
        401 if has_login => "the server does not accept this feed's login; check it",
        401 => "the feed wants a login; give the feed its user and password, or its token",
        402 => "the feed has to be paid for",
        403 => {
            "the server refuses to give the feed; look at the address in a browser, or ask \
                the publisher"
        }
        404 => "there is no feed at this address; look for its new one",
        406 | 415 => "the server has no form of the feed that is a feed",
        407 => "the proxy wants a login; put it into the proxy's URL",
        451 => "the feed is withheld here for legal reasons; a proxy elsewhere may see it",
        500..=599 => "the server has trouble of its own",
        _ => return None,
    })
}
