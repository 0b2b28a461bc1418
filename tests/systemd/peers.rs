//! What the trials need of the machine, and the small world in which they run.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::groups;

/// Programs, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 7] = [
    ("systemd-nspawn", "systemd-container"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("strip", "binutils"),
];
/// Set in the small world, to what the names of its control groups begin with.
const INSIDE: &str = "WIREWATCH_SYSTEMD_INSIDE";
/// Makes the small world: a loopback of its own, and a /run that nobody else sees.
const FURNISH: &str = "set -e; ip link set lo up; mount -t tmpfs -o mode=755 tmpfs /run; \
                       mkdir /run/lock; \"$@\" || exit $?; exit 0";

/// A Debian 12 that can be booted.
pub(crate) fn tree() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        |target| Path::new(env!("CARGO_MANIFEST_DIR")).join(target),
    );
    target.join("peers/debian-12")
}

/// What is missing and how to get it; `None` when all is there.
pub(crate) fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can boot another system".to_owned());
    }
    let absent = PROGRAMS.into_iter().filter(|(program, _)| !is_there(program));
    let mut lacking: Vec<String> =
        absent.map(|(program, package)| format!("{program} (of {package})")).collect();
    if !tree().is_dir() {
        lacking.push(format!("Debian 12 in {}", tree().display()));
    }
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        return Some(format!("there is no {lacking}; scripts/install-systemd-peer has it"));
    }
    let mut probe = vec![OsString::from("systemd-nspawn"), "--quiet".into()];
    probe.extend(["--register=no", "--keep-unit", "--console=pipe", "--read-only"].map(Into::into));
    probe.extend(["--directory".into(), tree().into(), "true".into()]);
    let output = small_world(&probe).stdin(Stdio::null()).output().ok()?;
    (!output.status.success()).then(|| {
        format!("systemd-nspawn cannot run here: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// What the names of our control groups begin with, if this process is in the small world already.
pub(crate) fn inside() -> Option<String> {
    env::var(INSIDE).ok()
}

/// Runs this test once more, in the small world. Whatever happens to it there, all that it
/// started ends with it, and its mounts are gone: the kernel sees to that.
pub(crate) fn enter() -> ExitStatus {
    let test = env::current_exe().expect("this test has a path");
    let arguments: Vec<OsString> =
        std::iter::once(test.into()).chain(env::args_os().skip(1)).collect();
    let run = std::process::id();
    let mut inside = small_world(&arguments);
    let status = inside.env(INSIDE, groups::prefix(run)).status().expect("setpriv runs");
    groups::sweep(run);
    status
}

fn small_world(command: &[OsString]) -> Command {
    // It ends when this process does, however that comes about.
    let mut unshare = Command::new("setpriv");
    unshare.args(["--pdeathsig", "KILL", "unshare"]);
    unshare.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    // The shell is the first process there, which signals from a terminal do not end.
    unshare.args(["sh", "-c", FURNISH, "sh"]).args(command);
    unshare
}

/// Programs of root need not be in the path of a user who became root.
fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).any(|file| file.is_file())
}
