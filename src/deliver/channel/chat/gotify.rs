//! Gotify: messages of an application. The token stands in a header, because
//! addresses are logged.

use reqwest::Url;
use serde_json::json;

use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service, with_path};
use super::telling::{Role, Telling};
use crate::model::Secret;

/// Gotify names no limit; phones do not show more.
const MAX_MESSAGE: usize = 8_000;
const MAX_TITLE: usize = 250;

pub(super) struct Gotify {
    pub(super) base: Url,
    pub(super) token: Secret,
}

impl Service for Gotify {
    fn kind(&self) -> &'static str {
        "gotify"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let text = |limit, wanted: fn(Role) -> bool| {
            render(&telling.only(wanted), Markup::Plain, Unit::Byte, limit)
        };
        let mut extras = json!({ "client::display": { "contentType": "text/plain" } });
        if let Some(link) = &telling.link {
            extras["client::notification"] = json!({ "click": { "url": link } });
        }
        let body = json!({
            "title": text(MAX_TITLE, |role| role == Role::Heading),
            "message": text(MAX_MESSAGE, |role| role != Role::Heading),
            "priority": match telling.severity { "high" => 8, "low" => 2, _ => 5 },
            "extras": extras,
        });
        let call = Call::post(with_path(&self.base, &["message"]), body);
        Ok(call.header("x-gotify-key", self.token.expose().to_owned()))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        let says = json["errorDescription"].as_str().unwrap_or_default();
        Reading::new(answer, json["id"].is_number(), says)
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.token.expose().to_owned()]
    }
}
