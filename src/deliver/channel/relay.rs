//! The way to a mail relay: connection, TLS, login, and one transaction.

use std::path::Path;
use std::time::Duration;

use lettre::Message as Mail;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::email::{EmailOptions, Tls};
use super::line_stream::LineStream;
use crate::deliver::text::one_line;
use crate::deliver::{BuildError, try_again};
use crate::model::Outcome;

/// A server that has accepted the mail need not say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

const MAX_REPLY: usize = 200;

/// How to reach the relay.
pub(super) struct Relay {
    pub(super) host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    hello: ClientId,
}

enum Encryption {
    StartTls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

/// Where an attempt failed. Before the transaction it is the relay or our
/// set-up that is at fault, and a person can mend both: the alert must wait.
enum Failure {
    Setup(&'static str, String),
    /// An envelope that was refused on a connection without a login.
    Stranger(SmtpError),
    Transaction(SmtpError),
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
            (Some(user), Some(password)) => {
                Some(Credentials::new(user.clone(), password.expose().to_owned()))
            }
            (None, None) => None,
            _ => return Err(BuildError::Unsafe("username and password go together")),
        };
        let hello = hello(options.hello_name.as_deref())?;
        Ok(Self { host, port: options.port, encryption, credentials, hello })
    }

    /// Hands a mail to the relay, within this time; the answer after its last
    /// dot is the proof.
    pub(super) async fn take(&self, mail: &Mail, limit: Duration) -> Outcome {
        let end = Instant::now() + limit;
        let mut connection = match timeout_at(end, self.ready()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(failure)) => return failure.outcome(),
            Err(_) => return try_again("timed out"),
        };
        let known = self.credentials.is_some();
        let Ok(answer) = timeout_at(end, transact(&mut connection, mail, known)).await else {
            return try_again("timed out");
        };
        // What the relay has said stands, whether it says goodbye or not.
        let _ = timeout(GOODBYE, connection.quit()).await;
        answer.map_or_else(Failure::outcome, |response| Outcome::Sent(reply(&response)))
    }

    /// A connection on which a mail may begin.
    async fn ready(&self) -> Result<AsyncSmtpConnection, Failure> {
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            // Cannot be: every way but loopback has encrypted by now.
            let encrypted =
                connection.is_encrypted() || matches!(self.encryption, Encryption::Implicit(_));
            if !encrypted && !is_loopback(&self.host) {
                return Err(Failure::Setup("AUTH", "the connection is not encrypted".to_owned()));
            }
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let answer = connection.auth(&mechanisms, credentials).await;
            answer.map_err(|error| Failure::at("AUTH", &error))?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let address = (self.host.as_str(), self.port);
        let refused = |error: std::io::Error| Failure::Setup("connect", error.to_string());
        let stream = TcpStream::connect(address).await.map_err(refused)?;
        // Body and final dot are written apart, and would wait for each other.
        stream.set_nodelay(true).map_err(refused)?;
        let stream = LineStream::new(stream).map_err(refused)?;
        let stream: Box<dyn AsyncTokioStream> = match &self.encryption {
            Encryption::Implicit(tls) => {
                let stream = LineStream::encrypted(stream, tls.clone()).await;
                Box::new(stream.map_err(|error| Failure::at("connect", &error))?)
            }
            Encryption::StartTls(_) | Encryption::None => Box::new(stream),
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
            .await
            .map_err(|error| Failure::at("connect", &error))?;
        if let Encryption::StartTls(tls) = &self.encryption {
            let upgraded = connection.starttls(tls.clone(), &self.hello).await;
            upgraded.map_err(|error| Failure::at("STARTTLS", &error))?;
        }
        Ok(connection)
    }
}

/// The mail transaction of RFC 5321, section 3.3. The library has one too,
/// but that waits for the answer to a QUIT before it tells of a refusal.
async fn transact(
    connection: &mut AsyncSmtpConnection,
    mail: &Mail,
    known: bool,
) -> Result<Response, Failure> {
    let (envelope, data) = (mail.envelope(), mail.formatted());
    let mut parameters = Vec::new();
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    if addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let reason = "the address needs SMTPUTF8, which the relay does not offer";
            return Err(Failure::Setup("MAIL", reason.to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
        // RFC 6531, section 3.6: the header holds the address too.
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let failed = if known { Failure::Transaction } else { Failure::Stranger };
    connection
        .command(MailFrom::new(envelope.from().cloned(), parameters))
        .await
        .map_err(failed)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(failed)?;
    }
    // Replies that are not the ones expected here would be taken for others.
    let astray = |response: &Response| Failure::Setup("DATA", reply(response));
    let go_on = connection.command(Data).await.map_err(failed)?;
    if !go_on.has_code(354) {
        return Err(astray(&go_on));
    }
    let kept = connection.message(&data).await.map_err(Failure::Transaction)?;
    if kept.code().severity == Severity::PositiveCompletion { Ok(kept) } else { Err(astray(&kept)) }
}

impl Failure {
    fn at(stage: &'static str, error: &SmtpError) -> Self {
        Self::Setup(stage, describe(error))
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Setup(stage, reason) => try_again(format!("{stage}: {reason}")),
            Self::Stranger(error) if is_policy(&error) => {
                try_again(format!("{} (no login is configured)", describe(&error)))
            }
            Self::Stranger(error) | Self::Transaction(error) => judge(&error),
        }
    }
}

/// What a failed transaction means. A relay that misses a login says so only
/// here, and that is a matter of set-up too.
fn judge(error: &SmtpError) -> Outcome {
    let code = error.status().map(u16::from);
    let wants_login = matches!(code, Some(530 | 534 | 535 | 538));
    if error.is_permanent() && !wants_login {
        return Outcome::GiveUp(describe(error));
    }
    try_again(describe(error))
}

/// Whether the relay says that it is not allowed (RFC 3463, X.7): a login
/// mends that.
fn is_policy(error: &SmtpError) -> bool {
    let words = error.to_string();
    let reply = words.split_once("): ").map_or("", |(_, reply)| reply);
    error.is_permanent() && reply.starts_with("5.7.")
}

fn describe(error: &SmtpError) -> String {
    let words = error.to_string();
    if words.contains("incomplete response") {
        return "the server closed the connection".to_owned();
    }
    if error.is_response() {
        return "the server said what is no SMTP reply".to_owned();
    }
    if words.contains("CaUsedAsEndEntity") {
        return "the server's certificate is an authority's own (CA:TRUE), which ca_file cannot \
                vouch for; give the server a certificate with CA:FALSE"
            .to_owned();
    }
    // A hint for programmers that the TLS library adds.
    let words = words.split(": https://docs.rs/").next().unwrap_or_default();
    one_line(words, MAX_REPLY)
}

fn reply(response: &Response) -> String {
    let words: Vec<&str> = response.message().collect();
    one_line(&format!("{} {}", response.code(), words.join(" ")), MAX_REPLY)
}

fn tls_parameters(host: &str, options: &EmailOptions) -> Result<TlsParameters, BuildError> {
    let failed = |error: SmtpError| BuildError::Tls(describe(&error));
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
    Certificate::from_pem(&pem).map_err(|error| invalid(describe(&error)))
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
