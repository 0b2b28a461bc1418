//! A post office of our own: Postfix takes mail, Dovecot knows the passwords, keeps the mail and
//! gives it out.

use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::imap::Mailbox;
use super::support::tls::TestCa;
use super::{peers, until};

/// It has what passwords of people have: spaces, quotes and letters beyond ASCII.
pub(crate) const PASSWORD: &str = "correct hörse \"staple\" \\ 100%";
/// The one who may hand in mail, and who gets it.
pub(crate) const DESK: &str = "desk";
/// He has a mailbox, but Postfix learns of him late.
pub(crate) const LATE: &str = "late";

/// The owner of all mail; see `dovecot.conf`.
const MAIL_OWNER: u32 = 5000;
/// What an office does at once takes no longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A running Postfix and Dovecot; they end when this is dropped.
pub(crate) struct Office {
    folder: TempDir,
    ca: TestCa,
    /// Where Postfix offers STARTTLS.
    pub(crate) submission: u16,
    /// Where Postfix speaks TLS from the first byte.
    pub(crate) submissions: u16,
    imaps: u16,
    /// The SASL mechanisms that Postfix offers.
    mechanisms: &'static str,
}

impl Office {
    /// Opens with all that Dovecot knows of SASL.
    pub(crate) async fn open() -> Self {
        Self::open_with("plain, login").await
    }

    /// Opens with these SASL mechanisms only.
    pub(crate) async fn open_with(mechanisms: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-postfix-").tempdir().unwrap();
        let [submission, submissions, imaps] = free_ports();
        let ca = TestCa::for_names(&["localhost", "mail.test", "127.0.0.1"]);
        let office = Self { folder, ca, submission, submissions, imaps, mechanisms };
        office.furnish();
        office.ask("dovecot", &[]);
        // It returns before its children listen, and says nothing when they do.
        let sockets = ["dovecot/lmtp", "dovecot/auth-postfix"].map(|name| office.path(name));
        until(LIMIT, "dovecot's sockets", || sockets.iter().all(|socket| socket.exists())).await;
        office.start_postfix();
        office
    }

    fn furnish(&self) {
        // Other users than root go through it.
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["conf", "queue", "data", "mail"] {
            fs::create_dir(self.path(name)).unwrap();
        }
        chown(self.path("mail"), Some(MAIL_OWNER), Some(MAIL_OWNER)).unwrap();
        let chown = Command::new("chown").arg("postfix").arg(self.path("data")).status().unwrap();
        assert!(chown.success(), "{chown}");
        let pem = self.ca.write_server(self.folder.path());
        fs::set_permissions(pem, fs::Permissions::from_mode(0o600)).unwrap();
        self.ca.write_ca(self.folder.path());
        let users = format!("{DESK}:{{PLAIN}}{PASSWORD}\n{LATE}:{{PLAIN}}{PASSWORD}\n");
        fs::write(self.path("users"), users).unwrap();
        self.write("dovecot.conf", include_str!("dovecot.conf"), &[]);
        self.write("conf/master.cf", include_str!("master.cf"), &[]);
        self.write("conf/main.cf", include_str!("main.cf"), &[DESK]);
    }

    /// Writes a configuration with our names in it.
    fn write(&self, name: &str, template: &str, known: &[&str]) {
        let folder = self.folder.path().to_str().unwrap();
        let known: Vec<String> = known.iter().map(|user| format!("{user}=here")).collect();
        let text = template
            .replace("@DIR@", folder)
            .replace("@KNOWN@", &known.join(", "))
            .replace("@MECHANISMS@", self.mechanisms)
            .replace("@SUBMISSION@", &self.submission.to_string())
            .replace("@SUBMISSIONS@", &self.submissions.to_string())
            .replace("@IMAPS@", &self.imaps.to_string());
        fs::write(self.path(name), text).unwrap();
    }

    /// Starts Postfix and returns once it listens.
    pub(crate) fn start_postfix(&self) {
        self.ask("postfix", &["start"]);
    }

    /// Stops Postfix and returns once it is gone.
    pub(crate) fn stop_postfix(&self) {
        self.ask("postfix", &["stop"]);
    }

    /// From now on Postfix takes mail for both. A reload would let a process that knows but one
    /// of them serve once more.
    pub(crate) fn learn_of_the_late_one(&self) {
        self.stop_postfix();
        self.write("conf/main.cf", include_str!("main.cf"), &[DESK, LATE]);
        self.start_postfix();
    }

    /// Waits until Postfix has passed on all mail that it took.
    pub(crate) async fn has_passed_on_all(&self) {
        let is_empty = || {
            let queue = self.command("postqueue").arg("-p").output().unwrap();
            String::from_utf8_lossy(&queue.stdout).contains("queue is empty")
        };
        until(LIMIT, "an empty mail queue", is_empty).await;
    }

    /// What Postfix says of each connection that ended, once there are so many: which SMTP
    /// commands it heard. It writes that a moment after the end.
    pub(crate) async fn farewells(&self, count: usize) -> Vec<String> {
        let farewells = || {
            let log = self.log();
            let lines = log.lines().filter(|line| line.contains("]: disconnect from "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        until(LIMIT, "the end of all connections", || farewells().len() >= count).await;
        farewells()
    }

    /// All that Postfix and Dovecot have said.
    pub(crate) fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        ["programs.log", "mail.log", "dovecot.log"].map(read).concat()
    }

    /// The mailbox of a user, as its reader sees it.
    pub(crate) fn mailbox(&self, user: &'static str) -> Mailbox {
        Mailbox::new(self.imaps, self.ca.ca_pem(), user, PASSWORD)
    }

    /// The authority that vouches for the servers.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program that has to succeed.
    fn ask(&self, program: &str, arguments: &[&str]) {
        let status = self.run(program, arguments);
        assert!(status.success(), "{program} {arguments:?}: {status}");
    }

    /// Runs a program. What it prints goes to a file: a server would hold a pipe open for ever.
    fn run(&self, program: &str, arguments: &[&str]) -> ExitStatus {
        let log = OpenOptions::new().create(true).append(true).open(self.path("programs.log"));
        let log = log.unwrap();
        let mut command = self.command(program);
        command.args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        command.status().unwrap()
    }

    /// A program with our configuration; the machine's own has no part in it.
    fn command(&self, program: &str) -> Command {
        let path = peers::program(program).expect("it was there a moment ago");
        let mut command = Command::new(path);
        command.env_remove("MAIL_CONFIG").env_remove("CONFIG_FILE").stdin(Stdio::null());
        let is_postfix = program.starts_with("post");
        command.arg("-c").arg(self.path(if is_postfix { "conf" } else { "dovecot.conf" }));
        command
    }

    /// Ends a master by its file; its children notice that it is gone, and end.
    fn kill_by(&self, pid_file: &str) {
        let text = fs::read_to_string(self.path(pid_file)).unwrap_or_default();
        let Ok(number) = text.trim().parse() else { return };
        // Such a file may outlive its process, and the number be another's by now.
        let process = Path::new("/proc").join(text.trim());
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        let folder = fs::read_link(process.join("cwd")).unwrap_or_default();
        let about = format!("{} {}", String::from_utf8_lossy(&line), folder.display());
        if about.contains(self.folder.path().to_str().unwrap()) {
            // It may have gone in the meantime.
            let _ = kill_process(Pid::from_raw(number).unwrap(), Signal::KILL);
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            super::say(&lines[lines.len().saturating_sub(60)..].join("\n"));
        }
        // A server that did not start, or that a trial has stopped, cannot be stopped again.
        if !self.run("postfix", &["stop"]).success() {
            self.kill_by("queue/pid/master.pid");
        }
        if !self.run("doveadm", &["stop"]).success() {
            self.kill_by("dovecot/master.pid");
        }
    }
}

/// They are held together while they are chosen, so that they differ.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
