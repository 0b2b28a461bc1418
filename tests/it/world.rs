//! A folder with a configuration, a feed server, a webhook receiver and a
//! clock that only the test moves.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wirewatch::app::{self, App, OnceReport};
use wirewatch::config::{self, Config, Environment};
use wirewatch::model::Clock;
use wirewatch::store::{AlertRow, DeliveryRow, FeedRow, Filter, Store};

use crate::support::collector::Collector;
use crate::support::http::FeedServer;

/// Base64 of 24 bytes, with the prefix of Standard Webhooks.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub struct World {
    pub dir: TempDir,
    pub feeds: FeedServer,
    pub hook: Collector,
    pub clock: Clock,
}

impl World {
    pub async fn new() -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            feeds: FeedServer::start().await,
            hook: Collector::start(SECRET).await,
            // Near the real time: receivers check how old a signature is.
            clock: Clock::at(Clock::System.now()),
        };
        world.secret("hook-secret", SECRET);
        world
    }

    /// Writes a file that only its owner may read.
    pub fn secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A configuration of the webhook `hook`, a rule that tells it of every
    /// `marker`, and whatever the test adds.
    pub fn toml(&self, more: &str) -> String {
        format!(
            "[store]\npath = \"{dir}/watch.db\"\n\
             [defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [rule.marked]\nmatch = 'marker'\nchannels = [\"hook\"]\n\
             [channel.hook.webhook]\nurl = \"{hook}\"\nsecret_file = \"hook-secret\"\n\
             allow_private = true\n{more}",
            dir = self.dir.path().display(),
            hook = self.hook.url(),
        )
    }

    /// A feed of the server, polled every second if anybody polls.
    pub fn feed(&self, name: &str) -> String {
        format!(
            "[feed.{name}]\nurl = \"{}\"\ninterval = \"1s\"\nallow_private = true\n",
            self.feeds.url(&format!("/{name}"))
        )
    }

    pub fn config(&self, toml: &str) -> Config {
        let path = self.write("watch.toml", toml);
        config::load(&path, &Environment::from_process())
            .unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    /// Polls and delivers once, a minute after the last time.
    pub async fn once(&self, config: &Config) -> OnceReport {
        self.wait(SignedDuration::from_mins(1));
        let stop = CancellationToken::new();
        app::once(config, self.clock.clone(), &stop, |_| {}).await.unwrap()
    }

    /// Starts the daemon on the real clock.
    pub async fn start(&self, config: &Config) -> App {
        App::start(config, Clock::System).await.unwrap()
    }

    pub fn wait(&self, span: SignedDuration) {
        self.clock.set(self.clock.now().checked_add(span).unwrap());
    }

    fn store(&self, config: &Config) -> Store {
        Store::attach(&config.store).unwrap()
    }

    pub async fn alerts(&self, config: &Config) -> Vec<AlertRow> {
        self.store(config).alerts(all()).await.unwrap()
    }

    pub async fn deliveries(&self, config: &Config) -> Vec<DeliveryRow> {
        self.store(config).deliveries(all()).await.unwrap()
    }

    pub async fn feed_row(&self, config: &Config, name: &str) -> FeedRow {
        let filter = Filter { feed: Some(name.to_string()), ..all() };
        self.store(config).feeds(filter).await.unwrap().remove(0)
    }
}

pub fn all() -> Filter {
    Filter { limit: 10_000, ..Filter::default() }
}

/// An RSS document of items (guid, title, text).
pub fn rss(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(guid, title, text)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
                 <link>https://news.example.org/{guid}</link>\
                 <description>{text}</description>\
                 <pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item>"
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A headline of words that no other number has, so that no two stories are one, and the marker.
pub fn own_words(number: usize) -> String {
    let letter = |at: usize| {
        let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        char::from(b'a' + (mixed.rotate_left(7 * at as u32) % 26) as u8)
    };
    let word = |from: usize| (from..from + 8).map(letter).collect::<String>();
    format!("{} {} {} marker", word(0), word(8), word(16))
}
