//! Endpoints that fail, hang, throttle, redirect and never stop talking, and a program that is
//! stopped again and again: what it owes to each receiver, counted at the receiver.
//!
//! * [`lab`]: 25 scripted endpoints over several virtual days, the program begun anew for every
//!   look. The schedule of retries, `Retry-After`, 410, and redirects that nobody follows.
//! * [`hold`]: the same promises kept by the running program, on the real clock, over a restart.
//! * [`race`]: four bad endpoints beside six good ones, which must not notice.
//! * [`stops`]: SIGTERM under load.
//!
//! ```sh
//! cargo test --test endpoints                     # a minute and a half
//! cargo build --release
//! WIREWATCH_ALERTS=1000 WIREWATCH_STOPS=100 WIREWATCH_BIN=target/release/wirewatch \
//!   cargo test --test endpoints                   # four minutes
//! ```
//!
//! `WIREWATCH_ALERTS` is how many stories go to ten channels each, `WIREWATCH_STOPS` how often the
//! program is stopped, `WIREWATCH_SEED` repeats the random choices of a run. The figures come out
//! on standard error even if all is well. The laboratory uses the library, whatever
//! `WIREWATCH_BIN` says: only there can time be moved.
//!
//! Bugs put in by hand were each caught: redirects followed, a 410 like any 4xx, one wait a sixth
//! shorter, jitter up to 18 %, a `Retry-After` for its own delivery only or forgotten by a start,
//! an id for each try, answers read without bound, four deliveries at once, a stop without grace,
//! and one that only waits until its grace is over.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "endpoints/bad.rs"]
mod bad;
#[path = "endpoints/daemon.rs"]
mod daemon;
#[allow(dead_code, reason = "the campaign of kills uses the rest")]
#[path = "kill/feeds.rs"]
mod feeds;
#[path = "endpoints/hold.rs"]
mod hold;
#[path = "endpoints/lab.rs"]
mod lab;
#[path = "endpoints/race.rs"]
mod race;
#[path = "kill/random.rs"]
mod random;
#[path = "endpoints/receiver.rs"]
mod receiver;
#[path = "endpoints/scripts.rs"]
mod scripts;
#[path = "endpoints/stops.rs"]
mod stops;
#[path = "it/support/mod.rs"]
mod support;
#[path = "endpoints/verdict.rs"]
mod verdict;
#[path = "endpoints/wire.rs"]
mod wire;
#[allow(dead_code, reason = "the test of the whole daemon uses the rest")]
#[path = "it/world.rs"]
mod world;

use std::env;
use std::io::Write as _;
use std::time::Duration;

use support::tls::TestCa;
use tokio::sync::Mutex;

/// Two of these at once would take each other's processor time, and times are what they measure.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Virtual time costs little real time; this is for a machine that is very slow or a test that
/// does not come to its end.
const LAB_LIMIT: Duration = Duration::from_secs(600);
/// In the environment of the process that plays the laboratory.
const IN_LAB: &str = "WIREWATCH_IN_LAB";

#[tokio::test(flavor = "multi_thread")]
async fn retries_keep_their_schedule_and_what_receivers_wish() {
    if env::var_os(IN_LAB).is_none() {
        let _alone = ONE_AT_A_TIME.lock().await;
        return alone_with_one_authority("retries_keep_their_schedule_and_what_receivers_wish")
            .await;
    }
    let done = tokio::time::timeout(LAB_LIMIT, lab::observe()).await;
    let observed = done.expect("days of virtual time pass within minutes");
    conclude("schedule", verdict::reach(&observed));
}

/// Runs a test of this file in a process of its own that trusts a single authority.
///
/// Every start builds a client for each of 25 channels, and each client reads all authorities of
/// the system, of which none is asked here. Unoptimised, that is fifteen times the work of the
/// rest. What the system trusts is only to be changed by the environment, and that only for a
/// process that is yet to start.
async fn alone_with_one_authority(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, TestCa::new().ca_pem()).unwrap();
    let mut command = tokio::process::Command::new(env::current_exe().unwrap());
    command.args(["--exact", test]).kill_on_drop(true);
    command.env(IN_LAB, "yes").env("SSL_CERT_FILE", &authority).env("SSL_CERT_DIR", folder.path());
    let status = tokio::time::timeout(LAB_LIMIT, command.status()).await;
    let status = status.expect("it ends in time").unwrap();
    assert!(status.success(), "{test}: {status}; see above");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_program_waits_for_what_receivers_wish_over_a_restart() {
    let _alone = ONE_AT_A_TIME.lock().await;
    conclude("hold", hold::observe().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_endpoints_harm_no_good_one() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let stories = size("WIREWATCH_ALERTS", 300);
    let seed = random::seed();
    let calm = race::run(stories, race::Company::Good, seed).await;
    let troubled = race::run(stories, race::Company::Bad, seed).await;
    let findings = race::compare(&calm, &troubled);
    conclude(&format!("race: WIREWATCH_SEED={seed} {stories} stories"), findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_under_load_lose_and_repeat_nothing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    conclude("stops", stops::run(size("WIREWATCH_STOPS", 10)).await);
}

/// What a test found: figures for people, and what is wrong with them.
#[derive(Debug, Default)]
struct Findings {
    figures: String,
    problems: Vec<String>,
}

impl Findings {
    fn demand(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(complaint());
        }
    }
}

/// Says the figures, whatever they are, and fails if something is wrong with them.
fn conclude(name: &str, findings: Findings) {
    // Past the harness, which keeps back what the macros print unless the test fails.
    let figures = format!("{name}: {}\n", findings.figures);
    std::io::stderr().write_all(figures.as_bytes()).unwrap();
    let problems = findings.problems;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// How much is to be done: what the environment says, or so much.
fn size(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |count| count.parse().expect("a number"))
}
