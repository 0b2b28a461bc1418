//! The one place that builds HTTP clients, and the policy of which addresses
//! they may reach. What is asked for, and how answers are read, is the
//! caller's business.

mod address;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use url::{Host, Url};

use crate::model::Secret;

pub use address::{Blocked, check_url, is_public};

/// No wish of a server reaches further than this.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(31 * 24);

/// How long an idle connection is kept. Short, because servers close theirs
/// without a word and the next request then fails for no reason of its own.
const IDLE: Duration = Duration::from_secs(20);

/// Header lines of an answer; more are an attack on us.
pub const MAX_HEADERS: usize = 100;

/// Bytes of all header lines of an answer together.
pub const MAX_HEADER_BYTES: usize = 64 << 10;

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

impl ClientOptions {
    /// For a question to this machine.
    pub fn local(user_agent: &str, timeout: Duration) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            allow_private: true,
            ca_file: None,
            connect_timeout: timeout,
            timeout,
        }
    }
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
    /// The address of a proxy is not one.
    #[error("the proxy is not http://, https://, socks5:// or socks5h:// and a host")]
    Proxy,
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
    build(options, None, |builder| builder)
}

/// Builds a client as [`client`] does, whose requests all go through a proxy.
/// The user chose the proxy, so it may live on a private address; what is
/// asked of it may not, unless that is allowed.
///
/// A proxy other than `socks5://` looks names up itself:
/// [`check_behind_proxy`] is the guard then.
///
/// # Errors
///
/// As [`client`], and when the proxy's address cannot be used.
pub fn proxied(options: &ClientOptions, proxy: &Secret) -> Result<Client, NetError> {
    let url = proxy_url(proxy)?;
    let host = url.host_str().map(str::to_ascii_lowercase);
    let proxy = Proxy::all(url).map_err(|_| NetError::Proxy)?;
    build(options, host, |builder| builder.proxy(proxy))
}

fn proxy_url(proxy: &Secret) -> Result<Url, NetError> {
    let url = Url::parse(proxy.expose()).map_err(|_| NetError::Proxy)?;
    let known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    if known && url.has_host() { Ok(url) } else { Err(NetError::Proxy) }
}

fn build(
    options: &ClientOptions,
    proxy_host: Option<String>,
    more: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, NetError> {
    install_crypto();
    let resolver = GuardedResolver { allow_private: options.allow_private, proxy_host };
    #[expect(clippy::disallowed_methods, reason = "the one place that builds clients")]
    let mut builder = Client::builder()
        .user_agent(options.user_agent.clone())
        // Without this the environment could choose a proxy.
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .dns_resolver(resolver)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(IDLE);
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    more(builder).build().map_err(|error| NetError::Setup(short_error(&error)))
}

/// Checks the name in a URL that a proxy is going to look up. The look-up here
/// may differ from the proxy's, so it only refuses: a name that is unknown
/// here passes. With `socks5h://` the user wants no look-up here at all.
///
/// # Errors
///
/// When the name means this machine, or any of its addresses is private.
pub async fn check_behind_proxy(url: &Url, proxy: &Secret) -> Result<(), Blocked> {
    let Some(Host::Domain(name)) = url.host() else {
        return Ok(());
    };
    let bare = name.trim_end_matches('.');
    if bare == "localhost" || bare.ends_with(".localhost") {
        return Err(Blocked::Address);
    }
    if !matches!(proxy_url(proxy), Ok(proxy) if matches!(proxy.scheme(), "http" | "https")) {
        return Ok(());
    }
    let Ok(mut found) = tokio::net::lookup_host((name, 0)).await else {
        return Ok(());
    };
    if found.all(|address| is_public(address.ip())) { Ok(()) } else { Err(Blocked::Address) }
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
    /// The proxy's own name, which may be private.
    proxy_host: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        let allow_private = self.allow_private || is_proxy;
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
    if let Some(wish) = delta_seconds(value) {
        return Some(now.saturating_add(wish).ok()?.min(latest));
    }
    Some(http_date(value)?.clamp(now, latest))
}

/// Reads `delta-seconds` (RFC 9111 section 1.2.2): digits only, and a number
/// too great for us is a great number.
pub fn delta_seconds(value: &str) -> Option<SignedDuration> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| SignedDuration::from_secs(value.parse().unwrap_or(i64::MAX)))
}

/// Reads an `HTTP-date` (RFC 9110 section 5.6.7) in its three forms, and two
/// that servers send all the same: with an offset, and with no zone at all.
pub fn http_date(value: &str) -> Option<Timestamp> {
    let value = value.trim();
    if let Ok(date) = httpdate::parse_http_date(value) {
        return Timestamp::try_from(date).ok();
    }
    // The day of the week adds nothing, and is wrong where dates are made by hand.
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let mail = |text: &str| parser.parse_timestamp(text).ok();
    mail(value).or_else(|| mail(&format!("{value} GMT")))
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
        for absent in ["cookie:", "referer:", "via:", "accept-encoding:"] {
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
        check("Sun, 01 Mar 2026 13:00:00 +0100", Some("2026-03-01T12:00:00Z"));
        check("Sun, 01 Mar 2026 13:00:00", Some("2026-03-01T13:00:00Z"));
        check("Sun, 01 Mar 2020 13:00:00 GMT", Some("2026-03-01T12:00:00Z"));
        check("Fri, 01 Mar 2030 13:00:00 GMT", Some("2026-04-01T12:00:00Z"));
        for bad in ["", "-5", "+5", "1.5", "soon", "60s", "Sun, 01 Mar 2026"] {
            check(bad, None);
        }
    }
}
