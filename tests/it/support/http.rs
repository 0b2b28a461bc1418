//! A scripted HTTP/1.1 server that answers exactly what a test tells it to, faults included.
//!
//! It speaks the protocol by hand, since a proper HTTP library refuses to announce more bytes
//! than it sends or to leave without an answer. Each connection carries one request and is then
//! closed. A path with no route answers 404. Every request is recorded, those too.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Changes, Server};

/// Decides the answer to a request. It runs outside every lock, so it may use the server.
pub type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Turns a closure into a [`Handler`] without spelling out the type of its argument.
pub fn handler(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Handler {
    Arc::new(answer)
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path as sent, with its percent-encoding and without the query.
    pub path: String,
    /// What followed the question mark, if there was one.
    pub query: Option<String>,
    /// The headers in order, with bytes that are not UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// The headers in order, with their values as sent.
    pub raw_headers: Vec<(String, Vec<u8>)>,
    /// The body, of the length that `Content-Length` announced.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }

    /// The bytes of the first header of that name, in any case.
    pub fn raw_header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.raw_headers.iter();
        headers.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.as_slice()))
    }
}

/// A request together with the moment it had arrived in full.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When the last byte of the request had been read, before any answer.
    pub at: Instant,
    /// The request itself; its fields can also be reached directly.
    pub request: Request,
}

impl Deref for Recorded {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

/// What becomes of the connection once the reply's bytes have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Close,
    Hang,
    Drop,
}

/// A scripted answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    delay: Duration,
    cut: Option<usize>,
    ending: Ending,
}

impl Reply {
    /// An answer with status 200 and this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    /// An answer with this status and no body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
            cut: None,
            ending: Ending::Close,
        }
    }

    /// Adds a header. One that frames the body replaces the `Content-Length` sent otherwise.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits this long before the first byte of the answer.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Announces the whole body but closes the connection after its first `length` bytes.
    #[must_use]
    pub fn truncate_at(mut self, length: usize) -> Self {
        self.cut = Some(length);
        self
    }

    /// Never answers; the connection stays open until the client gives up or the server ends.
    ///
    /// Together with [`Reply::truncate_at`], the head and the first bytes are sent before that.
    #[must_use]
    pub fn hang(mut self) -> Self {
        self.ending = Ending::Hang;
        self
    }

    /// Closes the connection without a byte of an answer.
    #[must_use]
    pub fn drop_connection(mut self) -> Self {
        self.ending = Ending::Drop;
        self
    }

    async fn send(self, stream: &mut TcpStream, method: &str) -> io::Result<()> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.ending {
            Ending::Drop => return Ok(()),
            Ending::Hang if self.cut.is_none() => return until_closed(stream).await,
            Ending::Hang | Ending::Close => {}
        }
        stream.write_all(&self.head()).await?;
        if method != "HEAD" && !self.is_bodiless() {
            let length = self.cut.unwrap_or(usize::MAX).min(self.body.len());
            stream.write_all(&self.body[..length]).await?;
        }
        if self.ending == Ending::Hang {
            return until_closed(stream).await;
        }
        stream.shutdown().await
    }

    /// Whether the status forbids a body.
    fn is_bodiless(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    fn has_header(&self, name: &str) -> bool {
        let mut names = self.headers.iter().map(|(key, _)| key);
        names.any(|key| key.eq_ignore_ascii_case(name))
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} \r\nConnection: close\r\n", self.status).into_bytes();
        let framed = self.has_header("Content-Length") || self.has_header("Transfer-Encoding");
        if !framed && !self.is_bodiless() {
            let length = format!("Content-Length: {}\r\n", self.body.len());
            head.extend_from_slice(length.as_bytes());
        }
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}

/// A server whose answers are chosen path by path.
pub struct FeedServer {
    server: Server,
    shared: Arc<Shared>,
}

impl FeedServer {
    /// Starts a server that answers 404 to everything until it is given routes.
    pub async fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into()).await
    }

    /// The same at an address of its own, such as 127.0.0.2: another host to a client.
    pub async fn start_at(ip: IpAddr) -> Self {
        let shared = Arc::new(Shared::default());
        let for_connections = shared.clone();
        let serve = move |stream| converse(stream, for_connections.clone());
        let server = Server::start_at(ip, serve).await;
        Self { server, shared }
    }

    /// The address the server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The address of a path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// Lets `handler` answer the requests for a path, in place of any earlier route.
    pub fn route(&self, path: &str, handler: Handler) {
        let mut routes = self.shared.routes.lock().unwrap();
        routes.insert(path.to_owned(), handler);
    }

    /// Answers every request for a path with the same body.
    pub fn serve(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        let reply = Reply::ok(body).header("Content-Type", content_type);
        self.script(path, vec![reply]);
    }

    /// Answers the requests for a path with these replies in order, and then repeats the last.
    pub fn script(&self, path: &str, replies: Vec<Reply>) {
        assert!(!replies.is_empty(), "the script for {path} has no reply");
        let replies = Mutex::new(VecDeque::from(replies));
        self.route(path, handler(move |_| next_reply(&replies)));
    }

    /// Everything asked of a path so far, whatever the query, in the order of arrival.
    pub fn requests(&self, path: &str) -> Vec<Recorded> {
        let recorded = self.shared.recorded.lock().unwrap();
        let matching = recorded.iter().filter(|recorded| recorded.path == path);
        matching.cloned().collect()
    }

    /// Everything asked of the server so far, in the order of arrival.
    pub fn all_requests(&self) -> Vec<Recorded> {
        self.shared.recorded.lock().unwrap().clone()
    }

    /// How many requests for a path have arrived.
    pub fn count(&self, path: &str) -> usize {
        let recorded = self.shared.recorded.lock().unwrap();
        recorded.iter().filter(|one| one.path == path).count()
    }

    /// Waits until `n` requests for a path have arrived, answered or not, and returns them all.
    pub async fn wait_for(&self, path: &str, n: usize) -> Vec<Recorded> {
        let look = || (self.count(path) >= n).then(|| self.requests(path));
        let missing = || {
            let every: Vec<_> = self.all_requests().iter().map(summary).collect();
            let seen = self.count(path);
            format!("waited for {n} requests for {path}, saw {seen}; all requests: {every:?}")
        };
        self.shared.changes.wait(look, missing).await
    }

    /// Ends the server and returns once its port is closed.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// What the server's connections share with the test.
#[derive(Default)]
struct Shared {
    routes: Mutex<HashMap<String, Handler>>,
    recorded: Mutex<Vec<Recorded>>,
    changes: Changes,
}

impl Shared {
    fn record(&self, request: &Request) {
        let recorded = Recorded { at: Instant::now(), request: request.clone() };
        self.recorded.lock().unwrap().push(recorded);
        self.changes.announce();
    }

    fn reply_to(&self, request: &Request) -> Reply {
        // The lock ends with this statement, before the handler runs.
        let handler = self.routes.lock().unwrap().get(&request.path).cloned();
        match handler {
            Some(handler) => handler(request),
            None => Reply::status(404).body("no such route"),
        }
    }
}

fn summary(recorded: &Recorded) -> String {
    format!("{} {}", recorded.method, recorded.path)
}

fn next_reply(replies: &Mutex<VecDeque<Reply>>) -> Reply {
    let mut replies = replies.lock().unwrap();
    if replies.len() > 1 {
        return replies.pop_front().unwrap();
    }
    replies.front().unwrap().clone()
}

/// Serves the one request of a connection.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    shared.record(&request);
    let reply = shared.reply_to(&request);
    // A client that does not stay for the whole answer is part of many tests.
    let _ = reply.send(&mut stream, &request.method).await;
}

/// Waits until the client closes its side.
async fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Reads a request; there is none when the client leaves early or does not speak HTTP.
async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let first = String::from_utf8(read_line(&mut reader).await?).ok()?;
    let (method, rest) = first.split_once(' ')?;
    let (target, _version) = rest.rsplit_once(' ')?;
    let raw_headers = read_headers(&mut reader).await?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers: raw_headers.iter().map(readable).collect(),
        raw_headers,
        body: Vec::new(),
    };
    request.body = vec![0; body_length(&request)];
    reader.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

fn readable((name, value): &(String, Vec<u8>)) -> (String, String) {
    (name.clone(), String::from_utf8_lossy(value).into_owned())
}

fn body_length(request: &Request) -> usize {
    assert!(
        request.header("Transfer-Encoding").is_none(),
        "the test server reads a request's body by its Content-Length only"
    );
    let length = request.header("Content-Length");
    length.map_or(0, |length| length.parse().unwrap())
}

async fn read_headers(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<(String, Vec<u8>)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader).await?;
        if line.is_empty() {
            return Some(headers);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8(line[..colon].to_vec()).ok()?;
        headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
}

/// Reads a line without its end; there is none when the connection closes before that.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await.ok()?;
    let line = line.strip_suffix(b"\n")?;
    Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}
