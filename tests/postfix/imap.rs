//! A mailbox as its reader sees it: as much IMAP (RFC 3501) as it takes to fetch all mail, to
//! wait for more (IDLE, RFC 2177) and to have it put into threads (RFC 5256).

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server on the same machine answers within this time.
const LIMIT: Duration = Duration::from_secs(30);

/// Who reads which mailbox.
pub(crate) struct Mailbox {
    port: u16,
    tls: TlsConnector,
    user: &'static str,
    password: &'static str,
}

/// A mail as it is kept.
pub(crate) struct Kept {
    pub(crate) uid: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Mailbox {
    pub(crate) fn new(port: u16, ca: &str, user: &'static str, password: &'static str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { port, tls: TlsConnector::from(Arc::new(config)), user, password }
    }

    /// All mail, in the order of arrival.
    pub(crate) async fn mails(&self) -> Vec<Kept> {
        let mut session = self.open().await;
        if session.count == 0 {
            return Vec::new();
        }
        let answers = session.command("UID FETCH 1:* (UID BODY.PEEK[])").await;
        let fetched = answers.into_iter().filter(|answer| answer.line.contains(" FETCH "));
        let kept = |answer: Answer| {
            let (_, uid) = answer.line.split_once("UID ").unwrap();
            let uid = uid.split_whitespace().next().unwrap().parse().unwrap();
            let bytes = answer.literals.into_iter().next().expect("a mail is a literal");
            Kept { uid, bytes }
        };
        fetched.map(kept).collect()
    }

    /// Waits until there are so many mails; the server says when one comes.
    pub(crate) async fn wait_for(&self, count: usize, limit: Duration) {
        let mut session = self.open().await;
        if session.count >= count {
            return;
        }
        session.send("IDLE").await;
        let arrival = async {
            while session.count < count {
                session.read().await;
            }
        };
        if tokio::time::timeout(limit, arrival).await.is_err() {
            panic!("{} of {count} mails came in {limit:?}", session.count);
        }
    }

    /// The mails' numbers, thread by thread, as the server finds them by their references.
    pub(crate) async fn threads(&self) -> Vec<Vec<u32>> {
        let mut session = self.open().await;
        let answers = session.command("UID THREAD REFERENCES UTF-8 ALL").await;
        let line = answers.into_iter().find_map(|answer| {
            answer.line.strip_prefix("* THREAD ").map(|threads| threads.trim().to_owned())
        });
        parse_threads(&line.expect("an answer to THREAD"))
    }

    async fn open(&self) -> Session {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.tls.connect(name, stream).await.unwrap();
        let mut session = Session { stream: BufReader::new(stream), tag: 0, count: 0 };
        session.read_in_time().await;
        // LOGIN has no words for a password beyond ASCII (RFC 4616, RFC 4959).
        let secret = STANDARD.encode(format!("\0{}\0{}", self.user, self.password));
        session.command(&format!("AUTHENTICATE PLAIN {secret}")).await;
        session.command("SELECT INBOX").await;
        session
    }
}

/// The outermost brackets are the threads; those within say who answers whom.
fn parse_threads(line: &str) -> Vec<Vec<u32>> {
    let (mut threads, mut depth) = (Vec::new(), 0);
    for part in line.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        match part {
            "(" if depth == 0 => {
                threads.push(Vec::new());
                depth = 1;
            }
            "(" => depth += 1,
            ")" => depth -= 1,
            number => threads.last_mut().unwrap().push(number.parse().unwrap()),
        }
    }
    threads
}

/// One connection, with the mailbox selected.
struct Session {
    stream: BufReader<TlsStream<TcpStream>>,
    tag: u32,
    /// How many mails the server has told of.
    count: usize,
}

/// One answer of the server: its line, and the literals that stood in it.
struct Answer {
    line: String,
    literals: Vec<Vec<u8>>,
}

impl Session {
    /// Sends a command and reads up to the end of its answer.
    async fn command(&mut self, command: &str) -> Vec<Answer> {
        let tag = self.send(command).await;
        let mut answers = Vec::new();
        loop {
            let answer = self.read_in_time().await;
            if let Some(end) = answer.line.strip_prefix(&tag) {
                assert!(end.starts_with(" OK"), "{command}: {end}");
                return answers;
            }
            answers.push(answer);
        }
    }

    async fn send(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
        tag
    }

    async fn read_in_time(&mut self) -> Answer {
        let answer = tokio::time::timeout(LIMIT, self.read()).await;
        answer.expect("the IMAP server answers in time")
    }

    async fn read(&mut self) -> Answer {
        let mut answer = Answer { line: String::new(), literals: Vec::new() };
        loop {
            let read = self.stream.read_line(&mut answer.line).await.unwrap();
            assert!(read > 0, "the IMAP server hung up after {:?}", answer.line);
            let Some(length) = literal_length(&answer.line) else { break };
            let mut literal = vec![0; length];
            self.stream.read_exact(&mut literal).await.unwrap();
            answer.literals.push(literal);
        }
        let exists = answer.line.trim_end().strip_suffix(" EXISTS");
        if let Some(count) = exists.and_then(|line| line.strip_prefix("* ")) {
            self.count = count.parse().unwrap();
        }
        answer
    }
}

/// How many bytes follow a line that ends with `{17}`.
fn literal_length(line: &str) -> Option<usize> {
    let (_, length) = line.trim_end_matches(['\r', '\n']).strip_suffix('}')?.rsplit_once('{')?;
    length.parse().ok()
}
