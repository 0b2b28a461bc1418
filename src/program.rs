//! Programs of the user's: started without a shell and with next to no
//! environment, in a process group of their own that ends with them.
//! What they are for is their caller's business.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// All of the environment that a program gets to see.
pub const ENVIRONMENT: [&str; 4] = ["PATH", "LANG", "HOME", "TZ"];

/// Between asking a program to end and ending it.
const GRACE: Duration = Duration::from_secs(2);

/// Characters of a last line that are passed on.
const LAST_LINE: usize = 300;

/// A program with whatever it starts; all of it ends when this is dropped.
#[derive(Debug)]
pub struct Group {
    child: Child,
    id: GroupId,
}

/// A group's name, to end it by while the group itself is waited for.
#[derive(Clone, Copy, Debug)]
pub struct GroupId(Option<Pid>);

impl Group {
    /// Starts a program in the root directory.
    ///
    /// # Errors
    ///
    /// When the system cannot start it.
    pub fn start(path: &str, args: &[String], stdin: Stdio) -> io::Result<Self> {
        let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let child = Command::new(path)
            .args(args)
            .env_clear()
            .envs(kept)
            .current_dir("/")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, id: GroupId(id) })
    }

    /// The way to end it.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// What it reads, if that is a pipe; once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What it writes; once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// What it complains of; once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits for the program, and ends what it left behind: that could hold
    /// the pipes open for ever.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.id.kill();
        status
    }

    /// Asks all of it to end, and ends what does not.
    pub async fn end(&mut self) {
        self.id.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.id.kill();
    }
}

impl GroupId {
    /// Ends all of it at once.
    pub fn kill(self) {
        self.signal(Signal::KILL);
    }

    fn signal(self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when nothing is left of the group, which serves as well.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.id.kill();
    }
}

/// The last `max` bytes of what a stream brings.
pub async fn tail(stream: Option<impl AsyncRead + Unpin>, max: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        kept.drain(..kept.len().saturating_sub(max));
    }
    kept
}

/// The last line of an output that says something, fit to be shown.
pub fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(LAST_LINE).collect()
}
