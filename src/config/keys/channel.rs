//! The tables of channels.

use super::{Key, Kind, Section, TIMEOUT, default, optional, required};

pub(super) const CA_FILE: Key = optional(
    "ca_file",
    Kind::Text,
    "\"our-ca.pem\"",
    "Certificates (PEM) to trust besides the system's.",
);

pub(super) const ALLOW_PRIVATE: Key = default(
    "allow_private",
    Kind::Flag,
    "false",
    "May the receiver live on a private or loopback address?",
);

pub(super) const TIMEOUT_15S: Key =
    default("timeout", TIMEOUT, "\"15s\"", "Time for a whole request.");

pub(in crate::config) const CONSOLE: Section = Section {
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

pub(in crate::config) const EMAIL: Section = Section {
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
            "Time for an attempt, from connecting to the mail's last line.",
        ),
        default(
            "accept_timeout",
            TIMEOUT,
            "\"5m\"",
            "Time for the server to accept a mail that it has: some scan it for minutes, and would\n\
             get it again after that.",
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

pub(in crate::config) const WEBHOOK: Section = Section {
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
        optional(
            "old_secret_file",
            Kind::Text,
            "\"ops-secret-old\"",
            "A file with the secret before that, which signs too until receivers have changed over.",
        ),
        optional(
            "old_secret_env",
            Kind::Text,
            "\"OPS_SECRET_OLD\"",
            "Or the environment variable that holds it.",
        ),
        default(
            "format",
            Kind::Word(&["standard", "cloudevents"]),
            "\"standard\"",
            "The body's shape: \"standard\", or \"cloudevents\" for CloudEvents 1.0 in structured form.",
        ),
        optional(
            "source",
            Kind::Text,
            "\"https://example.org/wirewatch\"",
            "What a CloudEvent names as its source; otherwise /wirewatch/ and the channel's name.",
        ),
        ALLOW_PRIVATE,
        CA_FILE,
        TIMEOUT_15S,
        optional(
            "body_template",
            Kind::Text,
            "\"ops-body.json\"",
            "A file with a minijinja template in place of the built-in body.",
        ),
    ],
};
