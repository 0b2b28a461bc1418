//! News that hubs bring: discovery, subscription, verification, delivery and
//! renewal, against a hub that plays the cases of websub.rocks and worse; and
//! clouds that tell of news.
//!
//! ```sh
//! cargo test --test websub -- --nocapture
//! ```
//!
//! | variable | default (full) | what |
//! | --- | --- | --- |
//! | `WIREWATCH_LEASES` | 20 (200) | leases of 15 s that run while the daemon is killed, once for 20 of them and twice at least |
//! | `WIREWATCH_DROPS` | 60 (1,000) | stories of which a hub drops 30 % |
//! | `WIREWATCH_PUSHES` | 1,000 (10,000) | posts of a hostile mix |
//! | `WIREWATCH_KILLS` | 10 (100) | kills while hubs bring news |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "only a part of the world is used")]

#[path = "websub/cloud.rs"]
mod cloud;
#[path = "websub/clouds.rs"]
mod clouds;
#[path = "websub/conformance.rs"]
mod conformance;
#[path = "websub/drops.rs"]
mod drops;
#[path = "websub/forged.rs"]
mod forged;
#[path = "websub/hub.rs"]
mod hub;
#[path = "websub/kill.rs"]
mod kill;
#[path = "websub/leases.rs"]
mod leases;
#[path = "websub/limits.rs"]
mod limits;
#[path = "websub/mix.rs"]
mod mix;
#[path = "websub/news.rs"]
mod news;
#[path = "kill/random.rs"]
mod random;
#[path = "websub/report.rs"]
mod report;
#[path = "websub/scene.rs"]
mod scene;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/world.rs"]
mod world;

/// A count from the environment.
fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |n| n.parse().expect("a number"))
}

/// Says something even if the test passes: the harness keeps back only what the macros print.
fn say(words: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("websub: {words}\n").as_bytes()).unwrap();
}
