//! The keys for reading the pages behind entries.

use super::{Key, Kind, Section, default, optional};

pub(in crate::config) const MODES: [&str; 3] = ["never", "auto", "always"];

pub(in crate::config) const OF_FEEDS: Key = optional(
    "fulltext",
    Kind::Word(&MODES),
    "\"auto\"",
    "Read the page that a new entry links to, and ask the rules about its whole text: \"auto\", where\n\
     the feed's own text is short and a rule is not decided by it; \"always\"; or \"never\", which is\n\
     what holds where nobody says anything. The feed's word goes before its group's and [defaults].",
);

pub(in crate::config) const OF_RULES: Key = optional(
    "fulltext",
    Kind::Word(&MODES),
    "\"never\"",
    "Whether this rule wants pages read, whatever the feeds say: \"auto\", \"always\" or \"never\".\n\
     Pages of a feed that says \"never\" itself are not read.",
);

pub(in crate::config) const IF: Key = optional(
    "fulltext_if",
    Kind::Text,
    "'China OR Taiwan'",
    "Read pages for this rule only where the feed's title and text satisfy this expression.",
);

pub(in crate::config) const FULLTEXT: Section = Section {
    path: &["fulltext"],
    sample: "",
    doc: "Limits for the reading of pages. Whether pages are read is said by the key \"fulltext\" of\n\
          feeds, groups, rules and [defaults].",
    keys: &[
        default(
            "pages_per_host",
            Kind::Integer { min: 1, max: 100_000 },
            "500",
            "Pages that one host is asked for in a day (UTC). Further ones wait, up to 48 hours.",
        ),
        default(
            "bytes_per_host",
            Kind::Size { min: 1 << 20, max: 100 << 30 },
            "\"200MiB\"",
            "Bytes of pages that are taken from one host in a day (UTC).",
        ),
        default(
            "concurrency",
            Kind::Integer { min: 1, max: 64 },
            "4",
            "Pages that are read at the same time, one a host.",
        ),
    ],
};
