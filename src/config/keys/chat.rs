//! The tables of chat and push services, and of channels that stay on this
//! machine.

use super::channel::{ALLOW_PRIVATE, CA_FILE, TIMEOUT_15S};
use super::{Key, Kind, Section, TIMEOUT, default, optional, required};

const URL_FILE: Key = optional(
    "url_file",
    Kind::Text,
    "\"hook-url\"",
    "A file with the webhook's address, which is a secret (chmod 600). A systemd credential\n\
     of the same file name goes first.",
);
const URL_ENV: Key = optional(
    "url_env",
    Kind::Text,
    "\"HOOK_URL\"",
    "Or the environment variable that holds the address.",
);
const TOKEN_FILE: Key = optional(
    "token_file",
    Kind::Text,
    "\"token\"",
    "A file with the access token (chmod 600). A systemd credential of the same file name\n\
     goes first.",
);
const TOKEN_ENV: Key = optional(
    "token_env",
    Kind::Text,
    "\"TOKEN\"",
    "Or the environment variable that holds the token.",
);

pub(in crate::config) const SLACK: Section = Section {
    path: &["channel", "*", "slack"],
    sample: "newsroom",
    doc: "A channel that posts to Slack by an incoming webhook.",
    keys: &[URL_FILE, URL_ENV, ALLOW_PRIVATE, CA_FILE, TIMEOUT_15S],
};

pub(in crate::config) const DISCORD: Section = Section {
    path: &["channel", "*", "discord"],
    sample: "guild",
    doc: "A channel that posts to Discord by a webhook. For a thread add ?thread_id=NUMBER to its address.",
    keys: &[URL_FILE, URL_ENV, ALLOW_PRIVATE, CA_FILE, TIMEOUT_15S],
};

pub(in crate::config) const TEAMS: Section = Section {
    path: &["channel", "*", "teams"],
    sample: "office",
    doc: "A channel that posts a card to Microsoft Teams by the webhook of a workflow.",
    keys: &[URL_FILE, URL_ENV, ALLOW_PRIVATE, CA_FILE, TIMEOUT_15S],
};

pub(in crate::config) const MATTERMOST: Section = Section {
    path: &["channel", "*", "mattermost"],
    sample: "team",
    doc: "A channel that posts to Mattermost by an incoming webhook.",
    keys: &[
        URL_FILE,
        URL_ENV,
        optional(
            "channel",
            Kind::Text,
            "\"town-square\"",
            "Another channel than the webhook's own, if the webhook may choose.",
        ),
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const TELEGRAM: Section = Section {
    path: &["channel", "*", "telegram"],
    sample: "phone",
    doc: "A channel that sends to one Telegram chat as a bot.",
    keys: &[
        TOKEN_FILE,
        TOKEN_ENV,
        required(
            "chat",
            Kind::Text,
            "\"-1001234567890\"",
            "The chat's number in quotes, or \"@name\" of a public channel or group.",
        ),
        optional(
            "topic",
            Kind::Integer { min: 1, max: i64::MAX },
            "7",
            "The topic's number, in a group with topics.",
        ),
        default(
            "base_url",
            Kind::Text,
            "\"https://api.telegram.org\"",
            "Where the Bot API is, for a server of your own.",
        ),
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const NTFY: Section = Section {
    path: &["channel", "*", "ntfy"],
    sample: "push",
    doc: "A channel that publishes to a topic of ntfy.",
    keys: &[
        default("base_url", Kind::Text, "\"https://ntfy.sh\"", "The server."),
        optional("topic", Kind::Text, "\"our-alerts\"", "The topic, if anybody may know it."),
        optional(
            "topic_file",
            Kind::Text,
            "\"ntfy-topic\"",
            "Or a file with the topic (chmod 600): on a public server whoever knows it can read along.",
        ),
        optional(
            "topic_env",
            Kind::Text,
            "\"NTFY_TOPIC\"",
            "Or the environment variable that holds it.",
        ),
        TOKEN_FILE,
        TOKEN_ENV,
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const MATRIX: Section = Section {
    path: &["channel", "*", "matrix"],
    sample: "room",
    doc: "A channel that sends to a room of Matrix, which must not be encrypted.",
    keys: &[
        required("homeserver", Kind::Text, "\"https://matrix.example.org\"", "The homeserver."),
        required(
            "room",
            Kind::Text,
            "\"!AbCdEf:example.org\"",
            "The room's id; the account must have joined it.",
        ),
        TOKEN_FILE,
        TOKEN_ENV,
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const GOTIFY: Section = Section {
    path: &["channel", "*", "gotify"],
    sample: "bell",
    doc: "A channel that sends to an application of Gotify.",
    keys: &[
        required("base_url", Kind::Text, "\"https://gotify.example.org\"", "The server."),
        TOKEN_FILE,
        TOKEN_ENV,
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const PAGERDUTY: Section = Section {
    path: &["channel", "*", "pagerduty"],
    sample: "oncall",
    doc: "A channel that opens incidents of PagerDuty: one for a rule and story.",
    keys: &[
        optional(
            "routing_key_file",
            Kind::Text,
            "\"pagerduty-key\"",
            "A file with the integration key of an Events API v2 integration (chmod 600).",
        ),
        optional(
            "routing_key_env",
            Kind::Text,
            "\"PAGERDUTY_KEY\"",
            "Or the environment variable that holds the key.",
        ),
        default(
            "base_url",
            Kind::Text,
            "\"https://events.pagerduty.com\"",
            "Where events go; \"https://events.eu.pagerduty.com\" for the EU region.",
        ),
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
    ],
};

pub(in crate::config) const EXEC: Section = Section {
    path: &["channel", "*", "exec"],
    sample: "script",
    doc: "A channel that runs a program for each delivery, with a line of JSON on its standard input.",
    keys: &[
        required(
            "command",
            Kind::Texts,
            "[\"/usr/local/bin/on-alert\", \"--desk\"]",
            "The program's absolute path and its arguments; no shell takes part.",
        ),
        default(
            "timeout",
            TIMEOUT,
            "\"30s\"",
            "Time for a run; then the program is ended, and tried again later.",
        ),
    ],
};

pub(in crate::config) const FILE: Section = Section {
    path: &["channel", "*", "file"],
    sample: "log",
    doc: "A channel that appends a line of JSON to a file for each delivery.",
    keys: &[required("path", Kind::Text, "\"/var/lib/wirewatch/alerts.jsonl\"", "The file.")],
};

pub(in crate::config) const FEED_FILE: Section = Section {
    path: &["channel", "*", "feed"],
    sample: "atom",
    doc: "A channel that keeps an Atom file of the latest alerts, for feed readers.",
    keys: &[
        required("path", Kind::Text, "\"/var/lib/wirewatch/alerts.xml\"", "The file."),
        optional(
            "title",
            Kind::Text,
            "\"Alerts\"",
            "The feed's title; otherwise the channel's name.",
        ),
        default(
            "entries",
            Kind::Integer { min: 1, max: 1_000 },
            "100",
            "So many of the latest entries are kept.",
        ),
    ],
};
