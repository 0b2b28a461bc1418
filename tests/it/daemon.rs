//! Entries, stories, matches, alerts: what is told once and what is not told.

use jiff::SignedDuration;

use crate::support::http::Reply;
use crate::support::timeout;
use crate::world::{World, rss};

#[tokio::test]
async fn a_new_entry_is_told_once_and_never_again() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker", "x"), ("2", "Nothing", "y")]));
    let config = world.config(&world.toml(&world.feed("a")));
    let report = world.once(&config).await;
    assert_eq!((report.round.new, report.round.alerts, report.drained.sent), (2, 1, 1));
    let again = world.once(&config).await;
    assert_eq!((again.round.new, again.round.alerts, again.drained.sent), (0, 0, 0));
    let told = world.hook.wait_for(1).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].verified, "{:?}", told[0].verify_error);
    assert_eq!(told[0].json["data"]["title"], "A marker");
    assert_eq!(told[0].json["data"]["rule"], "marked");
}

#[tokio::test]
async fn a_revised_entry_is_a_version_and_no_news() {
    let world = World::new().await;
    world.feeds.script(
        "/a",
        vec![
            Reply::ok(rss(&[("1", "A marker found", "x")])),
            Reply::ok(rss(&[("1", "A marker was found in Crete", "x")])),
            Reply::ok(rss(&[("1", "A marker found", "x")])),
        ],
    );
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.round.alerts, 1);
    let revised = world.once(&config).await;
    assert_eq!((revised.round.revised, revised.round.alerts), (1, 0));
    let reverted = world.once(&config).await;
    assert_eq!((reverted.round.revised, reverted.round.known), (0, 1));
}

#[tokio::test]
async fn a_revision_that_makes_a_rule_hold_for_the_first_time_is_told() {
    let world = World::new().await;
    world.feeds.script(
        "/a",
        vec![
            Reply::ok(rss(&[("1", "A find in Crete", "x")])),
            Reply::ok(rss(&[("1", "Correction: a marker in Crete", "x")])),
        ],
    );
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.round.alerts, 0);
    assert_eq!(world.once(&config).await.round.alerts, 1);
}

#[tokio::test]
async fn one_story_in_three_feeds_is_one_alert_that_names_all_three() {
    let world = World::new().await;
    let text = "The ministers did not meet in Singapore this week, officials said.";
    for (feed, guid) in [("a", "1"), ("b", "x-7"), ("c", "https://c.example.org/9")] {
        let item = rss(&[(guid, "A marker of cold relations", text)]);
        world.feeds.serve(&format!("/{feed}"), "text/xml", item);
    }
    let feeds = ["a", "b", "c"].map(|feed| world.feed(feed)).concat();
    let config = world.config(&world.toml(&feeds));
    let report = world.once(&config).await;
    assert_eq!((report.round.new, report.round.stories, report.round.alerts), (3, 1, 1));
    let told = world.hook.wait_for(1).await;
    assert_eq!(told[0].json["data"]["outlets"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_first_poll_is_a_silent_baseline_and_what_comes_later_is_told() {
    let world = World::new().await;
    let old = [("1", "An old marker", "x"), ("2", "Another marker", "y")];
    let new = [("3", "A new marker", "z"), ("1", "An old marker", "x")];
    world.feeds.script("/a", vec![Reply::ok(rss(&old)), Reply::ok(rss(&new))]);
    let toml = world.toml(&world.feed("a")).replace("\"all\"", "\"none\"");
    let config = world.config(&toml);
    let first = world.once(&config).await;
    assert_eq!((first.round.matches, first.round.alerts), (2, 0));
    let second = world.once(&config).await;
    assert_eq!((second.round.new, second.round.alerts), (1, 1));
    assert_eq!(world.alerts(&config).await[0].title, "A new marker");
}

#[tokio::test]
async fn what_one_feeds_baseline_held_back_another_feed_may_tell() {
    let world = World::new().await;
    let story = ("1", "A marker of cold relations", "The ministers did not meet this week at all.");
    world.feeds.serve("/old", "text/xml", rss(&[("0", "Nothing", "here")]));
    world.feeds.serve("/young", "text/xml", rss(&[story]));
    let silent = world.toml(&world.feed("old")).replace("\"all\"", "\"none\"");
    world.once(&world.config(&silent)).await;
    let both = world.config(&format!("{silent}{}", world.feed("young")));
    assert_eq!(world.once(&both).await.round.alerts, 0);
    world.feeds.serve("/old", "text/xml", rss(&[story]));
    assert_eq!(world.once(&both).await.round.alerts, 1);
}

#[tokio::test]
async fn a_rule_without_channels_is_recorded_and_tells_nobody() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker", "x")]));
    let toml = world.toml(&world.feed("a")).replace("[\"hook\"]", "[]");
    let config = world.config(&toml);
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 1);
    assert!(world.deliveries(&config).await.is_empty());
    assert!(world.hook.attempts().is_empty());
}

#[tokio::test]
async fn a_file_is_a_feed_like_any_other() {
    let world = World::new().await;
    world.write("feed.xml", &rss(&[("1", "A marker", "x")]));
    let config = world.config(&world.toml("[feed.local]\nurl = \"file:feed.xml\"\n"));
    assert_eq!(world.once(&config).await.round.alerts, 1);
    let again = world.once(&config).await;
    assert_eq!((again.round.not_modified, again.round.alerts), (1, 0));
}

#[tokio::test]
async fn the_daemon_tells_within_seconds_of_the_fetch_and_goes_on_polling() {
    let world = World::new().await;
    let first = rss(&[("1", "First marker", "x")]);
    let second = rss(&[("2", "Second marker", "y"), ("1", "First marker", "x")]);
    world.feeds.script("/a", vec![Reply::ok(first), Reply::ok(second)]);
    let config = world.config(&world.toml(&world.feed("a")));
    let app = world.start(&config).await;
    let told = world.hook.wait_for(2).await;
    assert_eq!(told[1].json["data"]["title"], "Second marker");
    assert!(timeout(app.stop(), "a clean stop").await);
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_forgotten_but_not_what_is_still_shown() {
    let world = World::new().await;
    let both = [("1", "Old", "a story that the feed drops"), ("2", "Kept", "one that it keeps")];
    world.feeds.script("/a", vec![Reply::ok(rss(&both)), Reply::ok(rss(&both[1..]))]);
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    world.wait(SignedDuration::from_hours(40 * 24));
    world.once(&config).await;
    let store = wirewatch::store::Store::open(&config.store).unwrap();
    let retention = SignedDuration::from_hours(24);
    // A clock that jumped looks like this, so a day goes by first.
    assert_eq!(store.sweep(world.clock.now(), retention, 100).await.unwrap(), 0);
    world.wait(SignedDuration::from_hours(24));
    assert_eq!(store.sweep(world.clock.now(), retention, 100).await.unwrap(), 1);
    assert_eq!(store.overview().await.unwrap().stories, 1);
}

#[tokio::test]
async fn an_event_in_other_words_is_one_alert_and_a_look_alike_is_another() {
    let world = World::new().await;
    let quake = "A strong earthquake struck the Indonesian province of Aceh on Tuesday, killing 22 \
        people and injuring hundreds, officials in Jakarta said. A marker buoy gave no alarm.";
    let retold = "At least 22 people died and hundreds were injured when an earthquake shook Aceh \
        in Indonesia, officials in Jakarta said on Tuesday; a marker buoy stayed silent.";
    let other = "A strong earthquake struck the Chilean region of Arica on Tuesday without doing \
        harm, the seismological centre in Santiago said. A marker buoy gave the alarm.";
    for (feed, title, text) in [
        ("a", "Earthquake in Indonesia's Aceh province kills 22", quake),
        ("b", "Indonesia: 22 dead as earthquake shakes Aceh", retold),
        ("c", "Earthquake in Chile's Arica region does no harm", other),
    ] {
        world.feeds.serve(&format!("/{feed}"), "text/xml", rss(&[(feed, title, text)]));
    }
    let feeds = ["a", "b", "c"].map(|feed| world.feed(feed)).concat();
    let report = world.once(&world.config(&world.toml(&feeds))).await;
    assert_eq!((report.round.new, report.round.stories, report.round.alerts), (3, 2, 2));
}
