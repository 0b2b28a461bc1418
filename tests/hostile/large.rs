//! Forty documents that take much memory, all of them ready at the same moment, beside servers
//! that begin a large document and never end it. The program holds and reads a few at a time.
//!
//! With as many places for large documents as requests (`fetch::Limits`), or documents read as
//! they come (`pipeline::Desk`), it takes twice the memory, and a test fails.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wirewatch::store::Store;

use super::{ONE_AT_A_TIME, World, path, siege};
use crate::world::all;

const FEEDS: usize = 40;
/// More than there are places for large documents.
const UNENDING: usize = 6;
/// The program's own bound of requests under way.
const AT_ONCE: usize = 32;
/// Bytes of a large document: nearly what is allowed.
const SIZE: usize = 10 << 20;
/// Of a fetch. What is waited for a place is no part of it.
const LIMIT: Duration = Duration::from_secs(8);

/// A feed of some texts, far longer than what is kept of one.
fn large() -> String {
    let mut text = "<rss version=\"2.0\"><channel><title>Large</title>".to_owned();
    for item in 0..4 {
        write!(text, "<item><guid>{item}</guid><title>Bulk {item}</title><description>").unwrap();
        let end = (item + 1) * (SIZE / 4 - 1_000);
        let mut words = (0..).map(|word| format!("word{} ", word * 7_919 % 100_003));
        while text.len() < end {
            text += &words.next().unwrap();
        }
        text += "</description></item>";
    }
    text + "</channel></rss>"
}

/// A feed that is not large and has one item of very many elements.
fn dense() -> String {
    let elements = "<a/>".repeat(190_000);
    format!(
        "<rss version=\"2.0\"><channel><title>Dense</title><item><title>Title</title>\
         {elements}</item></channel></rss>"
    )
}

/// Answers once so many have asked that all places for requests are taken.
async fn serve(listener: TcpListener, document: Arc<String>) {
    let asked = watch::Sender::new(0);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(converse(stream, Arc::clone(&document), asked.clone()));
    }
}

async fn converse(mut stream: TcpStream, document: Arc<String>, asked: watch::Sender<usize>) {
    let Some(path) = path(&mut stream).await else { return };
    asked.send_modify(|asked| *asked += 1);
    asked.subscribe().wait_for(|asked| *asked >= AT_ONCE).await.unwrap();
    // A client that gives up is no matter of the server's.
    let _ = match path == "/whole" {
        true => answer(&mut stream, &document).await,
        false => begin(&mut stream).await,
    };
}

async fn answer(stream: &mut TcpStream, document: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(document.as_bytes()).await
}

/// Sends enough to be large at once, and then a byte now and then.
async fn begin(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n<rss version=\"2.0\"><channel>").await?;
    stream.write_all(&vec![b' '; 3 << 19]).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(b" ").await?;
    }
}

fn toml(port: u16) -> String {
    let mut toml = format!("[fetch]\ntimeout = \"{}s\"\n", LIMIT.as_secs());
    let feeds = (0..UNENDING).map(|at| (at, "a-drip")).chain((0..FEEDS).map(|at| (at, "whole")));
    for (at, kind) in feeds {
        let host = if kind == "whole" { 5 } else { 6 };
        writeln!(
            toml,
            "[feed.{kind}-{at}]\nurl = \"http://127.0.{host}.{}:{port}/{kind}\"\n\
             allow_private = true\nmax_body = \"10MiB\"",
            at + 1
        )
        .unwrap();
    }
    toml
}

/// The most memory of the process until it ends, in KiB.
async fn peak_kib(child: &mut Child) -> u64 {
    let (status, mut peak) = (format!("/proc/{}/status", child.id().unwrap()), 0);
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            peak = line.trim().trim_end_matches(" kB").parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    peak
}

/// Polls all of them in one round: each must be read, with so many entries, and the program take
/// no more memory than so many MiB.
async fn check(what: &str, document: String, entries: i64, memory: u64) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = world.config(&world.toml(&toml(listener.local_addr().unwrap().port())));
    let size = document.len() >> 10;
    let mut serving = JoinSet::new();
    serving.spawn(serve(listener, Arc::new(document)));
    let begun = Instant::now();
    let mut round = siege::start(world.dir.path(), "once");
    let peak = peak_kib(&mut round).await;
    siege::say(&format!(
        "{FEEDS} {what} documents of {size} KiB and {UNENDING} without an end: {:.1?}, {} MiB at most",
        begun.elapsed(),
        peak >> 10
    ));
    assert!(peak >> 10 <= memory, "{} MiB", peak >> 10);
    let feeds = Store::attach(&config.store).unwrap().feeds(all()).await.unwrap();
    assert_eq!(feeds.len(), FEEDS + UNENDING);
    for feed in feeds {
        let is_whole = feed.name.starts_with("whole");
        let expected = if is_whole { (entries, None) } else { (0, Some("timed out")) };
        assert_eq!((feed.entries, feed.last_error.as_deref()), expected, "{}", feed.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_documents_that_come_at_once_are_all_read_a_few_at_a_time() {
    check("large", large(), 4, 256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_many_elements_that_come_at_once_are_taken_apart_a_few_at_a_time() {
    check("dense", dense(), 1, 170).await;
}
