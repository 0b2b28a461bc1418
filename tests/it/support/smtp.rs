//! A mail server that keeps what it receives and fails where a test tells it to.
//!
//! It speaks enough SMTP for a submission client: EHLO, STARTTLS, AUTH PLAIN and LOGIN, and the
//! mail transaction with pipelining. It is strict about the order of commands, so that a client
//! which skips a step is told so instead of being humoured.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Changes, Server};

/// When the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "STARTTLS is what the command is called")]
pub enum Tls {
    /// Never.
    None,
    /// After the STARTTLS command.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A point in the dialogue whose answer can be scripted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The greeting of a new connection, after the handshake where TLS is implicit.
    Connect,
    /// The EHLO command; HELO is not scripted.
    Ehlo,
    /// The STARTTLS command.
    StartTls,
    /// The end of an AUTH exchange, once the credentials have been sent.
    Auth,
    /// The MAIL command.
    Mail,
    /// Each RCPT command.
    Rcpt,
    /// The DATA command.
    Data,
    /// The end of the message.
    Dot,
}

/// What happens at a stage in place of the normal answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Sends this reply, whose lines are separated by `\n`. A code of 2xx or 3xx lets the stage
    /// succeed, any other makes it fail, and 421 also closes the connection.
    Reply(String),
    /// Closes the connection without a reply.
    Drop,
    /// At [`Stage::Dot`], accepts the message but closes the connection without saying so.
    /// Elsewhere it is the same as [`Fault::Drop`].
    DropAfterAccept,
    /// Never replies; the connection stays open until the client gives up.
    Hang,
    /// At [`Stage::Dot`], accepts the message but never says so. Elsewhere it is the same as
    /// [`Fault::Hang`].
    HangAfterAccept,
}

/// Decides at the final dot of each message, in place of the script of that stage: what goes
/// wrong, and how long the answer takes.
pub type Judge = Arc<dyn Fn(&str, &[u8]) -> (Option<Fault>, Duration) + Send + Sync>;

impl From<&str> for Fault {
    fn from(reply: &str) -> Self {
        Self::Reply(reply.to_owned())
    }
}

impl From<String> for Fault {
    fn from(reply: String) -> Self {
        Self::Reply(reply)
    }
}

/// A message that was sent to its end.
#[derive(Clone, Debug)]
pub struct Message {
    /// The address of the MAIL command.
    pub mail_from: String,
    /// The parameters of the MAIL command, such as `BODY=8BITMIME`.
    pub mail_params: Vec<String>,
    /// The recipients that were accepted, in order.
    pub rcpt_to: Vec<String>,
    /// The message as sent, without dot-stuffing and without the final dot.
    pub data: Vec<u8>,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// The user who had authenticated on the connection.
    pub authenticated_as: Option<String>,
    /// Whether the server took responsibility for the message.
    pub accepted: bool,
}

/// The choices that a sink is started with.
pub struct Builder {
    tls: Tls,
    acceptor: Option<TlsAcceptor>,
    login: Option<(String, String)>,
    judge: Option<Judge>,
}

impl Builder {
    /// Encrypts connections in this mode, with the certificate of this acceptor.
    #[must_use]
    pub fn tls(mut self, mode: Tls, acceptor: TlsAcceptor) -> Self {
        self.tls = mode;
        self.acceptor = Some(acceptor);
        self
    }

    /// Requires clients to authenticate before they send mail.
    #[must_use]
    pub fn auth(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Asks this at the end of each message; it is given the sender and the data.
    #[must_use]
    pub fn judge(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// Starts the server.
    pub async fn start(self) -> SmtpSink {
        let shared = Arc::new(Shared {
            tls: self.tls,
            acceptor: self.acceptor,
            login: self.login,
            judge: self.judge,
            state: Mutex::default(),
            changes: Changes::default(),
        });
        let for_connections = shared.clone();
        let server = Server::start(move |stream| serve(stream, for_connections.clone())).await;
        SmtpSink { server, shared }
    }
}

/// A mail server that keeps its messages for the test.
pub struct SmtpSink {
    server: Server,
    shared: Arc<Shared>,
}

impl SmtpSink {
    /// Starts a server without TLS and without authentication.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Prepares a server, at first without TLS and without authentication.
    pub fn builder() -> Builder {
        Builder { tls: Tls::None, acceptor: None, login: None, judge: None }
    }

    /// The address the server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The port the server listens on.
    pub fn port(&self) -> u16 {
        self.addr().port()
    }

    /// Adds faults to a stage. They are consumed in order; after them the stage is normal.
    pub fn script(&self, stage: Stage, faults: Vec<Fault>) {
        let mut state = self.shared.state.lock().unwrap();
        state.script.entry(stage).or_default().extend(faults);
    }

    /// Answers every RCPT for an address with this reply, before any script for that stage.
    pub fn refuse(&self, address: &str, reply: &str) {
        let mut state = self.shared.state.lock().unwrap();
        let address = address.to_ascii_lowercase();
        state.refused.insert(address, reply.to_owned());
    }

    /// Every message that was sent to its end, accepted or not.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state.lock().unwrap().messages.clone()
    }

    /// The messages that were accepted.
    pub fn accepted(&self) -> Vec<Message> {
        let mut messages = self.messages();
        messages.retain(|message| message.accepted);
        messages
    }

    /// How many connections have been opened.
    pub fn sessions(&self) -> usize {
        self.shared.state.lock().unwrap().sessions
    }

    /// Whether any client tried AUTH on a connection that it should have encrypted first.
    pub fn credentials_sent_in_clear(&self) -> bool {
        self.shared.state.lock().unwrap().credentials_sent_in_clear
    }

    /// The command lines received, over all connections, in the order of arrival.
    pub fn commands(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().commands.clone()
    }

    /// Waits until `n` messages have been accepted and returns these.
    pub async fn wait_for(&self, n: usize) -> Vec<Message> {
        let look = || Some(self.accepted()).filter(|accepted| accepted.len() >= n);
        let missing = || format!("waited for {n} accepted messages, saw {}", self.seen());
        self.shared.changes.wait(look, missing).await
    }

    /// Waits until `n` messages have been sent to their end, accepted or not, and returns these.
    pub async fn wait_for_messages(&self, n: usize) -> Vec<Message> {
        let look = || Some(self.messages()).filter(|messages| messages.len() >= n);
        let missing = || format!("waited for {n} messages, saw {}", self.seen());
        self.shared.changes.wait(look, missing).await
    }

    /// Waits until `n` connections have been opened; the last may not have got anywhere yet.
    pub async fn wait_for_sessions(&self, n: usize) {
        let look = || (self.sessions() >= n).then_some(());
        let missing = || format!("waited for {n} connections, saw {}", self.seen());
        self.shared.changes.wait(look, missing).await;
    }

    /// Ends the server and returns once its port is closed.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    fn seen(&self) -> String {
        format!(
            "{} accepted and {} in all, over {} connections; commands: {:#?}",
            self.accepted().len(),
            self.messages().len(),
            self.sessions(),
            self.commands()
        )
    }
}

/// What the server's connections share with the test.
struct Shared {
    tls: Tls,
    acceptor: Option<TlsAcceptor>,
    login: Option<(String, String)>,
    judge: Option<Judge>,
    state: Mutex<State>,
    changes: Changes,
}

#[derive(Default)]
struct State {
    script: HashMap<Stage, VecDeque<Fault>>,
    refused: HashMap<String, String>,
    messages: Vec<Message>,
    commands: Vec<String>,
    sessions: usize,
    credentials_sent_in_clear: bool,
}

impl Shared {
    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changes.announce();
    }

    /// Takes the next fault of a stage out of the script.
    fn fault(&self, stage: Stage) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        state.script.get_mut(&stage)?.pop_front()
    }

    fn refusal(&self, address: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        state.refused.get(&address.to_ascii_lowercase()).cloned()
    }

    fn acceptor(&self) -> &TlsAcceptor {
        let acceptor = self.acceptor.as_ref();
        acceptor.expect("a sink with TLS has an acceptor")
    }
}

/// Serves one connection.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    shared.update(|state| state.sessions += 1);
    // A client that breaks the connection, or refuses the certificate, is part of many tests.
    let _ = match shared.tls {
        Tls::Implicit => serve_encrypted(stream, shared).await,
        Tls::None | Tls::StartTls => serve_plain(stream, shared).await,
    };
}

async fn serve_encrypted(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let stream = shared.acceptor().accept(stream).await?;
    let mut session = Session::new(stream, shared, true);
    if session.greet().await? == Flow::Continue {
        session.run().await?;
    }
    Ok(())
}

async fn serve_plain(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut session = Session::new(stream, shared.clone(), false);
    if session.greet().await? == Flow::Continue && session.run().await? == Flow::Upgrade {
        // The new session knows nothing of the old one, which is the reset that STARTTLS asks
        // for. Commands that a client sent too early are lost with the old buffer.
        let stream = session.stream.into_inner();
        let stream = shared.acceptor().accept(stream).await?;
        Session::new(stream, shared, true).run().await?;
    }
    Ok(())
}

/// What a command means for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Close,
    Upgrade,
}

/// How a stage went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Gone,
}

impl Outcome {
    fn flow(self) -> Flow {
        match self {
            Self::Passed | Self::Failed => Flow::Continue,
            Self::Gone => Flow::Close,
        }
    }
}

/// A mail transaction between MAIL and the final dot.
struct Transaction {
    mail_from: String,
    mail_params: Vec<String>,
    rcpt_to: Vec<String>,
}

/// One connection, from the greeting or from the TLS handshake on.
struct Session<S> {
    shared: Arc<Shared>,
    stream: BufReader<S>,
    tls: bool,
    /// The greeting turned the client away, so that it may only leave.
    turned_away: bool,
    introduced: bool,
    user: Option<String>,
    transaction: Option<Transaction>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S, shared: Arc<Shared>, tls: bool) -> Self {
        Self {
            shared,
            stream: BufReader::new(stream),
            tls,
            turned_away: false,
            introduced: false,
            user: None,
            transaction: None,
        }
    }

    async fn greet(&mut self) -> io::Result<Flow> {
        let outcome = self.answer(Stage::Connect, "220 sink.test ESMTP").await?;
        self.turned_away = outcome == Outcome::Failed;
        Ok(outcome.flow())
    }

    async fn run(&mut self) -> io::Result<Flow> {
        loop {
            let Some(line) = self.read_line().await? else {
                return Ok(Flow::Close);
            };
            self.shared.update(|state| state.commands.push(line.clone()));
            let flow = self.command(&line).await?;
            if flow != Flow::Continue {
                return Ok(flow);
            }
        }
    }

    async fn command(&mut self, line: &str) -> io::Result<Flow> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "QUIT" => self.quit().await,
            _ if self.turned_away => self.say("503 5.5.1 No service here").await,
            "EHLO" => self.ehlo().await,
            "HELO" => self.helo().await,
            "STARTTLS" => self.starttls().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data().await,
            "RSET" => self.rset().await,
            "NOOP" => self.say("250 2.0.0 Fine").await,
            _ => self.say("500 5.5.2 Unknown command").await,
        }
    }

    async fn quit(&mut self) -> io::Result<Flow> {
        self.say("221 2.0.0 Goodbye").await?;
        // Over TLS this says that the end is meant, which an abrupt close does not.
        self.stream.shutdown().await?;
        Ok(Flow::Close)
    }

    async fn ehlo(&mut self) -> io::Result<Flow> {
        self.transaction = None;
        let capabilities = self.capabilities();
        let outcome = self.answer(Stage::Ehlo, &capabilities).await?;
        self.introduced = outcome == Outcome::Passed;
        Ok(outcome.flow())
    }

    fn capabilities(&self) -> String {
        let mut lines = String::from("250-sink.test\n250-PIPELINING\n250-8BITMIME\n");
        if self.shared.tls == Tls::StartTls && !self.tls {
            lines.push_str("250-STARTTLS\n");
        }
        if self.shared.login.is_some() && !self.lacks_tls() {
            lines.push_str("250-AUTH PLAIN LOGIN\n");
        }
        lines + "250 SMTPUTF8"
    }

    /// Whether the connection is in clear although the server offers TLS.
    fn lacks_tls(&self) -> bool {
        self.shared.tls != Tls::None && !self.tls
    }

    async fn helo(&mut self) -> io::Result<Flow> {
        self.transaction = None;
        self.introduced = true;
        self.say("250 sink.test").await
    }

    async fn rset(&mut self) -> io::Result<Flow> {
        self.transaction = None;
        self.say("250 2.0.0 Forgotten").await
    }

    async fn starttls(&mut self) -> io::Result<Flow> {
        if self.shared.tls != Tls::StartTls || self.tls {
            return self.say("503 5.5.1 STARTTLS is not offered").await;
        }
        let outcome = self.answer(Stage::StartTls, "220 2.0.0 Go ahead").await?;
        match outcome {
            Outcome::Passed => Ok(Flow::Upgrade),
            Outcome::Failed | Outcome::Gone => Ok(outcome.flow()),
        }
    }

    async fn auth(&mut self, rest: &str) -> io::Result<Flow> {
        if self.lacks_tls() {
            self.shared.update(|state| state.credentials_sent_in_clear = true);
            return self.say("538 5.7.11 Encryption is required").await;
        }
        let Some(login) = self.shared.login.clone() else {
            return self.say("502 5.5.1 AUTH is not offered").await;
        };
        if !self.introduced || self.user.is_some() || self.transaction.is_some() {
            return self.say("503 5.5.1 AUTH is out of order").await;
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let credentials = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => self.auth_plain(initial).await?,
            "LOGIN" => self.auth_login(initial).await?,
            _ => return self.say("504 5.5.4 Unknown mechanism").await,
        };
        let Some(credentials) = credentials else {
            return self.say("501 5.5.2 Malformed credentials").await;
        };
        self.judge(credentials, &login).await
    }

    async fn judge(
        &mut self,
        credentials: (String, String),
        login: &(String, String),
    ) -> io::Result<Flow> {
        let verdict = if credentials == *login {
            "235 2.7.0 Welcome"
        } else {
            "535 5.7.8 Wrong user or password"
        };
        let outcome = self.answer(Stage::Auth, verdict).await?;
        if outcome == Outcome::Passed {
            self.user = Some(credentials.0);
        }
        Ok(outcome.flow())
    }

    /// The user and the password of an AUTH PLAIN exchange, unless they are malformed.
    async fn auth_plain(&mut self, initial: &str) -> io::Result<Option<(String, String)>> {
        let Some(response) = self.response(initial, "334 ").await? else {
            return Ok(None);
        };
        // The first of the three parts, the identity to act for, is not used here.
        let mut parts = response.split('\0').skip(1);
        let (user, password) = (parts.next(), parts.next());
        Ok(user.zip(password).map(|(u, p)| (u.to_owned(), p.to_owned())))
    }

    /// The user and the password of an AUTH LOGIN exchange, unless they are malformed.
    async fn auth_login(&mut self, initial: &str) -> io::Result<Option<(String, String)>> {
        // The prompts are the words "Username:" and "Password:".
        let Some(user) = self.response(initial, "334 VXNlcm5hbWU6").await? else {
            return Ok(None);
        };
        let password = self.response("", "334 UGFzc3dvcmQ6").await?;
        Ok(password.map(|password| (user, password)))
    }

    /// Decodes the client's response, which it is asked for unless it came with the command.
    async fn response(&mut self, initial: &str, prompt: &str) -> io::Result<Option<String>> {
        let line = if initial.is_empty() {
            self.say(prompt).await?;
            self.read_line().await?.unwrap_or_default()
        } else {
            initial.to_owned()
        };
        let decoded = STANDARD.decode(line).ok();
        Ok(decoded.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    async fn mail(&mut self, rest: &str) -> io::Result<Flow> {
        if !self.introduced || self.transaction.is_some() {
            return self.say("503 5.5.1 MAIL is out of order").await;
        }
        if self.shared.login.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 Authentication is required").await;
        }
        let Some((mail_from, mail_params)) = path("FROM:", rest) else {
            return self.say("501 5.5.4 Malformed MAIL").await;
        };
        let outcome = self.answer(Stage::Mail, "250 2.1.0 Sender is fine").await?;
        if outcome == Outcome::Passed {
            self.transaction = Some(Transaction { mail_from, mail_params, rcpt_to: Vec::new() });
        }
        Ok(outcome.flow())
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<Flow> {
        if self.transaction.is_none() {
            return self.say("503 5.5.1 RCPT is out of order").await;
        }
        let Some((address, _)) = path("TO:", rest) else {
            return self.say("501 5.5.4 Malformed RCPT").await;
        };
        let outcome = match self.shared.refusal(&address) {
            Some(reply) => self.give(Some(Fault::Reply(reply)), "").await?,
            None => self.answer(Stage::Rcpt, "250 2.1.5 Recipient is fine").await?,
        };
        if let (Outcome::Passed, Some(transaction)) = (outcome, &mut self.transaction) {
            transaction.rcpt_to.push(address);
        }
        Ok(outcome.flow())
    }

    async fn data(&mut self) -> io::Result<Flow> {
        let Some(transaction) = self.transaction.take() else {
            return self.say("503 5.5.1 DATA is out of order").await;
        };
        if transaction.rcpt_to.is_empty() {
            self.transaction = Some(transaction);
            return self.say("554 5.5.1 No valid recipients").await;
        }
        let outcome = self.answer(Stage::Data, "354 Go ahead, end with a dot").await?;
        if outcome != Outcome::Passed {
            self.transaction = Some(transaction);
            return Ok(outcome.flow());
        }
        match self.read_data().await? {
            Some(data) => self.dot(transaction, data).await,
            None => Ok(Flow::Close),
        }
    }

    /// Reads a message up to its final dot; there is none when the connection ends before that.
    async fn read_data(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut data = Vec::new();
        // A dot counts only at the start of a line, and only CRLF ends a line: a message must
        // not be able to end itself with a bare line feed and a dot.
        let mut at_line_start = true;
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                return Ok(None);
            }
            if at_line_start && line == b".\r\n" {
                return Ok(Some(data));
            }
            let stuffed = at_line_start && line.starts_with(b".");
            data.extend_from_slice(&line[usize::from(stuffed)..]);
            at_line_start = line.ends_with(b"\r\n");
        }
    }

    async fn dot(&mut self, transaction: Transaction, data: Vec<u8>) -> io::Result<Flow> {
        let (fault, delay) = match &self.shared.judge {
            Some(judge) => judge(&transaction.mail_from, &data),
            None => (self.shared.fault(Stage::Dot), Duration::ZERO),
        };
        let accepted = match &fault {
            None | Some(Fault::DropAfterAccept | Fault::HangAfterAccept) => true,
            Some(Fault::Reply(reply)) => is_positive(reply),
            Some(Fault::Drop | Fault::Hang) => false,
        };
        let message = Message {
            mail_from: transaction.mail_from,
            mail_params: transaction.mail_params,
            rcpt_to: transaction.rcpt_to,
            data,
            tls: self.tls,
            authenticated_as: self.user.clone(),
            accepted,
        };
        // The record comes first, so that a client which has its reply finds the message there.
        self.shared.update(|state| state.messages.push(message));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        Ok(self.give(fault, "250 2.0.0 Message is kept").await?.flow())
    }

    /// Answers a stage as scripted, or with `normal` when nothing is scripted.
    async fn answer(&mut self, stage: Stage, normal: &str) -> io::Result<Outcome> {
        let fault = self.shared.fault(stage);
        self.give(fault, normal).await
    }

    async fn give(&mut self, fault: Option<Fault>, normal: &str) -> io::Result<Outcome> {
        let reply = match fault {
            None => normal.to_owned(),
            Some(Fault::Reply(reply)) => reply,
            Some(Fault::Drop | Fault::DropAfterAccept) => return Ok(Outcome::Gone),
            Some(Fault::Hang | Fault::HangAfterAccept) => {
                self.until_closed().await?;
                return Ok(Outcome::Gone);
            }
        };
        self.say(&reply).await?;
        Ok(match reply.as_str() {
            reply if is_positive(reply) => Outcome::Passed,
            reply if reply.starts_with("421") => Outcome::Gone,
            _ => Outcome::Failed,
        })
    }

    /// Sends a reply of one or more lines at once.
    async fn say(&mut self, reply: &str) -> io::Result<Flow> {
        let mut bytes = Vec::new();
        for line in reply.lines() {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        Ok(Flow::Continue)
    }

    /// Reads a command line without its end; there is none once the client has left.
    async fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        let Some(line) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }

    async fn until_closed(&mut self) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while self.stream.read(&mut ignored).await? > 0 {}
        Ok(())
    }
}

/// Whether a reply's code says that the stage succeeded.
fn is_positive(reply: &str) -> bool {
    reply.starts_with(['2', '3'])
}

/// Splits the argument of MAIL or RCPT into its address and its parameters.
fn path(keyword: &str, argument: &str) -> Option<(String, Vec<String>)> {
    let found = argument.get(..keyword.len())?;
    if !found.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = argument[keyword.len()..].strip_prefix('<')?;
    let (address, params) = rest.rsplit_once('>')?;
    let params = params.split_ascii_whitespace().map(str::to_owned).collect();
    Some((address.to_owned(), params))
}
