//! A hub that drops a part of what it should bring, and then all of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::hub::push;
use super::random::{self, Random};
use super::scene::{Scene, until};
use super::support::http::Reply;
use super::world::rss;
use super::{count, say};

/// Stories that the feed shows at once: more than come until a miss is found, for what has left it is
/// lost to polls.
const WINDOW: usize = 200;
/// Between two polls: the interval of 2 s, a tenth of it, and what a visit and its alert take.
const SOON: Duration = Duration::from_millis(3_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_drops_a_third_and_dies_loses_nothing() {
    let stories = count("WIREWATCH_DROPS", 60);
    let seed = random::seed();
    let mut random = Random::new(seed, 9);
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(Some("10"), true);
    let (app, _) = scene.subscribed("2s").await;
    let (mut published, mut dropped) = (BTreeMap::new(), Vec::new());
    let mut items: Vec<(String, String)> = Vec::new();
    for n in 0..stories {
        let title = format!("A marker {n}");
        items.insert(0, (format!("p{n}"), title.clone()));
        items.truncate(WINDOW);
        let shown: Vec<(&str, &str, &str)> =
            items.iter().map(|(guid, title)| (&**guid, &**title, "x")).collect();
        scene.publish(&shown);
        published.insert(title.clone(), Instant::now());
        // The first is brought, and after three quarters the hub is dead.
        let is_dead = n >= stories * 3 / 4;
        if is_dead && n == stories * 3 / 4 {
            scene.hub.server.script("/hub", vec![Reply::status(500)]);
        }
        if is_dead || (n > 0 && random.below(10) < 3) {
            dropped.push(title);
        } else if let Some(held) = scene.hub.held().pop() {
            // Only what is new, as some hubs do.
            push(&held, &rss(&[(&format!("p{n}"), &title, "x")])).await;
        }
        if n == 0 {
            scene.world.hook.wait_for(1).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    until("all are told", async || told(&scene).len() == stories).await;
    let at = told(&scene);
    let distrusted = async || scene.subscription().await.distrust_until.is_some();
    until("the hub is not relied on", distrusted).await;
    // When the first miss was found, and how late each was from then on.
    let found = dropped.iter().filter_map(|title| at.get(title)).min().copied().unwrap();
    let late = published.iter().filter(|(_, published)| **published >= found);
    let mut late: Vec<Duration> =
        late.map(|(title, published)| at[title].duration_since(*published)).collect();
    late.sort();
    let slowest = late.last().copied().unwrap_or_default();
    say(&format!(
        "WIREWATCH_SEED={seed}: {stories} stories, {} dropped, {} lost; first miss found after \
         {} ms; then p50 {} ms, slowest {} ms",
        dropped.len(),
        stories - at.len(),
        found.duration_since(published[&dropped[0]]).as_millis(),
        late.get(late.len() / 2).copied().unwrap_or_default().as_millis(),
        slowest.as_millis()
    ));
    assert_eq!(at.len(), stories);
    assert_eq!(scene.count("SELECT count(*) FROM alert"), i64::try_from(stories).unwrap());
    assert!(slowest <= SOON, "{slowest:?}");
    app.stop().await;
}

/// When each story was first told; notices, of a noisy rule for one, are none.
fn told(scene: &Scene) -> BTreeMap<String, Instant> {
    let mut at = BTreeMap::new();
    for one in scene.world.hook.accepted() {
        let json = one.json.to_string();
        let title = json.split('"').find(|text| {
            text.strip_prefix("A marker ").is_some_and(|n| n.parse::<usize>().is_ok())
        });
        if let Some(title) = title {
            at.entry(title.to_owned()).or_insert(one.at);
        }
    }
    at
}
