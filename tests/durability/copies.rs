//! Backups while the database is written to, some of them killed; two at once; and a disk without
//! room for one.
//!
//! What must hold: a file that has the name it was asked for is sound and has all that was committed
//! before its backup began, whatever became of the process; and who makes no copy says which file
//! is at fault.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::daemon::{Ended, Home};
use super::random::{self, Random};
use super::room::Room;
use super::scene::unsound;
use super::{count, say};

/// Rows before the first backup: a copy takes a while.
const ROWS: usize = 20_000;
/// Commits are this far apart.
const PACE: Duration = Duration::from_millis(5);
/// How long the writer writes alone, to compare with.
const ALONE: Duration = Duration::from_secs(3);
/// A backup ends within this time.
const LIMIT: Duration = Duration::from_secs(60);
/// How often two backups begin at once.
const PAIRS: usize = 5;

struct Vault {
    home: Home,
    folder: PathBuf,
    runs: usize,
}

/// Commits a story with an entry at a steady pace, until it is told to stop.
struct Writer {
    committed: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

pub(crate) async fn under_load() -> Result<(), String> {
    let wanted = count("WIREWATCH_BACKUPS", 10);
    let (seed, to_kill) = (random::seed(), wanted * 2 / 5);
    let mut random = Random::new(seed, 130);
    let mut vault = Vault::new().await?;
    let writer = Writer::start(&vault.home.database());
    tokio::time::sleep(ALONE).await;
    let alone = writer.committed();
    let begun = Instant::now();
    let mut problems = vault.finish(0, &writer).await;
    let usual = begun.elapsed();
    let (mut done, mut killed, mut number) = (1, 0, 1);
    while done + killed < wanted || killed < to_kill {
        let before = writer.committed();
        let after = usual.mul_f64(random.below(100) as f64 / 100.0);
        if killed < to_kill && vault.kill(number, after, before, &mut problems).await {
            killed += 1;
        }
        // Over what the killed one left.
        problems.extend(vault.finish(number, &writer).await);
        done += 1;
        number += 1;
        if number > wanted * 3 {
            problems.push(format!("void: only {killed} of {to_kill} were killed in time"));
            break;
        }
    }
    let (latencies, took) = (writer.end(), begun.elapsed());
    let (quiet, busy) = latencies.split_at(alone - ROWS);
    say(&format!(
        "{done} backups of {ROWS} rows and more, {killed} killed, usually {usual:.1?} each; {:.0} \
         commits/s meanwhile: p50 {:.1?}, p99 {:.1?}, at most {:.1?} (alone: p50 {:.1?}, p99 {:.1?})",
        busy.len() as f64 / took.as_secs_f64(),
        share(busy, 0.5),
        share(busy, 0.99),
        share(busy, 1.0),
        share(quiet, 0.5),
        share(quiet, 0.99),
    ));
    if problems.is_empty() { Ok(()) } else { Err(format!("seed {seed}:\n{}", problems.join("\n"))) }
}

pub(crate) async fn two_at_once() -> Result<(), String> {
    let mut vault = Vault::new().await?;
    let mut problems = Vec::new();
    for pair in 0..PAIRS {
        let target = vault.target(pair);
        let words = ["backup", target.to_str().unwrap()];
        let (one, other) = (vault.run(), vault.run());
        let (one, other) = tokio::join!(vault.home.ask(one, &words), vault.home.ask(other, &words));
        let mut codes = [one.code, other.code];
        codes.sort();
        if codes != [Some(0), Some(1)] {
            problems.push(format!("pair {pair}: {one:?} and {other:?}"));
        }
        let said = one.stderr + &other.stderr;
        if !["is being made already", "exists"].iter().any(|words| said.contains(words)) {
            problems.push(format!("pair {pair}: the second one says {said}"));
        }
        problems.extend(judge(&target, ROWS));
    }
    problems.extend(vault.left_over());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

pub(crate) async fn without_room() -> Result<(), String> {
    let mut vault = Vault::new().await?;
    let room = Room::mount(&vault.folder)?;
    room.fill();
    let mut problems = Vec::new();
    for (at, command) in ["backup", "recover"].into_iter().enumerate() {
        let target = vault.target(at);
        let run = vault.run();
        let ended = vault.home.ask(run, &[command, target.to_str().unwrap()]).await;
        let Ended { code, stderr, .. } = &ended;
        let is_named = stderr.contains(&format!("no room for {target:?}"));
        if *code != Some(1) || !is_named || stderr.lines().count() != 1 {
            problems.push(format!("{command}: {ended:?}"));
        }
        if fs::read_dir(&vault.folder).unwrap().count() > 1 {
            problems.push(format!("{command} leaves files"));
        }
    }
    drop(room);
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

impl Vault {
    async fn new() -> Result<Self, String> {
        let home = Home::new(&[], "http://127.0.0.1:9/hook");
        let ended = home.ask(1, &["once"]).await;
        if ended.code != Some(0) {
            return Err(format!("a first round ends with {ended:?}"));
        }
        let db = connect(&home.database());
        db.execute_batch(
            "INSERT INTO feed (id, name, url, host, interval_ms, next_due) \
             VALUES (1, 'wire', 'http://127.0.0.1/', '127.0.0.1', 1000, 0); BEGIN;",
        )
        .unwrap();
        (1..=ROWS).for_each(|number| insert(&db, number));
        db.execute_batch("COMMIT").unwrap();
        let folder = home.file(0, "backups");
        fs::create_dir(&folder).unwrap();
        Ok(Self { home, folder, runs: 1 })
    }

    fn run(&mut self) -> usize {
        self.runs += 1;
        self.runs
    }

    fn target(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.db"))
    }

    /// A backup that nobody disturbs.
    async fn finish(&mut self, number: usize, writer: &Writer) -> Vec<String> {
        let (target, run, before) = (self.target(number), self.run(), writer.committed());
        let mut life = self.home.begin(run, &[], &["backup", target.to_str().unwrap()]);
        let status = life.end_within(LIMIT).await;
        if !status.is_some_and(|status| status.success()) {
            return vec![format!("backup {number} ends with {status:?}: {}", life.log_tail())];
        }
        let mut problems = judge(&target, before);
        problems.extend(self.left_over());
        fs::remove_file(target).unwrap();
        problems
    }

    /// Kills a backup after some time; `false` if it was done by then.
    async fn kill(
        &mut self,
        number: usize,
        after: Duration,
        before: usize,
        problems: &mut Vec<String>,
    ) -> bool {
        let (target, run) = (self.target(number), self.run());
        let mut life = self.home.begin(run, &[], &["backup", target.to_str().unwrap()]);
        let ended = life.end_within(after).await;
        life.kill().await;
        // It may have got its name in the last moment, and then it must be whole.
        if target.exists() {
            problems.extend(judge(&target, before));
            fs::remove_file(&target).unwrap();
        } else if ended.is_some() {
            problems.push(format!("backup {number} made nothing: {}", life.log_tail()));
        }
        ended.is_none()
    }

    /// Files that are no finished backup.
    fn left_over(&self) -> Option<String> {
        let names = fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap().path());
        let left: Vec<PathBuf> =
            names.filter(|path| path.extension().is_none_or(|end| end != "db")).collect();
        (!left.is_empty()).then(|| format!("left over: {left:?}"))
    }
}

impl Writer {
    fn start(database: &Path) -> Self {
        let db = connect(database);
        let (committed, stop) =
            (Arc::new(AtomicUsize::new(ROWS)), Arc::new(AtomicBool::new(false)));
        let (counter, ended) = (committed.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (begun, mut latencies) = (Instant::now(), Vec::new());
            while !ended.load(Ordering::Relaxed) {
                let due = PACE * u32::try_from(latencies.len()).unwrap();
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
                let number = counter.load(Ordering::Relaxed) + 1;
                let start = Instant::now();
                db.execute_batch("BEGIN IMMEDIATE").unwrap();
                insert(&db, number);
                db.execute_batch("COMMIT").unwrap();
                latencies.push(start.elapsed());
                counter.store(number, Ordering::SeqCst);
            }
            latencies
        });
        Self { committed, stop, thread }
    }

    /// Rows that are surely there.
    fn committed(&self) -> usize {
        self.committed.load(Ordering::SeqCst)
    }

    /// How long each commit took.
    fn end(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// As the daemon sets it.
fn connect(database: &Path) -> Connection {
    let db = Connection::open(database).unwrap();
    db.busy_timeout(LIMIT).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
    )
    .unwrap();
    db
}

fn insert(db: &Connection, number: usize) {
    let story = "INSERT INTO story (id, uid, first_seen, last_seen) VALUES (?1, ?2, 1, 1)";
    let (id, uid) = (i64::try_from(number).unwrap(), format!("s{number:016}"));
    db.prepare_cached(story).unwrap().execute(params![id, uid]).unwrap();
    db.prepare_cached(
        "INSERT INTO entry (id, feed_id, story_id, title, text, authors, categories, first_seen, \
         last_seen, title_key, revision_key) VALUES (?1, 1, ?1, ?2, ?3, '[]', '[]', 1, 1, ?4, ?4)",
    )
    .unwrap()
    .execute(params![id, uid, uid.repeat(40), uid.as_bytes()])
    .unwrap();
}

/// What is wrong with a finished backup that began when so many rows were committed.
fn judge(target: &Path, before: usize) -> Vec<String> {
    let mut problems = Vec::new();
    problems.extend(unsound(target).err());
    let rows = Connection::open(target).and_then(|db| {
        let sql = "SELECT count(*), max(id), (SELECT count(*) FROM story) FROM entry";
        db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    });
    match rows {
        Ok((rows, last, stories)) => {
            let (rows, last, stories): (i64, i64, i64) = (rows, last, stories);
            if rows < before as i64 || rows != last || rows != stories {
                problems.push(format!("{rows} entries to {last}, {stories} stories, of {before}"));
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    problems.into_iter().map(|problem| format!("{}: {problem}", target.display())).collect()
}

/// The time within which such a share of the commits was done.
fn share(latencies: &[Duration], share: f64) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    let at = (sorted.len().saturating_sub(1) as f64 * share) as usize;
    sorted.get(at).copied().unwrap_or_default()
}
