//! Stories come in half-hourly while the program is killed ten times, until
//! every receiver has had what was kept back for it.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use wirewatch::config::Config;
use wirewatch::store::Store;

use crate::lives::{self, Fate, Traffic};
use crate::members::{FEEDS, Found, Plan, RECEIVERS, Story, feed_name, verdict};
use crate::news::{Item, rss};
use crate::post::Post;
use crate::random::Random;
use crate::support::http::{Reply, handler};
use crate::world::World;

/// New stories in a round: few enough that a digest has room to name all.
const AT_ONCE: usize = 8;
const EVERY: SignedDuration = SignedDuration::from_mins(30);
/// Rounds after the last story: longer than anything is kept back.
const AFTER: usize = 16;
pub(crate) const KILLS: usize = 10;
/// Entries that a feed shows: what a killed life did not store is still there.
const WINDOW: usize = 40;
/// Where the hours of policies lie in the trial does not depend on when it runs.
const BEGIN: &str = "2026-11-25T05:10:00Z";

pub(crate) struct Report {
    /// By receiver.
    pub(crate) found: Vec<Found>,
    /// Lives killed, and how many of them were whole daemons.
    pub(crate) kills: (usize, usize),
    /// Stories that the program made of the entries.
    pub(crate) stories: usize,
}

struct Trial {
    world: World,
    config: Config,
    plan: Plan,
    traffic: Arc<Traffic>,
    shown: Vec<Arc<Mutex<Vec<Item>>>>,
    kills: (usize, usize),
}

pub(crate) async fn run(stories: usize, random: &mut Random) -> Report {
    let world = World::new().await;
    world.clock.set(BEGIN.parse().unwrap());
    let traffic = Arc::new(Traffic::default());
    let names: Vec<&str> = RECEIVERS.iter().map(|receiver| receiver.name).collect();
    let post = Post::start(&world.clock, &names, &traffic).await;
    let plan = Plan::random(stories, random);
    let shown = feeds(&world, &traffic);
    let config = world.config(&toml(&world, &plan, &post));
    let mut trial = Trial { world, config, plan, traffic, shown, kills: (0, 0) };
    trial.begin().await;
    trial.live(random).await;
    let found = RECEIVERS.iter().enumerate().map(|(at, receiver)| {
        let mut attempts = post.attempts();
        attempts.retain(|message| message.receiver == receiver.name);
        verdict(&trial.plan.expected(&trial.plan.stories, at), &attempts)
    });
    let found = found.collect();
    let store = Store::attach(&trial.config.store).unwrap();
    let stored = store.overview().await.unwrap().stories;
    Report { found, kills: trial.kills, stories: usize::try_from(stored).unwrap() }
}

/// Feeds that show what is put into their windows.
fn feeds(world: &World, traffic: &Arc<Traffic>) -> Vec<Arc<Mutex<Vec<Item>>>> {
    let feed = |number: usize| {
        let items: Arc<Mutex<Vec<Item>>> = Arc::default();
        let (window, traffic) = (Arc::clone(&items), Arc::clone(traffic));
        let answer = handler(move |_| {
            if !traffic.arrives() {
                return Reply::status(200).hang();
            }
            Reply::ok(rss(&window.lock().unwrap())).header("Content-Type", "text/xml")
        });
        world.feeds.route(&format!("/{}", feed_name(number)), answer);
        items
    };
    (0..FEEDS).map(feed).collect()
}

fn toml(world: &World, plan: &Plan, post: &Post) -> String {
    let feeds: String = (0..FEEDS).map(|number| world.feed(&feed_name(number))).collect();
    format!(
        "[store]\npath = \"{}/watch.db\"\n[defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
         [operator]\nnotify = []\n{feeds}{}",
        world.dir.path().display(),
        plan.toml(post)
    )
}

impl Trial {
    /// A first life with empty feeds, and what people want to be spared.
    async fn begin(&self) {
        lives::undisturbed(&self.world, &self.config, EVERY).await;
        let store = Store::attach(&self.config.store).unwrap();
        for silence in self.plan.silences() {
            store.add_silence(silence).await.unwrap();
        }
    }

    async fn live(&mut self, random: &mut Random) {
        let rounds = self.plan.stories.len().div_ceil(AT_ONCE);
        for round in 0..rounds {
            let from = round * AT_ONCE;
            let until = (from + AT_ONCE).min(self.plan.stories.len());
            self.show(from..until);
            let (left, rounds_left) = (KILLS - self.kills.0, (rounds - round) as u64);
            if random.below(rounds_left) < 2 * left as u64 {
                self.short_life(from..until, random).await;
            } else {
                lives::undisturbed(&self.world, &self.config, EVERY).await;
            }
        }
        for _ in 0..AFTER {
            lives::undisturbed(&self.world, &self.config, EVERY).await;
        }
    }

    fn show(&self, stories: std::ops::Range<usize>) {
        for story in &self.plan.stories[stories] {
            let mut window = self.shown[story.feed].lock().unwrap();
            window.push(story.item.clone());
            let old = window.len().saturating_sub(WINDOW);
            window.drain(..old);
        }
    }

    /// One life that is killed, unless it ends before by itself.
    async fn short_life(&mut self, stories: std::ops::Range<usize>, random: &mut Random) {
        self.world.wait(EVERY);
        // So many requests there are at least.
        let stories: &[Story] = &self.plan.stories[stories];
        let most = FEEDS + self.plan.expected(stories, 0).len();
        let fate = Fate::draw(&self.traffic, most, random);
        if random.below(2) == 0 {
            lives::daemon(&self.world, &self.config, fate).await;
            self.kills = (self.kills.0 + 1, self.kills.1 + 1);
        } else {
            self.kills.0 += usize::from(lives::round(&self.world, &self.config, fate).await);
        }
    }
}
