//! Matrix: messages to a room. The delivery's id is the transaction's, so the
//! homeserver itself drops a repeat.

use reqwest::{Method, Url};
use serde_json::json;

use super::markup::{Markup, Unit, html, render};
use super::service::{Answer, Call, Reading, Service, seconds, with_path};
use super::telling::Telling;
use crate::model::Secret;

/// An event has 65,536 bytes; JSON may double the bytes of either text.
const MAX_PLAIN: usize = 8_000;
const MAX_HTML: usize = 16_000;

pub(super) struct Matrix {
    pub(super) base: Url,
    pub(super) room: String,
    pub(super) token: Secret,
}

impl Service for Matrix {
    fn kind(&self) -> &'static str {
        "matrix"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let path = ["_matrix", "client", "v3", "rooms", &self.room, "send", "m.room.message"];
        let url = with_path(&self.base, &[path.as_slice(), &[telling.delivery.as_str()]].concat());
        let body = json!({
            // A notice would be shown without a notification.
            "msgtype": "m.text",
            "body": render(&telling.paragraphs, Markup::Plain, Unit::Byte, MAX_PLAIN),
            "format": "org.matrix.custom.html",
            "formatted_body": html(&telling.paragraphs, MAX_HTML),
            // Nobody is meant: no name in the text calls its owner.
            "m.mentions": {},
        });
        let authorization = format!("Bearer {}", self.token.expose());
        let call = Call { method: Method::PUT, url, headers: Vec::new(), body };
        Ok(call.header("authorization", authorization))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        let word = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let says = format!("{} {}", word("errcode"), word("error"));
        let mut reading = Reading::new(answer, json["event_id"].is_string(), &says);
        reading.wait = json["retry_after_ms"].as_f64().and_then(|ms| seconds(ms / 1_000.0));
        reading
    }

    fn drops_repeats(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.token.expose().to_owned()]
    }
}
