//! A crash leaves no core: the secrets would lie in it.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Starts a program whose cores may be as large as they like.
fn start(dir: &Path, program: &[&str]) -> Child {
    Command::new("/bin/sh")
        .args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"])
        .args(program)
        .current_dir(dir)
        .env_remove("WIREWATCH_CONFIG")
        .env_remove("STATE_DIRECTORY")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Ends it as a bug would.
fn abort(mut child: Child) -> ExitStatus {
    let sent = Command::new("kill").args(["-s", "ABRT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    child.wait().unwrap()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_daemon_leaves_no_core_however_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let toml = "[feed.a]\nurl = 'file:none.xml'\n[rule.r]\nmatch = 'x'\nchannels = []\n";
    std::fs::write(dir.path().join("watch.toml"), toml).unwrap();
    let other = start(dir.path(), &["/bin/cat"]);
    let comm = format!("/proc/{}/comm", other.id());
    until("cat runs", || std::fs::read_to_string(&comm).is_ok_and(|name| name.trim() == "cat"));
    if !abort(other).core_dumped() {
        eprintln!("SKIPPED: nothing leaves a core here");
        return;
    }
    let program = [env!("CARGO_BIN_EXE_wirewatch"), "--config", "watch.toml", "run"];
    let daemon = start(dir.path(), &program);
    until("the store is there", || dir.path().join("wirewatch-data/wirewatch.db").exists());
    // Such a process belongs to root in /proc, whose ever it is (proc(5)).
    assert_eq!(std::fs::metadata(format!("/proc/{}", daemon.id())).unwrap().uid(), 0);
    let end = abort(daemon);
    assert_eq!((end.signal(), end.core_dumped()), (Some(6), false));
}

#[test]
fn the_unit_forbids_cores_too() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/wirewatch.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    assert!(unit.lines().any(|line| line == "LimitCORE=0"), "{unit}");
}
