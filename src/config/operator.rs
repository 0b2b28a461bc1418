//! `[operator]`: who hears about wirewatch itself.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::address::http_url;
use super::document::Document;
use super::environment::Environment;
use super::fields::{Fields, Text};
use super::policy;
use super::problem::{did_you_mean, quoted};
use super::secrets;
use super::source::Findings;
use crate::alert::DayTime;
use crate::model::{ChannelName, NoticeKind, Secret};

/// Kinds of notices that can be silenced.
pub const NOTICE_KINDS: [&str; 19] = [
    "challenged",
    "database-damaged",
    "dead-letter",
    "degraded",
    "delivery-resumed",
    "delivery-stalled",
    "disk-low",
    "down",
    "gap",
    "gone",
    "heartbeat",
    "host-down",
    "host-up",
    "mass-change",
    "moved",
    "noisy-rule",
    "random-guids",
    "recovered",
    "silent",
];

/// Who hears about wirewatch itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorConfig {
    /// The channels that are told; all of them unless the user says otherwise.
    pub notify: Vec<ChannelName>,
    /// Kinds of notices that are not sent, out of [`NOTICE_KINDS`].
    pub quiet: Vec<String>,
    /// When heartbeats are sent, in which zone.
    pub heartbeat: Option<(Vec<DayTime>, TimeZone)>,
    /// What is asked for while all is alive, how often, and whether it may be
    /// private.
    pub ping: Option<(Secret, Duration, bool)>,
}

impl OperatorConfig {
    /// The kinds of notices that are only listed.
    pub fn quiet_kinds(&self) -> Vec<NoticeKind> {
        self.quiet.iter().filter_map(|kind| NoticeKind::from_word(kind)).collect()
    }
}

/// Reads the table.
pub(super) fn operator(
    document: &Document,
    env: &Environment,
    findings: &mut Findings,
) -> OperatorConfig {
    let fields = &document.operator;
    let known = || document.channel_names.iter().map(String::as_str);
    let notify = if fields.is_given("notify") {
        let mut names = Vec::new();
        for name in fields.texts("notify") {
            if !known().any(|other| other == name.text) && !findings.incomplete {
                let message = format!("[operator]: no channel is named {}", quoted(&name.text));
                findings.error(&name.at, message, did_you_mean(&name.text, known()));
            }
            names.push(name.text);
        }
        names
    } else {
        document.channel_names.clone()
    };
    let quiet = fields.texts("quiet");
    for kind in &quiet {
        if !NOTICE_KINDS.contains(&kind.text.as_str()) {
            let message = format!("[operator]: no notice is of the kind {}", quoted(&kind.text));
            let hint = did_you_mean(&kind.text, NOTICE_KINDS)
                .unwrap_or_else(|| format!("kinds: {}", NOTICE_KINDS.join(", ")));
            findings.error(&kind.at, message, Some(hint));
        }
    }
    report_idle(fields, (&notify, &quiet), findings);
    OperatorConfig {
        notify: notify.into_iter().map(ChannelName::new).collect(),
        quiet: quiet.into_iter().map(|kind| kind.text).collect(),
        heartbeat: Some(policy::times(fields, "heartbeat", "[operator]", findings)),
        ping: ping(fields, env, findings),
    }
}

/// Keys that do nothing as the others are.
fn report_idle(fields: &Fields, (notify, quiet): (&[String], &[Text]), findings: &mut Findings) {
    let mut idle = |key: &str, why: &str| {
        let message = format!("[operator]: \"{key}\" does nothing {why}");
        findings.warn(fields.place(key), message, None);
    };
    let is_quiet = quiet.iter().any(|kind| kind.text == NoticeKind::Heartbeat.as_str());
    match fields.is_given("heartbeat") {
        true if notify.is_empty() => idle("heartbeat", "while notify names nobody"),
        true if is_quiet => idle("heartbeat", "while quiet has \"heartbeat\""),
        _ => {}
    }
    let has_url = ["ping_url", "ping_url_file", "ping_url_env"];
    if fields.is_given("ping_every") && !has_url.iter().any(|key| fields.is_meant(key)) {
        idle("ping_every", "without ping_url");
    }
}

fn ping(
    fields: &Fields,
    env: &Environment,
    findings: &mut Findings,
) -> Option<(Secret, Duration, bool)> {
    let allow_private = fields.flag("allow_private");
    let given = fields.text("ping_url").and_then(|url| {
        http_url("[operator]", &url, allow_private, findings).map(|url| Secret::new(url.as_str()))
    });
    let keys = ("ping_url_file", "ping_url_env");
    let url = given.or_else(|| secrets::secret((fields, "[operator]"), keys, env, findings))?;
    Some((url, fields.timeout("ping_every"), allow_private))
}
