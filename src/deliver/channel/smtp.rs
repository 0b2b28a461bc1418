//! The client's side of an SMTP conversation (RFC 5321, RFC 3207, RFC 4954):
//! commands out, replies in. What they mean for a mail is not decided here.
//!
//! The mail library can converse too, but it gives up a reply that is not
//! UTF-8 or has no text, and a mail whose acceptance cannot be read is sent
//! again. It also waits for the answer to a QUIT before it tells of a refusal,
//! and keeps what it read ahead when it begins TLS.

#![expect(
    deprecated,
    reason = "AsyncNetworkStream: the library's only way to TLS above a given connection"
)]

use std::fmt;
use std::io;

use lettre::transport::smtp::Error as TlsError;
use lettre::transport::smtp::client::{AsyncNetworkStream, TlsParameters};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

use crate::deliver::text::one_line;

/// What a server may say while it takes one mail; a few hundred bytes is usual.
const MAX_REPLIES: usize = 256 * 1024;
/// Read at once.
const CHUNK: usize = 4_096;
/// Of a reply's text, in what is recorded.
const MAX_SHOWN: usize = 200;

/// A connection to a mail server.
pub(super) struct Conversation {
    stream: Compat<AsyncNetworkStream>,
    ahead: Vec<u8>,
    left: usize,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the server closed the connection")]
    Closed,
    #[error("the server said what is no SMTP reply")]
    NoReply,
    #[error("the server's replies do not end")]
    Endless,
    /// Somebody between could have put it there, to be taken for a reply that
    /// came encrypted.
    #[error("the server said more in clear than its answer to STARTTLS")]
    Injected,
    #[error("{0}")]
    Connection(io::Error),
    #[error("{}", tls_words(.0))]
    Tls(TlsError),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Connection(error),
        }
    }
}

/// A server's reply: its code and its lines, as far as they are text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// One that says this: its code may stand before it.
    pub(super) fn of(code: u16, text: String) -> Self {
        let words = text.strip_prefix(&code.to_string()).unwrap_or(&text).trim_start().to_owned();
        Self { code, lines: vec![words] }
    }

    /// Whether the command was carried out (RFC 5321, section 4.2.1).
    pub(super) fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(super) fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Whether the text begins with a status like this (RFC 3463).
    pub(super) fn has_status(&self, start: &str) -> bool {
        self.lines.first().is_some_and(|line| line.starts_with(start))
    }

    /// What an EHLO's reply offers: keyword and parameters, in capitals.
    fn offers(&self) -> impl Iterator<Item = Vec<String>> {
        // "AUTH=PLAIN" is how it was written before there was a standard.
        let words = |line: &String| line.to_uppercase().replace('=', " ");
        let split = |line: String| line.split_whitespace().map(str::to_owned).collect();
        self.lines.iter().skip(1).map(words).map(split)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = format!("{} {}", self.code, self.lines.join(" "));
        f.write_str(&one_line(words.trim_end(), MAX_SHOWN))
    }
}

/// What a server can do, by its reply to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) starttls: bool,
    pub(super) smtputf8: bool,
    pub(super) plain: bool,
    pub(super) login: bool,
    /// Largest mail in octets (RFC 1870), where it names one.
    pub(super) size: Option<usize>,
    /// It wants to be told how large a mail is.
    pub(super) sized: bool,
}

impl Features {
    pub(super) fn of(reply: &Reply) -> Self {
        let mut features = Self::default();
        for offer in reply.offers() {
            let Some((keyword, parameters)) = offer.split_first() else { continue };
            match keyword.as_str() {
                "STARTTLS" => features.starttls = true,
                "SMTPUTF8" => features.smtputf8 = true,
                "AUTH" => {
                    features.plain |= parameters.iter().any(|word| word == "PLAIN");
                    features.login |= parameters.iter().any(|word| word == "LOGIN");
                }
                "SIZE" => {
                    features.sized = true;
                    let size = parameters.first().and_then(|size| size.parse().ok());
                    features.size = size.filter(|size| *size > 0);
                }
                _ => {}
            }
        }
        features
    }
}

impl Conversation {
    pub(super) fn new(stream: TcpStream) -> Self {
        let stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream)).compat();
        Self { stream, ahead: Vec::new(), left: MAX_REPLIES }
    }

    /// Encrypts all that follows.
    pub(super) async fn encrypt(&mut self, tls: &TlsParameters) -> Result<(), Broken> {
        if !self.ahead.is_empty() {
            return Err(Broken::Injected);
        }
        self.stream.get_mut().upgrade_tls(tls.clone()).await.map_err(Broken::Tls)
    }

    /// Says one line, and hears the reply.
    pub(super) async fn command(&mut self, line: &str) -> Result<Reply, Broken> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Hands over a mail after a DATA that may go on (RFC 5321, section 4.5.2).
    /// What the server said before it had all of it is no answer to it.
    pub(super) async fn mail(&mut self, mail: &[u8]) -> Result<(), Broken> {
        if !self.ahead.is_empty() {
            return Err(Broken::NoReply);
        }
        self.write(&stuffed(mail)).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next reply. Where its lines differ in their codes, the last one's
    /// counts: that is the line without which there is no reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, Broken> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let (code, more, text) = reply_line(&line).ok_or(Broken::NoReply)?;
            lines.push(text);
            if !more {
                return Ok(Reply { code, lines });
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let rest = self.ahead.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.ahead, rest));
            }
            let mut chunk = [0; CHUNK];
            let read = self.stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(Broken::Closed);
            }
            self.left = self.left.checked_sub(read).ok_or(Broken::Endless)?;
            self.ahead.extend_from_slice(&chunk[..read]);
        }
    }
}

/// Code, whether more lines follow, and text. Servers write in their own
/// encodings, and some say nothing but the code.
fn reply_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.trim_ascii_end();
    let (code, rest) = line.split_at_checked(3)?;
    let valid = matches!(code, [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9']);
    let code = std::str::from_utf8(code).ok().filter(|_| valid)?.parse().ok()?;
    let (more, text) = match rest {
        [] => (false, rest),
        [b' ', text @ ..] => (false, text),
        [b'-', text @ ..] => (true, text),
        _ => return None,
    };
    Some((code, more, String::from_utf8_lossy(text).into_owned()))
}

/// A mail as it goes over the wire: a dot before each line that begins with
/// one, and the line that ends it.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

fn tls_words(error: &TlsError) -> String {
    let words = error.to_string();
    if words.contains("CaUsedAsEndEntity") {
        return "the server's certificate is an authority's own (CA:TRUE), which ca_file cannot \
                vouch for; give the server a certificate with CA:FALSE"
            .to_owned();
    }
    // A hint for programmers that the TLS library adds.
    let words = words.split(": https://docs.rs/").next().unwrap_or_default();
    one_line(words, MAX_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(lines: &str) -> Option<Reply> {
        let mut texts = Vec::new();
        for line in lines.lines() {
            let (code, more, text) = reply_line(line.as_bytes())?;
            texts.push(text);
            if !more {
                return Some(Reply { code, lines: texts });
            }
        }
        None
    }

    #[test]
    fn lines_of_replies() {
        let check = |line: &[u8], expected: Option<(u16, bool, &str)>| {
            let expected = expected.map(|(code, more, text)| (code, more, text.to_owned()));
            assert_eq!(reply_line(line), expected, "{}", line.escape_ascii());
        };
        check(b"250 2.0.0 kept\r\n", Some((250, false, "2.0.0 kept")));
        check(b"250-relay\r\n", Some((250, true, "relay")));
        check(b"250\r\n", Some((250, false, "")));
        check(b"250\n", Some((250, false, "")));
        check(b"250-\r\n", Some((250, true, "")));
        check(b"250 re\xe7u\r\n", Some((250, false, "re\u{fffd}u")));
        check(b"354 go", Some((354, false, "go")));
        for wrong in ["", "\r\n", "25", "25 x", "2500 x", "999 x", "2x0 fine", "100 x", "260 x"] {
            check(wrong.as_bytes(), None);
        }
        check(b"HTTP/1.1 400 Bad Request", None);
    }

    #[test]
    fn what_a_server_offers() {
        let check = |lines: &str, expected: Features| {
            assert_eq!(Features::of(&reply(lines).unwrap()), expected, "{lines}");
        };
        let login = Features { plain: true, login: true, ..Features::default() };
        check("250 STARTTLS", Features::default());
        check("250-relay\n250 starttls", Features { starttls: true, ..Features::default() });
        check("250-relay\n250 AUTH CRAM-MD5 PLAIN LOGIN", login.clone());
        check("250-relay\n250 AUTH=LOGIN PLAIN", login);
        let sized = Features { sized: true, ..Features::default() };
        check("250-relay\n250 SIZE", sized.clone());
        check("250-relay\n250 SIZE 0", sized.clone());
        check("250-relay\n250 SIZE 10240", Features { size: Some(10_240), ..sized });
        check("250-relay\n250-\n250 SMTPUTF8", Features { smtputf8: true, ..Features::default() });
    }

    #[test]
    fn a_reply_is_shown_in_one_line() {
        let shown = |lines: &str| reply(lines).unwrap().to_string();
        assert_eq!(shown("550-no\n550 never"), "550 no never");
        assert_eq!(shown("250"), "250");
        assert!(shown(&format!("250 {}", "x".repeat(9_000))).len() < 300);
        assert!(reply("550 5.7.1 no").unwrap().has_status("5.7."));
    }

    /// What a server makes of it (RFC 5321, section 4.5.2).
    fn unstuffed(wire: &[u8]) -> Vec<u8> {
        let mut mail = Vec::new();
        for line in wire.split_inclusive(|byte| *byte == b'\n') {
            match line {
                b".\r\n" => return mail,
                [b'.', line @ ..] | line => mail.extend_from_slice(line),
            }
        }
        panic!("no end in {}", wire.escape_ascii());
    }

    proptest! {
        #[test]
        fn a_mail_arrives_as_it_is(lines in proptest::collection::vec("[.a\\r]{0,4}", 0..8)) {
            let mail: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let whole = if mail.is_empty() { "\r\n".to_owned() } else { mail.clone() };
            prop_assert_eq!(unstuffed(&stuffed(mail.as_bytes())), whole.as_bytes());
            // The last line's end is added where it is missing.
            let open = mail.trim_end_matches("\r\n").to_owned();
            let closed = format!("{open}\r\n");
            prop_assert_eq!(unstuffed(&stuffed(open.as_bytes())), closed.as_bytes());
        }

        #[test]
        fn no_line_is_too_strange(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some((code, _, _)) = reply_line(&line) {
                prop_assert!((200..=559).contains(&code));
            }
        }
    }
}
