//! The program under test in a folder of its own: its configuration, its processes, its log.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A round of hundreds of deliveries takes seconds; it may take longer on a small, busy machine.
const ROUND_LIMIT: Duration = Duration::from_secs(120);

/// An installation.
pub(crate) struct Station {
    folder: TempDir,
    binary: PathBuf,
}

impl Station {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-readers-").tempdir().unwrap();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        // Processes run in another folder, and a path without slash would be looked up in PATH.
        let binary = fs::canonicalize(binary).expect("the binary under test exists");
        Self { folder, binary }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration. Nobody is told of the station itself: hundreds of alerts at once
    /// are noisy, and are meant to be.
    pub(crate) fn configure(&self, config: &str) {
        let database = self.path("data/wirewatch.db");
        let common = format!(
            "[store]\npath = {}\n[operator]\nnotify = []\n\
             [defaults]\ninterval = \"1s\"\nbackfill = \"all\"\ngather = \"0s\"\n",
            quoted(&database.display().to_string())
        );
        fs::write(self.config_path(), common + config).unwrap();
    }

    /// Writes a secret as its owner would.
    pub(crate) fn secret(&self, name: &str, secret: &str) {
        fs::write(self.path(name), secret).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// One round over all feeds and all that is to be sent then; returns its summary.
    pub(crate) async fn once(&self) -> Value {
        let mut command = self.command();
        command.args(["once", "--json"]).stdout(Stdio::piped()).stderr(self.log());
        let process = command.spawn().expect("the program starts");
        let round = tokio::time::timeout(ROUND_LIMIT, process.wait_with_output()).await;
        let output = round.expect("a round ends in time").unwrap();
        assert!(output.status.success(), "{}:\n{}", output.status, self.log_tail());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts the daemon; it dies with the returned value.
    pub(crate) fn run(&self) -> Child {
        let mut command = self.command();
        command.arg("run").stdout(Stdio::null()).stderr(self.log());
        command.spawn().expect("the daemon starts")
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

    /// The end of what was logged.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    fn log_path(&self) -> PathBuf {
        self.path("wirewatch.log")
    }

    fn config_path(&self) -> PathBuf {
        self.path("wirewatch.toml")
    }
}

/// Sends a signal, for which the standard library has no function.
pub(crate) async fn signal(process: &Child, name: &str) {
    let command = format!("kill -{name} {}", process.id().expect("the daemon is running"));
    let status = Command::new("sh").args(["-c", &command]).status().await.unwrap();
    assert!(status.success(), "{command}: {status}");
}

/// A text as TOML has it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Writes what a script is to read.
pub(crate) fn write_json(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).unwrap();
}
