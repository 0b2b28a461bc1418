//! What becomes of a delivery when it is due: it goes out, waits for a better
//! time, goes into a digest, or is not told at all. Every answer but "goes out"
//! has its reason.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{self, DayTime, Hours};
use crate::model::{Due, Role, Route, Severity, Silence};

/// A budget counts what was told in so long.
pub const BUDGET_SPAN: SignedDuration = SignedDuration::from_hours(1);

/// Begins the key of alerts that are grouped by their rule, whose name follows.
const RULE: &str = "rule:";

/// What a channel's receivers want to be spared.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelPolicy {
    /// Whose times of day.
    pub zone: TimeZone,
    /// Hours in which nothing goes out.
    pub quiet: Vec<Hours>,
    /// When digests go out; with any, alerts go out in digests only.
    pub digest: Vec<DayTime>,
    /// Messages in an hour; what is more goes into a digest.
    pub max_per_hour: Option<u32>,
    /// Alerts below this are not told.
    pub min_severity: Severity,
    /// Alerts of this severity or above heed neither quiet hours nor digests
    /// nor groups.
    pub urgent: Option<Severity>,
    /// How long the first alert of a rule waits for others to come along.
    pub group_wait: SignedDuration,
    /// The shortest time between two messages of a rule.
    pub group_interval: SignedDuration,
}

impl Default for ChannelPolicy {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            quiet: Vec::new(),
            digest: Vec::new(),
            max_per_hour: None,
            min_severity: Severity::Low,
            urgent: None,
            group_wait: SignedDuration::ZERO,
            group_interval: SignedDuration::ZERO,
        }
    }
}

/// Decides about a delivery that is due and was not tried yet.
pub fn route(policy: &ChannelPolicy, due: &Due, silences: &[Silence], now: Timestamp) -> Route {
    if let Some(reason) = settled(policy, due) {
        return Route::Suppress(reason);
    }
    // Silences count when it would go out: what waits may outlast them.
    match when(policy, due, now) {
        Route::Send => silenced(due, silences, now).map_or(Route::Send, Route::Suppress),
        later => later,
    }
}

/// Why a delivery that goes out now, or is tried again, is not to be told, if so.
pub fn suppressed(
    policy: &ChannelPolicy,
    due: &Due,
    silences: &[Silence],
    now: Timestamp,
) -> Option<String> {
    settled(policy, due).or_else(|| silenced(due, silences, now))
}

/// The key of the group that a delivery is part of, if it is of one.
pub fn group_key(policy: &ChannelPolicy, due: &Due) -> Option<String> {
    let groups = !policy.group_wait.is_zero() || !policy.group_interval.is_zero();
    let urgent = policy.urgent.is_some_and(|severity| due.severity >= severity);
    (groups && !urgent).then(|| format!("{RULE}{}", due.rule))
}

/// When it goes out, whoever is silent.
fn when(policy: &ChannelPolicy, due: &Due, now: Timestamp) -> Route {
    if let Some(until) = due.snoozed.filter(|until| *until > now) {
        let reason = format!("snoozed until {}", clock(policy, until));
        return Route::Hold { until, reason };
    }
    let urgent = policy.urgent.is_some_and(|severity| due.severity >= severity);
    if !urgent && let Some(until) = calendar::quiet_until(&policy.quiet, &policy.zone, now) {
        let reason = format!("quiet hours until {}", clock(policy, until));
        return gather(until, "quiet", reason);
    }
    // What was kept back has waited for its digest, and this is it.
    match due.gathered.as_deref().filter(|_| !due.released) {
        Some(key) if key.starts_with(RULE) => {
            return budget(policy, due, now).unwrap_or(Route::Send);
        }
        Some(_) => return Route::Send,
        None => {}
    }
    if !urgent && let Some(at) = calendar::next(&policy.digest, &policy.zone, now) {
        let reason = format!("for the digest of {}", clock(policy, at));
        return gather(at, "digest", reason);
    }
    if !urgent && let Some(at) = group(policy, due, now) {
        let reason = format!("grouped with other alerts of the rule until {}", clock(policy, at));
        return gather(at, &format!("{RULE}{}", due.rule), reason);
    }
    budget(policy, due, now).unwrap_or(Route::Send)
}

fn gather(at: Timestamp, key: &str, reason: String) -> Route {
    Route::Gather { at, key: key.to_owned(), reason }
}

/// Why nobody is to be told, whenever it would go out.
fn settled(policy: &ChannelPolicy, due: &Due) -> Option<String> {
    if due.role.ends_with_acknowledgement()
        && let Some(author) = &due.acknowledged
    {
        return Some(format!("acknowledged by {author}"));
    }
    if due.superseded {
        return Some("another message of this alert is due or on its way".to_owned());
    }
    let below = due.severity < policy.min_severity && due.role != Role::Escalation;
    below.then(|| {
        let (severity, least) = (due.severity.as_str(), policy.min_severity.as_str());
        format!("severity {severity} is below the channel's min_severity {least}")
    })
}

/// Whether a silence is in force for a delivery.
fn holds(silence: &Silence, due: &Due, now: Timestamp) -> bool {
    let fits =
        |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
    silence.since <= now
        && silence.until.is_none_or(|until| now < until)
        && fits(&silence.rule, due.rule.as_str())
        && fits(&silence.story, due.story.as_str())
        && fits(&silence.feed, due.feed.as_str())
        && fits(&silence.channel, due.channel.as_str())
}

/// The silence that is in force for a delivery, in words.
fn silenced(due: &Due, silences: &[Silence], now: Timestamp) -> Option<String> {
    let silence = silences.iter().find(|silence| holds(silence, due, now))?;
    let comment = match silence.comment.as_str() {
        "" => String::new(),
        comment => format!(": {comment}"),
    };
    Some(format!("silenced by {} ({}){comment}", silence.author, silence.id))
}

/// When the rule's next message goes out, if not at once.
fn group(policy: &ChannelPolicy, due: &Due, now: Timestamp) -> Option<Timestamp> {
    if policy.group_wait.is_zero() && policy.group_interval.is_zero() {
        return None;
    }
    let next = due
        .told_of_rule
        // A clock that was set back makes no past of the future.
        .filter(|told| *told <= now)
        .and_then(|told| told.checked_add(policy.group_interval).ok())
        .filter(|next| *next > now);
    next.or_else(|| now.checked_add(policy.group_wait).ok()).filter(|at| *at > now)
}

/// Above the budget alerts are gathered until there is room again.
fn budget(policy: &ChannelPolicy, due: &Due, now: Timestamp) -> Option<Route> {
    let most = usize::try_from(policy.max_per_hour?).ok()?;
    let recent = |told: &&Timestamp| **told <= now && now.duration_since(**told) < BUDGET_SPAN;
    let told: Vec<Timestamp> = due.told.iter().filter(recent).copied().collect();
    if told.len() < most {
        return None;
    }
    let frees = told.get(told.len() - most)?.checked_add(BUDGET_SPAN).ok()?;
    let reason = format!(
        "storm: {most} messages went out within an hour; the rest is gathered until {}",
        clock(policy, frees)
    );
    Some(gather(frees, "storm", reason))
}

/// A time as the channel's receivers read it.
fn clock(policy: &ChannelPolicy, at: Timestamp) -> String {
    at.to_zoned_datetime(policy.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{AlertId, ChannelName, FeedName, RuleName, StoryId};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due() -> Due {
        Due {
            channel: ChannelName::new("desk"),
            recipient: String::new(),
            rule: RuleName::new("r"),
            severity: Severity::Normal,
            role: Role::Alert,
            story: StoryId::new("s1"),
            alert: AlertId::new("a1"),
            feed: FeedName::new("wire"),
            gathered: None,
            acknowledged: None,
            snoozed: None,
            told: Vec::new(),
            told_of_rule: None,
            superseded: false,
            released: false,
        }
    }

    fn silence() -> Silence {
        Silence {
            id: "x1".to_owned(),
            rule: None,
            story: None,
            feed: None,
            channel: None,
            since: at("2026-11-25T10:00:00Z"),
            until: Some(at("2026-11-25T12:00:00Z")),
            author: "alice".to_owned(),
            comment: "known".to_owned(),
        }
    }

    /// The beginning of what is decided at a time: `send`, `hold`, `suppress`,
    /// or the key and time of a digest.
    fn check(policy: &ChannelPolicy, due: &Due, now: &str, expected: &str) {
        let said = match route(policy, due, &[], at(now)) {
            Route::Send => "send".to_owned(),
            Route::Hold { until, reason } => format!("hold {until} {reason}"),
            Route::Gather { at, key, reason } => format!("{key} {at} {reason}"),
            Route::Suppress(reason) => format!("suppress {reason}"),
        };
        assert!(said.starts_with(expected), "{now}: {said}, expected {expected}");
    }

    #[test]
    fn silences_hold_for_what_they_name_from_beginning_to_end() {
        let policy = ChannelPolicy::default();
        let check = |silence: Silence, now: &str, holds: bool| {
            let found = route(&policy, &due(), std::slice::from_ref(&silence), at(now));
            let expected = Route::Suppress("silenced by alice (x1): known".to_owned());
            assert_eq!(found == expected, holds, "{silence:?} {now}: {found:?}");
        };
        check(silence(), "2026-11-25T09:59:59Z", false);
        check(silence(), "2026-11-25T10:00:00Z", true);
        check(silence(), "2026-11-25T11:59:59Z", true);
        check(silence(), "2026-11-25T12:00:00Z", false);
        let noon = "2026-11-25T11:00:00Z";
        let some = |text: &str| Some(text.to_owned());
        check(Silence { until: None, ..silence() }, "2036-01-01T00:00:00Z", true);
        check(Silence { rule: some("r"), channel: some("desk"), ..silence() }, noon, true);
        check(Silence { rule: some("r"), channel: some("ops"), ..silence() }, noon, false);
        check(Silence { story: some("s1"), feed: some("wire"), ..silence() }, noon, true);
        check(Silence { story: some("s2"), ..silence() }, noon, false);
        check(Silence { feed: some("other"), ..silence() }, noon, false);
    }

    #[test]
    fn quiet_hours_and_digests_keep_back_what_is_not_urgent() {
        let night = ChannelPolicy {
            quiet: vec![Hours::parse("22:00-07:00").unwrap()],
            urgent: Some(Severity::High),
            ..ChannelPolicy::default()
        };
        let late = "2026-11-25T23:00:00Z";
        check(&night, &due(), late, "quiet 2026-11-26T07:00:00Z quiet hours until");
        check(&night, &Due { severity: Severity::High, ..due() }, late, "send");
        check(&night, &due(), "2026-11-26T07:00:00Z", "send");
        let daily =
            ChannelPolicy { digest: vec![DayTime::parse("08:00").unwrap()], ..night.clone() };
        check(&daily, &due(), "2026-11-25T12:00:00Z", "digest 2026-11-26T08:00:00Z for the digest");
        // It waited for this digest; and for one that falls into quiet hours.
        let waited = Due { gathered: Some("digest".to_owned()), ..due() };
        check(&daily, &waited, "2026-11-26T08:00:00Z", "send");
        check(&daily, &waited, late, "quiet 2026-11-26T07:00:00Z");
    }

    #[test]
    fn what_is_above_the_budget_waits_until_there_is_room() {
        let policy = ChannelPolicy { max_per_hour: Some(2), ..ChannelPolicy::default() };
        let told = |times: &[&str]| Due { told: times.iter().map(|t| at(t)).collect(), ..due() };
        let now = "2026-11-25T10:00:00Z";
        check(&policy, &told(&["2026-11-25T09:30:00Z"]), now, "send");
        let two = ["2026-11-25T09:10:00Z", "2026-11-25T09:50:00Z"];
        check(&policy, &told(&two), now, "storm 2026-11-25T10:10:00Z storm: 2 messages went out");
        check(&policy, &told(&["2026-11-25T09:00:00Z", "2026-11-25T09:50:00Z"]), now, "send");
    }

    #[test]
    fn alerts_of_a_rule_go_out_together() {
        let policy = ChannelPolicy {
            group_wait: SignedDuration::from_secs(30),
            group_interval: SignedDuration::from_mins(5),
            ..ChannelPolicy::default()
        };
        let now = "2026-11-25T10:00:00Z";
        check(&policy, &due(), now, "rule:r 2026-11-25T10:00:30Z");
        let told = |text: &str| Due { told_of_rule: Some(at(text)), ..due() };
        check(&policy, &told("2026-11-25T09:58:00Z"), now, "rule:r 2026-11-25T10:03:00Z");
        check(&policy, &told("2026-11-25T09:00:00Z"), now, "rule:r 2026-11-25T10:00:30Z");
        check(&policy, &told("2026-11-25T12:00:00Z"), now, "rule:r 2026-11-25T10:00:30Z");
        // A group is one message, and counts as one.
        let waited = Due { gathered: Some("rule:r".to_owned()), ..due() };
        check(&policy, &waited, now, "send");
        let budget = ChannelPolicy { max_per_hour: Some(1), ..policy };
        let told = vec![at("2026-11-25T09:30:00Z")];
        check(&budget, &Due { told, ..waited }, now, "storm 2026-11-25T10:30:00Z");
    }

    #[test]
    fn acknowledged_snoozed_and_low_alerts() {
        let policy = ChannelPolicy { min_severity: Severity::Normal, ..ChannelPolicy::default() };
        let now = "2026-11-25T10:00:00Z";
        let acknowledged = Some("bob".to_owned());
        for (role, expected) in [
            (Role::Alert, "send"),
            (Role::Update, "send"),
            (Role::Repeat, "suppress acknowledged by bob"),
            (Role::Escalation, "suppress acknowledged by bob"),
        ] {
            let due = Due { role, acknowledged: acknowledged.clone(), ..due() };
            check(&policy, &due, now, expected);
        }
        let snoozed = Due { snoozed: Some(at("2026-11-25T11:00:00Z")), ..due() };
        check(&policy, &snoozed, now, "hold 2026-11-25T11:00:00Z snoozed until");
        check(&policy, &snoozed, "2026-11-25T11:00:00Z", "send");
        let low = Due { severity: Severity::Low, ..due() };
        check(&policy, &low, now, "suppress severity low is below");
        check(&policy, &Due { role: Role::Escalation, ..low }, now, "send");
    }

    /// One receiver under a budget, step by step, in the simplest way.
    fn model(arrivals: &[i64], most: usize) -> (Vec<i64>, Vec<(i64, usize)>) {
        let (mut sent, mut digests, mut waiting) = (Vec::new(), Vec::new(), 0);
        let mut opens = i64::MAX;
        let mut told: Vec<i64> = Vec::new();
        let last = arrivals.iter().max().copied().unwrap_or(0) + 10_000;
        for second in 0..=last {
            if second >= opens {
                digests.push((second, waiting));
                told.push(second);
                (waiting, opens) = (0, i64::MAX);
            }
            for _ in arrivals.iter().filter(|arrival| **arrival == second) {
                let recent: Vec<i64> =
                    told.iter().copied().filter(|t| second - t < 3_600).collect();
                if recent.len() < most {
                    sent.push(second);
                    told.push(second);
                } else {
                    waiting += 1;
                    opens = opens.min(recent[recent.len() - most] + 3_600);
                }
            }
        }
        (sent, digests)
    }

    proptest! {
        #[test]
        fn a_budget_is_kept_and_nothing_is_lost(
            mut arrivals in proptest::collection::vec(0_i64..8_000, 0..60),
            most in 1_u32..6,
        ) {
            arrivals.sort_unstable();
            let policy = ChannelPolicy { max_per_hour: Some(most), ..ChannelPolicy::default() };
            let time = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
            let (mut told, mut sent) = (Vec::new(), Vec::new());
            let mut waiting: Vec<i64> = Vec::new();
            let mut digests: Vec<(i64, usize)> = Vec::new();
            for second in 0..18_000 {
                // Digests go before alerts, and take all that waited till now.
                let gathered = waiting.iter().filter(|at| **at <= second).count();
                if gathered > 0 {
                    waiting.retain(|at| *at > second);
                    digests.push((second, gathered));
                    told.push(time(second));
                }
                for _ in arrivals.iter().filter(|arrival| **arrival == second) {
                    let due = Due { told: told.clone(), ..due() };
                    match route(&policy, &due, &[], time(second)) {
                        Route::Send => {
                            sent.push(second);
                            told.push(time(second));
                        }
                        Route::Gather { at, .. } => waiting.push(at.as_second() - 1_700_000_000),
                        other => panic!("{other:?}"),
                    }
                }
            }
            prop_assert!(waiting.is_empty());
            let gathered: usize = digests.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(sent.len() + gathered, arrivals.len());
            let (expected, _) = model(&arrivals, most as usize);
            let before_digests = digests.first().map_or(i64::MAX, |(at, _)| *at);
            let early = |all: &[i64]| all.iter().copied().filter(|t| *t < before_digests).collect::<Vec<_>>();
            prop_assert_eq!(early(&sent), early(&expected));
            // In no hour are there more messages than the budget and its one digest.
            let mut all: Vec<i64> = sent.iter().copied().chain(digests.iter().map(|(at, _)| *at)).collect();
            all.sort_unstable();
            for window in all.windows(most as usize + 2) {
                prop_assert!(window[most as usize + 1] - window[0] >= 3_600, "{:?}", window);
            }
        }
    }
}
