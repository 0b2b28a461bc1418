//! Groups through the whole program: two hundred rules, each a group of its
//! own, under the terms of ten receivers. Feeds are read at some times and
//! messages sent at others, as it is in the daemon, and what came is checked
//! against the time of each arrival.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::desk::Desk;
use crate::grouping::{Sent, Sequence, Terms, below, rounds};
use crate::news::{Item, rss};
use crate::post::Post;
use crate::random::Random;
use crate::single;
use crate::world::World;

const RECEIVERS: [&str; 10] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"];
/// `group_wait` and `group_interval` of each, in seconds.
const TERMS: [(i64, i64); 10] = [
    (600, 0),
    (0, 3_600),
    (0, 300),
    (0, 60),
    (300, 1_800),
    (600, 60),
    (30, 600),
    (5, 20),
    (900, 900),
    (20, 3_600),
];
const RULES: usize = 20;
/// An alert waits so long for further outlets before it falls due.
const GATHER: i64 = 2_000;
/// Rules that one entry matches at most.
const RULES_OF_ITEM: usize = 8;
/// Times at which the feed has something new, so far apart on average.
const INSTANTS: usize = 250;
const APART: i64 = 40_000;
/// The daemon's loop looks every five seconds; a busy one later.
const TURN: i64 = 20_000;
/// Entries that the feed shows.
const WINDOW: usize = 30;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) groups: usize,
    pub(crate) alerts: usize,
    pub(crate) messages: usize,
    pub(crate) problems: Vec<String>,
}

/// An entry, when the feed shows it first, and the rules that it matches.
struct Arrival {
    at: i64,
    item: Item,
    rules: Vec<usize>,
}

pub(crate) async fn run(random: &mut Random) -> Found {
    let arrivals = arrivals(random);
    let end = arrivals.last().unwrap().at + 2 * 3_600_000;
    let rounds = rounds(end, TURN, random);
    let world = World::new().await;
    let post = Post::start(&world.clock, &RECEIVERS, &Arc::default()).await;
    world.feeds.serve("/wire", "text/xml", rss(&[]));
    let toml = toml(&world, &post);
    let desk = Desk::open(world, &toml).await;
    let begin = desk.now();
    live(&desk, &arrivals, &rounds).await;
    verdict(begin, (&arrivals, &rounds), &post)
}

/// Each rule has its own rhythm: bursts for some, an hour of silence for others.
fn arrivals(random: &mut Random) -> Vec<Arrival> {
    let mut now = 0;
    let mut instants: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    let times: Vec<i64> = (0..INSTANTS)
        .map(|_| {
            now += 1 + below(random, 2 * APART);
            now
        })
        .collect();
    for rule in 0..RECEIVERS.len() * RULES {
        let pause = [2, 6, 20, 60][random.below(4) as usize];
        let mut at = random.below(INSTANTS as u64 / 2);
        for _ in 0..=random.below(9) {
            let Some(time) = times.get(at as usize) else { break };
            instants.entry(*time).or_default().push(rule);
            at += 1 + random.below(pause);
        }
    }
    let mut arrivals = Vec::new();
    for (at, rules) in instants {
        for rules in rules.chunks(RULES_OF_ITEM) {
            let words: Vec<String> = rules.iter().map(|rule| word(*rule)).collect();
            let name = format!("item-{}", arrivals.len());
            let item = Item::new(&name, &words.join(" "), random);
            arrivals.push(Arrival { at, item, rules: rules.to_vec() });
        }
    }
    arrivals
}

/// What a text has for a rule to match it.
fn word(rule: usize) -> String {
    format!("mark{rule:03}")
}

fn toml(world: &World, post: &Post) -> String {
    let mut toml = format!(
        "[store]\npath = \"{}/watch.db\"\n[defaults]\nbackfill = \"all\"\ngather = \"2s\"\n\
         [operator]\nnotify = []\n{}",
        world.dir.path().display(),
        world.feed("wire")
    );
    for (receiver, (wait, interval)) in RECEIVERS.iter().zip(TERMS) {
        toml += &post.channel(receiver);
        toml += &format!(
            "[channel.{receiver}.policy]\ngroup_wait = \"{wait}s\"\n\
             group_interval = \"{interval}s\"\n"
        );
    }
    for rule in 0..RECEIVERS.len() * RULES {
        let (word, receiver) = (word(rule), RECEIVERS[rule / RULES]);
        toml += &format!("[rule.{word}]\nmatch = '{word}'\nchannels = [\"{receiver}\"]\n");
    }
    toml
}

/// Reads the feed whenever it has something new, and sends in every round.
async fn live(desk: &Desk, arrivals: &[Arrival], rounds: &[i64]) {
    let begin = desk.now();
    let at = |millis: i64| begin + SignedDuration::from_millis(millis);
    let mut shown: Vec<Item> = Vec::new();
    let mut arrivals = arrivals.iter().peekable();
    for round in rounds {
        while let Some(first) = arrivals.next_if(|arrival| arrival.at <= *round) {
            shown.push(first.item.clone());
            if arrivals.peek().is_none_or(|next| next.at != first.at) {
                let window = &shown[shown.len().saturating_sub(WINDOW)..];
                desk.world.feeds.serve("/wire", "text/xml", rss(window));
                desk.set(at(first.at));
                desk.poll().await;
            }
        }
        desk.set(at(*round));
        desk.dispatch().await;
    }
}

fn verdict(begin: Timestamp, (arrivals, rounds): (&[Arrival], &[i64]), post: &Post) -> Found {
    let mut found = Found { groups: RECEIVERS.len() * RULES, ..Found::default() };
    for rule in 0..found.groups {
        let (receiver, (wait, interval)) = (RECEIVERS[rule / RULES], TERMS[rule / RULES]);
        let mine: Vec<&Arrival> = arrivals.iter().filter(|a| a.rules.contains(&rule)).collect();
        let sequence = Sequence {
            terms: Terms { wait: wait * 1_000, interval: interval * 1_000 },
            arrivals: mine.iter().map(|arrival| arrival.at + GATHER).collect(),
            rounds: rounds.to_vec(),
        };
        let place = |title: &String| mine.iter().position(|arrival| arrival.item.title == *title);
        let name = word(rule);
        let mut sent = Vec::new();
        for message in post.accepted(receiver) {
            let told = message.members.iter().filter(|(of, _)| *of == name);
            let members: Vec<usize> = told.filter_map(|(_, title)| place(title)).collect();
            let at = message.at.duration_since(begin).as_millis() as i64;
            if members.is_empty() {
                continue;
            }
            if members.len() != message.total {
                found.problems.push(format!("{name}: a message of more than one group"));
            }
            sent.push(Sent { at, members });
        }
        found.alerts += mine.len();
        found.messages += sent.len();
        let problems = sequence.problems(&sent);
        found
            .problems
            .extend(problems.iter().map(|text| format!("{name} {wait}/{interval}: {text}")));
    }
    found
}

/// An alert that waits for its rule's interval to end, and one that falls due
/// a second before that end and is looked at four seconds after it: how many
/// alerts each message tells, and how many seconds after the first.
pub(crate) async fn at_the_end_of_an_interval(random: &mut Random) -> Vec<(usize, i64)> {
    let mut trial = single::Trial::begin(&[("desk", "group_interval = '10m'")]).await;
    let begin = trial.desk.now();
    let after = SignedDuration::from_secs;
    trial.publish(1, random).await;
    trial.desk.dispatch().await;
    trial.desk.set(begin + after(300));
    trial.publish(1, random).await;
    trial.desk.dispatch().await;
    trial.desk.set(begin + after(599));
    trial.publish(1, random).await;
    trial.dispatch_at(begin, after(604)).await;
    trial.dispatch_at(begin, after(1_300)).await;
    let messages = trial.post.accepted("desk").into_iter();
    messages.map(|message| (message.total, message.at.duration_since(begin).as_secs())).collect()
}
