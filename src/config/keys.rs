//! Every key there is: one table that the reader, `reference.toml` and the
//! JSON schema are made from, so that they cannot differ.

use crate::model::OnUpdate;

mod channel;
mod chat;
mod feed;
mod fulltext;
mod http;
mod operator;
mod policy;

pub(super) use channel::{CONSOLE, EMAIL, WEBHOOK};
pub(super) use chat::{
    DISCORD, EXEC, FEED_FILE, FILE, GOTIFY, MATRIX, MATTERMOST, NTFY, PAGERDUTY, SLACK, TEAMS,
    TELEGRAM,
};
pub(super) use feed::{FEED, GROUP};
pub(super) use fulltext::FULLTEXT;
pub(super) use http::HTTP;
pub(super) use operator::OPERATOR;
pub(super) use policy::POLICY;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Any text that is not empty.
    Text,
    /// Several such texts.
    Texts,
    /// One text or several.
    OneOrMore,
    /// `true` or `false`.
    Flag,
    /// A length of time, within these seconds.
    Duration { min: i64, max: i64 },
    /// A number of bytes with its unit.
    Size { min: u64, max: u64 },
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// One of these.
    Word(&'static [&'static str]),
    /// `"none"`, `"all"` or a length of time.
    Backfill,
    /// `"auto"`, or a length of time within these seconds.
    Interval { min: i64, max: i64 },
    /// Header fields by name, each a text or the place of a secret.
    Headers,
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// As it would be written in the file.
    pub(super) default: Option<&'static str>,
    /// As it would be written in the file.
    pub(super) example: &'static str,
    /// For people; one line of `reference.toml` for each line here.
    pub(super) doc: &'static str,
}

/// One kind of table.
#[derive(Debug)]
pub(super) struct Section {
    /// The table's path; `*` stands for a name of the user's.
    pub(super) path: &'static [&'static str],
    /// A name to show in place of `*`.
    pub(super) sample: &'static str,
    pub(super) doc: &'static str,
    pub(super) keys: &'static [Key],
}

impl Section {
    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The header for people: `[feed.NAME]`.
    pub(super) fn header(&self) -> String {
        format!("[{}]", self.path.join(".").replace('*', "NAME"))
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The shortest interval is further bounded for public servers, where feeds are read.
const INTERVAL: Kind = Kind::Interval { min: 1, max: 31 * DAY };
const TIMEOUT: Kind = Kind::Duration { min: 1, max: 10 * MINUTE };

const fn required(name: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: true, default: None, example, doc }
}

const fn optional(name: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: None, example, doc }
}

const fn default(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: false, default: Some(default), example: default, doc }
}

/// Keys outside any table.
pub(super) const ROOT: Section = Section {
    path: &[],
    sample: "",
    doc: "",
    keys: &[default(
        "include",
        Kind::Texts,
        "[]",
        "More files to read, for example [\"rules.d/*.toml\", \"feeds.d/*.toml\"].\n\
         Paths are relative to the file that names them; * and ? stand for anything in a name.\n\
         Files may include further files; one that is named twice is read once.\n\
         Nothing may be given twice, in whichever files.",
    )],
};

pub(super) const STORE: Section = Section {
    path: &["store"],
    sample: "",
    doc: "What survives a restart.",
    keys: &[
        default(
            "path",
            Kind::Text,
            "\"wirewatch-data/wirewatch.db\"",
            "The database file. Relative: under $STATE_DIRECTORY when that is set (systemd does),\n\
             otherwise under the directory wirewatch is started in.",
        ),
        default(
            "retention",
            Kind::Duration { min: DAY, max: 36500 * DAY },
            "\"365d\"",
            "How long stories, matches and deliveries are kept.",
        ),
    ],
};

pub(super) const DEFAULTS: Section = Section {
    path: &["defaults"],
    sample: "",
    doc: "For every feed that does not say otherwise.",
    keys: &[
        default(
            "interval",
            INTERVAL,
            "\"auto\"",
            "Time between two polls of a feed. \"auto\" follows the feed's own rhythm within polite\n\
             bounds, beginning with 15m; a length of time such as \"90s\", \"15m\" or \"1h 30m\" is kept.",
        ),
        default(
            "backfill",
            Kind::Backfill,
            "\"none\"",
            "What the first poll of a new feed may alert: \"none\", \"all\",\n\
             or what was published within a time such as \"24h\".",
        ),
        fulltext::OF_FEEDS,
        default(
            "gather",
            Kind::Duration { min: 0, max: HOUR },
            "\"2s\"",
            "How long an alert waits for more outlets that carry the same story.",
        ),
        default(
            "websub",
            Kind::Flag,
            "true",
            "May news be ordered at the hubs that feeds name (WebSub)? Only with public_url of [http].",
        ),
    ],
};

pub(super) const FETCH: Section = Section {
    path: &["fetch"],
    sample: "",
    doc: "How feeds are fetched over HTTP.",
    keys: &[
        optional(
            "contact",
            Kind::Text,
            "\"https://example.org/about-our-bot\"",
            "A web page or mail address for publishers; sent in the User-Agent header.",
        ),
        optional(
            "user_agent",
            Kind::Text,
            "\"ExampleNewsBot/1.0 (+https://example.org/bot)\"",
            "Said to feeds instead of the User-Agent made of our name and the contact.",
        ),
        default(
            "timeout",
            TIMEOUT,
            "\"60s\"",
            "Time for a whole request, from name lookup to the last byte.",
        ),
        default("connect_timeout", TIMEOUT, "\"10s\"", "Time to get a connection."),
        default(
            "header_timeout",
            TIMEOUT,
            "\"15s\"",
            "Time from the request to the head of the answer.",
        ),
        default(
            "idle_timeout",
            TIMEOUT,
            "\"15s\"",
            "Time without a byte before an answer is given up.",
        ),
        default(
            "max_body",
            Kind::Size { min: 1 << 10, max: 1 << 30 },
            "\"10MiB\"",
            "A document larger than this, after decompression, is refused.",
        ),
        default(
            "concurrency",
            Kind::Integer { min: 1, max: 256 },
            "32",
            "Requests at the same time, over all hosts. A single host gets one at a time.",
        ),
        optional(
            "ca_file",
            Kind::Text,
            "\"our-proxy-ca.pem\"",
            "Certificates (PEM) to trust besides the system's.",
        ),
        PROXY,
        PROXY_FILE,
        PROXY_ENV,
    ],
};

/// Of `[fetch]`, groups and feeds.
const PROXY: Key = optional(
    "proxy",
    Kind::Text,
    "\"socks5://127.0.0.1:1080\"",
    "Ask by way of this proxy: http:, https:, socks5: or socks5h:; \"none\" for no proxy.\n\
     socks5: alone leaves name lookup, and so the guard of private addresses, to us.",
);
const PROXY_FILE: Key = optional(
    "proxy_file",
    Kind::Text,
    "\"proxy-url\"",
    "A file with the proxy's URL, for one with a user name and password (chmod 600).",
);
const PROXY_ENV: Key = optional(
    "proxy_env",
    Kind::Text,
    "\"PROXY_URL\"",
    "Or the environment variable that holds that URL.",
);

pub(super) const TERMS: Section = Section {
    path: &["terms"],
    sample: "us",
    doc: "Lists of words, used in rules as @name. The names are yours. Lists may use lists. For example:\n\
          us = 'US OR USA OR \"United States\" OR Washington'",
    keys: &[],
};

pub(super) const RULE: Section = Section {
    path: &["rule", "*"],
    sample: "us-china-military",
    doc: "What you want to know of. The name after the dot is yours and stays with the rule's alerts.",
    keys: &[
        optional(
            "name",
            Kind::Text,
            "\"US–China military contact\"",
            "The rule's name in alerts; otherwise the one after the dot.",
        ),
        required(
            "match",
            Kind::Text,
            "'\"military-to-military\" AND {China}'",
            "The expression. '...' and '''...''' need no backslashes.",
        ),
        default(
            "severity",
            Kind::Word(&["low", "normal", "high"]),
            "\"normal\"",
            "How urgent its alerts are: \"low\", \"normal\" or \"high\".",
        ),
        required(
            "channels",
            Kind::Texts,
            "[\"terminal\", \"desk\", \"ops\"]",
            "Who is told: names of channels. With [] a match is recorded and listed, and nobody is told.",
        ),
        default(
            "min_sources",
            Kind::Integer { min: 1, max: 50 },
            "1",
            "Tell a story when so many independent sources have it. Copies of one wire text, outlets of\n\
             one owner and tellings credited to one agency count as one. Until then the match waits.",
        ),
        default(
            "on_update",
            Kind::Word(&OnUpdate::WORDS),
            "\"never\"",
            "What is told again of a story that was told: \"never\"; \"sources\", when it has 2, 3, 5, 10,\n\
             20, 50 ... independent ones; \"material\", when a number or headline changes, or it is\n\
             corrected or withdrawn; or \"all\".",
        ),
        policy::REPEAT_EVERY,
        policy::REPEAT_TIMES,
        policy::ESCALATE_AFTER,
        policy::ESCALATE_TO,
        fulltext::OF_RULES,
        fulltext::IF,
        default("feeds", Kind::Texts, "[]", "Only entries of these feeds; [] for all."),
        default(
            "languages",
            Kind::Texts,
            "[]",
            "Only entries in these languages, for example [\"en\", \"fr\"]; [] for all.",
        ),
        default(
            "matches",
            Kind::Texts,
            "[]",
            "The rule's own tests: headlines that it must match ...",
        ),
        default(
            "ignores",
            Kind::Texts,
            "[]",
            "... and headlines that it must not match. A rule whose tests fail is refused.",
        ),
    ],
};

/// All tables, in the order of `reference.toml`.
pub(super) const SECTIONS: &[&Section] = &[
    &STORE,
    &DEFAULTS,
    &FETCH,
    &GROUP,
    &FEED,
    &TERMS,
    &RULE,
    &OPERATOR,
    &FULLTEXT,
    &HTTP,
    &CONSOLE,
    &EMAIL,
    &WEBHOOK,
    &SLACK,
    &DISCORD,
    &TEAMS,
    &MATTERMOST,
    &TELEGRAM,
    &NTFY,
    &MATRIX,
    &GOTIFY,
    &PAGERDUTY,
    &EXEC,
    &FILE,
    &FEED_FILE,
    &POLICY,
];

/// The kinds of channels, in the order in which they are named to people.
pub(super) const CHANNEL_KINDS: [&Section; 15] = [
    &EMAIL,
    &WEBHOOK,
    &CONSOLE,
    &SLACK,
    &DISCORD,
    &TEAMS,
    &MATTERMOST,
    &TELEGRAM,
    &NTFY,
    &MATRIX,
    &GOTIFY,
    &PAGERDUTY,
    &EXEC,
    &FILE,
    &FEED_FILE,
];
