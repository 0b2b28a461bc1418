//! A restore is killed at each call that changes files.
//!
//! What must hold after each: a command that looks says where the data is or can look; the next
//! start, or the next restore, works; and what was there before is kept with its log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::daemon::Home;
use super::say;
use super::scene::{texts, unsound};
use super::trace::Trace;
use super::wounds::Body;

/// What changes files.
const CALLS: [&str; 5] = ["rename", "unlink", "fsync", "ftruncate", "pwrite64"];
/// No restore of so small a database makes more of one kind.
const MOST: usize = 200;
/// What only the database that was there before knows, and only in its log.
const MARK: &str = "INSERT INTO silence (uid, since, author, comment) VALUES ('mark', 1, 'a', 'b')";

struct Stage {
    old: Body,
    copy: PathBuf,
    home: Home,
    run: usize,
}

pub(crate) async fn kills() -> Result<(), String> {
    let mut stage = Stage::set().await?;
    let (mut problems, mut found) = (Vec::new(), BTreeMap::new());
    for call in CALLS {
        for number in 1..=MOST {
            let next = if number % 2 == 0 { "once" } else { "restore" };
            let Some((state, wrong)) = stage.kill(call, number, next).await else { break };
            *found.entry(state).or_insert(0) += 1;
            let named = |problem| format!("killed at {call} {number}, then {next}: {problem}");
            problems.extend(wrong.into_iter().map(named));
        }
    }
    say(&format!("killed restores: {found:?}"));
    if found.len() < 3 {
        problems.push("void: a restore was not killed before, amid and after its renames".into());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

impl Stage {
    async fn set() -> Result<Self, String> {
        let home = Home::new(&[], "http://127.0.0.1:9/hook");
        let copy = home.file(0, "copy.db");
        let words: [&[&str]; 2] = [&["once"], &["backup", copy.to_str().unwrap()]];
        for (run, words) in words.into_iter().enumerate() {
            let ended = home.ask(run, words).await;
            if ended.code != Some(0) {
                return Err(format!("{words:?} ends with {ended:?}"));
            }
        }
        let db = Connection::open(home.database()).unwrap();
        db.execute_batch(&format!("PRAGMA wal_autocheckpoint = 0; {MARK}")).unwrap();
        let old = Body::read(&home.database());
        Ok(Self { old, copy, home, run: 1 })
    }

    fn run(&mut self) -> usize {
        self.run += 1;
        self.run
    }

    /// What state was left, and what is wrong; nothing if the restore ended before that call.
    async fn kill(
        &mut self,
        call: &str,
        number: usize,
        next: &str,
    ) -> Option<(String, Vec<String>)> {
        self.old.lay(&self.home.database());
        let copy = self.copy.to_str().unwrap().to_owned();
        let run = self.run();
        let trace = Trace::new(self.home.file(run, "trace"));
        let words = trace.words(&[format!("{call}:signal=SIGKILL:when={number}")]);
        let ended = self.home.ask_behind(run, &words, &["restore", &copy]).await;
        trace.discard();
        if ended.code.is_some() {
            return None;
        }
        let mut problems = Vec::new();
        let run = self.run();
        let looked = self.home.ask(run, &["status"]).await;
        let is_told = looked.stderr.contains(".before-") && looked.stderr.contains(".new");
        let state = match looked.code {
            Some(1) if is_told => "amid",
            _ if is_marked(&self.home.database()) => "before",
            _ => "after",
        };
        // 1 is also what a look at a database without a daemon ends with.
        if state != "amid" && !looked.stderr.is_empty() {
            problems.push(format!("status says {looked:?}"));
        }
        let words: &[&str] = if next == "once" { &["once"] } else { &["restore", &copy] };
        let run = self.run();
        let ended = self.home.ask(run, words).await;
        if ended.code != Some(0) {
            problems.push(format!("the next command ends with {ended:?}"));
        }
        problems.extend(self.judge(state, next));
        Some((state.to_owned(), problems))
    }

    fn judge(&self, state: &str, next: &str) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(unsound(&self.home.database()).err());
        let is_old = is_marked(&self.home.database());
        if is_old != (state == "before" && next == "once") {
            problems.push(format!("the old database is in place: {is_old}, {state}"));
        }
        let names = fs::read_dir(self.home.data()).unwrap().map(|file| file.unwrap().path());
        let names: Vec<PathBuf> = names.collect();
        if !names.iter().any(|path| is_database(path) && is_marked(path)) {
            problems.push(format!("what was there before is not kept whole: {names:?}"));
        }
        let left = |path: &&PathBuf| {
            let name = path.to_str().unwrap();
            name.ends_with(".restoring") || name.ends_with(".new") && next == "restore"
        };
        problems.extend(names.iter().find(left).map(|path| format!("{path:?} is left")));
        problems
    }
}

fn is_database(path: &Path) -> bool {
    let name = path.to_str().unwrap();
    !["-wal", "-shm", ".lock"].iter().any(|end| name.ends_with(end))
}

/// Whether a database is the one that was there before, with its log.
fn is_marked(database: &Path) -> bool {
    let (folder, name) = (tempfile::tempdir().unwrap(), database.file_name().unwrap());
    for part in ["", "-wal"] {
        let mut from = database.as_os_str().to_owned();
        from.push(part);
        let mut to = folder.path().join(name).into_os_string();
        to.push(part);
        let _ = fs::copy(from, to);
    }
    let found = texts(&folder.path().join(name), "SELECT uid FROM silence");
    found.is_ok_and(|found| found.contains("mark"))
}
