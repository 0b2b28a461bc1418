//! From a push to its alert, and what happens when pushes fail to come.

use std::time::{Duration, Instant};

use super::hub::push;
use super::say;
use super::scene::{Scene, until};
use super::world::rss;

fn item(n: usize) -> String {
    rss(&[(&format!("p{n}"), &format!("A marker {n}"), &format!("pushed {n}"))])
}

#[tokio::test(flavor = "multi_thread")]
async fn from_push_to_alert() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    let (mut alerts, mut answers) = (Vec::new(), Vec::new());
    for n in 0..50 {
        let begun = Instant::now();
        let answer = push(&held, &item(n)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answers.push(begun.elapsed());
        let told = scene.world.hook.wait_for(n + 1).await;
        alerts.push(told[n].at - begun);
    }
    for (what, times) in [("push to answer", &mut answers), ("push to alert", &mut alerts)] {
        times.sort();
        let at = |share: usize| times[times.len() * share / 100].as_millis();
        say(&format!("{what}: p50 {} ms, p90 {} ms, p99 {} ms", at(50), at(90), at(99)));
    }
    until("nothing waits", async || scene.count("SELECT count(*) FROM push") == 0).await;
    let feed = scene.world.feeds.count("/a");
    assert_eq!(feed, 1, "the feed was polled {feed} times");
    let subscription = scene.subscription().await;
    assert_eq!((subscription.pushes, subscription.last_error), (50, None));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_brought_again_is_told_once() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    let count = 2_000;
    let mut sends = tokio::task::JoinSet::new();
    let begun = Instant::now();
    for n in 0..count {
        let held = held.clone();
        // Two documents by turns, so that neither is the last one each time.
        sends.spawn(async move { push(&held, &item(n % 2)).await.status });
        if sends.len() >= 8 {
            let status = sends.join_next().await.unwrap().unwrap();
            assert!(matches!(status, 202 | 503), "{status}");
        }
    }
    let rest = sends.join_all().await;
    assert!(rest.iter().all(|status| matches!(status, 202 | 503)), "{rest:?}");
    say(&format!("{count} repeated pushes in {} ms", begun.elapsed().as_millis()));
    until("nothing waits", async || scene.count("SELECT count(*) FROM push") == 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.world.hook.attempts().len(), 2);
    assert_eq!(scene.count("SELECT count(*) FROM alert"), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_leases_are_renewed_and_addresses_change_with_them() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(Some("10"), true);
    let (app, mut held) = scene.subscribed("1h").await;
    let begun = Instant::now();
    for renewal in 2..=4 {
        assert_eq!(push(&held, &item(renewal)).await.status, 202);
        let before = held.clone();
        held = scene.hub.wait_held(renewal).await;
        assert_ne!(before.callback, held.callback);
        assert_ne!(before.secret, held.secret);
        // What was on its way is read all the same, but the address is void.
        assert_eq!(push(&before, &item(100 + renewal)).await.status, 410);
        scene.world.hook.wait_for((renewal - 1) * 2).await;
    }
    say(&format!("3 renewals of a lease of 10 s in {:?}", begun.elapsed()));
    let let_go = scene.hub.wait_asked("unsubscribe", 1).await;
    assert!(let_go.iter().all(|asked| asked.callback != held.callback));
    // A hub that goes away takes nothing along but speed.
    scene.hub.server.script("/hub", vec![super::support::http::Reply::status(500)]);
    let lapsed = async || scene.subscription().await.lease_until.is_none();
    until("the lease runs out", lapsed).await;
    assert_eq!(scene.count("SELECT count(*) FROM feed WHERE pushed_until IS NULL"), 1);
    let due = "SELECT count(*) FROM feed WHERE next_due > last_attempt + 4000000";
    assert_eq!(scene.count(due), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_drops_news_is_found_out_and_nothing_is_lost() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(Some("15"), true);
    let (app, held) = scene.subscribed("1s").await;
    let polls = || scene.world.feeds.count("/a");
    let before = polls();
    until("polled as ever before the first push", async || polls() > before + 2).await;
    // Found by push; from now on it is polled when the lease ends.
    assert_eq!(push(&held, &item(1)).await.status, 202);
    scene.world.hook.wait_for(1).await;
    scene.publish(&[("p1", "A marker 1", "pushed 1"), ("0", "Quiet", "x")]);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let slow = polls();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(polls(), slow, "it is still polled every second");
    // The hub drops the next one; the poll at the end of the lease finds it.
    scene.publish(&[("p2", "A marker 2", "dropped"), ("p1", "A marker 1", "pushed 1")]);
    scene.world.hook.wait_for(2).await;
    let found = polls();
    until("polled as ever after a miss", async || polls() > found + 3).await;
    let subscription = scene.subscription().await;
    assert!(subscription.distrust_until.is_some(), "{subscription:?}");
    // Not even the next push makes it wait again.
    let held = scene.hub.held().pop().unwrap();
    push(&held, &item(3)).await;
    scene.world.hook.wait_for(3).await;
    let found = polls();
    until("polled as ever after one more push", async || polls() > found + 3).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_push_is_nothing_and_its_links_say_nothing() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    assert_eq!(push(&held, "<html><body>no feed</body></html>").await.status, 202);
    let error = async || scene.subscription().await.last_error.is_some();
    until("it is noted", error).await;
    let links = "<channel xmlns:atom=\"http://www.w3.org/2005/Atom\"><ttl>9</ttl>\
         <atom:link rel=\"hub\" href=\"https://evil.test/\"/>\
         <atom:link rel=\"self\" href=\"https://evil.test/feed\"/>";
    let before = scene.count("SELECT length(document) FROM feed");
    push(&held, &item(1).replace("<channel>", links)).await;
    scene.world.hook.wait_for(1).await;
    assert_eq!(scene.count("SELECT length(document) FROM feed"), before);
    let subscription = scene.subscription().await;
    assert_eq!(subscription.hub, scene.hub.url());
    assert_eq!(subscription.topic, scene.world.feeds.url("/a"));
    let url = format!("SELECT count(*) FROM feed WHERE url = '{}'", scene.world.feeds.url("/a"));
    assert_eq!(scene.count(&url), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_ends_it_and_the_feed_is_polled() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    push(&held, &item(1)).await;
    scene.world.hook.wait_for(1).await;
    let no = [("hub.mode", "denied"), ("hub.challenge", ""), ("hub.reason", "not\r\n<b>you</b>")];
    let answer = scene.hub.verify(&held, &no).await;
    assert_eq!((answer.status, &*answer.body), (200, ""));
    let subscription = scene.subscription().await;
    assert_eq!(subscription.state.as_str(), "denied");
    assert_eq!(subscription.last_error.as_deref(), Some("the hub says no: not<b>you</b>"));
    assert_eq!(scene.count("SELECT count(*) FROM feed WHERE pushed_until IS NOT NULL"), 0);
    app.stop().await;
}
