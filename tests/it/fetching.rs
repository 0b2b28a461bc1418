//! What servers answer, and what becomes of the feed.

use std::time::Duration;

use jiff::SignedDuration;
use wirewatch::fetch::{FetchError, Fetcher, Limits, Options, Request, RequestKind};
use wirewatch::model::RequestOptions;

use crate::support::closed_addr;
use crate::support::http::{FeedServer, Reply};
use crate::world::{World, rss, time};

fn marker() -> String {
    rss(&[("1", "A marker", "x")])
}

#[tokio::test]
async fn validators_are_sent_back_byte_for_byte_and_304_is_success() {
    let world = World::new().await;
    let etag = "W/\"strange  é\"";
    let modified = "Thu, 1 Jan 2020 00:00:00 +0100";
    let document = Reply::ok(marker()).header("ETag", etag).header("Last-Modified", modified);
    world.feeds.script("/a", vec![document, Reply::status(304)]);
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    let second = world.once(&config).await;
    assert_eq!((second.round.not_modified, second.round.failed.len()), (1, 0));
    let requests = world.feeds.requests("/a");
    assert_eq!(requests[0].header("If-None-Match"), None);
    assert_eq!(requests[0].header("If-Modified-Since"), None);
    assert_eq!(requests[1].raw_header("If-None-Match"), Some(etag.as_bytes()));
    assert_eq!(requests[1].raw_header("If-Modified-Since"), Some(modified.as_bytes()));
    let agent = requests[0].header("User-Agent").unwrap();
    assert!(agent.starts_with("wirewatch/"), "{agent}");
    assert_eq!(requests[0].header("Cookie"), None);
    assert_eq!(world.feed_row(&config, "a").await.health, "ok");
}

#[tokio::test]
async fn gone_is_final_until_somebody_revives_the_feed() {
    let world = World::new().await;
    world.feeds.script("/a", vec![Reply::status(410), Reply::ok(marker())]);
    let config = world.config(&world.toml(&world.feed("a")));
    let report = world.once(&config).await;
    assert_eq!(report.round.failed.len(), 1);
    for _ in 0..3 {
        world.wait(SignedDuration::from_hours(24 * 40));
        world.once(&config).await;
    }
    assert_eq!(world.feeds.count("/a"), 1);
    assert_eq!(world.feed_row(&config, "a").await.health, "gone");
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    let name = wirewatch::model::FeedName::new("a");
    assert!(store.revive_feed(name, world.clock.now()).await.unwrap());
    assert_eq!(world.once(&config).await.round.alerts, 1);
}

#[tokio::test]
async fn too_many_requests_pauses_the_whole_host_for_as_long_as_it_asks() {
    let world = World::new().await;
    let busy = Reply::status(429).header("Retry-After", "7200");
    world.feeds.script("/a", vec![busy, Reply::ok(marker())]);
    world.feeds.serve("/b", "text/xml", rss(&[("2", "Other", "y")]));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    let both = world.config(&world.toml(&(world.feed("a") + &world.feed("b"))));
    let row = world.feed_row(&both, "a").await;
    assert_eq!(row.next_due, world.clock.now() + SignedDuration::from_hours(2));
    // The new feed lives on the same host, which asked to be left alone.
    world.once(&both).await;
    assert_eq!(world.feeds.count("/a"), 1);
    world.wait(SignedDuration::from_hours(2));
    assert_eq!(world.once(&both).await.round.alerts, 1);
}

#[tokio::test]
async fn a_redirect_is_followed_and_carries_no_validators_of_another_url() {
    let world = World::new().await;
    let there = || Reply::status(302).header("Location", "/new");
    world.feeds.script("/a", vec![Reply::ok(marker()).header("ETag", "\"a\""), there(), there()]);
    let moved = Reply::ok(rss(&[("2", "B marker", "y")])).header("ETag", "\"new\"");
    world.feeds.script("/new", vec![moved, Reply::status(304)]);
    let config = world.config(&world.toml(&world.feed("a")));
    for _ in 0..3 {
        world.once(&config).await;
    }
    let requests = world.feeds.requests("/new");
    assert_eq!(requests[0].header("If-None-Match"), None);
    assert_eq!(requests[1].header("If-None-Match"), Some("\"new\""));
    assert_eq!(world.feeds.requests("/a")[2].header("If-None-Match"), None);
    assert_eq!(world.alerts(&config).await.len(), 2);
}

#[tokio::test]
async fn a_redirect_loop_ends_after_six_requests() {
    let world = World::new().await;
    world.feeds.script("/a", vec![Reply::status(301).header("Location", "/a")]);
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.round.failed.len(), 1);
    assert_eq!(world.feeds.count("/a"), 6);
}

#[tokio::test]
async fn one_dead_server_holds_up_nobody_else() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", marker());
    let dead = format!(
        "[feed.dead]\nurl = \"http://{}/\"\nallow_private = true\ninterval = \"60s\"\n",
        closed_addr()
    );
    let config = world.config(&world.toml(&(world.feed("a") + &dead)));
    let report = world.once(&config).await;
    assert_eq!((report.round.alerts, report.round.failed.len()), (1, 1));
    let row = world.feed_row(&config, "dead").await;
    assert_eq!((row.health.as_str(), row.failures), ("failing", 1));
    assert!(row.last_error.unwrap().contains("connect"));
}

#[tokio::test]
async fn a_document_that_cannot_be_trusted_changes_nothing_and_leaves_no_validators() {
    let whole = rss(&[("1", "A marker", "x"), ("2", "B marker", "y")]);
    let half = whole.len() / 2;
    let page = "<!DOCTYPE html><title>Checking your browser</title>";
    for (what, bad) in [
        ("cut short", Reply::ok(whole.clone()).truncate_at(half)),
        ("an error page", Reply::ok(page)),
        ("another XML", Reply::ok("<opml version='2.0'><body/></opml>")),
        ("empty", Reply::ok("")),
        ("not gzip", Reply::ok(whole.clone()).header("Content-Encoding", "gzip")),
    ] {
        let world = World::new().await;
        let good = Reply::ok(whole.clone()).header("ETag", "\"same\"");
        world.feeds.script("/a", vec![bad.header("ETag", "\"same\""), good]);
        let config = world.config(&world.toml(&world.feed("a")));
        let report = world.once(&config).await;
        assert_eq!((report.round.failed.len(), report.round.new), (1, 0), "{what}");
        assert_eq!(world.once(&config).await.round.alerts, 2, "{what}");
        let second = &world.feeds.requests("/a")[1];
        assert_eq!(second.header("If-None-Match"), None, "{what}");
    }
}

#[tokio::test]
async fn a_document_over_the_limit_is_refused_after_decoding() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", "x".repeat(3 << 20));
    let toml = world.toml(&world.feed("a")) + "[fetch]\nmax_body = \"1MiB\"\n";
    let report = world.once(&world.config(&toml)).await;
    assert!(report.round.failed[0].1.contains("larger than"), "{:?}", report.round.failed);
}

#[tokio::test]
async fn no_request_reaches_a_private_address_by_literal_or_by_name() {
    let inside = FeedServer::start().await;
    inside.serve("/secret", "text/xml", marker());
    let port = inside.addr().port();
    let fetcher = Fetcher::new(&Options {
        user_agent: "test".to_string(),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        ca_file: None,
        limits: Limits::default(),
    })
    .unwrap();
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
    {
        let url = format!("http://{host}:{port}/secret");
        let options = RequestOptions::default();
        let request = Request {
            url: &url,
            home: &url,
            allow_private: false,
            validators: None,
            options: &options,
            kind: RequestKind::Document,
        };
        let answer = fetcher.fetch(request, time("2026-11-22T12:00:00Z")).await;
        assert!(matches!(answer, Err(FetchError::Blocked(_))), "{host}: {answer:?}");
    }
    assert_eq!(inside.count("/secret"), 0);
}

/// The document `A marker`, as each content coding of RFC 9110 section 8.4.1
/// and its registry writes it, in hexadecimal.
const ENCODED: [(&str, &str); 4] = [
    (
        "br",
        "1b8100802c0aec366196ab2eb63a30fbe441cd1313e4b45ed24007c736e0408363f2553032c9e322\
         023539604e9eba0512bde4bf0575b2f44db671631304c1a95e7dde051ef2f658fa39ac82eca4b7d5\
         3560133171ecbbcc146f427fe5b90a",
    ),
    (
        "gzip",
        "1f8b08000000000002033dcd410ac3300c04c0af183fa04a7b9605b987d22f88566d446c072437ef\
         4f8a696e0bcbeca2b9874dcc75ad29de2e43247cce5cab64c2a62d0bdd117a406d52083f5f7d05f5\
         8758e149eb92e29bb34ba42bc2affbbb3114b645ece4d03d9cfb709cd30eeae3afd782000000",
    ),
    (
        "deflate",
        "789c3dcd410ac3300c04c0af183fa04a7b9605b987d22f88566d446c072437ef4f8a696e0bcbeca2\
         b9874dcc75ad29de2e43247cce5cab64c2a62d0bdd117a406d52083f5f7d05f58758e149eb92e29b\
         b34ba42bc2affbbb3114b645ece4d03d9cfb709cd30e811b2d11",
    ),
    (
        "zstd",
        "28b52ffd04580d0300c285131780a91d462914a20bfa0b2582cf13149d065011820cb01ef9ef77e7\
         8b5c1519183ece61206d3f29c20a6a26a8f2353c13c3c7c154bb180f0bb969f1c24cdbad8903a601\
         0c819556f0fb2ec8bf630500631419625c2114feadc83387f2042b8b6e45",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[tokio::test]
async fn every_content_coding_that_is_offered_is_decoded() {
    for (coding, hex) in ENCODED {
        let world = World::new().await;
        let reply = Reply::ok(bytes(hex)).header("Content-Encoding", coding);
        world.feeds.script("/a", vec![reply]);
        let config = world.config(&world.toml(&world.feed("a")));
        let report = world.once(&config).await;
        assert_eq!(report.round.alerts, 1, "{coding}: {:?}", report.round.failed);
        let offered = world.feeds.requests("/a")[0].header("Accept-Encoding").unwrap().to_string();
        assert!(offered.contains(coding), "{offered}");
    }
}
