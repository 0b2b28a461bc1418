//! Sockets that send a byte a second, and are back as soon as they are thrown out: the program is
//! still asked how it does, and still reads its feeds. With few descriptors, too.
//!
//! ```sh
//! cargo test --test slow_sockets                          # half a minute
//! cargo build --release
//! WIREWATCH_SOCKETS=1000 WIREWATCH_SECONDS=300 WIREWATCH_BIN=target/release/wirewatch \
//!   cargo test --test slow_sockets                        # six minutes
//! ```
//!
//! With few descriptors the attack has its usual size, whatever is asked for.
//! The figures come out on standard error even if all is well.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "it/support/mod.rs"]
mod support;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use support::http::FeedServer;
use support::{closed_addr, timeout};

/// Two of these at once would take each other's processor time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

const NEWS: &str = "<rss version=\"2.0\"><channel><title>News</title></channel></rss>";
/// Sockets of an attack, unless more are asked for.
const SOCKETS: u64 = 300;
/// Each on a host of its own, polled every second.
const FEEDS: u8 = 5;
/// How long an answer may take at most, but for one in a hundred.
const PROMISE: Duration = Duration::from_millis(100);
/// The same without optimisation, on a busy machine.
const UNOPTIMISED: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn slow_sockets_keep_nobody_from_asking_and_no_feed_from_being_read() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let run = Run::start(None).await;
    let calm = run.watch(Duration::from_secs(5)).await;
    let attack = Attack::begin(run.http, size("WIREWATCH_SOCKETS", SOCKETS));
    let besieged = run.watch(Duration::from_secs(size("WIREWATCH_SECONDS", 10))).await;
    run.conclude("slow sockets", &calm, &besieged, attack);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_few_descriptors_slow_sockets_leave_enough_for_feeds() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let run = Run::start(Some(96)).await;
    let calm = run.watch(Duration::from_secs(5)).await;
    let attack = Attack::begin(run.http, SOCKETS);
    let besieged = run.watch(Duration::from_secs(10)).await;
    let log = fs::read_to_string(run.folder.path().join("daemon.log")).unwrap();
    assert!(log.contains("takes fewer connections"), "{log}");
    let complaints = log.lines().filter(|line| line.contains("cannot accept")).count();
    assert!(complaints <= 1, "{complaints} complaints: {log}");
    assert!(!log.contains("cannot be read"), "{log}");
    run.conclude("96 descriptors", &calm, &besieged, attack);
}

/// How much is to be done: what the environment says, or so much.
fn size(variable: &str, usual: u64) -> u64 {
    env::var(variable).map_or(usual, |count| count.parse().expect("a number"))
}

struct Run {
    folder: TempDir,
    feeds: FeedServer,
    http: SocketAddr,
    _daemon: Child,
}

/// What was seen in a stretch of time.
struct Seen {
    /// Of every question, sorted.
    answers: Vec<Duration>,
    failed: usize,
    polls_a_minute: f64,
}

impl Run {
    async fn start(descriptors: Option<u32>) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-slow-").tempdir().unwrap();
        let feeds = FeedServer::start_at(std::net::Ipv4Addr::UNSPECIFIED.into()).await;
        feeds.serve("/f", "text/xml", NEWS);
        let http = closed_addr();
        let mut config = format!("[store]\npath = \"w.db\"\n[http]\nlisten = \"{http}\"\n");
        for number in 1..=FEEDS {
            config += &format!(
                "[feed.f{number}]\nurl = \"http://127.0.0.{number}:{}/f\"\ninterval = \"1s\"\n\
                 allow_private = true\n",
                feeds.addr().port()
            );
        }
        config += "[rule.r]\nmatch = 'marker'\nchannels = []\n";
        fs::write(folder.path().join("watch.toml"), config).unwrap();
        let daemon = start(&folder, descriptors);
        let run = Self { folder, feeds, http, _daemon: daemon };
        let up = async { while run.ask().await.is_none() {} };
        timeout(up, "an answer").await;
        timeout(async { while run.polls() < FEEDS.into() {} }, "each feed to be read").await;
        run
    }

    fn polls(&self) -> usize {
        self.feeds.count("/f")
    }

    /// How long "well" took; none if it did not come.
    async fn ask(&self) -> Option<Duration> {
        let start = Instant::now();
        let answer = async {
            let mut stream = TcpStream::connect(self.http).await.ok()?;
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            answer.starts_with("HTTP/1.1 200 ").then(|| start.elapsed())
        };
        tokio::time::timeout(Duration::from_secs(5), answer).await.ok()?
    }

    async fn watch(&self, time: Duration) -> Seen {
        let (start, polls) = (Instant::now(), self.polls());
        let (mut answers, mut failed) = (Vec::new(), 0);
        while start.elapsed() < time {
            match self.ask().await {
                Some(took) => answers.push(took),
                None => failed += 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        answers.sort();
        let polls = (self.polls() - polls) as f64;
        Seen { answers, failed, polls_a_minute: polls * 60.0 / start.elapsed().as_secs_f64() }
    }

    fn conclude(&self, name: &str, calm: &Seen, besieged: &Seen, attack: Attack) {
        let few = name != "slow sockets";
        let (opened, at) = (attack.opened.load(Ordering::Relaxed), &besieged.answers);
        let part = |hundredth: usize| at[(at.len() * hundredth / 100).min(at.len() - 1)];
        let figures = format!(
            "{name}: {opened} connections opened; {} answers, p50 {:?}, p99 {:?}, longest {:?}, \
             {} without; polls a minute {:.0}, before {:.0}\n",
            at.len(),
            part(50),
            part(99),
            part(100),
            besieged.failed,
            besieged.polls_a_minute,
            calm.polls_a_minute
        );
        // Past the harness, which keeps back what the macros print unless the test fails.
        std::io::stderr().write_all(figures.as_bytes()).unwrap();
        // With a handful of places some may be thrown out before they are heard: one in so many.
        let (promise, few_lost) = if env::var_os("WIREWATCH_BIN").is_some() {
            (PROMISE, at.len() / 30)
        } else {
            (UNOPTIMISED, at.len() / 10)
        };
        // What has no answer is later than any: a thousandth is well within the one in a hundred.
        let lost = if few { few_lost } else { at.len() / 1000 };
        assert_eq!(calm.failed, 0);
        assert!(besieged.failed <= lost, "questions without an answer");
        assert!(part(99) <= promise, "answers are late");
        assert!(besieged.polls_a_minute >= 0.8 * calm.polls_a_minute, "feeds are read less");
    }
}

fn start(folder: &TempDir, descriptors: Option<u32>) -> Child {
    let binary: PathBuf =
        env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into()).into();
    // Processes run in another folder.
    let binary = fs::canonicalize(binary).expect("the binary under test exists");
    let limit = descriptors.map_or_else(String::new, |count| format!("ulimit -n {count}; "));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}exec \"$0\" --config watch.toml run")]).arg(binary);
    command.current_dir(folder.path());
    for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM"]
    {
        command.env_remove(variable);
    }
    let log = fs::File::create(folder.path().join("daemon.log")).unwrap();
    command.env_remove("WIREWATCH_LOG").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.kill_on_drop(true).spawn().expect("the program starts")
}

/// Sockets that never finish what they say.
struct Attack {
    opened: Arc<AtomicU64>,
    _sockets: JoinSet<()>,
}

impl Attack {
    fn begin(at: SocketAddr, sockets: u64) -> Self {
        let most = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
        let opened = Arc::new(AtomicU64::new(0));
        let mut set = JoinSet::new();
        for _ in 0..sockets {
            let opened = Arc::clone(&opened);
            set.spawn(async move {
                loop {
                    if let Ok(stream) = TcpStream::connect(at).await {
                        opened.fetch_add(1, Ordering::Relaxed);
                        drip(stream).await;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        Self { opened, _sockets: set }
    }
}

/// A byte a second, until thrown out.
async fn drip(mut stream: TcpStream) {
    let mut more: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    loop {
        if stream.write_all(more).await.is_err() {
            return;
        }
        more = b"x";
        let mut answer = [0; 256];
        let waited = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await;
        if waited.is_ok() {
            return;
        }
    }
}
