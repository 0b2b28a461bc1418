//! What another telling or a revision is to those who were told of the story.

use jiff::Timestamp;

use super::{Policy, digest, later, plan, told};
use crate::model::{
    AlertId, AlertState, EntryId, PastMatch, PlannedUpdate, Role, StoryId, UpdateId, Upgrade,
    Upgrades,
};

/// A change of a story that may be worth another word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Novelty {
    /// `number`, `correction`, `withdrawn` or `headline`.
    pub kind: &'static str,
    /// What is new, for people.
    pub text: String,
    /// The same for the same news, whoever brings it.
    pub key: String,
}

/// An entry that is new in a story, or was revised.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Its story.
    pub story: &'a StoryId,
    /// How often a user took tellings out of the story.
    pub edits: u32,
    /// Its row.
    pub entry: EntryId,
    /// Independent sources of the story with it; 1 where no rule asks.
    pub sources: u32,
    /// Whether it is held back: then it counts, but tells nothing by itself.
    pub held: bool,
}

/// What the telling does to the rules that its story matched before, each with
/// what the telling changes for those who were told.
pub fn upgrades(
    policy: &Policy,
    telling: Telling<'_>,
    past: Vec<(&PastMatch, Option<Novelty>)>,
    now: Timestamp,
) -> Upgrades {
    let mut upgrades = Upgrades::default();
    for (past, novelty) in past {
        let Some(rule) = policy.rules.get(&past.rule) else { continue };
        let Some(alert) = &past.alert else {
            if past.state == AlertState::FewSources && telling.sources >= rule.min_sources {
                let about = (&past.rule, telling.story, telling.edits);
                let plan = plan(policy, about, telling.sources, now);
                upgrades.told.push(Upgrade::Raise(plan));
            }
            continue;
        };
        let more = telling.sources > past.sources;
        // A message that is not yet on its way will name them anyway.
        if more && (!past.out || telling.held || !rule.on_update.sources()) {
            upgrades.counted.push((alert.clone(), telling.sources));
        }
        if telling.held {
            continue;
        }
        let novelty = novelty.filter(|_| rule.on_update.material());
        let step = reached(telling.sources).filter(|step| *step > past.sources && past.out);
        let step = step.filter(|_| rule.on_update.sources());
        if past.out && more && rule.on_update.sources() && (step.is_some() || novelty.is_some()) {
            upgrades.counted.push((alert.clone(), telling.sources));
        }
        let step = step.map(|step| Novelty {
            kind: "sources",
            text: format!("now {} independent sources", telling.sources),
            key: step.to_string(),
        });
        for news in novelty.into_iter().chain(step) {
            let update = update(policy, telling.entry, (past, alert), news, now);
            upgrades.told.push(Upgrade::Tell(update));
        }
    }
    upgrades
}

fn update(
    policy: &Policy,
    entry: EntryId,
    (past, alert): (&PastMatch, &AlertId),
    news: Novelty,
    now: Timestamp,
) -> PlannedUpdate {
    let id = UpdateId::new(format!("u{}", digest(&[alert.as_str(), news.kind, &news.key], 8)));
    let channels = policy.rules.get(&past.rule).map(|rule| rule.channels.as_slice());
    let due_at = later(now, policy.gather);
    let about = (id.as_str(), Role::Update, "");
    PlannedUpdate {
        deliveries: told((policy, channels.unwrap_or_default()), about, due_at),
        id,
        alert: alert.clone(),
        rule: past.rule.clone(),
        kind: news.kind,
        text: news.text,
        entry,
    }
}

/// The numbers of sources that are told of: 2, 3, 5, 10, 20, 50, 100 and so
/// on. Thirty outlets are not thirty messages.
fn reached(sources: u32) -> Option<u32> {
    let steps = [2, 3].into_iter().chain((0..8).flat_map(|power| {
        let ten = 10_u32.pow(power);
        [5, 10, 20].into_iter().map(move |step| step * ten)
    }));
    steps.take_while(|step| *step <= sources).last()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;

    use super::*;
    use crate::alert::RulePolicy;
    use crate::model::{ChannelName, OnUpdate, RuleName, Severity};

    fn policy(on_update: OnUpdate, min_sources: u32) -> Policy {
        let desk = ChannelName::new("desk");
        let rule = RulePolicy {
            title: "R".to_owned(),
            severity: Severity::Normal,
            channels: vec![desk.clone()],
            min_sources,
            on_update,
            repeat: None,
            escalate: None,
        };
        Policy {
            rules: BTreeMap::from([(RuleName::new("r"), rule)]),
            recipients: BTreeMap::from([(desk, vec![String::new()])]),
            gather: SignedDuration::ZERO,
            channels: BTreeMap::new(),
        }
    }

    fn raised(sources: u32) -> PastMatch {
        PastMatch {
            rule: RuleName::new("r"),
            alert: Some(AlertId::new("a1")),
            state: AlertState::Raised,
            entry: EntryId(1),
            title: String::new(),
            sources,
            out: true,
        }
    }

    fn number() -> Option<Novelty> {
        let text = "a number changed: 3 → 5".to_owned();
        Some(Novelty { kind: "number", text, key: "5".to_owned() })
    }

    /// What is told in words, and the sources that count as told then.
    fn check(
        policy: &Policy,
        past: &PastMatch,
        (sources, held): (u32, bool),
        novelty: Option<Novelty>,
        expected: (&[&str], &[u32]),
    ) {
        let story = StoryId::new("s1");
        let telling = Telling { story: &story, edits: 0, entry: EntryId(2), sources, held };
        let upgrades = upgrades(policy, telling, vec![(past, novelty)], Timestamp::UNIX_EPOCH);
        let said = |upgrade: &Upgrade| match upgrade {
            Upgrade::Raise(alert) => {
                assert_eq!(alert.deliveries.len(), 1);
                "raised".to_owned()
            }
            Upgrade::Tell(update) => {
                assert_eq!(update.deliveries.len(), 1);
                format!("{}: {}", update.kind, update.text)
            }
        };
        let told: Vec<String> = upgrades.told.iter().map(said).collect();
        let counted: Vec<u32> = upgrades.counted.iter().map(|(_, count)| *count).collect();
        assert_eq!(
            (told, counted),
            (expected.0.iter().map(|s| (*s).to_owned()).collect(), expected.1.to_vec())
        );
    }

    #[test]
    fn more_sources_are_told_of_at_milestones_where_a_rule_asks() {
        let never = policy(OnUpdate::Never, 1);
        check(&never, &raised(1), (2, false), number(), (&[], &[2]));
        let sources = policy(OnUpdate::Sources, 1);
        let now = |n| format!("sources: now {n} independent sources");
        check(&sources, &raised(1), (2, false), number(), (&[&now(2)], &[2]));
        check(&sources, &raised(2), (2, false), None, (&[], &[]));
        check(&sources, &raised(3), (4, false), None, (&[], &[]));
        check(&sources, &raised(3), (5, false), None, (&[&now(5)], &[5]));
        // Two sources at once pass a milestone.
        check(&sources, &raised(9), (11, false), None, (&[&now(11)], &[11]));
        // A new feed's first document counts and tells nothing.
        check(&sources, &raised(1), (2, true), None, (&[], &[2]));
        // What is not yet on its way will say it.
        let waiting = PastMatch { out: false, ..raised(1) };
        check(&sources, &waiting, (2, false), None, (&[], &[2]));
        // But not that a number changed: its wording is fixed.
        let said = "number: a number changed: 3 → 5";
        check(&policy(OnUpdate::All, 1), &waiting, (2, false), number(), (&[said], &[2]));
    }

    #[test]
    fn changes_are_told_of_once_where_a_rule_asks() {
        let material = policy(OnUpdate::Material, 1);
        let said = "number: a number changed: 3 → 5";
        check(&material, &raised(1), (1, false), number(), (&[said], &[]));
        check(&material, &raised(1), (2, false), None, (&[], &[2]));
        check(&material, &raised(1), (1, true), number(), (&[], &[]));
        let all = policy(OnUpdate::All, 1);
        let sources = "sources: now 2 independent sources";
        check(&all, &raised(1), (2, false), number(), (&[said, sources], &[2]));
        let id = |entry| {
            let story = StoryId::new("s1");
            let telling = Telling { story: &story, edits: 0, entry, sources: 1, held: false };
            let past = raised(1);
            let found =
                upgrades(&all, telling, vec![(&past, number())], Timestamp::UNIX_EPOCH).told;
            let [Upgrade::Tell(update)] = found.as_slice() else { panic!("{found:?}") };
            update.id.clone()
        };
        assert_eq!(id(EntryId(2)), id(EntryId(3)), "two outlets bring one change");
    }

    #[test]
    fn a_match_that_waits_is_told_when_sources_suffice_even_by_a_held_telling() {
        let wants = policy(OnUpdate::Never, 3);
        let waits =
            PastMatch { alert: None, state: AlertState::FewSources, out: false, ..raised(1) };
        check(&wants, &waits, (2, false), None, (&[], &[]));
        check(&wants, &waits, (3, false), None, (&["raised"], &[]));
        check(&wants, &waits, (3, true), None, (&["raised"], &[]));
        let baseline = PastMatch { state: AlertState::Baseline, ..waits };
        check(&wants, &baseline, (5, false), None, (&[], &[]));
    }

    #[test]
    fn milestones() {
        for (sources, expected) in
            [(1, None), (2, Some(2)), (4, Some(3)), (9, Some(5)), (49, Some(20)), (60, Some(50))]
        {
            assert_eq!(reached(sources), expected, "{sources}");
        }
    }
}
