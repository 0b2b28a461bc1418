//! Two hundred silences that begin or end within a second of the moment at
//! which somebody is to be told, some of them after the clock was set.
//!
//! There are two receivers: one is told at once, one of groups ten minutes
//! later. The oracle knows the two moments and asks of each alert whether any
//! silence holds then. The clock counts as it stands: a silence is a span of
//! wall-clock time, and setting the clock moves what waits, not the silence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use wirewatch::model::Silence;

use crate::desk::Desk;
use crate::news::{Item, rss};
use crate::post::Post;
use crate::random::Random;
use crate::world::{World, all};

const AT_ONCE: &str = "once";
const GROUPED: &str = "grouped";
const FEEDS: usize = 10;
const RULES: usize = 12;
/// Stories of a phase, each told to both receivers.
const STORIES: usize = 50;
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long an alert waits before it falls due, and a group after that.
const GATHER: SignedDuration = SignedDuration::from_secs(30);
const GROUP_WAIT: SignedDuration = SignedDuration::from_mins(10);
const BEGIN: &str = "2026-11-25T10:00:00Z";

/// When the clock is set, and by how many hours.
#[derive(Clone, Copy, Debug)]
enum Jump {
    None,
    /// Before anybody was told.
    Early(i32),
    /// While the groups wait.
    Late(i32),
}

const PHASES: [Jump; 5] =
    [Jump::None, Jump::Early(-2), Jump::Early(2), Jump::Late(-2), Jump::Late(2)];
const SILENCES_OF_PHASE: usize = 40;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) silences: usize,
    /// Alerts that were told, and that were not because of a silence.
    pub(crate) told: usize,
    pub(crate) silenced: usize,
    pub(crate) wrong_sends: Vec<String>,
    pub(crate) wrong_suppressions: Vec<String>,
    /// Messages before their moment.
    pub(crate) early: usize,
}

/// A story with all that a silence may name.
#[derive(Clone)]
struct Story {
    title: String,
    id: String,
    rule: String,
    feed: String,
}

struct Trial {
    desk: Desk,
    post: Post,
    items: BTreeMap<usize, Vec<Item>>,
    silences: Vec<Silence>,
    found: Found,
}

pub(crate) async fn run(random: &mut Random) -> Found {
    let mut trial = Trial::begin().await;
    for (number, jump) in PHASES.into_iter().enumerate() {
        trial.phase(number, jump, random).await;
    }
    trial.found.silences = trial.silences.len();
    trial.found
}

impl Trial {
    async fn begin() -> Self {
        let world = World::new().await;
        world.clock.set(BEGIN.parse().unwrap());
        let post = Post::start(&world.clock, &[AT_ONCE, GROUPED], &Arc::default()).await;
        for feed in 0..FEEDS {
            world.feeds.serve(&format!("/f{feed}"), "text/xml", rss(&[]));
        }
        let toml = toml(&world, &post);
        let desk = Desk::open(world, &toml).await;
        Self { desk, post, items: BTreeMap::new(), silences: Vec::new(), found: Found::default() }
    }

    /// New stories, a jump, silences around both moments, and both moments.
    async fn phase(&mut self, number: usize, jump: Jump, random: &mut Random) {
        // Far from all silences of the phase before.
        self.desk.set(self.desk.now() + HOUR * 48);
        let stories = self.publish(number, random).await;
        if let Jump::Early(hours) = jump {
            self.desk.jump(HOUR * hours).await;
        }
        let due = self.desk.now() + GATHER;
        self.add_silences(&stories, (AT_ONCE, due), random).await;
        self.tell(AT_ONCE, due, &stories).await;
        if let Jump::Late(hours) = jump {
            self.desk.jump(HOUR * hours).await;
        }
        let due = self.desk.now() + GROUP_WAIT;
        self.add_silences(&stories, (GROUPED, due), random).await;
        self.tell(GROUPED, due, &stories).await;
    }

    /// Shows new stories, and has the program read them.
    async fn publish(&mut self, phase: usize, random: &mut Random) -> Vec<Story> {
        let mut stories = Vec::new();
        for number in 0..STORIES {
            let (feed, rule) = (number % FEEDS, number % RULES);
            let item = Item::new(&format!("p{phase}-{number}"), &word(rule), random);
            let title = item.title.clone();
            self.items.entry(feed).or_default().push(item);
            let (rule, feed) = (word(rule), format!("f{feed}"));
            stories.push(Story { title, id: String::new(), rule, feed });
        }
        for (feed, items) in &self.items {
            self.desk.world.feeds.serve(&format!("/f{feed}"), "text/xml", rss(items));
        }
        self.desk.poll().await;
        let alerts = self.desk.store.alerts(all()).await.unwrap();
        let ids: BTreeMap<&str, &str> =
            alerts.iter().map(|alert| (alert.title.as_str(), alert.story.as_str())).collect();
        let known: BTreeSet<&str> = ids.values().copied().collect();
        assert_eq!(known.len(), alerts.len(), "void: entries were taken for one story");
        stories.iter_mut().for_each(|story| story.id = ids[story.title.as_str()].to_owned());
        stories
    }

    /// Half of a phase's silences, around one receiver's moment.
    async fn add_silences(
        &mut self,
        stories: &[Story],
        (receiver, due): (&str, Timestamp),
        random: &mut Random,
    ) {
        for _ in 0..SILENCES_OF_PHASE / 2 {
            let id = format!("x{:016}", self.silences.len());
            let about = stories[random.below(stories.len() as u64) as usize].clone();
            let silence = silence(id, about, (receiver, due), random);
            self.desk.store.add_silence(silence.clone()).await.unwrap();
            self.silences.push(silence);
        }
    }

    /// What happens a thousandth before a receiver's moment, and at it.
    async fn tell(&mut self, receiver: &str, due: Timestamp, stories: &[Story]) {
        let before = self.post.accepted(receiver).len();
        self.desk.set(due - SignedDuration::from_millis(1));
        self.desk.dispatch().await;
        self.found.early += self.post.accepted(receiver).len() - before;
        self.desk.set(due);
        self.desk.dispatch().await;
        let messages = self.post.accepted(receiver).split_off(before);
        let told = messages.iter().flat_map(|message| &message.members);
        let told: BTreeSet<&str> = told.map(|(_, title)| title.as_str()).collect();
        for story in stories {
            let silence = self.silences.iter().find(|one| holds(one, story, (receiver, due)));
            let is_told = told.contains(story.title.as_str());
            self.found.told += usize::from(is_told);
            self.found.silenced += usize::from(silence.is_some());
            match silence {
                Some(silence) if is_told => {
                    self.found.wrong_sends.push(format!("{receiver} at {due}: {silence:?}"));
                }
                None if !is_told => {
                    self.found.wrong_suppressions.push(format!("{receiver} {}", story.title));
                }
                _ => {}
            }
        }
    }
}

/// What is so, in the simplest words.
fn holds(silence: &Silence, story: &Story, (receiver, now): (&str, Timestamp)) -> bool {
    let names = [
        (&silence.rule, story.rule.as_str()),
        (&silence.story, story.id.as_str()),
        (&silence.feed, story.feed.as_str()),
        (&silence.channel, receiver),
    ];
    let fits = names.into_iter().all(|(wanted, is)| wanted.as_deref().is_none_or(|w| w == is));
    fits && silence.since <= now && silence.until.is_none_or(|until| until > now)
}

/// One that begins or ends about the moment, and names some of a story's
/// properties or, by a slip, those of another.
fn silence(
    id: String,
    about: Story,
    (receiver, due): (&str, Timestamp),
    random: &mut Random,
) -> Silence {
    let channel = match random.below(8) {
        // The other receiver has been told by now, or waits for its own moment.
        0 if receiver == GROUPED => None,
        1 if receiver == GROUPED => Some(AT_ONCE),
        0 | 1 => Some(GROUPED),
        _ => Some(receiver),
    };
    let (mut rule, mut story, mut feed) = (None, None, None);
    match random.below(6) {
        0 | 1 => story = Some(about.id),
        2 => rule = Some(about.rule),
        3 => (rule, feed) = (Some(about.rule), Some(about.feed)),
        4 => (story, feed) = (Some(about.id), Some("f0".to_owned())),
        _ => feed = Some(about.feed),
    }
    let mut span = span(due, random);
    if receiver == AT_ONCE && channel == Some(GROUPED) {
        // It is for those who wait, and over before their moment. One that
        // holds when their alerts fall due has a test of its own:
        // `a_silence_that_is_over_when_a_message_goes_out_suppresses_nothing`.
        span = (due + SECOND, Some(due + MINUTE));
    }
    if story.is_some() && channel == Some(receiver) && span.0 >= due - SECOND {
        span.1 = None;
    }
    let (author, comment) = ("ann".to_owned(), "known".to_owned());
    let channel = channel.map(str::to_owned);
    Silence { id, rule, story, feed, channel, since: span.0, until: span.1, author, comment }
}

/// A span that begins or ends within a second of the moment.
pub(crate) fn span(due: Timestamp, random: &mut Random) -> (Timestamp, Option<Timestamp>) {
    let millis = [-1_000, -1, 0, 1, 1_000][random.below(5) as usize];
    let edge = due + SignedDuration::from_millis(millis);
    match random.below(2) {
        0 => (edge, Some(edge + HOUR)),
        _ => (due - MINUTE, Some(edge)),
    }
}

fn word(rule: usize) -> String {
    format!("mark{rule:02}")
}

fn toml(world: &World, post: &Post) -> String {
    let feeds: String = (0..FEEDS).map(|number| world.feed(&format!("f{number}"))).collect();
    let rules: String = (0..RULES)
        .map(|number| {
            let word = word(number);
            format!("[rule.{word}]\nmatch = '{word}'\nchannels = ['{AT_ONCE}', '{GROUPED}']\n")
        })
        .collect();
    format!(
        "[store]\npath = \"{}/watch.db\"\n[defaults]\nbackfill = \"all\"\ngather = \"30s\"\n\
         [operator]\nnotify = []\n{feeds}{rules}{}{}\
         [channel.{GROUPED}.policy]\ngroup_wait = \"10m\"\n",
        world.dir.path().display(),
        post.channel(AT_ONCE),
        post.channel(GROUPED)
    )
}
