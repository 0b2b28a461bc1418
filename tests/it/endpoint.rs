//! The HTTP endpoint: who is answered, with what, and whatever others do to it.

use std::net::{SocketAddr, TcpListener};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wirewatch::app::App;
use wirewatch::config::Config;
use wirewatch::serve::MAX_CONNECTIONS;

use crate::cli::{stdout, wirewatch};
use crate::support::timeout;
use crate::world::{World, rss};

/// An address that nobody listens at now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A daemon that answers at an address.
pub(super) struct Watched {
    world: World,
    config: Config,
    address: SocketAddr,
    app: App,
}

impl Watched {
    pub(super) async fn start(more: &str) -> Self {
        Self::start_in(World::new().await, "", more).await
    }

    /// With these feeds besides, and this in its section.
    pub(super) async fn start_in(world: World, feeds: &str, more: &str) -> Self {
        world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker", "x")]));
        world.secret("http-token", "open sesame\n");
        let address = free_address();
        let toml = world
            .toml(&format!("{}{feeds}[http]\nlisten = \"{address}\"\n{more}", world.feed("a")));
        let config = world.config(&toml);
        let app = world.start(&config).await;
        world.hook.wait_for(1).await;
        let watched = Self { world, config, address, app };
        watched.until_answered().await;
        watched
    }

    async fn until_answered(&self) {
        let answered = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(answered, "an open port").await;
    }

    /// The whole answer to these lines.
    pub(super) async fn ask(&self, lines: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{}\r\n\r\n", lines.join("\r\n"));
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A refusal may come with a reset behind it.
        let _ = timeout(stream.read_to_end(&mut answer), "an answer").await;
        String::from_utf8(answer).unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> String {
        self.ask(&[&format!("GET {path} HTTP/1.1"), "Host: localhost"]).await
    }

    pub(super) async fn stop(self) {
        assert!(timeout(self.app.stop(), "a stop").await);
    }
}

pub(super) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn a_daemon_that_is_well_says_so_and_gives_its_figures() {
    let watched = Watched::start("").await;
    for path in ["/healthz", "/readyz"] {
        let answer = watched.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("ok\nloops: ok\ndatabase: ok\n"), "{answer}");
        for header in ["content-security-policy: default-src 'none'", "nosniff", "no-store"] {
            assert!(answer.contains(header), "{header} in {answer}");
        }
    }
    let figures = watched.get("/metrics").await;
    for line in [
        "\nwirewatch_build_info{version=\"",
        "\nwirewatch_feeds{health=\"ok\"} 1\n",
        "\nwirewatch_entries_total 1\n",
        "\nwirewatch_alerts_total 1\n",
        "\nwirewatch_delivery_attempts_total{channel=\"hook\",result=\"sent\"} 1\n",
        "\nwirewatch_delivery_latency_seconds_count{channel=\"hook\"} 1\n",
        "\nwirewatch_feed_visits_total{result=\"read\"} 1\n",
        "# TYPE wirewatch_alerts_total counter\n",
    ] {
        assert!(figures.contains(line), "{line:?} in {figures}");
    }
    assert_eq!(status(&watched.get("/alerts").await), "404");
    watched.stop().await;
}

#[tokio::test]
async fn only_reading_by_a_name_of_ours_is_answered() {
    let watched = Watched::start("hosts = [\"watch.example.org\"]\n").await;
    let check = async |expected: &str, lines: &[&str]| {
        let answer = watched.ask(lines).await;
        assert_eq!(status(&answer), expected, "{lines:?}: {answer}");
        assert!(expected == "200" || !answer.contains("wirewatch_feeds"), "{answer}");
    };
    let get = "GET /metrics HTTP/1.1";
    check("200", &[get, "Host: watch.example.org"]).await;
    check("200", &[get, "Host: 127.0.0.1:8466"]).await;
    check("421", &[get, "Host: evil.test"]).await;
    check("421", &[get, "Host: evil.test", "X-Forwarded-Host: localhost"]).await;
    check("421", &[get, "Host: localhost", "Host: evil.test"]).await;
    check("421", &["GET http://evil.test/metrics HTTP/1.1", "Host: localhost"]).await;
    check("421", &["GET /metrics HTTP/1.0"]).await;
    check("405", &["POST /metrics HTTP/1.1", "Host: localhost", "Content-Length: 0"]).await;
    check("405", &["DELETE /healthz HTTP/1.1", "Host: localhost"]).await;
    check("200", &["HEAD /healthz HTTP/1.1", "Host: localhost"]).await;
    let long = format!("X-Long: {}", "x".repeat(40_000));
    check("431", &[get, "Host: localhost", &long]).await;
    watched.stop().await;
}

#[tokio::test]
async fn with_a_token_figures_and_reasons_are_for_who_knows_it() {
    let watched = Watched::start("token_file = \"http-token\"\n").await;
    assert!(watched.get("/healthz").await.ends_with("\r\n\r\nok\n"));
    assert_eq!(status(&watched.get("/metrics").await), "401");
    let with = async |path: &str, token: &str| {
        let line = format!("Authorization: Bearer {token}");
        watched.ask(&[&format!("GET {path} HTTP/1.1"), "Host: localhost", &line]).await
    };
    assert_eq!(status(&with("/metrics", "open sesam").await), "401");
    assert_eq!(status(&with("/metrics", "open sesame").await), "200");
    assert!(with("/healthz", "open sesame").await.ends_with("database: ok\n"));
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let line = format!("Authorization: {scheme} open sesame");
        let answer = watched.ask(&["GET /metrics HTTP/1.1", "Host: localhost", &line]).await;
        assert_eq!(status(&answer), "200", "{scheme}");
    }
    for wrong in ["Basic open sesame", "Beareropen sesame", "open sesame"] {
        let line = format!("Authorization: {wrong}");
        let answer = watched.ask(&["GET /metrics HTTP/1.1", "Host: localhost", &line]).await;
        assert_eq!(status(&answer), "401", "{wrong}");
    }
    watched.stop().await;
}

#[tokio::test]
async fn slow_connections_hold_up_nobody() {
    let watched = Watched::start("").await;
    let mut slow = Vec::new();
    for _ in 0..2 * MAX_CONNECTIONS {
        let mut stream = TcpStream::connect(watched.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: lo").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(status(&watched.get("/healthz").await), "200");
    drop(slow);
    watched.stop().await;
}

#[tokio::test]
async fn a_reload_moves_the_endpoint_and_a_port_in_use_keeps_nobody_from_watching() {
    let mut watched = Watched::start("").await;
    let old = watched.address;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let move_to = |watched: &Watched, to: SocketAddr| {
        let path = watched.world.dir.path().join("watch.toml");
        let toml = std::fs::read_to_string(path).unwrap();
        watched.world.config(&toml.replace(&watched.address.to_string(), &to.to_string()))
    };
    let config = move_to(&watched, free_address());
    watched.app.reload(&config).await.unwrap();
    watched.address = config.http.listen.unwrap();
    watched.until_answered().await;
    assert_eq!(status(&watched.get("/healthz").await), "200");
    let closed = async { while TcpStream::connect(old).await.is_ok() {} };
    timeout(closed, "the old port to close").await;
    let config = move_to(&watched, taken.local_addr().unwrap());
    watched.app.reload(&config).await.unwrap();
    watched.world.feeds.serve("/a", "text/xml", rss(&[("2", "Another marker elsewhere", "y")]));
    watched.world.hook.wait_for(2).await;
    watched.stop().await;
}

#[tokio::test]
async fn the_healthcheck_command_says_what_the_endpoint_says() {
    let watched = Watched::start("token_file = \"http-token\"\n").await;
    let path = watched.world.dir.path().join("watch.toml");
    let check = || {
        let arguments = ["--config", path.to_str().unwrap(), "healthcheck"];
        let dir = watched.world.dir.path().to_path_buf();
        let arguments = arguments.map(str::to_owned);
        tokio::task::spawn_blocking(move || {
            wirewatch(&dir, &arguments.each_ref().map(String::as_str), "")
        })
    };
    let well = check().await.unwrap();
    assert!(well.status.success());
    assert_eq!(stdout(&well), "ok\nloops: ok\ndatabase: ok\n");
    // Somebody else holds the database for longer than anybody waits.
    let other = rusqlite::Connection::open(&watched.config.store).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // It looks once a second.
    let ill = timeout(
        async {
            loop {
                let found = check().await.unwrap();
                if !found.status.success() {
                    break found;
                }
            }
        },
        "a look at the database",
    );
    let ill = ill.await;
    assert_eq!(ill.status.code(), Some(1));
    assert!(stdout(&ill).contains("database: "), "{}", stdout(&ill));
    other.execute_batch("ROLLBACK").unwrap();
    watched.stop().await;
}
