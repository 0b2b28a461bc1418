//! Who is to be told of what: a plan of stories, rules and receivers whose
//! outcome is worked out here in the simplest way, and compared with what
//! every receiver was told.

use std::collections::{BTreeMap, BTreeSet};

use wirewatch::model::Silence;

use crate::news::Item;
use crate::post::{Message, Post};
use crate::random::Random;

/// Words that texts have or have not, and that rules ask for.
const TOPICS: [&str; 40] = [
    "zaffre", "quokka", "mizzen", "fjord", "gneiss", "kelp", "lychee", "pylon", "quince", "tapir",
    "sextant", "umbra", "vellum", "wombat", "abacus", "bellows", "cobalt", "dynamo", "ermine",
    "falcon", "gantry", "hammock", "indigo", "javelin", "kayak", "lantern", "marimba", "nutmeg",
    "obelisk", "parsnip", "quiver", "rudder", "saffron", "trellis", "ukulele", "viaduct", "walrus",
    "xylem", "yoghurt", "zither",
];
pub(crate) const RULES: usize = 40;
pub(crate) const FEEDS: usize = 8;

/// A receiver and what it wants to be spared.
pub(crate) struct Receiver {
    pub(crate) name: &'static str,
    policy: &'static str,
    /// Told only of what is urgent.
    only_high: bool,
}

pub(crate) const RECEIVERS: [Receiver; 6] = [
    Receiver { name: "plain", policy: "", only_high: false },
    Receiver {
        name: "grouped",
        policy: "group_wait = '10m'\ngroup_interval = '1h'",
        only_high: false,
    },
    Receiver {
        name: "digest",
        policy: "digest = ['00:00', '01:00', '02:00', '03:00', '04:00', '05:00', '06:00', \
                 '07:00', '08:00', '09:00', '10:00', '11:00', '12:00', '13:00', '14:00', \
                 '15:00', '16:00', '17:00', '18:00', '19:00', '20:00', '21:00', '22:00', '23:00']",
        only_high: false,
    },
    Receiver { name: "budget", policy: "max_per_hour = 4", only_high: false },
    Receiver {
        name: "quiet",
        policy: "quiet_hours = ['00:00-02:00', '08:00-10:00', '16:00-18:00']\nurgent = 'high'",
        only_high: false,
    },
    Receiver { name: "strict", policy: "min_severity = 'high'", only_high: true },
];

/// What a rule asks of a text.
enum Want {
    Any(usize, usize),
    Both(usize, usize),
    Without(usize, usize),
}

struct Rule {
    name: String,
    want: Want,
    severity: &'static str,
    receivers: Vec<usize>,
}

pub(crate) struct Story {
    pub(crate) feed: usize,
    pub(crate) item: Item,
    topics: Vec<usize>,
}

pub(crate) struct Plan {
    rules: Vec<Rule>,
    pub(crate) stories: Vec<Story>,
    silences: Vec<(Option<usize>, Option<usize>, Option<usize>)>,
}

impl Plan {
    pub(crate) fn random(stories: usize, random: &mut Random) -> Self {
        let rules = (0..RULES).map(|number| rule(number, random)).collect();
        let stories = (0..stories).map(|number| story(number, random)).collect();
        let mut some = |of: usize| Some(random.below(of as u64) as usize);
        // Rule, feed, receiver: all that is named must fit.
        let silences = vec![
            (some(RULES), None, None),
            (some(RULES), None, None),
            (some(RULES), None, some(RECEIVERS.len())),
            (some(RULES), None, some(RECEIVERS.len())),
            (some(RULES), some(FEEDS), None),
            (None, some(FEEDS), some(RECEIVERS.len())),
        ];
        Self { rules, stories, silences }
    }

    /// Rules, channels and policies.
    pub(crate) fn toml(&self, post: &Post) -> String {
        let rule = |rule: &Rule| {
            let names: Vec<&str> = rule.receivers.iter().map(|at| RECEIVERS[*at].name).collect();
            format!(
                "[rule.{}]\nmatch = '{}'\nseverity = '{}'\nchannels = {names:?}\n",
                rule.name,
                rule.want.expression(),
                rule.severity
            )
        };
        let receiver = |receiver: &Receiver| {
            let (name, policy) = (receiver.name, receiver.policy);
            format!("{}[channel.{name}.policy]\n{policy}\n", post.channel(name))
        };
        let rules: String = self.rules.iter().map(rule).collect();
        rules + &RECEIVERS.iter().map(receiver).collect::<String>()
    }

    /// Silences that hold from beginning to end.
    pub(crate) fn silences(&self) -> Vec<Silence> {
        let silence = |(number, (rule, feed, receiver)): (usize, &(_, _, _))| Silence {
            id: format!("x{number:016}"),
            rule: Option::map(*rule, |at: usize| self.rules[at].name.clone()),
            story: None,
            feed: Option::map(*feed, feed_name),
            channel: Option::map(*receiver, |at: usize| RECEIVERS[at].name.to_owned()),
            since: "2020-01-01T00:00:00Z".parse().unwrap(),
            until: None,
            author: "desk".to_owned(),
            comment: String::new(),
        };
        self.silences.iter().enumerate().map(silence).collect()
    }

    /// Rule and title of all that a receiver is to be told of these stories.
    pub(crate) fn expected<'a>(
        &'a self,
        stories: &'a [Story],
        receiver: usize,
    ) -> BTreeSet<(String, String)> {
        let told = stories.iter().flat_map(|story| {
            let rules = self.rules.iter().enumerate();
            let rules = rules.filter(move |rule| self.is_told(*rule, story, receiver));
            rules.map(|(_, rule)| (rule.name.clone(), story.item.title.clone()))
        });
        told.collect()
    }

    fn is_told(&self, (at, rule): (usize, &Rule), story: &Story, receiver: usize) -> bool {
        let fits = |wanted: Option<usize>, is: usize| wanted.is_none_or(|wanted| wanted == is);
        let silenced = self.silences.iter().any(|(rule, feed, channel)| {
            fits(*rule, at) && fits(*feed, story.feed) && fits(*channel, receiver)
        });
        rule.receivers.contains(&receiver)
            && rule.want.holds(&story.topics)
            && (rule.severity == "high" || !RECEIVERS[receiver].only_high)
            && !silenced
    }
}

impl Want {
    fn expression(&self) -> String {
        match self {
            Self::Any(one, other) => format!("{} OR {}", TOPICS[*one], TOPICS[*other]),
            Self::Both(one, other) => format!("{} AND {}", TOPICS[*one], TOPICS[*other]),
            Self::Without(one, other) => format!("{} AND NOT {}", TOPICS[*one], TOPICS[*other]),
        }
    }

    fn holds(&self, topics: &[usize]) -> bool {
        let has = |topic: &usize| topics.contains(topic);
        match self {
            Self::Any(one, other) => has(one) || has(other),
            Self::Both(one, other) => has(one) && has(other),
            Self::Without(one, other) => has(one) && !has(other),
        }
    }
}

pub(crate) fn feed_name(number: usize) -> String {
    format!("f{number}")
}

fn rule(number: usize, random: &mut Random) -> Rule {
    let one = random.below(TOPICS.len() as u64) as usize;
    let other = (one + 1 + random.below(TOPICS.len() as u64 - 1) as usize) % TOPICS.len();
    let want = match random.below(5) {
        0 => Want::Both(one, other),
        1 => Want::Without(one, other),
        _ => Want::Any(one, other),
    };
    let severity = ["low", "normal", "high"][number % 3];
    let first = random.below(RECEIVERS.len() as u64) as usize;
    let count = 1 + random.below(4) as usize;
    let receivers = (0..count).map(|step| (first + step) % RECEIVERS.len()).collect();
    Rule { name: format!("r{number:02}"), want, severity, receivers }
}

fn story(number: usize, random: &mut Random) -> Story {
    let count = 1 + random.below(3);
    let topics: Vec<usize> =
        (0..count).map(|_| random.below(TOPICS.len() as u64) as usize).collect();
    let words: Vec<&str> = topics.iter().map(|topic| TOPICS[*topic]).collect();
    let item = Item::new(&format!("story-{number}"), &words.join(" "), random);
    Story { feed: random.below(FEEDS as u64) as usize, item, topics }
}

/// What a receiver was told, against what it should be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) expected: usize,
    pub(crate) messages: usize,
    /// Attempts under an id that had come before.
    pub(crate) repeats: usize,
    pub(crate) missing: Vec<(String, String)>,
    pub(crate) phantom: Vec<(String, String)>,
    pub(crate) twice: Vec<(String, String)>,
    /// Told of in a message that says how many, and has no room to name them.
    pub(crate) unnamed: usize,
    /// Repeats that tell other members than before.
    pub(crate) changed: usize,
    /// Stories that more than one rule told this receiver of.
    pub(crate) by_several_rules: usize,
}

impl Found {
    /// Its figures in a line.
    pub(crate) fn row(&self, receiver: &str) -> String {
        format!(
            "{receiver:8} expected {:5}, messages {:4}, missing {}, phantom {}, twice {}, \
             repeats {} (other members {}), counted only {}, stories told by several rules {}",
            self.expected,
            self.messages,
            self.missing.len(),
            self.phantom.len(),
            self.twice.len(),
            self.repeats,
            self.changed,
            self.unnamed,
            self.by_several_rules
        )
    }

    /// What is wrong.
    pub(crate) fn problems(&self, receiver: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.missing.is_empty() || self.unnamed > 0 {
            let (missing, unnamed) = (&self.missing, self.unnamed);
            problems.push(format!("{receiver}: not told of {missing:?}, {unnamed} only counted"));
        }
        if !self.phantom.is_empty() {
            problems.push(format!("{receiver}: wrongly told of {:?}", self.phantom));
        }
        if !self.twice.is_empty() {
            problems.push(format!("{receiver}: told twice of {:?}", self.twice));
        }
        if self.changed > 0 {
            problems.push(format!("{receiver}: {} repeats with other members", self.changed));
        }
        problems
    }
}

/// Counts at the far end: members of all messages, each id once.
pub(crate) fn verdict(expected: &BTreeSet<(String, String)>, attempts: &[Message]) -> Found {
    let mut found = Found { expected: expected.len(), ..Found::default() };
    let mut by_id: BTreeMap<&str, &Message> = BTreeMap::new();
    for message in attempts {
        match by_id.get(message.id.as_str()) {
            Some(before) => {
                found.repeats += 1;
                found.changed += usize::from(before.members != message.members);
            }
            None => drop(by_id.insert(&message.id, message)),
        }
    }
    found.messages = by_id.len();
    let mut told: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for message in by_id.values() {
        message.members.iter().for_each(|member| *told.entry(member).or_default() += 1);
        found.unnamed += message.total.saturating_sub(message.members.len());
    }
    found.missing = expected.iter().filter(|pair| !told.contains_key(pair)).cloned().collect();
    let phantom = told.keys().filter(|pair| !expected.contains(**pair));
    found.phantom = phantom.map(|pair| (*pair).clone()).collect();
    let twice = told.iter().filter(|(_, times)| **times > 1);
    found.twice = twice.map(|(pair, _)| (*pair).clone()).collect();
    let stories: BTreeSet<&String> = expected.iter().map(|(_, title)| title).collect();
    let rules_of = |title: &String| expected.iter().filter(|(_, other)| other == title).count();
    found.by_several_rules = stories.into_iter().filter(|title| rules_of(title) > 1).count();
    found
}
