//! A database of an earlier version is brought up to date while the process is killed, and one of a
//! later version is refused.
//!
//! The kill comes from strace, at one call into the kernel after the other, so that no moment is
//! left to luck. What must hold after each: the schema is the old one or the new one, as made by
//! the migrations themselves, with all data; and the next start tells what was still to be told,
//! under its old id, and what is new, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::daemon::Home;
use super::desk::Desk;
use super::past;
use super::press::{Item, Press};
use super::random::{self, Random};
use super::scene::{copy, some, unsound};
use super::trace::Trace;
use super::wounds::Body;
use super::{count, say};

const FEEDS: usize = 2;
/// Stories of each feed before the migration.
const STORIES: usize = 15;
/// What changes files.
const CALLS: [&str; 6] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink"];
/// Exit code for a database of a newer version.
const TOO_NEW: i32 = 64;

/// Everything that a migration is tried with.
struct Museum {
    press: Press,
    desk: Desk,
    /// The version that the program makes.
    newest: usize,
    /// Each version's schema, as its migrations make it.
    schemas: BTreeMap<usize, String>,
    /// What the feeds showed when the old version ran.
    old: Vec<Vec<Item>>,
    news: BTreeSet<String>,
    runs: usize,
}

pub(crate) async fn kills() -> Result<(), String> {
    let kills = count("WIREWATCH_MIGRATIONS", 2);
    let seed = random::seed();
    let mut museum = Museum::open(seed).await?;
    say(&format!("{} versions, {kills} kills each, WIREWATCH_SEED={seed}", museum.newest));
    let mut random = Random::new(seed, 81);
    let (mut problems, mut found) = (Vec::new(), BTreeMap::new());
    for version in 0..museum.newest {
        let calls = museum.calls_of(version).await?;
        let points: usize = calls.values().sum();
        for kill in 0..kills {
            // One in each stretch of the way, so that all of it is covered.
            let stretch = (points / kills).max(1) as u64;
            let point = kill * points / kills + usize::try_from(random.below(stretch)).unwrap();
            let (call, number) = nth(&calls, point);
            let (state, wrong) = museum.kill(version, call, number).await;
            *found.entry(state).or_insert(0) += 1;
            let named = |problem| format!("from {version}, killed at {call} {number}: {problem}");
            problems.extend(wrong.into_iter().map(named));
        }
    }
    say(&format!("migrations: {found:?}"));
    if problems.is_empty() { Ok(()) } else { Err(format!("seed {seed}:\n{}", problems.join("\n"))) }
}

pub(crate) async fn downgrade() -> Result<(), String> {
    let press = Press::start(FEEDS, 1, Random::new(random::seed(), 82)).await;
    let desk = Desk::start(Random::new(random::seed(), 83)).await;
    desk.behave();
    press.publish(5);
    let mut problems = Vec::new();
    for keeps_log in [false, true] {
        let home = Home::new(&press.urls(), &desk.url());
        let ended = home.ask(1, &["once"]).await;
        if ended.code != Some(0) {
            return Err(format!("a first round ends with {ended:?}"));
        }
        let (found, body) = from_the_future(&home.database(), keeps_log);
        for (run, command) in ["run", "once", "status", "stories"].into_iter().enumerate() {
            body.lay(&home.database());
            let ended = home.ask(2 + run, &[command]).await;
            let wrong = judge_refusal(&ended.stderr, ended.code, found);
            let changed = Body::read(&home.database()).lasting() != body.lasting();
            let changed = changed.then(|| "the bytes have changed".to_owned());
            let named = |problem| format!("{command}, log kept: {keeps_log}: {problem}");
            problems.extend(wrong.into_iter().chain(changed).map(named));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Gives a database the version after the next one, in its log or in itself.
fn from_the_future(database: &Path, keeps_log: bool) -> ((i64, i64), Body) {
    let db = Connection::open(database).unwrap();
    let known: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let found = known + 2;
    db.pragma_update(None, "user_version", found).unwrap();
    let while_open = Body::read(database);
    db.close().unwrap();
    ((known, found), if keeps_log { while_open } else { Body::read(database) })
}

fn judge_refusal(stderr: &str, code: Option<i32>, (known, found): (i64, i64)) -> Vec<String> {
    let mut problems = Vec::new();
    if code != Some(TOO_NEW) {
        problems.push(format!("ends with {code:?} instead of {TOO_NEW}"));
    }
    let names = |number: i64| {
        let number = number.to_string();
        stderr.split(|c: char| !c.is_ascii_digit()).any(|word| word == number)
    };
    if stderr.lines().count() != 1 || !names(known) || !names(found) {
        problems.push(format!("does not name {known} and {found} in one line: {stderr}"));
    }
    problems
}

impl Museum {
    async fn open(seed: u64) -> Result<Self, String> {
        let press = Press::start(FEEDS, 1, Random::new(seed, 84)).await;
        let desk = Desk::start(Random::new(seed, 85)).await;
        desk.behave();
        press.publish(STORIES);
        let old: Vec<_> = (0..FEEDS).map(|feed| press.items(feed)).collect();
        let news = press.publish(1).into_iter().collect();
        let mut museum =
            Self { press, desk, newest: 0, schemas: BTreeMap::new(), old, news, runs: 0 };
        let home = museum.home();
        let ended = home.ask(museum.run(), &["once"]).await;
        if ended.code != Some(0) {
            return Err(format!("a first round ends with {ended:?}"));
        }
        museum.newest = past::schema(&home.database()).unwrap().0;
        for version in 1..=museum.newest {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("wirewatch.db");
            past::make(&path, version, &museum.press.urls(), &[]);
            museum.schemas.insert(version, past::schema(&path).unwrap().1);
        }
        Ok(museum)
    }

    fn home(&self) -> Home {
        Home::new(&self.press.urls(), &self.desk.url())
    }

    fn run(&mut self) -> usize {
        self.runs += 1;
        self.runs
    }

    /// How often each call is made by the thread that migrates, if nobody kills it.
    async fn calls_of(&mut self, version: usize) -> Result<BTreeMap<String, usize>, String> {
        let home = self.home();
        past::make(&home.database(), version, &self.press.urls(), &self.old);
        let run = self.run();
        let trace = Trace::new(home.file(run, "trace"));
        home.ask_behind(run, &trace.words(&[]), &["once"]).await;
        let mut counts = BTreeMap::new();
        for call in trace.calls_of_first().await? {
            if CALLS.contains(&call.name.as_str()) {
                *counts.entry(call.name).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Kills a migration at a call, and says what it left and what is wrong with that.
    async fn kill(&mut self, version: usize, call: &str, number: usize) -> (String, Vec<String>) {
        let home = self.home();
        let waiting = past::make(&home.database(), version, &self.press.urls(), &self.old);
        let before = (version > 0).then(|| past::kept(&home.database()));
        let run = self.run();
        let trace = Trace::new(home.file(run, "trace"));
        let fault = format!("{call}:signal=SIGKILL:when={number}");
        let ended = home.ask_behind(run, &trace.words(&[fault]), &["once"]).await;
        let mut problems = Vec::new();
        if ended.code.is_some() {
            return ("survived".to_owned(), problems);
        }
        // A process that had begun to work has changed the data, as it should.
        let untouched = before.as_deref().filter(|_| !self.press.was_asked_by(run));
        let state = self.judge_state(&home, version, untouched, &mut problems);
        if self.attempts(run).is_empty() {
            let run = self.run();
            let ended = home.ask(run, &["once"]).await;
            if ended.code != Some(0) {
                problems.push(format!("the next start ends with {ended:?}"));
            }
            self.judge_told(run, version, &waiting, &mut problems);
            problems.extend(unsound(&home.database()).err());
            problems.extend(strangers(&home, version));
            if let Some(before) = before {
                problems.extend(self.judge_copy(&home, version, &before));
            }
        }
        (state, problems)
    }

    fn judge_state(
        &self,
        home: &Home,
        version: usize,
        before: Option<&[String]>,
        problems: &mut Vec<String>,
    ) -> String {
        if !home.database().exists() {
            return if version == 0 { "none" } else { "gone" }.to_owned();
        }
        let (_folder, database) = copy(&home.database());
        let (found, schema) = match past::schema(&database) {
            Ok(found) => found,
            Err(error) => {
                problems.push(format!("cannot be read: {error}"));
                return "broken".to_owned();
            }
        };
        if found != version && found != self.newest {
            problems.push(format!("has version {found}, neither {version} nor {}", self.newest));
        }
        if self.schemas.get(&found) != Some(&schema) {
            problems.push(format!("says version {found}, and has not that schema"));
        }
        if before.is_some_and(|before| before != past::kept(&database)) {
            problems.push("has not the data that it had".to_owned());
        }
        problems.extend(unsound(&database).err());
        let state = if found == version { "old" } else { "between" };
        if found == self.newest { "new" } else { state }.to_owned()
    }

    /// The copy of the database as it was, which a migration keeps.
    fn judge_copy(&self, home: &Home, version: usize, before: &[String]) -> Vec<String> {
        let path = home.data().join(format!("wirewatch.db.schema-{version}"));
        let Ok(data) = fs::metadata(&path) else {
            return vec!["no copy is kept of the database as it was".to_owned()];
        };
        let mut problems = Vec::new();
        if data.permissions().mode() & 0o777 != 0o600 {
            problems.push("others can read the copy of the database as it was".to_owned());
        }
        let found = past::schema(&path).map(|(found, _)| found).unwrap_or(0);
        if found != version || past::kept(&path) != before {
            problems.push(format!("the copy of the database as it was has version {found}"));
        }
        problems
    }

    /// After the migration: what waited and what is new, under the right ids, and nothing else.
    fn judge_told(
        &self,
        run: usize,
        version: usize,
        waiting: &[String],
        problems: &mut Vec<String>,
    ) {
        let told: BTreeMap<String, String> = self.attempts(run).into_iter().collect();
        let mut wanted: BTreeSet<&String> = self.news.iter().chain(waiting).collect();
        if version == 0 {
            // There was nothing before, so all is new.
            wanted.extend(self.old.iter().flatten().map(|item| &item.token));
        }
        let (told_tokens, wanted): (BTreeSet<&String>, _) = (told.keys().collect(), wanted);
        if told_tokens != wanted {
            let lost: Vec<_> = wanted.difference(&told_tokens).collect();
            let again: Vec<_> = told_tokens.difference(&wanted).collect();
            problems.push(format!("not told: {}; told again: {}", some(&lost), some(&again)));
        }
        let renamed = waiting
            .iter()
            .filter(|token| told.get(*token).is_some_and(|id| *id != past::delivery(token)));
        let renamed: Vec<_> = renamed.collect();
        if !renamed.is_empty() {
            problems.push(format!("told under a new id: {}", some(&renamed)));
        }
    }

    /// The stories that a process told of, with their ids.
    fn attempts(&self, run: usize) -> Vec<(String, String)> {
        let attempts = self.desk.attempts().into_iter().filter(|attempt| attempt.run == run);
        attempts
            .flat_map(|one| one.tokens.into_iter().map(move |token| (token, one.id.clone())))
            .collect()
    }
}

/// The call at a place in the sequence that all calls make when each kind comes after the other.
fn nth(calls: &BTreeMap<String, usize>, mut point: usize) -> (&str, usize) {
    for (call, count) in calls {
        if point < *count {
            return (call, point + 1);
        }
        point -= count;
    }
    ("fsync", 1)
}

/// Files that do not belong beside a database.
fn strangers(home: &Home, version: usize) -> Option<String> {
    let names = fs::read_dir(home.data()).unwrap().map(|file| file.unwrap().file_name());
    let copy = format!(".schema-{version}");
    let known = |name: &str| {
        name.strip_prefix("wirewatch.db")
            .is_some_and(|rest| ["", "-wal", "-shm", ".lock", &copy].contains(&rest))
    };
    let names = names.map(|name| name.into_string().unwrap());
    let strangers: Vec<String> = names.filter(|name| !known(name)).collect();
    (!strangers.is_empty()).then(|| format!("files left over: {strangers:?}"))
}
