//! The table of what a channel's receivers are spared.

use super::{DAY, HOUR, Key, Kind, MINUTE, Section, default, optional};

const NONE: &str = "[]";

pub(in crate::config) const POLICY: Section = Section {
    path: &["channel", "*", "policy"],
    sample: "desk",
    doc: "Beside a channel of any kind: when its receivers are told, and how much at most.\n\
          Nothing is lost by it: what is not told now is told later, in a digest, or listed with its reason.",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    default(
        "time_zone",
        Kind::Text,
        "\"UTC\"",
        "The zone of the times below, for example \"Europe/Berlin\".",
    ),
    default(
        "quiet_hours",
        Kind::OneOrMore,
        NONE,
        "Hours in which nothing goes out: \"22:00-07:00\", \"sat,sun 00:00-24:00\". What comes in them\n\
         goes out in one digest at their end.",
    ),
    default(
        "digest",
        Kind::OneOrMore,
        NONE,
        "Alerts go out only at these times, in digests: \"08:00\", \"mon-fri 17:30\".",
    ),
    optional(
        "urgent",
        Kind::Word(&["low", "normal", "high"]),
        "\"high\"",
        "Alerts of this severity or above heed neither quiet hours nor digests nor groups.",
    ),
    default(
        "min_severity",
        Kind::Word(&["low", "normal", "high"]),
        "\"low\"",
        "Alerts below this are not told on this channel.",
    ),
    optional(
        "max_per_hour",
        Kind::Integer { min: 1, max: 3600 },
        "6",
        "Messages to a receiver in an hour; what is more goes out in a digest that says so.",
    ),
    default(
        "group_wait",
        Kind::Duration { min: 0, max: DAY },
        "\"0s\"",
        "How long the first alert of a rule waits for others of the rule, to go out with them.",
    ),
    default(
        "group_interval",
        Kind::Duration { min: 0, max: 7 * DAY },
        "\"0s\"",
        "The shortest time between two messages of a rule; alerts in between go out together.",
    ),
];

/// Of rules: until somebody acknowledges the alert.
pub(in crate::config) const REPEAT_EVERY: Key = optional(
    "repeat_every",
    Kind::Duration { min: MINUTE, max: 7 * DAY },
    "\"30m\"",
    "Tell an alert again, so often, until somebody acknowledges it (`wirewatch ack`).",
);
pub(in crate::config) const REPEAT_TIMES: Key = default(
    "repeat_times",
    Kind::Integer { min: 1, max: 20 },
    "3",
    "How many times at most it is told again.",
);
pub(in crate::config) const ESCALATE_AFTER: Key = default(
    "escalate_after",
    Kind::Duration { min: MINUTE, max: 24 * HOUR },
    "\"15m\"",
    "How long an alert may go unacknowledged before escalate_to is told.",
);
pub(in crate::config) const ESCALATE_TO: Key = default(
    "escalate_to",
    Kind::Texts,
    NONE,
    "Channels that are told of an alert that nobody acknowledges; [] for none.",
);
