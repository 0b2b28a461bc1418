//! The real program: its folder, its processes, its memory and its end.

use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::Findings;
use super::support::http::Request;

/// The promise of a stop.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);
/// After this a process that does not end is killed, so that a test can say so.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Each life names this page and its number as its contact, and with that in the User-Agent of
/// its requests: what a life before has left in a socket is not taken for its successor's.
const CONTACT: &str = "https://example.org/run/";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Which life of the program made a request.
pub(crate) fn run_of(request: &Request) -> usize {
    let agent = request.header("User-Agent").unwrap_or_default();
    let after = agent.split_once(CONTACT).map(|(_, after)| after.trim_end_matches(')'));
    after.and_then(|run| run.parse().ok()).unwrap_or(0)
}

/// A webhook channel as the configuration has it; everything else is as it comes.
pub(crate) fn channel(name: &str, url: &str) -> String {
    format!(
        "[channel.{name}.webhook]\nurl = \"{url}\"\nsecret_file = \"secret\"\n\
         allow_private = true\n"
    )
}

/// A feed that is polled every second.
pub(crate) fn feed(name: &str, url: &str) -> String {
    format!("[feed.{name}]\nurl = \"{url}\"\nallow_private = true\n")
}

/// An installation in a folder of its own.
pub(crate) struct Daemon {
    folder: TempDir,
    binary: PathBuf,
    /// The configuration, except for what is told by each life.
    config: String,
}

impl Daemon {
    /// Tells these channels of every `marker`; `more` is the feeds and channels.
    pub(crate) fn install(channels: &[&str], more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-endpoints-").tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        // Processes run in another folder, and a path without slash would be looked up in PATH.
        let binary = fs::canonicalize(binary).expect("the binary under test exists");
        let config = format!(
            "[store]\npath = {:?}\n\
             [defaults]\ninterval = \"1s\"\nbackfill = \"all\"\ngather = \"0s\"\n\
             [rule.marker]\nmatch = 'marker'\nchannels = {channels:?}\n{more}",
            folder.path().join("data/wirewatch.db")
        );
        Self { folder, binary, config }
    }

    /// Starts the program; it dies with the returned value.
    pub(crate) fn start(&self, run: usize) -> Child {
        let config = self.folder.path().join("wirewatch.toml");
        let contact = format!("[fetch]\ncontact = \"{CONTACT}{run}\"\n");
        fs::write(&config, format!("{}{contact}", self.config)).unwrap();
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path()).arg("--config").arg(config).arg("run");
        // A test started by systemd must not speak for its own service.
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command.env_remove("JOURNAL_STREAM").env_remove("WIREWATCH_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        command.spawn().expect("the program starts")
    }

    /// The end of what the program has logged, for people who look into a failure.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Leaves the folder for people to look at, if something is wrong.
    pub(crate) fn keep_if_wrong(self, findings: &mut Findings) {
        if !findings.problems.is_empty() {
            let kept = self.folder.keep();
            findings.problems.push(format!("see {}", kept.display()));
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }
}

/// How a process has ended after SIGTERM.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped {
    /// When it was asked to.
    pub(crate) at: Instant,
    pub(crate) took: Duration,
    /// None if a signal ended it, or if it had to be killed.
    pub(crate) code: Option<i32>,
}

impl Stopped {
    /// Whether this is what a stop promises.
    pub(crate) fn is_graceful(&self) -> bool {
        self.code == Some(0) && self.took <= STOP_LIMIT
    }
}

/// Ends the program as a service manager does.
pub(crate) async fn stop(process: &mut Child) -> Stopped {
    let at = Instant::now();
    let command = format!("kill -TERM {}", process.id().expect("the program is running"));
    // The standard library has no function for it.
    let status = Command::new("sh").args(["-c", &command]).status().await.unwrap();
    assert!(status.success(), "{command}: {status}");
    let ended = tokio::time::timeout(STOP_PATIENCE, process.wait()).await;
    let took = at.elapsed();
    let code = match ended {
        Ok(status) => status.unwrap().code(),
        Err(_) => {
            process.kill().await.unwrap();
            None
        }
    };
    Stopped { at, took, code }
}

/// A figure of the process in KiB, such as `VmRSS` or, at its highest so far, `VmHWM`.
pub(crate) fn memory(process: &Child, figure: &str) -> u64 {
    let path = format!("/proc/{}/status", process.id().expect("the program is running"));
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).expect(figure);
    let words = line.trim_start_matches(':').split_whitespace();
    words.into_iter().next().and_then(|number| number.parse().ok()).expect("a number")
}
