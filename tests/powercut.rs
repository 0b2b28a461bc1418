//! The power goes while the daemon works, again and again, and nothing may be lost.
//!
//! The state directory lies on ext4, on a loop device whose file lies on XFS. A reflink copy of
//! that file is, in one instant, what a disk would hold if the power went then: what was synced,
//! and what the kernel has happened to write, but nothing else. Each copy is mounted, which replays
//! its journal, and the database in it is held against what receivers had accepted and what feeds
//! had been told before the copy was made: every accepted delivery must be there with its id,
//! sent or still to be sent, and every entry of a document whose ETag the daemon has used.
//!
//! Every tenth cut is a real one: the daemon is frozen, copied, killed, and its successor lives
//! from the copy, with the same feeds and receivers. At the end everything must have been told,
//! under one id, as in the campaign of kills.
//!
//! A run that cannot fail proves nothing: the same cuts without any sync must lose.
//!
//! ```sh
//! cargo build --release
//! WIREWATCH_CUTS=60 WIREWATCH_BIN=target/release/wirewatch cargo test --test powercut
//! ```
//!
//! It needs root, loop devices, xfsprogs and libeatmydata (`apt-get install xfsprogs
//! libeatmydata1`); what cannot run is reported as ignored, and with `WIREWATCH_PEERS=required`
//! as failed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "the campaign of kills uses the rest of these modules")]

#[path = "kill/daemon.rs"]
mod daemon;
#[path = "kill/desk.rs"]
mod desk;
#[path = "powercut/disk.rs"]
mod disk;
#[path = "kill/feeds.rs"]
mod feeds;
#[path = "kill/post.rs"]
mod post;
#[path = "kill/random.rs"]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/support/trial.rs"]
mod trial;
#[path = "kill/verdict.rs"]
mod verdict;

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Arguments;
use rusqlite::{Connection, OpenFlags};
use tokio::task::JoinSet;

use daemon::Daemon;
use desk::Desk;
use disk::Disk;
use feeds::Feeds;
use post::Post;
use random::Random;
use trial::{run, trial};
use verdict::{Kill, Receivers, Verdict};

const FEEDS: usize = 40;
/// Every such cut is a real one.
const REAL: usize = 10;
/// After the last cut, everything must have been told within this time.
const PATIENCE: Duration = Duration::from_secs(150);
const QUIET: Duration = Duration::from_secs(4);
/// Makes every sync do nothing.
const WITHOUT_SYNC: &str = "/usr/lib/x86_64-linux-gnu/libeatmydata.so";

fn main() {
    let mut arguments = Arguments::from_args();
    // Two at once would take each other's processor time.
    arguments.test_threads = Some(1);
    let disk = disk::is_possible();
    let control = disk.clone().and_then(|()| {
        let found = Path::new(WITHOUT_SYNC).exists();
        if found { Ok(()) } else { Err(format!("{WITHOUT_SYNC} is missing")) }
    });
    let trials = vec![
        trial("cuts_lose_nothing", disk, || run(cuts())),
        trial("cuts_without_sync_are_seen_to_lose", control, || run(control_cuts())),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The outside world, and the disk that is copied.
struct Scene {
    seed: u64,
    feeds: Feeds,
    told: Receivers,
    // Unmounted before the folder that it is mounted in goes.
    disk: Disk,
    daemon: Daemon,
}

/// What the copies were found to lack.
#[derive(Default)]
struct Damage {
    cuts: usize,
    cuts_with_loss: usize,
    lost_deliveries: usize,
    lost_entries: usize,
    broken: Vec<String>,
    held: usize,
}

impl Scene {
    async fn set(preload: Option<&'static str>) -> Self {
        let seed = random::seed();
        let feeds = Feeds::start(FEEDS, Random::new(seed, 1)).await;
        let told = Receivers {
            desk: Desk::start(Random::new(seed, 2)).await,
            post: Post::start(Random::new(seed, 5)).await,
        };
        // Failures are what the campaign of kills is for; here they would only slow it down.
        told.behave();
        let mut daemon = Daemon::install(&feeds, &told);
        daemon.preload = preload;
        let disk = Disk::new(daemon.database().parent().unwrap());
        Self { seed, feeds, told, disk, daemon }
    }

    /// Copies the disk at some moment, and looks what is on the copy.
    fn cut(&self, damage: &mut Damage) {
        let (kept, acknowledged) = (self.told.kept(), self.feeds.acknowledged());
        self.disk.copy();
        let database = self.disk.mount_copy().join("wirewatch.db");
        let found = examine(&database, &kept, &acknowledged);
        self.disk.drop_copy();
        damage.cuts += 1;
        damage.held += kept.len();
        match found {
            Ok((deliveries, entries)) => {
                damage.lost_deliveries += deliveries;
                damage.lost_entries += entries;
                damage.cuts_with_loss += usize::from(deliveries + entries > 0);
            }
            Err(broken) => damage.broken.push(broken),
        }
    }
}

async fn cuts() -> Result<(), String> {
    let cuts: usize = env::var("WIREWATCH_CUTS").map_or(20, |cuts| cuts.parse().expect("a number"));
    let scene = Scene::set(None).await;
    say(&format!("{cuts} cuts, WIREWATCH_SEED={}", scene.seed));
    let mut publisher = JoinSet::new();
    publisher.spawn(scene.feeds.publish_for_ever(Random::new(scene.seed, 3)));
    let mut delays = Random::new(scene.seed, 4);
    let (mut damage, mut ends) = (Damage::default(), Vec::new());
    for run in 1..=cuts.div_ceil(REAL) {
        let size = REAL.min(cuts - damage.cuts);
        ends.push(live(run, size, &scene, &mut delays, &mut damage).await);
    }
    publisher.shutdown().await;
    let finished = finish(ends.len() + 1, &scene).await;
    let mut verdict = Verdict::reach(&ends, &scene.feeds, &scene.told, &scene.daemon.database());
    say(&damage.summary());
    say(&verdict.summary);
    verdict.problems.extend(finished.err());
    verdict.problems.append(&mut damage.broken);
    if damage.cuts_with_loss > 0 {
        verdict.problems.push(damage.summary());
    }
    if verdict.problems.is_empty() { Ok(()) } else { Err(verdict.problems.join("\n")) }
}

/// The control: without sync most cuts must be found to have lost something.
async fn control_cuts() -> Result<(), String> {
    let scene = Scene::set(Some(WITHOUT_SYNC)).await;
    let mut publisher = JoinSet::new();
    publisher.spawn(scene.feeds.publish_for_ever(Random::new(scene.seed, 3)));
    let mut delays = Random::new(scene.seed, 4);
    let mut damage = Damage::default();
    live(1, 20, &scene, &mut delays, &mut damage).await;
    say(&format!("without sync: {}", damage.summary()));
    let seen = damage.cuts_with_loss + damage.broken.len();
    if 2 * seen > damage.cuts { Ok(()) } else { Err("the cuts see no missing sync".to_owned()) }
}

/// One life of the daemon: cuts at random moments, the last of which it does not survive.
async fn live(
    run: usize,
    cuts: usize,
    scene: &Scene,
    delays: &mut Random,
    damage: &mut Damage,
) -> Kill {
    let started = Instant::now();
    let mut process = scene.daemon.start(run);
    let log = || scene.daemon.log_tail();
    let first = scene.feeds.first_poll_of(run, log).await;
    for _ in 1..cuts {
        // The moment of the cut is what the test varies; it waits for nothing.
        tokio::time::sleep(Duration::from_millis(100 + delays.below(200))).await;
        scene.cut(damage);
    }
    daemon::signal(&process, "STOP").await;
    scene.cut(damage);
    scene.disk.copy();
    let at = Instant::now();
    process.kill().await.unwrap();
    scene.disk.become_copy();
    Kill { run, at, startup: first - started }
}

/// Lets the daemon run undisturbed until all is told, then stops it.
async fn finish(run: usize, scene: &Scene) -> Result<(), String> {
    let begun = Instant::now();
    let mut process = scene.daemon.start(run);
    scene.feeds.first_poll_of(run, || scene.daemon.log_tail()).await;
    loop {
        // Silence has no event to wait for, so it is looked for, up to a limit.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let last = scene.told.last_attempt().max(scene.feeds.last_document()).max(Some(begun));
        let is_quiet = last.is_some_and(|last| last.elapsed() >= QUIET);
        if is_quiet && scene.feeds.are_all_polled_by(run) && scene.daemon.has_sent_all().await {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("not everything is told:\n{}", scene.daemon.log_tail()));
        }
    }
    daemon::signal(&process, "TERM").await;
    process.wait().await.unwrap();
    Ok(())
}

/// How many deliveries and entries the database lacks that others know of.
fn examine(
    database: &Path,
    kept: &BTreeSet<String>,
    acknowledged: &[String],
) -> Result<(usize, usize), String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let read = |db: &Connection, sql: &str| {
        let mut select = db.prepare(sql)?;
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<BTreeSet<String>>>()
    };
    let look = || {
        let db = Connection::open_with_flags(database, flags)?;
        let integrity = read(&db, "PRAGMA integrity_check")?;
        let orphans = read(&db, "SELECT \"table\" FROM pragma_foreign_key_check")?;
        let deliveries = read(&db, "SELECT uid FROM delivery")?;
        let entries = read(&db, "SELECT guid FROM entry")?;
        Ok((integrity, orphans, deliveries, entries))
    };
    let (integrity, orphans, deliveries, entries) =
        look().map_err(|error: rusqlite::Error| format!("a copy cannot be read: {error}"))?;
    if !integrity.contains("ok") || !orphans.is_empty() {
        return Err(format!("a copy is broken: {integrity:?}, orphans in {orphans:?}"));
    }
    let lacks = |token: &&String| !entries.contains(&format!("story-{token}"));
    let lost_entries = acknowledged.iter().filter(lacks).count();
    Ok((kept.difference(&deliveries).count(), lost_entries))
}

impl Damage {
    fn summary(&self) -> String {
        format!(
            "cuts={} cuts_with_loss={} lost_deliveries={} lost_entries={} broken={} (deliveries \
             that somebody had, over all cuts: {})",
            self.cuts,
            self.cuts_with_loss,
            self.lost_deliveries,
            self.lost_entries,
            self.broken.len(),
            self.held
        )
    }
}

fn say(words: &str) {
    eprintln!("power cut: {words}");
}
