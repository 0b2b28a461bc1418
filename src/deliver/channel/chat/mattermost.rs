//! Mattermost: incoming webhooks, in Markdown.

use reqwest::Url;
use serde_json::json;

use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service, secret_parts};
use super::telling::Telling;

/// 16,383 characters; what is longer would be split.
const MAX_TEXT: usize = 16_383;

pub(super) struct Mattermost {
    pub(super) url: Url,
    pub(super) channel: Option<String>,
}

impl Service for Mattermost {
    fn kind(&self) -> &'static str {
        "mattermost"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let text = render(&telling.paragraphs, Markup::Mattermost, Unit::Character, MAX_TEXT);
        let mut body = json!({ "text": text });
        if let Some(channel) = &self.channel {
            body["channel"] = json!(channel);
        }
        Ok(Call::post(self.url.clone(), body))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let text = answer.text();
        let json = answer.json();
        let says = json["message"].as_str().unwrap_or(&text);
        Reading::new(answer, text.trim() == "ok", says)
    }

    fn secrets(&self) -> Vec<String> {
        secret_parts(&self.url)
    }
}
