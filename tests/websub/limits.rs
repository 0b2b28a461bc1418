//! What strangers and hubs can do to the endpoint by sending much, or slowly.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use wirewatch::fetch::{FetchError, Fetcher, HubRequest, Limits, Options, Request, RequestKind};
use wirewatch::model::RequestOptions;

use super::hub::{exchange, post, push, sign};
use super::say;
use super::scene::Scene;
use super::world::rss;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_and_not_coded() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    let large = vec![b' '; (5 << 20) + 1];
    let signature = sign("sha256", held.secret.as_deref().unwrap(), &large);
    assert_eq!(post(&held, &large, &[("X-Hub-Signature", &signature)]).await.status, 413);
    let url = Url::parse(&held.callback).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        url.path(),
        url.authority()
    );
    let chunk = [b"100000\r\n", &vec![b'x'; 1 << 20][..], b"\r\n"].concat();
    let endless = [head.as_bytes(), &chunk.repeat(7), b"0\r\n\r\n"].concat();
    assert_eq!(exchange(scene.address, &endless).await.status, 413);
    for coding in ["gzip", "br", "deflate", "gzip, gzip", "x"] {
        assert_eq!(post(&held, b"x", &[("Content-Encoding", coding)]).await.status, 415);
    }
    assert_eq!(scene.count("SELECT count(*) FROM push"), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_slow_posts_hold_up_nobody_for_long() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    let url = Url::parse(&held.callback).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\nx",
        url.path(),
        url.authority()
    );
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(scene.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let begun = Instant::now();
    let health = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", scene.address);
    assert_eq!(exchange(scene.address, health.as_bytes()).await.status, 200);
    let first = push(&held, &rss(&[("1", "A marker", "x")])).await;
    say(&format!("beside 200 slow posts: {} in {:?}", first.status, begun.elapsed()));
    assert!(matches!(first.status, 202 | 503), "{first:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // The hub comes again, and then there is room.
    loop {
        if push(&held, &rss(&[("1", "A marker", "x")])).await.status == 202 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no room after 30 s");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    scene.world.hook.wait_for(1).await;
    drop(slow);
    app.stop().await;
}

#[tokio::test]
async fn a_hub_or_cloud_in_a_private_network_is_refused_without_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let fetcher = Fetcher::new(&Options {
        user_agent: "test".to_owned(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        ca_file: None,
        limits: Limits::default(),
    })
    .unwrap();
    let options = RequestOptions::default();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/hub");
        let way = Request {
            url: &url,
            home: "https://site.test/feed",
            allow_private: false,
            validators: None,
            options: &options,
            kind: RequestKind::Document,
        };
        let asked = fetcher.ask_hub(HubRequest { way, form: &[] }).await;
        assert!(matches!(asked, Err(FetchError::Blocked(_))), "{url}: {asked:?}");
        let asked = fetcher.ask_cloud(HubRequest { way, form: &[] }).await;
        assert!(matches!(asked, Err(FetchError::Blocked(_))), "{url}: {asked:?}");
    }
    let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(accepted.is_err(), "a connection was made");
}
