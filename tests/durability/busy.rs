//! Somebody else uses the database file: writes it, or reads it for long.
//!
//! What must hold: a lock shorter than the daemon's patience is not even mentioned, a longer one
//! loses nothing, and the write-ahead log that grew behind a reader is used from its beginning and
//! short again when the reader is gone.

use std::fs;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::daemon::Life;
use super::scene::{Scene, until};
use super::{count, say};

/// How long the lock is held. The daemon waits for ten seconds.
const HOLDS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(20)];
/// So long is not worth a word.
const UNSEEN: Duration = Duration::from_secs(5);
/// After a lock or a reader, all must be as before within this time.
const AFTER: Duration = Duration::from_secs(60);
/// What may be left of the log.
const LOG_LIMIT: u64 = 64 << 20;
/// How much of the log is used before SQLite begins anew: a thousand pages, and some commits.
const LOG_USUAL: u64 = 16 << 20;

/// Another process writes.
pub(crate) async fn writer() -> Result<(), String> {
    let mut scene = Scene::set(50).await;
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(10, &mut life).await?;
    let mut problems = Vec::new();
    for hold in HOLDS {
        let lines = complaints(&life).len();
        let db = other(&scene);
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        // How long it is held is what the trial varies; it waits for nothing.
        if let Some(status) = life.end_within(hold).await {
            problems.push(format!("a lock of {hold:?} ended it, {status}:\n{}", life.log_tail()));
            break;
        }
        db.execute_batch("COMMIT").unwrap();
        let released = Instant::now();
        let told = || scene.desk.last_attempt().is_some_and(|last| last > released);
        let again = until(AFTER, &mut life, told).await;
        problems.extend(again.err().map(|problem| format!("after a lock of {hold:?}: {problem}")));
        let lines = complaints(&life).split_off(lines);
        say(&format!(
            "locked for {hold:?}: told again after {:.1?}, {} complaints",
            released.elapsed(),
            lines.len()
        ));
        if hold < UNSEEN && !lines.is_empty() {
            problems.push(format!("a lock of {hold:?} was complained of:\n{}", lines.join("\n")));
        }
    }
    finish(scene, life, problems).await
}

/// Another process reads.
pub(crate) async fn reader() -> Result<(), String> {
    let hold = Duration::from_secs(count("WIREWATCH_READER_SECONDS", 15) as u64);
    let mut scene = Scene::set(60).await;
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(10, &mut life).await?;
    let mut problems = Vec::new();
    let db = other(&scene);
    let stories = "SELECT count(*) FROM story";
    db.execute_batch("BEGIN").unwrap();
    let seen: i64 = db.query_row(stories, [], |row| row.get(0)).unwrap();
    if let Some(status) = life.end_within(hold).await {
        problems.push(format!("a reader ended it, {status}:\n{}", life.log_tail()));
    }
    let grown = log_size(&scene);
    let still: i64 = db.query_row(stories, [], |row| row.get(0)).unwrap();
    if seen != still {
        problems.push("void: the reader did not hold what it saw".to_owned());
    }
    db.execute_batch("COMMIT").unwrap();
    drop(db);
    problems.extend(begins_anew(&scene, &mut life, grown).await.err());
    finish(scene, life, problems).await
}

/// Once the reader is gone the log grows no more, and is cut to its limit.
async fn begins_anew(scene: &Scene, life: &mut Life, grown: u64) -> Result<(), String> {
    let released = Instant::now();
    let told = || scene.desk.attempts().len();
    let before = told();
    // So many deliveries write more than what the log may hold before it begins anew.
    let more = usize::try_from(grown / (16 << 10)).unwrap().clamp(20, 100);
    let again = until(AFTER, life, || told() >= before + more).await;
    let (size, took) = (log_size(scene), released.elapsed());
    say(&format!(
        "the log: {} KiB behind a reader, {} KiB {took:.1?} later",
        grown >> 10,
        size >> 10
    ));
    again.map_err(|problem| format!("after a reader: {problem}"))?;
    if size > LOG_LIMIT.min(grown + LOG_USUAL) {
        return Err(format!("the log has {size} bytes {took:?} after the reader is gone"));
    }
    Ok(())
}

async fn finish(mut scene: Scene, mut life: Life, problems: Vec<String>) -> Result<(), String> {
    let mut problems = problems;
    scene.hush().await;
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    if log_size(&scene) > 0 {
        problems.push("a log is left after a clean stop".to_owned());
    }
    problems.extend(scene.verdict());
    scene.end(problems)
}

/// A connection of another process; to SQLite this one is.
fn other(scene: &Scene) -> Connection {
    let db = Connection::open(scene.home.database()).unwrap();
    db.busy_timeout(AFTER).unwrap();
    db
}

fn complaints(life: &Life) -> Vec<String> {
    let log = life.log();
    let is_one = |line: &&str| line.contains(" ERROR ") || line.contains(" WARN ");
    log.lines().filter(is_one).map(str::to_owned).collect()
}

fn log_size(scene: &Scene) -> u64 {
    let mut log = scene.home.database().into_os_string();
    log.push("-wal");
    fs::metadata(log).map_or(0, |data| data.len())
}
