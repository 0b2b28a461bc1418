//! What the HTTP endpoint owes to people whose browser is turned against it: no answer by a
//! stranger's name, headers on every answer, figures whose number does not grow with the feeds.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::endpoint::{Watched, status};
use crate::support::timeout;
use crate::world::World;

const ROUTES: [&str; 7] =
    ["/healthz", "/readyz", "/metrics", "/push/0123456789abcdef", "/push/", "/", "/alerts?x=1"];
/// What no stranger may read.
const DATA: [&str; 4] = ["ok\n", "wirewatch_", "not subscribed", "answers at"];

const HEADERS: [&str; 6] = [
    "content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'",
    "x-content-type-options: nosniff",
    "referrer-policy: no-referrer",
    "cache-control: no-store",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
];

fn assert_headers(answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    for header in HEADERS {
        assert_eq!(head.matches(header).count(), 1, "{header} in {answer}");
    }
    let plain = head.contains("content-type: text/plain; ");
    assert!(plain || body.is_empty(), "what is no text might be run: {answer}");
}

/// All the ways to come by another name, as the lines after the first.
fn foreign(target: &str) -> Vec<Vec<String>> {
    let host = |names: &[&str]| {
        let hosts = names.iter().map(|name| format!("Host: {name}"));
        std::iter::once(format!("{target} HTTP/1.1")).chain(hosts).collect::<Vec<_>>()
    };
    let (method, path) = target.split_once(' ').unwrap();
    let absolute = |authority: &str, host: &str| {
        vec![format!("{method} http://{authority}{path} HTTP/1.1"), format!("Host: {host}")]
    };
    let mut forwarded = host(&["evil.test"]);
    for name in ["X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server"] {
        forwarded.push(format!("{name}: localhost"));
    }
    forwarded.push("Forwarded: host=localhost".to_owned());
    vec![
        host(&["evil.test"]),
        host(&["evil.test:80"]),
        host(&["localhost.evil.test"]),
        host(&["127.0.0.1.nip.example"]),
        host(&["localhost@evil.test"]),
        host(&["evil.test#localhost"]),
        host(&["0.0.0.0"]),
        host(&["[::ffff:10.0.0.1]"]),
        host(&[""]),
        host(&[]),
        host(&["localhost", "evil.test"]),
        host(&["evil.test", "localhost"]),
        host(&["localhost", "localhost"]),
        host(&["localhost, evil.test"]),
        absolute("evil.test", "localhost"),
        absolute("localhost", "evil.test"),
        absolute("evil.test", "evil.test"),
        absolute("localhost@evil.test", "localhost"),
        vec![format!("{target} HTTP/1.0")],
        forwarded,
    ]
}

#[tokio::test]
async fn by_a_foreign_name_no_route_gives_a_byte_of_data() {
    let more = "public_url = \"https://news.example.org/in/\"\n";
    let watched = Watched::start(more).await;
    let mut tried = 0;
    for route in ROUTES {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            for lines in foreign(&format!("{method} {route}")) {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                let answer = watched.ask(&lines).await;
                // What is no request at all gets no answer of ours.
                assert!(matches!(status(&answer), "421" | "400"), "{lines:?}: {answer}");
                assert!(!DATA.iter().any(|data| answer.contains(data)), "{lines:?}: {answer}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, ROUTES.len() * 4 * 20);
    // The name that hubs are given opens their addresses, and nothing else.
    for route in ROUTES {
        let answer =
            watched.ask(&[&format!("GET {route} HTTP/1.1"), "Host: news.example.org"]).await;
        let expected = if route.starts_with("/push/") { "404" } else { "421" };
        assert_eq!(status(&answer), expected, "{route}");
    }
    watched.stop().await;
}

#[tokio::test]
async fn every_answer_says_that_nobody_may_frame_guess_keep_or_run_it() {
    let watched = Watched::start("token_file = \"http-token\"\n").await;
    let host = "Host: localhost";
    let pass = "Authorization: Bearer open sesame";
    for (expected, lines) in [
        ("200", vec!["GET /healthz HTTP/1.1", host]),
        ("200", vec!["HEAD /readyz HTTP/1.1", host]),
        ("200", vec!["GET /metrics HTTP/1.1", host, pass]),
        ("401", vec!["GET /metrics HTTP/1.1", host]),
        ("404", vec!["GET /?q=%3Cscript%3E HTTP/1.1", host]),
        ("404", vec!["GET /push/x?hub.mode=subscribe&hub.challenge=%3Cb%3E HTTP/1.1", host]),
        ("404", vec!["POST /push/x HTTP/1.1", host, "Content-Length: 0"]),
        ("405", vec!["POST /metrics HTTP/1.1", host, "Content-Length: 0"]),
        ("405", vec!["DELETE /push/x HTTP/1.1", host]),
        ("421", vec!["GET /healthz HTTP/1.1", "Host: evil.test"]),
    ] {
        let answer = watched.ask(&lines).await;
        assert_eq!(status(&answer), expected, "{lines:?}");
        assert_headers(&answer);
    }
    watched.stop().await;
}

/// Whether promtool finds nothing to say, if it is there.
fn promtool(text: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    Some(if output.status.success() { said } else { format!("refused: {said}") })
}

#[tokio::test]
async fn ten_thousand_feeds_give_no_more_figures_than_one() {
    const VISITS: u64 = 40;
    let world = World::new().await;
    let feeds: String = (0..10_000)
        .map(|number| format!("[feed.f{number}]\nurl = \"file:none{number}.xml\"\n"))
        .collect();
    let watched = Watched::start_in(world, &feeds, "").await;
    let figures = async {
        loop {
            let answer = watched.get("/metrics").await;
            let (_, figures) = answer.split_once("\r\n\r\n").unwrap();
            let visits = figures.lines().filter(|line| line.starts_with("wirewatch_feed_visits_"));
            let visits = visits.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
            if visits.sum::<u64>() > VISITS {
                break figures.to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let figures = timeout(figures, "some visits").await;
    let series = figures.lines().filter(|line| !line.starts_with('#')).count();
    assert!(figures.contains("wirewatch_feeds{health="), "{figures}");
    assert!(series < 80, "{series} series: {figures}");
    assert!(!figures.contains("none1"), "{figures}");
    match promtool(&figures) {
        Some(said) => assert_eq!(said, ""),
        None => eprintln!("SKIPPED: there is no promtool"),
    }
    watched.stop().await;
}
