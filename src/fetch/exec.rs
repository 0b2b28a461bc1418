//! Documents that a program of the user's writes to its standard output. No
//! shell takes part, and neither the program nor its children outlive the fetch.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Body, FetchError, Fetched, hash};
use crate::model::{Document, ServerHints};
use crate::program::{Group, last_line, tail};

/// What is kept of the end of a program's complaints, in bytes.
const COMPLAINTS: usize = 4 << 10;

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
    let mut group = Group::start(program.path, program.args, Stdio::null()).map_err(|error| {
        FetchError::Failed(format!("cannot start \"{}\": {error}", program.path))
    })?;
    let bytes = match tokio::time::timeout(program.limit, finish(&mut group, program.max)).await {
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
        place: None,
    })
}

/// Reads the output to its end, and the program's judgement of it.
async fn finish(group: &mut Group, max: u64) -> Result<Vec<u8>, FetchError> {
    let (stdout, stderr, id) = (group.stdout(), group.stderr(), group.id());
    let output = async {
        let bytes = output(stdout, max).await;
        // Too much of it: nothing else ends the program, or our wait.
        if bytes.is_err() {
            id.kill();
        }
        bytes
    };
    let (bytes, complaints, status) = tokio::join!(output, tail(stderr, COMPLAINTS), group.wait());
    let bytes = bytes?;
    let status = status.map_err(|error| FetchError::Failed(error.to_string()))?;
    if status.success() { Ok(bytes) } else { Err(unhappy(status, &complaints)) }
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

fn unhappy(status: ExitStatus, complaints: &[u8]) -> FetchError {
    let last = last_line(complaints);
    let colon = if last.is_empty() { "" } else { ": " };
    FetchError::Failed(format!("the program failed ({status}){colon}{last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ENVIRONMENT;
    use rustix::process::Pid;
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
