//! wirewatch watches news feeds, keeps every story once, matches stories
//! against watch rules and tells people about matches.
//!
//! One promise stands above every feature: **no alert means no news.** What
//! matched is not lost by a crash, a broken feed or a dead mail server; nobody
//! is flooded; every decision can be explained.
//!
//! Modules stand in the order in which data flows. `ARCHITECTURE.md` tells who
//! may import whom.

pub mod model;

pub mod schedule;

pub mod health;

pub mod net;

pub mod program;

pub mod fetch;

pub mod extract;

mod markup;

mod wedge;

mod text;

pub mod parse;

pub mod discover;

pub mod opml;

pub mod push;

pub mod dedup;

pub mod story;

pub mod rule;

pub mod alert;

pub mod article;

pub mod deliver;

pub mod store;

pub mod pipeline;

pub mod serve;

pub mod config;

pub mod app;

pub mod cli;
