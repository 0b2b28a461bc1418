//! The table of who hears about wirewatch itself.

use super::{DAY, Kind, Section, default, optional};

pub(in crate::config) const OPERATOR: Section = Section {
    path: &["operator"],
    sample: "",
    doc: "Notices about wirewatch itself: feeds that fail or come back, entries that may be lost,\n\
          deliveries that stall, rules that are noisy, a disk that is nearly full; and the heartbeat.",
    keys: &[
        optional(
            "notify",
            Kind::Texts,
            "[\"ops\"]",
            "Channels that get them; otherwise all channels. With [] nobody is told.",
        ),
        default(
            "quiet",
            Kind::Texts,
            "[]",
            "Kinds that nobody is told of, for example [\"degraded\", \"recovered\"].",
        ),
        default(
            "heartbeat",
            Kind::OneOrMore,
            "[]",
            "Times at which a message says that all is quiet, and that silence means no news:\n\
             \"08:00\", \"mon-fri 08:00\". It is sent only while feeds are polled, the database takes\n\
             writes and deliveries flow.",
        ),
        default("time_zone", Kind::Text, "\"UTC\"", "The zone of these times."),
        optional(
            "ping_url",
            Kind::Text,
            "\"https://hc-ping.example/0a1b\"",
            "Asked for by GET on the same condition, as a dead man's switch. Best kept in a file.",
        ),
        optional(
            "ping_url_file",
            Kind::Text,
            "\"ping-url\"",
            "A file with that URL, readable for the daemon only (chmod 600).",
        ),
        optional(
            "ping_url_env",
            Kind::Text,
            "\"PING_URL\"",
            "Or the environment variable that holds it.",
        ),
        default("ping_every", Kind::Duration { min: 30, max: DAY }, "\"5m\"", "How often."),
        default(
            "allow_private",
            Kind::Flag,
            "false",
            "May the ping's URL live on a private or loopback address?",
        ),
    ],
};
