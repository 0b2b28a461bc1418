//! What to say, to whom, when: matches become alerts, and news of a story that
//! was told becomes updates. Pure.

mod calendar;
mod route;
mod update;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::model::{
    AlertId, AlertState, Backfill, ChannelName, DeliveryId, Entry, Hold, Newness, OnUpdate,
    PastMatch, PlannedAlert, PlannedDelivery, Role, RuleName, Severity, StoryCandidate, StoryId,
};

pub use calendar::{DayTime, Hours, never_ends, next as next_time};
pub use route::{BUDGET_SPAN, ChannelPolicy, group_key, route, suppressed};
pub use update::{Novelty, Telling, upgrades};

/// What a rule wants done with its matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePolicy {
    /// The rule's name for people.
    pub title: String,
    /// How urgent.
    pub severity: Severity,
    /// Whom to tell; empty means record only.
    pub channels: Vec<ChannelName>,
    /// Independent sources that a story must have before it is told; at least 1.
    pub min_sources: u32,
    /// What is told again of a story that was told.
    pub on_update: OnUpdate,
    /// How often an alert that nobody acknowledges is told again, and how many
    /// times at most.
    pub repeat: Option<(SignedDuration, u32)>,
    /// After how long without an acknowledgement others are told, and who.
    pub escalate: Option<(SignedDuration, Vec<ChannelName>)>,
}

/// Everything about rules and channels that decisions need.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// By rule.
    pub rules: BTreeMap<RuleName, RulePolicy>,
    /// The recipients of each channel; one delivery each.
    pub recipients: BTreeMap<ChannelName, Vec<String>>,
    /// How long an alert waits for further outlets before it is told.
    pub gather: SignedDuration,
    /// What the receivers of channels want to be spared.
    pub channels: BTreeMap<ChannelName, ChannelPolicy>,
}

impl Policy {
    /// Whether any rule asks how many sources a story has.
    pub fn counts_sources(&self) -> bool {
        self.rules.values().any(|rule| rule.min_sources > 1 || rule.on_update.sources())
    }
}

/// A match, seen in the light of what is known of entry and story.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The rule that matched.
    pub rule: &'a RuleName,
    /// The story that the entry belongs to.
    pub story: &'a StoryId,
    /// What is known of the story, if it is not new.
    pub candidate: Option<&'a StoryCandidate>,
    /// Whether the entry was seen before.
    pub newness: Newness,
    /// For a revised entry: whether its earlier text matched too.
    pub matched_before: bool,
    /// Why the entry is held back, if it is.
    pub held: Option<Hold>,
    /// Independent sources of the story, this entry among them; 1 where no
    /// rule asks.
    pub sources: u32,
}

/// Decides what a match leads to; `None` where the story already raised this
/// rule's alert and there is nothing to record.
pub fn decide(
    policy: &Policy,
    about: Circumstances<'_>,
    now: Timestamp,
) -> Option<(AlertState, Option<PlannedAlert>)> {
    let recorded = about
        .candidate
        .and_then(|story| story.matched.iter().find(|past| past.rule == *about.rule));
    let few = policy.rules.get(about.rule).is_some_and(|rule| about.sources < rule.min_sources);
    match recorded {
        Some(PastMatch { alert: Some(_), .. }) => None,
        // Held back earlier, and this entry gives no better reason to speak.
        Some(_) if about.held.is_some() || about.newness != Newness::New => None,
        Some(PastMatch { state: AlertState::FewSources, .. }) if few => None,
        _ => match about.held {
            Some(Hold::Baseline) => Some((AlertState::Baseline, None)),
            Some(Hold::MassChange) => Some((AlertState::MassChange, None)),
            None if about.newness == Newness::Revised && about.matched_before => {
                Some((AlertState::OldNews, None))
            }
            None if few => Some((AlertState::FewSources, None)),
            None => {
                let sources = about.sources;
                let edits = about.candidate.map_or(0, |story| story.edits);
                let alert = plan(policy, (about.rule, about.story, edits), sources, now);
                Some((AlertState::Raised, Some(alert)))
            }
        },
    }
}

fn plan(
    policy: &Policy,
    (name, story, edits): (&RuleName, &StoryId, u32),
    sources: u32,
    now: Timestamp,
) -> PlannedAlert {
    // Of a story that was parted the first alert may have gone with a part.
    let edits = if edits == 0 { String::new() } else { format!("edit {edits}") };
    let parts = [name.as_str(), story.as_str(), edits.as_str()];
    let parts = if edits.is_empty() { &parts[..2] } else { &parts[..] };
    let id = AlertId::new(format!("a{}", digest(parts, 8)));
    let rule = policy.rules.get(name);
    let channels = rule.map(|rule| rule.channels.as_slice()).unwrap_or_default();
    let due_at = later(now, policy.gather);
    let mut planned = deliveries(policy, channels, id.as_str(), due_at);
    if let Some(rule) = rule {
        planned.extend(until_acknowledged(policy, rule, id.as_str(), due_at));
    }
    PlannedAlert {
        deliveries: planned,
        rule: name.clone(),
        rule_title: rule.map_or_else(|| name.to_string(), |rule| rule.title.clone()),
        severity: rule.map(|rule| rule.severity).unwrap_or_default(),
        sources,
        id,
    }
}

fn later(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(now)
}

/// What is told again, and to others, unless somebody acknowledges the alert.
fn until_acknowledged(
    policy: &Policy,
    rule: &RulePolicy,
    alert: &str,
    due_at: Timestamp,
) -> Vec<PlannedDelivery> {
    let mut planned = Vec::new();
    if let Some((every, times)) = rule.repeat {
        for time in 1..=times {
            let at = later(due_at, every.saturating_mul(time as i32));
            let number = format!("repeat {time}");
            planned.extend(told((policy, &rule.channels), (alert, Role::Repeat, &number), at));
        }
    }
    if let Some((after, channels)) = &rule.escalate {
        let at = later(due_at, *after);
        planned.extend(told((policy, channels), (alert, Role::Escalation, "escalation"), at));
    }
    planned
}

/// One delivery for each recipient of the channels, with ids derived from
/// what is told and to whom.
pub fn deliveries(
    policy: &Policy,
    channels: &[ChannelName],
    about: &str,
    due_at: Timestamp,
) -> Vec<PlannedDelivery> {
    told((policy, channels), (about, Role::Alert, ""), due_at)
}

/// The id of another delivery to the receiver of one: a reminder, or a digest.
pub fn derived_id(about: &[&str]) -> DeliveryId {
    DeliveryId::new(format!("d{}", digest(about, 16)))
}

/// The public id of a digest.
pub fn digest_id(about: &[&str]) -> String {
    format!("g{}", digest(about, 8))
}

fn told(
    (policy, channels): (&Policy, &[ChannelName]),
    (about, role, number): (&str, Role, &str),
    due_at: Timestamp,
) -> Vec<PlannedDelivery> {
    let mut planned = Vec::new();
    for channel in channels {
        for recipient in policy.recipients.get(channel).map(Vec::as_slice).unwrap_or_default() {
            let all = [about, channel.as_str(), recipient.as_str(), number];
            // Those of alerts had their ids before there was anything else.
            let parts = if number.is_empty() { &all[..3] } else { &all[..] };
            planned.push(PlannedDelivery {
                id: derived_id(parts),
                channel: channel.clone(),
                recipient: recipient.clone(),
                due_at,
                role,
            });
        }
    }
    planned
}

/// Whether an entry of a feed's first document is held back.
pub fn held_by_backfill(backfill: Backfill, entry: &Entry, now: Timestamp) -> bool {
    match backfill {
        Backfill::All => false,
        Backfill::None => true,
        // Without a date nobody can say that it is recent.
        Backfill::Within(span) => {
            entry.published.or(entry.updated).is_none_or(|when| now.duration_since(when) > span)
        }
    }
}

fn digest(parts: &[&str], bytes: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize()[..bytes].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryId;

    fn now() -> Timestamp {
        "2026-11-03T10:00:00Z".parse().unwrap()
    }

    fn policy() -> Policy {
        let desk = ChannelName::new("desk");
        Policy {
            rules: BTreeMap::from([(
                RuleName::new("r"),
                RulePolicy {
                    title: "R".to_string(),
                    severity: Severity::High,
                    channels: vec![desk.clone()],
                    min_sources: 1,
                    on_update: OnUpdate::Never,
                    repeat: None,
                    escalate: None,
                },
            )]),
            recipients: BTreeMap::from([(desk, vec!["a@x".to_string(), "b@x".to_string()])]),
            gather: SignedDuration::from_secs(2),
            channels: BTreeMap::new(),
        }
    }

    /// What is recorded of (rule, story); entry; why held; expected.
    fn check(
        recorded: Option<Option<&str>>,
        newness: Newness,
        matched_before: bool,
        held: Option<Hold>,
        expected: Option<AlertState>,
    ) {
        let (rule, story) = (RuleName::new("r"), StoryId::new("s1"));
        let candidate = StoryCandidate {
            id: story.clone(),
            edits: 0,
            matched: recorded.map(|alert| past(alert.map(AlertId::new))).into_iter().collect(),
        };
        let about = Circumstances {
            rule: &rule,
            story: &story,
            candidate: Some(&candidate),
            newness,
            matched_before,
            held,
            sources: 1,
        };
        let decision = decide(&policy(), about, now());
        assert_eq!(decision.map(|(state, _)| state), expected);
    }

    fn past(alert: Option<AlertId>) -> PastMatch {
        PastMatch {
            rule: RuleName::new("r"),
            state: if alert.is_some() { AlertState::Raised } else { AlertState::Baseline },
            alert,
            entry: EntryId(1),
            title: String::new(),
            sources: 1,
            out: true,
        }
    }

    #[test]
    fn a_rule_may_wait_for_more_sources() {
        use AlertState::{Baseline, FewSources, Raised};
        let mut policy = policy();
        policy.rules.values_mut().for_each(|rule| rule.min_sources = 2);
        let (rule, story) = (RuleName::new("r"), StoryId::new("s1"));
        for (recorded, sources, expected) in [
            (None, 1, Some(FewSources)),
            (None, 2, Some(Raised)),
            (Some(FewSources), 1, None),
            (Some(FewSources), 2, Some(Raised)),
            (Some(Baseline), 1, Some(FewSources)),
            (Some(Baseline), 2, Some(Raised)),
        ] {
            let matched = recorded.map(|state| PastMatch { state, ..past(None) });
            let candidate = StoryCandidate {
                id: story.clone(),
                edits: 0,
                matched: matched.into_iter().collect(),
            };
            let about = Circumstances {
                rule: &rule,
                story: &story,
                candidate: Some(&candidate),
                newness: Newness::New,
                matched_before: false,
                held: None,
                sources,
            };
            let decision = decide(&policy, about, now());
            assert_eq!(decision.map(|(state, _)| state), expected, "{recorded:?} {sources}");
        }
    }

    #[test]
    fn one_alert_for_a_rule_and_story_and_none_without_news() {
        use AlertState::{Baseline, MassChange, OldNews, Raised};
        use Newness::{New, Revised};
        check(None, New, false, None, Some(Raised));
        check(None, New, false, Some(Hold::Baseline), Some(Baseline));
        check(None, New, false, Some(Hold::MassChange), Some(MassChange));
        check(Some(Some("a1")), New, false, None, None);
        check(Some(Some("a1")), Revised, false, None, None);
        // An established feed brings what another feed's baseline held back.
        check(Some(None), New, false, None, Some(Raised));
        check(Some(None), New, false, Some(Hold::Baseline), None);
        check(Some(None), New, false, Some(Hold::MassChange), None);
        check(Some(None), Revised, true, None, None);
        // A correction that makes the rule hold for the first time is news.
        check(None, Revised, false, None, Some(Raised));
        check(None, Revised, true, None, Some(OldNews));
    }

    #[test]
    fn ids_depend_on_rule_story_channel_and_recipient_alone() {
        let (rule, story) = (RuleName::new("r"), StoryId::new("s1"));
        let first = plan(&policy(), (&rule, &story, 0), 1, now());
        let again = plan(&policy(), (&rule, &story, 0), 4, now() + SignedDuration::from_hours(5));
        assert_eq!(first.deliveries.len(), 2);
        assert_ne!(first.deliveries[0].id, first.deliveries[1].id);
        assert_eq!(first.deliveries[0].id, again.deliveries[0].id);
        assert!(!first.deliveries[0].id.as_str().contains('.'));
    }

    #[test]
    fn backfill_holds_back_what_is_older_or_undated() {
        let day = Backfill::Within(SignedDuration::from_hours(24));
        let entry = |hours: Option<i64>| Entry {
            published: hours.map(|hours| now() - SignedDuration::from_hours(hours)),
            ..Entry::default()
        };
        for (backfill, hours, held) in [
            (Backfill::None, Some(0), true),
            (Backfill::All, None, false),
            (day, Some(1), false),
            (day, Some(25), true),
            (day, None, true),
        ] {
            assert_eq!(held_by_backfill(backfill, &entry(hours), now()), held);
        }
    }
}
