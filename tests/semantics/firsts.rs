//! Feeds that are new, that change, or that come back with what they had: who
//! follows them hears of nothing old, and of all that is new.
//!
//! Each scenario begins with a feed of a hundred entries that is added with
//! `backfill = "none"`, lets it bring news for a while, changes something with
//! further news beside the old entries, and lets it bring news again. Counted
//! is at the receiver, by title; a repeat under the same id is no alert more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::news::{Item, atom, rss};
use crate::random::Random;
use crate::support::http::{Reply, handler};
use crate::world::World;

pub(crate) const ENTRIES: usize = 100;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// News in a document: some before the change, some with it, some after it.
const NEWS: usize = 5;

/// What happens to the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Added,
    OtherGuids,
    /// The configuration names another URL, and entries have links there.
    MovedByHand,
    /// The server redirects to another URL, for good.
    MovedByServer,
    /// The database is that of yesterday.
    OlderDatabase,
    /// The feed shows what it showed long ago.
    OldWindow,
    /// The feed shows an archive of which nothing was ever seen.
    Archive,
    /// Atom instead of RSS, with other ids.
    OtherFormat,
}

impl Scenario {
    pub(crate) const ALL: [Self; 8] = [
        Self::Added,
        Self::OtherGuids,
        Self::MovedByHand,
        Self::MovedByServer,
        Self::OlderDatabase,
        Self::OldWindow,
        Self::Archive,
        Self::OtherFormat,
    ];

    /// With and without dates in the feed, where dates might be what tells old
    /// from new. An archive without any cannot be told from news.
    pub(crate) fn datings(self) -> &'static [bool] {
        match self {
            Self::OtherGuids | Self::MovedByHand | Self::OlderDatabase | Self::OtherFormat => {
                &[true, false]
            }
            Self::Added | Self::MovedByServer | Self::OldWindow | Self::Archive => &[true],
        }
    }
}

/// What came of a scenario.
#[derive(Debug)]
pub(crate) struct Found {
    /// News, and how many of them were told.
    pub(crate) news: usize,
    pub(crate) told: usize,
    pub(crate) missing: Vec<String>,
    /// Alerts of what is not new, or of what was told under another id.
    pub(crate) unexpected: Vec<String>,
}

struct Trial {
    world: World,
    toml: String,
    /// All that there ever was, the oldest first.
    items: Vec<Item>,
    news: BTreeSet<String>,
    dated: bool,
    random: Random,
}

/// Plays a scenario with or without dates.
pub(crate) async fn run(scenario: Scenario, dated: bool, random: Random) -> Found {
    let world = World::new().await;
    let toml = world.toml(&world.feed("a")).replace("backfill = \"all\"", "backfill = \"none\"");
    let (items, news) = (Vec::new(), BTreeSet::new());
    let mut trial = Trial { world, toml, items, news, dated, random };
    trial.publish(ENTRIES, "first");
    trial.news.clear();
    trial.poll(ENTRIES).await;
    for step in 0..3 {
        trial.publish(NEWS, &format!("before{step}"));
        trial.poll(ENTRIES).await;
    }
    trial.change(scenario).await;
    trial.found()
}

impl Trial {
    /// Brings so many entries, a minute apart until now.
    fn publish(&mut self, count: usize, name: &str) {
        self.world.wait(HOUR);
        for number in 0..count {
            let age = i32::try_from(count - number).unwrap();
            let date = self.world.clock.now() - SignedDuration::from_mins(1) * age;
            let mut item = Item::new(&format!("{name}-{number}"), "marker", &mut self.random);
            item.date = self.dated.then_some(date);
            self.news.insert(item.title.clone());
            self.items.push(item);
        }
    }

    /// The newest entries.
    fn window(&self, entries: usize) -> Vec<Item> {
        self.items[self.items.len() - entries..].to_vec()
    }

    /// Has the program read the feed as it is now.
    async fn poll(&self, entries: usize) {
        self.serve("/a", rss(&self.window(entries)));
        self.look().await;
    }

    fn serve(&self, path: &str, document: String) {
        self.world.feeds.serve(path, "text/xml", document);
    }

    async fn look(&self) {
        let config = self.world.config(&self.toml);
        let report = self.world.once(&config).await;
        assert!(report.round.failed.is_empty(), "{report:?}");
    }

    async fn change(&mut self, scenario: Scenario) {
        match scenario {
            Scenario::Added => self.add_another().await,
            Scenario::OtherGuids => self.shows(|item| item.guid.insert_str(0, "urn:cms:")).await,
            Scenario::MovedByHand => {
                self.toml = self.toml.replace("/a\"", "/news/feed.xml\"");
                let moved = |item: &mut Item| {
                    item.link = item.link.replace("wire.example.org/", "coast.example/news/");
                    item.guid = format!("https://coast.example/?p={}", item.guid);
                };
                self.shows(moved).await;
            }
            Scenario::MovedByServer => self.redirect().await,
            Scenario::OlderDatabase => self.restore().await,
            Scenario::OldWindow => self.show_old(self.items[..ENTRIES].to_vec()).await,
            Scenario::Archive => {
                let archive = self.archive();
                self.show_old(archive).await;
            }
            Scenario::OtherFormat => {
                for step in 0..4 {
                    self.publish(NEWS, &format!("atom{step}"));
                    self.serve("/a", atom(&self.window(ENTRIES)));
                    self.look().await;
                }
            }
        }
    }

    /// A second feed of a hundred entries, and then its news.
    async fn add_another(&mut self) {
        self.toml += &self.world.feed("b");
        let (first, news) = (std::mem::take(&mut self.items), self.news.clone());
        self.publish(ENTRIES, "other");
        self.news = news;
        for step in 0..4 {
            self.serve("/b", rss(&self.window(ENTRIES)));
            self.look().await;
            self.publish(NEWS, &format!("other{step}"));
        }
        self.serve("/b", rss(&self.window(ENTRIES)));
        self.look().await;
        self.items.splice(0..0, first);
    }

    /// From now on every entry is shown with a change, old ones and news.
    async fn shows(&mut self, change: impl Fn(&mut Item)) {
        for step in 0..4 {
            self.publish(NEWS, &format!("changed{step}"));
            let mut window = self.window(ENTRIES);
            window.iter_mut().for_each(&change);
            for path in ["/a", "/news/feed.xml"] {
                self.serve(path, rss(&window));
            }
            self.look().await;
        }
    }

    /// Long enough for the program to believe it.
    async fn redirect(&mut self) {
        let new = self.world.feeds.url("/new");
        let moved = handler(move |_| Reply::status(301).header("Location", new.clone()));
        self.world.feeds.route("/a", moved);
        for step in 0..8 {
            self.world.wait(HOUR * 6);
            self.publish(NEWS, &format!("moved{step}"));
            let mut window = self.window(ENTRIES);
            window.iter_mut().for_each(|item| item.guid.insert_str(0, "https://new.example/?p="));
            self.serve("/new", rss(&window));
            self.look().await;
        }
        let asked = self.world.feeds.count("/a");
        self.look().await;
        assert_eq!(self.world.feeds.count("/a"), asked, "void: the feed was not believed to move");
    }

    /// Yesterday's database comes back after a day of news, and then there are more.
    async fn restore(&mut self) {
        let path = self.world.dir.path().join("watch.db");
        let backup = std::fs::read(&path).unwrap();
        for step in 0..4 {
            self.world.wait(HOUR * 5);
            self.publish(NEWS, &format!("lost{step}"));
            self.poll(ENTRIES).await;
        }
        for beside in ["watch.db-wal", "watch.db-shm"] {
            let left = std::fs::metadata(path.with_file_name(beside)).map_or(0, |file| file.len());
            assert_eq!(left, 0, "void: {beside} is not in the copy");
        }
        std::fs::write(&path, backup).unwrap();
        for step in 0..3 {
            self.poll(ENTRIES).await;
            self.publish(NEWS, &format!("restored{step}"));
        }
        self.poll(ENTRIES).await;
    }

    /// A window of old entries for two polls, and then the usual one with news.
    async fn show_old(&mut self, old: Vec<Item>) {
        // Meanwhile nothing of the first window is shown any more.
        for step in 0..2 {
            self.publish(ENTRIES / 2, &format!("later{step}"));
            self.poll(ENTRIES).await;
        }
        self.world.wait(HOUR * 24 * 8);
        for _ in 0..2 {
            self.serve("/a", rss(&old));
            self.look().await;
        }
        for step in 0..3 {
            self.publish(NEWS, &format!("again{step}"));
            self.poll(ENTRIES).await;
        }
        self.publish(NEWS, "beside");
        self.serve("/a", rss(&[old, self.window(2 * NEWS)].concat()));
        self.look().await;
    }

    /// A hundred entries of years ago.
    fn archive(&mut self) -> Vec<Item> {
        let old = |number: usize| {
            let date =
                self.world.clock.now() - HOUR * 24 * (2_000 - i32::try_from(number).unwrap());
            let item = Item::new(&format!("archive-{number}"), "marker", &mut self.random);
            Item { date: Some(date), ..item }
        };
        (0..ENTRIES).map(old).collect()
    }

    fn found(&self) -> Found {
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        let mut unexpected = Vec::new();
        let messages = self.world.hook.accepted();
        for message in messages.iter().filter(|message| message.json["type"] != "feed.notice") {
            let title = message.json["data"]["title"].as_str().unwrap().to_owned();
            if !self.news.contains(&title) {
                unexpected.push(format!("old: {title}"));
            } else if *ids.entry(title.clone()).or_insert(message.id.clone()) != message.id {
                unexpected.push(format!("again under another id: {title}"));
            }
        }
        let missing = self.news.iter().filter(|title| !ids.contains_key(*title)).cloned().collect();
        Found { news: self.news.len(), told: ids.len(), missing, unexpected }
    }
}
