//! What receivers are spared, and that nothing is lost by it.

use jiff::SignedDuration;
use serde_json::Value;

use crate::cli::{lines, stderr, wirewatch};
use crate::support::collector::Collector;
use crate::world::{SECRET, World};

const STORIES: [(&str, &str); 5] = [
    ("ferry", "Ferry sinks in the Serrano strait near Puerto Alba"),
    ("quake", "Earthquake shakes the Chilean region of Arica"),
    ("verdict", "Appeals court overturns the Lindqvist verdict in Malmo"),
    ("harvest", "Drought halves the olive harvest of Andalusia growers"),
    ("launch", "Kestrel rocket launch scrubbed at Vandenberg after leak"),
];

fn document(stories: &[(&str, &str)]) -> String {
    let items: String = stories
        .iter()
        .map(|(guid, title)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
                 <link>https://news.example/{guid}</link>\
                 <description>{title}: a marker for the desk.</description>\
                 <pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item>"
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
}

/// A desk that follows one feed.
struct Desk {
    world: World,
    toml: String,
}

impl Desk {
    /// With keys for the rule, and tables.
    async fn new(rule: &str, more: &str) -> Self {
        let world = World::new().await;
        let toml = world.toml(&format!("{}{more}", world.feed("a")));
        let toml = toml.replace("[rule.marked]\n", &format!("[rule.marked]\n{rule}\n"));
        Self { world, toml }
    }

    /// What the receiver was told by a poll of these stories.
    async fn poll(&self, stories: &[(&str, &str)]) -> Vec<Value> {
        self.world.feeds.serve("/a", "text/xml", document(stories));
        let before = self.world.hook.accepted().len();
        self.world.once(&self.world.config(&self.toml)).await;
        self.world.hook.accepted().into_iter().skip(before).map(|told| told.json).collect()
    }

    fn wait(&self, minutes: i64) {
        self.world.wait(SignedDuration::from_mins(minutes));
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let config = self.world.dir.path().join("watch.toml");
        let all = [&["--config", config.to_str().unwrap()], arguments].concat();
        wirewatch(self.world.dir.path(), &all, "")
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        lines(&output)
    }

    /// `23:00`, so many hours from now.
    fn hour(&self, from_now: i64) -> String {
        let at = self.world.clock.now() + SignedDuration::from_hours(from_now);
        at.strftime("%H:00").to_string()
    }
}

#[tokio::test]
async fn quiet_hours_hold_and_one_digest_tells_it_all() {
    let mut desk = Desk::new("", "").await;
    let hours = format!("{}-{}", desk.hour(0), desk.hour(3));
    desk.toml += &format!("[channel.hook.policy]\nquiet_hours = '{hours}'\n");
    assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new());
    let held = desk.json(&["deliveries"]);
    assert_eq!(held.len(), 2);
    assert_eq!(held[0]["state"], "waiting");
    assert!(held[0]["reason"].as_str().unwrap().starts_with("quiet hours until"), "{held:?}");
    let story = desk.json(&["alerts"])[0]["story"].as_str().unwrap().to_owned();
    let why = &desk.json(&["why", &story])[0];
    assert_eq!(why["rules"][0]["deliveries"][0]["ledger"], "held");

    desk.wait(4 * 60);
    let told = desk.poll(&STORIES[..2]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["type"], "alert.digest");
    assert_eq!(told[0]["data"]["alerts_total"], 2);
    let titles: Vec<&str> = told[0]["data"]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|a| a["title"].as_str())
        .collect();
    assert_eq!(titles.len(), 2);
    assert!(STORIES[..2].iter().all(|(_, title)| titles.contains(title)), "{titles:?}");
    let why = &desk.json(&["why", &story])[0];
    assert_eq!(why["rules"][0]["deliveries"][0]["ledger"], "delivered");
    assert_eq!(why["rules"][0]["deliveries"][0]["digest"], told[0]["data"]["id"]);
    assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new());
    assert_eq!(desk.poll(&STORIES[..3]).await.len(), 1, "the hours are over");
}

#[tokio::test]
async fn what_is_held_goes_out_when_its_policy_is_taken_away() {
    let mut desk = Desk::new("", "").await;
    let without = desk.toml.clone();
    let hours = format!("{}-{}", desk.hour(0), desk.hour(3));
    desk.toml += &format!("[channel.hook.policy]\nquiet_hours = '{hours}'\n");
    desk.world.feeds.serve("/a", "text/xml", document(&STORIES[..2]));
    let mut app = desk.world.start(&desk.world.config(&desk.toml)).await;
    let held = async || {
        let rows = desk.world.deliveries(&desk.world.config(&without)).await;
        rows.iter().filter(|row| row.reason.is_some()).count()
    };
    crate::support::timeout(
        async {
            while held().await < 2 {
                tokio::task::yield_now().await;
            }
        },
        "two alerts are held",
    )
    .await;
    assert_eq!(desk.world.hook.accepted().len(), 0);
    app.reload(&desk.world.config(&without)).await.unwrap();
    // What waited together comes together: hundreds would be a flood.
    let told = desk.world.hook.wait_for(1).await;
    assert_eq!(told[0].json["type"], "alert.digest");
    assert_eq!(told[0].json["data"]["alerts_total"], 2);
    assert!(app.stop().await);
}

#[tokio::test]
async fn above_the_budget_a_digest_says_that_there_is_a_storm() {
    let desk = Desk::new("", "[channel.hook.policy]\nmax_per_hour = 2\n").await;
    let told = desk.poll(&STORIES).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|one| one["type"] == "alert.raised"));
    desk.wait(30);
    assert_eq!(desk.poll(&STORIES).await, Vec::<Value>::new());
    desk.wait(31);
    let told = desk.poll(&STORIES).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["alerts_total"], 3);
    assert!(told[0]["data"]["title"].as_str().unwrap().starts_with("storm, 3 alerts"), "{told:?}");
    assert!(told[0]["data"]["reason"].as_str().unwrap().contains("within an hour"));
    let states = desk.json(&["deliveries"]);
    let count = |state: &str| states.iter().filter(|row| row["state"] == state).count();
    assert_eq!((count("sent"), count("gathered"), count("waiting")), (3, 3, 0));
}

#[tokio::test]
async fn what_a_policy_no_longer_holds_is_told_by_the_next_round_in_one_digest() {
    for policy in ["group_wait = '2h'\n", "digest = ['08:00']\n", "quiet_hours = '00:00-23:59'\n"] {
        let table = format!("[channel.hook.policy]\n{policy}");
        let mut desk = Desk::new("", &table).await;
        assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new(), "{policy}");
        assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new(), "{policy}");
        desk.toml = desk.toml.replace(&table, "");
        let told = desk.poll(&STORIES[..2]).await;
        assert_eq!(told.len(), 1, "{policy}: {told:?}");
        assert_eq!(told[0]["data"]["alerts_total"], 2, "{policy}");
    }
}

#[tokio::test]
async fn one_that_waited_alone_goes_out_as_it_is() {
    let desk = Desk::new("", "[channel.hook.policy]\ngroup_wait = '10m'\n").await;
    assert_eq!(desk.poll(&STORIES[..1]).await, Vec::<Value>::new());
    desk.wait(10);
    let told = desk.poll(&STORIES[..1]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "alert.raised");
}

#[tokio::test]
async fn alerts_of_a_rule_that_come_one_by_one_go_out_together() {
    let policy = "[channel.hook.policy]\ngroup_wait = '10m'\ngroup_interval = '1h'\n";
    let desk = Desk::new("", policy).await;
    assert_eq!(desk.poll(&STORIES[..1]).await, Vec::<Value>::new());
    desk.wait(4);
    assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new());
    desk.wait(6);
    let told = desk.poll(&STORIES[..2]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["alerts_total"], 2);
    // The next two wait for the interval.
    assert_eq!(desk.poll(&STORIES[..3]).await, Vec::<Value>::new());
    desk.wait(30);
    assert_eq!(desk.poll(&STORIES[..4]).await, Vec::<Value>::new());
    desk.wait(40);
    let told = desk.poll(&STORIES[..4]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["alerts_total"], 2);
}

#[tokio::test]
async fn a_digest_that_is_refused_at_first_is_told_whole_and_under_one_id() {
    let desk = Desk::new("", "[channel.hook.policy]\ngroup_wait = '10m'\n").await;
    desk.poll(&STORIES[..2]).await;
    desk.wait(10);
    desk.world.hook.answer(vec![crate::support::collector::Answer::Status(503)]);
    assert_eq!(desk.poll(&STORIES[..2]).await, Vec::<Value>::new());
    desk.wait(10);
    let told = desk.poll(&STORIES[..2]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["alerts_total"], 2);
    let tries = desk.world.hook.attempts();
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[0].id, tries[1].id);
    assert_eq!(tries[0].body, tries[1].body);
}

#[tokio::test]
async fn what_is_corrected_in_quiet_hours_is_told_with_the_alert() {
    let mut desk = Desk::new("on_update = 'material'", "").await;
    let hours = format!("{}-{}", desk.hour(0), desk.hour(3));
    desk.toml += &format!("[channel.hook.policy]\nquiet_hours = '{hours}'\n");
    desk.poll(&STORIES[..1]).await;
    let withdrawn = [("ferry", "WITHDRAWN: Ferry sinks in the Serrano strait near Puerto Alba")];
    assert_eq!(desk.poll(&withdrawn).await, Vec::<Value>::new());
    desk.wait(4 * 60);
    let told = desk.poll(&withdrawn).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["data"]["alerts_total"], 2);
    let news: Vec<&Value> =
        told[0]["data"]["alerts"].as_array().unwrap().iter().map(|a| &a["news"]).collect();
    assert!(news.contains(&&Value::from("update: it was withdrawn")), "{told:?}");
}

#[tokio::test]
async fn a_silence_suppresses_what_it_names_and_says_so() {
    let desk = Desk::new("", "").await;
    desk.poll(&[]).await;
    let wrong = desk.run(&["silence", "add", "--rule", "markt"]);
    assert!(stderr(&wrong).contains("no rule is named \"markt\""), "{}", stderr(&wrong));
    let silence = ["silence", "add", "--rule", "marked", "--comment", "known", "--author", "ann"];
    let silence = desk.json(&silence)[0]["id"].as_str().unwrap().to_owned();
    desk.wait(5);
    assert_eq!(desk.poll(&STORIES[..1]).await, Vec::<Value>::new());
    let story = desk.json(&["alerts"])[0]["story"].as_str().unwrap().to_owned();
    let told = &desk.json(&["why", &story])[0]["rules"][0]["deliveries"][0];
    assert_eq!(told["ledger"], "suppressed");
    assert_eq!(told["reason"], format!("silenced by ann ({silence}): known"));
    assert_eq!(desk.json(&["silence", "list"]).len(), 1);
    assert!(desk.run(&["silence", "end", &silence]).status.success());
    assert_eq!(desk.json(&["silence", "list"]).len(), 0);
    assert!(!desk.run(&["silence", "end", &silence]).status.success());
    desk.wait(5);
    let told = desk.poll(&STORIES[..2]).await;
    assert_eq!(told.len(), 1, "what was silenced stays silent: {told:?}");
    assert_eq!(told[0]["data"]["title"], STORIES[1].1);
}

#[tokio::test]
async fn what_nobody_acknowledges_is_repeated_and_escalated() {
    let mut desk = Desk::new(
        "repeat_every = '10m'\nrepeat_times = 2\nescalate_after = '15m'\nescalate_to = ['boss']",
        "",
    )
    .await;
    let boss = Collector::start(SECRET).await;
    desk.toml += &format!(
        "[channel.boss.webhook]\nurl = '{}'\nsecret_file = 'hook-secret'\nallow_private = true\n",
        boss.url()
    );
    let first = desk.poll(&STORIES[..1]).await;
    assert_eq!(first.len(), 1);
    desk.wait(10);
    let again = desk.poll(&STORIES[..1]).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["data"]["role"], "repeat");
    assert_eq!(again[0]["data"]["id"], first[0]["data"]["id"]);
    assert_eq!(boss.accepted().len(), 0);
    desk.wait(5);
    desk.poll(&STORIES[..1]).await;
    assert_eq!(boss.accepted().len(), 1);
    assert_eq!(boss.accepted()[0].json["data"]["role"], "escalation");

    // The next one is acknowledged in time.
    let second = desk.poll(&STORIES[..2]).await;
    let alert =
        second.iter().find(|one| one["data"]["role"] == "alert").unwrap()["data"]["id"].clone();
    let alert = alert.as_str().unwrap();
    assert!(desk.run(&["ack", alert, "--author", "ann"]).status.success());
    assert!(!desk.run(&["ack", "a0000000000000000"]).status.success());
    desk.wait(60);
    let told = desk.poll(&STORIES[..2]).await;
    assert!(told.iter().all(|one| one["data"]["id"] != alert), "{told:?}");
    assert_eq!(boss.accepted().len(), 1);
    let text = desk.run(&["why", alert]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("acknowledged by ann"), "{text}");
    assert!(text.contains("escalation to boss: suppressed"), "{text}");
}

#[tokio::test]
async fn a_snoozed_alert_is_told_again_when_its_time_is_over() {
    let desk = Desk::new("", "").await;
    let told = desk.poll(&STORIES[..1]).await;
    let alert = told[0]["data"]["id"].as_str().unwrap().to_owned();
    assert!(desk.run(&["snooze", &alert, "--for", "2h"]).status.success());
    desk.wait(60);
    assert_eq!(desk.poll(&STORIES[..1]).await, Vec::<Value>::new());
    desk.wait(70);
    let told = desk.poll(&STORIES[..1]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0]["data"]["role"].as_str(), &told[0]["data"]["id"]),
        (Some("reminder"), &Value::from(alert))
    );
}

#[tokio::test]
async fn a_muted_story_is_told_to_nobody_any_more() {
    let desk = Desk::new("on_update = 'all'", "").await;
    assert_eq!(desk.poll(&STORIES[..1]).await.len(), 1);
    let story = desk.json(&["alerts"])[0]["story"].as_str().unwrap().to_owned();
    assert!(desk.run(&["mute", &story]).status.success());
    assert!(!desk.run(&["mute", "s0"]).status.success());
    desk.wait(5);
    let withdrawn = [("ferry", "WITHDRAWN: Ferry sinks in the Serrano strait near Puerto Alba")];
    assert_eq!(desk.poll(&withdrawn).await, Vec::<Value>::new());
    let why = &desk.json(&["why", &story])[0]["rules"][0];
    assert_eq!(why["updates"][0]["kind"], "withdrawn");
    assert_eq!(why["deliveries"][1]["ledger"], "suppressed");
}

#[tokio::test]
async fn why_tells_of_rules_that_did_not_match_and_of_links() {
    let desk = Desk::new("", "[rule.other]\nmatch = 'volcano'\nchannels = ['hook']\n").await;
    desk.poll(&STORIES[..1]).await;
    let why = &desk.json(&["why", "https://news.example/ferry"])[0];
    assert_eq!(why["rules"][0]["rule"], "marked");
    assert_eq!(why["unmatched"][0]["rule"], "other");
    assert!(why["unmatched"][0]["reason"].as_str().unwrap().contains("volcano"), "{why}");
    assert!(why["rules"][0]["deliveries"][0]["attempts"][0]["answer"].is_string());
    let none = desk.run(&["why", "https://news.example/unknown"]);
    assert!(stderr(&none).contains("no stored entry has the link"), "{}", stderr(&none));
}
