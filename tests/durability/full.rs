//! The disk fills up under load, stays full for a while, and then has room again.
//!
//! What must hold: the process lives through it, says at `/healthz` what is wrong, asks no feed for
//! what it cannot store, logs little, goes on by itself within a minute of the room being back, and
//! loses nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::daemon::Life;
use super::room::Room;
use super::scene::{FEEDS, Scene, until};
use super::{count, say};

/// Stories told before the disk fills, so that the log has a length to be kept within.
pub(crate) const BEFORE: usize = 40;
/// SQLite writes over its log until it can fold it into the database no more. By then it stops.
const STOPS: Duration = Duration::from_secs(60);
/// Nothing told for so long, while more is published, means that the disk is in the way.
const STILL: Duration = Duration::from_secs(3);
/// News goes on for so long while the disk is full: what waits must find room on it afterwards.
const LOAD: Duration = Duration::from_secs(60);
/// Something must be told again so long after there is room.
const RECOVERY: Duration = Duration::from_secs(60);
/// Lines that may be logged in a minute, and besides, wherever the minute begins.
const LINES: usize = 10;
const LINES_BESIDES: usize = 3;

pub(crate) async fn trial() -> Result<(), String> {
    let full = Duration::from_secs(count("WIREWATCH_FULL_SECONDS", 20) as u64);
    let mut scene = Scene::set(40).await;
    let http = scene.home.listen();
    let room = Room::mount(&scene.home.data())?;
    say(&format!("a full disk ({}), WIREWATCH_SEED={}", room.kind, scene.seed));
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(BEFORE, &mut life).await?;
    room.fill();
    let mut problems = Vec::new();
    problems.extend(stands_still(&scene, &mut life).await.err());
    problems.extend(stays(&mut scene, &mut life, http, full).await);
    room.free();
    problems.extend(goes_on(&scene, &mut life).await.err());
    problems.extend(scene.all_told(&mut life).await.err());
    match life.stop().await {
        Ok(status) if status.success() => {}
        Ok(status) => problems.push(format!("{status}:\n{}", life.log_tail())),
        Err(problem) => problems.push(problem),
    }
    problems.extend(scene.verdict());
    // Before the folder that it is mounted in, and after all that looks into it.
    drop(room);
    scene.end(problems)
}

/// Waits until the fault is in the daemon's way.
pub(crate) async fn stands_still(scene: &Scene, life: &mut Life) -> Result<(), String> {
    let begun = Instant::now();
    let last = || scene.desk.last_attempt().map_or(begun, |last| last.max(begun));
    let still = until(STOPS, life, || last().elapsed() > STILL).await;
    say(&format!("the fault was in the way after {:.1?}", begun.elapsed()));
    still.map_err(|problem| format!("with the fault: {problem}:\n{}", life.log_tail()))
}

/// What is wrong with the time in which nothing can be stored.
pub(crate) async fn stays(
    scene: &mut Scene,
    life: &mut Life,
    http: SocketAddr,
    full: Duration,
) -> Vec<String> {
    let (lines, polls) = (life.log().lines().count(), scene.feeds.polls().len());
    let used = life.processor_time();
    let mut problems = Vec::new();
    for part in [full.min(LOAD), full.saturating_sub(LOAD)] {
        if let Some(status) = life.end_within(part).await {
            return vec![format!("the fault ended it, {status}:\n{}", life.log_tail())];
        }
        scene.hush().await;
        let health = health(http).await;
        if !(health.starts_with("HTTP/1.1 503 ") && health.contains("database")) {
            problems.push(format!("/healthz says {health}"));
        }
    }
    let lines = life.log().lines().count() - lines;
    let polls = scene.feeds.polls().len() - polls;
    let used = life.processor_time().saturating_sub(used);
    say(&format!("for {full:?}: {lines} lines, {polls} requests, {used:?} of processor time"));
    let allowed = LINES_BESIDES + LINES * usize::try_from(full.as_secs()).unwrap() / 60;
    if lines > allowed {
        problems.push(format!("{lines} lines in {full:?}:\n{}", life.log_tail()));
    }
    // What was under way when it began may end.
    if polls > FEEDS {
        problems.push(format!("{polls} requests for what cannot be stored"));
    }
    if used > full / 10 {
        problems.push(format!("busy: {used:?} of processor time in {full:?}"));
    }
    problems
}

/// Waits until something is told again.
pub(crate) async fn goes_on(scene: &Scene, life: &mut Life) -> Result<(), String> {
    let freed = Instant::now();
    let is_told = || scene.desk.last_attempt().is_some_and(|last| last > freed);
    let again = until(RECOVERY, life, is_told).await;
    say(&format!("told again {:.1?} after the fault", freed.elapsed()));
    again.map_err(|problem| format!("after the fault: {problem}:\n{}", life.log_tail()))
}

/// What the daemon says of itself, without headers that say nothing of it.
pub(crate) async fn health(http: SocketAddr) -> String {
    let ask = async {
        let mut stream = TcpStream::connect(http).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(RECOVERY, ask).await;
    let answer = answer.map_or_else(|_| "nothing".to_owned(), |answer| answer.unwrap());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    format!("{}: {}", head.lines().next().unwrap_or_default(), body.trim())
}
