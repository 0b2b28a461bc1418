//! The table of the HTTP endpoint.

use super::{Kind, Section, default, optional};

pub(in crate::config) const HTTP: Section = Section {
    path: &["http"],
    sample: "",
    doc: "The endpoint for monitoring: /healthz, /readyz and /metrics. Off unless \"listen\" is given\n\
          or systemd passes a socket.",
    keys: &[
        optional(
            "listen",
            Kind::Text,
            "\"127.0.0.1:8466\"",
            "Address and port. One that other machines can reach needs hosts and a token.",
        ),
        default(
            "hosts",
            Kind::Texts,
            "[]",
            "Names by which it may be asked for (the Host header), besides localhost and loopback\n\
             addresses: [\"watch.example.org\"]. Others are refused, so that no web page can ask.",
        ),
        optional(
            "token_file",
            Kind::Text,
            "\"http-token\"",
            "A file with a token, readable for the daemon only (chmod 600). Then figures, and reasons\n\
             for ill health, are only for who sends it: \"Authorization: Bearer TOKEN\".",
        ),
        optional(
            "token_env",
            Kind::Text,
            "\"HTTP_TOKEN\"",
            "Or the environment variable that holds it.",
        ),
        optional(
            "public_url",
            Kind::Text,
            "\"https://news.example.org/\"",
            "How the endpoint is reached from outside, through a proxy that passes on /push/ and nothing\n\
             else. Then news is ordered at the hubs that feeds name (WebSub, rssCloud), and comes sooner.",
        ),
    ],
};
