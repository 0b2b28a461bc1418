//! What requests carry, and what is understood of the answers: the fetcher
//! alone against servers that say odd things.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::config::Config;
use wirewatch::fetch::{Body, FetchError, Fetched, Fetcher, Limits, Options, Request, RequestKind};
use wirewatch::model::{Auth, RequestOptions, Secret, Validators};
use wirewatch::pipeline::{Desk, Live, Meter, Poller};
use wirewatch::store::Store;

use crate::support::Server;
use crate::support::http::{FeedServer, Reply, handler};
use crate::support::tls::TestCa;
use crate::world::{World, rss, time};

const NOW: &str = "2026-11-22T12:00:00Z";

fn now() -> Timestamp {
    time(NOW)
}

fn fetcher_with(timeout: Duration, ca_file: Option<PathBuf>) -> Fetcher {
    Fetcher::new(&Options {
        user_agent: "wirewatch/test".to_string(),
        connect_timeout: Duration::from_secs(10),
        timeout,
        max_body: 10 << 20,
        ca_file,
        limits: Limits::default(),
    })
    .unwrap()
}

/// One with a single place for documents of more than a kilobyte.
fn fetcher_of_one_place(timeout: Duration, wait: Duration) -> (Fetcher, Options) {
    let limits = Limits { small: 1_000, places: 1, wait, ..Limits::default() };
    let options = Options {
        user_agent: "wirewatch/test".to_string(),
        connect_timeout: Duration::from_secs(10),
        timeout,
        max_body: 10 << 20,
        ca_file: None,
        limits,
    };
    (Fetcher::new(&options).unwrap(), options)
}

fn fetcher() -> Fetcher {
    fetcher_with(Duration::from_secs(20), None)
}

async fn ask(
    fetcher: &Fetcher,
    url: &str,
    validators: Option<&Validators>,
    (options, kind): (&RequestOptions, RequestKind),
) -> Result<Fetched, FetchError> {
    let request = Request { url, home: url, allow_private: true, validators, options, kind };
    fetcher.fetch(request, now()).await
}

async fn plain(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    ask(fetcher, url, None, (&RequestOptions::default(), RequestKind::Document)).await
}

fn document() -> String {
    rss(&[("1", "A story", "x")])
}

/// Header lines, and what of them must come back as validators.
type Shape = (Vec<(&'static str, Vec<u8>)>, Option<Vec<u8>>, Option<Vec<u8>>);

fn shapes() -> Vec<Shape> {
    let etag =
        |value: &[u8]| (vec![("ETag", value.to_vec())], Some(value.to_vec()), None::<Vec<u8>>);
    let modified = |value: &[u8]| {
        (vec![("Last-Modified", value.to_vec())], None::<Vec<u8>>, Some(value.to_vec()))
    };
    let long = format!("\"{}\"", "x".repeat(198));
    vec![
        etag(b"\"strong\""),
        etag(b"W/\"a\""),
        etag(b"unquoted"),
        etag(b"\"a b  c\""),
        etag("\"\u{e9}\u{4e2d}\"".as_bytes()),
        etag(b"\"latin \xe9\xff\""),
        etag(long.as_bytes()),
        etag(b"'single'"),
        modified(b"Sun, 22 nov 2026 10:00:00 GMT"),
        modified(b"Thu, 1 Jan 2020 00:00:00 GMT"),
        modified(b"Sunday, 22-Nov-26 10:00:00 GMT"),
        modified(b"Sun, 22 Nov 2026 10:00:00 +0100"),
        (vec![("ETag", b"".to_vec())], None, None),
        (
            vec![("ETag", b"\"one\"".to_vec()), ("ETag", b"\"two\"".to_vec())],
            Some(b"\"one\"".to_vec()),
            None,
        ),
        (
            vec![("ETag", b"\"b\"".to_vec()), ("Last-Modified", b"whenever".to_vec())],
            Some(b"\"b\"".to_vec()),
            Some(b"whenever".to_vec()),
        ),
    ]
}

#[tokio::test]
async fn validators_of_every_shape_come_back_byte_for_byte() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    for (lines, etag, modified) in shapes() {
        let answer = lines
            .iter()
            .fold(Reply::ok(document()), |reply, (name, value)| reply.header(name, value.clone()));
        let conditional = etag.is_some() || modified.is_some();
        server.route("/a", {
            handler(move |request| {
                let known = request.header("If-None-Match").is_some()
                    || request.header("If-Modified-Since").is_some();
                if known { Reply::status(304) } else { answer.clone() }
            })
        });
        let before = server.count("/a");
        let mut kept: Option<Validators> = None;
        for _ in 0..5 {
            let url = server.url("/a");
            let answer = ask(
                &fetcher,
                &url,
                kept.as_ref(),
                (&RequestOptions::default(), RequestKind::Document),
            )
            .await;
            let fetched = answer.unwrap();
            kept = fetched.validators.or(kept);
        }
        for (at, request) in server.requests("/a")[before..].iter().enumerate() {
            let expected = |value: &Option<Vec<u8>>| value.clone().filter(|_| at > 0);
            let sent = |name| request.raw_header(name).map(<[u8]>::to_vec);
            assert_eq!(sent("If-None-Match"), expected(&etag), "{lines:?}");
            assert_eq!(sent("If-Modified-Since"), expected(&modified), "{lines:?}");
            let a_im = request.header("A-IM");
            assert_eq!(a_im, (conditional && at > 0).then_some("feed"), "{lines:?}");
            assert_eq!(request.method, "GET");
        }
    }
}

#[tokio::test]
async fn a_304_renews_what_it_names_and_keeps_the_rest() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    let first = Reply::ok(document()).header("ETag", "\"a\"").header("Last-Modified", "then");
    let second = Reply::status(304).header("ETag", "\"b\"").header("Cache-Control", "max-age=60");
    server.script("/a", vec![first, second, Reply::status(304)]);
    let url = server.url("/a");
    let kept = plain(&fetcher, &url).await.unwrap().validators;
    let options = RequestOptions::default();
    let renewed =
        ask(&fetcher, &url, kept.as_ref(), (&options, RequestKind::Document)).await.unwrap();
    assert!(matches!(renewed.body, Body::NotModified));
    assert_eq!(renewed.hints.fresh_for, Some(SignedDuration::from_secs(60)));
    ask(&fetcher, &url, renewed.validators.as_ref(), (&options, RequestKind::Document))
        .await
        .unwrap();
    let third = &server.requests("/a")[2];
    assert_eq!(third.header("If-None-Match"), Some("\"b\""));
    assert_eq!(third.header("If-Modified-Since"), Some("then"));
    let unasked = plain(&fetcher, &url).await.unwrap_err().to_string();
    assert!(unasked.contains("without validators"), "{unasked}");
}

#[tokio::test]
async fn an_answer_moves_the_feed_when_every_hop_was_for_good() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    server.serve("/end", "text/xml", document());
    for (statuses, moved) in [
        (vec![], false),
        (vec![301], true),
        (vec![308], true),
        (vec![301, 308], true),
        (vec![302], false),
        (vec![303], false),
        (vec![307], false),
        (vec![301, 302], false),
        (vec![302, 301], false),
        (vec![301, 301, 301, 301, 301], true),
    ] {
        for (at, status) in statuses.iter().enumerate() {
            let next =
                if at + 1 == statuses.len() { "/end#part".into() } else { format!("/{}", at + 1) };
            let hop = Reply::status(*status).header("Location", next).header("Retry-After", "120");
            server.script(&format!("/{at}"), vec![hop]);
        }
        let start = if statuses.is_empty() { "/end" } else { "/0" };
        let fetched = plain(&fetcher, &(server.url(start) + "#frag")).await.unwrap();
        let expected = moved.then(|| server.url("/end"));
        assert_eq!(fetched.moved_to, expected, "{statuses:?}");
        let wait = (!statuses.is_empty()).then(|| SignedDuration::from_secs(120));
        assert_eq!(fetched.hints.retry_after, wait, "{statuses:?}");
    }
    let targets: Vec<_> = server.all_requests().iter().map(|r| r.path.clone()).collect();
    assert!(targets.iter().all(|path| !path.contains('#')), "{targets:?}");
}

#[tokio::test]
async fn nothing_meant_for_one_origin_reaches_another() {
    let basic = Auth::Basic { user: "ann".to_string(), password: Secret::new("pass-word") };
    let bearer = Auth::Bearer(Secret::new("t0ken-value"));
    let as_basic = "Basic YW5uOnBhc3Mtd29yZA==";
    for (auth, userinfo, expected) in [
        (Some(basic), "", as_basic),
        (Some(bearer), "", "Bearer t0ken-value"),
        (None, "ann:pass-word@", as_basic),
    ] {
        let (home, other) = (FeedServer::start().await, FeedServer::start().await);
        other.serve("/there", "text/xml", document());
        home.serve("/here", "text/xml", document());
        let options = RequestOptions {
            headers: vec![("X-Api-Key".to_string(), Secret::new("k3y-value"))],
            auth,
            user_agent: Some("Special/1".to_string()),
            ..RequestOptions::default()
        };
        let url = home.url("/a").replace("http://", &format!("http://{userinfo}"));
        for status in [301, 302, 303, 307, 308] {
            for to in [other.url("/there"), "/here".to_string()] {
                home.script("/a", vec![Reply::status(status).header("Location", to)]);
                ask(&fetcher(), &url, None, (&options, RequestKind::Document)).await.unwrap();
            }
        }
        assert_eq!((home.count("/a"), home.count("/here"), other.count("/there")), (10, 5, 5));
        for request in home.all_requests() {
            assert_eq!(request.header("Authorization"), Some(expected));
            assert_eq!(request.header("X-Api-Key"), Some("k3y-value"));
            assert_eq!(request.header("User-Agent"), Some("Special/1"));
        }
        for request in other.all_requests() {
            let text = format!("{request:?}").to_ascii_lowercase();
            for secret in ["yw5u", "t0ken", "pass-word", "k3y", "authorization", "referer"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_document_names_gets_no_credentials_and_is_no_program() {
    let (home, other) = (FeedServer::start().await, FeedServer::start().await);
    other.serve("/older", "text/xml", document());
    home.serve("/older", "text/xml", document());
    let dir = tempfile::tempdir().unwrap();
    let (file, ran) = (dir.path().join("feed.xml"), dir.path().join("ran"));
    std::fs::write(&file, document()).unwrap();
    let options = RequestOptions {
        headers: vec![("X-Api-Key".to_string(), Secret::new("k3y-value"))],
        auth: Some(Auth::Bearer(Secret::new("t0ken-value"))),
        args: vec!["-c".to_string(), format!("touch {}", ran.display())],
        ..RequestOptions::default()
    };
    let configured = home.url("/a");
    let named = async |url: &str| {
        let request = Request {
            url,
            home: &configured,
            allow_private: true,
            validators: None,
            options: &options,
            kind: RequestKind::Document,
        };
        fetcher().fetch(request, now()).await
    };
    named(&home.url("/older")).await.unwrap();
    named(&other.url("/older")).await.unwrap();
    assert_eq!(home.all_requests()[0].header("X-Api-Key"), Some("k3y-value"));
    let text = format!("{:?}", other.all_requests());
    assert!(!text.contains("t0ken") && !text.contains("k3y"), "{text}");
    for url in [format!("file:{}", file.display()), "exec:/bin/sh".to_string()] {
        assert!(matches!(named(&url).await, Err(FetchError::Failed(_))), "{url}");
    }
    assert!(!ran.exists());
}

#[tokio::test]
async fn cookies_and_referers_do_not_exist() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    let mut answer = Reply::status(302).header("Location", "/b");
    for n in 0..5 {
        answer = answer.header("Set-Cookie", format!("c{n}=1; Path=/"));
    }
    server.script("/a", vec![answer]);
    server.serve("/b", "text/xml", document());
    for _ in 0..2 {
        plain(&fetcher, &server.url("/a?q=1")).await.unwrap();
    }
    for request in server.all_requests() {
        for name in ["Cookie", "Referer", "A-IM", "If-None-Match", "If-Modified-Since"] {
            assert_eq!(request.header(name), None);
        }
        assert_eq!(request.header("Accept-Encoding"), Some("gzip, br, zstd, deflate"));
        assert!(request.header("Accept").unwrap().ends_with("*/*;q=0.1"));
    }
    assert_eq!(server.requests("/a")[0].query.as_deref(), Some("q=1"));
}

#[tokio::test]
async fn a_226_is_a_part_only_when_it_was_asked_for_and_says_so() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    let url = server.url("/a");
    let known = Validators { etag: Some(b"\"a\"".to_vec()), last_modified: None, url: url.clone() };
    let part = || Reply::status(226).body(document()).header("ETag", "\"b\"");
    for (reply, asked, partial) in [
        (part().header("IM", "feed"), true, Some(true)),
        (part().header("IM", "feed"), false, None),
        (part(), true, None),
        (part().header("IM", "vcdiff"), true, None),
        (Reply::ok(document()), true, Some(false)),
    ] {
        server.script("/a", vec![reply.clone()]);
        let validators = asked.then_some(&known);
        let answer =
            ask(&fetcher, &url, validators, (&RequestOptions::default(), RequestKind::Document))
                .await;
        let found = answer.ok().map(|fetched| match fetched.body {
            Body::Document { partial, .. } => partial,
            Body::NotModified => panic!("{reply:?}"),
        });
        assert_eq!(found, partial, "{reply:?}");
    }
}

/// When the server wants to be asked again.
fn until_of(error: &FetchError) -> Option<Timestamp> {
    match error {
        FetchError::Throttled { until, .. } | FetchError::Challenged { until, .. } => *until,
        _ => None,
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_and_keep_the_servers_wish() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    let url = server.url("/a");
    let hour = now() + SignedDuration::from_hours(1);
    for (status, words) in [
        (401, "wants a login"),
        (403, "refuses to give"),
        (404, "no feed at this address"),
        (451, "legal reasons"),
        (500, "trouble of its own"),
    ] {
        server.script("/a", vec![Reply::status(status).body("<p>no</p>")]);
        let error = plain(&fetcher, &url).await.unwrap_err();
        assert!(matches!(&error, FetchError::Failed(text) if text.contains(words)), "{error:?}");
    }
    server.script("/a", vec![Reply::status(410)]);
    assert_eq!(plain(&fetcher, &url).await.unwrap_err(), FetchError::Gone);
    for (reply, until) in [
        (Reply::status(429).header("Retry-After", "3600"), Some(hour)),
        (Reply::status(503).header("Retry-After", "Sun, 22 Nov 2026 13:00:00 GMT"), Some(hour)),
        (Reply::status(429).header("Cache-Control", "max-age=3600"), Some(hour)),
        (Reply::status(429).body("slow down"), None),
    ] {
        server.script("/a", vec![reply.clone()]);
        let error = plain(&fetcher, &url).await.unwrap_err();
        assert!(matches!(error, FetchError::Throttled { .. }), "{reply:?}: {error:?}");
        assert_eq!(until_of(&error), until, "{reply:?}");
    }
    let page = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
    for status in [403, 429, 503] {
        let check = Reply::status(status).header("Server", "cloudflare").body(page);
        server.script("/a", vec![check.header("Retry-After", "3600")]);
        let error = plain(&fetcher, &url).await.unwrap_err();
        assert!(matches!(&error, FetchError::Challenged { .. }), "{error:?}");
        assert_eq!(until_of(&error), Some(hour));
        assert!(error.to_string().contains("ask the publisher"), "{error}");
    }
    let sure = "<html><script src=/cdn-cgi/challenge-platform/x.js></script></html>";
    server.script("/a", vec![Reply::ok(sure).header("Content-Type", "text/html")]);
    assert!(matches!(plain(&fetcher, &url).await, Err(FetchError::Challenged { .. })));
}

#[tokio::test]
async fn a_feeds_own_limit_stands_over_the_general_one() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    server.serve("/six", "text/xml", vec![b' '; 6 << 20]);
    let url = server.url("/six");
    let options = |max_body| RequestOptions { max_body, ..RequestOptions::default() };
    let error = ask(&fetcher, &url, None, (&options(None), RequestKind::Document))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("on the wire"), "{error}");
    assert!(
        ask(&fetcher, &url, None, (&options(Some(7 << 20)), RequestKind::Document)).await.is_ok()
    );
    server.serve("/two", "text/xml", vec![b' '; 2 << 20]);
    let (url, small) = (server.url("/two"), options(Some(1 << 20)));
    let error =
        ask(&fetcher, &url, None, (&small, RequestKind::Document)).await.unwrap_err().to_string();
    assert!(error.contains("larger than 1048576"), "{error}");
}

#[tokio::test]
async fn header_lines_that_are_ours_cannot_be_set() {
    let (server, fetcher) = (FeedServer::start().await, fetcher());
    for (name, value) in
        [("Host", "x"), ("If-None-Match", "x"), ("X-Y", "a\r\nEvil: 1"), ("a b", "x")]
    {
        let headers = vec![(name.to_string(), Secret::new(value))];
        let options = RequestOptions { headers, ..RequestOptions::default() };
        let error = ask(&fetcher, &server.url("/a"), None, (&options, RequestKind::Document))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&format!("\"{name}\"")), "{error}");
    }
    assert_eq!(server.all_requests().len(), 0);
}

#[tokio::test]
async fn a_feed_over_https_is_read_if_its_authority_is_trusted() {
    for (ca, trusted, readable) in [
        (TestCa::new(), true, true),
        (TestCa::new(), false, false),
        (TestCa::wrong_name(), true, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let acceptor = ca.acceptor();
        let server = Server::start(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let body = document();
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        let ca_file = trusted.then(|| ca.write_ca(&dir));
        let fetcher = fetcher_with(Duration::from_secs(20), ca_file);
        let url = format!("https://localhost:{}/feed", server.addr().port());
        let answer = plain(&fetcher, &url).await;
        assert_eq!(answer.is_ok(), readable, "{answer:?}");
    }
}

#[tokio::test]
async fn a_proxy_gets_the_requests_and_nothing_private_is_asked_of_it() {
    let proxy = FeedServer::start().await;
    proxy.serve("http://news.example.org/feed", "text/xml", document());
    let address = proxy.url("").replace("http://", "http://ann:pr0xy@");
    let options = RequestOptions { proxy: Some(Secret::new(address)), ..RequestOptions::default() };
    let fetcher = fetcher();
    let ask = |url: &'static str| {
        let request = Request {
            url,
            home: url,
            allow_private: false,
            validators: None,
            options: &options,
            kind: RequestKind::Document,
        };
        fetcher.fetch(request, now())
    };
    // The name is known to nobody here; the proxy looks it up.
    ask("http://news.example.org/feed").await.unwrap();
    let requests = proxy.all_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("Proxy-Authorization"), Some("Basic YW5uOnByMHh5"));
    for url in [
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "http://localhost:8080/",
        "http://x.localhost./",
    ] {
        let error = ask(url).await.unwrap_err();
        assert!(matches!(error, FetchError::Blocked(_)), "{url}: {error:?}");
    }
    assert_eq!(proxy.all_requests().len(), 1);
    assert!(!format!("{fetcher:?}").contains("pr0xy"));
}

/// Speaks as much SOCKS5 (RFC 1928) as a test needs, and answers every
/// connection with a feed.
async fn socks(mut stream: TcpStream, asked: Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await;
    let _ = stream.write_all(&[5, 0]).await;
    let length = stream.read(&mut buffer).await.unwrap_or(0);
    asked.lock().unwrap().push(buffer[..length].to_vec());
    let _ = stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    let _ = stream.read(&mut buffer).await;
    let body = document();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

#[tokio::test]
async fn a_socks_proxy_is_asked_by_name_or_by_address_as_its_scheme_says() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let record = asked.clone();
    let server = Server::start(move |stream| socks(stream, record.clone())).await;
    let fetcher = fetcher();
    for (scheme, url, allow_private, fine) in [
        ("socks5h", "http://news.invalid/feed", false, true),
        ("socks5", "http://localhost/feed", true, true),
        ("socks5", "http://localhost/feed", false, false),
        ("socks5h", "http://10.0.0.1/feed", false, false),
        ("ftp", "http://news.invalid/feed", false, false),
    ] {
        let proxy = Some(Secret::new(format!("{scheme}://{}", server.addr())));
        let options = RequestOptions { proxy, ..RequestOptions::default() };
        let request = Request {
            url,
            home: url,
            allow_private,
            validators: None,
            options: &options,
            kind: RequestKind::Document,
        };
        let answer = fetcher.fetch(request, now()).await;
        assert_eq!(answer.is_ok(), fine, "{scheme} {url}: {answer:?}");
    }
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    // Version, connect, reserved, and the kind of address: 3 is a name.
    assert_eq!(asked[0][..4], [5, 1, 0, 3]);
    assert!(asked[0].windows(12).any(|name| name == b"news.invalid"));
    assert_ne!(asked[1][3], 3);
}

#[tokio::test]
async fn errors_keep_secrets() {
    let server = FeedServer::start().await;
    let closed = crate::support::closed_addr();
    server.script("/bad", vec![Reply::status(302).header("Location", "http://[bad/?token=hush")]);
    server.script("/cut", vec![Reply::ok(document()).truncate_at(10)]);
    server.script("/drop", vec![Reply::status(200).drop_connection()]);
    let login = |url: String| url.replace("http://", "http://ann:hush@") + "?token=hush";
    for url in [
        login(format!("http://{closed}/a")),
        login(server.url("/bad")),
        login(server.url("/cut")),
        login(server.url("/drop")),
        login(server.url("/missing")),
        "http://ann:hush@[bad/?token=hush".to_string(),
    ] {
        let error = plain(&fetcher(), &url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
    let proxy = Some(Secret::new(format!("http://ann:hush@{closed}")));
    for proxy in [proxy, Some(Secret::new("hush://x"))] {
        let options = RequestOptions { proxy, ..RequestOptions::default() };
        let error =
            ask(&fetcher(), "http://news.invalid/", None, (&options, RequestKind::Document))
                .await
                .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
}

#[tokio::test]
async fn the_environment_does_not_choose_a_proxy() {
    let canary = FeedServer::start().await;
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", document());
    world.write("watch.toml", &world.toml(&world.feed("a")));
    let proxy = canary.url("");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_wirewatch"));
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, &proxy);
    }
    let path = world.dir.path().join("watch.toml");
    let done = command.args(["once", "--config"]).arg(path).output().await.unwrap();
    assert_eq!(world.feeds.count("/a"), 1, "{done:?}");
    assert_eq!(canary.all_requests().len(), 0);
}

#[tokio::test]
async fn a_large_document_waits_for_its_place_longer_than_for_its_server() {
    let (limit, wait) = (Duration::from_secs(2), Duration::from_secs(60));
    let (fetcher, options) = fetcher_of_one_place(limit, wait);
    // As after a reload: what is under way keeps its place.
    let renewed =
        fetcher.renewed(&Options { user_agent: "another".to_string(), ..options }).unwrap();
    let server = FeedServer::start().await;
    let large = rss(&[("1", "A story", &"x".repeat(20_000))]);
    server.serve("/large", "text/xml", large.clone());
    server.serve("/small", "text/xml", document());
    let first = plain(&fetcher, &server.url("/large")).await.unwrap();
    let url = server.url("/large");
    let second = plain(&renewed, &url);
    tokio::pin!(second);
    let early = tokio::time::timeout(limit + Duration::from_millis(500), &mut second).await;
    assert!(early.is_err(), "{early:?}");
    let small = plain(&fetcher, &server.url("/small")).await.unwrap();
    assert!(small.place.is_none(), "a small document needs no place");
    drop(first);
    let Body::Document { document, .. } = second.await.unwrap().body else { panic!() };
    assert_eq!(document.bytes, large.into_bytes());
}

#[tokio::test]
async fn a_server_that_drips_keeps_a_place_no_longer_than_a_fetch_lasts() {
    let (fetcher, _) = fetcher_of_one_place(Duration::from_secs(1), Duration::from_secs(60));
    let server = FeedServer::start().await;
    let large = rss(&[("1", "A story", &"x".repeat(20_000))]);
    server.route("/drip", handler(|_| Reply::ok("x".repeat(20_000)).truncate_at(10_000).hang()));
    server.serve("/large", "text/xml", large);
    let (drip, url) = (server.url("/drip"), server.url("/large"));
    let (dripped, read) = tokio::join!(plain(&fetcher, &drip), async {
        server.wait_for("/drip", 1).await;
        plain(&fetcher, &url).await.map(|fetched| fetched.place.is_some())
    });
    assert_eq!(dripped.unwrap_err().to_string(), "timed out");
    assert_eq!(read, Ok(true));
}

#[tokio::test]
async fn a_large_document_that_finds_no_place_says_so() {
    let (fetcher, _) = fetcher_of_one_place(Duration::from_secs(20), Duration::from_millis(50));
    let server = FeedServer::start().await;
    server.serve("/large", "text/xml", rss(&[("1", "A story", &"x".repeat(20_000))]));
    let first = plain(&fetcher, &server.url("/large")).await.unwrap();
    let error = plain(&fetcher, &server.url("/large")).await.unwrap_err();
    assert_eq!(error, FetchError::Busy);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.xml");
    std::fs::write(&path, "x".repeat(2_000)).unwrap();
    // What is here already waits.
    let url = format!("file:{}", path.display());
    let file = plain(&fetcher, &url);
    tokio::pin!(file);
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut file).await.is_err());
    drop(first);
    assert!(file.await.unwrap().place.is_some());
    plain(&fetcher, &server.url("/large")).await.unwrap();
}

/// A page of the same size needs no place.
#[tokio::test]
async fn a_document_without_a_place_is_no_failure_of_its_feed() {
    let (fetcher, _) = fetcher_of_one_place(Duration::from_secs(20), Duration::from_millis(50));
    let world = World::new().await;
    let large = rss(&[("1", "A story", &"x".repeat(20_000))]);
    world.feeds.serve("/wire", "text/xml", rss(&[]));
    world.feeds.serve("/large", "text/xml", large.clone());
    let config = world.config(&world.toml(&world.feed("wire")));
    world.once(&config).await;
    world.feeds.serve("/wire", "text/xml", large);
    world.wait(SignedDuration::from_hours(24));
    let (store, url) = (Store::open(&config.store).unwrap(), world.feeds.url("/large"));
    let poller = poller(&world, &config, (store, fetcher.clone()));
    let place = plain(&fetcher, &url).await.unwrap().place;
    let page = ask(&fetcher, &url, None, (&RequestOptions::default(), RequestKind::Page)).await;
    assert!(page.unwrap().place.is_none());
    let report = poller.once(&CancellationToken::new(), |_| {}).await.unwrap();
    assert_eq!(report.failed.len(), 1, "{report:?}");
    let row = world.feed_row(&config, "wire").await;
    let why = row.last_error.as_deref();
    let expected = Some("too many large documents are being read");
    assert_eq!((row.failures, row.health.as_str(), why), (0, "ok", expected));
    assert!(row.next_due > world.clock.now(), "its server is asked again in its interval");
    drop(place);
    world.wait(SignedDuration::from_hours(24));
    let report = poller.once(&CancellationToken::new(), |_| {}).await.unwrap();
    assert_eq!((report.failed.len(), report.new), (0, 1), "{report:?}");
    assert_eq!(world.feed_row(&config, "wire").await.last_error, None);
}

/// One that visits as the daemon does, with this fetcher.
fn poller(world: &World, config: &Config, (store, fetcher): (Store, Fetcher)) -> Poller {
    let feeds = config.feeds.iter().map(|feed| (feed.name.clone(), feed.clone())).collect();
    Poller {
        store,
        fetcher: watch::channel(fetcher).1,
        live: watch::channel(Arc::new(Live { feeds, concurrency: 1, ..Live::default() })).1,
        clock: world.clock.clone(),
        planned: watch::channel(0).0,
        meter: Meter::default(),
        desk: Desk::new(1),
        hurried: watch::channel(0).1,
    }
}
