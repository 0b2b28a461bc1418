//! Alerts as JSON by HTTP POST, signed after Standard Webhooks 1.0.0.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};

use super::answer::{self, judge};
use super::body::Bodies;
use super::probe;
use super::signature::{parse_secret, sign};
use crate::deliver::message::Message;
use crate::deliver::template::{TemplateError, Templates};
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy, Secret};
use crate::net::{self, ClientOptions};

/// The shape of a webhook's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BodyFormat {
    /// As Standard Webhooks ask: type, timestamp, data.
    #[default]
    Standard,
    /// A CloudEvent 1.0 from this source; without one, from
    /// `/wirewatch/CHANNEL`.
    CloudEvents(Option<String>),
}

/// What a webhook channel is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookOptions {
    /// Where to post.
    pub url: String,
    /// `whsec_…`; without it, nothing is signed.
    pub secret: Option<Secret>,
    /// The secret before that, which signs too while receivers change over.
    pub old_secret: Option<Secret>,
    /// The body's shape.
    pub format: BodyFormat,
    /// Whether the receiver may be on a private or loopback address.
    pub allow_private: bool,
    /// A PEM file with authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Limit for one attempt.
    pub timeout: Duration,
    /// The user's own templates, of which `body` is used.
    pub templates: Templates,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            secret: None,
            old_secret: None,
            format: BodyFormat::default(),
            allow_private: false,
            ca_file: None,
            timeout: Duration::from_secs(20),
            templates: Templates::default(),
        }
    }
}

/// Posts alerts to one receiver.
pub struct Webhook {
    client: Client,
    url: Url,
    /// The new one first.
    keys: Vec<Vec<u8>>,
    format: BodyFormat,
    allow_private: bool,
    bodies: Bodies,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a secret.
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    /// Prepares the client; nothing is sent.
    ///
    /// # Errors
    ///
    /// When an option cannot be used.
    pub fn new(options: &WebhookOptions, user_agent: &str) -> Result<Self, BuildError> {
        let url = Url::parse(&options.url).map_err(|error| BuildError::Invalid {
            field: "url",
            value: "[hidden]".to_owned(),
            reason: error.to_string(),
        })?;
        let secrets = options.secret.iter().chain(&options.old_secret);
        let keys: Result<Vec<_>, _> = secrets.map(|secret| parse_secret(secret.expose())).collect();
        let keys = keys?;
        let bodies = Bodies::new(options.templates.body.as_deref())?;
        let client = net::client(&ClientOptions {
            user_agent: user_agent.to_owned(),
            allow_private: options.allow_private,
            ca_file: options.ca_file.clone(),
            connect_timeout: options.timeout.min(Duration::from_secs(10)),
            timeout: options.timeout,
        })?;
        Ok(Self {
            client,
            url,
            keys,
            format: options.format.clone(),
            allow_private: options.allow_private,
            bodies,
        })
    }

    async fn post(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let (media_type, body) = match self.body(delivery) {
            Ok(body) => body,
            Err(error) => return try_again(format!("template: {error}")),
        };
        if let Err(blocked) = net::check_url(&self.url, self.allow_private) {
            return try_again(blocked.to_string());
        }
        let (id, timestamp) = (delivery.id.as_str(), now.as_second());
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, media_type)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp);
        if !self.keys.is_empty() {
            let sign = |key: &Vec<u8>| sign(key, id, timestamp, body.as_bytes());
            let signatures: Vec<String> = self.keys.iter().map(sign).collect();
            request = request.header("webhook-signature", signatures.join(" "));
        }
        let asked = Instant::now();
        match request.body(body).send().await {
            Ok(mut response) => {
                // Seconds count from the answer (RFC 9110, section 10.2.3).
                let took = SignedDuration::try_from(asked.elapsed()).unwrap_or_default();
                let answered = now.saturating_add(took).unwrap_or(now);
                let wish = answer::wish(response.headers(), answered);
                let outcome = judge(response.status(), wish);
                answer::body(&mut response).await;
                outcome
            }
            Err(error) => try_again(net::short_error(&error)),
        }
    }

    /// The body and its media type.
    fn body(&self, delivery: &Delivery) -> Result<(&'static str, String), TemplateError> {
        match &self.format {
            BodyFormat::Standard => {
                let body = self.bodies.standard(&Message::of(&delivery.content))?;
                Ok(("application/json", body))
            }
            BodyFormat::CloudEvents(source) => {
                let own = format!("/wirewatch/{}", delivery.channel);
                let source = source.as_deref().unwrap_or(&own);
                let event = self.bodies.cloud_event(delivery, source)?;
                Ok(("application/cloudevents+json; charset=utf-8", event))
            }
        }
    }
}

impl Channel for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Webhook)
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(probe::server(&self.client, &self.url, self.allow_private))
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.post(delivery, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::delivery;
    use standardwebhooks::Webhook as Verifier;
    use std::collections::HashMap;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn options(port: u16) -> WebhookOptions {
        WebhookOptions {
            url: format!("http://127.0.0.1:{port}/hook?token=t0p"),
            secret: Some(Secret::new(SECRET)),
            allow_private: true,
            timeout: Duration::from_secs(5),
            ..WebhookOptions::default()
        }
    }

    struct Posted {
        headers: HashMap<String, String>,
        body: Vec<u8>,
    }

    /// Receives one request, sends `answer` and closes the connection.
    async fn receive(listener: TcpListener, answer: String) -> Posted {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("POST /hook?token=t0p HTTP/1.1\r\n"), "{head}");
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let headers: HashMap<String, String> =
            lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        Posted { headers, body }
    }

    async fn post(answer: &str, delivery: &Delivery, now: Timestamp) -> (Posted, Outcome) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let webhook = Webhook::new(&options(port), "wirewatch/test").unwrap();
        tokio::join!(receive(listener, answer.to_owned()), webhook.send(delivery, now))
    }

    /// The verifier wants the clock's own time.
    fn real_now() -> Timestamp {
        crate::model::Clock::System.now()
    }

    #[tokio::test]
    async fn an_alert_is_posted_as_signed_json() {
        let (now, delivery) = (real_now(), delivery(""));
        let (posted, outcome) = post("HTTP/1.1 204 No Content\r\n\r\n", &delivery, now).await;
        assert_eq!(outcome, Outcome::Sent("HTTP 204".to_owned()));
        assert_eq!(posted.headers["content-type"], "application/json");
        assert_eq!(posted.headers["webhook-id"], delivery.id.as_str());
        assert_eq!(posted.headers["webhook-timestamp"], now.as_second().to_string());
        assert_eq!(posted.headers["user-agent"], "wirewatch/test");
        let headers = (&posted.headers).try_into().unwrap();
        let verifier = Verifier::new(SECRET).unwrap();
        verifier.verify(&posted.body, &headers).unwrap();
        let altered = [&posted.body[..], b" "].concat();
        assert!(verifier.verify(&altered, &headers).is_err());
        let expected = concat!(
            r#"{"type":"alert.raised","timestamp":"2026-03-01T10:00:00Z","data":"#,
            r#"{"id":"a0123456789abcdef","rule":"naval-encounter","rule_title":"Naval encounters","#,
            r#""severity":"high","story":"s0123456789abcdef","#,
            r#""title":"Patrol boats face off near Serrano shoal","#,
            r#""url":"https://harbour.example/serrano?a=1&b=2","published":"2026-03-01T09:30:00Z","#,
            r#""sentences":["Two patrol boats came within 40 metres of each other near the shoal "#,
            r#"on Tuesday, the coast guard said."],"matches":["Patrol boats","patrol boats","shoal"],"capitals_only":false,"#,
            r#""outlets":[{"name":"Harbour Wire","url":"https://harbour.example/serrano?a=1&b=2","#,
            r#""published":"2026-03-01T09:30:00Z","first_seen":"2026-03-01T09:59:00Z"},"#,
            r#"{"name":"Pacific Ledger","url":"https://ledger.example/7","#,
            r#""published":"2026-03-01T09:30:00Z","first_seen":"2026-03-01T09:59:00Z"},"#,
            r#"{"name":"The Meridian Post","url":null,"published":null,"#,
            r#""first_seen":"2026-03-01T09:59:00Z"}],"outlets_total":3,"role":"alert","update":null}}"#,
        );
        let parse = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(parse(&posted.body), parse(expected.as_bytes()));
    }

    #[tokio::test]
    async fn answers_mean_what_they_say() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let check = async |status: &str, header: &str, expected: Outcome| {
            let answer = format!(
                "HTTP/1.1 {status}\r\n{header}Content-Length: 2\r\nConnection: close\r\n\r\nok"
            );
            let (_, mut outcome) = post(&answer, &delivery(""), now).await;
            // Seconds count from the answer, which took a moment.
            if let (
                Outcome::TryAgain { not_before: Some(at), .. },
                Outcome::TryAgain { not_before: Some(wanted), .. },
            ) = (&mut outcome, &expected)
            {
                let late = at.duration_since(*wanted);
                assert!((0..10).contains(&late.as_secs()), "{status} {header}: {late}");
                *at = *wanted;
            }
            assert_eq!(outcome, expected, "{status} {header}");
        };
        let later = |reason: &str, at: &str| Outcome::TryAgain {
            reason: reason.to_owned(),
            not_before: Some(at.parse().unwrap()),
        };
        check("200 OK", "", Outcome::Sent("HTTP 200".to_owned())).await;
        check("201 Created", "", Outcome::Sent("HTTP 201".to_owned())).await;
        check("410 Gone", "", Outcome::GiveUp("HTTP 410 Gone".to_owned())).await;
        check("404 x", "", Outcome::Refused("HTTP 404 Not Found".to_owned())).await;
        check("401 x", "", Outcome::Refused("HTTP 401 Unauthorized".to_owned())).await;
        check("408 x", "", try_again("HTTP 408 Request Timeout")).await;
        let wish = later("HTTP 404 Not Found", "2026-03-01T12:02:00Z");
        check("404 x", "Retry-After: 120\r\n", wish).await;
        check("500 x", "", try_again("HTTP 500 Internal Server Error")).await;
        check("599 x", "", try_again("HTTP 599")).await;
        let wish = later("HTTP 503 Service Unavailable", "2026-03-01T12:02:00Z");
        check("503 x", "Retry-After: 120\r\n", wish).await;
        let wish = later("HTTP 429 Too Many Requests", "2026-03-01T13:00:00Z");
        check("429 x", "Retry-After: Sun, 01 Mar 2026 13:00:00 GMT\r\n", wish).await;
        check("429 x", "Retry-After: soon\r\n", try_again("HTTP 429 Too Many Requests")).await;
        let moved = "HTTP 307 Temporary Redirect: redirects are not followed";
        check("307 x", "Location: http://127.0.0.1:1/\r\n", try_again(moved)).await;
        let moved = "HTTP 304 Not Modified: redirects are not followed";
        check("304 x", "", try_again(moved)).await;
    }

    #[tokio::test]
    async fn broken_connections_are_tried_again_and_keep_the_url_quiet() {
        let (_, outcome) = post("", &delivery(""), Timestamp::UNIX_EPOCH).await;
        let Outcome::TryAgain { reason, not_before: None } = outcome else { panic!("{outcome:?}") };
        assert!(!reason.contains("t0p") && !reason.contains("hook"), "{reason}");
    }

    #[tokio::test]
    async fn a_silent_receiver_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = WebhookOptions { timeout: Duration::from_millis(100), ..options(port) };
        let webhook = Webhook::new(&options, "wirewatch/test").unwrap();
        let outcome = webhook.send(&delivery(""), Timestamp::UNIX_EPOCH).await;
        assert_eq!(outcome, try_again("timed out"));
    }

    #[tokio::test]
    async fn an_accepted_delivery_is_sent_even_if_the_answer_never_ends() {
        let answer = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(200_000));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let webhook = Webhook::new(&options(port), "wirewatch/test").unwrap();
        let delivery = delivery("");
        let endless = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut ignored = [0; 65_536];
            let _ = stream.read(&mut ignored).await;
            // The client may have closed the connection already.
            let _ = stream.write_all(answer.as_bytes()).await;
            std::future::pending::<()>().await;
        };
        let outcome = tokio::select! {
            outcome = webhook.send(&delivery, Timestamp::UNIX_EPOCH) => outcome,
            () = endless => unreachable!(),
        };
        assert_eq!(outcome, Outcome::Sent("HTTP 200".to_owned()));
    }

    #[tokio::test]
    async fn private_receivers_are_blocked_unless_allowed() {
        for url in ["http://127.0.0.1:9/hook", "http://[::1]:9000/", "http://localhost:9000/"] {
            let options = WebhookOptions {
                url: url.to_owned(),
                allow_private: false,
                ..WebhookOptions::default()
            };
            let webhook = Webhook::new(&options, "wirewatch/test").unwrap();
            let outcome = webhook.send(&delivery(""), Timestamp::UNIX_EPOCH).await;
            let Outcome::TryAgain { reason, .. } = outcome else { panic!("{url}: {outcome:?}") };
            assert!(reason.ends_with("blocked address"), "{url}: {reason}");
        }
    }

    #[tokio::test]
    async fn both_secrets_sign_while_receivers_change_over() {
        let old = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let (now, delivery) = (real_now(), delivery(""));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = WebhookOptions {
            old_secret: Some(Secret::new(old)),
            format: BodyFormat::CloudEvents(None),
            ..options(port)
        };
        let webhook = Webhook::new(&options, "wirewatch/test").unwrap();
        let answer = "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
        let (posted, outcome) =
            tokio::join!(receive(listener, answer), webhook.send(&delivery, now));
        assert_eq!(outcome, Outcome::Sent("HTTP 204".to_owned()));
        assert_eq!(posted.headers["webhook-signature"].split(' ').count(), 2);
        assert_eq!(posted.headers["content-type"], "application/cloudevents+json; charset=utf-8");
        for secret in [SECRET, old] {
            let headers = (&posted.headers).try_into().unwrap();
            Verifier::new(secret).unwrap().verify(&posted.body, &headers).unwrap();
        }
        let event: serde_json::Value = serde_json::from_slice(&posted.body).unwrap();
        assert_eq!(event["source"], "/wirewatch/desk");
    }
}
