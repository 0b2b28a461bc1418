//! What follows the first telling of a story: more sources, changed facts, and
//! its users' corrections.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::Value;
use wirewatch::store::Store;

use crate::cli::{lines, stderr, wirewatch};
use crate::world::World;

const FERRY: &str = "A ferry with sixty people on board sank in the Serrano strait on Monday night, \
    the coast guard in Puerto Alba said; a marker buoy was found. Seven people drowned.";
const RETOLD: &str = "Seven passengers drowned when a ferry went down in the strait of Serrano, \
    according to the coast guard in Puerto Alba. Rescuers searched through Monday night.";
const THIRD: &str = "The coast guard of Puerto Alba searches the Serrano strait for survivors \
    after a ferry sank on Monday night and seven people drowned, the ministry said.";

/// A feed of one outlet with one entry.
fn outlet(host: &str, guid: &str, title: &str, text: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>{host}</title><item>\
         <guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
         <link>https://{host}/{guid}</link><description>{text}</description>\
         <pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item></channel></rss>"
    )
}

/// A desk that follows four outlets; two of them are one publisher's.
struct Desk {
    world: World,
    toml: String,
}

impl Desk {
    async fn new(policy: &str) -> Self {
        let world = World::new().await;
        let feeds = ["a", "b", "c", "d"].map(|feed| world.feed(feed)).concat();
        let toml =
            world.toml(&feeds).replace("[rule.marked]\n", &format!("[rule.marked]\n{policy}\n"));
        for feed in ["a", "b", "c", "d"] {
            let empty = "<rss version=\"2.0\"><channel><title>x</title></channel></rss>";
            world.feeds.serve(&format!("/{feed}"), "text/xml", empty);
        }
        let desk = Self { world, toml };
        desk.poll().await;
        desk
    }

    fn show(&self, feed: &str, host: &str, title: &str, text: &str) {
        let document = outlet(host, "ferry", title, text);
        self.world.feeds.serve(&format!("/{feed}"), "text/xml", document);
    }

    /// What the receiver was told by a poll.
    async fn poll(&self) -> Vec<Value> {
        let before = self.world.hook.accepted().len();
        self.world.once(&self.world.config(&self.toml)).await;
        self.world.hook.accepted().into_iter().skip(before).map(|told| told.json).collect()
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let config: &Path = &self.world.dir.path().join("watch.toml");
        let all = [&["--config", config.to_str().unwrap()], arguments].concat();
        wirewatch(self.world.dir.path(), &all, "")
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        lines(&output)
    }
}

#[tokio::test]
async fn a_rule_waits_until_two_independent_sources_have_the_story() {
    let desk = Desk::new("min_sources = 2").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks in the Serrano strait", FERRY);
    assert_eq!(desk.poll().await, Vec::<Value>::new());
    // Another paper of the same publisher is no other source.
    desk.show("b", "sunday.harbour-wire.example", "Seven drown as ferry sinks in Serrano", RETOLD);
    assert_eq!(desk.poll().await, Vec::<Value>::new());
    let story = desk.json(&["stories"])[0]["id"].as_str().unwrap().to_owned();
    let shown = desk.run(&["stories", "show", &story]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("2 tellings, 1 independent source"), "{shown}");
    assert!(shown.contains("rule marked: matched"), "{shown}");
    assert!(shown.contains("waits for more independent sources"), "{shown}");
    // The second source does not match by itself.
    desk.show(
        "c",
        "ledger.example",
        "Coast guard searches Serrano strait after ferry sinks",
        THIRD,
    );
    let told = desk.poll().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "alert.raised");
    assert_eq!(told[0]["data"]["title"], "Ferry sinks in the Serrano strait");
    assert_eq!(told[0]["data"]["outlets_total"], 3);
    assert_eq!(desk.poll().await, Vec::<Value>::new());
    let why = desk.run(&["explain", "marked", &story]);
    let why = String::from_utf8(why.stdout).unwrap();
    assert!(why.contains("joined: the same event"), "{why}");
    assert!(why.contains("raised alert a"), "{why}");
}

#[tokio::test]
async fn a_telling_in_the_words_of_another_is_no_source_beside_it() {
    let desk = Desk::new("").await;
    let title = "Seven drown as ferry sinks in Serrano strait";
    for (feed, host, title, text) in [
        ("a", "harbour-wire.example", "Ferry sinks in the Serrano strait", FERRY),
        ("b", "ledger.example", title, RETOLD),
        ("c", "gazette.example", title, RETOLD),
        ("d", "courier.example", "Ferry disaster in the strait", RETOLD),
    ] {
        desk.show(feed, host, title, text);
        desk.poll().await;
    }
    let story = desk.json(&["stories"]).remove(0);
    assert_eq!(story["sources"], 2);
    assert_eq!(story["outlets"][0]["url"], "https://harbour-wire.example/ferry", "who was first");
    assert_eq!(desk.json(&["alerts"])[0]["sources"], 2);
    let told = desk.json(&["stories", "show", story["id"].as_str().unwrap()]);
    let sources: Vec<&Value> = told.iter().map(|telling| &telling["source"]).collect();
    assert_eq!(sources, [1, 2, 2, 2], "{told:?}");
    assert_eq!(told[2]["how"], "words");
}

#[tokio::test]
async fn news_of_a_story_follow_its_alert_once() {
    let desk = Desk::new("on_update = \"all\"").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks, 7 people dead", FERRY);
    let told = desk.poll().await;
    let alert = told[0]["data"]["id"].clone();
    assert_eq!((told.len(), told[0]["type"].as_str()), (1, Some("alert.raised")));
    assert_eq!(told[0]["data"]["update"], Value::Null);

    desk.show("b", "ledger.example", "Seven drown as ferry sinks in Serrano strait", RETOLD);
    let told = desk.poll().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["type"], "alert.updated");
    assert_eq!(told[0]["data"]["id"], alert, "it follows the alert");
    assert_eq!(told[0]["data"]["update"]["text"], "now 2 independent sources");
    assert_eq!(told[0]["data"]["outlets_total"], 2);

    desk.show("a", "harbour-wire.example", "Ferry sinks, 19 people dead", FERRY);
    let told = desk.poll().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["update"]["kind"], "number");
    assert_eq!(told[0]["data"]["update"]["text"], "a number changed: 7 → 19");
    assert_eq!(told[0]["data"]["update"]["title"], "Ferry sinks, 19 people dead");
    assert_eq!(desk.poll().await, Vec::<Value>::new());

    let listed = &desk.json(&["alerts"])[0];
    assert_eq!(listed["id"], alert);
    assert_eq!(listed["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(listed["updates"].as_array().unwrap().len(), 2);
    let deliveries = desk.json(&["deliveries"]);
    assert_eq!(deliveries.len(), 3);
    assert_eq!(deliveries.iter().filter(|row| row["update"].is_string()).count(), 2);
}

#[tokio::test]
async fn a_correction_counts_by_whomever_and_a_headline_only_of_the_outlet_that_was_told() {
    let desk = Desk::new("on_update = \"material\"").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks in the Serrano strait", FERRY);
    desk.show("b", "ledger.example", "Seven drown as ferry sinks in Serrano strait", RETOLD);
    assert_eq!(desk.poll().await.len(), 1);
    // The other outlet writes another headline.
    desk.show("b", "ledger.example", "Puerto Alba mourns its dead of the ferry", RETOLD);
    assert_eq!(desk.poll().await, Vec::<Value>::new());
    // The one that was told of does.
    let other = "Captain of sunken vessel arrested by investigators in Puerto Alba";
    desk.show("a", "harbour-wire.example", other, FERRY);
    let told = desk.poll().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["update"]["kind"], "headline");
    // Any outlet corrects.
    let corrected =
        format!("{RETOLD} Correction: an earlier version of this article named a wrong port.");
    desk.show("b", "ledger.example", "Puerto Alba mourns its dead of the ferry", &corrected);
    let told = desk.poll().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["update"]["kind"], "correction");
    assert_eq!(told[0]["data"]["update"]["url"], "https://ledger.example/ferry");
}

#[tokio::test]
async fn without_a_wish_for_updates_a_story_is_told_once() {
    let desk = Desk::new("").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks, 7 people dead", FERRY);
    assert_eq!(desk.poll().await.len(), 1);
    desk.show("b", "ledger.example", "Seven drown as ferry sinks in Serrano strait", RETOLD);
    desk.show("a", "harbour-wire.example", "Ferry sinks, 19 people dead", FERRY);
    assert_eq!(desk.poll().await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_a_user_parted_or_joined_stays_so_for_later_tellings() {
    let desk = Desk::new("").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks in the Serrano strait", FERRY);
    desk.show("b", "ledger.example", "Seven drown as ferry sinks in Serrano strait", RETOLD);
    desk.poll().await;
    let stories = desk.json(&["stories"]);
    assert_eq!(stories.len(), 1, "{stories:?}");
    let story = stories[0]["id"].as_str().unwrap();

    let bad = desk.run(&["stories", "split", story, "9"]);
    assert!(
        stderr(&bad).contains("no telling \"9\": give a number from 1 to 2"),
        "{}",
        stderr(&bad)
    );
    let all = desk.run(&["stories", "split", story, "1", "2"]);
    assert!(stderr(&all).contains("these are all tellings"), "{}", stderr(&all));
    let new = desk.json(&["stories", "split", story, "2"])[0]["new"].as_str().unwrap().to_owned();
    assert_eq!(desk.json(&["stories"]).len(), 2);
    assert_eq!(desk.json(&["stories", "show", &new])[0]["how"], "split");
    // A copy of the text that was taken out joins its story now.
    desk.show("c", "gazette.example", "Ferry goes down off Puerto Alba", RETOLD);
    desk.poll().await;
    let tellings = desk.json(&["stories", "show", &new]);
    assert_eq!(tellings.len(), 2, "{tellings:?}");

    let merged = desk.run(&["stories", "merge", story, &new]);
    assert!(merged.status.success(), "{}", stderr(&merged));
    assert_eq!(desk.json(&["stories"]).len(), 1);
    assert_eq!(desk.json(&["stories", "show", story]).len(), 3);
    let gone = desk.run(&["stories", "show", &new]);
    assert!(stderr(&gone).contains(&format!("is part of {story} now")), "{}", stderr(&gone));
    let itself = desk.run(&["stories", "merge", story, story]);
    assert!(stderr(&itself).contains("cannot become part of itself"), "{}", stderr(&itself));
    desk.show("d", "courier.example", "Ferry disaster in the strait", RETOLD);
    desk.poll().await;
    assert_eq!(desk.json(&["stories", "show", story]).len(), 4);
    assert_eq!(desk.world.hook.accepted().len(), 1, "none of this is news");
}

#[tokio::test]
async fn what_was_merged_and_updated_is_forgotten_whole() {
    let desk = Desk::new("on_update = \"all\"").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks, 7 people dead", FERRY);
    let quake =
        "An earthquake shook the Arica region of Chile on Monday; a marker buoy gave alarm.";
    desk.show("b", "ledger.example", "Earthquake shakes Arica region in Chile", quake);
    assert_eq!(desk.poll().await.len(), 2);
    desk.show("a", "harbour-wire.example", "Ferry sinks, 19 people dead", FERRY);
    assert_eq!(desk.poll().await.len(), 1);
    let stories = desk.json(&["stories"]);
    let ids: Vec<&str> = stories.iter().filter_map(|story| story["id"].as_str()).collect();
    let merged = desk.run(&["stories", "merge", ids[0], ids[1]]);
    assert!(merged.status.success(), "{}", stderr(&merged));
    let alerts = desk.json(&["alerts"]);
    assert_eq!(alerts.len(), 2, "both alerts stay");
    let gone = alerts.iter().find(|alert| alert["story"] == ids[1]).unwrap();
    let why = &desk.json(&["why", gone["id"].as_str().unwrap()])[0];
    assert_eq!(why["merged_into"], ids[0], "{why}");
    assert_eq!(why["rules"][0]["deliveries"][0]["ledger"], "delivered", "{why}");
    let wrong = desk.run(&["alerts", "--state", "waitng"]);
    assert!(stderr(&wrong).contains("the states are: waiting, sent,"), "{}", stderr(&wrong));

    // The feeds show other things for a day and more.
    for _ in 0..2 {
        desk.world.wait(SignedDuration::from_hours(30));
        for (feed, host) in [("a", "harbour-wire.example"), ("b", "ledger.example")] {
            let rain = outlet(host, "rain", "Rain in the hills", "It will rain there.");
            desk.world.feeds.serve(&format!("/{feed}"), "text/xml", rain);
        }
        desk.poll().await;
    }
    let config = desk.world.config(&desk.toml);
    let store = Store::open(&config.store).unwrap();
    let mut gone = 0;
    for day in 0..60 {
        let now = desk.world.clock.now() + SignedDuration::from_hours(24 * day);
        gone += store.sweep(now, SignedDuration::from_hours(24 * 10), 100).await.unwrap();
    }
    assert!(gone >= 2, "{gone}");
    drop(store);
    assert_eq!(desk.json(&["alerts"]), Vec::<Value>::new());
    let path = desk.world.dir.path().join("watch.db");
    let db = rusqlite::Connection::open(path).unwrap();
    let left = "SELECT (SELECT count(*) FROM alert_update) + (SELECT count(*) FROM match) \
                + (SELECT count(*) FROM pragma_foreign_key_check)";
    assert_eq!(db.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn a_story_that_lost_its_alert_to_a_part_is_told_again() {
    let desk = Desk::new("").await;
    desk.show("a", "harbour-wire.example", "Ferry sinks in the Serrano strait", FERRY);
    desk.show("b", "ledger.example", "Seven drown as ferry sinks in Serrano strait", RETOLD);
    assert_eq!(desk.poll().await.len(), 1);
    let story = desk.json(&["stories"])[0]["id"].as_str().unwrap().to_owned();
    let new = desk.json(&["stories", "split", &story, "1"])[0]["new"].as_str().unwrap().to_owned();
    assert_eq!(desk.json(&["alerts"])[0]["story"], new, "the alert goes with its telling");
    let marked = format!("{RETOLD} A marker buoy was found.");
    desk.show("c", "gazette.example", "Ferry goes down off Puerto Alba", &marked);
    let told = desk.poll().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["story"], story);
    assert_eq!(desk.json(&["stories", "show", &story]).len(), 2);
    assert_eq!(desk.json(&["alerts"]).len(), 2);
}
