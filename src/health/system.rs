//! Notices about wirewatch itself: whether deliveries flow, rules behave, and
//! the disk has room. Each is told once, and again when it is over.

use jiff::{SignedDuration, Timestamp};

use crate::model::{ChannelFlow, FeedName, Notice, NoticeKind};

/// A delivery that waits so long after it was due or tried has stalled.
pub const STALLED: SignedDuration = SignedDuration::from_mins(15);
/// What goes on is told again no sooner.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// A low disk is told once a day.
const AGAIN_DISK: SignedDuration = SignedDuration::from_hours(24);
/// Less free room than this is low, in bytes.
const LOW_DISK: u64 = 200 << 20;
/// A rule with more alerts in a minute is noisy.
pub const NOISY: i64 = 50;

/// What is known of wirewatch itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemFacts {
    /// Channels that have something to say.
    pub channels: Vec<ChannelFlow>,
    /// Rules with too many alerts in the last minute, and how many.
    pub noisy: Vec<(String, i64)>,
    /// Free room where the database is, in bytes.
    pub free: Option<u64>,
    /// When each kind of notice was last written, by what it is about.
    pub told: Vec<(NoticeKind, String, Timestamp)>,
}

impl SystemFacts {
    fn told(&self, kind: NoticeKind, about: &str) -> Option<Timestamp> {
        let mut told = self.told.iter().filter(|(k, name, _)| *k == kind && name == about);
        told.next().map(|(_, _, at)| *at)
    }

    fn is_again(
        &self,
        kind: NoticeKind,
        about: &str,
        pause: SignedDuration,
        now: Timestamp,
    ) -> bool {
        // A time in the future was written before the clock was set back.
        self.told(kind, about).is_none_or(|at| now.duration_since(at).abs() >= pause)
    }
}

/// What operators should know now.
pub fn system_notices(facts: &SystemFacts, now: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    for channel in &facts.channels {
        notices.extend(flow(facts, channel, now));
        notices.extend(dead(facts, channel, now));
    }
    // A channel that has nothing waiting any more is not among the facts.
    for (kind, name, _) in &facts.told {
        let gone = !facts.channels.iter().any(|channel| channel.name == *name);
        if *kind == NoticeKind::DeliveryStalled && gone {
            let quiet = ChannelFlow { name: name.clone(), ..ChannelFlow::default() };
            notices.extend(flow(facts, &quiet, now));
        }
    }
    for (rule, count) in &facts.noisy {
        if facts.is_again(NoticeKind::NoisyRule, rule, AGAIN, now) {
            let subject = format!("rule \"{rule}\" raised {count} alerts in a minute");
            let text = format!(
                "Nothing of it is lost. A budget (max_per_hour) of its channels turns such a storm \
                 into digests; `wirewatch backtest {rule}` shows what it finds."
            );
            notices.push(notice(NoticeKind::NoisyRule, rule, (subject, text), now));
        }
    }
    notices.extend(disk(facts, now));
    notices
}

fn notice(
    kind: NoticeKind,
    about: &str,
    (subject, text): (String, String),
    now: Timestamp,
) -> Notice {
    Notice { kind, feed: FeedName::new(about), subject, text, at: now }
}

/// Stalled, or flowing again.
fn flow(facts: &SystemFacts, channel: &ChannelFlow, now: Timestamp) -> Option<Notice> {
    let (stalled, resumed) = (NoticeKind::DeliveryStalled, NoticeKind::DeliveryResumed);
    let name = channel.name.as_str();
    let was_stalled = match (facts.told(stalled, name), facts.told(resumed, name)) {
        (Some(stalled), Some(resumed)) => stalled > resumed,
        (Some(_), None) => true,
        (None, _) => false,
    };
    match (channel.since, was_stalled) {
        (Some(since), false) => {
            let count = channel.stalled;
            let subject = format!("channel \"{name}\" does not deliver: {count} waiting");
            let answer = channel.answer.as_deref().unwrap_or("no answer yet");
            let text = format!(
                "The oldest has been waiting since {}. Last answer: {answer}. Nothing is lost: it \
                 is tried again; `wirewatch deliveries --channel {name} --state waiting` lists it.",
                since.strftime("%Y-%m-%d %H:%M UTC")
            );
            Some(notice(stalled, name, (subject, text), now))
        }
        (None, true) => {
            let subject = format!("channel \"{name}\" delivers again");
            Some(notice(resumed, name, (subject, "What had waited is out.".to_owned()), now))
        }
        _ => None,
    }
}

fn dead(facts: &SystemFacts, channel: &ChannelFlow, now: Timestamp) -> Option<Notice> {
    let name = channel.name.as_str();
    if channel.dead == 0 || !facts.is_again(NoticeKind::DeadLetter, name, AGAIN, now) {
        return None;
    }
    let noun = if channel.dead == 1 { "delivery was" } else { "deliveries were" };
    let subject = format!("channel \"{name}\": {} {noun} given up", channel.dead);
    let text = format!(
        "Last answer: {}. They are kept: `wirewatch deliveries --channel {name} --state failed` \
         lists them, `wirewatch deliveries retry --all` sends them again.",
        channel.answer.as_deref().unwrap_or("none")
    );
    Some(notice(NoticeKind::DeadLetter, name, (subject, text), now))
}

fn disk(facts: &SystemFacts, now: Timestamp) -> Option<Notice> {
    let free = facts.free.filter(|free| *free < LOW_DISK)?;
    if !facts.is_again(NoticeKind::DiskLow, "disk", AGAIN_DISK, now) {
        return None;
    }
    let subject = format!("{} MiB are free where the database is", free >> 20);
    let text = "When the disk is full nothing new can be stored: feeds are read again when there \
                is room, and nothing that was accepted is lost. Make room, or lower `retention`."
        .to_owned();
    Some(notice(NoticeKind::DiskLow, "disk", (subject, text), now))
}

/// Word of a database with faults, by the first of them.
pub fn damaged(fault: &str, now: Timestamp) -> Notice {
    let text = format!(
        "A check found: {fault}. Alerts go on as far as they can. Keep a copy of the files, stop \
         the service, and restore the last good backup (`wirewatch restore`) or save what can be \
         read (`wirewatch recover`). Look at the disk and the memory of the machine, too."
    );
    let subject = "the database is damaged".to_owned();
    notice(NoticeKind::DatabaseDamaged, "database", (subject, text), now)
}

/// What is said when all is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllQuiet {
    /// Feeds of the configuration.
    pub feeds: i64,
    /// Feeds that are read as they should be.
    pub healthy: i64,
    /// The oldest last visit of any feed.
    pub oldest_poll: Option<Timestamp>,
    /// Alerts of the last 24 hours.
    pub alerts: i64,
    /// Deliveries kept back for a reason.
    pub held: i64,
}

/// The heartbeat: a message that says that silence means no news.
pub fn heartbeat(quiet: &AllQuiet, now: Timestamp) -> Notice {
    let oldest = quiet.oldest_poll.map_or_else(String::new, |at| {
        let minutes = now.duration_since(at).as_mins().max(0);
        format!(", oldest poll {minutes} min ago")
    });
    let subject = format!("all quiet: {} of {} feeds healthy{oldest}", quiet.healthy, quiet.feeds);
    let text = format!(
        "{} alerts in the last 24 hours, {} messages held for later. Feeds are polled, the \
         database takes writes, and no delivery is stalled.",
        quiet.alerts, quiet.held
    );
    notice(NoticeKind::Heartbeat, "wirewatch", (subject, text), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
    }

    fn stalled(name: &str) -> ChannelFlow {
        ChannelFlow {
            name: name.to_owned(),
            stalled: 3,
            since: Some(at(0)),
            answer: Some("no connection".to_owned()),
            dead: 0,
        }
    }

    /// Kinds that are told, given what was told before at which minute.
    fn check(
        channels: Vec<ChannelFlow>,
        told: &[(NoticeKind, &str, i64)],
        minute: i64,
        expected: &[NoticeKind],
    ) {
        let told = told.iter().map(|(kind, name, m)| (*kind, (*name).to_owned(), at(*m))).collect();
        let facts = SystemFacts { channels, told, ..SystemFacts::default() };
        let kinds: Vec<NoticeKind> =
            system_notices(&facts, at(minute)).into_iter().map(|notice| notice.kind).collect();
        assert_eq!(kinds, expected, "{facts:?}");
    }

    #[test]
    fn a_channel_that_stalls_is_told_once_and_when_it_is_over() {
        use NoticeKind::{DeliveryResumed, DeliveryStalled};
        check(vec![stalled("desk")], &[], 20, &[DeliveryStalled]);
        check(vec![stalled("desk")], &[(DeliveryStalled, "desk", 16)], 90, &[]);
        check(
            vec![stalled("ops")],
            &[(DeliveryStalled, "desk", 16)],
            20,
            &[DeliveryStalled, DeliveryResumed],
        );
        check(vec![], &[(DeliveryStalled, "desk", 16)], 20, &[DeliveryResumed]);
        let over = [(DeliveryStalled, "desk", 16), (DeliveryResumed, "desk", 30)];
        check(vec![], &over, 40, &[]);
        check(vec![stalled("desk")], &over, 60, &[DeliveryStalled]);
    }

    #[test]
    fn dead_letters_are_told_once_an_hour() {
        use NoticeKind::DeadLetter;
        let dead = || ChannelFlow { name: "desk".to_owned(), dead: 2, ..ChannelFlow::default() };
        check(vec![dead()], &[], 20, &[DeadLetter]);
        check(vec![dead()], &[(DeadLetter, "desk", 0)], 59, &[]);
        check(vec![dead()], &[(DeadLetter, "desk", 0)], 60, &[DeadLetter]);
    }

    #[test]
    fn a_noisy_rule_and_a_low_disk() {
        let facts = SystemFacts {
            noisy: vec![("storm".to_owned(), 80)],
            free: Some(100 << 20),
            ..SystemFacts::default()
        };
        let found = system_notices(&facts, at(0));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].subject, "rule \"storm\" raised 80 alerts in a minute");
        assert_eq!(found[1].subject, "100 MiB are free where the database is");
        let roomy = SystemFacts { free: Some(1 << 30), ..SystemFacts::default() };
        assert_eq!(system_notices(&roomy, at(0)), []);
    }

    #[test]
    fn the_heartbeat_says_how_much_is_healthy() {
        let quiet =
            AllQuiet { feeds: 415, healthy: 412, oldest_poll: Some(at(0)), alerts: 7, held: 0 };
        let said = heartbeat(&quiet, at(6));
        assert_eq!(said.subject, "all quiet: 412 of 415 feeds healthy, oldest poll 6 min ago");
    }
}
