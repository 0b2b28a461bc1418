//! Messages as JSON, in the shapes that programs read: a webhook's body, a
//! line with the delivery's id, a CloudEvent.

use serde_json::{Map, Value, json};

use crate::deliver::message::Message;
use crate::deliver::template::{Marks, Renderer, TemplateError, TemplateKind};
use crate::model::Delivery;

/// Standard Webhooks ask for small bodies; 20 kB pass every receiver, and
/// leave a CloudEvent far below its 64 kB.
const MAX_BODY: usize = 20_000;

/// Makes them.
pub(super) struct Bodies {
    renderer: Renderer,
}

impl Bodies {
    /// With the user's own template in place of ours, if there is one.
    pub(super) fn new(own: Option<&str>) -> Result<Self, TemplateError> {
        let mut renderer = Renderer::new(&[TemplateKind::WebhookBody], Marks::Quotes)?;
        if let Some(source) = own {
            renderer.replace(TemplateKind::WebhookBody, source)?;
        }
        Ok(Self { renderer })
    }

    /// Says less and less until it fits, at last by our own template.
    pub(super) fn standard(&self, message: &Message) -> Result<String, TemplateError> {
        let shorter = (0..).map_while(|step| message.shortened(step));
        let mut last = message.clone();
        for message in shorter {
            let body = self.renderer.render(TemplateKind::WebhookBody, &message)?;
            if body.len() <= MAX_BODY {
                return Ok(body);
            }
            last = message;
        }
        tracing::warn!(alert.id = message.alert, "template makes too long a body, using ours");
        self.renderer.render_built_in(TemplateKind::WebhookBody, &last)
    }

    /// The body with the delivery's id before all else, on one line.
    pub(super) fn line(&self, delivery: &Delivery) -> Result<String, TemplateError> {
        let mut line = Map::new();
        line.insert("id".to_owned(), json!(delivery.id.as_str()));
        match self.value(&Message::of(&delivery.content))? {
            Value::Object(fields) => line.extend(fields.into_iter().filter(|(key, _)| key != "id")),
            other => {
                line.insert("data".to_owned(), other);
            }
        }
        Ok(Value::Object(line).to_string())
    }

    /// The body as a CloudEvent 1.0 in structured form. Its id is that of the
    /// delivery, so every attempt is the same event to its receiver.
    pub(super) fn cloud_event(
        &self,
        delivery: &Delivery,
        source: &str,
    ) -> Result<String, TemplateError> {
        let message = Message::of(&delivery.content);
        let mut fields = match self.value(&message)? {
            Value::Object(fields) => fields,
            other => Map::from_iter([("data".to_owned(), other)]),
        };
        let kind = message.event();
        let is_ours = fields.get("type").is_some_and(|found| *found == kind);
        let data = match fields.remove("data") {
            Some(data) if is_ours || fields.is_empty() => data,
            data => {
                fields.extend(data.map(|data| ("data".to_owned(), data)));
                Value::Object(fields)
            }
        };
        let event = json!({
            "specversion": "1.0",
            "id": delivery.id.as_str(),
            "source": source,
            "type": format!("wirewatch.{kind}"),
            "subject": &message.alert,
            "time": message.time(),
            "datacontenttype": "application/json",
            "data": data,
        });
        Ok(event.to_string())
    }

    fn value(&self, message: &Message) -> Result<Value, TemplateError> {
        let text = self.standard(message)?;
        serde_json::from_str(&text)
            .map_err(|error| TemplateError { line: None, message: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::message::tests::content;
    use crate::deliver::tests::{alert, delivery};
    use crate::model::{Content, DigestContent, Field, Severity, Span};

    fn body(template: Option<&str>, content: &crate::model::AlertContent) -> Value {
        let body = Bodies::new(template).unwrap().standard(&Message::new(content)).unwrap();
        assert!(body.len() <= MAX_BODY, "{} bytes", body.len());
        serde_json::from_str(&body).unwrap()
    }

    fn long() -> crate::model::AlertContent {
        let mut content = content();
        content.title = "\u{10ffff}".repeat(3_000);
        content.text = "界".repeat(100_000);
        content.spans = vec![Span { field: Field::Text, start: 0, end: 300_000 }];
        content.outlets[0].url = Some(format!("https://example.org/{}", "u".repeat(2_000)));
        content.outlets[0].name = "名".repeat(500);
        content.outlets = vec![content.outlets[0].clone(); 250];
        content
    }

    #[test]
    fn bodies_are_cut_to_20_kilobytes() {
        let data = &body(None, &long())["data"];
        assert_eq!(data["outlets_total"], 250);
        assert!(data["outlets"].as_array().unwrap().len() >= 5, "{data}");
        assert_eq!(data["title"].as_str().unwrap().chars().count(), 300);
    }

    #[test]
    fn a_digest_names_as_many_alerts_as_fit_the_most_urgent_first() {
        let alert = |n: usize| crate::model::AlertContent {
            title: format!("Patrol boats face off near shoal number {n}"),
            severity: if n == 150 { Severity::High } else { Severity::Normal },
            ..content()
        };
        let digest = DigestContent {
            id: "g0123456789abcdef".to_owned(),
            key: "storm".to_owned(),
            reason: "storm: 6 messages went out within an hour".to_owned(),
            created_at: content().created_at,
            total: 299,
            alerts: (0..200).map(alert).collect(),
        };
        let message = Message::of(&Content::Digest(Box::new(digest)));
        let body = Bodies::new(None).unwrap().standard(&message).unwrap();
        let value: Value = serde_json::from_str(&body).unwrap();
        let shown = value["data"]["alerts"].as_array().unwrap();
        assert!((MAX_BODY * 2 / 3..=MAX_BODY).contains(&body.len()), "{} bytes", body.len());
        assert!(shown.len() >= 40, "{}", shown.len());
        assert_eq!(value["data"]["alerts_total"], 299);
        assert_eq!(shown[0]["title"], "Patrol boats face off near shoal number 150");
    }

    #[test]
    fn a_template_of_the_users_makes_the_body_unless_it_is_too_long() {
        let own = r#"{"text": {{ rule_title ~ ": " ~ title }}, "hot": {{ severity == "high" }}}"#;
        let expected = json!({
            "text": "Naval encounters: Patrol boats face off near Serrano shoal", "hot": true,
        });
        assert_eq!(body(Some(own), &content()), expected);
        let long = r#"[{% for i in range(9000) %}{{ title }},{% endfor %}1]"#;
        assert_eq!(body(Some(long), &content())["type"], "alert.raised");
    }

    #[test]
    fn a_line_begins_with_the_deliverys_id() {
        let check = |template: Option<&str>, expected: &str| {
            let line = Bodies::new(template).unwrap().line(&delivery("")).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert!(line.starts_with(expected), "{line}");
        };
        check(None, r#"{"id":"d0123456789abcdef0123456789abcdef","type":"alert.raised","#);
        check(Some("[1]"), r#"{"id":"d0123456789abcdef0123456789abcdef","data":[1]}"#);
    }

    #[test]
    fn a_cloud_event_has_a_lasting_id_and_stays_small() {
        let event = |template: Option<&str>, content| {
            let mut delivery = delivery("");
            *alert(&mut delivery) = content;
            let bodies = Bodies::new(template).unwrap();
            let event = bodies.cloud_event(&delivery, "/wirewatch/desk").unwrap();
            assert_eq!(event, bodies.cloud_event(&delivery, "/wirewatch/desk").unwrap());
            assert!(event.len() <= 64_000, "{} bytes", event.len());
            serde_json::from_str::<Value>(&event).unwrap()
        };
        let usual = event(None, content());
        assert_eq!(usual["specversion"], "1.0");
        assert_eq!(usual["id"], "d0123456789abcdef0123456789abcdef");
        assert_eq!(usual["source"], "/wirewatch/desk");
        assert_eq!(usual["type"], "wirewatch.alert.raised");
        assert_eq!(usual["time"], "2026-03-01T10:00:00Z");
        assert_eq!(usual["data"]["rule"], "naval-encounter");
        event(None, long());
        let own = event(Some(r#"{"text": {{ title }}}"#), content());
        assert!(own["data"]["text"].is_string(), "{own}");
        assert_eq!(event(Some("[7]"), content())["data"], json!([7]));
    }
}
