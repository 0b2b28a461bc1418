//! ntfy: topics, published to as JSON, because headers carry ASCII only.

use reqwest::Url;
use serde_json::json;

use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service};
use super::telling::{Role, Telling};
use crate::model::Secret;

/// 4,096 bytes; what is longer would become an attachment.
const MAX_MESSAGE: usize = 4_096;
const MAX_TITLE: usize = 250;

pub(super) struct Ntfy {
    pub(super) url: Url,
    pub(super) topic: Secret,
    pub(super) token: Option<Secret>,
}

impl Service for Ntfy {
    fn kind(&self) -> &'static str {
        "ntfy"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let text = |limit, wanted: fn(Role) -> bool| {
            render(&telling.only(wanted), Markup::Plain, Unit::Byte, limit)
        };
        let mut body = json!({
            "topic": self.topic.expose(),
            "title": text(MAX_TITLE, |role| role == Role::Heading),
            "message": text(MAX_MESSAGE, |role| role != Role::Heading),
            "priority": match telling.severity { "high" => 4, "low" => 2, _ => 3 },
        });
        if let Some(link) = &telling.link {
            body["click"] = json!(link);
        }
        let call = Call::post(self.url.clone(), body);
        Ok(match &self.token {
            Some(token) => call.header("authorization", format!("Bearer {}", token.expose())),
            None => call,
        })
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        Reading::new(answer, json["id"].is_string(), json["error"].as_str().unwrap_or_default())
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = [Some(&self.topic), self.token.as_ref()];
        secrets.into_iter().flatten().map(|secret| secret.expose().to_owned()).collect()
    }
}
