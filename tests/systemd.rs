//! The package on a Debian 12 that was booted for it: systemd 252 as the first process, the unit as
//! it is shipped, a feed and a receiver outside.
//!
//! ```sh
//! scripts/install-systemd-peer                         # once
//! cargo test --test systemd                            # about two minutes
//! WIREWATCH_BIN=target/release/wirewatch WIREWATCH_PEERS=required cargo test --test systemd
//! ```
//!
//! It wants root, systemd-nspawn, dpkg-dev and the Debian that the script makes; what cannot run is
//! reported as ignored, and with `WIREWATCH_PEERS=required` as failed. The package is made from the
//! debug binary, or from `WIREWATCH_BIN`. `WIREWATCH_SOAK` lets the service run for so many seconds
//! before its journal is searched for refused system calls.
//!
//! The whole test runs in namespaces of its own: it shares a loopback with the machines that it
//! boots, so that its servers can be reached from there, and nothing else with anybody. When it
//! ends, in whatever way, the kernel ends what it has started.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its machines end with it"
)]

#[path = "systemd/groups.rs"]
mod groups;
#[path = "systemd/life.rs"]
mod life;
#[path = "systemd/machine.rs"]
mod machine;
#[path = "systemd/package.rs"]
mod package;
#[path = "systemd/peers.rs"]
mod peers;
#[path = "systemd/service.rs"]
mod service;
#[path = "systemd/site.rs"]
mod site;
#[path = "it/support/mod.rs"]
mod support;

use std::env;
use std::io::Write as _;
use std::pin::Pin;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

type Work = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// The trials, each named by what it proves.
const TRIALS: [(&str, Work); 15] = [
    ("a_fresh_package_starts_at_once_and_bothers_nobody", || Box::pin(life::fresh())),
    ("the_service_is_confined_and_ready_within_five_seconds", || Box::pin(service::confinement())),
    (
        "an_alert_arrives_signed_with_a_secret_that_systemd_hands_over",
        || Box::pin(service::alert()),
    ),
    ("no_forbidden_system_call_is_made", || Box::pin(service::forbidden_calls())),
    ("a_reload_takes_what_is_right_and_refuses_what_is_wrong", || Box::pin(service::reload())),
    ("a_killed_service_is_back_in_seconds_and_repeats_nothing", || Box::pin(service::kill())),
    ("a_frozen_service_is_restarted_by_the_watchdog", || Box::pin(service::watchdog())),
    ("a_wrong_configuration_fails_once_and_says_why", || Box::pin(service::wrong_configuration())),
    ("a_useless_database_fails_once", || Box::pin(service::useless_database())),
    ("a_stop_takes_ten_seconds_at_most_and_loses_nothing", || Box::pin(service::stop())),
    ("an_upgrade_keeps_all_and_restarts_what_ran", || Box::pin(life::upgrade())),
    ("an_upgrade_that_cannot_run_is_told_and_not_tried_again", || {
        Box::pin(life::upgrade_to_refusal())
    }),
    ("a_removal_keeps_all_and_a_purge_nothing", || Box::pin(life::removal())),
    ("what_root_does_first_does_not_lock_the_service_out", || Box::pin(life::root_goes_first())),
    ("systemd_can_listen_for_the_endpoint", || Box::pin(life::socket())),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // A trial waits more than it works, but some of its waits are measured.
    arguments.test_threads.get_or_insert(2);
    let is_inside = peers::inside().is_some();
    let missing = if is_inside { None } else { peers::missing() };
    let required = env::var("WIREWATCH_PEERS").is_ok_and(|value| value == "required");
    match &missing {
        Some(missing) => {
            say(&format!("{}: {missing}", if required { "failed" } else { "skipped" }))
        }
        None if is_inside || arguments.list => {}
        None => std::process::exit(peers::enter().code().unwrap_or(1)),
    }
    let trials = TRIALS.map(|(name, work)| {
        let (missing, ignored) = (missing.clone(), missing.is_some() && !required);
        Trial::test(name, move || run(missing, work)).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn run(missing: Option<String>, work: Work) -> Result<(), Failed> {
    if let Some(missing) = missing {
        return Err(missing.into());
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    runtime.block_on(work());
    Ok(())
}

/// Says something to whoever runs the test.
fn say(words: &str) {
    std::io::stderr().write_all(format!("systemd: {words}\n").as_bytes()).unwrap();
}

/// Waits until something holds that no event tells of, by looking again and again.
async fn until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "waited {limit:?} for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
