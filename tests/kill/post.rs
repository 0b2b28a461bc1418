//! The mail server of the test: it takes part in the same way as the receiver of webhooks.
//!
//! It has two receivers. One is told of each story in a mail of its own, the other of what comes
//! within a second in one mail, so that kills hit stories that are kept back and digests too.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use serde_json::Value;

use super::desk::{Attempt, Fate, delay, tokens};
use super::random::Random;
use super::support::smtp::{Fault, SmtpSink};

/// Told of each story in a mail of its own.
pub(crate) const PLAIN: &str = "plain@example.org";
/// Told of what comes together in one mail.
pub(crate) const GROUPED: &str = "grouped@example.org";

/// The sender's local part, before the number of the daemon's life.
pub(crate) const SENDER: &str = "run-";

/// The mail server.
pub(crate) struct Post {
    sink: SmtpSink,
    state: Arc<Mutex<State>>,
}

struct State {
    random: Random,
    behaves: bool,
    /// Message-IDs, and stories: either fares badly once at the most.
    seen: HashSet<String>,
    attempts: Vec<(String, Attempt)>,
}

impl Post {
    pub(crate) async fn start(random: Random) -> Self {
        let state = State { random, behaves: false, seen: HashSet::new(), attempts: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let judge = move |from: &str, data: &[u8]| shared.lock().unwrap().receive(from, data);
        Self { sink: SmtpSink::builder().judge(Arc::new(judge)).start().await, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.sink.port()
    }

    /// From now on accepts everything.
    pub(crate) fn behave(&self) {
        self.state.lock().unwrap().behaves = true;
    }

    /// What was tried for one of its receivers.
    pub(crate) fn attempts(&self, receiver: &str) -> Vec<Attempt> {
        let state = self.state.lock().unwrap();
        let mine = state.attempts.iter().filter(|(to, _)| to == receiver);
        mine.map(|(_, attempt)| attempt.clone()).collect()
    }

    pub(crate) fn last_attempt(&self) -> Option<Instant> {
        self.state.lock().unwrap().attempts.last().map(|(_, attempt)| attempt.at)
    }
}

impl State {
    fn receive(&mut self, from: &str, data: &[u8]) -> (Option<Fault>, Duration) {
        let at = Instant::now();
        let mail = MessageParser::default().parse(data).expect("a mail");
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
        let to = to.unwrap_or_default().to_owned();
        let text = mail.body_text(0).unwrap_or_default().into_owned();
        let tokens = tokens(&text);
        let id = mail.message_id().unwrap_or_default().to_owned();
        let (fate, delay) = (self.fate(&id), delay(&mut self.random));
        let run = from.strip_prefix(SENDER).and_then(|rest| rest.split('@').next());
        let attempt = Attempt {
            id,
            is_notice: tokens.is_empty() && text.starts_with("wirewatch: "),
            tokens,
            names: (Value::Null, Value::Null),
            body: text.into_bytes(),
            signature: Ok(()),
            run: run.and_then(|run| run.parse().ok()).unwrap_or(0),
            at,
            answered: (!fate.stalls()).then_some(at + delay),
            fate,
        };
        self.attempts.push((to, attempt));
        let fault = match fate {
            Fate::Accepted => None,
            Fate::Refused => Some(Fault::from("451 4.3.0 Try again later")),
            Fate::Cut => Some(Fault::DropAfterAccept),
            Fate::StalledKept => Some(Fault::HangAfterAccept),
            Fate::StalledLost => Some(Fault::Hang),
        };
        (fault, delay)
    }

    fn fate(&mut self, id: &str) -> Fate {
        let is_new = self.seen.insert(id.to_owned());
        let fate = Fate::draw(&mut self.random);
        if self.behaves || !is_new { Fate::Accepted } else { fate }
    }
}
