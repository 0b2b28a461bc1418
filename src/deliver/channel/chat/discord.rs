//! Discord: webhooks. The headline is an embed's title with its link, the
//! rest the description below it.

use reqwest::Url;
use serde_json::{Value, json};

use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service, seconds, secret_parts, url};
use super::telling::{Role, Telling};
use crate::deliver::BuildError;
use crate::model::Secret;

/// Discord takes 2,000 characters of content, 256 of a title and 4,096 of a
/// description, 6,000 in all embeds.
const MAX_CONTENT: usize = 500;
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 3_000;

pub(super) struct Discord {
    url: Url,
}

impl Discord {
    pub(super) fn new(hook: &Secret) -> Result<Self, BuildError> {
        let mut url = url("url", hook.expose())?;
        // Without `wait` a message that is not kept makes no error. What else
        // is asked for, such as a thread, stays.
        let kept: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| name != "wait").map(owned).collect();
        url.query_pairs_mut().clear().extend_pairs(kept).append_pair("wait", "true");
        Ok(Self { url })
    }
}

fn owned((name, value): (std::borrow::Cow<str>, std::borrow::Cow<str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

impl Service for Discord {
    fn kind(&self) -> &'static str {
        "discord"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let part = |limit, wanted: fn(Role) -> bool| {
            render(&telling.only(wanted), Markup::Markdown, Unit::Utf16, limit)
        };
        let mut headline = telling.only(|role| role == Role::Headline);
        for line in &mut headline {
            // The title as a whole is the link, and bold.
            line.link = None;
            line.runs.iter_mut().for_each(|run| run.hit = false);
        }
        let rest = |role| !matches!(role, Role::Heading | Role::Headline);
        let mut embed = json!({
            "title": render(&headline, Markup::Markdown, Unit::Utf16, MAX_TITLE),
            "description": part(MAX_DESCRIPTION, rest),
            "timestamp": telling.time,
            "color": colour(telling.severity),
        });
        if let Some(link) = &telling.link {
            embed["url"] = json!(link);
        }
        let body = json!({
            "content": part(MAX_CONTENT, |role| role == Role::Heading),
            "embeds": [embed],
            "allowed_mentions": { "parse": [] },
        });
        Ok(Call::post(self.url.clone(), body))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        let says = json["message"].as_str().unwrap_or_default();
        let mut reading = Reading::new(answer, json["id"].is_string(), says);
        if answer.status.as_u16() == 429 {
            reading.wait = json["retry_after"].as_f64().and_then(seconds);
        }
        reading
    }

    fn gap(&self) -> std::time::Duration {
        // Five in two seconds for a webhook.
        std::time::Duration::from_millis(400)
    }

    fn secrets(&self) -> Vec<String> {
        secret_parts(&self.url)
    }
}

fn colour(severity: &str) -> Value {
    json!(match severity {
        "high" => 0x00D9_3025,
        "low" => 0x0080_868B,
        _ => 0x001A_73E8,
    })
}
