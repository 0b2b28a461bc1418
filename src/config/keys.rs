//! Every key there is: one table that the reader, `reference.toml` and the
//! JSON schema are made from, so that they cannot differ.

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Any text that is not empty.
    Text,
    /// Several such texts.
    Texts,
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
const INTERVAL: Kind = Kind::Duration { min: 1, max: 31 * DAY };
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
            "\"15m\"",
            "Time between two polls of a feed: \"90s\", \"15m\", \"1h 30m\", \"1d\".",
        ),
        default(
            "backfill",
            Kind::Backfill,
            "\"none\"",
            "What the first poll of a new feed may alert: \"none\", \"all\",\n\
             or what was published within a time such as \"24h\".",
        ),
        default(
            "gather",
            Kind::Duration { min: 0, max: HOUR },
            "\"2s\"",
            "How long an alert waits for more outlets that carry the same story.",
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
        default(
            "timeout",
            TIMEOUT,
            "\"30s\"",
            "Time for a whole request, from name lookup to the last byte.",
        ),
        default("connect_timeout", TIMEOUT, "\"10s\"", "Time to get a connection."),
        default(
            "max_body",
            Kind::Size { min: 1 << 10, max: 1 << 30 },
            "\"10MiB\"",
            "A document larger than this, after decompression, is refused.",
        ),
        default(
            "concurrency",
            Kind::Integer { min: 1, max: 256 },
            "8",
            "Requests at the same time, over all hosts. A single host gets one at a time.",
        ),
        optional(
            "ca_file",
            Kind::Text,
            "\"our-proxy-ca.pem\"",
            "Certificates (PEM) to trust besides the system's.",
        ),
    ],
};

pub(super) const FEED: Section = Section {
    path: &["feed", "*"],
    sample: "bbc-world",
    doc: "A source of news: RSS, Atom or JSON Feed. The name after the dot is yours: a-z, 0-9, - and _.",
    keys: &[
        required(
            "url",
            Kind::Text,
            "\"https://feeds.bbci.co.uk/news/world/rss.xml\"",
            "https:, http: or file:. A file: path is relative to the file that names it.",
        ),
        optional(
            "title",
            Kind::Text,
            "\"BBC News\"",
            "The outlet's name in alerts; otherwise the feed's own title.",
        ),
        optional(
            "interval",
            INTERVAL,
            "\"5m\"",
            "Time between polls; otherwise that of [defaults]. At least 60s on public servers,\n\
             1s for file: and with allow_private.",
        ),
        optional(
            "backfill",
            Kind::Backfill,
            "\"24h\"",
            "What the first poll may alert; otherwise that of [defaults].",
        ),
        default(
            "allow_private",
            Kind::Flag,
            "false",
            "May this feed live on a private or loopback address?",
        ),
    ],
};

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

const CA_FILE: Key = optional(
    "ca_file",
    Kind::Text,
    "\"our-ca.pem\"",
    "Certificates (PEM) to trust besides the system's.",
);

pub(super) const CONSOLE: Section = Section {
    path: &["channel", "*", "console"],
    sample: "terminal",
    doc: "A channel that prints alerts where the daemon runs.",
    keys: &[optional(
        "template",
        Kind::Text,
        "\"console.txt\"",
        "A file with a minijinja template in place of the built-in one.",
    )],
};

pub(super) const EMAIL: Section = Section {
    path: &["channel", "*", "email"],
    sample: "desk",
    doc: "A channel that sends mail: one message per alert and recipient.",
    keys: &[
        required("from", Kind::Text, "\"wirewatch@example.org\"", "The sender."),
        required("to", Kind::Texts, "[\"desk@example.org\"]", "The recipients, at least one."),
        required(
            "smtp",
            Kind::Text,
            "\"smtp.example.org:587\"",
            "The mail server as host:port. Without a port it is 587 for starttls, 465 for implicit\n\
             and 25 for none.",
        ),
        default(
            "tls",
            Kind::Word(&["starttls", "implicit", "none"]),
            "\"starttls\"",
            "\"starttls\", \"implicit\", or \"none\" for a mail server on this machine.",
        ),
        optional("username", Kind::Text, "\"wirewatch\"", "For a server that asks for a login."),
        optional(
            "password_file",
            Kind::Text,
            "\"smtp-password\"",
            "A file with the password, readable for the daemon only (chmod 600). A systemd credential\n\
             of the same file name goes first.",
        ),
        optional(
            "password_env",
            Kind::Text,
            "\"SMTP_PASSWORD\"",
            "Or the environment variable that holds the password.",
        ),
        CA_FILE,
        optional(
            "hello_name",
            Kind::Text,
            "\"wirewatch.example.org\"",
            "What we call ourselves in EHLO; otherwise the machine's host name.",
        ),
        default(
            "timeout",
            TIMEOUT,
            "\"30s\"",
            "Time for a whole attempt, from connecting to the server's acceptance.",
        ),
        optional(
            "subject_template",
            Kind::Text,
            "\"mail-subject.txt\"",
            "Files with minijinja templates in place of the built-in ones.",
        ),
        optional("text_template", Kind::Text, "\"mail.txt\"", "The plain text part."),
        optional("html_template", Kind::Text, "\"mail.html\"", "The HTML part."),
    ],
};

pub(super) const WEBHOOK: Section = Section {
    path: &["channel", "*", "webhook"],
    sample: "ops",
    doc: "A channel that posts JSON, signed as standardwebhooks.com describes.",
    keys: &[
        required("url", Kind::Text, "\"https://ops.example.org/hook\"", "Where to post."),
        optional(
            "secret_file",
            Kind::Text,
            "\"ops-secret\"",
            "A file with the signing secret (whsec_...), readable for the daemon only (chmod 600).\n\
             A systemd credential of the same file name goes first.",
        ),
        optional(
            "secret_env",
            Kind::Text,
            "\"OPS_SECRET\"",
            "Or the environment variable that holds the secret.",
        ),
        default(
            "allow_private",
            Kind::Flag,
            "false",
            "May the receiver live on a private or loopback address?",
        ),
        CA_FILE,
        default("timeout", TIMEOUT, "\"15s\"", "Time for a whole request."),
        optional(
            "body_template",
            Kind::Text,
            "\"ops-body.json\"",
            "A file with a minijinja template in place of the built-in body.",
        ),
    ],
};

/// All tables, in the order of `reference.toml`.
pub(super) const SECTIONS: &[&Section] =
    &[&STORE, &DEFAULTS, &FETCH, &FEED, &TERMS, &RULE, &CONSOLE, &EMAIL, &WEBHOOK];
