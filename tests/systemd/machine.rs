//! A Debian that was booted with systemd as its first process, and goes with its value.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::groups::Group;
use super::{peers, say, until};

/// A boot takes less than a second on a machine with nothing else to do.
const BOOT_LIMIT: Duration = Duration::from_secs(60);
/// For a command in the machine, in seconds, as `timeout` wants it.
const COMMAND_LIMIT: &str = "90";
const HALT_LIMIT: Duration = Duration::from_secs(20);
/// What a refused system call leaves in a journal.
const REFUSALS: [&str; 5] =
    ["operation not permitted", "(os error 1)", "sigsys", "seccomp", "bad system call"];

/// Folders laid over each other; changes go into the topmost. Unmounted with its value.
pub(crate) struct Overlay {
    folder: PathBuf,
}

impl Overlay {
    /// The first of the folders below hides the others.
    pub(crate) fn mount(folder: &Path, below: &[&Path]) -> Self {
        for part in ["changes", "work", "root"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let below: Vec<String> = below.iter().map(|path| path.display().to_string()).collect();
        let shown = folder.display();
        let options =
            format!("lowerdir={},upperdir={shown}/changes,workdir={shown}/work", below.join(":"));
        let mut mount = Command::new("mount");
        mount.args(["-t", "overlay", "overlay", "-o", &options]).arg(folder.join("root"));
        assert!(mount.status().unwrap().success(), "{mount:?}");
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    pub(crate) fn changes(&self) -> PathBuf {
        self.folder.join("changes")
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.root()).status();
    }
}

/// A command that ends in time, one way or another.
pub(crate) fn bounded(command: &Command) -> Command {
    let mut timeout = Command::new("timeout");
    timeout.args(["--kill-after=5", COMMAND_LIMIT]).arg(command.get_program());
    // What the test was started with is no business of the machine's.
    timeout.args(command.get_args()).env_clear();
    timeout.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    timeout.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    timeout.stdin(Stdio::null());
    timeout
}

pub(crate) struct Machine {
    // Ends before its files go.
    running: Running,
    disk: Overlay,
}

impl Machine {
    /// Boots what these folders hold, after this was done to it.
    pub(crate) async fn boot(below: &[&Path], furnish: impl FnOnce(&Path)) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let prefix = peers::inside().expect("machines are booted in the small world");
        let name = format!("{prefix}{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let disk = Overlay::mount(&Path::new("/run").join(&name), below);
        furnish(&disk.root());
        let running = Running::start(&name, &disk.root());
        let mut machine = Self { running, disk };
        // The answer may be "degraded", if a trial wants a service that fails.
        let wait = ["systemctl", "is-system-running", "--wait"];
        let booted = || {
            machine.running.find_first()
                && matches!(&*machine.try_run(&wait).stdout, b"running\n" | b"degraded\n")
        };
        until(BOOT_LIMIT, "the boot", booted).await;
        machine
    }

    /// Its files, as seen from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.disk.root().join(path.trim_start_matches('/'))
    }

    /// Runs a command as root.
    pub(crate) fn try_run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let first = self.running.first.expect("it was booted");
        let mut enter = Command::new("nsenter");
        enter.args(["--all", "--target", &first.to_string(), "--"]).args(arguments);
        bounded(&enter).output().unwrap()
    }

    /// Runs a command that must succeed; what it prints.
    pub(crate) fn run<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let output = self.try_run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has systemd do this to the service.
    pub(crate) fn service(&self, verb: &str) {
        self.run(&["systemctl", verb, "wirewatch.service"]);
    }

    /// What systemd knows of the service.
    pub(crate) fn property(&self, name: &str) -> String {
        let show = ["systemctl", "show", "--value", "--property", name, "wirewatch.service"];
        self.run(&show).trim_end().to_owned()
    }

    /// "active", "failed" and so on.
    pub(crate) fn state(&self) -> String {
        self.property("ActiveState")
    }

    /// From the beginning of the start until the daemon said that it is ready.
    pub(crate) fn start_took(&self) -> Duration {
        let at = |name: &str| self.property(name).parse::<u64>().unwrap();
        let begun = at("InactiveExitTimestampMonotonic");
        Duration::from_micros(at("ActiveEnterTimestampMonotonic") - begun)
    }

    /// All that the service and systemd have said of it.
    pub(crate) fn journal(&self) -> String {
        self.run(&["journalctl", "--no-pager", "--output=short-precise", "--unit=wirewatch"])
    }

    /// Nothing that the service tried was refused.
    pub(crate) fn has_refused_nothing(&self) {
        let journal = self.journal();
        let refused = |line: &&str| REFUSALS.iter().any(|word| line.to_lowercase().contains(word));
        assert_eq!(journal.lines().filter(refused).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    /// Sends a signal to the daemon.
    pub(crate) fn signal(&self, signal: &str) {
        self.run(&["kill", "-s", signal, &self.property("MainPID")]);
    }

    /// Waits until the service has been started anew so often, and is ready; how long it took.
    pub(crate) async fn restarted(&self, times: usize, limit: Duration) -> Duration {
        let begun = Instant::now();
        let times = times.to_string();
        let again = || self.property("NRestarts") == times && self.state() == "active";
        until(limit, "the restart", again).await;
        begun.elapsed()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() && self.running.first.is_some() {
            let journal = ["journalctl", "--no-pager", "--lines=60", "--unit=wirewatch"];
            let journal = self.try_run(&journal);
            say(&String::from_utf8_lossy(&journal.stdout));
        }
    }
}

/// The process that keeps the machine, and the first process in it.
struct Running {
    nspawn: Child,
    first: Option<u32>,
    // Empty when the processes have ended.
    _group: Group,
}

impl Running {
    fn start(name: &str, root: &Path) -> Self {
        let group = Group::create(name);
        let mut nspawn = Command::new("sh");
        nspawn.args(["-c", &(group.join() + "exec systemd-nspawn \"$@\""), "sh"]);
        nspawn.args(["--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no"]);
        nspawn.args(["--console=pipe", "--resolv-conf=off", "--timezone=off"]);
        nspawn.arg(format!("--machine={name}")).arg("--directory").arg(root);
        nspawn.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { nspawn: nspawn.spawn().unwrap(), first: None, _group: group }
    }

    /// For an instant, another child is there, which makes the namespaces.
    fn find_first(&mut self) -> bool {
        let ended = self.nspawn.try_wait().unwrap();
        assert_eq!(ended, None, "systemd-nspawn has ended");
        let id = self.nspawn.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        self.first = children.unwrap_or_default().split(' ').next().and_then(|id| id.parse().ok());
        let name = self.first.map(|id| fs::read_to_string(format!("/proc/{id}/comm")));
        matches!(name, Some(Ok(name)) if name == "systemd\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An orderly end leaves no control groups behind.
        let id = Pid::from_raw(i32::try_from(self.nspawn.id()).unwrap_or_default());
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        let begun = Instant::now();
        while begun.elapsed() < HALT_LIMIT {
            if matches!(self.nspawn.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
    }
}
