//! The outside world of a machine: a feed, a receiver, and the configuration that names both.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::machine::Machine;
use super::package::INSTALLED;
use super::peers;
use super::support::collector::{Collector, Delivery};
use super::support::http::FeedServer;
use super::until;

/// Only systemd may read the file that holds it.
const SECRET: &str = "whsec_c3lzdGVtZCBoYW5kcyB0aGlzIG92ZXIgYXMgcm9vdA==";
/// The feed is asked for every second.
const HEARD_LIMIT: Duration = Duration::from_secs(20);
/// After which nothing more is expected.
const QUIET: Duration = Duration::from_secs(4);
pub(crate) const CONFIG: &str = "/etc/wirewatch/wirewatch.toml";
/// Headlines without a word in common: others would be tellings of one event.
const HEADLINES: [&str; 5] = [
    "Heron nests upon lighthouse",
    "Choir rehearses below railway",
    "Baker finds sapphire",
    "Glacier reveals sledge",
    "Violin stolen from museum",
];

pub(crate) struct Site {
    feeds: FeedServer,
    pub(crate) desk: Collector,
    items: Vec<Value>,
}

impl Site {
    pub(crate) async fn open() -> Self {
        let (feeds, desk) = (FeedServer::start().await, Collector::start(SECRET).await);
        let site = Self { feeds, desk, items: Vec::new() };
        site.print();
        site
    }

    /// The feed has one more story from now on, with this word in its text; its headline.
    pub(crate) fn publish(&mut self, word: &str) -> &'static str {
        let number = self.items.len();
        self.items.push(json!({
            "id": number.to_string(), "title": HEADLINES[number],
            "url": format!("https://news.example.org/{number}"), "content_text": word,
        }));
        self.print();
        HEADLINES[number]
    }

    fn print(&self) {
        let feed = json!({
            "version": "https://jsonfeed.org/version/1.1", "title": "The Wire",
            "items": &self.items,
        });
        self.feeds.serve("/feed", "application/feed+json", feed.to_string());
    }

    /// A configuration that tells of stories with this word.
    pub(crate) fn config(&self, word: &str) -> String {
        let (feed, hook) = (self.feeds.url("/feed"), self.desk.url());
        format!(
            "[store]\npath = \"/var/lib/wirewatch/wirewatch.db\"\n\
             [defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [operator]\nnotify = []\n\
             [rule.marker]\nmatch = '{word}'\nchannels = [\"desk\"]\n\
             [feed.wire]\nurl = \"{feed}\"\ninterval = \"1s\"\nallow_private = true\n\
             [channel.desk.webhook]\nurl = \"{hook}\"\nsecret_file = \"desk-secret\"\n\
             allow_private = true\n"
        )
    }

    /// A machine with the package and this site's configuration, and a drop-in besides.
    pub(crate) async fn machine(&self, drop_in: &str) -> Machine {
        let (config, drop_in) = (self.config("marker"), drop_in.to_owned());
        Machine::boot(&[&INSTALLED, &peers::tree()], |root| {
            configure(root, &config);
            let folder = root.join("etc/systemd/system/wirewatch.service.d");
            let service = format!("[Service]\n{drop_in}\n");
            fs::write(folder.join("trial.conf"), service).unwrap();
        })
        .await
    }

    /// Waits until the receiver has been told of a story; the message.
    pub(crate) async fn heard(&self, headline: &str) -> Delivery {
        let told = || self.desk.accepted().into_iter().find(|one| names(one, headline));
        until(HEARD_LIMIT, headline, || told().is_some()).await;
        let message = told().unwrap();
        assert!(message.verified, "{:?}", message.verify_error);
        message
    }

    /// The receiver is told of each of these once, and of nothing else.
    pub(crate) async fn heard_only(&self, headlines: &[&str]) {
        let begun = Instant::now();
        until(QUIET * 2, "silence", || begun.elapsed() > QUIET).await;
        let messages = self.desk.accepted();
        let times = |headline: &&str| messages.iter().filter(|one| names(one, headline)).count();
        let times: Vec<usize> = headlines.iter().map(times).collect();
        assert_eq!((times, messages.len()), (vec![1; headlines.len()], headlines.len()));
    }
}

/// Writes a configuration and a secret, and has systemd hand the secret over.
pub(crate) fn configure(root: &Path, config: &str) {
    fs::write(root.join("etc/wirewatch/wirewatch.toml"), config).unwrap();
    let secret = root.join("etc/wirewatch/desk-secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = root.join("etc/systemd/system/wirewatch.service.d");
    fs::create_dir_all(&folder).unwrap();
    let credential = "[Service]\nLoadCredential=desk-secret:/etc/wirewatch/desk-secret\n";
    fs::write(folder.join("secret.conf"), credential).unwrap();
}

fn names(message: &Delivery, headline: &str) -> bool {
    String::from_utf8_lossy(&message.body).contains(headline)
}
