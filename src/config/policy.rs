//! `[channel.NAME.policy]` as values.

use std::collections::BTreeMap;

use jiff::tz::{self, TimeZone};

use super::document::{Document, Named, label};
use super::fields::{Fields, Text};
use super::problem::{did_you_mean, quoted};
use super::source::Findings;
use crate::alert::{self, ChannelPolicy, DayTime, Hours};
use crate::model::{ChannelName, Severity};

/// The policies by the channel's name; channels without one have none here.
pub(super) fn policies(
    document: &Document,
    findings: &mut Findings,
) -> BTreeMap<ChannelName, ChannelPolicy> {
    let mut policies = BTreeMap::new();
    for named in &document.policies {
        let policy = policy(named, findings);
        policies.insert(ChannelName::new(named.name.clone()), policy);
    }
    policies
}

fn policy(named: &Named, findings: &mut Findings) -> ChannelPolicy {
    let (fields, label) = (&named.fields, label("channel", &named.name));
    let severity = |key: &str| fields.text(key).and_then(|word| Severity::from_word(&word.text));
    let most = fields.is_given("max_per_hour").then(|| fields.count("max_per_hour"));
    let (digest, zone) = times(fields, "digest", &label, findings);
    let quiet = parsed(
        &fields.texts("quiet_hours"),
        (&label, "no hours: write \"22:00-07:00\" or \"sat,sun 00:00-24:00\""),
        Hours::parse,
        findings,
    );
    if alert::never_ends(&quiet) {
        let message = format!("{label}: these quiet hours never end");
        let hint = "leave some hours of the week, or use a silence".to_owned();
        findings.error(fields.place("quiet_hours"), message, Some(hint));
    }
    ChannelPolicy {
        zone,
        quiet,
        digest,
        max_per_hour: most.and_then(|most| u32::try_from(most).ok()),
        min_severity: severity("min_severity").unwrap_or(Severity::Low),
        urgent: severity("urgent"),
        group_wait: fields.duration("group_wait").unwrap_or_default(),
        group_interval: fields.duration("group_interval").unwrap_or_default(),
    }
}

/// Times of day under a key, with the table's `time_zone`.
pub(super) fn times(
    fields: &Fields,
    key: &str,
    label: &str,
    findings: &mut Findings,
) -> (Vec<DayTime>, TimeZone) {
    let problem = "no time: write \"08:00\" or \"mon-fri 17:30\"";
    let times = parsed(&fields.texts(key), (label, problem), DayTime::parse, findings);
    (times, zone(fields.text("time_zone"), label, findings))
}

fn zone(name: Option<Text>, label: &str, findings: &mut Findings) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    // Known without a database of time zones, which a machine may lack.
    if name.text == "UTC" {
        return TimeZone::UTC;
    }
    TimeZone::get(&name.text).unwrap_or_else(|_| {
        let message = format!("{label}: no time zone is named {}", quoted(&name.text));
        let known: Vec<String> = tz::db().available().map(|known| known.to_string()).collect();
        let hint = did_you_mean(&name.text, known.iter().map(String::as_str))
            .unwrap_or_else(|| "write for example \"Europe/Berlin\" or \"UTC\"".to_owned());
        findings.error(&name.at, message, Some(hint));
        TimeZone::UTC
    })
}

fn parsed<T>(
    texts: &[Text],
    (label, problem): (&str, &str),
    parse: fn(&str) -> Option<T>,
    findings: &mut Findings,
) -> Vec<T> {
    let mut values = Vec::new();
    for text in texts {
        match parse(&text.text) {
            Some(value) => values.push(value),
            None => {
                let message = format!("{label}: {} is {problem}", quoted(&text.text));
                findings.error(&text.at, message, None);
            }
        }
    }
    values
}
