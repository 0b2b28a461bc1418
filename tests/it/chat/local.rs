//! From a feed to chat, program and file, through configuration and daemon.

use jiff::SignedDuration;
use serde_json::Value;

use super::services::TOKEN;
use crate::support::http::{FeedServer, Reply};
use crate::world::{World, rss};

const PROGRAM: &str = "\
[rule.chat]
match = 'marker'
channels = ['slack', 'run', 'log', 'atom', 'room']
[channel.slack.slack]
url_file = 'slack-url'
allow_private = true
[channel.room.matrix]
homeserver = 'SERVER'
room = '!room:example.org'
token_file = 'token'
allow_private = true
[channel.run.exec]
command = ['/bin/sh', '-c', 'cat > FOLDER/got.json; exit CODE']
[channel.log.file]
path = 'alerts.jsonl'
[channel.atom.feed]
path = 'alerts.xml'
title = 'Our alerts'
";

struct Desk {
    world: World,
    chat: FeedServer,
}

impl Desk {
    async fn new() -> Self {
        let (world, chat) = (World::new().await, FeedServer::start().await);
        world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker <@U1>", "x")]));
        world.secret("slack-url", &chat.url(&format!("/services/{TOKEN}")));
        world.secret("token", TOKEN);
        chat.script(&format!("/services/{TOKEN}"), vec![Reply::ok("ok")]);
        Self { world, chat }
    }

    fn toml(&self, code: &str) -> String {
        let more = PROGRAM
            .replace("SERVER", &self.chat.url(""))
            .replace("FOLDER", &self.world.dir.path().display().to_string())
            .replace("CODE", code);
        self.world.toml(&format!("{}{more}", self.world.feed("a")))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.world.dir.path().join(name)).unwrap()
    }
}

#[tokio::test]
async fn an_alert_reaches_chat_program_and_files_by_configuration() {
    let desk = Desk::new().await;
    let config = desk.world.config(&desk.toml("0"));
    let report = desk.world.once(&config).await;
    // The webhook too; the homeserver answers 404, which will not change.
    assert_eq!((report.drained.sent, report.drained.failed), (5, 1));
    let rows = desk.world.deliveries(&config).await;
    let id = |channel: &str| {
        rows.iter().find(|row| row.channel == channel).unwrap().id.as_str().to_owned()
    };
    let got: Value = serde_json::from_str(&desk.read("got.json")).unwrap();
    let line: Value = serde_json::from_str(&desk.read("alerts.jsonl")).unwrap();
    assert_eq!((&got["id"], &line["id"]), (&id("run").into(), &id("log").into()));
    assert_eq!(got["data"]["title"], "A marker <@U1>");
    let feed = desk.read("alerts.xml");
    assert!(feed.contains("<title>Our alerts</title>"), "{feed}");
    assert!(feed.contains("https://news.example.org/1"), "{feed}");
    // The transaction of a room is the delivery.
    let all = desk.chat.all_requests();
    assert!(all.iter().any(|one| one.path.ends_with(&id("room"))), "no request for the room");
    // A retry by hand repeats the same line, and the same entry in its place.
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    assert_eq!(store.retry_deliveries(None, false, desk.world.clock.now()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_program_may_ask_for_another_time_or_refuse() {
    for (code, waiting, failed) in [("75", 1, 0), ("3", 1, 0)] {
        let desk = Desk::new().await;
        let config = desk.world.config(&desk.toml(code));
        let report = desk.world.once(&config).await;
        assert_eq!((report.drained.waiting, report.drained.failed), (waiting, failed + 1));
        let mut failures = 0;
        for _ in 0..4 {
            desk.world.wait(SignedDuration::from_mins(40));
            failures += desk.world.once(&config).await.drained.failed;
        }
        // A refusal ends after three tries, a wish for later does not.
        assert_eq!(failures, usize::from(code == "3"), "{code}");
    }
}

#[tokio::test]
async fn check_names_the_channels_and_none_of_their_secrets() {
    let desk = Desk::new().await;
    let path = desk.world.write("watch.toml", &desk.toml("0"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wirewatch"))
        .args(["check", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
    for line in [
        "channel atom: keeps 100 entries in ",
        "channel log: appends to ",
        "channel run: runs /bin/sh",
        "channel slack: posts to slack at http://127.0.0.1:",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
