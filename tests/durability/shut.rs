//! The file system has no inodes left, is read-only for a while, or breaks and stays read-only.
//!
//! What must hold: the process lives through it, says at `/healthz` what is wrong as long as it
//! cannot write, asks no feed meanwhile, logs little, and loses nothing. It goes on by itself
//! within a minute if the same files can be written again. Files of a file system that broke never
//! can be: it has to be mounted anew, for which the process must stop when it is told to.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::daemon::{Home, Life, STOP_LIMIT};
use super::full::{BEFORE, goes_on, health, stands_still, stays};
use super::room::Room;
use super::scene::{Scene, until};
use super::{count, say};

/// So few files that they can be used up.
const INODES: usize = 48;
/// What systemd is told to expect of a watchdog, which is fed six times as often.
const WATCHDOG: Duration = Duration::from_secs(6);
/// A command, or a start, that cannot make its files ends within this time.
const REFUSAL: Duration = Duration::from_secs(10);
/// Calls that change files, as a read-only file system answers them.
const READ_ONLY: &str =
    "inject=pwrite64,ftruncate,fallocate,unlink,unlinkat,rename,mkdir:error=EROFS";

fn shut_time() -> Duration {
    Duration::from_secs(count("WIREWATCH_SHUT_SECONDS", 15) as u64)
}

/// No file can be made: a daemon that runs needs none, a copy and a start say so.
pub(crate) async fn inodes() -> Result<(), String> {
    let mut scene = Scene::set(140).await;
    let http = scene.home.listen();
    let room = Room::with_inodes(&scene.home.data(), INODES)?;
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(BEFORE, &mut life).await?;
    let taken = room.take_inodes();
    let mut problems = Vec::new();
    problems.extend((taken == 0).then(|| "void: no inode was left to take".to_owned()));
    let told = scene.desk.attempts().len();
    problems.extend(scene.told(told + BEFORE, &mut life).await.err());
    let well = health(http).await;
    problems.extend((!well.starts_with("HTTP/1.1 200 ")).then(|| format!("/healthz says {well}")));
    problems.extend(refuses_a_copy(&scene.home).await.err());
    // A kill leaves the log, and with it a start needs no file more.
    life.kill().await;
    let mut life = scene.home.start(2, &[]);
    let told = scene.desk.attempts().len();
    problems.extend(scene.told(told + BEFORE, &mut life).await.err());
    // It leaves that log at its end, the next one takes it away. Without room for a new one no
    // start succeeds, and none may end with a code after which systemd tries no more.
    problems.extend(ends_well(&mut life).await);
    room.give_inodes();
    let mut life = scene.home.start(3, &[]);
    let told = scene.desk.attempts().len();
    problems.extend(scene.told(told + BEFORE, &mut life).await.err());
    problems.extend(ends_well(&mut life).await);
    room.take_inodes();
    let mut refused = scene.home.start(4, &[]);
    match refused.end_within(REFUSAL).await.map(|status| status.code()) {
        Some(Some(1)) => say(&format!("a start without inodes: {}", refused.log_tail())),
        other => problems.push(format!("a start ends with {other:?}:\n{}", refused.log_tail())),
    }
    refused.stop().await.ok();
    room.give_inodes();
    let mut life = scene.home.start(5, &[]);
    problems.extend(goes_on(&scene, &mut life).await.err());
    scene.hush().await;
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(ends_well(&mut life).await);
    problems.extend(scene.verdict());
    drop(room);
    scene.end(problems)
}

async fn refuses_a_copy(home: &Home) -> Result<(), String> {
    let target = home.data().join("copy.db");
    let ended = home.ask(20, &["backup", target.to_str().unwrap()]).await;
    say(&format!("a backup without inodes: {}", ended.stderr.trim()));
    let is_named = ended.stderr.contains(&format!("no room for {target:?}"));
    if ended.code != Some(1) || !is_named || target.exists() {
        return Err(format!("a backup without inodes: {ended:?}"));
    }
    Ok(())
}

/// Nothing can be changed for a while, and then the same files can be. The kernel lets nobody make
/// a file system read-only under open files, but one of another machine may be: strace answers.
pub(crate) async fn read_only() -> Result<(), String> {
    let mut scene = Scene::set(150).await;
    let http = scene.home.listen();
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(BEFORE, &mut life).await?;
    let mut problems = Vec::new();
    let mut shut = shut(&life);
    problems.extend(stands_still(&scene, &mut life).await.err());
    say(&format!("read-only: {}", health(http).await));
    problems.extend(stays(&mut scene, &mut life, http, shut_time()).await);
    open(&mut shut).await;
    problems.extend(goes_on(&scene, &mut life).await.err());
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(ends_well(&mut life).await);
    problems.extend(scene.verdict());
    scene.end(problems)
}

/// From now on the kernel refuses that process all changes.
fn shut(life: &Life) -> Child {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-o", "/dev/null", "-p", &life.pid().to_string()]);
    strace.args(["-e", READ_ONLY]).stdin(Stdio::null()).stderr(Stdio::null());
    strace.kill_on_drop(true).spawn().unwrap()
}

/// Ends strace so that it lets go of the process.
async fn open(strace: &mut Child) {
    let stop = format!("kill -INT {}", strace.id().unwrap());
    Command::new("sh").args(["-c", &stop]).status().await.unwrap();
    tokio::time::timeout(REFUSAL, strace.wait()).await.expect("strace ends").unwrap();
}

/// ext4 meets an error and lets nothing be written any more.
pub(crate) async fn broken() -> Result<(), String> {
    let mut scene = Scene::set(160).await;
    let http = scene.home.listen();
    let room = Room::with_inodes(&scene.home.data(), INODES)?;
    scene.publish();
    let manager = Manager::listen();
    let mut life = scene.home.start(1, &manager.around());
    scene.told(BEFORE, &mut life).await?;
    room.break_down()?;
    let mut problems = Vec::new();
    let before = manager.fed();
    problems.extend(stands_still(&scene, &mut life).await.err());
    say(&format!("a broken file system: {}", health(http).await));
    problems.extend(stays(&mut scene, &mut life, http, shut_time()).await);
    // A restart would mend nothing: each start ends, as is seen below.
    let fed = manager.fed() - before;
    say(&format!("a broken file system: the watchdog was fed {fed} times"));
    if Duration::from_secs(fed as u64) * 4 < shut_time() {
        problems.push(format!(
            "the watchdog of {WATCHDOG:?} was fed {fed} times:\n{}",
            life.log_tail()
        ));
    }
    if let Err(problem) = life.stop().await {
        problems.push(format!("with a broken file system: {problem}"));
    }
    // As long as it is broken, each start ends, with a code after which systemd tries again.
    let mut refused = scene.home.start(2, &[]);
    match refused.end_within(REFUSAL).await.map(|status| status.code()) {
        Some(Some(1)) => say(&format!("a start: {}", refused.log_tail())),
        other => problems.push(format!("a start ends with {other:?}:\n{}", refused.log_tail())),
    }
    refused.stop().await.ok();
    room.mend()?;
    let mut life = scene.home.start(3, &[]);
    problems.extend(until(STOP_LIMIT * 6, &mut life, || scene.untold().is_empty()).await.err());
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(ends_well(&mut life).await);
    problems.extend(scene.verdict());
    drop(room);
    scene.end(problems)
}

/// The service manager's part in the watchdog.
struct Manager {
    folder: tempfile::TempDir,
    fed: Arc<AtomicUsize>,
    _ear: JoinSet<()>,
}

impl Manager {
    fn listen() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let (fed, mut ear) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        let count = Arc::clone(&fed);
        ear.spawn(async move {
            let mut message = [0; 4096];
            while let Ok(length) = socket.recv(&mut message).await {
                let says = String::from_utf8_lossy(&message[..length]).contains("WATCHDOG=1");
                count.fetch_add(usize::from(says), Ordering::SeqCst);
            }
        });
        Self { folder, fed, _ear: ear }
    }

    /// What the daemon is started by, for it to speak to this one.
    fn around(&self) -> Vec<String> {
        let socket = self.folder.path().join("notify");
        let limit = WATCHDOG.as_micros();
        let variables =
            [format!("NOTIFY_SOCKET={}", socket.display()), format!("WATCHDOG_USEC={limit}")];
        ["env".to_owned()].into_iter().chain(variables).collect()
    }

    fn fed(&self) -> usize {
        self.fed.load(Ordering::SeqCst)
    }
}

async fn ends_well(life: &mut Life) -> Option<String> {
    match life.stop().await {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("{status}:\n{}", life.log_tail())),
        Err(problem) => Some(problem),
    }
}
