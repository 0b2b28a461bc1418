//! What HTTP receivers answer, read within bounds and understood alike.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::model::Outcome;
use crate::net;

/// So much of an answer is read, to be able to use the connection again.
const MAX_ANSWER: usize = 64 * 1024;
/// An answer that trickles is not waited for: its status has been read.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The body of an answer, as far as it came within bounds.
pub(super) async fn body(response: &mut Response) -> Vec<u8> {
    let mut kept = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MAX_ANSWER.saturating_sub(kept.len());
            kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                break;
            }
        }
    };
    // The status is known, whether the body comes to an end or not.
    let _ = tokio::time::timeout(ANSWER_TIME, read).await;
    kept
}

/// "HTTP 404 Not Found".
pub(super) fn words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(words) => format!("HTTP {} {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    }
}

/// When the receiver wants to be asked again, by its header.
pub(super) fn wish(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let wish = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    wish.and_then(|value| net::retry_after(value, now))
}

/// What a status means for a webhook. Redirects are never followed: the
/// message is meant for one receiver.
pub(super) fn judge(status: StatusCode, not_before: Option<Timestamp>) -> Outcome {
    if status.is_success() {
        return Outcome::Sent(format!("HTTP {}", status.as_u16()));
    }
    let reason = words(status);
    if status == StatusCode::GONE {
        return Outcome::GiveUp(reason);
    }
    let reason = match status.is_redirection() {
        true => format!("{reason}: redirects are not followed"),
        false => reason,
    };
    if not_before.is_none() && declines(status) {
        return Outcome::Refused(reason);
    }
    Outcome::TryAgain { reason, not_before }
}

/// Whether the request itself was found wanting, so that the same request
/// will hardly do better. The three exceptions are about time.
pub(super) fn declines(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429)
}
