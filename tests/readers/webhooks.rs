//! Webhooks from before, during and after a change of the secret, verified by the libraries of
//! Standard Webhooks for Python and for Node.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::feeds;
use super::peers::{self, Peer, trial};
use super::station::{Station, signal, write_json};
use super::support::http::{FeedServer, Reply, Request, handler};
use super::titles::{self, Item, planes_of, untold};
use super::{judged, say, wait_for};

const OLD: &str = "whsec_b25lIG9mIHR3byBzZWNyZXRzLCB0aGUgb2xkIG9uZQ==";
const NEW: &str = "whsec_dGhlIG90aGVyIG9mIHR3byBzZWNyZXRzLCB0aGUgbmV3IG9uZQ==";
const FOREIGN: &str = "whsec_bmVpdGhlciBvZiB0aGVtLCBub2JvZHkgc2lnbnMgd2l0aCB0aGlz";
/// Deliveries with the old secret, with both, and with the new one.
const PHASES: [usize; 3] = [430, 140, 430];
/// So many of the first deliveries are refused at first.
const REFUSED: usize = 20;
/// Hundreds of stories are taken in before the first is told; on a small, busy machine that takes
/// longer than other tests wait.
const PATIENCE: Duration = Duration::from_secs(120);
/// The first wait of the schedule is 5 s, and may be a tenth shorter.
const SHORTEST_WAIT: i64 = 4;
/// From the moment of an attempt to its arrival on the same machine.
const LONGEST_WAY: i64 = 3;
/// The libraries accept five minutes either way.
const SIX_MINUTES: i64 = 360;
const FOUR_MINUTES: i64 = 240;
const MAX_BODY: usize = 20_000;
/// A headline is cut to 300 characters where the body would be too long, else to 1,000 bytes.
const LEAST_TITLE: usize = 240;
/// Unicode has so many.
const PLANES: u32 = 17;
const SHOWN: usize = 30;

/// One attempt as it arrived.
#[derive(Clone)]
struct Attempt {
    phase: usize,
    accepted: bool,
    id: String,
    timestamp: i64,
    signature: String,
    body: Vec<u8>,
    /// Seconds since 1970.
    arrived: i64,
}

/// What the receiver has got of what was published.
struct Post {
    items: Vec<Item>,
    attempts: Vec<Attempt>,
}

/// Sent once, for all trials.
static POST: LazyLock<Post> = LazyLock::new(|| wait_for(Post::send()));

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("webhooks_are_verified_by_python", Peer::Package("standardwebhooks"), are_verified),
        trial("webhooks_are_verified_by_node", Peer::Node, are_verified),
        Trial::test("a_retry_is_signed_anew", retry_is_signed_anew),
    ]
}

impl Post {
    /// A daemon runs through all three phases; each begins with a reload that brings a feed.
    async fn send() -> Self {
        let (server, desk, station) =
            (FeedServer::start().await, Desk::start().await, Station::new());
        station.secret("old", OLD);
        station.secret("new", NEW);
        let mut daemon = None;
        let mut items = Vec::new();
        for (phase, count) in PHASES.into_iter().enumerate() {
            let published = titles::items(count, 100 + phase as u64);
            let feed = feeds::json_feed("Harbour Wire", &published);
            server.serve(&path(phase), "application/feed+json", feed);
            items.extend(published);
            station.configure(&configuration(phase, &server, &desk));
            match &daemon {
                None => daemon = Some(station.run()),
                Some(daemon) => signal(daemon, "HUP").await,
            }
            desk.wait_for(items.len(), &station).await;
        }
        let attempts = desk.shared.attempts.lock().unwrap().clone();
        Self { items, attempts }
    }

    /// The places of attempts of these phases.
    fn of(&self, phases: &[usize]) -> Vec<usize> {
        let attempts = self.attempts.iter().enumerate();
        attempts.filter(|(_, one)| phases.contains(&one.phase)).map(|(at, _)| at).collect()
    }
}

fn path(phase: usize) -> String {
    format!("/{phase}")
}

/// The feeds up to a phase, and its secrets.
fn configuration(phase: usize, server: &FeedServer, desk: &Desk) -> String {
    let secrets = [
        "secret_file = \"old\"\n",
        "secret_file = \"new\"\nold_secret_file = \"old\"\n",
        "secret_file = \"new\"\n",
    ];
    let mut config = format!(
        "[rule.marker]\nmatch = 'marker'\nchannels = [\"desk\"]\n\
         [channel.desk.webhook]\nurl = \"{}\"\nallow_private = true\n{}",
        desk.server.url("/hook"),
        secrets[phase]
    );
    for phase in 0..=phase {
        let url = server.url(&path(phase));
        config += &format!("[feed.wire-{phase}]\nurl = \"{url}\"\nallow_private = true\n");
    }
    config
}

/// The receiver: it records, and refuses the first deliveries once.
struct Desk {
    server: FeedServer,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    attempts: Mutex<Vec<Attempt>>,
    /// One waits for it, so a permit that is kept is enough.
    arrived: Notify,
}

impl Desk {
    async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route("/hook", handler(move |request| for_requests.receive(request)));
        Self { server, shared }
    }

    /// Waits until so many deliveries were accepted.
    async fn wait_for(&self, count: usize, station: &Station) {
        let all = async {
            while self.shared.accepted() < count {
                self.shared.arrived.notified().await;
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            let accepted = self.shared.accepted();
            panic!("{accepted} of {count} accepted:\n{}", station.log_tail());
        }
    }
}

impl Shared {
    fn accepted(&self) -> usize {
        self.attempts.lock().unwrap().iter().filter(|attempt| attempt.accepted).count()
    }

    fn receive(&self, request: &Request) -> Reply {
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let accepted = self.accepted();
        let phase = (0..PHASES.len()).find(|phase| accepted < PHASES[..=*phase].iter().sum());
        let mut attempts = self.attempts.lock().unwrap();
        let attempt = Attempt {
            phase: phase.unwrap_or(PHASES.len()),
            accepted: attempts.len() >= REFUSED,
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
            signature: header("webhook-signature"),
            body: request.body.clone(),
            arrived: Timestamp::now().as_second(),
        };
        let reply = if attempt.accepted { Reply::ok("kept") } else { Reply::status(500) };
        attempts.push(attempt);
        drop(attempts);
        self.arrived.notify_one();
        reply
    }
}

/// What a library is asked: to verify some deliveries, and what has to come of it.
struct Case {
    name: String,
    secret: &'static str,
    deliveries: Vec<usize>,
    /// What is altered before: a header, or the body.
    alter: Option<&'static str>,
    /// By how many seconds the clock is off from the moment of arrival.
    off: Option<i64>,
    /// Why all of them are refused; none are if there is no reason.
    refused: Option<&'static str>,
}

/// What became of a delivery.
#[derive(Deserialize)]
struct Verified {
    title: Option<String>,
    url: Option<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Reading {
    reader: String,
    results: HashMap<String, Vec<Verified>>,
}

fn cases(post: &Post) -> Vec<Case> {
    const NO_MATCH: Option<&str> = Some("No matching signature found");
    const TOO_OLD: Option<&str> = Some("Message timestamp too old");
    const TOO_NEW: Option<&str> = Some("Message timestamp too new");
    let mut cases = Vec::new();
    let mut add = |name: &str, (secret, phases): (_, &[usize]), alter, off, refused| {
        let (name, deliveries) = (format!("{name} ({} {phases:?})", cases.len()), post.of(phases));
        cases.push(Case { name, secret, deliveries, alter, off, refused });
    };
    // By the library's own clock, as a receiver would.
    add("old secret", (OLD, &[0, 1]), None, None, None);
    add("new secret", (NEW, &[1, 2]), None, None, None);
    add("new secret too early", (NEW, &[0]), None, None, NO_MATCH);
    add("old secret too late", (OLD, &[2]), None, None, NO_MATCH);
    add("foreign secret", (FOREIGN, &[0, 1, 2]), None, None, NO_MATCH);
    for signed in [(OLD, [0, 1].as_slice()), (NEW, &[1, 2])] {
        for what in ["body", "webhook-id", "webhook-timestamp"] {
            add(what, signed, Some(what), Some(0), NO_MATCH);
        }
        add("6 minutes late", signed, None, Some(SIX_MINUTES), TOO_OLD);
        add("6 minutes early", signed, None, Some(-SIX_MINUTES), TOO_NEW);
        // It is the time that is refused there.
        add("4 minutes late", signed, None, Some(FOUR_MINUTES), None);
        add("4 minutes early", signed, None, Some(-FOUR_MINUTES), None);
    }
    cases
}

fn are_verified(peer: Peer) -> Result<(), Failed> {
    let post = &*POST;
    let cases = cases(post);
    let reading = ask(peer, post, &cases);
    let mut faults = Vec::new();
    let mut verified = HashSet::new();
    let mut told = Vec::new();
    for case in &cases {
        let results = &reading.results[&case.name];
        assert_eq!(results.len(), case.deliveries.len(), "{}", case.name);
        for (at, result) in case.deliveries.iter().zip(results) {
            if result.refused.as_deref() != case.refused {
                faults.push(format!("{}: {at}: {:?}", case.name, result.refused));
            } else if let Some((url, title)) = result.url.as_ref().zip(result.title.as_ref()) {
                verified.insert(post.attempts[*at].id.as_str());
                told.push((url.as_str(), title.as_str()));
            }
        }
    }
    let planes = told.iter().fold(0, |planes, (_, title)| planes | planes_of(title));
    faults.extend(untold(&post.items, told.into_iter(), LEAST_TITLE));
    if planes.count_ones() != PLANES {
        faults.push(format!("the headlines have characters of the planes {planes:b}"));
    }
    let expected = PHASES.iter().sum::<usize>();
    let both = post.attempts.iter().filter(|one| one.signature.contains(' ')).count();
    let (reader, count) = (&reading.reader, verified.len());
    say(&format!("{reader}: {count} of {expected} verified, {both} by both secrets"));
    if count != expected {
        faults.push(format!("{count} of {expected} deliveries are verified"));
    }
    judged(faults, SHOWN)
}

/// Lets a library verify.
fn ask(peer: Peer, post: &Post, cases: &[Case]) -> Reading {
    let delivery = |one: &Attempt| {
        let (id, timestamp) = (&one.id, one.timestamp.to_string());
        let headers = json!({
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": one.signature,
        });
        json!({ "headers": headers, "body": STANDARD.encode(&one.body), "arrived": one.arrived })
    };
    let case = |case: &Case| {
        json!({
            "name": case.name,
            "secret": case.secret,
            "deliveries": case.deliveries,
            "alter": case.alter,
            "off": case.off,
        })
    };
    let deliveries: Vec<Value> = post.attempts.iter().map(delivery).collect();
    let cases: Vec<Value> = cases.iter().map(case).collect();
    let folder = tempfile::tempdir().unwrap();
    let task = folder.path().join("task.json");
    write_json(&task, &json!({ "deliveries": deliveries, "cases": cases }));
    match peer {
        Peer::Node => peer.read("webhooks.mjs", &[&peers::node_modules() as &Path, &task]),
        Peer::Python | Peer::Package(_) => peer.read("webhooks.py", &[&task as &Path]),
    }
}

/// Makes something wrong with the second attempt, given the first.
type Damage = fn(&mut Attempt, &Attempt);

fn retry_is_signed_anew() -> Result<(), Failed> {
    let attempts = &POST.attempts;
    let mut faults = attempt_faults(attempts);
    // The same with one thing wrong in the last of the retries. The first is the first attempt.
    let retry = attempts.iter().rposition(|one| one.id == attempts[0].id).unwrap();
    let damages: [(&str, Damage); 5] = [
        ("signed 0 s later", |retry, first| retry.timestamp = first.timestamp),
        ("arrived at", |retry, _| retry.timestamp -= LONGEST_WAY + 1),
        ("not as it was", |retry, _| retry.body.push(b' ')),
        ("signatures in phase", |retry, _| retry.signature += " v1,AAAA"),
        ("ids for", |retry, _| retry.id += "0"),
    ];
    for (complaint, damage) in damages {
        let mut damaged = attempts.clone();
        damage(&mut damaged[retry], &attempts[0]);
        if !attempt_faults(&damaged).iter().any(|fault| fault.contains(complaint)) {
            faults.push(format!("{complaint:?} is not found"));
        }
    }
    let refused = attempts.iter().filter(|attempt| !attempt.accepted).count();
    say(&format!("webhooks: {} attempts, {refused} of them refused", attempts.len()));
    judged(faults, SHOWN)
}

/// What is wrong with the headers of all attempts, and with what a second attempt shares with
/// the first.
fn attempt_faults(attempts: &[Attempt]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut first: HashMap<&str, &Attempt> = HashMap::new();
    for attempt in attempts {
        let Attempt { id, timestamp, arrived, phase, .. } = attempt;
        if (arrived - timestamp).abs() > LONGEST_WAY {
            faults.push(format!("{id}: sent at {timestamp}, arrived at {arrived}"));
        }
        if attempt.body.len() > MAX_BODY {
            faults.push(format!("{id}: a body of {} bytes", attempt.body.len()));
        }
        let signatures = attempt.signature.split(' ').count();
        if signatures != if *phase == 1 { 2 } else { 1 } {
            faults.push(format!("{id}: {signatures} signatures in phase {phase}"));
        }
        let Some(before) = first.insert(id, attempt) else { continue };
        if before.accepted || before.body != attempt.body {
            faults.push(format!("{id}: came again, and not as it was"));
        }
        let waited = timestamp - before.timestamp;
        if waited < SHORTEST_WAIT || attempt.signature == before.signature {
            faults.push(format!("{id}: signed {waited} s later"));
        }
    }
    let (ids, stories) = (first.len(), PHASES.iter().sum::<usize>());
    if ids != stories || attempts.len() != stories + REFUSED {
        faults.push(format!("{ids} ids for {stories} stories, {} attempts", attempts.len()));
    }
    faults
}
