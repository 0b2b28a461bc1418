//! Mail from a feed to a mailbox, by way of programs that others wrote: the daemon hands its
//! alerts to a real Postfix, that to a real Dovecot, and the test fetches them by IMAP.
//!
//! ```sh
//! cargo test --test postfix                            # about a minute and a half
//! WIREWATCH_PEERS=required cargo test --test postfix   # who lacks a peer, fails
//! ```
//!
//! It wants Postfix, Dovecot 2.3 with IMAP and LMTP, and root, because a mail server is several
//! users. What is missing is said, and the trials are reported as ignored. Each trial has servers
//! of its own in a folder of its own, on free ports of 127.0.0.1; they end with it, and nothing of
//! the machine's own mail is touched. `WIREWATCH_SEED` repeats the random words of a run.
//!
//! Most of the time is waiting: a mail that could not be handed in is tried again after a minute,
//! and two trials let that minute pass.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "postfix/daemon.rs"]
mod daemon;
#[path = "postfix/imap.rs"]
mod imap;
#[path = "postfix/news.rs"]
mod news;
#[path = "postfix/office.rs"]
mod office;
#[path = "postfix/peers.rs"]
mod peers;
#[path = "kill/random.rs"]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "postfix/trials.rs"]
mod trials;
#[path = "postfix/verdict.rs"]
mod verdict;

use std::env;
use std::io::Write as _;
use std::pin::Pin;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial, given the seed of its random words.
type Work = fn(u64) -> Pin<Box<dyn Future<Output = ()>>>;

/// The trials, each named by what it proves.
const TRIALS: [(&str, Work); 7] = [
    ("by_starttls_200_stories_arrive_each_once_and_as_published", |seed| {
        Box::pin(trials::two_hundred_by_starttls(seed))
    }),
    ("by_implicit_tls_and_auth_login_20_stories_arrive_too", |seed| {
        Box::pin(trials::twenty_by_implicit_tls(seed))
    }),
    ("updates_arrive_in_the_thread_of_their_story", |_| Box::pin(trials::threads())),
    ("a_wrong_password_keeps_alerts_waiting_for_the_right_one", |seed| {
        Box::pin(trials::wrong_password(seed))
    }),
    ("a_server_nobody_vouches_for_gets_neither_password_nor_mail", |seed| {
        Box::pin(trials::untrusted_certificate(seed))
    }),
    ("what_is_raised_while_postfix_is_stopped_arrives_once_it_is_back", |seed| {
        Box::pin(trials::stopped_server(seed))
    }),
    ("who_is_unknown_costs_nobody_else_his_mail_and_is_told_by_a_retry", |seed| {
        Box::pin(trials::unknown_recipient(seed))
    }),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // They wait more than they work, so more of them than there are processors run at once.
    arguments.test_threads.get_or_insert(TRIALS.len());
    let missing = peers::missing();
    let required = env::var("WIREWATCH_PEERS").is_ok_and(|value| value == "required");
    let seed = random::seed();
    match &missing {
        Some(missing) => {
            say(&format!("{}: {missing}", if required { "failed" } else { "skipped" }))
        }
        None => say(&format!("WIREWATCH_SEED={seed}")),
    }
    let trials = TRIALS.map(|(name, work)| {
        let (missing, ignored) = (missing.clone(), missing.is_some() && !required);
        Trial::test(name, move || run(missing, || work(seed))).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn run<F: Future>(missing: Option<String>, work: impl FnOnce() -> F) -> Result<(), Failed> {
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
    std::io::stderr().write_all(format!("postfix: {words}\n").as_bytes()).unwrap();
}

/// Waits until something holds that no event tells of, by looking again and again.
async fn until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "waited {limit:?} for {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
