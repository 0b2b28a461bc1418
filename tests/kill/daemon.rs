//! The program under test: its configuration, its processes, its log.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::desk::SECRET;
use super::feeds::Feeds;
use super::post::{GROUPED, PLAIN, SENDER};
use super::support::http::Request;
use super::verdict::Receivers;

/// Each life of the daemon names this page and its number as its contact, and with that in the
/// User-Agent of its requests: one that a killed process left in a socket is not taken for one of
/// its successor's.
const CONTACT: &str = "https://example.org/run/";

/// Which life of the daemon made a request.
pub(crate) fn run_of(request: &Request) -> usize {
    let agent = request.header("User-Agent").unwrap_or_default();
    let after = agent.split_once(CONTACT).map(|(_, after)| after.trim_end_matches(')'));
    after.and_then(|run| run.parse().ok()).unwrap_or(0)
}

/// An installation in a folder of its own.
pub(crate) struct Daemon {
    folder: TempDir,
    binary: PathBuf,
    /// The configuration, except for what is told by each life.
    config: String,
    /// The port of the mail server.
    smtp: u16,
    /// A library that is loaded before all others.
    pub(crate) preload: Option<&'static str>,
}

impl Daemon {
    pub(crate) fn install(feeds: &Feeds, told: &Receivers) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-kill-").tempdir().unwrap();
        let secret = folder.path().join("desk-secret");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        // Processes run in another folder, and a path without slash would be looked up in PATH.
        let binary = fs::canonicalize(binary).expect("the binary under test exists");
        let mut daemon =
            Self { folder, binary, config: String::new(), smtp: told.post.port(), preload: None };
        daemon.config = daemon.configuration(feeds, told);
        daemon
    }

    fn configuration(&self, feeds: &Feeds, told: &Receivers) -> String {
        let (database, hook) = (self.database(), told.desk.url());
        let mut config = format!(
            "[store]\npath = {database:?}\n\
             [defaults]\ninterval = \"1s\"\nbackfill = \"all\"\ngather = \"0s\"\n\
             [rule.marker]\nmatch = 'marker'\nchannels = [\"desk\", \"plain\", \"grouped\"]\n\
             [channel.desk.webhook]\nurl = \"{hook}\"\nsecret_file = \"desk-secret\"\n\
             allow_private = true\n\
             [channel.grouped.policy]\ngroup_wait = \"1s\"\n"
        );
        for (number, url) in feeds.urls().into_iter().enumerate() {
            let feed = format!("[feed.wire-{number}]\nurl = \"{url}\"\nallow_private = true\n");
            config.push_str(&feed);
        }
        config
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/wirewatch.db")
    }

    /// Starts the daemon; it dies with the returned value.
    pub(crate) fn start(&self, run: usize) -> Child {
        let mut config = self.config.clone();
        write!(config, "[fetch]\ncontact = \"{CONTACT}{run}\"\n").unwrap();
        for (name, to) in [("plain", PLAIN), ("grouped", GROUPED)] {
            write!(
                config,
                "[channel.{name}.email]\nfrom = \"{SENDER}{run}@example.org\"\nto = [\"{to}\"]\n\
                 smtp = \"127.0.0.1:{}\"\ntls = \"none\"\n",
                self.smtp
            )
            .unwrap();
        }
        fs::write(self.config_path(), config).unwrap();
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command();
        command.arg("run").stdout(Stdio::null()).stderr(log);
        if let Some(library) = self.preload {
            command.env("LD_PRELOAD", library);
        }
        command.spawn().expect("the daemon starts")
    }

    /// Whether nothing is left to be sent.
    pub(crate) async fn has_sent_all(&self) -> bool {
        let output = self.command().args(["status", "--json"]).output().await.unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        status["deliveries"]["waiting"] == 0
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path()).arg("--config").arg(self.config_path());
        // A test started by systemd must not speak for its own service.
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command.env_remove("JOURNAL_STREAM").env_remove("WIREWATCH_LOG");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The end of what the daemon has logged.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Leaves the folder for people to look at.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("wirewatch.toml")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }
}

/// Sends a signal, for which the standard library has no function.
pub(crate) async fn signal(process: &Child, name: &str) {
    let command = format!("kill -{name} {}", process.id().expect("the daemon is running"));
    let status = Command::new("sh").args(["-c", &command]).status().await.unwrap();
    assert!(status.success(), "{command}: {status}");
}
