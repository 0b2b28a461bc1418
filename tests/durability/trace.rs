//! What the program asks of the kernel, as strace saw it, and whether it told anybody of something
//! that was not on disk.
//!
//! The write-ahead log is read as SQLite writes it: a header of 24 bytes before each page, whose
//! second number is not zero in the last page of a commit. A delivery's public id stands in the
//! page of its row, so that a page that was written says which deliveries its commit stores.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::scene::LOOK;

/// What is looked at: how SQLite writes, and how sockets are written to.
const CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,rename,unlink,write,writev,sendto,sendmsg";
/// How long strace may take to write its last lines after the program has ended.
const FLUSH: Duration = Duration::from_secs(10);
/// Length of the header of a page in the log.
const FRAME: usize = 24;
/// `d` and 32 hexadecimal digits.
const ID: usize = 33;

/// Whether this machine can do it, and otherwise what it lacks.
pub(crate) fn is_possible() -> Result<(), String> {
    let probe = ["-D", "-ff", "-o", "/dev/null", "-e", "trace=none", "true"];
    let output = Command::new("strace").args(probe).output();
    let output = output.map_err(|error| format!("strace: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("strace: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// A folder of traces, one file for each thread.
pub(crate) struct Trace {
    folder: PathBuf,
    /// What was looked through for faults, file by file, and how many there were.
    read: HashMap<PathBuf, u64>,
    injected: usize,
}

/// One call into the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Since 1970.
    pub(crate) at: Duration,
    took: Duration,
    pub(crate) name: String,
    file: String,
    data: Vec<u8>,
    result: Option<i64>,
    pub(crate) injected: bool,
}

impl Trace {
    pub(crate) fn new(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        Self { folder, read: HashMap::new(), injected: 0 }
    }

    /// The words before a program's name that have it traced, with faults as strace spells them.
    ///
    /// The tracer is the grandchild, so that signals and exit codes are the program's own.
    pub(crate) fn words(&self, faults: &[String]) -> Vec<String> {
        let words = ["strace", "-D", "-ff", "-ttt", "-T", "-yy", "-xx", "-s", "4096", "-e"];
        let mut words: Vec<String> = words.map(str::to_owned).into();
        words.push(format!("trace={CALLS}"));
        for fault in faults {
            words.extend(["-e".to_owned(), format!("inject={fault}")]);
        }
        words.extend(["-o".to_owned(), self.folder.join("of").display().to_string()]);
        words
    }

    /// How many faults were put in so far.
    pub(crate) fn injected(&mut self) -> usize {
        for file in fs::read_dir(&self.folder).unwrap() {
            let path = file.unwrap().path();
            let read = self.read.entry(path.clone()).or_default();
            let mut text = Vec::new();
            let mut file = fs::File::open(path).unwrap();
            file.seek(SeekFrom::Start(*read)).unwrap();
            file.read_to_end(&mut text).unwrap();
            // A line that is still being written is read with the next look.
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            *read += whole as u64;
            let lines = text[..whole].split(|byte| *byte == b'\n');
            self.injected += lines.filter(|line| contains(line, b"(INJECTED)")).count();
        }
        self.injected
    }

    /// All calls in the order in which they began; the program must have ended.
    pub(crate) async fn calls(&self) -> Result<Vec<Call>, String> {
        let begun = Instant::now();
        let is_done = |text: &str| text.trim_end().ends_with("+++");
        while !self.texts().iter().all(|(_, text)| is_done(text)) {
            if begun.elapsed() > FLUSH {
                return Err("strace has not written its last lines".to_owned());
            }
            tokio::time::sleep(LOOK).await;
        }
        let texts = self.texts();
        let mut calls: Vec<Call> =
            texts.iter().flat_map(|(_, text)| text.lines().filter_map(parse)).collect();
        calls.sort_by_key(|call| call.at);
        Ok(calls)
    }

    /// The calls of the program's first thread, which opens the database.
    pub(crate) async fn calls_of_first(&self) -> Result<Vec<Call>, String> {
        self.calls().await?;
        let mut texts = self.texts();
        texts.sort_by_key(|(thread, _)| *thread);
        let first = texts.first().map(|(_, text)| text.as_str()).unwrap_or_default();
        Ok(first.lines().filter_map(parse).collect())
    }

    /// Gives the room back; a few seconds take megabytes.
    pub(crate) fn discard(self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }

    fn texts(&self) -> Vec<(u32, String)> {
        let read = |path: &Path| {
            let thread = path.extension()?.to_str()?.parse().ok()?;
            Some((thread, fs::read_to_string(path).ok()?))
        };
        let files = fs::read_dir(&self.folder).unwrap();
        files.filter_map(|file| read(&file.unwrap().path())).collect()
    }
}

/// A line such as `1764.25 pwrite64(7<\x2f…>, "\x41…", 24, 32) = 24 <0.000012>`.
fn parse(line: &str) -> Option<Call> {
    let (at, rest) = line.split_once(' ')?;
    let (name, rest) = rest.split_once('(')?;
    let (arguments, answer) = rest.rsplit_once(") = ").unwrap_or((rest, ""));
    // "(INJECTED)" is in brackets too.
    let (arguments, answer) = match arguments.rsplit_once(") = ") {
        Some((arguments, _)) => (arguments, &rest[arguments.len() + 4..]),
        None => (arguments, answer),
    };
    let file = arguments.split_once('<').and_then(|(_, file)| file.split_once('>'));
    let took = answer.rsplit_once('<').and_then(|(_, took)| took.strip_suffix('>'));
    let mut data = Vec::new();
    for quoted in arguments.split('"').skip(1).step_by(2) {
        unhex(quoted, &mut data);
    }
    let mut path = Vec::new();
    unhex(file.map_or("", |(file, _)| file), &mut path);
    Some(Call {
        at: Duration::from_secs_f64(at.parse().ok()?),
        took: Duration::from_secs_f64(took.and_then(|took| took.parse().ok()).unwrap_or(0.0)),
        name: name.to_owned(),
        file: String::from_utf8_lossy(&path).into_owned(),
        data,
        result: answer.split_whitespace().next().and_then(|number| number.parse().ok()),
        injected: answer.contains("(INJECTED)"),
    })
}

/// The mark of a fault stands at the end of its line, behind all data.
fn contains(line: &[u8], mark: &[u8]) -> bool {
    let end = &line[line.len().saturating_sub(80)..];
    end.windows(mark.len()).any(|window| window == mark)
}

fn unhex(text: &str, into: &mut Vec<u8>) {
    let digit = |byte: u8| char::from(byte).to_digit(16).map_or(0, |digit| digit as u8);
    let bytes = text.as_bytes().chunks_exact(4).filter(|four| four.starts_with(b"\\x"));
    into.extend(bytes.map(|four| digit(four[2]) * 16 + digit(four[3])));
}

/// One commit in the log.
#[derive(Default)]
struct Commit {
    ids: HashSet<[u8; ID]>,
    /// When the first sync after its last page was done, if that went well.
    synced: Option<Duration>,
}

/// What a trace says of deliveries and syncs.
pub(crate) struct Judged {
    pub(crate) told: usize,
    pub(crate) commits: usize,
    pub(crate) problems: Vec<String>,
}

/// Whether each delivery's first byte went out after a sync of the commit that stores it.
///
/// Only the first sync after a commit's last page counts. When that fails the kernel has forgotten
/// what was to be written, and a later one that succeeds says nothing of it.
pub(crate) fn judge(calls: &[Call]) -> Judged {
    let commits = commits(calls);
    let mut told = HashSet::new();
    let mut problems = Vec::new();
    for call in calls.iter().filter(|call| is_send(&call.name)) {
        let Some(id) = id_of(&call.data).filter(|id| told.insert(*id)) else { continue };
        let is_on_disk = |commit: &&Commit| commit.synced.is_some_and(|synced| synced <= call.at);
        let stores = commits.iter().filter(|commit| commit.ids.contains(&id));
        let stores: Vec<&Commit> = stores.collect();
        if !stores.iter().any(is_on_disk) {
            let (id, known) = (String::from_utf8_lossy(&id).into_owned(), stores.len());
            problems.push(format!("told of {id} before any of its {known} commits was synced"));
        }
    }
    Judged { told: told.len(), commits: commits.len(), problems }
}

fn is_send(name: &str) -> bool {
    matches!(name, "write" | "writev" | "sendto" | "sendmsg")
}

/// The delivery's id in a request to the receiver.
fn id_of(request: &[u8]) -> Option<[u8; ID]> {
    if !request.starts_with(b"POST ") {
        return None;
    }
    let name = b"webhook-id: ";
    let at = request.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))?;
    let id = request.get(at + name.len()..at + name.len() + ID)?;
    is_id(id).then(|| id.try_into().ok()).flatten()
}

fn is_id(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'd') && bytes[1..].iter().all(u8::is_ascii_hexdigit)
}

fn commits(calls: &[Call]) -> Vec<Commit> {
    let (mut done, mut open) = (Vec::new(), Commit::default());
    let (mut is_last, mut is_waiting) = (false, false);
    for call in calls.iter().filter(|call| call.file.ends_with("-wal")) {
        match (call.name.as_str(), call.data.len()) {
            ("pwrite64", FRAME) => {
                is_last = call.data[4..8] != [0; 4];
                is_waiting = false;
            }
            ("pwrite64", length) if length > FRAME * 2 => {
                open.ids.extend(ids_in(&call.data));
                if is_last && call.result == i64::try_from(length).ok() {
                    done.push(std::mem::take(&mut open));
                    (is_last, is_waiting) = (false, true);
                }
            }
            ("fsync" | "fdatasync", _) if is_waiting => {
                is_waiting = false;
                let commit = done.last_mut().expect("one waits");
                commit.synced = (call.result == Some(0)).then(|| call.at + call.took);
            }
            _ => {}
        }
    }
    done
}

fn ids_in(page: &[u8]) -> impl Iterator<Item = [u8; ID]> {
    page.windows(ID).filter(|window| is_id(window)).filter_map(|window| window.try_into().ok())
}

/// The same calls as if the log had never been synced: what must be seen to be wrong.
pub(crate) fn without_syncs(calls: &[Call]) -> Vec<Call> {
    let is_sync = |call: &&Call| call.name.ends_with("sync") && call.file.ends_with("-wal");
    calls.iter().filter(|call| !is_sync(call)).cloned().collect()
}
