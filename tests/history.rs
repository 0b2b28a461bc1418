//! Real feeds, poll by poll, as they were over months: every entry once, no
//! edit that was none, nothing told twice.
//!
//! ```sh
//! cargo test --test history -- --nocapture     # prints the table
//! ```
//!
//! The documents are not part of the repository: they are looked for in
//! `$WIREWATCH_SHARED/data/feed_history`, by default `../shared`, and without
//! them the test says that it skips. `expected_counts.json` comes from another,
//! lenient reader. Edits are also counted here, by a much simpler model, from
//! what the parser reads.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and prints what it found"
)]

#[path = "it/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use support::http::FeedServer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::{self, Environment};
use wirewatch::fetch::{self, Fetcher};
use wirewatch::model::{Clock, Document, Entry};
use wirewatch::parse::parse_feed;
use wirewatch::pipeline::{Desk, Live, Meter, Poller, RoundReport};
use wirewatch::store::{Filter, Store};

/// Nearly every English item has one of these words.
const RULE: &str = "the OR a OR an OR of OR to OR in OR on OR for OR and OR is OR as OR at OR \
                    by OR from OR with OR after OR over OR his OR her OR it OR its OR says";

/// Edits as a simple model counts them: an entry is its GUID, and an edit is a
/// wording that it did not have before.
#[derive(Default)]
struct Model {
    wordings: HashMap<String, HashSet<(String, String)>>,
    edits: usize,
}

impl Model {
    fn see(&mut self, entries: &[Entry]) {
        for entry in entries.iter().rev() {
            let id = entry.guid.clone().or(entry.url.clone()).unwrap_or_default();
            let known = self.wordings.entry(id).or_default();
            let fresh = known.insert((entry.title.clone(), entry.text.clone()));
            self.edits += usize::from(fresh && known.len() > 1);
        }
    }
}

/// What came of one feed.
#[derive(Default)]
struct Verdict {
    name: String,
    polls: usize,
    /// Documents that gave no entries.
    failed: usize,
    entries: usize,
    expected: usize,
    revisions: usize,
    edits: usize,
    changes: usize,
    alerts: usize,
    /// Matches by what became of them.
    matches: BTreeMap<String, usize>,
    from_errors: usize,
}

async fn replay(folder: &Path, name: &str, expected: &serde_json::Value) -> Verdict {
    let mut polls: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    polls.sort();
    let dir = tempfile::tempdir().unwrap();
    let server = FeedServer::start().await;
    let path = dir.path().join("watch.db");
    let daemon = Daemon::start(&path, &server.url("/feed")).await;
    let (mut model, mut verdict) = (Model::default(), Verdict::default());
    for poll in &polls {
        let bytes = std::fs::read(poll).unwrap();
        server.serve("/feed", "application/rss+xml", bytes.clone());
        let round = daemon.poll(time_of(poll)).await;
        verdict.polls += 1;
        verdict.revisions += round.revised;
        verdict.alerts += round.alerts;
        match parse_feed(&Document { bytes, ..Document::default() }) {
            Ok(parsed) => model.see(&parsed.entries),
            Err(_) => {
                verdict.failed += 1;
                verdict.from_errors += round.alerts;
            }
        }
    }
    let alerts = daemon.store.alerts(Filter { limit: 100_000, ..Filter::default() }).await.unwrap();
    let stories: HashSet<&str> = alerts.iter().map(|alert| alert.story.as_str()).collect();
    assert_eq!(stories.len(), alerts.len(), "{name}: a story was told twice");
    let count = |key: &str| usize::try_from(expected[key].as_u64().unwrap()).unwrap();
    Verdict {
        name: name.to_string(),
        entries: usize::try_from(daemon.store.overview().await.unwrap().entries).unwrap(),
        expected: count("distinct_ids"),
        changes: count("title_or_desc_changes"),
        edits: model.edits,
        matches: matches(&path),
        ..verdict
    }
}

fn matches(path: &Path) -> BTreeMap<String, usize> {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut select = db.prepare("SELECT state, count(*) FROM match GROUP BY state").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The part of the daemon that polls, with a clock of our own.
struct Daemon {
    store: Store,
    poller: Poller,
    clock: Clock,
    _live: watch::Sender<Arc<Live>>,
    _fetcher: watch::Sender<Fetcher>,
}

impl Daemon {
    async fn start(path: &Path, url: &str) -> Self {
        let toml = format!(
            "[store]\npath = \"{}\"\n[rule.all]\nmatch = '{RULE}'\nchannels = []\n\
             [feed.history]\nurl = \"{url}\"\nallow_private = true\n",
            path.display()
        );
        let file = path.with_extension("toml");
        std::fs::write(&file, toml).unwrap();
        let config = config::load(&file, &Environment::from_process())
            .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        // A round of its own makes the feed table and the database.
        let stop = CancellationToken::new();
        stop.cancel();
        app::once(&config, clock.clone(), &stop, |_| {}).await.unwrap();
        let store = Store::open(path).unwrap();
        let decisions = app::decisions(&config.rules, BTreeMap::new(), SignedDuration::ZERO);
        let feeds = config.feeds.iter().map(|feed| (feed.name.clone(), feed.clone())).collect();
        let (live, watched) = watch::channel(Arc::new(Live { feeds, concurrency: 1, ..decisions }));
        let options = fetch::Options {
            user_agent: "wirewatch/test".to_string(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_body: 8 * 1024 * 1024,
            ca_file: None,
            limits: fetch::Limits::default(),
        };
        let (_fetcher, fetcher) = watch::channel(Fetcher::new(&options).unwrap());
        let poller = Poller {
            store: store.clone(),
            fetcher,
            live: watched,
            clock: clock.clone(),
            planned: watch::channel(0).0,
            meter: Meter::default(),
            desk: Desk::new(1),
            hurried: watch::channel(0).1,
        };
        Self { store, poller, clock, _live: live, _fetcher }
    }

    async fn poll(&self, now: Timestamp) -> RoundReport {
        self.clock.set(now);
        self.poller.once(&CancellationToken::new(), |_| {}).await.unwrap()
    }
}

/// The time in a file name such as `20220831T170603Z.xml`.
fn time_of(poll: &Path) -> Timestamp {
    let stem = poll.file_stem().unwrap().to_str().unwrap();
    let (date, time) = (&stem[..8], &stem[9..15]);
    format!("{date}T{time}Z").parse().unwrap()
}

fn shared() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("WIREWATCH_SHARED").map_or(default, PathBuf::from);
    root.join("data/feed_history")
}

fn unpack(archive: &Path, into: &Path) {
    let done = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(into).status().unwrap();
    assert!(done.success(), "tar with zstd unpacks {}", archive.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn real_feeds_poll_by_poll_give_every_entry_once_and_tell_nothing_twice() {
    let data = shared();
    let Ok(expected) = std::fs::read_to_string(data.join("expected_counts.json")) else {
        println!("SKIPPED: there is no {} (set WIREWATCH_SHARED)", data.display());
        return;
    };
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for archive in ["nyt_world_2022-08-30_09-07.tar.zst", "gesab_outlets_2020-2023.tar.zst"] {
        unpack(&data.join(archive), dir.path());
    }
    let mut runs = tokio::task::JoinSet::new();
    for (name, counts) in expected.as_object().unwrap().clone() {
        let folder = dir.path().join(&name);
        runs.spawn(async move { replay(&folder, &name, &counts).await });
    }
    let mut verdicts = runs.join_all().await;
    verdicts.sort_by(|one, other| one.name.cmp(&other.name));
    print(&verdicts);
    for verdict in &verdicts {
        judge(verdict);
    }
}

fn print(verdicts: &[Verdict]) {
    println!(
        "feed                    polls failed entries expected revisions edits changes alerts"
    );
    for v in verdicts {
        println!(
            "{:23} {:5} {:6} {:7} {:8} {:9} {:5} {:7} {:6} {:?}",
            v.name,
            v.polls,
            v.failed,
            v.entries,
            v.expected,
            v.revisions,
            v.edits,
            v.changes,
            v.alerts,
            v.matches
        );
    }
}

fn judge(v: &Verdict) {
    let name = &v.name;
    let slack = v.expected / 100;
    assert!(
        v.entries.abs_diff(v.expected) <= slack,
        "{name}: {} entries, {} expected",
        v.entries,
        v.expected
    );
    // The outlets changed nothing but their news: whatever is not told is so
    // because it stood in the first document or was told before.
    assert_eq!(v.matches.get("mass-change"), None, "{name}: news was held back");
    assert!(v.alerts <= v.entries, "{name}: {} alerts of {} entries", v.alerts, v.entries);
    assert_eq!(v.from_errors, 0, "{name}: alerts from documents that are no feed");
    assert!(
        v.revisions <= v.edits && v.edits <= v.changes + slack,
        "{name}: {} revisions of {} edits ({} by the other reader)",
        v.revisions,
        v.edits,
        v.changes
    );
}
