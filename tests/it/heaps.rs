//! The daemon limits the heaps of the C library, and stays the process it was.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn the_daemon_keeps_few_heaps_unless_told_otherwise() {
    if cfg!(not(target_env = "gnu")) {
        eprintln!("SKIPPED: this is not glibc");
        return;
    }
    let check = |set: Option<&str>, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        let toml = "[feed.a]\nurl = 'file:none.xml'\n[rule.r]\nmatch = 'x'\nchannels = []\n";
        std::fs::write(dir.path().join("watch.toml"), toml).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.args(["--config", "watch.toml", "run"]).current_dir(dir.path());
        command.env_remove("WIREWATCH_CONFIG").env_remove("STATE_DIRECTORY");
        command.env_remove("MALLOC_ARENA_MAX").envs(set.map(|set| ("MALLOC_ARENA_MAX", set)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = command.spawn().unwrap();
        let start = Instant::now();
        while !dir.path().join("wirewatch-data/wirewatch.db").exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "the daemon does not start");
            std::thread::yield_now();
        }
        let proc = |file: &str| std::fs::read(format!("/proc/{}/{file}", daemon.id()));
        // It belongs to root by now: its memory holds secrets.
        match proc("environ") {
            Ok(environment) => {
                let variables = environment.split(|byte| *byte == 0);
                let limits: Vec<_> =
                    variables.filter_map(|one| one.strip_prefix(b"MALLOC_ARENA_MAX=")).collect();
                assert_eq!(limits, [expected.as_bytes()]);
                assert_eq!(proc("comm").unwrap(), b"wirewatch\n");
            }
            Err(error) => eprintln!("SKIPPED: the environment cannot be read: {error}"),
        }
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    };
    check(None, "2");
    check(Some("5"), "5");
}
