//! A relay with STARTTLS and a login that fails at one stage, in one way.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::cell::{Cell, Fault, LONG, Stage};

/// Small, so that what the relay got rid of is what the client took.
const SEND_BUFFER: u32 = 64 << 10;
/// A line of another protocol, bytes of none, and codes that there are not.
const GARBAGE: [&[u8]; 4] = [
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    b"\x00\xff\xfe\x80\x9c\r\n",
    b"999 more than there is\r\n",
    b"2x0 fine\r\n250 fine\r\n",
];

/// A mail that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub id: String,
    /// The relay has it now.
    pub kept: bool,
    /// The client was told so.
    pub told: bool,
}

/// What the relay saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub connections: usize,
    /// How often the fault was met.
    pub faults: usize,
    pub mails: Vec<Mail>,
    /// The longest that a client waited for a stalled answer.
    pub longest_stall: Duration,
    /// The most that a client took of a long line.
    pub taken: usize,
    /// What no client should do.
    pub complaints: Vec<String>,
}

struct Shared {
    cell: Cell,
    acceptor: TlsAcceptor,
    seen: Mutex<Seen>,
}

impl Shared {
    fn note<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().unwrap())
    }
}

/// The relay; it ends when it is dropped.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

impl Relay {
    pub fn start(cell: Cell, acceptor: TlsAcceptor) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(SEND_BUFFER).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(64).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { cell, acceptor, seen: Mutex::default() });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, shared.clone()));
        Self { port, shared, _accepting: accepting }
    }

    pub fn seen(&self) -> Seen {
        self.shared.note(|seen| seen.clone())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(stream, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let number = shared.note(|seen| {
        seen.connections += 1;
        seen.connections - 1
    });
    // Connections that break are what this test is about.
    let _ = converse(stream, shared, number).await;
}

async fn converse(stream: TcpStream, shared: Arc<Shared>, number: usize) -> io::Result<()> {
    let mut clear = Talk::new(stream, shared.clone(), number, false);
    clear.answer(Stage::Connect, "220 relay.test ESMTP").await?;
    if clear.listen().await? {
        let stream = shared.acceptor.accept(clear.stream.into_inner()).await?;
        Talk::new(stream, shared, number, true).listen().await?;
    }
    Ok(())
}

/// One connection, before or after its TLS handshake.
struct Talk<S> {
    stream: BufReader<S>,
    shared: Arc<Shared>,
    number: usize,
    encrypted: bool,
    logged_in: bool,
    begun: bool,
    to: Option<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(stream: S, shared: Arc<Shared>, number: usize, encrypted: bool) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, shared, number, encrypted, logged_in: false, begun: false, to: None }
    }

    /// Follows commands; true when TLS is to begin.
    async fn listen(&mut self) -> io::Result<bool> {
        while let Some(line) = self.line().await? {
            let verb = line.split(' ').next().unwrap_or_default();
            match verb {
                "EHLO" => drop(self.answer(Stage::Ehlo, self.capabilities()).await?),
                "STARTTLS" if !self.encrypted => {
                    if self.answer(Stage::StartTls, "220 2.0.0 Go ahead").await? {
                        return Ok(true);
                    }
                }
                "AUTH" if self.encrypted => {
                    self.logged_in = self.answer(Stage::Auth, "235 2.7.0 Welcome").await?;
                }
                "MAIL" if self.logged_in && !self.begun => {
                    self.begun = self.answer(Stage::Mail, "250 2.1.0 Fine").await?;
                }
                "RCPT" if self.begun && self.to.is_none() => self.rcpt(&line).await?,
                "DATA" if self.to.is_some() => self.data().await?,
                "QUIT" => {
                    self.say("221 2.0.0 Goodbye").await?;
                    self.stream.shutdown().await?;
                    return Ok(false);
                }
                _ => self.complain(line).await?,
            }
        }
        Ok(false)
    }

    fn capabilities(&self) -> &'static str {
        if self.encrypted {
            "250-relay.test\r\n250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8"
        } else {
            "250-relay.test\r\n250-STARTTLS\r\n250 SMTPUTF8"
        }
    }

    async fn complain(&mut self, line: String) -> io::Result<()> {
        self.shared.note(|seen| seen.complaints.push(line));
        self.say("503 5.5.1 Not now").await
    }

    async fn rcpt(&mut self, line: &str) -> io::Result<()> {
        if self.answer(Stage::Rcpt, "250 2.1.5 Fine").await? {
            let address = line.split(['<', '>']).nth(1).unwrap_or_default();
            self.to = Some(address.to_owned());
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        if !self.answer(Stage::Data, "354 Go ahead").await? {
            return Ok(());
        }
        let bytes = self.read_mail().await?;
        let parsed = MessageParser::default().parse(&bytes);
        let id = parsed.as_ref().and_then(|mail| mail.message_id()).unwrap_or_default();
        let (told, cell) = (!self.is_spoilt(Stage::Dot), self.shared.cell);
        let mail = Mail {
            to: self.to.take().unwrap_or_default(),
            id: id.to_owned(),
            kept: told || cell.keeps(self.number),
            told,
        };
        // Noted before it is answered: who has the answer finds the mail.
        self.shared.note(|seen| seen.mails.push(mail));
        self.begun = false;
        self.answer(Stage::Dot, "250 2.0.0 Kept").await.map(drop)
    }

    async fn read_mail(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n.\r\n") {
            if self.stream.read_until(b'\n', &mut bytes).await? == 0 {
                return Err(gone());
            }
        }
        Ok(bytes)
    }

    fn is_spoilt(&self, stage: Stage) -> bool {
        let cell = self.shared.cell;
        // There are two EHLOs, and half of the connections fail at the second.
        let here = stage != Stage::Ehlo || self.encrypted != self.number.is_multiple_of(2);
        cell.stage == stage && here && cell.spoils(self.number)
    }

    /// Half of the handshakes break off after STARTTLS was accepted.
    fn breaks_handshake(&self, stage: Stage) -> bool {
        let breaks = matches!(self.shared.cell.fault, Fault::Drop | Fault::Stall | Fault::Garbage);
        stage == Stage::StartTls && breaks && !self.number.is_multiple_of(2)
    }

    /// Answers as usual, or not; true when the client may go on.
    async fn answer(&mut self, stage: Stage, usual: &str) -> io::Result<bool> {
        if !self.is_spoilt(stage) {
            return self.say(usual).await.map(|()| true);
        }
        self.shared.note(|seen| seen.faults += 1);
        let breaks_handshake = self.breaks_handshake(stage);
        if breaks_handshake {
            self.say(usual).await?;
        }
        self.misbehave(stage).await?;
        if breaks_handshake {
            self.until_closed().await?;
        }
        Ok(false)
    }

    /// Fails when the connection is over.
    async fn misbehave(&mut self, stage: Stage) -> io::Result<()> {
        match self.shared.cell.fault {
            Fault::Transient => self.say("451 4.3.0 Try later").await,
            Fault::Permanent => self.say("554 5.7.1 Never").await,
            Fault::Closing => {
                self.say("421 4.3.2 Closing").await?;
                Err(gone())
            }
            Fault::Drop => Err(gone()),
            Fault::Stall => self.until_closed().await,
            Fault::Garbage => self.put(GARBAGE[self.number % GARBAGE.len()]).await,
            Fault::LongLine => self.say_much(stage.usual_code()).await,
        }
    }

    /// A good answer, but for its length.
    async fn say_much(&mut self, code: &str) -> io::Result<()> {
        self.put(format!("{code} ").as_bytes()).await?;
        let piece = vec![b'x'; 16 << 10];
        for taken in (0..LONG).step_by(piece.len()) {
            self.shared.note(|seen| seen.taken = seen.taken.max(taken));
            self.put(&piece).await?;
        }
        self.shared.note(|seen| seen.taken = LONG);
        self.put(b"\r\n").await
    }

    async fn until_closed(&mut self) -> io::Result<()> {
        let (start, mut ignored) = (Instant::now(), [0; 1024]);
        while self.stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
        let waited = start.elapsed();
        self.shared.note(|seen| seen.longest_stall = seen.longest_stall.max(waited));
        Err(gone())
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.put(format!("{reply}\r\n").as_bytes()).await
    }

    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// A command; none once the client has left.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).await?;
        Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
    }
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
