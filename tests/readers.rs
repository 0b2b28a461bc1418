//! Programs of other people read what wirewatch sends: its mails, webhooks, events and feeds.
//!
//! The messages are about news that try to be something else (see `readers/titles.rs`), and they
//! are sent by the program itself, over real connections. The readers only read; what they read is
//! compared here with what was published.
//!
//! ```sh
//! scripts/install-readers       # once: packages of Python and Node, into target/peers
//! cargo test --test readers     # about a minute
//! ```
//!
//! A trial whose reader is missing is reported as ignored, and a line says what is missing. With
//! `WIREWATCH_PEERS=required` it fails instead. `WIREWATCH_BIN` names another binary: the release
//! build takes half the time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "readers/events.rs"]
mod events;
#[path = "readers/feeds.rs"]
mod feeds;
#[path = "readers/letters.rs"]
mod letters;
#[path = "readers/mail.rs"]
mod mail;
#[path = "readers/peers.rs"]
mod peers;
#[path = "kill/random.rs"]
#[expect(dead_code, reason = "the seed is fixed here")]
mod random;
#[path = "readers/station.rs"]
mod station;
#[path = "it/support/mod.rs"]
mod support;
#[path = "readers/titles.rs"]
mod titles;
#[path = "readers/webhooks.rs"]
mod webhooks;
#[path = "readers/wire.rs"]
mod wire;

use std::io::Write as _;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = [mail::trials(), webhooks::trials(), events::trials()];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs what needs servers to its end; they end with it.
fn wait_for<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

/// What a trial comes to: it passes if nothing is wrong.
fn judged(faults: Vec<String>, shown: usize) -> Result<(), Failed> {
    if faults.is_empty() {
        return Ok(());
    }
    let first: Vec<&str> = faults.iter().take(shown).map(String::as_str).collect();
    Err(format!("{} faults, the first of them:\n{}", faults.len(), first.join("\n")).into())
}

/// Says something even if the test passes: what was read is what it proves.
fn say(words: &str) {
    std::io::stderr().write_all(format!("readers: {words}\n").as_bytes()).unwrap();
}
