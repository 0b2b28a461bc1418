//! What a poll costs when nothing is new: the daemon's own round of polls, and a bare loop that
//! sends the same requests.
//!
//! `scripts/bench-polls` runs this as three processes, so that each one's processor time is its
//! own:
//!
//! ```text
//! polls serve HOSTS             a server at 127.0.8.1, 127.0.8.2, ...; prints its port
//! polls daemon FEEDS HOSTS PORT ROUNDS CONCURRENCY
//! polls bare   FEEDS HOSTS PORT ROUNDS CONCURRENCY
//! ```
//!
//! The last two print one JSON line a round: polls, seconds, and seconds of processor time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a bench may stop where it cannot go on, the figures are its output, and the bare \
              loop is what the house's client is compared with"
)]

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::{self, Config, Environment};
use wirewatch::model::Clock;

const ETAG: &str = "\"as-before\"";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match words.first().map(String::as_str) {
        Some("serve") => runtime.block_on(serve(number(1))),
        Some(what @ ("daemon" | "bare")) => {
            let task = Task {
                feeds: number(1),
                hosts: number(2),
                port: number(3),
                rounds: number(4),
                concurrency: number(5),
            };
            match what {
                "daemon" => daemon(&runtime, &task),
                _ => runtime.block_on(bare(&task)),
            }
        }
        _ => eprintln!("usage: polls serve|daemon|bare ...; scripts/bench-polls runs it"),
    }
}

struct Task {
    feeds: usize,
    hosts: usize,
    port: usize,
    rounds: usize,
    concurrency: usize,
}

impl Task {
    fn url(&self, feed: usize) -> String {
        format!("http://{}:{}/{feed}.xml", address(feed % self.hosts), self.port)
    }

    fn report(&self, begun: Instant, processor_before: f64) {
        let seconds = begun.elapsed().as_secs_f64();
        let processor = processor_seconds() - processor_before;
        println!("{}", json!({ "polls": self.feeds, "seconds": seconds, "processor": processor }));
    }
}

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 8, u8::try_from(host + 1).unwrap())
}

/// What this process has used, all threads, in user and kernel.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name may have blanks; the fields after it are numbered from 3.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    // USER_HZ, which is 100 on every Linux that Rust supports.
    ticks / 100.0
}

// The server

async fn serve(hosts: usize) {
    let first = TcpListener::bind((address(0), 0)).await.unwrap();
    let port = first.local_addr().unwrap().port();
    let mut listeners = vec![first];
    for host in 1..hosts {
        listeners.push(TcpListener::bind((address(host), port)).await.unwrap());
    }
    println!("{port}");
    let accepting = listeners.into_iter().map(|listener| async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(converse(stream));
        }
    });
    futures_util::future::join_all(accepting).await;
}

/// Answers requests on a connection until the client closes it.
async fn converse(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let mut known = false;
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        known |= line.to_ascii_lowercase().starts_with("if-none-match:");
        if line.trim_end().is_empty() {
            let answer = if known { not_modified() } else { document() };
            if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            known = false;
        }
    }
}

fn not_modified() -> String {
    format!("HTTP/1.1 304 Not Modified\r\nETag: {ETAG}\r\n\r\n")
}

fn document() -> String {
    let items: String = (0..10)
        .map(|item| {
            format!(
                "<item><title>Item {item} of a feed that rests</title>\
                 <guid isPermaLink=\"false\">item-{item}</guid></item>"
            )
        })
        .collect();
    let body =
        format!("<rss version=\"2.0\"><channel><title>A feed</title>{items}</channel></rss>");
    format!(
        "HTTP/1.1 200 OK\r\nETag: {ETAG}\r\nContent-Type: application/rss+xml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

// The daemon

fn daemon(runtime: &tokio::runtime::Runtime, task: &Task) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let config = configuration(folder.path(), task);
    let stop = CancellationToken::new();
    // The first round stores entries and validators, and is not counted.
    for round in 0..=task.rounds {
        let (begun, before) = (Instant::now(), processor_seconds());
        let report = runtime.block_on(app::once(&config, Clock::System, &stop, |_| {})).unwrap();
        if round == 0 {
            assert_eq!(report.round.read, task.feeds, "{:?}", report.round);
        } else {
            assert_eq!(report.round.not_modified, task.feeds, "{:?}", report.round);
            task.report(begun, before);
        }
    }
}

fn configuration(folder: &Path, task: &Task) -> Config {
    let mut toml = format!(
        "[store]\npath = \"{}/watch.db\"\n[fetch]\nconcurrency = {}\n",
        folder.display(),
        task.concurrency
    );
    for feed in 0..task.feeds {
        let url = task.url(feed);
        writeln!(toml, "[feed.f{feed}]\nurl = \"{url}\"\nallow_private = true").unwrap();
    }
    let path = folder.join("watch.toml");
    fs::write(&path, toml).unwrap();
    config::load(&path, &Environment::from_process()).unwrap()
}

// The bare loop

async fn bare(task: &Task) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().user_agent("bare/0").build().unwrap();
    // Connections of the first round serve the others, as in the daemon.
    for round in 0..=task.rounds {
        let (begun, before) = (Instant::now(), processor_seconds());
        let answers = stream::iter(0..task.feeds).map(|feed| ask(client.clone(), task.url(feed)));
        let mut answers = answers.buffer_unordered(task.concurrency);
        while let Some(status) = answers.next().await {
            assert_eq!(status, 304);
        }
        if round > 0 {
            task.report(begun, before);
        }
    }
}

async fn ask(client: reqwest::Client, url: String) -> u16 {
    let request = client.get(url).header("If-None-Match", ETAG).header("Accept", "*/*");
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    status
}
