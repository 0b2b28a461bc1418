//! The one place that builds HTTP clients, and the policy of which addresses
//! they may reach. What is asked for, and how answers are read, is the
//! caller's business.

mod address;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

pub use address::{Blocked, check_url, is_public};

/// No wish of a server reaches further than this.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(31 * 24);

/// How long an idle connection is kept. Short, because servers close theirs
/// without a word and the next request then fails for no reason of its own.
const IDLE: Duration = Duration::from_secs(20);

/// What a client is built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The `User-Agent` of every request.
    pub user_agent: String,
    /// Opens private and loopback addresses, and every port.
    pub allow_private: bool,
    /// A PEM file with authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Limit for name lookup, connection and TLS handshake.
    pub connect_timeout: Duration,
    /// Limit for a request from its start to the last byte of the answer.
    pub timeout: Duration,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The file of extra authorities is missing or unreadable.
    #[error("cannot read CA file \"{}\": {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file of extra authorities holds no certificate.
    #[error("no certificate in CA file \"{}\"", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The TLS set-up was refused.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

/// Builds a client that follows no redirect, uses no proxy, keeps no cookie
/// and connects to no private address behind a name unless that is allowed.
///
/// A name resolver is never asked about IP literals, so [`check_url`] must be
/// called for every URL before it is requested, each hop of a redirect too.
///
/// # Errors
///
/// When the CA file cannot be used or TLS cannot be set up.
pub fn client(options: &ClientOptions) -> Result<Client, NetError> {
    install_crypto();
    #[expect(clippy::disallowed_methods, reason = "the one place that builds clients")]
    let mut builder = Client::builder()
        .user_agent(options.user_agent.clone())
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .dns_resolver(GuardedResolver { allow_private: options.allow_private })
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(IDLE);
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    builder.build().map_err(|error| NetError::Setup(short_error(&error)))
}

/// Installs the process's TLS provider unless there is one: without it,
/// building a client panics.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails when another provider came first, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, NetError> {
    let pem = std::fs::read(path)
        .map_err(|error| NetError::CaFile { path: path.to_owned(), reason: error.to_string() })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(NetError::NoCertificate { path: path.to_owned() }),
    }
}

/// Looks names up and hands out only addresses that may be connected to. The
/// client connects to just these, so a second look-up cannot change them.
struct GuardedResolver {
    allow_private: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Blocked::Address.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether a request failed because its name leads to addresses that may not
/// be connected to.
pub fn is_blocked(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<Blocked>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reads a `Retry-After` value (RFC 9110 section 10.2.3): seconds or a date.
///
/// A time in the past is now, one too far away is 31 days; `None` if the
/// value is neither of the two forms.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let latest = now.saturating_add(LONGEST_RETRY_AFTER).ok()?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number too great for the type fails here.
        let seconds = value.parse::<i64>().unwrap_or(i64::MAX);
        let wish = now.saturating_add(SignedDuration::from_secs(seconds)).ok()?;
        return Some(wish.min(latest));
    }
    let date: SystemTime = httpdate::parse_http_date(value).ok()?;
    Some(Timestamp::try_from(date).ok()?.clamp(now, latest))
}

/// What went wrong with a request, without its URL, which may hold a secret.
pub fn short_error(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_body() || error.is_decode() {
        "bad answer"
    } else {
        "request failed"
    };
    match root_cause(error) {
        // Timeouts all say the same again.
        Some(cause) if !error.is_timeout() => format!("{kind}: {cause}"),
        _ => kind.to_owned(),
    }
}

/// The innermost cause that is not the client's own error: those name URLs.
fn root_cause(error: &reqwest::Error) -> Option<String> {
    let mut root = None;
    let mut next = error.source();
    while let Some(cause) = next {
        if !cause.is::<reqwest::Error>() {
            root = Some(cause);
        }
        next = cause.source();
    }
    root.map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use url::Url;

    fn options(allow_private: bool) -> ClientOptions {
        ClientOptions {
            user_agent: "wirewatch/test (+https://example.org)".to_owned(),
            allow_private,
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
        }
    }

    /// Answers one connection with `answer` and gives back what was asked.
    async fn answer_once(listener: TcpListener, answer: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap()
    }

    #[tokio::test]
    async fn names_of_private_addresses_are_refused_without_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://user:pw@localhost:{port}/?token=t0p");
        let client = client(&options(false)).unwrap();
        let error = client.get(&url).send().await.unwrap_err();
        assert_eq!(short_error(&error), "cannot connect: blocked address");
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_headers_are_honest() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = client(&options(true)).unwrap();
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nSet-Cookie: a=b\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        let request = client.get(format!("http://localhost:{port}/")).send();
        let (asked, response) = tokio::join!(answer_once(listener, answer), request);
        assert_eq!(response.unwrap().status(), 302);
        let asked = asked.to_ascii_lowercase();
        assert!(asked.contains("user-agent: wirewatch/test (+https://example.org)"), "{asked}");
        assert!(asked.contains("accept-encoding: "), "{asked}");
        for absent in ["cookie:", "referer:", "via:"] {
            assert!(!asked.contains(absent), "{asked}");
        }
    }

    #[tokio::test]
    async fn errors_do_not_repeat_the_url() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let url = format!("http://user:pw@127.0.0.1:{port}/hook?token=t0p");
        assert!(check_url(&Url::parse(&url).unwrap(), true).is_ok());
        let error = client(&options(true)).unwrap().get(&url).send().await.unwrap_err();
        let text = short_error(&error);
        assert!(text.starts_with("cannot connect: "), "{text}");
        assert!(!text.contains("t0p") && !text.contains("pw") && !text.contains("hook"), "{text}");
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.pem");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        let with = |path: PathBuf| client(&ClientOptions { ca_file: Some(path), ..options(false) });
        assert!(matches!(with(missing), Err(NetError::CaFile { .. })));
        assert!(matches!(with(empty), Err(NetError::NoCertificate { .. })));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let check = |value: &str, expected: Option<&str>| {
            let expected = expected.map(|text| text.parse::<Timestamp>().unwrap());
            assert_eq!(retry_after(value, now), expected, "{value:?}");
        };
        check("0", Some("2026-03-01T12:00:00Z"));
        check(" 120 ", Some("2026-03-01T12:02:00Z"));
        check("2678400", Some("2026-04-01T12:00:00Z"));
        check("2684400", Some("2026-04-01T12:00:00Z"));
        check("1000000000000000000000000000000", Some("2026-04-01T12:00:00Z"));
        check("Sun, 01 Mar 2026 13:00:00 GMT", Some("2026-03-01T13:00:00Z"));
        check("Sunday, 01-Mar-26 13:00:00 GMT", Some("2026-03-01T13:00:00Z"));
        check("Sun, 01 Mar 2020 13:00:00 GMT", Some("2026-03-01T12:00:00Z"));
        check("Fri, 01 Mar 2030 13:00:00 GMT", Some("2026-04-01T12:00:00Z"));
        for bad in ["", "-5", "+5", "1.5", "soon", "60s", "Sun, 01 Mar 2026 13:00:00 +0100"] {
            check(bad, None);
        }
    }
}
