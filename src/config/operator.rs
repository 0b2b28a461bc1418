//! `[operator]`: who hears about wirewatch itself.

use super::document::Document;
use super::problem::{did_you_mean, quoted};
use super::source::Findings;
use crate::model::{ChannelName, NoticeKind};

/// Kinds of notices that can be silenced.
pub const NOTICE_KINDS: [&str; 10] = [
    "challenged",
    "degraded",
    "down",
    "gap",
    "gone",
    "mass-change",
    "moved",
    "random-guids",
    "recovered",
    "silent",
];

/// Who hears about wirewatch itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorConfig {
    /// The channels that are told; all of them unless the user says otherwise.
    pub notify: Vec<ChannelName>,
    /// Kinds of notices that are not sent, out of [`NOTICE_KINDS`].
    pub quiet: Vec<String>,
}

impl OperatorConfig {
    /// The kinds of notices that are only listed.
    pub fn quiet_kinds(&self) -> Vec<NoticeKind> {
        self.quiet.iter().filter_map(|kind| NoticeKind::from_word(kind)).collect()
    }
}

/// Reads the table.
pub(super) fn operator(document: &Document, findings: &mut Findings) -> OperatorConfig {
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
    OperatorConfig {
        notify: notify.into_iter().map(ChannelName::new).collect(),
        quiet: quiet.into_iter().map(|kind| kind.text).collect(),
    }
}
