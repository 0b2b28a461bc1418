//! The program as a process of its own among hostile servers, for `WIREWATCH_SECONDS`.
//!
//! A feed that fails is asked ever more seldom. So each server misbehaves every other time only,
//! which keeps all of them being asked to the end. Seen from outside: how late the honest feeds
//! are asked, memory, descriptors and processor time, and how long a hostile request lasts.
//!
//! As many requests may be under way as the program allows by itself, or as
//! `WIREWATCH_CONCURRENCY` says. With 2 the slow servers take all places, honest feeds are late, and
//! the test fails.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, io::Write as _};

use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{BEHAVIOURS, HONEST, Ledger, ONE_AT_A_TIME, Servers, World, http2, toml};

/// Runs of at least so many seconds have the program's own limits of fetching, others short ones.
const LONG: u64 = 60;
/// The program's own limit of a request, and what it may need besides.
const OWN_LIMIT: Duration = Duration::from_secs(60);
const SHORT_LIMIT: Duration = Duration::from_secs(6);
const BESIDES: Duration = Duration::from_secs(5);
/// A connection is kept for so long after its request.
const IDLE: Duration = Duration::from_secs(20);
/// Between polls of honest feeds, and of hostile ones: longer than a connection is kept, so that
/// each visit has one of its own.
const INTERVALS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(22)];
/// In a short run a connection may serve all visits.
const SHORT_INTERVALS: [Duration; 2] = [Duration::from_secs(4); 2];

/// All but one in a hundred polls come within so long after their time.
const LATE: Duration = Duration::from_secs(10);
const MEMORY_KIB: u64 = 256 << 10;
const DESCRIPTORS: usize = 300;
/// Of a core, on average; of an optimised program.
const PROCESSOR: f64 = 0.5;
const STOP: Duration = Duration::from_secs(10);

/// Requests for one path that follow each other faster belong to one visit.
const VISIT: Duration = Duration::from_millis(1500);

/// Whose turn it is to misbehave.
#[derive(Default)]
pub struct Turns {
    turns: Mutex<HashMap<String, Turn>>,
    /// The most that misbehaved at the same time.
    at_once: AtomicUsize,
}

struct Turn {
    is_hostile: bool,
    open: usize,
    begun: Instant,
    ended: Instant,
    hostile_visits: usize,
    longest: Duration,
}

impl Turns {
    pub fn begin(&self, path: &str) -> bool {
        let (mut turns, now) = (self.turns.lock().unwrap(), Instant::now());
        let is_new = !turns.contains_key(path);
        let turn = turns.entry(path.to_owned()).or_insert_with(|| Turn {
            is_hostile: false,
            open: 0,
            begun: now,
            ended: now,
            hostile_visits: 0,
            longest: Duration::ZERO,
        });
        if is_new || (turn.open == 0 && turn.ended.elapsed() > VISIT) {
            turn.is_hostile = !turn.is_hostile;
            turn.begun = now;
            turn.hostile_visits += usize::from(turn.is_hostile);
        }
        turn.open += 1;
        let is_hostile = turn.is_hostile;
        let open = turns.values().filter(|turn| turn.is_hostile && turn.open > 0).count();
        self.at_once.fetch_max(open, Ordering::Relaxed);
        is_hostile
    }

    /// A visit lasts from its first request to the end of its last one.
    pub fn end(&self, path: &str) {
        let mut turns = self.turns.lock().unwrap();
        let turn = turns.get_mut(path).unwrap();
        turn.open -= 1;
        turn.ended = Instant::now();
        if turn.is_hostile {
            turn.longest = turn.longest.max(turn.begun.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_siege_of_hostile_servers_makes_no_honest_feed_late() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let seconds = setting("WIREWATCH_SECONDS", 25);
    let is_long = seconds >= LONG;
    let (intervals, limit) =
        if is_long { (INTERVALS, OWN_LIMIT) } else { (SHORT_INTERVALS, SHORT_LIMIT + IDLE) };
    let world = World::new().await;
    let turns = Arc::new(Turns::default());
    let ledger = Ledger { turns: Some(turns.clone()), ..Ledger::default() };
    let servers = Servers::start(&ledger, world.dir.path()).await;
    let concurrency = env::var("WIREWATCH_CONCURRENCY").ok();
    let mut fetch = concurrency.map(|count| format!("concurrency = {count}")).unwrap_or_default();
    if !is_long {
        fetch += "\ntimeout = \"6s\"\nconnect_timeout = \"2s\"";
    }
    let config = world.config(&world.toml(&toml(&servers, &fetch, intervals)));
    // New feeds are first asked one after another, over most of a minute: that is over by then.
    let mut first = start(world.dir.path(), "once");
    timeout(limit * 4, first.wait()).await.expect("the first round ends").unwrap();
    ledger.honest.lock().unwrap().clear();
    let mut daemon = start(world.dir.path(), "run");
    let usage = watch(&mut daemon, Duration::from_secs(seconds)).await;
    let late = lateness(&ledger, intervals[0]);
    let status = stop(&mut daemon).await;
    let log = fs::read_to_string(log_path(world.dir.path())).unwrap();
    let panics = log.lines().filter(|line| line.contains("panic")).count();
    let (visits, longest) = hostile(&turns);
    let kinds = BEHAVIOURS.len() + http2::FLOODS.len();
    let part = |hundredth: usize| late[(late.len() * hundredth / 100).min(late.len() - 1)];
    say(&format!(
        "{kinds} hostile and {HONEST} honest feeds for {seconds} s: {} honest polls, late by p50 {:.2?}, p99 {:.2?}, at most {:.2?}; {} visits to hostile servers, {} at least \
         to each, {} at once at most, the longest {:.1?} ({}); {usage}; {} lines of log",
        late.len(),
        part(50),
        part(99),
        part(100),
        visits.iter().map(|(_, count)| count).sum::<usize>(),
        visits.iter().map(|(_, count)| count).min().unwrap(),
        turns.at_once.load(Ordering::Relaxed),
        longest.1,
        longest.0,
        log.lines().count(),
    ));
    assert!(status.success() && panics == 0, "{status}, {panics} panics:\n{log}");
    let alerts = world.alerts(&config).await;
    assert_eq!(alerts.len(), HONEST, "the honest stories, and none of a hostile server");
    assert_eq!(visits.len(), kinds, "each was asked: {visits:?}");
    assert!(part(99) <= LATE, "honest feeds are asked late");
    assert!(longest.1 <= limit + BESIDES, "{} goes on for {:?}", longest.0, longest.1);
    usage.check();
}

fn setting(variable: &str, usual: u64) -> u64 {
    env::var(variable).map_or(usual, |count| count.parse().expect("a number"))
}

/// Says something even if the test passes: the harness keeps back only what the macros print.
pub fn say(words: &str) {
    std::io::stderr().write_all(format!("siege: {words}\n").as_bytes()).unwrap();
}

/// How much later than one interval after the poll before each honest poll came, sorted; a poll
/// that is missing at the end counts as come then. Up to a tenth of the interval is intended.
fn lateness(ledger: &Ledger, interval: Duration) -> Vec<Duration> {
    let mut polls: HashMap<String, Vec<Instant>> = HashMap::new();
    for (path, at) in ledger.honest.lock().unwrap().iter() {
        polls.entry(path.clone()).or_default().push(*at);
    }
    assert_eq!(polls.len(), HONEST, "honest feeds were never asked");
    let now = Instant::now();
    let mut late = Vec::new();
    for times in polls.values() {
        late.extend(times.windows(2).map(|pair| (pair[1] - pair[0]).saturating_sub(interval)));
        late.extend((now - times[times.len() - 1]).checked_sub(interval));
    }
    late.sort();
    late
}

/// The hostile visits to each server, and the longest of all.
fn hostile(turns: &Turns) -> (Vec<(String, usize)>, (String, Duration)) {
    let turns = turns.turns.lock().unwrap();
    // What redirects lead to is not a server of its own.
    let is_kind =
        |path: &str| BEHAVIOURS.iter().any(|one| one.path == path) || path.starts_with("127.0.4.");
    let visits = turns.iter().filter(|(path, _)| is_kind(path));
    let visits = visits.map(|(path, turn)| (path.clone(), turn.hostile_visits)).collect();
    let longest = turns.iter().max_by_key(|(_, turn)| turn.longest).unwrap();
    (visits, (longest.0.clone(), longest.1.longest))
}

/// What the process took.
struct Usage {
    peak_kib: u64,
    descriptors: usize,
    processor: f64,
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { peak_kib, descriptors, processor } = self;
        write!(
            f,
            "{} MiB and {descriptors} descriptors at most, {processor:.3} of a core on average",
            peak_kib >> 10
        )
    }
}

impl Usage {
    fn check(&self) {
        assert!(self.peak_kib <= MEMORY_KIB, "memory: {self}");
        assert!(self.descriptors <= DESCRIPTORS, "descriptors: {self}");
        if env::var_os("WIREWATCH_BIN").is_some() {
            assert!(self.processor <= PROCESSOR, "processor: {self}");
        }
    }
}

/// Lets the time go by and looks at the process meanwhile.
async fn watch(daemon: &mut Child, time: Duration) -> Usage {
    let (pid, begun) = (daemon.id().unwrap(), Instant::now());
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let mut descriptors = 0;
    while begun.elapsed() < time {
        if let Ok(status) = timeout(Duration::from_millis(500), daemon.wait()).await {
            panic!("the program ended: {}", status.unwrap());
        }
        descriptors = descriptors.max(fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count());
    }
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let stat = read("stat");
    // After the name: user and system time are the 12th and 13th, in hundredths of a second.
    let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    Usage {
        peak_kib: peak.trim().trim_end_matches(" kB").parse().unwrap(),
        descriptors,
        processor: f64::from(ticks) / 100.0 / begun.elapsed().as_secs_f64(),
    }
}

pub fn log_path(folder: &Path) -> PathBuf {
    folder.join("daemon.log")
}

/// Starts a command that polls.
pub fn start(folder: &Path, word: &str) -> Child {
    let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
    // Processes run in another folder.
    let binary = fs::canonicalize(binary).expect("the binary under test exists");
    let mut command = Command::new(binary);
    command.current_dir(folder).args(["--config", "watch.toml", word]);
    for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM"]
    {
        command.env_remove(variable);
    }
    let log = File::create(log_path(folder)).unwrap();
    command.env_remove("WIREWATCH_LOG").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.kill_on_drop(true).spawn().expect("the program starts")
}

async fn stop(daemon: &mut Child) -> std::process::ExitStatus {
    let pid = i32::try_from(daemon.id().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    timeout(STOP, daemon.wait()).await.expect("it stops in time").unwrap()
}
