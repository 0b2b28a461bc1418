//! The smallest desk: one feed, one rule that matches all of it, and a few
//! receivers with a policy each.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use wirewatch::model::Silence;

use crate::desk::Desk;
use crate::news::{Item, rss};
use crate::post::Post;
use crate::random::Random;
use crate::world::{World, all};

/// An hour before the first story.
pub(crate) const BEGIN: &str = "2026-11-25T10:00:00Z";

/// A desk with one feed and a rule that matches all of it.
pub(crate) struct Trial {
    pub(crate) desk: Desk,
    pub(crate) post: Post,
    items: Vec<Item>,
}

impl Trial {
    /// With receivers that have a policy each, and nothing on the feed yet.
    pub(crate) async fn begin(receivers: &[(&str, &str)]) -> Self {
        let world = World::new().await;
        world.clock.set(BEGIN.parse().unwrap());
        let names: Vec<&str> = receivers.iter().map(|(name, _)| *name).collect();
        let post = Post::start(&world.clock, &names, &Arc::default()).await;
        world.feeds.serve("/wire", "text/xml", rss(&[]));
        let mut toml = format!(
            "[store]\npath = \"{}/watch.db\"\n[defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [operator]\nnotify = []\n[rule.marked]\nmatch = 'marker'\nchannels = {names:?}\n{}",
            world.dir.path().display(),
            world.feed("wire")
        );
        for (name, policy) in receivers {
            toml += &format!("{}[channel.{name}.policy]\n{policy}\n", post.channel(name));
        }
        let desk = Desk::open(world, &toml).await;
        desk.set(desk.now() + SignedDuration::from_hours(1));
        Self { desk, post, items: Vec::new() }
    }

    /// Adds stories to the feed and has the program read it. Nobody is told yet.
    pub(crate) async fn publish(&mut self, stories: usize, random: &mut Random) {
        for _ in 0..stories {
            let name = format!("s{}", self.items.len());
            self.items.push(Item::new(&name, "marker", random));
        }
        self.desk.world.feeds.serve("/wire", "text/xml", rss(&self.items));
        self.desk.poll().await;
    }

    /// Sends what is due so long after a moment.
    pub(crate) async fn dispatch_at(&self, begin: Timestamp, later: SignedDuration) {
        self.desk.set(begin + later);
        self.desk.dispatch().await;
    }

    pub(crate) async fn silence(&self, silence: Silence) {
        self.desk.store.add_silence(silence).await.unwrap();
    }

    /// Titles that a receiver was told.
    pub(crate) fn told(&self, receiver: &str) -> Vec<String> {
        let messages = self.post.accepted(receiver);
        messages.into_iter().flat_map(|m| m.members).map(|(_, title)| title).collect()
    }

    /// Story ids by title.
    pub(crate) async fn stories(&self) -> BTreeMap<String, String> {
        let alerts = self.desk.store.alerts(all()).await.unwrap();
        alerts.into_iter().map(|alert| (alert.title, alert.story)).collect()
    }

    /// What the command `why` says of a story.
    pub(crate) fn why(&self, story: &str) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_wirewatch"))
            .args(["why", story, "--json", "--config"])
            .arg(self.desk.world.dir.path().join("watch.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
