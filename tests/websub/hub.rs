//! A hub that does as it is told, and the plainest HTTP client there is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::hmac;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use super::support::Changes;
use super::support::http::{FeedServer, Reply, Request, handler};

/// What a subscriber asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub mode: String,
    pub topic: String,
    pub callback: String,
    pub secret: Option<String>,
    pub lease: Option<String>,
    /// Where it was asked.
    pub path: String,
}

/// What a hub states as the lease of a topic.
type Leases = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How the hub behaves.
#[derive(Clone)]
pub struct Manners {
    /// What it states as the lease.
    pub lease: Leases,
    /// Whether it asks back by itself.
    pub verifies: bool,
}

/// An answer of the subscriber's.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

pub struct Hub {
    pub server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    manners: Mutex<Manners>,
    asked: Mutex<Vec<Asked>>,
    /// What subscribers confirmed, the latest last.
    held: Mutex<Vec<Asked>>,
    changes: Changes,
}

impl Hub {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            manners: Mutex::new(Manners { lease: stated(Some("864000")), verifies: true }),
            asked: Mutex::default(),
            held: Mutex::default(),
            changes: Changes::default(),
        });
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route("/hub", handler(move |request| for_requests.take(request)));
        Self { server, shared }
    }

    pub fn url(&self) -> String {
        self.server.url("/hub")
    }

    /// Another place at which it takes requests.
    pub fn open(&self, path: &str) {
        let shared = self.shared.clone();
        self.server.route(path, handler(move |request| shared.take(request)));
    }

    pub fn behave(&self, lease: Option<&str>, verifies: bool) {
        let lease = stated(lease);
        *self.shared.manners.lock().unwrap() = Manners { lease, verifies };
    }

    /// States a lease for each topic.
    pub fn lend(&self, lease: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        let lease: Leases = Arc::new(lease);
        *self.shared.manners.lock().unwrap() = Manners { lease, verifies: true };
    }

    pub fn asked(&self, mode: &str) -> Vec<Asked> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.mode == mode).cloned().collect()
    }

    pub fn held(&self) -> Vec<Asked> {
        self.shared.held.lock().unwrap().clone()
    }

    /// The latest that was confirmed for a topic.
    pub fn held_for(&self, topic: &str) -> Option<Asked> {
        let held = self.shared.held.lock().unwrap();
        held.iter().rev().find(|asked| asked.topic == topic).cloned()
    }

    pub async fn wait_asked(&self, mode: &str, n: usize) -> Vec<Asked> {
        let look = || Some(self.asked(mode)).filter(|asked| asked.len() >= n);
        let missing = || format!("asked {n} times to {mode}: {:?}", self.shared.asked.lock());
        self.shared.changes.wait(look, missing).await
    }

    /// Waits until the n-th subscription is confirmed, and returns the latest.
    pub async fn wait_held(&self, n: usize) -> Asked {
        let look = || {
            let held = self.held();
            (held.len() >= n).then(|| held.last().cloned()).flatten()
        };
        let missing = || format!("{n} confirmed, asked: {:?}", self.shared.asked.lock());
        self.shared.changes.wait(look, missing).await
    }

    /// Asks back for a request.
    pub async fn verify(&self, asked: &Asked, changes: &[(&str, &str)]) -> Answer {
        self.shared.verify(asked, changes).await
    }
}

fn stated(lease: Option<&str>) -> Leases {
    let lease = lease.map(str::to_owned);
    Arc::new(move |_| lease.clone())
}

impl Shared {
    fn take(self: &Arc<Self>, request: &Request) -> Reply {
        let mut asked = Asked { path: request.path.clone(), ..Asked::default() };
        for (name, value) in url::form_urlencoded::parse(&request.body) {
            let value = value.into_owned();
            match &*name {
                "hub.mode" => asked.mode = value,
                "hub.topic" => asked.topic = value,
                "hub.callback" => asked.callback = value,
                "hub.secret" => asked.secret = Some(value),
                "hub.lease_seconds" => asked.lease = Some(value),
                _ => {}
            }
        }
        let form = request.header("Content-Type") == Some("application/x-www-form-urlencoded");
        if request.method != "POST" || !form || asked.mode.is_empty() {
            return Reply::status(400);
        }
        self.asked.lock().unwrap().push(asked.clone());
        self.changes.announce();
        if self.manners.lock().unwrap().verifies {
            let shared = self.clone();
            tokio::spawn(async move { shared.verify(&asked, &[]).await });
        }
        Reply::status(202)
    }

    async fn verify(&self, asked: &Asked, changes: &[(&str, &str)]) -> Answer {
        let lease = self.manners.lock().unwrap().lease.clone();
        let lease = lease(&asked.topic);
        let mut fields = vec![
            ("hub.mode", asked.mode.clone()),
            ("hub.topic", asked.topic.clone()),
            ("hub.challenge", "a challenge + 1".to_owned()),
        ];
        fields.extend(lease.map(|lease| ("hub.lease_seconds", lease)));
        for (name, value) in changes {
            fields.retain(|(other, _)| other != name);
            if !value.is_empty() {
                fields.push((name, (*value).to_owned()));
            }
        }
        let challenge = fields.iter().find(|(name, _)| *name == "hub.challenge").cloned();
        let mut url = Url::parse(&asked.callback).unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        let answer = get(&url).await;
        let echoed = challenge.is_some_and(|(_, challenge)| answer.body == challenge);
        if answer.status / 100 == 2 && echoed && asked.mode == "subscribe" {
            self.held.lock().unwrap().push(asked.clone());
            self.changes.announce();
        }
        answer
    }
}

/// `sha256=…` and so on.
pub fn sign(method: &str, secret: &str, body: &[u8]) -> String {
    let algorithm = match method {
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{method}={digits}")
}

/// Brings a document, signed.
pub async fn push(to: &Asked, body: &str) -> Answer {
    let signature = sign("sha256", to.secret.as_deref().unwrap(), body.as_bytes());
    post(to, body.as_bytes(), &[("X-Hub-Signature", &signature)]).await
}

/// Brings a document with these lines in the header.
pub async fn post(to: &Asked, body: &[u8], lines: &[(&str, &str)]) -> Answer {
    let url = Url::parse(&to.callback).unwrap();
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/rss+xml\r\n\
         Content-Length: {}\r\n",
        url.path(),
        url.authority(),
        body.len()
    );
    for (name, value) in lines {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let bytes = [head.as_bytes(), b"\r\n", body].concat();
    exchange(address(&url), &bytes).await
}

pub async fn get(url: &Url) -> Answer {
    let target = &url[url::Position::BeforePath..];
    let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", url.authority());
    exchange(address(url), head.as_bytes()).await
}

pub fn address(url: &Url) -> SocketAddr {
    url.socket_addrs(|| None).unwrap()[0]
}

/// Status 0 stands for "no answer".
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        // A refusal may come before all is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
    };
    tokio::time::timeout(Duration::from_secs(15), talk).await.ok().flatten().unwrap_or_default()
}
