//! What grouping promises, looked at from outside: a list of messages with
//! their times, against the times at which alerts arrived.
//!
//! The check knows nothing of how the program decides. It is used on random
//! sequences that are played by the pure decision (`alert::route`), and on what
//! came to a receiver through the whole program.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use wirewatch::alert::{ChannelPolicy, route};
use wirewatch::model::{
    AlertId, ChannelName, Due, FeedName, Role, Route, RuleName, Severity, StoryId,
};

use crate::random::Random;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// The store puts nothing off by less, so that a turn of its loop always ends.
const LEAST_WAIT: i64 = SECOND;
/// Rounds of a sequence, about: a long one has rarer rounds.
const ROUNDS: i64 = 1_500;

/// A policy's `group_wait` and `group_interval` in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) wait: i64,
    pub(crate) interval: i64,
}

/// One group: when its alerts fall due, and when the program looks. All times
/// are in milliseconds from the same beginning.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) terms: Terms,
    pub(crate) arrivals: Vec<i64>,
    pub(crate) rounds: Vec<i64>,
}

/// A message and whom of the arrivals it tells.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: i64,
    pub(crate) members: Vec<usize>,
}

impl Sequence {
    /// Bursts and pauses under random terms.
    pub(crate) fn random(random: &mut Random) -> Self {
        let pick =
            |from: &[i64], random: &mut Random| from[below(random, from.len() as i64) as usize];
        let wait = pick(&[0, 5 * SECOND, 30 * SECOND, 5 * MINUTE, 10 * MINUTE], random);
        let interval = pick(&[0, 20 * SECOND, MINUTE, 10 * MINUTE, HOUR], random);
        let wait = if wait + interval == 0 { MINUTE } else { wait };
        let longest = [2 * SECOND, wait + SECOND, 2 * interval + SECOND];
        let (mut arrivals, mut now) = (Vec::new(), 0);
        for _ in 0..=random.below(40) {
            let pause = pick(&longest, random);
            now += below(random, pause);
            arrivals.push(now);
        }
        let end = now + wait + interval + MINUTE;
        let turn = pick(&[SECOND, 5 * SECOND, 30 * SECOND], random).max(end / ROUNDS);
        let rounds = rounds(end, turn, random);
        Self { terms: Terms { wait, interval }, arrivals, rounds }
    }

    /// When the program looks first at what is there from this time on.
    fn round_after(&self, time: i64) -> i64 {
        let at = self.rounds.partition_point(|round| *round < time);
        self.rounds.get(at).copied().unwrap_or(i64::MAX)
    }

    /// What is wrong with messages about this sequence.
    pub(crate) fn problems(&self, sent: &[Sent]) -> Vec<String> {
        let mut problems = self.wrong_members(sent);
        let mut before: Option<i64> = None;
        for message in sent {
            problems.extend(self.wrong_time(message, before));
            before = Some(message.at);
        }
        problems
    }

    /// Each alert must be told by one message: then no two have the same members, either.
    fn wrong_members(&self, sent: &[Sent]) -> Vec<String> {
        let mut told = vec![0; self.arrivals.len()];
        sent.iter().flat_map(|message| &message.members).for_each(|member| told[*member] += 1);
        let wrong = told.iter().enumerate().filter(|(_, times)| **times != 1);
        let mut problems: Vec<_> =
            wrong.map(|(at, times)| format!("alert {at} was told {times} times")).collect();
        let sets: BTreeSet<&Vec<usize>> = sent.iter().map(|message| &message.members).collect();
        if sets.len() < sent.len() {
            problems.push("two messages have the same members".to_owned());
        }
        problems
    }

    /// A group begins with the first alert that is not told yet. It ends an
    /// interval after the message before, or without one so near after the wait.
    fn wrong_time(&self, message: &Sent, before: Option<i64>) -> Option<String> {
        let Terms { wait, interval } = self.terms;
        let first = message.members.iter().map(|member| self.arrivals[*member]).min()?;
        let opens = before.map_or(i64::MIN, |before| before + interval);
        if message.at < opens {
            let gap = message.at - before?;
            return Some(format!("{} ms: {gap} ms after the message before", message.at));
        }
        // The wait is counted from the round that saw the alert.
        let seen = self.round_after(first);
        if opens <= first && message.at < first + wait {
            let waited = message.at - first;
            return Some(format!("{} ms: its first alert waited {waited} ms", message.at));
        }
        let until = if opens > seen { opens } else { (seen + wait).max(opens) };
        let latest = self.round_after(until + LEAST_WAIT);
        (message.at > latest)
            .then(|| format!("{} ms: later than the round at {latest} ms", message.at))
    }

    /// Plays the sequence: the pure decision in the place it has in the store,
    /// which asks about what is due in order of time. The first of a group that
    /// may go takes along all that wait for the group, and so it counts for all.
    pub(crate) fn play(&self) -> Vec<Sent> {
        let policy = ChannelPolicy {
            group_wait: SignedDuration::from_millis(self.terms.wait),
            group_interval: SignedDuration::from_millis(self.terms.interval),
            ..ChannelPolicy::default()
        };
        let waits = |(alert, due): (usize, &i64)| Waits { alert, due: *due, kept: false };
        let mut waiting: Vec<Waits> = self.arrivals.iter().enumerate().map(waits).collect();
        let mut sent: Vec<Sent> = Vec::new();
        for now in &self.rounds {
            while let Some(next) = next_due(&waiting, *now) {
                let about = due(waiting[next].kept, told(&sent, *now, self.terms.interval));
                match route(&policy, &about, &[], time(*now)) {
                    Route::Send => {
                        let members = take(&mut waiting, next);
                        sent.push(Sent { at: *now, members });
                    }
                    Route::Gather { at, .. } => {
                        waiting[next].due = at.as_millisecond().max(now + LEAST_WAIT);
                        waiting[next].kept = true;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        sent
    }
}

/// An alert that was not told yet.
struct Waits {
    alert: usize,
    due: i64,
    /// Whether it waits for a message of its group.
    kept: bool,
}

fn next_due(waiting: &[Waits], now: i64) -> Option<usize> {
    let due = waiting.iter().enumerate().filter(|(_, waits)| waits.due <= now);
    due.min_by_key(|(_, waits)| (waits.due, waits.alert)).map(|(at, _)| at)
}

/// When the rule was last told, if that is not too long ago to count.
fn told(sent: &[Sent], now: i64, interval: i64) -> Option<i64> {
    sent.last().map(|message| message.at).filter(|at| *at > now - interval)
}

/// Takes one out, and all that wait for a message of its group.
fn take(waiting: &mut Vec<Waits>, next: usize) -> Vec<usize> {
    waiting[next].kept = true;
    let (kept, others): (Vec<Waits>, Vec<Waits>) =
        std::mem::take(waiting).into_iter().partition(|waits| waits.kept);
    *waiting = others;
    kept.into_iter().map(|waits| waits.alert).collect()
}

fn due(kept: bool, told_of_rule: Option<i64>) -> Due {
    Due {
        channel: ChannelName::new("desk"),
        recipient: String::new(),
        rule: RuleName::new("r"),
        severity: Severity::Normal,
        role: Role::Alert,
        story: StoryId::new("s1"),
        alert: AlertId::new("a1"),
        feed: FeedName::new("wire"),
        gathered: kept.then(|| "rule:r".to_owned()),
        acknowledged: None,
        snoozed: None,
        told: Vec::new(),
        told_of_rule: told_of_rule.map(time),
        superseded: false,
        released: false,
    }
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

/// Times at which the program looks, up to a turn apart, until the end.
pub(crate) fn rounds(end: i64, turn: i64, random: &mut Random) -> Vec<i64> {
    let (mut rounds, mut now) = (Vec::new(), 0);
    while now <= end + 2 * turn {
        now += 1 + below(random, turn);
        rounds.push(now);
    }
    rounds
}

/// A number from 0 up to, not including, `end`.
pub(crate) fn below(random: &mut Random, end: i64) -> i64 {
    i64::try_from(random.below(end.unsigned_abs())).unwrap()
}
