//! Servers that repeat whatever they are sent, each in a way of its own; and two that behave.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::search::{STEM, Search};
use super::support::smtp::{SmtpSink, Stage, Tls};
use super::support::tls::TestCa;
use super::support::{Server, closed_addr};

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Answers with this status; header and body repeat the request.
    Status(u16),
    /// Redirects to an address that repeats the request.
    Redirect(u16),
    /// A web page with the request in its title.
    Page,
    /// A feed that does not end, with the request in it.
    Cut,
    /// News.
    News,
    /// Takes whatever comes.
    Yes,
}

/// Ways in which servers fail; those without a server are places where none can be reached.
pub(crate) const BAD: [(&str, Option<Way>); 11] = [
    ("closed", None),
    ("tls", None),
    ("s400", Some(Way::Status(400))),
    ("s401", Some(Way::Status(401))),
    ("s407", Some(Way::Status(407))),
    ("s500", Some(Way::Status(500))),
    ("s200", Some(Way::Status(200))),
    ("r302", Some(Way::Redirect(302))),
    ("r301", Some(Way::Redirect(301))),
    ("page", Some(Way::Page)),
    ("cut", Some(Way::Cut)),
];

pub(crate) struct Town {
    servers: Vec<(&'static str, Server)>,
    closed: u16,
    heard: Arc<Mutex<String>>,
    pub(crate) ca: TestCa,
    /// Takes mails after a login.
    pub(crate) post: SmtpSink,
    /// Refuses the login, and repeats it.
    pub(crate) parrot: SmtpSink,
}

impl Town {
    pub(crate) async fn build() -> Self {
        let heard = Arc::new(Mutex::new(String::new()));
        let mut servers = Vec::new();
        let good = [("news", Some(Way::News)), ("yes", Some(Way::Yes))];
        for (name, way) in BAD.into_iter().chain(good) {
            let Some(way) = way else { continue };
            let heard = Arc::clone(&heard);
            // At every address of this machine, so that each feed may have a host of its own.
            let serve = move |stream| converse(stream, way, Arc::clone(&heard));
            servers.push((name, Server::start_at(Ipv4Addr::UNSPECIFIED.into(), serve).await));
        }
        let ca = TestCa::new();
        let mail = || SmtpSink::builder().tls(Tls::Implicit, ca.acceptor());
        let post = mail().auth("desk", &password("post")).start().await;
        let parrot = mail().auth("desk", &password("parrot")).start().await;
        let plain = BASE64_STANDARD.encode(format!("\0desk\0{}", password("parrot")));
        let said = format!("535 5.7.8 {} is wrong, and so is {plain}", password("parrot"));
        parrot.script(Stage::Auth, vec![said.as_str().into(); 50]);
        Self { servers, closed: closed_addr().port(), heard, ca, post, parrot }
    }

    /// The scheme and port of a server.
    pub(crate) fn place(&self, name: &str) -> (&'static str, u16) {
        if name == "closed" {
            return ("http", self.closed);
        }
        let (scheme, name) = if name == "tls" { ("https", "s400") } else { ("http", name) };
        let found = self.servers.iter().find(|(known, _)| *known == name);
        (scheme, found.expect("a server of that name").1.addr().port())
    }

    /// Kinds of secrets that reached nobody: for these the search proves nothing.
    pub(crate) fn missing(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let basic = BASE64_STANDARD.encode(format!("desk:{}", password("basic")));
        let proxy = BASE64_STANDARD.encode(format!("desk:{}", password("proxy")));
        let plain = ["bearer", "cookie", "header", "query", "path", "ping", "chat"];
        let plain = plain.iter().map(|kind| password(kind));
        let missing = |needle: &String| !heard.contains(needle.as_str());
        let mut all: Vec<String> = plain.chain([basic, proxy]).filter(missing).collect();
        for (name, sink) in [("post", &self.post), ("parrot", &self.parrot)] {
            if !sink.commands().iter().any(|command| command.starts_with("AUTH")) {
                all.push(name.to_owned());
            }
        }
        all
    }

    /// Whether operators were told of feeds.
    pub(crate) fn told_of_feeds(&self) -> bool {
        let heard = self.heard.lock().unwrap();
        let mut told = heard.split('\u{1e}').filter(|one| one.contains("/ear"));
        told.any(|one| one.contains("\r\n\r\n") && !one.contains("\"alert.raised\""))
    }

    /// What people were told.
    pub(crate) fn letters(&self, search: &mut Search) {
        let mails = self.post.accepted();
        assert!(!mails.is_empty(), "mails arrived");
        for mail in mails {
            search.text("a mail", &mail.data);
        }
        let heard = self.heard.lock().unwrap();
        let told: Vec<&str> = heard.split('\u{1e}').filter(|one| one.contains("/ear")).collect();
        for one in told {
            let body = one.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            search.text("a webhook", body.as_bytes());
        }
    }
}

/// The secret of a kind.
pub(crate) fn password(kind: &str) -> String {
    format!("{STEM}{kind}")
}

const NEWS: &str = "<rss version=\"2.0\"><channel><title>News</title><item><guid>1</guid>\
    <title>A marker is set</title><link>https://news.example.org/1</link>\
    <description>Text.</description></item></channel></rss>";

async fn converse(mut stream: TcpStream, way: Way, heard: Arc<Mutex<String>>) {
    let Some(request) = read(&mut stream).await else { return };
    heard.lock().unwrap().push_str(&format!("{request}\u{1e}"));
    let flat = request.replace(['\r', '\n'], " ");
    let echo: String = flat.chars().take(1500).collect();
    let (status, more, body) = match way {
        Way::Status(status) => {
            let more = format!("WWW-Authenticate: Basic realm=\"{}\"", echo.replace('"', "'"));
            (status, more, format!("wrong: {echo}"))
        }
        Way::Redirect(status) => {
            let coded: String = url::form_urlencoded::byte_serialize(echo.as_bytes()).collect();
            let kept: String =
                echo.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            (status, format!("Location: /again/{kept}?got={coded}"), String::new())
        }
        Way::Page => {
            let body = format!("<html><head><title>{echo}</title></head>{echo}</html>");
            (200, "Content-Type: text/html".to_owned(), body)
        }
        Way::Cut => {
            let start = "<rss version=\"2.0\"><channel><title>";
            (200, "Transfer-Encoding: chunked".to_owned(), format!("5\r\n{start}{echo}"))
        }
        Way::News => (200, "Content-Type: text/xml".to_owned(), NEWS.to_owned()),
        Way::Yes => (200, String::new(), "ok".to_owned()),
    };
    let length = format!("Content-Length: {}\r\n", body.len());
    let length = if way == Way::Cut { "" } else { &length };
    let more = if more.is_empty() { more } else { format!("{more}\r\n") };
    let head = format!("HTTP/1.1 {status} \r\nConnection: close\r\n{length}{more}\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A whole request as text, or nothing of what is none.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes.first() == Some(&0x16) {
            return None;
        }
    }
}
