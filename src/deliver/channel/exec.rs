//! Alerts handed to a program of the user's as JSON on its standard input. No
//! shell takes part, and neither the program nor its children outlive the
//! attempt.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::body::Bodies;
use super::probe;
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy};
use crate::program::{Group, last_line, tail};

/// What is kept of the end of a program's output, in bytes.
const MAX_OUTPUT: usize = 4 << 10;

/// `EX_TEMPFAIL` of sysexits: later it may go well.
const TRY_AGAIN: i32 = 75;

/// What an exec channel is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOptions {
    /// The program's absolute path, and its arguments.
    pub command: Vec<String>,
    /// Limit for one run.
    pub timeout: Duration,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self { command: Vec::new(), timeout: Duration::from_secs(30) }
    }
}

/// Runs a program for each delivery.
pub struct Exec {
    program: String,
    args: Vec<String>,
    timeout: Duration,
    bodies: Bodies,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Exec {
    /// Nothing is started yet.
    ///
    /// # Errors
    ///
    /// When no program with an absolute path is named.
    pub fn new(options: &ExecOptions) -> Result<Self, BuildError> {
        let (program, args) = match options.command.split_first() {
            Some((program, args)) if program.starts_with('/') => (program, args),
            _ => {
                return Err(BuildError::Invalid {
                    field: "command",
                    value: options.command.join(" "),
                    reason: "it begins with the absolute path of a program".to_owned(),
                });
            }
        };
        Ok(Self {
            program: program.clone(),
            args: args.to_vec(),
            timeout: options.timeout,
            bodies: Bodies::new(None)?,
        })
    }

    async fn run(&self, delivery: &Delivery) -> Outcome {
        let line = match self.bodies.line(delivery) {
            Ok(line) => line + "\n",
            Err(error) => return try_again(format!("template: {error}")),
        };
        let mut group = match Group::start(&self.program, &self.args, Stdio::piped()) {
            Ok(group) => group,
            Err(error) => return try_again(format!("cannot start the program: {error}")),
        };
        match tokio::time::timeout(self.timeout, finish(&mut group, line)).await {
            Ok(Ok((status, says))) => judge(status, &says),
            Ok(Err(error)) => try_again(format!("cannot wait for the program: {error}")),
            Err(_) => {
                group.end().await;
                let limit = self.timeout.as_secs_f32();
                try_again(format!("the program did not end within {limit} s"))
            }
        }
    }
}

/// The program's judgement and its last words.
async fn finish(group: &mut Group, line: String) -> std::io::Result<(ExitStatus, String)> {
    let (stdin, stdout, stderr) = (group.stdin(), group.stdout(), group.stderr());
    let (stdout, stderr, (), status) = tokio::join!(
        tail(stdout, MAX_OUTPUT),
        tail(stderr, MAX_OUTPUT),
        write(stdin, line),
        group.wait()
    );
    let says = match last_line(&stderr) {
        complaint if complaint.is_empty() || status.as_ref().is_ok_and(ExitStatus::success) => {
            last_line(&stdout)
        }
        complaint => complaint,
    };
    Ok((status?, says))
}

async fn write(stdin: Option<impl AsyncWrite + Unpin>, line: String) {
    let Some(mut stdin) = stdin else { return };
    // A program need not read what it does not want.
    let _ = stdin.write_all(line.as_bytes()).await;
    let _ = stdin.shutdown().await;
}

fn judge(status: ExitStatus, says: &str) -> Outcome {
    let colon = if says.is_empty() { "" } else { ": " };
    match status.code() {
        Some(0) => Outcome::Sent(format!("exit 0{colon}{says}")),
        Some(TRY_AGAIN) => try_again(format!("exit {TRY_AGAIN}{colon}{says}")),
        Some(code) => Outcome::Refused(format!("exit {code}{colon}{says}")),
        // Nothing that the program itself decided.
        None => {
            let signal = status.signal().unwrap_or_default();
            try_again(format!("ended by signal {signal}{colon}{says}"))
        }
    }
}

impl Channel for Exec {
    fn kind(&self) -> &'static str {
        "exec"
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Webhook)
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { probe::program(Path::new(&self.program)) })
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, _now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.run(delivery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::delivery;

    async fn run(script: &str, timeout: Duration) -> Outcome {
        let command = ["/bin/sh", "-c", script, "name", "$(id);"].map(str::to_owned).to_vec();
        let exec = Exec::new(&ExecOptions { command, timeout }).unwrap();
        exec.send(&delivery(""), Timestamp::UNIX_EPOCH).await
    }

    async fn check(script: &str, expected: Outcome) {
        assert_eq!(run(script, Duration::from_secs(20)).await, expected, "{script}");
    }

    #[tokio::test]
    async fn the_exit_decides_and_the_last_line_is_the_answer() {
        let sent = |text: &str| Outcome::Sent(text.to_owned());
        let refused = |text: &str| Outcome::Refused(text.to_owned());
        check("exit 0", sent("exit 0")).await;
        check("cat >/dev/null; echo one; echo two", sent("exit 0: two")).await;
        check("echo busy >&2; exit 75", try_again("exit 75: busy")).await;
        check("echo out; echo no such desk >&2; exit 3", refused("exit 3: no such desk")).await;
        check("kill -9 $$", try_again("ended by signal 9")).await;
        // What it leaves behind holds up nobody, and neither does much output.
        check("sleep 1000 & exit 0", sent("exit 0")).await;
        check("yes | head -c 300000; echo; echo end", sent("exit 0: end")).await;
        check("echo \"$1\"", sent("exit 0: $(id);")).await;
    }

    #[tokio::test]
    async fn the_program_reads_one_line_of_json() {
        let script = "read line; test -z \"$(cat)\" && printf '%s' \"$line\" | cut -c 1-72";
        let id = "d0123456789abcdef0123456789abcdef";
        let line = format!("exit 0: {{\"id\":\"{id}\",\"type\":\"alert.raised\",\"timesta");
        check(script, Outcome::Sent(line)).await;
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_ended_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let script = format!("(sleep 2; touch {0}) & echo $! > {0}.pid; wait", mark.display());
        let outcome = run(&script, Duration::from_millis(500)).await;
        assert_eq!(outcome, try_again("the program did not end within 0.5 s"));
        let child = std::fs::read_to_string(dir.path().join("mark.pid")).unwrap();
        // Gone, or a zombie that nobody has looked at yet: as soon as the system
        // comes round to it, and long before the child would have ended itself.
        let ended = || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            state.map_or(true, |state| state.contains(" Z ") || state.contains(" X "))
        };
        let gone = async {
            while !ended() {
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(tokio::time::timeout(Duration::from_secs(1), gone).await, Ok(()));
        assert!(!mark.exists());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_tried_again() {
        let options =
            ExecOptions { command: vec!["/no/such/program".to_owned()], ..Default::default() };
        let outcome = Exec::new(&options).unwrap().send(&delivery(""), Timestamp::UNIX_EPOCH).await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
        for command in [vec![], vec!["relative".to_owned()]] {
            assert!(Exec::new(&ExecOptions { command, ..Default::default() }).is_err());
        }
    }
}
