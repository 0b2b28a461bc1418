//! Telegram: a bot's messages to one chat, in HTML, of which only the visible
//! text is counted.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service, seconds, with_path};
use super::telling::Telling;
use crate::model::Secret;

/// 4,096 characters after entities are parsed.
const MAX_TEXT: usize = 4_096;

pub(super) struct Telegram {
    pub(super) base: Url,
    pub(super) token: Secret,
    pub(super) chat: String,
    pub(super) topic: Option<i64>,
}

impl Telegram {
    fn message(&self, telling: &Telling, markup: Markup) -> Call {
        let mut body = json!({
            "chat_id": self.chat_id(),
            "text": render(&telling.paragraphs, markup, Unit::Utf16, MAX_TEXT),
            "link_preview_options": { "is_disabled": true },
            "disable_notification": telling.severity == "low",
        });
        if markup == Markup::ParsedHtml {
            body["parse_mode"] = json!("HTML");
        }
        if let Some(topic) = self.topic {
            body["message_thread_id"] = json!(topic);
        }
        let bot = format!("bot{}", self.token.expose());
        Call::post(with_path(&self.base, &[&bot, "sendMessage"]), body)
    }

    fn chat_id(&self) -> Value {
        self.chat.parse::<i64>().map_or_else(|_| json!(self.chat), |id| json!(id))
    }

    fn is_group(&self) -> bool {
        self.chat.starts_with(['-', '@'])
    }
}

impl Service for Telegram {
    fn kind(&self) -> &'static str {
        "telegram"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        Ok(self.message(telling, Markup::ParsedHtml))
    }

    fn plainer(&self, telling: &Telling, answer: &Answer) -> Option<Call> {
        let says = answer.json()["description"].as_str().map(str::to_lowercase)?;
        let is_about_markup =
            answer.status == StatusCode::BAD_REQUEST && says.contains("can't parse entities");
        is_about_markup.then(|| self.message(telling, Markup::Plain))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        let says = json["description"].as_str().unwrap_or_default();
        let mut reading = Reading::new(answer, json["ok"] == true, says);
        let code = json["error_code"].as_u64().and_then(|code| u16::try_from(code).ok());
        if let Some(status) = code.and_then(|code| StatusCode::from_u16(code).ok())
            && !reading.accepted
        {
            reading.status = status;
        }
        reading.wait = json["parameters"]["retry_after"].as_f64().and_then(seconds);
        reading
    }

    fn gap(&self) -> Duration {
        // One a second, and twenty a minute to a group.
        Duration::from_secs(if self.is_group() { 3 } else { 1 })
    }

    fn secrets(&self) -> Vec<String> {
        // The number before the colon is the bot's, and public.
        let token = self.token.expose();
        let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
        vec![token.to_owned(), secret.to_owned()]
    }
}
