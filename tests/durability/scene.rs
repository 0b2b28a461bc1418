//! The outside world of a campaign: feeds that change, a receiver that keeps, and the comparison of
//! what was published with what was told.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::daemon::{Home, Life, files};
use super::desk::{Attempt, Desk};
use super::feeds::Feeds;
use super::random::{self, Random};

/// So few feeds are all polled at once.
pub(crate) const FEEDS: usize = 8;
/// Between two looks at what has no event to wait for.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// A queue that has not moved for so long stands still: more than any pause after a failure.
const STANDSTILL: Duration = Duration::from_secs(30);
/// The longest a queue that moves may take.
const LONGEST_QUEUE: Duration = Duration::from_secs(600);

/// Everything a campaign works with.
pub(crate) struct Scene {
    pub(crate) seed: u64,
    pub(crate) feeds: Feeds,
    pub(crate) desk: Desk,
    pub(crate) home: Home,
    publisher: JoinSet<()>,
}

impl Scene {
    /// `stream` keeps the random choices of campaigns apart.
    pub(crate) async fn set(stream: u64) -> Self {
        let seed = random::seed();
        let feeds = Feeds::start(FEEDS, Random::new(seed, stream)).await;
        let desk = Desk::start(Random::new(seed, stream + 1)).await;
        // A receiver that fails is what the campaign of kills is for.
        desk.behave();
        let home = Home::new(&feeds.urls(), &desk.url());
        Self { seed, feeds, desk, home, publisher: JoinSet::new() }
    }

    /// Publishes some twenty-five items a second, until [`Self::hush`]; once in a campaign.
    pub(crate) fn publish(&mut self) {
        self.publisher.spawn(self.feeds.publish_for_ever(Random::new(self.seed, 90)));
    }

    pub(crate) async fn hush(&mut self) {
        self.publisher.shutdown().await;
    }

    /// The stories that ought to be told and are not yet.
    pub(crate) fn untold(&self) -> Vec<String> {
        let told: BTreeSet<String> =
            self.desk.attempts().into_iter().flat_map(|attempt| attempt.tokens).collect();
        let all = self.feeds.published().into_iter().filter(|(_, is_told)| *is_told);
        all.map(|(token, _)| token).filter(|token| !told.contains(token)).collect()
    }

    /// Waits until so many stories were told.
    pub(crate) async fn told(&self, count: usize, life: &mut Life) -> Result<(), String> {
        let look = || self.desk.attempts().len() >= count;
        until(Duration::from_secs(30), life, look).await.map_err(|problem| {
            format!("{count} stories should be told: {problem}:\n{}", life.log_tail())
        })
    }

    /// Waits until nothing is left to be told; a long queue may take its time as long as it moves.
    pub(crate) async fn all_told(&self, life: &mut Life) -> Result<(), String> {
        let begun = Instant::now();
        let moved = || self.desk.last_attempt().map_or(begun, |last| last.max(begun));
        let look = || self.untold().is_empty() || moved().elapsed() > STANDSTILL;
        let ended = until(LONGEST_QUEUE, life, look).await;
        let untold = self.untold();
        if untold.is_empty() {
            return Ok(());
        }
        let problem = ended.err().unwrap_or_else(|| format!("none for {STANDSTILL:?}"));
        let (untold, after) = (untold.len(), begun.elapsed());
        Err(format!("{untold} not told after {after:.0?}, {problem}:\n{}", life.log_tail()))
    }

    /// What is wrong with what was told and stored; the daemon must have ended.
    pub(crate) fn verdict(&self) -> Vec<String> {
        let published = self.feeds.published();
        let attempts = self.desk.attempts();
        let mut problems = compare(&published, &attempts);
        problems.extend(unstored(&self.home.database(), &attempts));
        problems.extend(unsound(&self.home.database()).err());
        problems
    }

    /// The result of a campaign, with its folder if people should look into it.
    pub(crate) fn end(self, problems: Vec<String>) -> Result<(), String> {
        if problems.is_empty() {
            return Ok(());
        }
        let kept = self.home.keep();
        Err(format!("seed {}, see {}:\n{}", self.seed, kept.display(), problems.join("\n")))
    }
}

/// Waits until `look` says yes, while the daemon lives.
///
/// What other processes write has no event to wait for, so it is looked for, up to a limit.
pub(crate) async fn until(
    limit: Duration,
    life: &mut Life,
    mut look: impl FnMut() -> bool,
) -> Result<(), String> {
    let begun = Instant::now();
    while !look() {
        if let Some(status) = life.ended() {
            // What it did last counts.
            return if look() { Ok(()) } else { Err(format!("the process ended: {status}")) };
        }
        if begun.elapsed() > limit {
            return Err(format!("gave up after {limit:?}"));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Lost, invented, and told under more than one id.
pub(crate) fn compare(published: &[(String, bool)], attempts: &[Attempt]) -> Vec<String> {
    let to_tell = published.iter().filter(|(_, is_told)| *is_told);
    let to_tell: BTreeSet<&str> = to_tell.map(|(token, _)| token.as_str()).collect();
    let names: BTreeSet<(&str, &str)> = attempts
        .iter()
        .flat_map(|one| one.tokens.iter().map(|token| (token.as_str(), one.id.as_str())))
        .collect();
    let told: BTreeSet<&str> = names.iter().map(|(token, _)| *token).collect();
    let lost: Vec<_> = to_tell.difference(&told).collect();
    let phantom: Vec<_> = told.difference(&to_tell).collect();
    let mut problems = Vec::new();
    if to_tell.is_empty() {
        problems.push("void: nothing was published".to_owned());
    }
    if !lost.is_empty() {
        problems.push(format!("{} lost: {}", lost.len(), some(&lost)));
    }
    if !phantom.is_empty() {
        problems.push(format!("told but not published: {}", some(&phantom)));
    }
    if names.len() > told.len() {
        let new = names.len() - told.len();
        problems.push(format!("{new} stories came again under a new id"));
    }
    problems
}

/// A few of many names.
pub(crate) fn some(names: &[impl std::fmt::Debug]) -> String {
    let more = if names.len() > 10 { " and more" } else { "" };
    format!("{:?}{more}", &names[..names.len().min(10)])
}

/// A copy of a database that may be opened without changing what a process left.
pub(crate) fn copy(database: &Path) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (_, path) in files(database) {
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = folder.path().join(database.file_name().unwrap());
    (folder, path)
}

/// What somebody was told of and the database does not know.
pub(crate) fn unstored(database: &Path, attempts: &[Attempt]) -> Option<String> {
    let stored = match texts(database, "SELECT uid FROM delivery") {
        Ok(stored) => stored,
        Err(error) => return Some(format!("the deliveries cannot be read: {error}")),
    };
    let unknown: BTreeSet<&str> =
        attempts.iter().map(|one| one.id.as_str()).filter(|id| !stored.contains(*id)).collect();
    (!unknown.is_empty()).then(|| format!("told but not stored: {unknown:?}"))
}

/// Whether the database is whole.
pub(crate) fn unsound(database: &Path) -> Result<(), String> {
    let look = || {
        let integrity = texts(database, "PRAGMA integrity_check")?;
        let orphans = texts(database, "SELECT \"table\" FROM pragma_foreign_key_check")?;
        Ok((integrity, orphans))
    };
    let (integrity, orphans) =
        look().map_err(|error: rusqlite::Error| format!("the database cannot be read: {error}"))?;
    if integrity.contains("ok") && orphans.is_empty() {
        return Ok(());
    }
    Err(format!("the database is broken: {integrity:?}, orphans in {orphans:?}"))
}

/// The first column of a query, as a set.
pub(crate) fn texts(database: &Path, sql: &str) -> rusqlite::Result<BTreeSet<String>> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(Duration::from_secs(10))?;
    let mut select = db.prepare(sql)?;
    let rows = select.query_map([], |row| row.get(0))?;
    rows.collect()
}
