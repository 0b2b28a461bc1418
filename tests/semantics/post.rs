//! The far end: receivers of webhooks that note what came, and when by the
//! clock of the test.
//!
//! What a trial counts is counted here, never taken from the program's own
//! figures.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;
use wirewatch::model::Clock;

use crate::lives::Traffic;
use crate::support::http::{FeedServer, Reply, Request, handler};

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) receiver: String,
    /// The delivery's id: repeats have the same.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// What it tells: rule and title of each alert.
    pub(crate) members: Vec<(String, String)>,
    /// How many alerts it says it tells; more than it names where it was cut.
    pub(crate) total: usize,
    /// Whether the sender was told that it arrived.
    pub(crate) accepted: bool,
}

/// Receivers at one server, each at a path of its own.
pub(crate) struct Post {
    server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    traffic: Arc<Traffic>,
    messages: Mutex<Vec<Message>>,
    /// Ids that were refused once, while first attempts are refused.
    refused: Mutex<Option<HashSet<String>>>,
}

impl Post {
    pub(crate) async fn start(clock: &Clock, receivers: &[&str], traffic: &Arc<Traffic>) -> Self {
        let shared = Arc::new(Shared {
            clock: clock.clone(),
            traffic: Arc::clone(traffic),
            messages: Mutex::default(),
            refused: Mutex::default(),
        });
        let server = FeedServer::start().await;
        for receiver in receivers {
            let (shared, name) = (Arc::clone(&shared), (*receiver).to_owned());
            let answer = handler(move |request| shared.receive(&name, request));
            server.route(&format!("/{receiver}"), answer);
        }
        Self { server, shared }
    }

    /// The configuration of a channel that tells a receiver, under its name.
    pub(crate) fn channel(&self, receiver: &str) -> String {
        let url = self.server.url(&format!("/{receiver}"));
        format!("[channel.{receiver}.webhook]\nurl = \"{url}\"\nallow_private = true\n")
    }

    /// From now on the first attempt of each message is answered with 503.
    pub(crate) fn refuse_first_attempts(&self) {
        *self.shared.refused.lock().unwrap() = Some(HashSet::new());
    }

    pub(crate) fn accept_all(&self) {
        *self.shared.refused.lock().unwrap() = None;
    }

    /// Every attempt so far, in the order of arrival.
    pub(crate) fn attempts(&self) -> Vec<Message> {
        self.shared.messages.lock().unwrap().clone()
    }

    /// What was accepted of a receiver's messages.
    pub(crate) fn accepted(&self, receiver: &str) -> Vec<Message> {
        let mut messages = self.attempts();
        messages.retain(|message| message.accepted && message.receiver == receiver);
        messages
    }
}

impl Shared {
    /// The record is there before the answer is sent.
    fn receive(&self, receiver: &str, request: &Request) -> Reply {
        if !self.traffic.arrives() {
            return Reply::status(200).hang();
        }
        let json: Value = serde_json::from_slice(&request.body).unwrap();
        let id = request.header("webhook-id").unwrap().to_owned();
        let first = |ids: &mut HashSet<String>| ids.insert(id.clone());
        let refuse = self.refused.lock().unwrap().as_mut().is_some_and(first);
        // Notices are about the program; trials that want them have their own receiver.
        if json["type"] != "feed.notice" {
            self.messages.lock().unwrap().push(message(receiver, &id, &json, &self.clock, !refuse));
        }
        if refuse { Reply::status(503) } else { Reply::ok("received") }
    }
}

fn message(receiver: &str, id: &str, json: &Value, clock: &Clock, accepted: bool) -> Message {
    let data = &json["data"];
    let told = |alert: &Value| {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        (text("rule"), text("title"))
    };
    let members: Vec<_> = match data["alerts"].as_array() {
        Some(alerts) => alerts.iter().map(told).collect(),
        None => vec![told(data)],
    };
    let total = data["alerts_total"].as_u64().map_or(members.len(), |total| total as usize);
    let (receiver, id, at) = (receiver.to_owned(), id.to_owned(), clock.now());
    Message { receiver, id, at, members, total, accepted }
}
