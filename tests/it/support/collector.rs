//! A webhook receiver that checks every signature with an independent implementation.
//!
//! The signatures are verified by the `standardwebhooks` crate, which shares no code with the
//! sender under test. Every attempt is recorded, whatever it is answered, so a test can tell
//! what was sent from what the sender was told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::Value;
use standardwebhooks::Webhook;

use super::Changes;
use super::http::{FeedServer, Reply, Request, handler};

/// The path on which deliveries are received.
const PATH: &str = "/hook";

/// What the receiver does with a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answers 200.
    Ok,
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and this `Retry-After` header.
    RetryAfter(u16, &'static str),
    /// Keeps the delivery and closes the connection without an answer.
    CutAfterRecording,
    /// Keeps the delivery and never answers.
    Hang,
}

impl Answer {
    /// Whether this tells the sender that its delivery succeeded.
    pub fn accepts(&self) -> bool {
        match self {
            Self::Ok => true,
            Self::Status(status) | Self::RetryAfter(status, _) => (200..300).contains(status),
            Self::CutAfterRecording | Self::Hang => false,
        }
    }

    fn reply(&self) -> Reply {
        match self {
            Self::Ok => Reply::ok("received"),
            Self::Status(status) => Reply::status(*status),
            Self::RetryAfter(status, after) => Reply::status(*status).header("Retry-After", *after),
            Self::CutAfterRecording => Reply::status(200).drop_connection(),
            Self::Hang => Reply::status(200).hang(),
        }
    }
}

/// One attempt to deliver a message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The `webhook-id` header, empty when it was missing.
    pub id: String,
    /// The `webhook-timestamp` header, empty when it was missing.
    pub timestamp: String,
    /// The `webhook-signature` header, empty when it was missing.
    pub signature: String,
    /// The `content-type` header, empty when it was missing.
    pub content_type: String,
    /// The body as sent.
    pub body: Vec<u8>,
    /// The body as JSON, or null when it is not JSON.
    pub json: Value,
    /// Whether the signature fits the secret and the timestamp is recent.
    pub verified: bool,
    /// Why the signature was not verified.
    pub verify_error: Option<String>,
    /// What the sender was answered.
    pub answer: Answer,
    /// When the request had arrived.
    pub at: Instant,
    /// The whole request, for its other headers.
    pub request: Request,
}

impl Delivery {
    /// Whether the sender was told that the delivery succeeded.
    pub fn accepted(&self) -> bool {
        self.answer.accepts()
    }
}

/// A webhook receiver with one address.
pub struct Collector {
    server: FeedServer,
    shared: Arc<Shared>,
}

impl Collector {
    /// Starts a receiver for this secret, which may carry the `whsec_` prefix.
    ///
    /// It accepts every delivery until it is given other answers.
    pub async fn start(secret: &str) -> Self {
        let shared = Arc::new(Shared {
            webhook: Webhook::new(secret).expect("the webhook secret is base64"),
            answers: Mutex::default(),
            deliveries: Mutex::default(),
            changes: Changes::default(),
        });
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route(PATH, handler(move |request| for_requests.receive(request)));
        Self { server, shared }
    }

    /// The address to send deliveries to.
    pub fn url(&self) -> String {
        self.server.url(PATH)
    }

    /// Adds answers for the next deliveries, in order; after them every delivery is accepted.
    pub fn answer(&self, answers: Vec<Answer>) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    /// Every attempt so far, in the order of arrival.
    pub fn attempts(&self) -> Vec<Delivery> {
        self.shared.deliveries.lock().unwrap().clone()
    }

    /// The attempts that were answered with success.
    pub fn accepted(&self) -> Vec<Delivery> {
        let mut deliveries = self.attempts();
        deliveries.retain(Delivery::accepted);
        deliveries
    }

    /// Waits until `n` deliveries have been accepted and returns these.
    pub async fn wait_for(&self, n: usize) -> Vec<Delivery> {
        let look = || Some(self.accepted()).filter(|accepted| accepted.len() >= n);
        let missing = || format!("waited for {n} accepted deliveries, saw {}", self.seen());
        self.shared.changes.wait(look, missing).await
    }

    /// Waits until `n` deliveries have been attempted, accepted or not, and returns these.
    pub async fn wait_for_attempts(&self, n: usize) -> Vec<Delivery> {
        let look = || Some(self.attempts()).filter(|attempts| attempts.len() >= n);
        let missing = || format!("waited for {n} delivery attempts, saw {}", self.seen());
        self.shared.changes.wait(look, missing).await
    }

    /// Ends the receiver and returns once its port is closed.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    fn seen(&self) -> String {
        let attempts = self.attempts();
        let each: Vec<_> =
            attempts.iter().map(|one| (&one.id, &one.answer, one.verified)).collect();
        format!("{} attempts (id, answer, verified): {each:?}", each.len())
    }
}

/// What the receiver's requests share with the test.
struct Shared {
    webhook: Webhook,
    answers: Mutex<VecDeque<Answer>>,
    deliveries: Mutex<Vec<Delivery>>,
    changes: Changes,
}

impl Shared {
    /// Records a delivery and chooses its answer; the record is there before the answer is sent.
    fn receive(&self, request: &Request) -> Reply {
        let next = self.answers.lock().unwrap().pop_front();
        let answer = next.unwrap_or(Answer::Ok);
        let reply = answer.reply();
        let delivery = self.delivery(request, answer);
        self.deliveries.lock().unwrap().push(delivery);
        self.changes.announce();
        reply
    }

    fn delivery(&self, request: &Request, answer: Answer) -> Delivery {
        let header = |name| request.header(name).unwrap_or_default().to_owned();
        let verify_error = self.verify(request).err();
        Delivery {
            id: header(standardwebhooks::HEADER_WEBHOOK_ID),
            timestamp: header(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP),
            signature: header(standardwebhooks::HEADER_WEBHOOK_SIGNATURE),
            content_type: header("content-type"),
            body: request.body.clone(),
            json: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            verified: verify_error.is_none(),
            verify_error,
            answer,
            at: Instant::now(),
            request: request.clone(),
        }
    }

    fn verify(&self, request: &Request) -> Result<(), String> {
        let mut headers: HashMap<String, String> = HashMap::new();
        for (name, value) in request.headers.clone() {
            headers.entry(name.to_ascii_lowercase()).or_insert(value);
        }
        // The header map belongs to a crate that is no dependency of these tests. Leaving its
        // type to inference keeps it so.
        let headers = (&headers).try_into().map_err(|error| format!("{error:?}"))?;
        let verified = self.webhook.verify(&request.body, &headers);
        verified.map_err(|error| error.to_string())
    }
}
