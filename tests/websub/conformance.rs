//! The subscriber's cases of websub.rocks, by their numbers.

use super::hub::{Asked, exchange, post, push, sign};
use super::scene::{Scene, until};
use super::support::http::Reply;
use super::world::rss;

const RSS: &str = "application/rss+xml";

/// What is asked of the hub when the feed is answered so.
async fn asked(scene: &Scene, reply: Reply) -> Asked {
    scene.world.feeds.script("/a", vec![reply]);
    let app = scene.start(&scene.config("1h")).await;
    let held = scene.hub.wait_held(1).await;
    app.stop().await;
    held
}

fn atom(links: &str) -> String {
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>u</id><title>t</title>{links}\
         <updated>2026-11-22T11:00:00Z</updated></feed>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn case_100_header() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    let reply = Reply::ok(rss(&[])).header("Content-Type", RSS);
    let reply = reply.header("Link", format!("<{}>; rel=\"hub\"", scene.hub.url()));
    let reply = reply.header("Link", format!("<{own}>; rel=\"self\""));
    let asked = asked(&scene, reply).await;
    assert_eq!((asked.topic, asked.path), (own, "/hub".to_owned()));
    assert_eq!(asked.lease.as_deref(), Some("864000"));
    assert!((32..200).contains(&asked.secret.unwrap().len()));
    let token = asked.callback.rsplit('/').next().unwrap();
    assert!(token.len() >= 43, "{token}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_101_page() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    let page = format!(
        "<!DOCTYPE html><html><head><title>t</title><link rel=\"hub\" href=\"{}\">\
         <link rel='self' href='/own'></head><body><p>News</p></body></html>",
        scene.hub.url()
    );
    let asked = asked(&scene, Reply::ok(page).header("Content-Type", "text/html")).await;
    assert_eq!(asked.topic, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_102_atom() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    let links = format!(
        "<link rel=\"hub\" href=\"{}\"/><link rel=\"self\" href=\"/own\"/>",
        scene.hub.url()
    );
    let asked = asked(&scene, Reply::ok(atom(&links))).await;
    assert_eq!(asked.topic, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_103_rss() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    let links = format!(
        "<channel xmlns:atom=\"http://www.w3.org/2005/Atom\"><atom:link rel=\"hub\" href=\"{}\"/>\
         <atom:link rel=\"self\" href=\"{own}\"/>",
        scene.hub.url()
    );
    let body = rss(&[]).replace("<channel>", &links);
    let asked = asked(&scene, Reply::ok(body)).await;
    assert_eq!(asked.topic, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_104_header_before_document() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    scene.hub.open("/wrong");
    let wrong = scene.hub.server.url("/wrong");
    let links = format!("<link rel=\"hub\" href=\"{wrong}\"/><link rel=\"self\" href=\"/wrong\"/>");
    let link = format!("<{}>; rel=hub, <{own}>; rel=self", scene.hub.url());
    let asked = asked(&scene, Reply::ok(atom(&links)).header("Link", link)).await;
    assert!(heeds_the_header(&scene, &asked, &own), "{asked:?}");
}

/// Whether a subscriber passes case 104.
fn heeds_the_header(scene: &Scene, asked: &Asked, own: &str) -> bool {
    asked.topic == own && asked.path == "/hub" && scene.hub.server.count("/wrong") == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn case_104_finds_out_who_reads_the_document_first() {
    let scene = Scene::new().await;
    let own = scene.world.feeds.url("/own");
    scene.hub.open("/wrong");
    // A subscriber that asks the hub of the document, as the case must not let pass.
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.topic", &scene.world.feeds.url("/wrong"))
        .append_pair("hub.callback", &scene.hub.server.url("/nowhere"))
        .finish();
    let address = scene.hub.server.addr();
    let head = format!(
        "POST /wrong HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(exchange(address, head.as_bytes()).await.status, 202);
    let asked = scene.hub.wait_asked("subscribe", 1).await.remove(0);
    assert!(!heeds_the_header(&scene, &asked, &own), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_200_another_self() {
    let scene = Scene::new().await;
    let link =
        format!("<{}>; rel=hub, <https://elsewhere.test/f?x=1&y=2>; rel=self", scene.hub.url());
    let asked = asked(&scene, Reply::ok(rss(&[])).header("Link", link)).await;
    assert_eq!(asked.topic, "https://elsewhere.test/f?x=1&y=2");
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_201_and_202_topic_redirects() {
    for status in [302, 301, 307, 308] {
        let scene = Scene::new().await;
        let link = format!("<{}>; rel=hub, </b>; rel=self", scene.hub.url());
        let there = Reply::ok(rss(&[])).header("Link", link);
        scene.world.feeds.script("/b", vec![there]);
        let asked = asked(&scene, Reply::status(status).header("Location", "/b")).await;
        assert_eq!(asked.topic, scene.world.feeds.url("/b"), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_203_and_204_hub_redirects() {
    for status in [307, 308, 302, 301] {
        let scene = Scene::new().await;
        let moved = Reply::status(status).header("Location", "/hub");
        scene.hub.server.script("/old", vec![moved]);
        let link = format!("<{}>; rel=hub, </a>; rel=self", scene.hub.server.url("/old"));
        let asked = asked(&scene, Reply::ok(rss(&[])).header("Link", link)).await;
        assert_eq!(asked.path, "/hub", "{status}");
        assert_eq!(scene.hub.server.count("/old"), 1, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_205_another_topic() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(Some("864000"), false);
    let app = scene.start(&scene.config("1h")).await;
    let asked = scene.hub.wait_asked("subscribe", 1).await.remove(0);
    let wrong = scene.hub.verify(&asked, &[("hub.topic", "https://elsewhere.test/")]).await;
    assert_eq!(wrong.status, 404, "{wrong:?}");
    assert_eq!(scene.subscription().await.state.as_str(), "pending");
    let right = scene.hub.verify(&asked, &[]).await;
    assert_eq!((right.status, &*right.body), (200, "a challenge + 1"), "{right:?}");
    assert!(right.head.contains("content-type: text/plain"), "{right:?}");
    assert!(right.head.contains("x-content-type-options: nosniff"), "{right:?}");
    assert_eq!(scene.subscription().await.state.as_str(), "active");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_300_to_302_delivery() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    let body = |n: usize| rss(&[(&format!("p{n}"), &format!("A marker {n}"), "pushed")]);
    // 302, 301.
    assert_eq!(post(&held, body(1).as_bytes(), &[]).await.status, 202);
    let wrong = sign("sha256", "another", body(2).as_bytes());
    assert_eq!(post(&held, body(2).as_bytes(), &[("X-Hub-Signature", &wrong)]).await.status, 202);
    // 300, by all four methods.
    let secret = held.secret.clone().unwrap();
    for (n, method) in ["sha1", "sha256", "sha384", "sha512"].iter().enumerate() {
        let body = body(10 + n);
        let signature = sign(method, &secret, body.as_bytes());
        let answer = post(&held, body.as_bytes(), &[("X-Hub-Signature", &signature)]).await;
        assert_eq!(answer.status, 202, "{method}");
    }
    let told = scene.world.hook.wait_for(4).await;
    let titles: Vec<String> = told.iter().map(|one| one.json.to_string()).collect();
    assert!(titles.iter().all(|json| json.contains("A marker 1")), "{titles:?}");
    until("nothing waits", async || scene.count("SELECT count(*) FROM push") == 0).await;
    assert_eq!(scene.count("SELECT count(*) FROM entry"), 5);
    assert_eq!(scene.world.hook.accepted().len(), 4);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribing_is_asked_for_and_confirmed() {
    let mut scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (mut app, held) = scene.subscribed("1h").await;
    scene.more = "websub = false\n".to_owned();
    app.reload(&scene.config("1h")).await.unwrap();
    let asked = scene.hub.wait_asked("unsubscribe", 1).await.remove(0);
    assert_eq!((&asked.topic, &asked.callback), (&held.topic, &held.callback));
    let answered = async || {
        scene.count("SELECT count(*) FROM callback WHERE role = 'retired' AND next_try IS NULL")
            == 1
    };
    until("the hub's question is answered", answered).await;
    assert_eq!(push(&held, &rss(&[("late", "A marker", "x")])).await.status, 410);
    assert!(scene.store().subscriptions().await.unwrap().is_empty());
    app.stop().await;
}
