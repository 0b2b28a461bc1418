//! Microsoft Teams: webhooks of workflows, and the older connectors. Text runs
//! of a card know no Markdown, so a headline cannot make any.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::fit::{Measure, fit};
use super::service::{Answer, Call, Reading, Service, secret_parts};
use super::telling::{Paragraph, Role, Run, Telling};

/// Teams takes 28 KB, and 21 KB were seen to pass everywhere.
const MAX_BODY: usize = 20_000;
/// Bytes of JSON around all paragraphs, around one, and around a run.
const CARD: usize = 1_500;
const PARAGRAPH: usize = 160;
const RUN: usize = 260;

pub(super) struct Teams {
    pub(super) url: Url,
}

impl Service for Teams {
    fn kind(&self) -> &'static str {
        "teams"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let mut room = MAX_BODY - CARD;
        loop {
            let body = card(&fit(&telling.paragraphs, room, &Bytes), telling);
            if body.to_string().len() <= MAX_BODY || room < 1_000 {
                return Ok(Call::post(self.url.clone(), body));
            }
            room = room / 4 * 3;
        }
    }

    fn read(&self, answer: &Answer) -> Reading {
        let text = answer.text();
        // A connector says 200 whatever Teams told it, and the truth in words.
        let marker = "HTTP error ";
        let Some(at) = text.find(marker) else {
            let says = if answer.status.is_success() { "" } else { text.as_str() };
            return Reading::new(answer, true, says);
        };
        let digits: String =
            text[at + marker.len()..].chars().take_while(char::is_ascii_digit).collect();
        let mut reading = Reading::new(answer, false, &text);
        let status = digits.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
        reading.status = status.unwrap_or(StatusCode::BAD_GATEWAY);
        reading
    }

    fn gap(&self) -> Duration {
        // Four in a second.
        Duration::from_millis(250)
    }

    fn secrets(&self) -> Vec<String> {
        secret_parts(&self.url)
    }
}

/// A card counted in bytes of JSON.
struct Bytes;

impl Measure for Bytes {
    fn text(&self, text: &str) -> usize {
        let is_escaped = |c: &u8| matches!(c, b'"' | b'\\');
        text.len() + text.bytes().filter(is_escaped).count()
    }

    fn frame(&self, paragraph: &Paragraph) -> usize {
        // The link stands in the run, and of the headline in a button too.
        PARAGRAPH + RUN + paragraph.link.as_ref().map_or(0, |link| 2 * link.len())
    }

    fn hit(&self) -> usize {
        2 * RUN
    }
}

fn card(paragraphs: &[Paragraph], telling: &Telling) -> Value {
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "full" },
        "body": paragraphs.iter().map(block).collect::<Vec<Value>>(),
    });
    if let Some(url) = &telling.link {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Read", "url": url }]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn block(paragraph: &Paragraph) -> Value {
    let mut runs: Vec<Value> =
        paragraph.runs.iter().map(|run| inline(run, paragraph.role)).collect();
    // Once, however many hits stand in it, keeps the card small; the button
    // has the headline's link too.
    if let (Some(url), Some(first)) = (&paragraph.link, runs.first_mut()) {
        first["selectAction"] = json!({ "type": "Action.OpenUrl", "url": url });
    }
    let spacing = if paragraph.role == Role::Quote { "medium" } else { "small" };
    json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": runs })
}

fn inline(run: &Run, role: Role) -> Value {
    let mut inline = json!({ "type": "TextRun", "text": run.text });
    if run.hit || matches!(role, Role::Heading | Role::Subject) {
        inline["weight"] = json!("bolder");
    }
    if run.hit {
        inline["highlight"] = json!(true);
    }
    inline
}
