//! The watchdog: a program that is well feeds it, and one of whose loops hangs does not.
//!
//! The test plays systemd. It hangs a loop by a hook that debug builds have alone: a file that
//! `WIREWATCH_WEDGE` names, with the loop's name in it. Nobody kills anything here: what counts is
//! when `WATCHDOG=1` was said last.
//!
//! ```sh
//! cargo test --test watchdog          # half a minute
//! cargo build --release
//! WIREWATCH_SLOW_DISK=120 WIREWATCH_BIN=target/release/wirewatch \
//!   cargo test --test watchdog slow   # two hours
//! ```
//!
//! A slow disk is made by strace; without it that test says that it is skipped. By default each
//! sync takes a fifth of a second, a thousand feeds are read, and the watchdog bites after six
//! seconds. `WIREWATCH_SLOW_DISK` gives the minutes of a run of ten times the size: two seconds,
//! ten thousand feeds, a minute; and there each read takes ten milliseconds, so that the look at
//! the whole database takes long.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// `WatchdogSec=`.
const LIMIT: Duration = Duration::from_secs(4);
/// A hung program is killed so long after that at the latest.
const GRACE: Duration = Duration::from_secs(5);
/// What a read takes from a disk that is slow throughout.
const READ: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_loop_that_hangs_ends_the_feeding_of_the_watchdog() {
    if !cfg!(debug_assertions) {
        say("watchdog: skipped, this build has no hook to hang a loop by\n");
        return;
    }
    let loops = [
        "poll",
        "writer",
        "dispatch hook",
        "dispatch mail",
        "notify",
        "sweep",
        "watch",
        "pages",
        "push",
    ];
    let trials: Vec<_> = loops.map(|name| thread::spawn(move || trial(name))).into();
    for trial in trials {
        trial.join().unwrap();
    }
}

fn trial(name: &str) {
    let mut service = Service::start();
    service.until("READY=1");
    for _ in 0..3 {
        service.until("WATCHDOG=1");
    }
    fs::write(service.folder.path().join("wedge"), name).unwrap();
    let last = service.last_sign(Instant::now());
    say(&format!("{name}: hung, the watchdog was fed for {} ms more\n", last.as_millis()));
    assert!(last <= GRACE, "{name}: still fed after {last:?}");
}

#[test]
fn a_program_that_is_well_feeds_the_watchdog_in_time() {
    let mut service = Service::start();
    service.until("READY=1");
    let start = Instant::now();
    let (mut before, mut longest, mut count) = (start, Duration::ZERO, 0);
    while start.elapsed() < 3 * LIMIT {
        service.until("WATCHDOG=1");
        longest = longest.max(before.elapsed());
        before = Instant::now();
        count += 1;
    }
    say(&format!("well: fed {count} times, at most {} ms apart\n", longest.as_millis()));
    assert!(longest < LIMIT * 3 / 4, "{longest:?}");
}

#[test]
fn a_slow_disk_is_no_hung_program() {
    if !Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        say("watchdog: skipped, strace is not installed\n");
        return;
    }
    let minutes = std::env::var("WIREWATCH_SLOW_DISK").ok();
    let scale = if minutes.is_some() { 10 } else { 1 };
    let time = minutes.as_ref().map_or(20, |minutes| minutes.parse::<u64>().unwrap() * 60);
    let (sync, limit) = (Duration::from_millis(200) * scale, Duration::from_secs(6) * scale);
    // The look at the whole database, a minute after the start, then takes another.
    let read = minutes.is_some().then_some(READ);
    let mut service = Service::start_on_slow_disk(1_000 * scale, (sync, read), limit);
    service.until("READY=1");
    let start = Instant::now();
    let (mut before, mut longest) = (start, Duration::ZERO);
    while start.elapsed() < Duration::from_secs(time) {
        let fed = service.heard().is_some_and(|message| message.contains("WATCHDOG=1"));
        longest = longest.max(before.elapsed());
        if fed {
            before = Instant::now();
        }
        assert!(longest < limit, "it would have been killed:\n{}", service.log());
        assert!(service.daemon.try_wait().unwrap().is_none(), "it ended:\n{}", service.log());
    }
    let read = service.log().matches("feed read").count();
    let (longest, limit) = (longest.as_millis(), limit.as_millis());
    say(&format!("slow disk: {read} feeds read, fed at most {longest} ms apart, of {limit}\n"));
    assert!(read > 0, "{}", service.log());
    let log = service.log();
    let looks = log.lines().filter(|line| line.contains("the database is sound"));
    looks.for_each(|line| say(&format!("slow disk: {line}\n")));
}

#[test]
fn a_manager_that_does_not_read_holds_up_nothing() {
    let mut service = Service::start();
    service.until("READY=1");
    // It is fed every third of a second and reloaded; so many fit into the socket.
    fill(&service.folder.path().join("notify"));
    thread::sleep(Duration::from_secs(3));
    let start = Instant::now();
    service.signal("TERM");
    let ended = loop {
        if let Some(status) = service.daemon.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it waits for its manager");
        thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success(), "{ended}");
}

/// Until no message more fits.
fn fill(path: &std::path::Path) {
    let socket = UnixDatagram::unbound().unwrap();
    socket.connect(path).unwrap();
    socket.set_nonblocking(true).unwrap();
    while socket.send(b"STATUS=full").is_ok() {}
}

struct Service {
    folder: TempDir,
    manager: UnixDatagram,
    daemon: Child,
}

impl Service {
    fn start() -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        Self::start_with(program, CONFIG, LIMIT)
    }

    /// Feeds on loopback that bring a story whenever they are asked, and a disk whose every sync
    /// takes so long.
    fn start_on_slow_disk(
        feeds: u32,
        (sync, read): (Duration, Option<Duration>),
        limit: Duration,
    ) -> Self {
        let port = publish();
        let mut config = CONFIG.replace("[feed.a]", "[feed.closed]");
        for feed in 0..feeds {
            let (street, house) = (feed / 250 + 10, feed % 250 + 1);
            config.push_str(&format!(
                "[feed.f{feed}]\nurl = \"http://127.0.{street}.{house}:{port}/{feed}\"\n\
                 interval = \"5m\"\nallow_private = true\n"
            ));
        }
        let mut faults = vec![format!("inject=fsync,fdatasync:delay_enter={}", sync.as_micros())];
        let mut calls = "trace=fsync,fdatasync".to_owned();
        if let Some(read) = read {
            faults.push(format!("inject=pread64:delay_enter={}", read.as_micros()));
            calls += ",pread64";
        }
        let binary = std::env::var_os("WIREWATCH_BIN");
        let binary = binary.unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
        let mut program = Command::new("strace");
        // The program, not strace, is what is started, and few calls are looked at.
        program.args(["-D", "-f", "--seccomp-bpf", "-o", "/dev/null"]);
        program.args(["-e", &calls]);
        for fault in &faults {
            program.args(["-e", fault]);
        }
        program.arg(fs::canonicalize(binary).unwrap());
        Self::start_with(program, &config, limit)
    }

    fn start_with(mut command: Command, config: &str, limit: Duration) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-watchdog-").tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let manager = UnixDatagram::bind(path("notify")).unwrap();
        manager.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        fs::write(path("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        fs::set_permissions(path("secret"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(path("watch.toml"), config).unwrap();
        command.current_dir(folder.path()).args(["--config", "watch.toml", "run"]);
        for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM"] {
            command.env_remove(variable);
        }
        command.env("NOTIFY_SOCKET", path("notify")).env("WIREWATCH_WEDGE", path("wedge"));
        command.env("WIREWATCH_LOG", "info,wirewatch::pipeline::inspect=debug");
        command.env("WATCHDOG_USEC", limit.as_micros().to_string()).env_remove("WATCHDOG_PID");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(path("daemon.log")).unwrap());
        let daemon = command.spawn().expect("the program starts");
        Self { folder, manager, daemon }
    }

    fn heard(&self) -> Option<String> {
        let mut message = [0; 4096];
        let length = self.manager.recv(&mut message).ok()?;
        Some(String::from_utf8_lossy(&message[..length]).into_owned())
    }

    fn until(&mut self, word: &str) {
        let start = Instant::now();
        while !self.heard().is_some_and(|message| message.lines().any(|line| line == word)) {
            assert!(start.elapsed() < PATIENCE * 3, "no {word}: {}", self.log());
        }
    }

    /// How long after `since` the watchdog was fed last, if it is fed no more.
    fn last_sign(&self, since: Instant) -> Duration {
        let mut last = Duration::ZERO;
        while since.elapsed() < last + LIMIT && since.elapsed() < PATIENCE {
            if self.heard().is_some_and(|message| message.contains("WATCHDOG=1")) {
                last = since.elapsed();
            }
        }
        last
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("daemon.log")).unwrap()
    }

    fn signal(&self, name: &str) {
        let id = self.daemon.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A publisher at every address of the loopback; its threads end with the test.
fn publish() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || answer(stream, number));
        }
    });
    port
}

fn answer(mut stream: TcpStream, number: usize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let body = format!(
        "<rss version=\"2.0\"><channel><title>Feed</title><item><guid>{number}</guid>\
         <title>Story {number} with a marker</title></item></channel></rss>"
    );
    let length = body.len();
    // Who asked may be gone.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
}

/// Nothing listens at these addresses.
const CONFIG: &str = "[store]\npath = \"w.db\"\n\
    [feed.a]\nurl = \"http://127.0.0.1:1/\"\nallow_private = true\n\
    [rule.r]\nmatch = 'marker'\nchannels = [\"hook\", \"mail\"]\n\
    [channel.hook.webhook]\nurl = \"http://127.0.0.1:1/\"\nsecret_file = \"secret\"\n\
    allow_private = true\n\
    [channel.mail.email]\nfrom = \"a@example.org\"\nto = [\"b@example.org\"]\n\
    smtp = \"localhost:1\"\ntls = \"none\"\n";

/// Past the harness, which keeps back what the macros print unless the test fails.
fn say(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}
