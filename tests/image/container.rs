//! A container of the image: its root cannot be written, its users are nobody outside, and it has no
//! capability. It shares the loopback with the test, so that it reaches the feed and the receiver.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::archive::Archive;
use super::support::closed_addr;
use super::support::collector::Collector;
use super::support::http::FeedServer;

/// Where the image keeps its data.
pub(crate) const DATA: &str = "/var/lib/wirewatch";
/// The user outside that is root inside; the others follow.
pub(crate) const FIRST_USER: u32 = 655_360;
/// What the feed has to tell.
pub(crate) const HEADLINE: &str = "Heron nests upon lighthouse";
const SECRET: &str = "whsec_YSBzZWNyZXQgZm9yIGEgY29udGFpbmVyIGluIGEgdGVzdA==";
/// For one command in a container, in seconds, as `timeout` wants it.
const COMMAND_LIMIT: &str = "60";
/// What nspawn notes in /run goes with it.
const FURNISH: &str = "mount -t tmpfs -o mode=755 tmpfs /run && exec systemd-nspawn \"$@\"";
const PAUSE: Duration = Duration::from_millis(50);

/// What a container sees of the world.
pub(crate) struct Site {
    feeds: FeedServer,
    pub(crate) desk: Collector,
}

impl Site {
    pub(crate) async fn open() -> Self {
        let (feeds, desk) = (FeedServer::start().await, Collector::start(SECRET).await);
        let item = json!({
            "id": "1", "title": HEADLINE, "url": "https://news.example.org/1",
            "content_text": "marker",
        });
        let feed = json!({
            "version": "https://jsonfeed.org/version/1.1", "title": "The Wire", "items": [item],
        });
        feeds.serve("/feed", "application/feed+json", feed.to_string());
        Self { feeds, desk }
    }

    /// The path of the database is relative: the image says to what.
    pub(crate) fn config(&self) -> String {
        let (feed, hook, listen) = (self.feeds.url("/feed"), self.desk.url(), closed_addr());
        format!(
            "[store]\npath = \"wirewatch.db\"\n\
             [http]\nlisten = \"{listen}\"\n\
             [defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [operator]\nnotify = []\n\
             [rule.marker]\nmatch = 'marker'\nchannels = [\"desk\"]\n\
             [feed.wire]\nurl = \"{feed}\"\ninterval = \"1s\"\nallow_private = true\n\
             [channel.desk.webhook]\nurl = \"{hook}\"\nsecret_file = \"desk-secret\"\n\
             allow_private = true\n"
        )
    }
}

/// An image with a configuration and a volume.
pub(crate) struct Container {
    pub(crate) archive: Archive,
}

impl Container {
    pub(crate) fn new(archive: Archive, config: &str) -> Self {
        let container = Self { archive };
        let folder = container.configuration();
        fs::write(folder.join("wirewatch.toml"), config).unwrap();
        let secret = folder.join("desk-secret");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let data = container.archive.beside("data");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        let (user, group) = container.user();
        for path in [&secret, &data] {
            lchown(path, Some(user), Some(group)).unwrap();
        }
        for folder in [container.archive.root(), folder, data] {
            shift(&folder);
        }
        container
    }

    /// What is mounted at `/etc/wirewatch`.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.archive.beside("etc")
    }

    /// User and group, as they are called inside.
    pub(crate) fn user(&self) -> (u32, u32) {
        let (user, group) = self.archive.text("User").split_once(':').unwrap();
        (user.parse().unwrap(), group.parse().unwrap())
    }

    /// Each file of the image with its size and when it was last written.
    pub(crate) fn files(&self) -> Vec<(PathBuf, u64, i64)> {
        let mut files = Vec::new();
        list(&self.archive.root(), &mut files);
        files.sort();
        files
    }

    /// Starts a command of the image.
    pub(crate) fn start(&self, command: &[String]) -> Running<'_> {
        let output = self.archive.beside("said").join("output");
        let out = File::create(&output).unwrap();
        let error = out.try_clone().unwrap();
        let mut nspawn = self.nspawn(command);
        nspawn.stdin(Stdio::null()).stdout(out).stderr(error);
        Running { container: self, nspawn: nspawn.spawn().unwrap(), output }
    }

    /// Runs a command of the image to its end: whether it succeeded, and what it said.
    pub(crate) fn once(&self, command: &[String]) -> (bool, String) {
        let mut running = self.start(command);
        let status = running.nspawn.wait().unwrap();
        running.told(status)
    }

    /// As a container engine would, it is told the user as a number: nothing inside could look up a
    /// name.
    fn nspawn(&self, command: &[String]) -> Command {
        let (user, group) = self.user();
        let none: [&str; 0] = [];
        let capabilities = json!({
            "bounding": none, "effective": none, "inheritable": none, "permitted": none,
            "ambient": none,
        });
        let bundle = json!({
            "ociVersion": "1.0.0",
            "root": { "path": "root", "readonly": true },
            "process": {
                "terminal": false, "user": { "uid": user, "gid": group }, "args": command,
                "env": self.archive.words("Env"), "cwd": self.archive.text("WorkingDir"),
                "capabilities": capabilities, "noNewPrivileges": true,
            },
            "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
            "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }] },
        });
        let root = self.archive.root();
        let folder = root.parent().unwrap();
        fs::write(folder.join("config.json"), bundle.to_string()).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().to_lowercase();
        let name: String = name.chars().filter(|one| one.is_ascii_alphanumeric()).collect();

        let mut nspawn = Command::new("setpriv");
        nspawn.args(["--pdeathsig", "KILL", "unshare", "--mount", "sh", "-c", FURNISH, "sh"]);
        nspawn.args(["--quiet", "--register=no", "--keep-unit", "--link-journal=no"]);
        nspawn.args(["--console=pipe", "--read-only"]);
        nspawn.arg("--no-new-privileges=yes");
        nspawn.arg(format!("--private-users={FIRST_USER}:65536"));
        nspawn.arg(format!("--machine={name}"));
        nspawn.arg("--oci-bundle").arg(folder);
        nspawn.arg(format!("--bind-ro={}:/etc/wirewatch", self.configuration().display()));
        nspawn.arg(format!("--bind={}:{DATA}", self.archive.beside("data").display()));
        // The control groups of the machine need not be such as a bundle expects.
        nspawn.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1");
        nspawn
    }
}

/// A container whose first process runs; it ends with this value.
pub(crate) struct Running<'a> {
    container: &'a Container,
    nspawn: Child,
    output: PathBuf,
}

impl Running<'_> {
    /// Waits for something that no event tells of, by looking again and again.
    pub(crate) fn until(&self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < limit, "waited {limit:?} for {what}: {}", self.said());
            std::thread::sleep(PAUSE);
        }
    }

    /// Runs a command beside the first process, as container engines ask for the health.
    pub(crate) fn enter(&self, command: &[String]) -> (bool, String) {
        let (user, group) = self.container.user();
        let mut enter = Command::new("timeout");
        enter.args(["--kill-after=5", COMMAND_LIMIT, "nsenter"]);
        enter.args(["--user", "--mount", "--pid", "--ipc", "--root"]);
        enter.args(["--target", &self.first().to_string()]);
        enter.args(["--setuid", &user.to_string(), "--setgid", &group.to_string(), "--"]);
        let environment = self.container.archive.words("Env");
        let environment = environment.iter().filter_map(|one| one.split_once('='));
        enter.args(command).env_clear().envs(environment);
        let output = enter.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What the kernel knows of the first process.
    pub(crate) fn process(&self, file: &str) -> String {
        fs::read_to_string(self.folder().join(file)).unwrap()
    }

    /// The names in a folder, as the first process sees it.
    pub(crate) fn listing(&self, folder: &str) -> Vec<String> {
        let names = fs::read_dir(self.folder().join("root").join(folder)).unwrap();
        names.map(|name| name.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Ends it as the image wants: whether it ended well, and what it has said.
    pub(crate) fn stop(mut self, limit: Duration) -> (bool, String) {
        let signal = self.container.archive.text("StopSignal");
        assert_eq!(signal, "SIGTERM");
        let first = rustix::process::Pid::from_raw(self.first().cast_signed()).unwrap();
        rustix::process::kill_process(first, rustix::process::Signal::TERM).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.nspawn.try_wait().unwrap() {
                return self.told(status);
            }
            assert!(begun.elapsed() < limit, "it does not stop: {}", self.said());
            std::thread::sleep(PAUSE);
        }
    }

    fn folder(&self) -> PathBuf {
        Path::new("/proc").join(self.first().to_string())
    }

    /// The first process inside: among all that nspawn has started, the one that is no nspawn.
    fn first(&self) -> u32 {
        let mut process = self.nspawn.id();
        loop {
            let children = format!("/proc/{process}/task/{process}/children");
            let children = fs::read_to_string(children).expect("the container runs");
            process = children.split(' ').next().unwrap().parse().expect("the container runs");
            let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
            if !name.starts_with("systemd-nspawn") && !name.starts_with("(sd-") {
                return process;
            }
        }
    }

    fn told(&self, status: ExitStatus) -> (bool, String) {
        (status.success(), format!("{status}: {}", self.said()))
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap()).into_owned()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
    }
}

/// Gives a folder and all in it to those outside who are the owners inside.
fn shift(path: &Path) {
    let known = fs::symlink_metadata(path).unwrap();
    lchown(path, Some(FIRST_USER + known.uid()), Some(FIRST_USER + known.gid())).unwrap();
    if known.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| shift(&entry.unwrap().path()));
    }
}

/// Folders and links to them are not counted: the ones that a system is used to are made at the start.
fn list(folder: &Path, files: &mut Vec<(PathBuf, u64, i64)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let known = fs::symlink_metadata(&path).unwrap();
        if known.is_dir() {
            list(&path, files);
        } else if known.is_file() {
            files.push((path, known.len(), known.mtime()));
        }
    }
}
