//! CloudEvents and the Atom file, read by libraries for Python.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::{Value, json};

use super::feeds;
use super::peers::{Peer, trial};
use super::station::{Station, write_json};
use super::support::http::{FeedServer, Recorded, Reply};
use super::titles::{self, Item, untold};
use super::{judged, say, wait_for};

const ITEMS: usize = 100;
/// Of the Atom file.
const TITLE: &str = "Alerts & <more>";
const SECRET: &str = "whsec_YSBzZWNyZXQgZm9yIGV2ZW50cywgc2lnbmVkIGFsbCB0aGUgc2FtZQ==";
const LEAST_TITLE: usize = 240;
const SHOWN: usize = 30;

/// What one round has sent and written.
struct Post {
    items: Vec<Item>,
    requests: Vec<Recorded>,
    atom: Vec<u8>,
}

static POST: LazyLock<Post> = LazyLock::new(|| wait_for(Post::send()));

/// An event as the library gives it, or why it gives none.
#[derive(Deserialize)]
struct Event {
    refused: Option<String>,
    #[serde(flatten)]
    fields: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Events {
    reader: String,
    events: Vec<Event>,
}

/// A feed as feedparser gives it, and its entries as a strict XML parser does.
#[derive(Deserialize)]
struct Feed {
    reader: String,
    version: String,
    bozo: Option<String>,
    title: Option<String>,
    entries: Vec<Entry>,
    /// Links and titles.
    xml: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Entry {
    id: Option<String>,
    title: Option<String>,
    link: Option<String>,
    updated: bool,
    content: Option<String>,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cloud_events_are_read_by_python", Peer::Package("cloudevents"), events_are_read),
        trial("the_atom_file_is_read_by_feedparser", Peer::Package("feedparser"), atom_is_read),
    ]
}

impl Post {
    async fn send() -> Self {
        let (server, station) = (FeedServer::start().await, Station::new());
        let items = titles::items(ITEMS, 200);
        let feed = feeds::json_feed("Harbour Wire", &items);
        server.serve("/feed", "application/feed+json", feed);
        server.script("/hook", vec![Reply::ok("kept")]);
        station.secret("secret", SECRET);
        station.configure(&format!(
            "[feed.wire]\nurl = \"{}\"\nallow_private = true\n\
             [rule.marker]\nmatch = 'marker'\nchannels = [\"events\", \"reader\"]\n\
             [channel.events.webhook]\nurl = \"{}\"\nallow_private = true\n\
             format = \"cloudevents\"\nsecret_file = \"secret\"\n\
             [channel.reader.feed]\npath = \"alerts.xml\"\ntitle = \"{TITLE}\"\n",
            server.url("/feed"),
            server.url("/hook"),
        ));
        let summary = station.once().await;
        assert_eq!(summary["deliveries"]["sent"], 2 * ITEMS, "{summary}\n{}", station.log_tail());
        let atom = fs::read(station.path("alerts.xml")).unwrap();
        Self { items, requests: server.requests("/hook"), atom }
    }
}

fn events_are_read(python: Peer) -> Result<(), Failed> {
    let post = &*POST;
    let mut requests: Vec<Value> =
        post.requests.iter().map(|request| as_json(request, &request.body)).collect();
    // Two that are none, because a check that has never failed proves nothing.
    let first = &post.requests[0];
    let body = String::from_utf8(first.body.clone()).unwrap();
    for damaged in [body.replace("\"source\"", "\"sauce\""), body.replace('}', "")] {
        requests.push(as_json(first, damaged.as_bytes()));
    }
    let folder = tempfile::tempdir().unwrap();
    let task = folder.path().join("requests.json");
    write_json(&task, &Value::Array(requests));
    let Events { reader, mut events } = python.read("events.py", &[&task as &Path]);
    let damaged = events.split_off(post.requests.len());
    let mut faults = Vec::new();
    if damaged.iter().any(|event| event_faults(first, event).is_empty()) {
        faults.push("a damaged event is not found".to_owned());
    }
    for (request, event) in post.requests.iter().zip(&events) {
        faults.extend(event_faults(request, event));
    }
    let told = events.iter().filter_map(|event| {
        let data = event.fields.get("data")?;
        Some((data["url"].as_str()?, data["title"].as_str()?))
    });
    faults.extend(untold(&post.items, told, LEAST_TITLE));
    let ids = events.iter().filter_map(|event| event.fields.get("id")?.as_str());
    let ids = ids.collect::<HashSet<&str>>().len();
    say(&format!("{reader}: {} events, {ids} ids", events.len()));
    if ids != ITEMS {
        faults.push(format!("{ids} ids"));
    }
    judged(faults, SHOWN)
}

fn as_json(request: &Recorded, body: &[u8]) -> Value {
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "headers": headers, "body": STANDARD.encode(body) })
}

fn event_faults(request: &Recorded, event: &Event) -> Vec<String> {
    if let Some(reason) = &event.refused {
        return vec![format!("refused: {reason}")];
    }
    let id = request.header("webhook-id");
    let data = &event.fields["data"];
    let expected = [
        ("id", json!(id)),
        ("source", json!("/wirewatch/events")),
        ("type", json!("wirewatch.alert.raised")),
        ("specversion", json!("1.0")),
        ("subject", data["id"].clone()),
        ("datacontenttype", json!("application/json")),
        ("extensions", json!([])),
    ];
    let mut faults = Vec::new();
    for (name, wanted) in expected {
        let found = &event.fields[name];
        if *found != wanted || found.is_null() {
            faults.push(format!("{name} is {found}, not {wanted}"));
        }
    }
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/cloudevents+json") {
        faults.push(format!("the content type is {kind}"));
    }
    faults
}

fn atom_is_read(python: Peer) -> Result<(), Failed> {
    let post = &*POST;
    let feed = read_atom(python, &post.atom);
    let mut faults = feed.faults(&post.items);
    // A file that was cut is found by both parsers.
    let cut = read_atom(python, &post.atom[..post.atom.len() - 10]).faults(&post.items);
    if !cut.iter().any(|fault| fault.contains("bozo")) || cut.len() < ITEMS {
        faults.push(format!("only this is found in a file that was cut: {cut:?}"));
    }
    say(&format!("{}: {} entries", feed.reader, feed.entries.len()));
    judged(faults, SHOWN)
}

fn read_atom(python: Peer, data: &[u8]) -> Feed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.xml");
    fs::write(&path, data).unwrap();
    python.read("atom.py", &[&path as &Path])
}

impl Feed {
    fn faults(&self, items: &[Item]) -> Vec<String> {
        let mut faults = Vec::new();
        if self.bozo.is_some() || self.version != "atom10" {
            faults.push(format!("{}, bozo: {:?}", self.version, self.bozo));
        }
        if self.title.as_deref() != Some(TITLE) {
            faults.push(format!("the title is {:?}", self.title));
        }
        let told = self.xml.iter().map(|(link, title)| (link.as_str(), title.as_str()));
        faults.extend(untold(items, told, LEAST_TITLE));
        let told = self
            .entries
            .iter()
            .filter_map(|entry| entry.link.as_deref().zip(entry.title.as_deref()));
        faults.extend(untold(items, told, LEAST_TITLE));
        let ids: HashSet<&str> = self.entries.iter().filter_map(|e| e.id.as_deref()).collect();
        let is_whole = |entry: &&Entry| entry.updated && entry.content.is_some();
        let whole = self.entries.iter().filter(is_whole).count();
        if ids.len() != ITEMS || whole != ITEMS {
            faults.push(format!("{} ids, {whole} whole entries", ids.len()));
        }
        faults
    }
}
