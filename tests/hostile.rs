//! Sixty-four hostile servers at once, and two hundred honest ones beside them.
//!
//! Every behaviour is a function of [`behaviour`] on a raw socket. All of them
//! and the honest feeds are polled in one round by the daemon's own loop, with
//! short limits, and again and again by the program as a process ([`siege`]).
//! Counted is at the far end: what the servers were asked and what they got rid
//! of. A round takes about as long as the slowest limit.
//!
//! ```sh
//! cargo test --test hostile -- --nocapture               # a minute
//! cargo build --release
//! WIREWATCH_SECONDS=1800 WIREWATCH_BIN=target/release/wirewatch \
//!   cargo test --test hostile siege -- --nocapture       # half an hour
//! ```
//!
//! Two bugs put in by hand were each caught: a decoder that takes a cut body
//! for a whole one (`Decoder::finish`) reads `/gzip-cut` and `/deflate-cut`, and
//! a fetcher without a time for the whole of it needs 91 seconds for the round.
//!
//! Not among them: a refusal of private addresses, since every server here
//! lives on one (`tests/it/fetching.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "the support code is another target's")]

#[path = "hostile/behaviour.rs"]
mod behaviour;
#[path = "hostile/http2.rs"]
mod http2;
#[path = "hostile/large.rs"]
mod large;
#[path = "hostile/siege.rs"]
mod siege;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/world.rs"]
mod world;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use behaviour::{BEHAVIOURS, Expect};
use support::tls::TestCa;
use world::{World, rss};

const HONEST: usize = 200;
/// What a server can get rid of beyond a limit: buffers of both kernels.
const BUFFERS: u64 = 16 << 20;

/// Two of these at once would take each other's processor time.
static ONE_AT_A_TIME: AsyncMutex<()> = AsyncMutex::const_new(());

/// What the servers saw, by path.
#[derive(Clone, Default)]
pub struct Ledger {
    asked: Arc<Mutex<HashMap<String, usize>>>,
    sent: Arc<Mutex<HashMap<String, u64>>>,
    /// When honest feeds were asked.
    honest: Arc<Mutex<Vec<(String, Instant)>>>,
    /// Whether hostile servers behave every other time; otherwise they never do.
    turns: Option<Arc<siege::Turns>>,
}

impl Ledger {
    /// Whether a server may misbehave this time, until [`Self::end`].
    pub fn begin(&self, path: &str) -> bool {
        self.turns.as_ref().is_none_or(|turns| turns.begin(path))
    }

    /// Notes that the client has gone, or has all it was to have.
    pub fn end(&self, path: &str) {
        if let Some(turns) = &self.turns {
            turns.end(path);
        }
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    fn sent(&self, path: &str) -> u64 {
        self.sent.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// Notes a request, or a connection where requests cannot be seen.
    pub fn count(&self, path: &str) {
        *self.asked.lock().unwrap().entry(path.to_string()).or_default() += 1;
    }

    /// Notes bytes that the kernel took for a path.
    pub fn add(&self, path: &str, bytes: usize) {
        *self.sent.lock().unwrap().entry(path.to_string()).or_default() += bytes as u64;
    }
}

/// Both servers of a run, and where they listen.
struct Servers {
    port: u16,
    http2_port: u16,
    tasks: [JoinHandle<()>; 2],
}

impl Servers {
    /// Their authority's certificate is written into the folder.
    async fn start(ledger: &Ledger, folder: &std::path::Path) -> Self {
        let hosts: Vec<String> = (0..http2::FLOODS.len()).map(http2::host).collect();
        let mut names: Vec<&str> = hosts.iter().map(String::as_str).collect();
        names.extend([behaviour::STALLED_TLS, behaviour::PLAIN_TLS]);
        let ca = TestCa::for_names(&names);
        ca.write_ca(folder);
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let http2 = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let http2_port = http2.local_addr().unwrap().port();
        let tasks = [
            tokio::spawn(serve(listener, ca.acceptor(), ledger.clone())),
            tokio::spawn(serve_http2(http2, ca.http2_acceptor(), ledger.clone())),
        ];
        Self { port, http2_port, tasks }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, ledger: Ledger) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        connections.spawn(converse(stream, acceptor.clone(), ledger.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_http2(listener: TcpListener, acceptor: TlsAcceptor, ledger: Ledger) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(http2::misbehave(stream, acceptor.clone(), ledger.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, acceptor: TlsAcceptor, ledger: Ledger) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    if first[0] == 0x16 {
        let ip = stream.local_addr().unwrap().ip().to_string();
        ledger.count(&ip);
        if ledger.begin(&ip) {
            behaviour::instead_of_tls(&ip, stream).await;
        } else if let Ok(mut stream) = acceptor.accept(stream).await
            && path(&mut stream).await.is_some()
        {
            behaviour::behave(&mut stream, &ledger, &ip).await;
        }
        return ledger.end(&ip);
    }
    let Some(path) = path(&mut stream).await else { return };
    ledger.count(&path);
    if let Some(number) = path.strip_prefix("/honest/") {
        ledger.honest.lock().unwrap().push((path.clone(), Instant::now()));
        let body = rss(&[(number, &format!("A marker {number}"), &format!("Text {number}"))]);
        let _ = behaviour::answer(&mut stream, &ledger, &path, body.as_bytes()).await;
        return;
    }
    if ledger.begin(&path) {
        behaviour::misbehave(stream, &ledger, &path).await;
    } else {
        behaviour::behave(&mut stream, &ledger, &path).await;
    }
    ledger.end(&path);
}

/// The path that a request asks for, once its header is there.
async fn path(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) if head.len() < 16 << 10 => head.push(byte),
            _ => return None,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/");
    Some(path.split('?').next().unwrap_or("/").to_string())
}

/// The configuration of all feeds, with these limits of fetching and these intervals of honest
/// and of hostile ones.
fn toml(servers: &Servers, fetch: &str, intervals: [Duration; 2]) -> String {
    let mut toml = format!("[fetch]\nca_file = \"ca.pem\"\n{fetch}\n");
    let mut feed = |name: &str, scheme: &str, host: String, path: &str| {
        let interval = intervals[usize::from(!name.starts_with('h') || name.starts_with("http2"))];
        let interval = interval.as_secs();
        let port = if name.starts_with("http2") { servers.http2_port } else { servers.port };
        writeln!(
            toml,
            "[feed.{name}]\nurl = \"{scheme}://{host}:{port}{path}\"\ninterval = \"{interval}s\"\n\
             allow_private = true"
        )
        .unwrap();
    };
    // Each on an address of its own: one host is asked one thing at a time.
    for (at, behaviour) in BEHAVIOURS.iter().enumerate() {
        let scheme = if behaviour.tls { "https" } else { "http" };
        let host =
            if behaviour.tls { behaviour.path.to_string() } else { format!("127.0.1.{}", at + 1) };
        let path = if behaviour.tls { "/" } else { behaviour.path };
        feed(&format!("a{at:02}"), scheme, host, path);
    }
    for at in 0..http2::FLOODS.len() {
        feed(&format!("http2-{at}"), "https", http2::host(at), "/");
    }
    for at in 1..=HONEST {
        feed(&format!("h{at}"), "http", format!("127.0.2.{at}"), &format!("/honest/{at}"));
    }
    toml
}

/// The largest resident size of this process so far, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_servers_harm_nobody_but_themselves() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new().await;
    let ledger = Ledger::default();
    let servers = Servers::start(&ledger, world.dir.path()).await;
    let fetch = "timeout = \"6s\"\nconnect_timeout = \"2s\"\nconcurrency = 64";
    let config = world.config(&world.toml(&toml(&servers, fetch, [Duration::from_secs(3600); 2])));
    let (before, start) = (peak_kib(), Instant::now());
    let report = world.once(&config).await;
    let (took, after) = (start.elapsed(), peak_kib());
    println!(
        "{} hostile and {HONEST} honest feeds in {took:.1?}; peak memory {before} to {after} KiB, \
         servers included",
        BEHAVIOURS.len() + http2::FLOODS.len()
    );
    let mut honest: Vec<_> = ledger.honest.lock().unwrap().iter().map(|(_, at)| *at).collect();
    honest.sort();
    let late = |share: usize| honest[(honest.len() - 1) * share / 100] - start;
    println!("honest feeds asked: half by {:.1?}, all by {:.1?}", late(50), late(100));
    let failed: BTreeMap<_, _> =
        report.round.failed.iter().map(|(name, why)| (name.to_string(), why.clone())).collect();
    let mut wrong = Vec::new();
    for (at, behaviour) in BEHAVIOURS.iter().enumerate() {
        let outcome = failed.get(&format!("a{at:02}"));
        let (asked, sent) = (ledger.asked(behaviour.path), ledger.sent(behaviour.path));
        println!(
            "{:28} asked {asked}, took {sent} bytes: {}",
            behaviour.path,
            outcome.map_or("read", |why| why)
        );
        let fine = match behaviour.expect {
            Expect::Refused => outcome.is_some(),
            Expect::Read => outcome.is_none(),
            Expect::Either => true,
        };
        if !fine || !(1..=6).contains(&asked) || sent > (5 << 20) + BUFFERS {
            wrong.push(format!("{} (asked {asked}, took {sent}): {outcome:?}", behaviour.path));
        }
    }
    for (at, flood) in http2::FLOODS.into_iter().enumerate() {
        let outcome = failed.get(&format!("http2-{at}"));
        let (asked, sent) = (ledger.asked(&http2::host(at)), ledger.sent(&http2::host(at)));
        println!(
            "{flood:28} asked {asked}, took {sent} bytes: {}",
            outcome.map_or("read", |why| why)
        );
        if outcome.is_none() || !(1..=3).contains(&asked) {
            wrong.push(format!("{flood} (asked {asked}, took {sent}): {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for at in 1..=HONEST {
        let path = format!("/honest/{at}");
        assert_eq!((ledger.asked(&path), failed.get(&format!("h{at}"))), (1, None), "{path}");
    }
    // Every hostile document that must not be read says "marker", too.
    assert_eq!((report.round.alerts, world.alerts(&config).await.len()), (HONEST, HONEST));
    assert!(took < Duration::from_secs(45), "{took:?}");
    assert!(after - before < 200 << 10, "{} KiB more", after - before);
}
