//! The port that a name leads to: first the attacker's page, then somebody else.
//!
//! It serves the page and takes its report; every other request goes on as it came, and what it was
//! answered is noted and given back unchanged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::support::Server;

const PAGE: &str = include_str!("attack.html");
/// Who says nothing for so long says nothing more.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);
const LONGEST_HEAD: usize = 64 << 10;

/// What the page tried, and what of the answer it came to know.
#[derive(Clone, Debug, Deserialize)]
pub struct Try {
    pub what: String,
    pub read: String,
}

/// What a request was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and target.
    pub request: String,
    pub status: u16,
}

pub struct Front {
    server: Server,
    seen: Arc<Seen>,
}

struct Seen {
    behind: SocketAddr,
    answers: Mutex<Vec<Answer>>,
    report: Mutex<Option<Vec<Try>>>,
    reported: Notify,
}

impl Front {
    /// Leads to that address.
    pub async fn open(behind: SocketAddr) -> Self {
        let seen = Arc::new(Seen {
            behind,
            answers: Mutex::default(),
            report: Mutex::default(),
            reported: Notify::new(),
        });
        let served = seen.clone();
        let server = Server::start(move |stream| {
            let seen = served.clone();
            async move { drop(seen.converse(stream).await) }
        });
        Self { server: server.await, seen }
    }

    pub fn port(&self) -> u16 {
        self.server.addr().port()
    }

    pub fn answers(&self) -> Vec<Answer> {
        self.seen.answers.lock().unwrap().clone()
    }

    /// What the page has to tell, once it has tried everything.
    pub async fn report(&self) -> Vec<Try> {
        loop {
            let reported = self.seen.reported.notified();
            if let Some(report) = self.seen.report.lock().unwrap().clone() {
                return report;
            }
            reported.await;
        }
    }
}

impl Seen {
    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = read_request(&mut stream).await?;
        let head = String::from_utf8_lossy(&request);
        let (head, body) = head.split_once("\r\n\r\n").unwrap_or_default();
        let line = head.lines().next().unwrap_or_default();
        let asked = line.trim_end_matches(" HTTP/1.1").to_owned();
        if asked.starts_with("GET /attack") {
            return say(&mut stream, PAGE).await;
        }
        if asked.starts_with("POST /report") {
            let report = serde_json::from_str(body).unwrap();
            *self.report.lock().unwrap() = Some(report);
            self.reported.notify_waiters();
            return say(&mut stream, "").await;
        }
        let mut behind = TcpStream::connect(self.behind).await?;
        behind.write_all(&request).await?;
        let mut answer = Vec::new();
        let _ = timeout(LONGEST_ANSWER, behind.read_to_end(&mut answer)).await;
        let status = String::from_utf8_lossy(&answer);
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        self.answers.lock().unwrap().push(Answer { request: asked, status });
        stream.write_all(&answer).await?;
        stream.shutdown().await
    }
}

/// A request with its body, if its length is stated.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < LONGEST_HEAD {
        request.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    request.extend(body);
    Ok(request)
}

async fn say(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    stream.shutdown().await
}
