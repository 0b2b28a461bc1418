//! PagerDuty: events by the Events API v2. A rule and story are one incident,
//! whatever is told of them and however often.

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::service::{Answer, Call, Reading, Service, with_path};
use super::telling::{Paragraph, Telling, bare};
use crate::deliver::text::cut;
use crate::model::Secret;

/// A summary has 1,024 characters; details and all 512 kB.
const MAX_SUMMARY: usize = 1_024;
const MAX_LINE: usize = 2_000;
const MAX_DETAILS: usize = 40_000;
const MAX_KEY: usize = 255;

pub(super) struct PagerDuty {
    pub(super) base: Url,
    pub(super) key: Secret,
}

impl Service for PagerDuty {
    fn kind(&self) -> &'static str {
        "pagerduty"
    }

    fn call(&self, telling: &Telling) -> Result<Call, String> {
        let mut room = MAX_DETAILS;
        let lines: Vec<String> = telling
            .paragraphs
            .iter()
            .map(line)
            .take_while(|line| {
                room = room.saturating_sub(line.len());
                room > 0
            })
            .collect();
        let links: Vec<Value> =
            telling.link.iter().map(|url| json!({ "href": url, "text": "Read" })).collect();
        let source = match telling.outlets.as_str() {
            "" => "wirewatch",
            outlets => outlets,
        };
        let body = json!({
            "routing_key": self.key.expose(),
            "event_action": "trigger",
            "dedup_key": cut(&format!("wirewatch-{}", telling.alert), MAX_KEY),
            "client": "wirewatch",
            "payload": {
                "summary": summary(telling),
                "source": bare(source, MAX_KEY),
                "severity": severity(telling.severity),
                "timestamp": telling.time,
                "group": telling.rule,
                "class": telling.event,
                "custom_details": { "link": telling.link, "message": lines },
            },
            "links": links,
        });
        Ok(Call::post(with_path(&self.base, &["v2", "enqueue"]), body))
    }

    fn read(&self, answer: &Answer) -> Reading {
        let json = answer.json();
        let mut says = json["message"].as_str().unwrap_or_default().to_owned();
        for error in json["errors"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            says.push_str("; ");
            says.push_str(error);
        }
        Reading::new(answer, answer.status == StatusCode::ACCEPTED, &says)
    }

    fn drops_repeats(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.key.expose().to_owned()]
    }
}

fn severity(ours: &str) -> &'static str {
    match ours {
        "high" => "critical",
        "low" => "info",
        _ => "warning",
    }
}

fn summary(telling: &Telling) -> String {
    bare(&format!("{}: {}", telling.rule_title, telling.title), MAX_SUMMARY)
}

fn line(paragraph: &Paragraph) -> String {
    let text: String = paragraph.runs.iter().map(|run| run.text.as_str()).collect();
    bare(&text, MAX_LINE)
}
