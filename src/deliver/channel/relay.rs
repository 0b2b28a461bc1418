//! The way to a mail relay: connection, TLS, login, and one transaction.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lettre::Message as Mail;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::email::{EmailOptions, Tls};
use super::smtp::{Broken, Conversation, Features, Reply};
use crate::deliver::text::one_line;
use crate::deliver::{BuildError, try_again};
use crate::model::{Outcome, Secret};

/// A server that has accepted the mail need not say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// How to reach the relay.
pub(super) struct Relay {
    pub(super) host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, Secret)>,
    hello: ClientId,
}

enum Encryption {
    StartTls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

/// What came of handing over a mail.
pub(super) enum Taken {
    /// This.
    Outcome(Outcome),
    /// The relay takes none so large; of so many octets at most, if it says so.
    TooLarge(Option<usize>, String),
}

/// Where an attempt failed. Before the transaction it is the relay or our
/// set-up that is at fault, and a person can mend both: the alert must wait.
enum Failure {
    Setup(&'static str, String),
    /// The name or password.
    Login(Reply),
    /// An envelope that was refused on a connection without a login.
    Stranger(Reply),
    Transaction(Reply),
    TooLarge(Option<usize>, String),
    Broken(Broken),
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// A connection on which a mail may begin.
struct Ready {
    conversation: Conversation,
    features: Features,
}

impl Relay {
    /// Checks the options and sets up TLS; nothing is sent.
    pub(super) fn new(options: &EmailOptions) -> Result<Self, BuildError> {
        let host = options.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            let reason = "no host is named".to_owned();
            return Err(BuildError::Invalid { field: "host", value: host, reason });
        }
        let encryption = match options.tls {
            Tls::StartTls => Encryption::StartTls(tls_parameters(&host, options)?),
            Tls::Implicit => Encryption::Implicit(tls_parameters(&host, options)?),
            Tls::None if is_loopback(&host) => Encryption::None,
            Tls::None => {
                return Err(BuildError::Unsafe("mail without TLS is for a relay on this machine"));
            }
        };
        let credentials = match (&options.username, &options.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            (None, None) => None,
            _ => return Err(BuildError::Unsafe("username and password go together")),
        };
        let hello = hello(options.hello_name.as_deref())?;
        Ok(Self { host, port: options.port, encryption, credentials, hello })
    }

    /// Hands a mail to the relay until `end`; the answer after its last dot is
    /// the proof, and has a time of its own: a relay that scans a mail has it
    /// already, and would get it again (RFC 5321, section 4.5.3.2.6).
    pub(super) async fn take(&self, mail: &Mail, end: Instant, accept: Duration) -> Taken {
        let mut ready = match timeout_at(end, self.ready()).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(failure)) => return failure.taken(),
            Err(_) => return Taken::Outcome(try_again("timed out")),
        };
        let known = self.credentials.is_some();
        let answer = match timeout_at(end, offer(&mut ready, mail, known)).await {
            Ok(Ok(())) => timeout(accept, accepted(&mut ready.conversation)).await,
            Ok(Err(failure)) => Ok(Err(failure)),
            Err(_) => return Taken::Outcome(try_again("timed out")),
        };
        let Ok(answer) = answer else { return Taken::Outcome(try_again("timed out")) };
        // What the relay has said stands, whether it says goodbye or not.
        let _ = timeout(GOODBYE, ready.conversation.command("QUIT")).await;
        match answer {
            Ok(reply) => Taken::Outcome(Outcome::Sent(reply.to_string())),
            Err(failure) => failure.taken(),
        }
    }

    /// Whether a mail could begin: connection, TLS and login.
    pub(super) async fn probe(&self, limit: Duration) -> Result<String, String> {
        let ready = timeout(limit, self.ready()).await.map_err(|_| "timed out".to_owned())?;
        let mut ready = ready.map_err(|failure| match failure.taken() {
            Taken::TooLarge(_, words) => words,
            Taken::Outcome(
                Outcome::TryAgain { reason, .. }
                | Outcome::Unknown(reason)
                | Outcome::Refused(reason)
                | Outcome::GiveUp(reason)
                | Outcome::Sent(reason),
            ) => reason,
        })?;
        let _ = timeout(GOODBYE, ready.conversation.command("QUIT")).await;
        let login = if self.credentials.is_some() { ", and accepts the login" } else { "" };
        Ok(format!("{}:{} answers{login}", self.host, self.port))
    }

    async fn ready(&self) -> Result<Ready, Failure> {
        let mut ready = self.connect().await?;
        if let Encryption::StartTls(tls) = &self.encryption {
            self.encrypt(&mut ready, tls).await.map_err(|failure| failure.at("STARTTLS"))?;
        }
        if let Some((user, password)) = &self.credentials {
            // Every way but loopback has encrypted by now.
            let answer = login(&mut ready, user, password.expose()).await;
            answer.map_err(|failure| failure.at("AUTH").without(user, password.expose()))?;
        }
        Ok(ready)
    }

    async fn connect(&self) -> Result<Ready, Failure> {
        let address = (self.host.as_str(), self.port);
        let refused = |error: std::io::Error| Failure::Setup("connect", error.to_string());
        let broken = |error: Broken| Failure::Setup("connect", error.to_string());
        let stream = TcpStream::connect(address).await.map_err(refused)?;
        // Small commands would wait for each other.
        stream.set_nodelay(true).map_err(refused)?;
        let mut conversation = Conversation::new(stream);
        if let Encryption::Implicit(tls) = &self.encryption {
            conversation.encrypt(tls).await.map_err(broken)?;
        }
        let greeting = conversation.reply().await.map_err(broken)?;
        if !greeting.is_done() {
            return Err(Failure::Setup("connect", greeting.to_string()));
        }
        let features = self.greet(&mut conversation).await.map_err(|failure| failure.at("EHLO"))?;
        Ok(Ready { conversation, features })
    }

    async fn greet(&self, conversation: &mut Conversation) -> Result<Features, Failure> {
        let reply = conversation.command(&format!("EHLO {}", self.hello)).await?;
        if reply.is_done() { Ok(Features::of(&reply)) } else { Err(Failure::Transaction(reply)) }
    }

    /// What the relay said before must be forgotten (RFC 3207, section 4.2).
    async fn encrypt(&self, ready: &mut Ready, tls: &TlsParameters) -> Result<(), Failure> {
        if !ready.features.starttls {
            return Err(Failure::Setup("STARTTLS", "the server does not offer it".to_owned()));
        }
        let reply = ready.conversation.command("STARTTLS").await?;
        if !reply.is_done() {
            return Err(Failure::Transaction(reply));
        }
        ready.conversation.encrypt(tls).await?;
        ready.features = self.greet(&mut ready.conversation).await?;
        Ok(())
    }
}

/// AUTH, by PLAIN (RFC 4616) or LOGIN.
async fn login(ready: &mut Ready, user: &str, password: &str) -> Result<(), Failure> {
    let conversation = &mut ready.conversation;
    let reply = if ready.features.plain {
        let words = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        conversation.command(&format!("AUTH PLAIN {words}")).await?
    } else if ready.features.login {
        let mut reply = conversation.command("AUTH LOGIN").await?;
        for word in [user, password] {
            if reply.code != 334 {
                break;
            }
            reply = conversation.command(&BASE64_STANDARD.encode(word)).await?;
        }
        reply
    } else {
        let reason = "the server offers no login by PLAIN or LOGIN";
        return Err(Failure::Setup("AUTH", reason.to_owned()));
    };
    match reply {
        reply if reply.is_done() => Ok(()),
        reply if reply.is_permanent() => Err(Failure::Login(reply)),
        reply => Err(Failure::Transaction(reply)),
    }
}

/// The mail transaction of RFC 5321, section 3.3, up to the mail's last dot.
async fn offer(ready: &mut Ready, mail: &Mail, known: bool) -> Result<(), Failure> {
    let (envelope, data) = (mail.envelope(), mail.formatted());
    let Ready { conversation, features } = ready;
    if features.size.is_some_and(|size| size < data.len()) {
        let words = format!("a mail of {} octets is too large for it", data.len());
        return Err(Failure::TooLarge(features.size, words));
    }
    let from = envelope.from().map_or("", AsRef::as_ref);
    let mut begin = format!("MAIL FROM:<{from}>");
    if features.sized {
        begin += &format!(" SIZE={}", data.len());
    }
    let addresses = envelope.from().into_iter().chain(envelope.to());
    if !addresses.map(AsRef::<str>::as_ref).all(str::is_ascii) {
        if !features.smtputf8 {
            let reason = "the address needs SMTPUTF8, which the relay does not offer";
            return Err(Failure::Setup("MAIL", reason.to_owned()));
        }
        // RFC 6531, section 3.6: the header holds the address too.
        begin += " SMTPUTF8 BODY=8BITMIME";
    }
    let accepted = |reply: Reply| if reply.is_done() { Ok(()) } else { Err(refusal(reply, known)) };
    accepted(conversation.command(&begin).await?)?;
    for to in envelope.to() {
        accepted(conversation.command(&format!("RCPT TO:<{to}>")).await?)?;
    }
    let go_on = conversation.command("DATA").await?;
    if go_on.code != 354 {
        return Err(if go_on.code < 400 { astray(&go_on) } else { refusal(go_on, known) });
    }
    Ok(conversation.mail(&data).await?)
}

/// What the relay says of a mail that it has.
async fn accepted(conversation: &mut Conversation) -> Result<Reply, Failure> {
    let kept = conversation.reply().await?;
    match kept.code {
        200..300 => Ok(kept),
        300..400 => Err(astray(&kept)),
        _ => Err(refusal(kept, true)),
    }
}

/// Replies that are not the ones expected would be taken for others.
fn astray(reply: &Reply) -> Failure {
    Failure::Setup("DATA", reply.to_string())
}

/// Why a transaction ended. A relay that does not know us may only miss a
/// login, which a person can mend: RFC 3463, X.7, says that it is policy.
fn refusal(reply: Reply, known: bool) -> Failure {
    match reply.code {
        // Both for a mail that is too large and for a mailbox that is full.
        552 if !reply.has_status("5.2.2") => Failure::TooLarge(None, reply.to_string()),
        500.. if reply.has_status("5.3.4") => Failure::TooLarge(None, reply.to_string()),
        _ if !known && reply.is_permanent() && reply.has_status("5.7.") => Failure::Stranger(reply),
        _ => Failure::Transaction(reply),
    }
}

impl Failure {
    /// What went wrong before a transaction.
    fn at(self, stage: &'static str) -> Self {
        match self {
            Self::Transaction(reply) | Self::Stranger(reply) => {
                Self::Setup(stage, reply.to_string())
            }
            Self::Broken(broken) => Self::Setup(stage, broken.to_string()),
            Self::Setup(..) | Self::Login(_) | Self::TooLarge(..) => self,
        }
    }

    /// A server may repeat what it was sent, and answers are kept and shown.
    fn without(self, user: &str, password: &str) -> Self {
        let both = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        let secrets = [both, BASE64_STANDARD.encode(password), password.to_owned()];
        let clean = |text: String| {
            let kept = |text: String, secret: &String| text.replace(secret.as_str(), "[secret]");
            secrets.iter().filter(|secret| secret.len() > 3).fold(text, kept)
        };
        match self {
            Self::Setup(stage, reason) => Self::Setup(stage, clean(reason)),
            Self::Login(reply) => Self::Login(Reply::of(reply.code, clean(reply.to_string()))),
            other => other,
        }
    }

    fn taken(self) -> Taken {
        Taken::Outcome(match self {
            Self::Setup(stage, reason) => try_again(format!("{stage}: {reason}")),
            Self::Login(reply) => Outcome::Unknown(format!("AUTH: {reply}")),
            Self::Stranger(reply) => try_again(format!("{reply} (no login is configured)")),
            Self::TooLarge(size, words) => return Taken::TooLarge(size, words),
            Self::Broken(broken) => try_again(broken.to_string()),
            // A relay that misses a login says so only here: a matter of set-up too.
            Self::Transaction(reply) if matches!(reply.code, 530 | 534 | 535 | 538) => {
                try_again(reply.to_string())
            }
            Self::Transaction(reply) if reply.is_permanent() => Outcome::GiveUp(reply.to_string()),
            Self::Transaction(reply) => try_again(reply.to_string()),
        })
    }
}

fn tls_parameters(host: &str, options: &EmailOptions) -> Result<TlsParameters, BuildError> {
    let failed = |error: SmtpError| BuildError::Tls(one_line(&error.to_string(), 200));
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &options.ca_file {
        builder = builder.add_root_certificate(certificate(path)?);
    }
    builder.build().map_err(failed)
}

fn certificate(path: &Path) -> Result<Certificate, BuildError> {
    let invalid = |reason: String| BuildError::Invalid {
        field: "ca_file",
        value: path.display().to_string(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
    if !pem.windows(11).any(|window| window == b"-----BEGIN ") {
        return Err(invalid("no certificate in it".to_owned()));
    }
    Certificate::from_pem(&pem).map_err(|error| invalid(one_line(&error.to_string(), 200)))
}

/// The name in EHLO. It goes onto the wire as it is, so it must be a name.
fn hello(name: Option<&str>) -> Result<ClientId, BuildError> {
    let Some(name) = name else { return Ok(ClientId::default()) };
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    if name.is_empty() || !name.chars().all(safe) {
        let reason = "it must be a host name".to_owned();
        return Err(BuildError::Invalid {
            field: "hello_name",
            value: one_line(name, 100),
            reason,
        });
    }
    Ok(ClientId::Domain(name.to_owned()))
}

fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    let literal = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    name.eq_ignore_ascii_case("localhost") || literal
}
