//! The program under test: an installation, its processes, what they said.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::desk::SECRET;
use super::support::closed_addr;
use super::support::http::Request;

/// Each process names this page and its number as its contact, and with that in the User-Agent of
/// its requests: what one process did is not taken for another's.
const CONTACT: &str = "https://example.org/run/";
/// A command that looks or polls once ends within this time, else it hangs.
const COMMAND_LIMIT: Duration = Duration::from_secs(25);
/// The promise of the service's stop.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Which process made a request.
pub(crate) fn run_of(request: &Request) -> usize {
    let agent = request.header("User-Agent").unwrap_or_default();
    let after = agent.split_once(CONTACT).map(|(_, after)| after.trim_end_matches(')'));
    after.and_then(|run| run.parse().ok()).unwrap_or(0)
}

/// An installation in a folder of its own.
pub(crate) struct Home {
    folder: TempDir,
    binary: PathBuf,
    /// The configuration, except for what is told by each process.
    config: String,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Home {
    /// With feeds at these addresses, named `wire-0` and so on, all of whose markers go to `hook`.
    pub(crate) fn new(feeds: &[String], hook: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-durable-").tempdir().unwrap();
        let secret = folder.path().join("desk-secret");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        // Processes run in another folder, and a path without slash would be looked up in PATH.
        let binary = fs::canonicalize(binary).expect("the binary under test exists");
        let database = folder.path().join("data/wirewatch.db");
        let mut config = format!(
            "[store]\npath = {database:?}\n\
             [defaults]\ninterval = \"1s\"\nbackfill = \"all\"\ngather = \"0s\"\n\
             [rule.marker]\nmatch = 'marker'\nchannels = [\"desk\"]\n\
             [channel.desk.webhook]\nurl = \"{hook}\"\nsecret_file = \"desk-secret\"\n\
             allow_private = true\n"
        );
        for (number, url) in feeds.iter().enumerate() {
            let feed = format!("[feed.wire-{number}]\nurl = \"{url}\"\nallow_private = true\n");
            config.push_str(&feed);
        }
        Self { folder, binary, config }
    }

    /// From the next start on the daemon can be asked how it is, at this address.
    pub(crate) fn listen(&mut self) -> SocketAddr {
        let http = closed_addr();
        self.config.push_str(&format!("[http]\nlisten = \"{http}\"\n"));
        http
    }

    /// The folder of the database; a test may mount something there.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("wirewatch.db")
    }

    /// A file that belongs to one process: its log, its trace.
    pub(crate) fn file(&self, run: usize, name: &str) -> PathBuf {
        self.folder.path().join(format!("{run}-{name}"))
    }

    /// Starts the daemon, behind another program if there are words for that; it dies with the
    /// returned value.
    pub(crate) fn start(&self, run: usize, behind: &[String]) -> Life {
        self.begin(run, behind, &["run"])
    }

    /// Starts any command likewise.
    pub(crate) fn begin(&self, run: usize, behind: &[String], arguments: &[&str]) -> Life {
        let log = self.file(run, "daemon.log");
        let mut command = self.command(run, behind);
        command.args(arguments).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Life { run, child: command.spawn().expect("the daemon starts"), log }
    }

    /// Runs a command to its end.
    pub(crate) async fn ask(&self, run: usize, arguments: &[&str]) -> Ended {
        self.ask_behind(run, &[], arguments).await
    }

    /// The same behind another program.
    pub(crate) async fn ask_behind(
        &self,
        run: usize,
        behind: &[String],
        arguments: &[&str],
    ) -> Ended {
        let begun = Instant::now();
        let (out, log) = (self.file(run, "out"), self.file(run, "err"));
        let mut command = self.command(run, behind);
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
        let mut child = command.args(arguments).spawn().expect("the command starts");
        let status = timeout(COMMAND_LIMIT, child.wait()).await;
        let hangs = status.is_err();
        if hangs {
            child.kill().await.unwrap();
        }
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Ended {
            code: status.ok().and_then(|status| status.unwrap().code()),
            stdout: read(&out),
            stderr: read(&log) + if hangs { "\n(it hangs)" } else { "" },
            took: begun.elapsed(),
        }
    }

    fn command(&self, run: usize, behind: &[String]) -> Command {
        let config = self.file(run, "wirewatch.toml");
        let contact = format!("[fetch]\ncontact = \"{CONTACT}{run}\"\n");
        fs::write(&config, self.config.clone() + &contact).unwrap();
        let mut command = match behind {
            [] => Command::new(&self.binary),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.binary);
                command
            }
        };
        command.current_dir(self.folder.path()).arg("--config").arg(config);
        // A test started by systemd must not speak for its own service.
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
            command.env_remove(variable);
        }
        command.env_remove("JOURNAL_STREAM").env_remove("WIREWATCH_LOG").env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Leaves the folder for people to look at.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// One life of the daemon.
pub(crate) struct Life {
    pub(crate) run: usize,
    child: Child,
    log: PathBuf,
}

impl Life {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("the daemon is running")
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Ends it as systemd would; the reason if it does not heed that.
    pub(crate) async fn stop(&mut self) -> Result<ExitStatus, String> {
        if let Some(status) = self.ended() {
            return Ok(status);
        }
        self.signal("TERM").await;
        match timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(status) => Ok(status.unwrap()),
            Err(_) => {
                self.kill().await;
                Err(format!("run {}: still running {STOP_LIMIT:?} after SIGTERM", self.run))
            }
        }
    }

    /// Ends it as a power cut of the process would.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it ends by itself, up to a limit.
    pub(crate) async fn end_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        timeout(limit, self.child.wait()).await.ok().map(Result::unwrap)
    }

    async fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.pid());
        // It may have ended in this instant, which is what is wanted.
        let _ = Command::new("sh").args(["-c", &command]).status().await.unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of the log, for people.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log(), 15)
    }

    /// The processor time it has used.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        // After the name, which may contain spaces: user and system time are the 12th and 13th.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        // Linux counts in hundredths of a second on every machine that Rust knows.
        let ticks = ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0);
        Duration::from_millis(ticks * 10)
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The files of a database that exist, by what their names add to its own.
pub(crate) fn files(database: &Path) -> Vec<(&'static str, PathBuf)> {
    let path = |suffix: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let all = ["", "-wal", "-shm", ".lock"].map(|suffix| (suffix, path(suffix)));
    all.into_iter().filter(|(_, path)| path.exists()).collect()
}
