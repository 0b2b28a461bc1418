//! A changed configuration is followed; a wrong one changes nothing.

use wirewatch::config::{self, Environment};

use crate::support::http::Reply;
use crate::support::timeout;
use crate::world::{World, rss};

#[tokio::test]
async fn a_reload_follows_feeds_rules_and_channels_and_leaves_the_rest_alone() {
    let world = World::new().await;
    let quiet = Reply::ok(rss(&[("1", "Nothing", "x")]));
    world.feeds.script("/a", vec![quiet]);
    world.feeds.serve("/b", "text/xml", rss(&[("2", "A token", "y")]));
    let slow = world.feed("a").replace("\"1s\"", "\"1h\"");
    let mut app = world.start(&world.config(&world.toml(&slow))).await;
    world.feeds.wait_for("/a", 1).await;
    let more =
        format!("{slow}{}[rule.second]\nmatch = 'token'\nchannels = [\"hook\"]\n", world.feed("b"));
    let reloaded = app.reload(&world.config(&world.toml(&more))).await.unwrap();
    assert_eq!(reloaded.feeds.added.len(), 1);
    assert!(reloaded.feeds.changed.is_empty() && reloaded.channels_started.is_empty());
    let told = world.hook.wait_for(1).await;
    assert_eq!(told[0].json["data"]["rule"], "second");
    assert_eq!(world.feeds.count("/a"), 1, "its timer went on");
    assert!(timeout(app.stop(), "a clean stop").await);
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_as_a_whole() {
    let world = World::new().await;
    let wrong =
        world.toml("[feed.a]\nurl = \"htps://x\"\n[rule.b]\nmatch = 'x AND'\nchannels = []\n");
    let path = world.write("wrong.toml", &wrong);
    let problems = config::load(&path, &Environment::from_process()).unwrap_err();
    assert_eq!(problems.list.len(), 2, "{}", problems.render(false));
}

#[tokio::test]
async fn a_removed_feed_is_polled_no_more_and_a_removed_channel_stops() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "Nothing", "x")]));
    let mut app = world.start(&world.config(&world.toml(&world.feed("a")))).await;
    world.feeds.wait_for("/a", 1).await;
    let bare = format!("[store]\npath = \"{}/watch.db\"\n", world.dir.path().display());
    let reloaded = app.reload(&world.config(&bare)).await.unwrap();
    assert_eq!((reloaded.feeds.removed.len(), reloaded.channels_stopped.len()), (1, 1));
    assert!(timeout(app.stop(), "a clean stop").await);
}
