//! The program under test: its configuration, its processes, what it says of its deliveries.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Child;

use super::news::RULE;
use super::office::{DESK, Office, PASSWORD};
use super::support::http::FeedServer;
use super::{say, until};

/// Longer than any wait here: most come to an end in seconds.
const LIMIT: Duration = Duration::from_secs(60);
/// The daemon gives what is under way eight seconds.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// Where the feed is.
pub(crate) const FEED: &str = "/feed";

/// How mail is handed in, and to whom.
pub(crate) struct Channel {
    pub(crate) tls: &'static str,
    pub(crate) port: u16,
    pub(crate) to: &'static [&'static str],
    /// Who vouches for the server, besides whom the machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Channel {
    /// STARTTLS, to one recipient.
    pub(crate) fn starttls(office: &Office) -> Self {
        let ca_file = Some(office.ca_file());
        Self { tls: "starttls", port: office.submission, to: &[DESK], ca_file }
    }

    /// TLS from the first byte, to one recipient.
    pub(crate) fn implicit(office: &Office) -> Self {
        Self { tls: "implicit", port: office.submissions, ..Self::starttls(office) }
    }
}

/// An installation in a folder of its own.
pub(crate) struct Daemon {
    folder: TempDir,
}

/// A running process; it dies with this value.
pub(crate) struct Running(Child);

impl Daemon {
    /// It follows one feed and tells of each story with a marker.
    pub(crate) fn install(feeds: &FeedServer, channel: &Channel) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-desk-").tempdir().unwrap();
        let daemon = Self { folder };
        daemon.password(PASSWORD);
        let feed = feeds.url(FEED);
        let mut config = format!(
            "[store]\npath = {:?}\n[defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [operator]\nnotify = []\n\
             [rule.marker]\nname = \"{RULE}\"\nmatch = 'marker'\nchannels = [\"desk\"]\n\
             on_update = \"material\"\n\
             [feed.wire]\nurl = \"{feed}\"\ninterval = \"1s\"\nallow_private = true\n\
             [channel.desk.email]\nfrom = \"The Wire <wire@mail.test>\"\n",
            daemon.path("wirewatch.db"),
        );
        let to: Vec<String> = channel.to.iter().map(|user| format!("{user}@mail.test")).collect();
        let (port, tls) = (channel.port, channel.tls);
        config.push_str(&format!(
            "to = {to:?}\nsmtp = \"localhost:{port}\"\ntls = \"{tls}\"\nusername = \"{DESK}\"\n\
             password_file = \"smtp-password\"\n"
        ));
        if let Some(ca_file) = &channel.ca_file {
            config.push_str(&format!("ca_file = {ca_file:?}\n"));
        }
        fs::write(daemon.path("wirewatch.toml"), config).unwrap();
        daemon
    }

    /// What it knows as its password from the next start or reload on.
    pub(crate) fn password(&self, password: &str) {
        let file = self.path("smtp-password");
        fs::write(&file, format!("{password}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Starts the daemon.
    pub(crate) fn start(&self) -> Running {
        let mut command = tokio::process::Command::from(self.command());
        command.arg("run").stdout(Stdio::null()).kill_on_drop(true);
        Running(command.spawn().expect("the daemon starts"))
    }

    /// One round over the feed, and what became of the deliveries in it.
    pub(crate) fn once(&self) -> Value {
        let mut lines = self.json(&["once"]);
        lines.remove(0)["deliveries"].take()
    }

    /// Sends again what was given up.
    pub(crate) fn retry(&self) {
        let retried = self.command().args(["deliveries", "retry", "--all"]).output().unwrap();
        assert!(retried.status.success(), "{retried:?}");
    }

    /// All deliveries.
    pub(crate) fn deliveries(&self) -> Vec<Value> {
        self.json(&["deliveries", "--limit", "10000"])
    }

    /// Waits until this holds for each of so many deliveries, and returns them.
    pub(crate) async fn until_each(
        &self,
        count: usize,
        holds: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let mut seen = Vec::new();
        // Another process writes them, and says nothing to us when it does.
        until(LIMIT, "what becomes of the deliveries", || {
            // There is no database before the first start is done.
            seen = if self.path("wirewatch.db").exists() { self.deliveries() } else { Vec::new() };
            seen.len() == count && seen.iter().all(&holds)
        })
        .await;
        seen
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command().args(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.current_dir(self.folder.path()).arg("--config").arg(self.path("wirewatch.toml"));
        // A test started by systemd must not speak for its own service.
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command.env_remove("JOURNAL_STREAM").env_remove("WIREWATCH_LOG");
        let log = OpenOptions::new().create(true).append(true).open(self.path("daemon.log"));
        command.stdin(Stdio::null()).stderr(log.unwrap());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.path("daemon.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            say(&lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

impl Running {
    /// Has it read its configuration anew.
    pub(crate) fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Stops it as systemd would.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = tokio::time::timeout(STOP_LIMIT, self.0.wait()).await;
        let status = status.expect("the daemon ends in time").unwrap();
        assert_eq!(status.code(), Some(0), "after SIGTERM");
    }

    fn signal(&self, signal: Signal) {
        let id = self.0.id().expect("the daemon is running");
        let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}
