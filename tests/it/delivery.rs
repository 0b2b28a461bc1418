//! Webhooks: signed, with one id for ever, retried, given up, retried by hand.

use jiff::SignedDuration;
use wirewatch::model::DeliveryId;
use wirewatch::store::Store;

use crate::support::collector::Answer;
use crate::support::timeout;
use crate::world::{World, rss};

async fn world_with_marker() -> World {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker", "x")]));
    world
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_later_with_the_same_id() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Status(500), Answer::CutAfterRecording]);
    let config = world.config(&world.toml(&world.feed("a")));
    let first = world.once(&config).await;
    assert_eq!((first.drained.sent, first.drained.waiting), (0, 1));
    // A minute later the second try is due, five minutes later the third.
    assert_eq!(world.once(&config).await.drained.waiting, 1);
    assert_eq!(world.once(&config).await.drained, Default::default(), "too early");
    world.wait(SignedDuration::from_mins(10));
    assert_eq!(world.once(&config).await.drained.sent, 1);
    let attempts = world.hook.wait_for_attempts(3).await;
    assert!(attempts.iter().all(|attempt| attempt.id == attempts[0].id));
    // The third was signed ten minutes ahead of the receiver's clock.
    assert!(attempts[..2].iter().all(|attempt| attempt.verified));
    assert!(attempts.iter().all(|attempt| attempt.body == attempts[0].body));
    let row = &world.deliveries(&config).await[0];
    assert_eq!((row.state.as_str(), row.attempts), ("sent", 3));
}

#[tokio::test]
async fn a_receivers_retry_after_is_waited_for() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::RetryAfter(429, "3600")]);
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    world.wait(SignedDuration::from_mins(50));
    world.once(&config).await;
    assert_eq!(world.hook.attempts().len(), 1);
    world.wait(SignedDuration::from_mins(20));
    assert_eq!(world.once(&config).await.drained.sent, 1);
}

#[tokio::test]
async fn a_receivers_retry_after_holds_up_all_that_waits_for_it_and_costs_no_try() {
    let world = World::new().await;
    let items = [("1", "A marker", "x"), ("2", "Another marker elsewhere", "y")];
    world.feeds.serve("/a", "text/xml", rss(&items));
    world.hook.answer(vec![Answer::RetryAfter(429, "3600")]);
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.drained.waiting, 1);
    assert_eq!(world.hook.attempts().len(), 1);
    let tries: Vec<_> = world.deliveries(&config).await.iter().map(|row| row.attempts).collect();
    assert_eq!(tries.iter().sum::<i64>(), 1, "{tries:?}");
    world.wait(SignedDuration::from_mins(70));
    assert_eq!(world.once(&config).await.drained.sent, 2);
}

#[tokio::test]
async fn a_receivers_wish_outlives_the_program_until_a_command_lifts_it() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker", "x")]));
    world.hook.answer(vec![Answer::RetryAfter(429, "86400")]);
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    // What is found later was never tried, and is not tried either.
    let items = [("1", "A marker", "x"), ("2", "Another marker elsewhere", "y")];
    world.feeds.serve("/a", "text/xml", rss(&items));
    world.wait(SignedDuration::from_mins(10));
    assert_eq!(world.once(&config).await.drained, Default::default());
    let app = world.start(&config).await;
    world.wait(SignedDuration::from_mins(10));
    let store = Store::attach(&config.store).unwrap();
    let pauses = store.pauses(wirewatch::model::Clock::System.now()).await.unwrap();
    assert_eq!(world.hook.attempts().len(), 1, "{pauses:?}");
    assert_eq!(store.pauses(world.clock.now()).await.unwrap()[0].0.as_str(), "hook");
    let tried = world.deliveries(&config).await.iter().find(|row| row.attempts > 0).cloned();
    let ids = Some(vec![DeliveryId::new(tried.unwrap().id.as_str())]);
    // Without a word of what waits the wish stays.
    assert_eq!(store.retry_deliveries(ids.clone(), false, world.clock.now()).await.unwrap(), 0);
    assert_eq!(store.pauses(world.clock.now()).await.unwrap().len(), 1);
    assert_eq!(store.retry_deliveries(ids, true, world.clock.now()).await.unwrap(), 1);
    assert_eq!(store.pauses(world.clock.now()).await.unwrap(), Vec::new());
    assert!(timeout(app.stop(), "a stop").await);
    world.wait(SignedDuration::from_mins(1));
    assert_eq!(world.once(&config).await.drained.sent, 2);
}

#[tokio::test]
async fn a_dead_letter_is_kept_and_sent_again_by_command_with_its_old_id() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Status(410)]);
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.drained.failed, 1);
    let dead = world.deliveries(&config).await.remove(0);
    assert_eq!(dead.state, "failed");
    let store = Store::attach(&config.store).unwrap();
    let unknown = vec![DeliveryId::new("d0")];
    assert_eq!(store.retry_deliveries(Some(unknown), false, world.clock.now()).await.unwrap(), 0);
    assert_eq!(store.retry_deliveries(None, false, world.clock.now()).await.unwrap(), 1);
    assert_eq!(world.once(&config).await.drained.sent, 1);
    assert_eq!(world.hook.wait_for(1).await.last().unwrap().id, dead.id);
}

#[tokio::test]
async fn a_dead_letter_that_is_dropped_is_not_sent_and_its_reason_is_kept() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Status(410)]);
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.drained.failed, 1);
    let store = Store::attach(&config.store).unwrap();
    let reason = "dropped by ana after it failed: no longer of interest".to_owned();
    let unknown = Some(vec![DeliveryId::new("d0")]);
    let now = world.clock.now();
    assert_eq!(
        store.drop_deliveries(unknown, (None, false), reason.clone(), now).await.unwrap(),
        0
    );
    assert_eq!(store.drop_deliveries(None, (None, false), reason.clone(), now).await.unwrap(), 1);
    assert_eq!(store.retry_deliveries(None, false, world.clock.now()).await.unwrap(), 0);
    assert_eq!(world.once(&config).await.drained, Default::default());
    let row = &world.deliveries(&config).await[0];
    assert_eq!((row.state.as_str(), row.reason.as_ref()), ("suppressed", Some(&reason)));
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_no_more_can_be_laid_aside() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Status(503)]);
    let config = world.config(&world.toml(&world.feed("a")));
    assert_eq!(world.once(&config).await.drained.waiting, 1);
    let store = Store::attach(&config.store).unwrap();
    let drop = async |channel: &str, waiting: bool| {
        let of = (Some(wirewatch::model::ChannelName::new(channel)), waiting);
        let reason = "dropped by ana".to_owned();
        store.drop_deliveries(None, of, reason, world.clock.now()).await.unwrap()
    };
    assert_eq!((drop("hook", false).await, drop("other", true).await), (0, 0));
    assert_eq!(drop("hook", true).await, 1);
    world.wait(SignedDuration::from_hours(1));
    assert_eq!(world.once(&config).await.drained, Default::default());
}

#[tokio::test]
async fn an_answer_that_will_not_change_ends_after_three_tries() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Status(404), Answer::Status(404), Answer::Status(404)]);
    let config = world.config(&world.toml(&world.feed("a")));
    let mut failed = 0;
    for _ in 0..4 {
        failed += world.once(&config).await.drained.failed;
        world.wait(SignedDuration::from_mins(10));
    }
    assert_eq!((failed, world.hook.attempts().len()), (1, 3));
}

#[tokio::test]
async fn one_dead_channel_holds_up_no_other() {
    let world = world_with_marker().await;
    let slow = crate::support::collector::Collector::start(crate::world::SECRET).await;
    slow.answer(vec![Answer::Hang]);
    let more = format!(
        "{}[channel.slow.webhook]\nurl = \"{}\"\nsecret_file = \"hook-secret\"\n\
         allow_private = true\n",
        world.feed("a"),
        slow.url()
    );
    let toml = world.toml(&more).replace("[\"hook\"]", "[\"slow\", \"hook\"]");
    let app = world.start(&world.config(&toml)).await;
    slow.wait_for_attempts(1).await;
    world.hook.wait_for(1).await;
    // The hanging request outlives the grace period, and the stop says so.
    assert!(!timeout(app.stop(), "a stop within the grace period").await);
}

#[tokio::test]
async fn a_restart_in_mid_delivery_repeats_it_with_the_same_id() {
    let world = world_with_marker().await;
    world.hook.answer(vec![Answer::Hang]);
    let config = world.config(&world.toml(&world.feed("a")));
    let app = world.start(&config).await;
    let cut = world.hook.wait_for_attempts(1).await.remove(0);
    timeout(app.stop(), "a stop within the grace period").await;
    let app = world.start(&config).await;
    let told = world.hook.wait_for(1).await;
    let accepted: Vec<_> = told.iter().filter(|delivery| delivery.accepted()).collect();
    assert_eq!((accepted.len(), &accepted[0].id), (1, &cut.id));
    assert!(timeout(app.stop(), "a clean stop").await);
}
