//! What receivers wish, kept by the running program on the real clock, over a restart.
//!
//! The laboratory begins the program anew for each look and moves the clock itself; here the loops
//! of `wirewatch run` have to find the moment. One receiver fails once, another wants to be left
//! alone for some seconds, and says so only after thinking about it: `Retry-After` counts from
//! the answer (RFC 9110, section 10.2.3), not from the question.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::Findings;
use super::daemon::{self, Daemon};
use super::receiver::{Hit, Receiver, Turn};
use super::support::http::{FeedServer, Reply};
use super::world::rss;

const ITEMS: [(&str, &str, &str); 2] = [
    ("1", "marker story 000001 ferry aground by the northern lighthouse", "All are safe."),
    ("2", "marker story 000002 copper miners vote on a wage treaty", "The count goes on."),
];
/// What the receiver wishes, and how long it takes to say so.
const WISH: Duration = Duration::from_secs(7);
const THINKING: Duration = Duration::from_secs(2);
/// The first wait of the schedule.
const EARLIEST: Duration = Duration::from_millis(4_500);
const LATEST: Duration = Duration::from_millis(5_750);
/// The loops come round every five seconds at least, and machines may be busy.
const SLACK: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells two receivers of two stories; the program is stopped and started after the first tries.
pub(crate) async fn observe() -> Findings {
    let feed = FeedServer::start().await;
    feed.serve("/wire", "text/xml", rss(&ITEMS));
    let failing = Receiver::start(fails_once).await;
    let wishing = Receiver::start(wishes_once).await;
    let more = [
        daemon::feed("wire", &feed.url("/wire")),
        daemon::channel("failing", &failing.url()),
        daemon::channel("wishing", &wishing.url()),
    ];
    let daemon = Daemon::install(&["failing", "wishing"], &more.concat());
    let deadline = Instant::now() + PATIENCE;
    let mut findings = Findings::default();

    let mut process = daemon.start(1);
    let has_begun = wishing.until(deadline, |hits| !hits.is_empty()).await
        && failing.until(deadline, |hits| hits.len() >= 2).await;
    findings.demand(has_begun, || format!("no first tries:\n{}", daemon.log_tail()));
    // It waits for the answer that is on its way.
    let stopped = daemon::stop(&mut process).await;
    findings.demand(stopped.is_graceful(), || format!("{stopped:?}"));
    let mut process = daemon.start(2);
    let has_ended = wishing.until(deadline, |hits| hits.len() >= 3).await
        && failing.until(deadline, |hits| hits.len() >= 3).await;
    findings.demand(has_ended, || format!("not all is told:\n{}", daemon.log_tail()));
    let stopped = daemon::stop(&mut process).await;
    findings.demand(stopped.is_graceful(), || format!("{stopped:?}"));
    check_failing(&failing.hits(), &mut findings);
    check_wishing(&wishing.hits(), &mut findings);
    daemon.keep_if_wrong(&mut findings);
    findings
}

fn fails_once(turn: Turn) -> (Reply, Duration) {
    let is_failure = turn.is_first && turn.before == 0;
    let reply = if is_failure { Reply::status(500) } else { Reply::ok("kept") };
    (reply, Duration::ZERO)
}

fn wishes_once(turn: Turn) -> (Reply, Duration) {
    if turn.is_first && turn.before == 0 {
        let seconds = WISH.as_secs().to_string();
        return (Reply::status(503).header("Retry-After", seconds), THINKING);
    }
    (Reply::ok("kept"), Duration::ZERO)
}

/// The second story goes out at once, and the first again after the first wait.
fn check_failing(hits: &[Hit], findings: &mut Findings) {
    let [first, second, third] = hits else {
        return findings.problems.push(format!("failing: {} requests", hits.len()));
    };
    let (other, again) = (second.at - first.at, third.at - first.at);
    write!(findings.figures, "after a failure again in {again:.2?}, another in {other:.2?}")
        .unwrap();
    let is_each_once = third.id == first.id && second.id != first.id;
    findings.demand(is_each_once, || "failing: not the other, then the first again".to_owned());
    let is_within = (EARLIEST..=LATEST + SLACK).contains(&again);
    findings.demand(is_within, || format!("failing: again after {again:?}"));
    findings.demand(other < EARLIEST, || format!("failing: another held for {other:?}"));
}

/// Nothing comes before the wish is over, then both.
fn check_wishing(hits: &[Hit], findings: &mut Findings) {
    let [first, rest @ ..] = hits else {
        return findings.problems.push("wishing: no requests".to_owned());
    };
    let waits: Vec<Duration> =
        rest.iter().map(|hit| hit.at.saturating_duration_since(first.answered)).collect();
    write!(findings.figures, "; after `Retry-After: {}` the next in {waits:.2?}", WISH.as_secs())
        .unwrap();
    findings.demand(rest.len() == 2, || format!("wishing: {} more requests", rest.len()));
    findings.demand(rest.iter().any(|hit| hit.id == first.id), || "wishing: lost".to_owned());
    for wait in waits {
        let is_within = (WISH..=WISH + SLACK).contains(&wait);
        findings.demand(is_within, || format!("wishing: asked {wait:?} after its answer"));
    }
}
