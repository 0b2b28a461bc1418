//! A browser that was turned by DNS: a page of a foreign name, whose name then leads to this
//! machine, asks the daemon whatever a page can ask, and gets nothing.
//!
//! ```sh
//! apt-get install chromium
//! cargo test --test browser -- --nocapture        # half a minute
//! ```
//!
//! Chromium is told that `evil.test` is 127.0.0.1. The page comes from the port that later leads to
//! the daemon, so that to the browser both are one origin, or from another port of that name. That
//! the page would read what it may read is shown twice: as `localhost` at the daemon, and at a
//! server that does not look at the name. Without Chromium the trials are reported as ignored; with
//! `WIREWATCH_PEERS=required` they fail instead.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "only a part of the world is used")]

#[path = "browser/front.rs"]
mod front;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/support/trial.rs"]
mod trial;
#[path = "it/world.rs"]
mod world;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::Arguments;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use wirewatch::app::App;

use front::{Answer, Front, Try};
use support::http::{FeedServer, Reply, handler};
use support::{closed_addr, timeout as in_time};
use world::World;

/// What Debian and others call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// A page has tried everything within this time, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// A server that looks at no name says this to everybody.
const SECRET: &str = "secret figures";
/// What a page is to try at least.
const TRIES: usize = 20;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let trials = vec![
        trial::trial("a_rebound_page_reads_nothing", browser().map(drop), || trial::run(rebound())),
        trial::trial("a_page_of_another_port_reads_nothing", browser().map(drop), || {
            trial::run(other_port())
        }),
        trial::trial("the_page_reads_what_it_may", browser().map(drop), || trial::run(allowed())),
        trial::trial("the_page_reads_who_asks_no_name", browser().map(drop), || {
            trial::run(careless())
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn browser() -> Result<String, String> {
    let named = std::env::var("WIREWATCH_CHROMIUM").into_iter();
    let mut all = named.chain(NAMES.map(str::to_owned));
    let starts = |name: &String| {
        let mut probe = std::process::Command::new(name);
        probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    all.find(starts).ok_or_else(|| "chromium is not installed".to_owned())
}

/// The page's own port leads to the daemon as soon as the page is there.
async fn rebound() -> Result<(), String> {
    let daemon = Daemon::start().await;
    let front = Front::open(daemon.http).await;
    let at = format!("http://evil.test:{}", front.port());
    let (tries, answers) = attack("rebound", [&front; 2], &format!("{at}/attack?{at}")).await?;
    daemon.stop().await;
    refused("rebound", &tries, &answers)
}

/// The page has another origin, but its name is that which leads to the daemon.
async fn other_port() -> Result<(), String> {
    let daemon = Daemon::start().await;
    let (front, bait) = (Front::open(daemon.http).await, Front::open(closed_addr()).await);
    let at = format!("http://evil.test:{}", front.port());
    let page = format!("http://evil.test:{}/attack?{at}", bait.port());
    let (tries, answers) = attack("another port", [&bait, &front], &page).await?;
    daemon.stop().await;
    refused("another port", &tries, &answers)
}

/// Nobody gave a byte, and all said so.
fn refused(name: &str, tries: &[Try], answers: &[Answer]) -> Result<(), String> {
    let read: Vec<_> = tries.iter().filter(|one| !one.read.is_empty()).collect();
    let let_in: Vec<_> = answers.iter().filter(|one| one.status != 421).collect();
    if tries.len() < TRIES || answers.len() < TRIES {
        return Err(format!("{name}: void: {tries:?} led to {answers:?}"));
    }
    if !read.is_empty() || !let_in.is_empty() {
        return Err(format!("{name}: the page read {read:?}; not refused: {let_in:?}"));
    }
    Ok(())
}

/// The same page by a name of the daemon's own reads what it says.
async fn allowed() -> Result<(), String> {
    let daemon = Daemon::start().await;
    let front = Front::open(daemon.http).await;
    let at = format!("http://localhost:{}", front.port());
    let (tries, answers) =
        attack("as localhost", [&front; 2], &format!("{at}/attack?{at}")).await?;
    daemon.stop().await;
    let reads = |word: &str| tries.iter().any(|one| one.read.contains(word));
    let well = reads("database: ok") && reads("wirewatch_build_info");
    if well { Ok(()) } else { Err(format!("{tries:?} led to {answers:?}")) }
}

/// The same page at a server that answers to any name.
async fn careless() -> Result<(), String> {
    let server = FeedServer::start().await;
    for path in ["/healthz", "/readyz", "/metrics", "/", "/push/0123456789abcdef"] {
        let secret = handler(|_| Reply::ok(SECRET).header("Content-Type", "text/plain"));
        server.route(path, secret);
    }
    let front = Front::open(server.addr()).await;
    let at = format!("http://evil.test:{}", front.port());
    let (tries, answers) =
        attack("no look at names", [&front; 2], &format!("{at}/attack?{at}")).await?;
    let read = tries.iter().filter(|one| one.read.contains(SECRET)).count();
    if read >= TRIES / 2 { Ok(()) } else { Err(format!("{tries:?} led to {answers:?}")) }
}

struct Daemon {
    world: World,
    app: App,
    http: SocketAddr,
}

impl Daemon {
    async fn start() -> Self {
        let (world, http) = (World::new().await, closed_addr());
        let section =
            format!("[http]\nlisten = \"{http}\"\npublic_url = \"https://news.example.org/in/\"\n");
        let config = world.config(&world.toml(&section));
        let app = world.start(&config).await;
        let up = async {
            while tokio::net::TcpStream::connect(http).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        in_time(up, "an open port").await;
        Self { world, app, http }
    }

    async fn stop(self) {
        assert!(in_time(self.app.stop(), "a stop").await);
    }
}

/// Opens a page of one front and waits for its report: what it tried and read, and what the other
/// answered.
async fn attack(
    name: &str,
    [front, attacked]: [&Front; 2],
    page: &str,
) -> Result<(Vec<Try>, Vec<Answer>), String> {
    let begun = Instant::now();
    let profile = tempfile::Builder::new().prefix("wirewatch-browser-").tempdir().unwrap();
    let mut browser = open(page, profile.path())?;
    let report = timeout(PATIENCE, front.report()).await;
    end(&mut browser).await;
    // What the browser may still hold of it goes with it.
    let _ = profile.close();
    let answers = attacked.answers();
    let tries = report.map_err(|_| format!("{name}: the page does not report: {answers:?}"))?;
    let bytes: usize = tries.iter().map(|one| one.read.len()).sum();
    let refused = answers.iter().filter(|one| one.status == 421).count();
    eprintln!(
        "{name}: {} tries, {bytes} bytes read; {} requests, {refused} answered 421; {:.1?}",
        tries.len(),
        answers.len(),
        begun.elapsed()
    );
    Ok((tries, answers))
}

fn open(page: &str, profile: &std::path::Path) -> Result<Child, String> {
    let mut command = Command::new(browser()?);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
    command.args(["--no-first-run", "--disable-background-networking", "--disable-sync"]);
    command.args(["--disable-component-update", "--disable-dev-shm-usage"]);
    command.arg("--host-resolver-rules=MAP evil.test 127.0.0.1");
    command.arg(format!("--user-data-dir={}", profile.display())).arg(page);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().map_err(|error| error.to_string())
}

/// Asked to end, its helpers end with it.
async fn end(browser: &mut Child) {
    if let Some(pid) = browser.id() {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if timeout(Duration::from_secs(5), browser.wait()).await.is_err() {
        let _ = browser.kill().await;
    }
}
