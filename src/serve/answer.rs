//! Who is answered, and with what.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Desk, Health};

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
/// As Prometheus wants it.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Said with every answer: nothing here is a page that others may frame,
/// guess at, keep or run.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Lets nobody in who came by a name of his own (DNS rebinding), and nothing
/// but reading. Hubs also post, to addresses that they were given.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let is_push = request.uri().path().starts_with("/push/");
    let is_allowed = match *request.method() {
        Method::GET | Method::HEAD => true,
        Method::POST => is_push,
        _ => false,
    };
    let public = desk.options.public_host.iter().filter(|_| is_push);
    let hosts: Vec<&str> = desk.options.hosts.iter().chain(public).map(String::as_str).collect();
    let mut response = if !is_our_name(&hosts, &request) {
        let words = "not the name of this endpoint; see `hosts` of [http]\n";
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    } else if !is_allowed {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether all names that a request gives are ours: its one `Host`, and that of
/// an absolute target (RFC 9112, section 3.2).
fn is_our_name(hosts: &[&str], request: &Request) -> bool {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return false };
    let Ok(host) = host.to_str() else { return false };
    let target = request.uri().authority().map(|authority| authority.as_str());
    std::iter::once(host).chain(target).all(|name| is_ours(hosts, name))
}

fn is_ours(hosts: &[&str], name: &str) -> bool {
    let host = match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => name,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let address = literal.parse::<IpAddr>().ok();
    let this_machine = host.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.is_loopback());
    this_machine || hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
        // However the address is spelled.
        || address.is_some_and(|address| hosts.iter().any(|ours| ours.parse() == Ok(address)))
}

/// Whether a request may know more than "well" or "not well".
fn is_trusted(desk: &Desk, headers: &HeaderMap) -> bool {
    let Some(token) = &desk.options.token else { return true };
    let given = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    same(bearer(given).unwrap_or_default(), token.expose().as_bytes())
}

/// The token of such credentials; the scheme's name is written in any case
/// (RFC 9110, section 11.1).
fn bearer(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = credentials.split_at_checked(b"Bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer") && token.starts_with(b" ");
    is_bearer.then(|| token.trim_ascii_start())
}

/// Compares without telling by its time how much was right.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = |(a, b): (&u8, &u8)| a ^ b;
    one.len() == other.len() && one.iter().zip(other).map(differs).fold(0, |all, d| all | d) == 0
}

/// Alive: the loops come round and the database takes writes. That is all it
/// takes to be ready, too: nothing listens before, or while the daemon stops.
pub(super) async fn healthz(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let health = desk.daemon.health().await;
    say(&health, health.is_well(), is_trusted(&desk, &headers))
}

fn say(health: &Health, well: bool, trusted: bool) -> Response {
    let mut text = String::from(if well { "ok\n" } else { "not ok\n" });
    for condition in health.conditions.iter().filter(|_| trusted) {
        let word = condition.problem.as_deref().unwrap_or("ok");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {word}", condition.name);
    }
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, TEXT)], text).into_response()
}

pub(super) async fn metrics(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    if !is_trusted(&desk, &headers) {
        let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, ask).into_response();
    }
    match desk.daemon.metrics().await {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS)], text).into_response(),
        Err(reason) => {
            tracing::warn!(reason, "cannot give figures");
            (StatusCode::SERVICE_UNAVAILABLE, "no figures: see the log\n").into_response()
        }
    }
}

pub(super) async fn unknown() -> Response {
    let words = "wirewatch answers at /healthz, /readyz and /metrics\n";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, TEXT)], words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_and_the_configured_ones_are_ours() {
        let hosts = ["watch.example.org", "2001:db8::1", "10.0.0.7"];
        for name in [
            "localhost",
            "LocalHost:8466",
            "127.0.0.1",
            "127.0.0.1:8466",
            "127.9.9.9",
            "[::1]",
            "[::1]:8466",
            "watch.example.org",
            "WATCH.example.org:443",
            "localhost.",
            "10.0.0.7",
            "[2001:db8::1]:8466",
            "[2001:DB8:0::1]",
        ] {
            assert!(is_ours(&hosts, name), "{name}");
        }
        for name in [
            "",
            "evil.test",
            "evil.test:8466",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "10.0.0.1",
            "[::2]",
            "watch.example.org.evil.test",
            "localhost:x",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_ours(&hosts, name), "{name}");
        }
    }

    #[test]
    fn only_the_same_bytes_are_the_same() {
        assert!(same(b"abc", b"abc"));
        for (one, other) in [("abc", "abd"), ("abc", "ab"), ("", "a")] {
            assert!(!same(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }
}
