//! The tables of feeds and their groups.

use super::{
    INTERVAL, Key, Kind, PROXY, PROXY_ENV, PROXY_FILE, Section, default, fulltext, optional,
    required,
};

const USER_AGENT: Key = optional(
    "user_agent",
    Kind::Text,
    "\"Mozilla/5.0 (compatible; ExampleNewsBot/1.0)\"",
    "Said instead of the general User-Agent.",
);

const IGNORE_HINTS: Key = optional(
    "ignore_hints",
    Kind::Flag,
    "true",
    "Pay no heed to ttl, skipHours, skipDays, sy:* and max-age. Retry-After always counts.",
);

const WEBSUB: Key = optional(
    "websub",
    Kind::Flag,
    "false",
    "May its news be ordered at the hub or cloud that it names (WebSub, rssCloud)? Otherwise as the\n\
     group or [defaults].",
);

const TAGS: Key = optional("tags", Kind::Texts, "[\"wire\"]", "Words to select feeds by.");

pub(in crate::config) const GROUP: Section = Section {
    path: &["group", "*"],
    sample: "\"news/asia\"",
    doc: "What the feeds of a folder have in common; a slash stands before a folder inside another.\n\
          What a feed says goes first, then its folder, then the folder around it, then [defaults]\n\
          or [fetch]. A folder needs no table to exist.",
    keys: &[
        optional("interval", INTERVAL, "\"10m\"", "Time between polls, or \"auto\"."),
        optional("backfill", Kind::Backfill, "\"24h\"", "What the first poll of a feed may alert."),
        TAGS,
        fulltext::OF_FEEDS,
        IGNORE_HINTS,
        WEBSUB,
        USER_AGENT,
        PROXY,
        PROXY_FILE,
        PROXY_ENV,
    ],
};

pub(in crate::config) const FEED: Section = Section {
    path: &["feed", "*"],
    sample: "bbc-world",
    doc: "A source of news: RSS, Atom, JSON Feed or a news sitemap. The name after the dot is yours:\n\
          a-z, 0-9, - and _.",
    keys: &[
        required(
            "url",
            Kind::Text,
            "\"https://feeds.bbci.co.uk/news/world/rss.xml\"",
            "https:, http:, file: or exec:. The path of a file: or a program is relative to the file\n\
             that names it. A program's output is the document; no shell is involved.",
        ),
        optional(
            "title",
            Kind::Text,
            "\"BBC News\"",
            "The outlet's name in alerts; otherwise the feed's own title.",
        ),
        default("enabled", Kind::Flag, "true", "false pauses a feed; what is known of it is kept."),
        optional(
            "group",
            Kind::OneOrMore,
            "\"news/asia\"",
            "The folder it stands in, or a list of folders.",
        ),
        TAGS,
        optional(
            "interval",
            INTERVAL,
            "\"5m\"",
            "Time between polls, or \"auto\"; otherwise that of the group or [defaults]. At least 60s on\n\
             public servers, 1s for file:, exec: and with allow_private.",
        ),
        optional(
            "backfill",
            Kind::Backfill,
            "\"24h\"",
            "What the first poll may alert; otherwise that of the group or [defaults].",
        ),
        fulltext::OF_FEEDS,
        IGNORE_HINTS,
        WEBSUB,
        default(
            "allow_private",
            Kind::Flag,
            "false",
            "May this feed live on a private or loopback address?",
        ),
        USER_AGENT,
        optional(
            "headers",
            Kind::Headers,
            "{ \"Accept-Language\" = \"fr\", \"X-Api-Key\" = { file = \"api-key\" } }",
            "Further header fields, sent to the feed's own origin only. A value is a text, or\n\
             { file = \"...\" } or { env = \"...\" } for a secret.",
        ),
        optional("username", Kind::Text, "\"desk\"", "For a server that asks for a login (Basic)."),
        optional(
            "password_file",
            Kind::Text,
            "\"feed-password\"",
            "A file with the password (chmod 600). A systemd credential of the same file name goes first.",
        ),
        optional(
            "password_env",
            Kind::Text,
            "\"FEED_PASSWORD\"",
            "Or the environment variable that holds the password.",
        ),
        optional(
            "bearer_token_file",
            Kind::Text,
            "\"feed-token\"",
            "For a server that wants a token (Bearer): a file with it (chmod 600).",
        ),
        optional(
            "bearer_token_env",
            Kind::Text,
            "\"FEED_TOKEN\"",
            "Or the environment variable that holds the token.",
        ),
        PROXY,
        PROXY_FILE,
        PROXY_ENV,
        optional(
            "max_body",
            Kind::Size { min: 1 << 10, max: 1 << 30 },
            "\"50MiB\"",
            "The largest document of this feed; otherwise that of [fetch].",
        ),
        optional("args", Kind::Texts, "[\"--since\", \"1d\"]", "Arguments of an exec: program."),
    ],
};
