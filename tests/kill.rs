//! The daemon is killed with SIGKILL again and again, and nothing may be lost.
//!
//! What makes such a run able to find anything: many feeds that each change rarely, a kill that is
//! armed by the first feed request of each process, receivers (of webhooks, of mails, and of mails
//! that tell several stories) that record before they answer and then misbehave, a run that is void
//! unless the kills hit the moments that matter, and at the end a comparison of *sets*: what was
//! published, and what each receiver has kept.
//!
//! ```sh
//! cargo test --test kill                       # three kills, a few seconds
//! WIREWATCH_KILLS=100 cargo test --test kill   # the campaign, about a minute
//! ```
//!
//! `WIREWATCH_BIN` names another binary (`.ci/run` gives the release build) and `WIREWATCH_SEED`
//! repeats the random choices of a run; what the kernel does with them still differs.
//!
//! # Classic bugs, and what catches them
//!
//! A harness that has never failed proves nothing. `scripts/mutants` puts three bugs into copies of
//! the program, and each must be caught by a hundred kills:
//!
//! * **Marked sent before it is sent.** A kill before the receiver has kept the delivery loses it.
//!   Refusals and stalls that keep nothing make that moment long enough to be hit.
//! * **Validators stored before the entries.** A kill between the two transactions leaves a feed
//!   that answers 304 from then on. The next change of the feed would heal this, so most feeds here
//!   drop a story once the daemon has sent the ETag of a document with it, which says "I have that"
//!   ([`feeds::Feed::publish`]); and every second kill is aimed at a document, without which the
//!   same runs found 1 to 3.
//! * **A new id for each attempt.** Every repeat comes under another id.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "kill/daemon.rs"]
mod daemon;
#[path = "kill/desk.rs"]
mod desk;
#[path = "kill/feeds.rs"]
mod feeds;
#[path = "kill/post.rs"]
mod post;
#[path = "kill/random.rs"]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "kill/verdict.rs"]
mod verdict;

use std::env;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use daemon::Daemon;
use desk::Desk;
use feeds::Feeds;
use post::Post;
use random::Random;
use verdict::{Kill, Receivers, Verdict};

/// After the last kill, everything must have been told within this time.
const PATIENCE: Duration = Duration::from_secs(150);
/// The promise of the service's stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// From the answer until its document is stored it takes about so many microseconds.
const AIMED_WITHIN: u64 = 6_000;
/// Two campaigns at once would take each other's processor time and spoil the coverage.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How much is to be done.
struct Plan {
    kills: usize,
    feeds: usize,
    quiet: Duration,
    /// Whether mails fail too: a failed one waits for a minute, and the end of the test with it.
    mail_fails: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn three_kills_lose_nothing() {
    // So few feeds are all polled at once; more would be spread over many seconds at first.
    campaign(Plan { kills: 3, feeds: 8, quiet: Duration::from_secs(2), mail_fails: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_kills_lose_nothing() {
    let Ok(kills) = env::var("WIREWATCH_KILLS") else {
        return say("skipped: set WIREWATCH_KILLS=100");
    };
    let kills = kills.parse().expect("WIREWATCH_KILLS is a number");
    campaign(Plan { kills, feeds: 40, quiet: Duration::from_secs(4), mail_fails: true }).await;
}

async fn campaign(plan: Plan) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let seed = random::seed();
    say(&format!("{} kills, WIREWATCH_SEED={seed}", plan.kills));
    let feeds = Feeds::start(plan.feeds, Random::new(seed, 1)).await;
    let told = Receivers {
        desk: Desk::start(Random::new(seed, 2)).await,
        post: Post::start(Random::new(seed, 5)).await,
    };
    if !plan.mail_fails {
        told.post.behave();
    }
    let daemon = Daemon::install(&feeds, &told);

    let mut publisher = JoinSet::new();
    publisher.spawn(feeds.publish_for_ever(Random::new(seed, 3)));
    let mut delays = Random::new(seed, 4);
    let mut kills = Vec::new();
    for run in 1..=plan.kills {
        kills.push(kill_once(run, &daemon, &feeds, &mut delays).await);
    }
    publisher.shutdown().await;
    told.behave();
    let finished = finish(plan.kills + 1, plan.quiet, &daemon, &feeds, &told).await;

    let mut verdict = Verdict::reach(&kills, &feeds, &told, &daemon.database());
    verdict.problems.extend(finished.err());
    say(&verdict.summary);
    if !verdict.problems.is_empty() {
        let kept = daemon.keep();
        panic!("seed {seed}, see {}:\n{}", kept.display(), verdict.problems.join("\n"));
    }
}

/// One life of the daemon, up to 400 ms after its first request.
///
/// Every second one ends at the next document after that: the few milliseconds in which a document
/// is taken in are otherwise hit too seldom for a run of 100 kills to find what is wrong there.
async fn kill_once(run: usize, daemon: &Daemon, feeds: &Feeds, delays: &mut Random) -> Kill {
    let started = Instant::now();
    let mut process = daemon.start(run);
    let first = feeds.first_poll_of(run, || daemon.log_tail()).await;
    // The moment of the kill is what the test varies; it waits for nothing.
    tokio::time::sleep(Duration::from_micros(delays.below(400_000))).await;
    if run.is_multiple_of(2) {
        let sent = feeds.next_document(|| daemon.log_tail()).await;
        let moment = sent + Duration::from_micros(delays.below(AIMED_WITHIN));
        tokio::time::sleep_until(moment.into()).await;
    }
    let ended = process.try_wait().unwrap();
    assert!(ended.is_none(), "ended by itself, {ended:?}:\n{}", daemon.log_tail());
    let at = Instant::now();
    process.kill().await.unwrap();
    Kill { run, at, startup: first - started }
}

/// Lets the daemon run undisturbed until all is told, then stops it as systemd would.
///
/// If it does not get that far, the figures are still wanted: they say what is missing.
async fn finish(
    run: usize,
    quiet: Duration,
    daemon: &Daemon,
    feeds: &Feeds,
    told: &Receivers,
) -> Result<(), String> {
    let begun = Instant::now();
    let mut process = daemon.start(run);
    feeds.first_poll_of(run, || daemon.log_tail()).await;
    let mut result = Ok(());
    while result.is_ok() {
        // Silence has no event to wait for, so it is looked for, up to a limit.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let last = told.last_attempt().max(feeds.last_document()).max(Some(begun));
        let is_quiet = last.is_some_and(|last| last.elapsed() >= quiet);
        if is_quiet && feeds.are_all_polled_by(run) && daemon.has_sent_all().await {
            break;
        }
        if begun.elapsed() > PATIENCE {
            result = Err(format!("not everything is told after {PATIENCE:?}"));
        }
    }
    daemon::signal(&process, "TERM").await;
    let Ok(status) = tokio::time::timeout(STOP_LIMIT, process.wait()).await else {
        panic!("still running {STOP_LIMIT:?} after SIGTERM:\n{}", daemon.log_tail());
    };
    assert_eq!(status.unwrap().code(), Some(0), "after SIGTERM:\n{}", daemon.log_tail());
    result
}

/// Says something even if the test passes: the harness keeps back only what the macros print.
fn say(words: &str) {
    std::io::stderr().write_all(format!("kill: {words}\n").as_bytes()).unwrap();
}
