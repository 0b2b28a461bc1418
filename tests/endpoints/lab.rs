//! The laboratory: 25 endpoints, each a channel of its own, and a clock that only the test moves.
//!
//! Time jumps from one moment at which something might happen to the next: to the last millisecond
//! before a try may come, to the first one at which it may, to some in between, and to the one at
//! which it must have come. At each the program is begun anew (`app::once` opens the database,
//! follows the configuration, polls, sends what is due, and ends), so that whatever it knows of a
//! schedule it has read from the disk. What is noted is what arrived at the endpoints.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::Config;
use wirewatch::model::Clock;

use super::scripts::{Answer, DAY, ENDPOINTS, MINUTE, RELATIVE, SECOND, Window, next_window};
use super::support::http::{FeedServer, Handler, Request, handler};
use super::world::{World, rss};

/// Two stories that are there from the beginning, and one that comes while receivers hold.
const STORIES: [(&str, &str); 3] = [
    ("Marker: ferry runs aground off the northern lighthouse", "All passengers are safe."),
    ("Marker: copper miners vote on a new wage treaty", "The count goes on until Friday."),
    ("Marker: volcano observatory raises its warning level", "Flights are being diverted."),
];
/// When the third one is published.
const LATER: i64 = 10 * MINUTE;
/// A single round waits for a pause that ends so soon, in real time, and then sends though the
/// virtual clock has not moved. No look is taken at such a moment.
const SHORT_PAUSE: i64 = 30 * SECOND;
/// A receiver's wish holds everything else for it so long at most.
const LONGEST_HOLD: i64 = DAY;
/// Steps in which a window is passed.
const LOOKS: i64 = 10;
/// Far more looks than the schedule has reasons for.
const MOST_ROUNDS: usize = 3_000;
/// Looks after all is over, at which nothing may come.
const AFTERWARDS: [i64; 5] = [30 * MINUTE, 6 * 60 * MINUTE, DAY, 3 * DAY, 30 * DAY];

/// One request at an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) endpoint: usize,
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    /// The moment it arrived, by the virtual clock, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The seconds that its signature is made for.
    pub(crate) stamp: Option<i64>,
    /// Of the delivery that the script is for, which is the first to come; others are accepted.
    pub(crate) script: Option<Answer>,
    /// Tries of this delivery, this one counted.
    pub(crate) tries: usize,
}

impl Seen {
    /// Until when nothing may come to this endpoint, because of the answer.
    pub(crate) fn hold(&self) -> Option<i64> {
        let wish = self.script?.wish(self.at)?;
        Some(wish.min(self.at + LONGEST_HOLD))
    }

    /// When the next try is due.
    pub(crate) fn next(&self) -> Option<Window> {
        next_window(self.script?, self.tries, self.at)
    }
}

/// All that was seen.
pub(crate) struct Observed {
    pub(crate) log: Vec<Seen>,
    /// When the program looked for what is due.
    pub(crate) rounds: Vec<i64>,
    /// When each story was published.
    pub(crate) published: [i64; 3],
    /// Requests where redirects led.
    pub(crate) followed: usize,
}

/// Plays all days to their end.
pub(crate) async fn observe() -> Observed {
    let mut lab = Lab::build().await;
    lab.publish(2);
    lab.round().await;
    while let Some(next) = lab.next_look() {
        if next >= lab.begun + LATER && lab.published < STORIES.len() {
            lab.publish(STORIES.len());
        }
        lab.go_to(next);
        lab.round().await;
        assert!(lab.rounds.len() < MOST_ROUNDS, "it does not come to an end");
    }
    let end = lab.now();
    for wait in AFTERWARDS {
        lab.go_to(end + wait);
        lab.round().await;
    }
    let asides = lab.world.feeds.count(RELATIVE);
    Observed {
        log: lab.log.lock().unwrap().clone(),
        rounds: lab.rounds,
        published: [lab.begun, lab.begun, lab.begun + LATER],
        followed: asides + lab.away.all_requests().len(),
    }
}

struct Lab {
    world: World,
    config: Config,
    log: Arc<Mutex<Vec<Seen>>>,
    /// Where redirects lead.
    away: FeedServer,
    begun: i64,
    /// How many stories the feed has.
    published: usize,
    rounds: Vec<i64>,
}

impl Lab {
    async fn build() -> Self {
        let (world, away) = (World::new().await, FeedServer::start().await);
        let log = Arc::default();
        let names: Vec<&str> = ENDPOINTS.iter().map(|(name, _)| *name).collect();
        let mut toml = format!(
            "[store]\npath = {:?}\n[defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [rule.marked]\nmatch = 'marker'\nchannels = {names:?}\n{}",
            world.dir.path().join("watch.db"),
            world.feed("wire")
        );
        for (number, name) in names.into_iter().enumerate() {
            let path = format!("/{name}");
            let url = world.feeds.url(&path);
            world.feeds.route(&path, endpoint(number, &world.clock, &log, away.url("/")));
            let options = "secret_file = \"hook-secret\"\nallow_private = true\n";
            write!(toml, "[channel.{name}.webhook]\nurl = \"{url}\"\n{options}").unwrap();
        }
        let (config, begun) = (world.config(&toml), world.clock.now().as_millisecond());
        Self { world, config, log, away, begun, published: 0, rounds: Vec::new() }
    }

    fn publish(&mut self, count: usize) {
        let items = STORIES.iter().enumerate().take(count);
        let guids: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        let items: Vec<_> =
            items.map(|(number, (title, text))| (guids[number].as_str(), *title, *text)).collect();
        self.world.feeds.serve("/wire", "text/xml", rss(&items));
        self.published = count;
    }

    /// Begins the program anew, to do what is due now.
    async fn round(&mut self) {
        self.rounds.push(self.now());
        let stop = CancellationToken::new();
        app::once(&self.config, self.world.clock.clone(), &stop, |_| {}).await.unwrap();
    }

    fn now(&self) -> i64 {
        self.world.clock.now().as_millisecond()
    }

    fn go_to(&self, time: i64) {
        self.world.clock.set(Timestamp::from_millisecond(time).unwrap());
    }

    /// The next moment at which something may or must happen.
    fn next_look(&self) -> Option<i64> {
        let now = self.now();
        let log = self.log.lock().unwrap();
        let holds: Vec<i64> = log.iter().filter_map(Seen::hold).collect();
        // Of each delivery only the last try can be followed by another.
        let last: HashMap<&str, &Seen> = log.iter().map(|seen| (seen.id.as_str(), seen)).collect();
        let tries = last.values().filter_map(|seen| seen.next()).flat_map(looks_at);
        let ends = holds.iter().flat_map(|end| [end - SHORT_PAUSE - 1, *end]);
        let all = tries.chain(ends).chain([self.begun + LATER]);
        let next = all.filter(|time| *time > now).min()?;
        let is_soon_over = |end: &&i64| (next + 1..=next + SHORT_PAUSE).contains(*end);
        Some(holds.iter().filter(is_soon_over).max().copied().unwrap_or(next))
    }
}

/// Just before the window, its two ends, and some moments between them.
fn looks_at(window: Window) -> impl Iterator<Item = i64> {
    let Window { from, to } = window;
    (0..=LOOKS).map(move |part| from + (to - from) * part / LOOKS).chain([from - 1])
}

/// Notes what comes, and answers as the script says.
fn endpoint(number: usize, clock: &Clock, log: &Arc<Mutex<Vec<Seen>>>, away: String) -> Handler {
    let (clock, log) = (clock.clone(), Arc::clone(log));
    let answers = ENDPOINTS[number].1;
    handler(move |request| {
        let at = clock.now().as_millisecond();
        let mut log = log.lock().unwrap();
        let seen = note(number, request, at, (&log, answers));
        let answer = seen.script.unwrap_or(Answer::Status(200));
        log.push(seen);
        answer.reply(at, &away)
    })
}

fn note(endpoint: usize, request: &Request, at: i64, (log, answers): (&[Seen], &[Answer])) -> Seen {
    let id = request.header("webhook-id").unwrap_or_default().to_owned();
    let stamp = request.header("webhook-timestamp").and_then(|stamp| stamp.parse().ok());
    let mine: Vec<&Seen> = log.iter().filter(|seen| seen.endpoint == endpoint).collect();
    let before = mine.iter().filter(|seen| seen.id == id).count();
    let is_scripted = mine.first().is_none_or(|first| first.id == id);
    let script = is_scripted.then(|| Answer::of(answers, before));
    Seen { endpoint, id, body: request.body.clone(), at, stamp, script, tries: before + 1 }
}
