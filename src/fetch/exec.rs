//! Documents that a program of the user's writes to its standard output. No
//! shell takes part, and neither the program nor its children outlive the fetch.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::{Body, FetchError, Fetched, hash};
use crate::model::{Document, ServerHints};

/// What is kept of the end of a program's complaints, in bytes.
const COMPLAINTS: usize = 4 << 10;

/// Characters of its last complaint that are passed on.
const LAST_LINE: usize = 300;

/// Between asking a program to end and ending it.
const GRACE: Duration = Duration::from_secs(2);

/// All of the environment that a program gets to see.
const ENVIRONMENT: [&str; 4] = ["PATH", "LANG", "HOME", "TZ"];

/// A program to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program<'a> {
    /// Its absolute path.
    pub path: &'a str,
    /// What it is called with.
    pub args: &'a [String],
    /// Largest output, in bytes.
    pub max: u64,
    /// Longest time from its start to the end of its output.
    pub limit: Duration,
}

/// Runs a program and takes its output for the document.
pub(super) async fn run(program: Program<'_>) -> Result<Fetched, FetchError> {
    if !program.path.starts_with('/') {
        return Err(FetchError::Failed("exec: wants the absolute path of a program".to_string()));
    }
    let mut group = Group::start(program)?;
    let bytes = match tokio::time::timeout(program.limit, group.finish(program.max)).await {
        Ok(done) => done?,
        Err(_) => {
            group.end().await;
            let limit = program.limit.as_secs_f32();
            return Err(FetchError::Failed(format!("the program did not end within {limit} s")));
        }
    };
    let hash = hash(&bytes);
    let document = Document { bytes, content_type: None, base_url: None };
    Ok(Fetched {
        body: Body::Document { document, hash, partial: false },
        validators: None,
        hints: ServerHints::default(),
        moved_to: None,
    })
}

/// A program with whatever it starts; all of it ends when this is dropped.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn start(program: Program<'_>) -> Result<Self, FetchError> {
        let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let child = Command::new(program.path)
            .args(program.args)
            .env_clear()
            .envs(kept)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                FetchError::Failed(format!("cannot start \"{}\": {error}", program.path))
            })?;
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, id })
    }

    /// Reads the output to its end, and the program's judgement of it.
    async fn finish(&mut self, max: u64) -> Result<Vec<u8>, FetchError> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let id = self.id;
        let output = async {
            let bytes = output(stdout, max).await;
            // Too much of it: nothing else ends the program, or our wait.
            if bytes.is_err() {
                signal(id, Signal::KILL);
            }
            bytes
        };
        let exit = async {
            let status = self.child.wait().await;
            // What it left behind could hold the pipes open for ever.
            signal(id, Signal::KILL);
            status
        };
        let (bytes, complaints, status) = tokio::join!(output, complaints(stderr), exit);
        let bytes = bytes?;
        let status = status.map_err(|error| FetchError::Failed(error.to_string()))?;
        if status.success() { Ok(bytes) } else { Err(unhappy(status, &complaints)) }
    }

    /// Asks all of it to end, and ends what does not.
    async fn end(&mut self) {
        signal(self.id, Signal::TERM);
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        signal(self.id, Signal::KILL);
    }
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It fails when nothing is left of the group, which serves as well.
        let _ = kill_process_group(group, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        signal(self.id, Signal::KILL);
    }
}

async fn output(stream: Option<impl AsyncRead + Unpin>, max: u64) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    let read = stream.take(max + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| FetchError::Failed(error.to_string()))?;
    if bytes.len() as u64 > max {
        return Err(FetchError::Failed(format!("the document is larger than {max} bytes")));
    }
    Ok(bytes)
}

/// The end of what a program complains of.
async fn complaints(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        kept.drain(..kept.len().saturating_sub(COMPLAINTS));
    }
    kept
}

fn unhappy(status: ExitStatus, complaints: &[u8]) -> FetchError {
    let text = String::from_utf8_lossy(complaints);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let last: String = last.chars().filter(|c| !c.is_control()).take(LAST_LINE).collect();
    let colon = if last.is_empty() { "" } else { ": " };
    FetchError::Failed(format!("the program failed ({status}){colon}{last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use tempfile::TempDir;

    struct Script {
        dir: TempDir,
        path: PathBuf,
    }

    fn script(text: &str) -> Script {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed.sh");
        // Copied, not written in place: another thread's fork may hold a
        // descriptor that was open for writing, and the kernel would refuse.
        let draft = dir.path().join("draft");
        std::fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::process::Command::new("cp").args([&draft, &path]).status().unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Script { dir, path }
    }

    async fn run_script(script: &Script, args: &[&str], limit: Duration) -> Result<String, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let program =
            Program { path: script.path.to_str().unwrap(), args: &args, max: 1000, limit };
        match run(program).await {
            Ok(Fetched { body: Body::Document { document, .. }, .. }) => {
                assert_eq!(document.content_type, None);
                Ok(String::from_utf8(document.bytes).unwrap())
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn check(text: &str, args: &[&str], expected: Result<&str, &str>) {
        let script = script(text);
        let found = run_script(&script, args, Duration::from_secs(20)).await;
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[tokio::test]
    async fn the_output_is_the_document_and_arguments_are_no_shells_business() {
        check("echo '<rss/>'", &[], Ok("<rss/>\n")).await;
        check("printf %s \"$1|$2\"", &["$(id) `id`", "a b;*"], Ok("$(id) `id`|a b;*")).await;
        check("cat; pwd", &[], Ok("/\n")).await;
        check("echo noise >&2; echo ok", &[], Ok("ok\n")).await;
        // What stays behind holds up nobody.
        check("sleep 1000 & echo ok", &[], Ok("ok\n")).await;
    }

    #[tokio::test]
    async fn the_environment_is_cleared() {
        let names =
            "env | cut -d= -f1 | grep -v -e '^_$' -e PWD -e SHLVL -e OLDPWD | sort | tr '\\n' ' '";
        let script = script(names);
        let found = run_script(&script, &[], Duration::from_secs(20)).await.unwrap();
        assert!(found.split_whitespace().all(|name| ENVIRONMENT.contains(&name)), "{found}");
        assert!(found.contains("PATH"), "{found}");
    }

    #[tokio::test]
    async fn failure_is_told_in_the_programs_last_words() {
        check(
            "echo one >&2; echo 'no such user' >&2; exit 3",
            &[],
            Err("the program failed (exit status: 3): no such user"),
        )
        .await;
        check("exit 1", &[], Err("the program failed (exit status: 1)")).await;
        let absent =
            Program { path: "/nowhere/feed", args: &[], max: 10, limit: Duration::from_secs(20) };
        let error = run(absent).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot start \"/nowhere/feed\": "), "{error}");
        let relative = run(Program { path: "feed", ..absent }).await.unwrap_err().to_string();
        assert!(relative.contains("absolute path"), "{relative}");
    }

    #[tokio::test]
    async fn endless_output_is_cut_off_and_the_program_ended() {
        check(
            "while :; do echo xxxxxxxxxx; done",
            &[],
            Err("the document is larger than 1000 bytes"),
        )
        .await;
        // Its last complaints, not all.
        let flood = "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1";
        check(flood, &[], Err("the program failed (exit status: 1): line 1999")).await;
    }

    #[tokio::test]
    async fn a_slow_program_is_ended_with_its_children() {
        let script = script("echo $$ > $1/pid; trap '' TERM; sleep 1000 & sleep 1000; sleep 1000");
        let folder = script.dir.path().to_str().unwrap().to_string();
        let error = run_script(&script, &[&folder], Duration::from_millis(400)).await.unwrap_err();
        assert!(error.starts_with("the program did not end within 0.4"), "{error}");
        let id = std::fs::read_to_string(script.dir.path().join("pid")).unwrap();
        let group = Pid::from_raw(id.trim().parse().unwrap()).unwrap();
        // The kernel may need a moment to bury them.
        for _ in 0..200 {
            if rustix::process::test_kill_process_group(group).is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the group of {id} lives on");
    }
}
