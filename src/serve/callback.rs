//! The addresses that hubs were given: the one part of the endpoint that
//! strangers reach, and that takes something in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Desk;
use super::answer::TEXT;
use crate::model::{Delivered, HubAnswer, HubQuestion, Receipt};

/// Documents on their way in at once; one more is told to come again.
pub(super) const AT_ONCE: usize = 8;
/// How long one more waits for its turn.
const TURN: Duration = Duration::from_millis(500);
/// For a whole document.
const READ_TIME: Duration = Duration::from_secs(10);
/// When a hub that was sent away may come again, in seconds.
const AGAIN: &str = "60";
const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature");

/// A hub asks whether it was asked (WebSub section 5.3). What it is answered
/// is its own text: never more than plain text to a browser.
pub(super) async fn verify(
    State(desk): State<Arc<Desk>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let question = question(query.as_deref().unwrap_or_default());
    match desk.callbacks.verify(token, question).await {
        HubAnswer::Echo(challenge) => plain(StatusCode::OK, challenge),
        HubAnswer::Noted => plain(StatusCode::OK, String::new()),
        HubAnswer::BadChallenge => plain(StatusCode::BAD_REQUEST, "no challenge\n".to_owned()),
        HubAnswer::Unknown => unknown(),
        HubAnswer::NotNow => again(),
    }
}

/// A hub brings a document (WebSub section 7). Whether it is believed is not
/// said: who guesses learns nothing.
pub(super) async fn receive(
    State(desk): State<Arc<Desk>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let turn = tokio::time::timeout(TURN, desk.arriving.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return again() };
    let max = match desk.callbacks.admits(token.clone()).await {
        Ok(max) => max,
        Err(receipt) => return answer(receipt),
    };
    let coded = headers.get(header::CONTENT_ENCODING);
    if coded.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let words = "only documents without content coding\n";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, words.to_owned());
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > max) {
        return too_large(max);
    }
    let limit = usize::try_from(max).unwrap_or(usize::MAX);
    let body = tokio::time::timeout(READ_TIME, axum::body::to_bytes(body, limit)).await;
    let body = match body {
        Ok(Ok(body)) => Vec::from(body),
        // Cut off, or longer than it said: of no use either way.
        Ok(Err(_)) => return too_large(max),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "too slow\n".to_owned()),
    };
    let signatures = headers.get_all(SIGNATURE).iter().map(|line| line.as_bytes().to_vec());
    let content_type = headers.get(header::CONTENT_TYPE);
    let delivered = Delivered {
        signatures: signatures.collect(),
        content_type: content_type.map(|t| String::from_utf8_lossy(t.as_bytes()).into_owned()),
        body,
    };
    answer(desk.callbacks.receive(token, delivered).await)
}

fn answer(receipt: Receipt) -> Response {
    match receipt {
        Receipt::Taken => plain(StatusCode::ACCEPTED, String::new()),
        Receipt::Gone => plain(StatusCode::GONE, "not subscribed any more\n".to_owned()),
        Receipt::Unknown => unknown(),
        Receipt::NotNow => again(),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], text).into_response()
}

fn unknown() -> Response {
    plain(StatusCode::NOT_FOUND, "not subscribed\n".to_owned())
}

fn too_large(max: u64) -> Response {
    plain(StatusCode::PAYLOAD_TOO_LARGE, format!("not a whole document of {max} bytes at most\n"))
}

fn again() -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::RETRY_AFTER, AGAIN)];
    (StatusCode::SERVICE_UNAVAILABLE, headers, "come again later\n").into_response()
}

/// The fields of a question, a hub's or a cloud's; of one that is given twice
/// the first counts.
fn question(query: &str) -> HubQuestion {
    let (mut question, mut cloud) = (HubQuestion::default(), HubQuestion::default());
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&name) {
            continue;
        }
        let value = value.into_owned();
        match &*name {
            "hub.mode" => question.mode = value,
            "hub.topic" => question.topic = value,
            "hub.challenge" => question.challenge = value,
            "hub.lease_seconds" => question.lease_seconds = Some(value),
            "hub.reason" => question.reason = Some(value),
            "url" => cloud.topic = value,
            "challenge" => cloud.challenge = value,
            _ => continue,
        }
        seen.push(name);
    }
    // A hub states a mode, a cloud none of a hub's fields.
    if question == HubQuestion::default() { cloud } else { question }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_field_counts() {
        let asked = question(
            "hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.test%2F%3Fx%3D1&hub.challenge=a+b\
             &hub.mode=denied&hub.lease_seconds=15&x=y&hub.challenge=z",
        );
        let expected = HubQuestion {
            mode: "subscribe".to_owned(),
            topic: "https://a.test/?x=1".to_owned(),
            challenge: "a b".to_owned(),
            lease_seconds: Some("15".to_owned()),
            reason: None,
        };
        assert_eq!(asked, expected);
        assert_eq!(question(""), HubQuestion::default());
        let cloud = "url=https%3A%2F%2Fa.test%2Ff&challenge=abc&challenge=x";
        let expected = HubQuestion {
            topic: "https://a.test/f".to_owned(),
            challenge: "abc".to_owned(),
            ..HubQuestion::default()
        };
        assert_eq!(question(cloud), expected);
        assert_eq!(question(&format!("{cloud}&hub.mode=denied")).topic, "");
        assert_eq!(question("&=&hub.mode"), HubQuestion::default());
    }
}
