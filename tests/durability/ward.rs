//! The world before any damage: feeds that still show everything, a receiver that has been told of
//! it, and the databases that wounds are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::daemon::{Home, Life};
use super::desk::{Attempt, Desk};
use super::press::Press;
use super::random::Random;
use super::scene::{copy, texts, until};
use super::wounds::{Body, Specimens, other_application};

const FEEDS: usize = 4;
/// What is there is told within this time.
const LIMIT: Duration = Duration::from_secs(30);
/// A delivery is recorded, and its log written, so long after it was answered.
const RECORDED: Duration = Duration::from_millis(500);

/// Everything that is shared by those who look after wounds.
pub(crate) struct Ward {
    pub(crate) press: Press,
    desk: Desk,
    pub(crate) specimens: Specimens,
    /// Each story that was told before the damage, and under which id.
    pub(crate) told: BTreeMap<String, String>,
    /// What came since.
    pub(crate) news: BTreeSet<String>,
}

/// What SQLite reads in a wounded database.
pub(crate) struct Sight {
    /// Ids of deliveries that it knows to be sent; nothing if it cannot be read.
    pub(crate) sent: Option<BTreeSet<String>>,
    /// How many of our deliveries it knows at all.
    pub(crate) known: usize,
}

impl Ward {
    /// Lets databases grow: one killed while young, the same killed after a clean stop and more
    /// news, and one of another installation.
    pub(crate) async fn open(seed: u64) -> Result<Self, String> {
        let press = Press::start(FEEDS, 1, Random::new(seed, 71)).await;
        let desk = desk(Random::new(seed, 72)).await;
        let home = Home::new(&press.urls(), &desk.url());
        press.publish(3);
        let young = killed(&home, &desk, 1, 3 * FEEDS).await?;
        press.publish(17);
        let mut life = home.start(2, &[]);
        told(&desk, 20 * FEEDS, &mut life).await?;
        life.stop().await?;
        press.publish(5);
        let grown = killed(&home, &desk, 3, 25 * FEEDS).await?;
        let stranger = stranger(seed).await?;
        let attempts = desk.attempts();
        let names = attempts
            .iter()
            .flat_map(|one| one.tokens.iter().map(|token| (token.clone(), one.id.clone())));
        let (told, news) = (names.collect(), press.publish(1).into_iter().collect());
        let specimens = Specimens { grown, young, stranger, other: other_application() };
        Ok(Self { press, desk, specimens, told, news })
    }

    pub(crate) fn home(&self) -> Home {
        Home::new(&self.press.urls(), &self.desk.url())
    }

    /// What SQLite makes of a body, in a copy.
    pub(crate) fn see(&self, home: &Home, body: &Body) -> Sight {
        body.lay(&home.database());
        let (_folder, database) = copy(&home.database());
        let sent = texts(&database, "SELECT uid FROM delivery WHERE state = 'sent'").ok();
        let known = texts(&database, "SELECT uid FROM delivery").unwrap_or_default();
        let known = self.told.values().filter(|id| known.contains(*id)).count();
        Sight { sent, known }
    }

    /// What one process told.
    pub(crate) fn attempts(&self, run: usize) -> impl Iterator<Item = Attempt> {
        self.desk.attempts().into_iter().filter(move |attempt| attempt.run == run)
    }

    pub(crate) fn tokens(&self, run: usize) -> BTreeSet<String> {
        self.attempts(run).flat_map(|attempt| attempt.tokens).collect()
    }

    /// Whether a process has told all that is new.
    pub(crate) fn knows_news(&self, run: usize) -> bool {
        self.news.is_subset(&self.tokens(run))
    }

    pub(crate) fn all_attempts(&self) -> Vec<Attempt> {
        self.desk.attempts()
    }
}

async fn desk(random: Random) -> Desk {
    let desk = Desk::start(random).await;
    // A receiver that fails is what the campaign of kills is for.
    desk.behave();
    desk
}

/// Another installation, with other feeds under the same names.
async fn stranger(seed: u64) -> Result<Body, String> {
    let press = Press::start(FEEDS, 500_000, Random::new(seed, 73)).await;
    let desk = desk(Random::new(seed, 74)).await;
    press.publish(5);
    killed(&Home::new(&press.urls(), &desk.url()), &desk, 4, 5 * FEEDS).await
}

/// Runs the daemon until so many stories are told, and kills it.
async fn killed(home: &Home, desk: &Desk, run: usize, count: usize) -> Result<Body, String> {
    let mut life = home.start(run, &[]);
    told(desk, count, &mut life).await?;
    life.kill().await;
    Ok(Body::read(&home.database()))
}

async fn told(desk: &Desk, count: usize, life: &mut Life) -> Result<(), String> {
    let is_quiet = || desk.last_attempt().is_some_and(|last| last.elapsed() > RECORDED);
    let look = || desk.attempts().len() >= count && is_quiet();
    until(LIMIT, life, look).await.map_err(|problem| format!("{count} to tell: {problem}"))
}
