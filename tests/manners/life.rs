//! The program under test, in a time that runs faster than ours.
//!
//! libfaketime multiplies what a process sees of all clocks. Each life of the daemon starts where
//! the virtual time has got to, so that a restart is not a jump of the clock.

use std::env;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// When virtual time begins.
const BEGINNING: &str = "2026-11-02T09:00:00Z";

/// Where the library is that moves a process in time, if it is installed.
pub(crate) fn library() -> Option<PathBuf> {
    if let Some(named) = env::var_os("WIREWATCH_FAKETIME") {
        return Some(PathBuf::from(named));
    }
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let arch = fs::read_dir("/usr/lib").ok().into_iter().flatten().flatten();
    let all = folders.into_iter().chain(arch.map(|entry| entry.path()));
    let mut files = all.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    files.find(|file| file.exists())
}

/// Time as the daemon sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualTime {
    factor: u32,
    /// A moment of both times.
    since: (Instant, Timestamp),
}

impl VirtualTime {
    pub(crate) fn faster_by(factor: u32) -> Self {
        Self { factor, since: (Instant::now(), BEGINNING.parse().unwrap()) }
    }

    fn now(&self) -> Timestamp {
        let (real, then) = self.since;
        then + SignedDuration::try_from(real.elapsed()).unwrap()
            * i32::try_from(self.factor).unwrap()
    }

    /// From now on faster or slower. Only while no daemon runs.
    pub(crate) fn change_factor(&mut self, factor: u32) {
        self.since = (Instant::now(), self.now());
        self.factor = factor;
    }

    /// Time goes by at once. Only while no daemon runs.
    pub(crate) fn skip(&mut self, time: SignedDuration) {
        self.since = (Instant::now(), self.now() + time);
    }

    /// Lets that much virtual time go by: the passing of time is what these tests are about.
    pub(crate) async fn pass(&self, time: SignedDuration) {
        tokio::time::sleep(time.unsigned_abs() / self.factor).await;
    }

    /// A real duration as the daemon sees it.
    pub(crate) fn seen(&self, real: Duration) -> SignedDuration {
        SignedDuration::try_from(real * self.factor).unwrap()
    }
}

/// An installation in a folder of its own.
pub(crate) struct Daemon {
    folder: TempDir,
    library: PathBuf,
    config: String,
}

impl Daemon {
    /// The rest of the configuration is about the store and patience: a delay of this machine of
    /// a few milliseconds is many virtual seconds.
    pub(crate) fn install(library: &Path, feeds: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-manners-").tempdir().unwrap();
        let database = folder.path().join("data/wirewatch.db");
        let config = format!(
            "[store]\npath = {database:?}\n[fetch]\ntimeout = \"10m\"\nconnect_timeout = \"10m\"\n\
             concurrency = 64\n{feeds}"
        );
        let daemon = Self { folder, library: library.to_owned(), config };
        daemon.write_config("");
        daemon
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/wirewatch.db")
    }

    /// The file that says what time it is, for a daemon started with [`Daemon::start_by_file`].
    pub(crate) fn time_file(&self) -> PathBuf {
        self.folder.path().join("time")
    }

    /// Writes the configuration anew, with a remark so that it differs.
    pub(crate) fn write_config(&self, remark: &str) {
        fs::write(self.config_path(), format!("# {remark}\n{}", self.config)).unwrap();
    }

    /// Starts the daemon; it dies with the returned value.
    pub(crate) fn start(&self, time: &VirtualTime) -> Child {
        let now = time.now().strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let mut command = self.command();
        command.env("FAKETIME", format!("@{now} x{}", time.factor));
        command.spawn().expect("the daemon starts")
    }

    /// Starts the daemon with only the wall clock under control, by [`Daemon::time_file`].
    pub(crate) fn start_by_file(&self) -> Child {
        let mut command = self.command();
        command.env("FAKETIME_TIMESTAMP_FILE", self.time_file());
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.spawn().expect("the daemon starts")
    }

    fn command(&self) -> Command {
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        let binary = fs::canonicalize(binary).expect("the binary under test exists");
        let mut command = Command::new(binary);
        command.current_dir(self.folder.path()).arg("--config").arg(self.config_path()).arg("run");
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command.env_remove("JOURNAL_STREAM").env_remove("WIREWATCH_LOG");
        command.env("TZ", "UTC").env("LD_PRELOAD", &self.library);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        command
    }

    /// The end of what the daemon has logged.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("wirewatch.toml")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }
}

/// Sends a signal, for which the standard library has no function.
pub(crate) async fn signal(name: &str, process: &Child) {
    let command = format!("kill -{name} {}", process.id().expect("the daemon is running"));
    let status = Command::new("sh").args(["-c", &command]).status().await.unwrap();
    assert!(status.success(), "{command}: {status}");
}

/// Stops the daemon as systemd would.
pub(crate) async fn stop(process: &mut Child) {
    signal("TERM", process).await;
    tokio::time::timeout(Duration::from_secs(10), process.wait()).await.expect("it stops").unwrap();
}
