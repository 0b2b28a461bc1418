//! The receiver of the alerts: it records before it answers, and answers badly at times.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use standardwebhooks::Webhook;

use super::daemon::run_of;
use super::random::Random;
use super::support::http::{FeedServer, Reply, Request, handler};

/// What the receiver and the daemon share.
pub(crate) const SECRET: &str = "whsec_a2lsbCAtOSBsb3NlcyBub3RoaW5nLCBub3QgZXZlbiBvbmNl";
const PATH: &str = "/hook";

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Kept, and said so.
    Accepted,
    /// Not kept, and a server's error.
    Refused,
    /// Kept, but the connection ends without an answer.
    Cut,
    /// Kept, but never answered.
    StalledKept,
    /// Neither kept nor answered.
    StalledLost,
}

impl Fate {
    pub(crate) fn stalls(self) -> bool {
        matches!(self, Self::StalledKept | Self::StalledLost)
    }

    /// What a story that has not failed before meets.
    pub(crate) fn draw(random: &mut Random) -> Self {
        match random.below(1_000) {
            0..50 => Self::Refused,
            50..100 => Self::Cut,
            100..110 => Self::StalledKept,
            110..120 => Self::StalledLost,
            _ => Self::Accepted,
        }
    }
}

/// One attempt to deliver.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    /// The stories' tokens, taken from the titles: one, except in a digest.
    pub(crate) tokens: Vec<String>,
    /// Whether it tells of the service itself: so many alerts make a noisy rule.
    pub(crate) is_notice: bool,
    /// The alert's id and the story's, where they are said.
    pub(crate) names: (Value, Value),
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Result<(), String>,
    /// Which life of the daemon sent it.
    pub(crate) run: usize,
    pub(crate) at: Instant,
    /// When it was answered, one way or the other.
    pub(crate) answered: Option<Instant>,
    pub(crate) fate: Fate,
}

impl Attempt {
    /// Whether the receiver has it now.
    pub(crate) fn kept(&self) -> bool {
        matches!(self.fate, Fate::Accepted | Fate::Cut | Fate::StalledKept)
    }

    /// Whether the receiver has it and the sender cannot know: it must send it again.
    pub(crate) fn forces_repeat(&self) -> bool {
        matches!(self.fate, Fate::Cut | Fate::StalledKept)
    }
}

/// The receiver of the test.
pub(crate) struct Desk {
    server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    webhook: Webhook,
    state: Mutex<State>,
}

struct State {
    random: Random,
    behaves: bool,
    /// Stories by their tokens, since ids may be what is wrong.
    seen: HashSet<String>,
    attempts: Vec<Attempt>,
}

impl Desk {
    pub(crate) async fn start(random: Random) -> Self {
        let state = State { random, behaves: false, seen: HashSet::new(), attempts: Vec::new() };
        let webhook = Webhook::new(SECRET).expect("the secret is well formed");
        let shared = Arc::new(Shared { webhook, state: Mutex::new(state) });
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route(PATH, handler(move |request| for_requests.receive(request)));
        Self { server, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(PATH)
    }

    /// From now on accepts everything.
    pub(crate) fn behave(&self) {
        self.shared.state.lock().unwrap().behaves = true;
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.shared.state.lock().unwrap().attempts.clone()
    }

    pub(crate) fn last_attempt(&self) -> Option<Instant> {
        self.shared.state.lock().unwrap().attempts.last().map(|attempt| attempt.at)
    }
}

impl Shared {
    fn receive(&self, request: &Request) -> Reply {
        let at = Instant::now();
        let id = request.header("webhook-id").unwrap_or_default().to_owned();
        let json: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let signature = self.verify(request);
        let tokens = tokens(json["data"]["title"].as_str().unwrap_or_default());
        let mut state = self.state.lock().unwrap();
        let fate = state.fate(tokens.first());
        let delay = delay(&mut state.random);
        state.attempts.push(Attempt {
            id,
            tokens,
            is_notice: json["type"] == "feed.notice",
            names: (json["data"]["id"].clone(), json["data"]["story"].clone()),
            body: request.body.clone(),
            signature,
            run: run_of(request),
            at,
            answered: (!fate.stalls()).then_some(at + delay),
            fate,
        });
        let reply = match fate {
            Fate::Accepted => Reply::ok("kept"),
            Fate::Refused => Reply::status(500),
            Fate::Cut => Reply::status(200).drop_connection(),
            Fate::StalledKept | Fate::StalledLost => Reply::status(200).hang(),
        };
        reply.delay(delay)
    }

    /// Verifies by an implementation that shares no code with the sender.
    fn verify(&self, request: &Request) -> Result<(), String> {
        let headers = request.headers.iter().cloned();
        let headers: HashMap<String, String> =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        // The type of the header map is of a crate that these tests do not depend on.
        let headers = (&headers).try_into().map_err(|error| format!("{error:?}"))?;
        self.webhook.verify(&request.body, &headers).map_err(|error| error.to_string())
    }
}

impl State {
    /// A story fares badly once at the most: after two failures the daemon rightly waits for
    /// five minutes, and the test would with it.
    fn fate(&mut self, token: Option<&String>) -> Fate {
        let is_new = self.seen.insert(token.cloned().unwrap_or_default());
        let fate = Fate::draw(&mut self.random);
        if self.behaves || !is_new { Fate::Accepted } else { fate }
    }
}

/// Mostly up to 10 ms. One answer in three takes longer, else too few kills would find a
/// delivery on its way.
pub(crate) fn delay(random: &mut Random) -> Duration {
    let micros = match random.below(3) {
        0 => 20_000 + random.below(100_000),
        _ => random.below(10_000),
    };
    Duration::from_micros(micros)
}

/// The tokens of the stories whose titles stand in a text, each once.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let words = text.split("marker story ").skip(1).map(|rest| rest.get(..6).unwrap_or_default());
    let tokens: BTreeSet<&str> =
        words.filter(|token| token.bytes().all(|byte| byte.is_ascii_digit())).collect();
    tokens.into_iter().map(str::to_owned).collect()
}
