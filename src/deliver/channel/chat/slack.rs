//! Slack: incoming webhooks. Rich text has no marks to be escaped, so a
//! headline cannot make any; only the text of the notification is escaped.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};

use super::fit::{Measure, fit};
use super::markup::{Markup, Unit, render};
use super::service::{Answer, Call, Reading, Service, secret_parts};
use super::telling::{Paragraph, Role, Run, Telling};

/// Slack takes 3,000 characters in a section and 40,000 in a text.
const MAX_TEXT: usize = 3_000;

pub(super) struct Slack {
    pub(super) url: Url,
}

impl Service for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let short = telling.only(|role| matches!(role, Role::Heading | Role::Headline));
        let lines = fit(&telling.paragraphs, MAX_TEXT, &Characters);
        let elements: Vec<Value> = lines.iter().map(element).collect();
        let body = json!({
            "text": render(&short, Markup::Slack, Unit::Utf16, MAX_TEXT),
            "blocks": [{ "type": "rich_text", "elements": elements }],
            "unfurl_links": false,
            "unfurl_media": false,
        });
        Ok(Call::post(self.url.clone(), body))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let says = answer.text();
        let proof = says.trim() == "ok" || answer.json()["ok"] == true;
        Reading::new(answer, proof, &says)
    }

    fn gap(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn secrets(&self) -> Vec<String> {
        secret_parts(&self.url)
    }
}

/// Rich text counted in characters, with a little for each line.
struct Characters;

impl Measure for Characters {
    fn text(&self, text: &str) -> usize {
        Unit::Utf16.count(text)
    }

    fn frame(&self, paragraph: &Paragraph) -> usize {
        // The link is no text, but the safe way to count it is as one; the
        // longest leaves a third of the room.
        1 + paragraph.link.as_ref().map_or(0, String::len)
    }

    fn hit(&self) -> usize {
        0
    }
}

fn element(paragraph: &Paragraph) -> Value {
    let kind = match paragraph.role {
        Role::Quote => "rich_text_quote",
        _ => "rich_text_section",
    };
    let is_strong = matches!(paragraph.role, Role::Heading | Role::Subject);
    let end = if kind == "rich_text_section" { "\n" } else { "" };
    let mut parts: Vec<Value> =
        paragraph.runs.iter().map(|run| part(run, paragraph.link.as_deref(), is_strong)).collect();
    if !end.is_empty() {
        parts.push(json!({ "type": "text", "text": end }));
    }
    json!({ "type": kind, "elements": parts })
}

fn part(run: &Run, link: Option<&str>, is_strong: bool) -> Value {
    let mut part = match link {
        Some(url) => json!({ "type": "link", "url": url, "text": run.text }),
        None => json!({ "type": "text", "text": run.text }),
    };
    if run.hit || is_strong {
        part["style"] = json!({ "bold": true });
    }
    part
}
