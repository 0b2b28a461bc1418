//! A receiver of webhooks that notes what came before it answers.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::support::http::{FeedServer, Reply, Request, handler};

const PATH: &str = "/hook";

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) id: String,
    /// The number in the headline; none in a message about the program itself.
    pub(crate) story: Option<String>,
    pub(crate) at: Instant,
    /// When the answer began.
    pub(crate) answered: Instant,
}

/// What decides an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Requests of this delivery before.
    pub(crate) before: usize,
    /// Whether it is the first delivery that ever came.
    pub(crate) is_first: bool,
}

/// An answer, and how long it takes.
type Answering = Box<dyn FnMut(Turn) -> (Reply, Duration) + Send>;

/// The server and its notes.
pub(crate) struct Receiver {
    server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    answering: Mutex<Answering>,
    hits: Mutex<Vec<Hit>>,
    version: watch::Sender<u64>,
}

impl Receiver {
    /// Accepts everything at once.
    pub(crate) async fn fast() -> Self {
        Self::start(|_| (Reply::ok("kept"), Duration::ZERO)).await
    }

    /// Answers as it is told.
    pub(crate) async fn start(
        answering: impl FnMut(Turn) -> (Reply, Duration) + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            answering: Mutex::new(Box::new(answering)),
            hits: Mutex::default(),
            version: watch::Sender::default(),
        });
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route(PATH, handler(move |request| for_requests.receive(request)));
        Self { server, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(PATH)
    }

    /// From now on accepts everything at once.
    pub(crate) fn behave(&self) {
        let fast = Box::new(|_| (Reply::ok("kept"), Duration::ZERO));
        *self.shared.answering.lock().unwrap() = fast;
    }

    /// Everything so far, in the order of arrival.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.shared.hits.lock().unwrap().clone()
    }

    /// Waits until all that came is enough; whether it became so before the deadline.
    pub(crate) async fn until(
        &self,
        deadline: Instant,
        mut is_enough: impl FnMut(&[Hit]) -> bool,
    ) -> bool {
        let mut version = self.shared.version.subscribe();
        let search = async {
            while !is_enough(&self.shared.hits.lock().unwrap()) {
                version.changed().await.unwrap();
            }
        };
        tokio::time::timeout_at(deadline.into(), search).await.is_ok()
    }

    /// Waits until each of so many stories has come.
    pub(crate) async fn until_stories(&self, count: usize, deadline: Instant) -> bool {
        let mut known = HashSet::new();
        let mut read = 0;
        let is_enough = move |hits: &[Hit]| {
            known.extend(hits[read..].iter().filter_map(|hit| hit.story.clone()));
            read = hits.len();
            known.len() >= count
        };
        self.until(deadline, is_enough).await
    }
}

impl Shared {
    fn receive(&self, request: &Request) -> Reply {
        let at = Instant::now();
        let id = request.header("webhook-id").unwrap_or_default().to_owned();
        let json: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let story = story(json["data"]["title"].as_str().unwrap_or_default());
        let mut hits = self.hits.lock().unwrap();
        let before = hits.iter().filter(|hit| hit.id == id).count();
        let is_first = hits.first().is_none_or(|first| first.id == id);
        let turn = Turn { before, is_first };
        let (reply, delay) = (self.answering.lock().unwrap())(turn);
        hits.push(Hit { id, story, at, answered: at + delay });
        self.version.send_modify(|version| *version += 1);
        reply.delay(delay)
    }
}

/// The number after "marker story" in a headline.
fn story(title: &str) -> Option<String> {
    let number = title.split_once("marker story ")?.1.split(' ').next()?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.to_owned())
}

/// What came more than once, and what came under several names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    /// Requests of a delivery that had come before.
    pub(crate) same_id: usize,
    /// Ids beyond the first one of a story.
    pub(crate) new_id: usize,
}

impl Repeats {
    pub(crate) fn among(hits: &[Hit]) -> Self {
        let ids: BTreeSet<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
        let mut by_story: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for hit in hits {
            if let Some(story) = &hit.story {
                by_story.entry(story).or_default().insert(&hit.id);
            }
        }
        let new_id = by_story.values().map(|ids| ids.len() - 1).sum();
        Self { same_id: hits.len() - ids.len(), new_id }
    }
}
