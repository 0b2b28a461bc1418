//! The whole daemon against real servers: feeds over HTTP, a webhook receiver,
//! a mail server, SQLite in a temporary folder.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

mod archive;
mod chat;
mod cli;
mod cores;
mod daemon;
mod data;
mod delivery;
mod endpoint;
mod feeds;
mod fetching;
mod foreign;
mod fulltext;
mod guarded;
mod health;
mod heaps;
mod http;
mod identity;
mod lists;
mod literal;
mod mail;
mod policy;
mod reload;
mod store;
mod stories;
mod support;
mod tidy;
mod typos;
mod world;
