//! Feeds that change rarely, and the record of who asked for them when.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::daemon::run_of;
use super::random::Random;
use super::support::Changes;
use super::support::http::{FeedServer, Reply, Request, handler};

/// Items that a document shows at the most, besides those the daemon cannot have seen.
const WINDOW: usize = 10;
/// What stories are made of. None of it matches the rule.
const WORDS: [&str; 32] = [
    "harbour",
    "minister",
    "glacier",
    "tariff",
    "orchestra",
    "pipeline",
    "monsoon",
    "senate",
    "ferry",
    "vaccine",
    "quarry",
    "embassy",
    "turbine",
    "harvest",
    "ceasefire",
    "satellite",
    "copper",
    "railway",
    "election",
    "reef",
    "strike",
    "museum",
    "drought",
    "frigate",
    "budget",
    "volcano",
    "refinery",
    "court",
    "lighthouse",
    "census",
    "airport",
    "treaty",
];

/// One request for a feed.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) feed: usize,
    pub(crate) at: Instant,
    /// Which life of the daemon asked.
    pub(crate) run: usize,
    /// Whether it was answered with a document.
    pub(crate) document: bool,
    /// How long after the request the answer was sent.
    pub(crate) delay: Duration,
}

/// The feed server of the test.
pub(crate) struct Feeds {
    server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    feeds: Vec<Mutex<Feed>>,
    polls: Mutex<Vec<Poll>>,
    /// Tokens of all items, and whether each matches the rule.
    published: Mutex<Vec<(String, bool)>>,
    random: Mutex<Random>,
    changes: Changes,
}

/// One feed's document.
pub(crate) struct Feed {
    /// Drops what the daemon said it has, so that a loss cannot heal.
    forgetful: bool,
    version: u64,
    /// The newest version whose ETag the daemon has sent: it claims to have all of that.
    acknowledged: u64,
    /// The version each item came with, and its XML.
    items: Vec<(u64, String)>,
    /// The version that each story came with, of all there ever were.
    stories: Vec<(u64, String)>,
}

impl Feed {
    /// Adds an item as a new version of the document.
    ///
    /// An item that the daemon has not acknowledged always stays: feeds that drop what was never
    /// fetched lose stories by nobody's fault.
    pub(crate) fn publish(&mut self, token: String, item: String) {
        let keep = if self.forgetful { 0 } else { WINDOW - 1 };
        let old = self.items.len().saturating_sub(keep);
        let acknowledged = self.acknowledged;
        let mut index = 0;
        self.items.retain(|(version, _)| {
            index += 1;
            index > old || *version > acknowledged
        });
        self.version += 1;
        self.items.push((self.version, item));
        self.stories.push((self.version, token));
    }

    fn document(&self, number: usize) -> String {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\
             <title>Wire {number}</title><link>https://example.org/wire/{number}</link>\
             <description>Published for the kill test</description>\n"
        );
        for (_, item) in self.items.iter().rev() {
            text.push_str(item);
        }
        text + "</channel></rss>\n"
    }

    fn etag(&self, number: usize) -> String {
        format!("\"wire-{number}-{}\"", self.version)
    }
}

impl Feeds {
    pub(crate) async fn start(count: usize, random: Random) -> Self {
        // One in four keeps its last ten items, so that known entries are read again too.
        let feed = |number| Feed {
            forgetful: number % 4 != 0,
            version: 0,
            acknowledged: 0,
            items: Vec::new(),
            stories: Vec::new(),
        };
        let shared = Arc::new(Shared {
            feeds: (0..count).map(|number| Mutex::new(feed(number))).collect(),
            polls: Mutex::default(),
            published: Mutex::default(),
            random: Mutex::new(random),
            changes: Changes::default(),
        });
        let server = FeedServer::start().await;
        for number in 0..count {
            let shared = shared.clone();
            server.route(&path(number), handler(move |request| shared.answer(number, request)));
        }
        Self { server, shared }
    }

    /// The address of each feed.
    pub(crate) fn urls(&self) -> Vec<String> {
        (0..self.shared.feeds.len()).map(|number| self.server.url(&path(number))).collect()
    }

    /// Publishes items in random feeds until it is dropped.
    pub(crate) fn publish_for_ever(
        &self,
        mut random: Random,
    ) -> impl Future<Output = ()> + Send + 'static {
        let shared = self.shared.clone();
        async move {
            for number in 1.. {
                shared.publish(number, &mut random);
                // News comes when it comes: this is the rhythm of the input.
                tokio::time::sleep(Duration::from_millis(30 + random.below(20))).await;
            }
        }
    }

    /// The tokens of all items, and whether they ought to be told.
    pub(crate) fn published(&self) -> Vec<(String, bool)> {
        self.shared.published.lock().unwrap().clone()
    }

    /// The tokens of the items of which the daemon has said that it has them.
    #[allow(dead_code, reason = "only the power cuts ask")]
    pub(crate) fn acknowledged(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        for feed in &self.shared.feeds {
            let feed = feed.lock().unwrap();
            let has = feed.stories.iter().filter(|(version, _)| *version <= feed.acknowledged);
            tokens.extend(has.map(|(_, token)| token.clone()));
        }
        tokens
    }

    /// All requests so far, in the order of arrival.
    pub(crate) fn polls(&self) -> Vec<Poll> {
        self.shared.polls.lock().unwrap().clone()
    }

    /// Whether that life of the daemon has asked for every feed.
    pub(crate) fn are_all_polled_by(&self, run: usize) -> bool {
        let polls = self.shared.polls.lock().unwrap();
        let asked = polls.iter().filter(|poll| poll.run == run).map(|poll| poll.feed);
        asked.collect::<HashSet<_>>().len() == self.shared.feeds.len()
    }

    /// When a document was last asked for that the daemon had not.
    pub(crate) fn last_document(&self) -> Option<Instant> {
        let polls = self.shared.polls.lock().unwrap();
        polls.iter().rev().find(|poll| poll.document).map(|poll| poll.at)
    }

    /// Waits for the next request that is answered with a document, and returns when that is sent.
    pub(crate) async fn next_document(&self, log: impl FnOnce() -> String) -> Instant {
        let now = Instant::now();
        let look = || {
            let polls = self.shared.polls.lock().unwrap();
            let recent = polls.iter().rev().take_while(|poll| poll.at >= now);
            recent.filter(|poll| poll.document).last().map(|poll| poll.at + poll.delay)
        };
        self.shared.changes.wait(look, || format!("no document is asked for:\n{}", log())).await
    }

    /// Waits for the first request of that life of the daemon.
    pub(crate) async fn first_poll_of(&self, run: usize, log: impl FnOnce() -> String) -> Instant {
        let look = || {
            let polls = self.shared.polls.lock().unwrap();
            polls.iter().rev().take_while(|poll| poll.run >= run).last().map(|poll| poll.at)
        };
        let missing = || format!("no request of run {run}:\n{}", log());
        self.shared.changes.wait(look, missing).await
    }
}

impl Shared {
    fn answer(&self, number: usize, request: &Request) -> Reply {
        let at = Instant::now();
        let delay = Duration::from_micros(self.random.lock().unwrap().below(4_000));
        let mut feed = self.feeds[number].lock().unwrap();
        let has = request.header("If-None-Match").and_then(|etag| version_of(number, etag));
        feed.acknowledged = feed.acknowledged.max(has.unwrap_or(0));
        let document = has != Some(feed.version);
        let reply = if document {
            Reply::ok(feed.document(number)).header("Content-Type", "application/rss+xml")
        } else {
            Reply::status(304)
        };
        let reply = reply.header("ETag", feed.etag(number)).delay(delay);
        let poll = Poll { feed: number, at, run: run_of(request), document, delay };
        self.polls.lock().unwrap().push(poll);
        self.changes.announce();
        reply
    }

    fn publish(&self, number: u64, random: &mut Random) {
        let feed = usize::try_from(random.below(self.feeds.len() as u64)).unwrap();
        let token = format!("{number:06}");
        // Half of the items are to be read and told to nobody: a document more for the kills to
        // hit, without one more delivery.
        let is_told = random.below(2) == 0;
        let kind = if is_told { "marker" } else { "quiet" };
        let title = format!("{kind} story {token} {}", words(5, random));
        let item = format!(
            "<item><title>{title}</title><link>https://example.org/story/{token}</link>\
             <guid isPermaLink=\"false\">story-{token}</guid>\
             <description>{}, as dispatch {token} says.</description></item>\n",
            words(120, random)
        );
        // Known before it can be fetched, so that nothing comes that is not expected.
        self.published.lock().unwrap().push((token.clone(), is_told));
        self.feeds[feed].lock().unwrap().publish(token, item);
    }
}

fn words(count: usize, random: &mut Random) -> String {
    let words: Vec<&str> = (0..count).map(|_| random.choose(&WORDS)).collect();
    words.join(" ")
}

fn path(number: usize) -> String {
    format!("/wire/{number}.xml")
}

/// The version that an ETag of ours stands for.
fn version_of(number: usize, etag: &str) -> Option<u64> {
    etag.strip_prefix(&format!("\"wire-{number}-"))?.strip_suffix('"')?.parse().ok()
}
