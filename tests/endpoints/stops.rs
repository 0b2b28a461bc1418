//! SIGTERM again and again, while stories keep coming and a receiver takes its time.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Findings;
use super::daemon::{self, Daemon, STOP_LIMIT, Stopped};
use super::feeds::Feeds;
use super::random::{Random, seed};
use super::receiver::{Hit, Receiver, Repeats};
use super::support::http::Reply;

const FEEDS: usize = 12;
/// After the last stop, everything must have been told within this time.
const PATIENCE: Duration = Duration::from_secs(150);
/// No answer takes so long, and a stop waits for nothing but what is under way: one that only ends
/// what goes on would keep within its limit too.
const USUAL: Duration = Duration::from_secs(3);
/// A stop comes up to so many microseconds after the first request of a life.
const LIFE: u64 = 900_000;
/// From so many stops on, the share that hits a delivery is not left to chance.
const ENOUGH_STOPS: usize = 50;
/// Repeats of the same id, in per cent of deliveries.
const REPEATS: usize = 1;

/// Stops the program so often, and once more when all is told.
pub(crate) async fn run(count: usize) -> Findings {
    let seed = seed();
    let feeds = Feeds::start(FEEDS, Random::new(seed, 1)).await;
    let mut pace = Random::new(seed, 2);
    let receiver = Receiver::start(move |_| (Reply::ok("kept"), delay(&mut pace))).await;
    let daemon = install(&feeds, &receiver);
    let mut publisher = JoinSet::new();
    publisher.spawn(feeds.publish_for_ever(Random::new(seed, 3)));
    let mut moments = Random::new(seed, 4);
    let mut stops = Vec::new();
    for run in 1..=count {
        stops.push(stop_once(run, &daemon, &feeds, &mut moments).await);
    }
    publisher.shutdown().await;
    receiver.behave();
    let told: BTreeSet<String> =
        feeds.published().into_iter().filter_map(|(token, told)| told.then_some(token)).collect();
    let mut process = daemon.start(count + 1);
    let deadline = Instant::now() + PATIENCE;
    let has_all = receiver.until_stories(told.len(), deadline).await;
    stops.push(daemon::stop(&mut process).await);

    let mut findings = Findings { figures: format!("WIREWATCH_SEED={seed}"), problems: Vec::new() };
    findings.demand(has_all, || format!("not all is told:\n{}", daemon.log_tail()));
    check_stops(&stops, &mut findings);
    let hits = receiver.hits();
    check_coverage(&stops[..count], &hits, &mut findings);
    check_told(&told, &hits, &mut findings);
    daemon.keep_if_wrong(&mut findings);
    findings
}

fn install(feeds: &Feeds, receiver: &Receiver) -> Daemon {
    let mut more = daemon::channel("desk", &receiver.url());
    for (number, url) in feeds.urls().into_iter().enumerate() {
        more.push_str(&daemon::feed(&format!("wire-{number}"), &url));
    }
    Daemon::install(&["desk"], &more)
}

/// Mostly a hundredth to a tenth of a second; one answer in fifty takes two seconds more.
fn delay(random: &mut Random) -> Duration {
    let slow = if random.below(50) == 0 { 2_000 } else { 0 };
    Duration::from_millis(slow + 10 + random.below(90))
}

/// One life of the program. Every second one is stopped while a document is taken in.
async fn stop_once(run: usize, daemon: &Daemon, feeds: &Feeds, moments: &mut Random) -> Stopped {
    let mut process = daemon.start(run);
    feeds.first_poll_of(run, || daemon.log_tail()).await;
    // The moment of the stop is what the test varies; it waits for nothing.
    tokio::time::sleep(Duration::from_micros(moments.below(LIFE))).await;
    if run.is_multiple_of(2) {
        let sent = feeds.next_document(|| daemon.log_tail()).await;
        tokio::time::sleep_until(sent.into()).await;
    }
    let ended = process.try_wait().unwrap();
    assert!(ended.is_none(), "ended by itself, {ended:?}:\n{}", daemon.log_tail());
    daemon::stop(&mut process).await
}

fn check_stops(stops: &[Stopped], findings: &mut Findings) {
    let mut took: Vec<Duration> = stops.iter().map(|stop| stop.took).collect();
    took.sort_unstable();
    let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
    write!(findings.figures, " stops={} median={median:.0?} slowest={slowest:.1?}", stops.len())
        .unwrap();
    findings.demand(median <= USUAL, || format!("half of the stops take {median:?} or longer"));
    for (number, stop) in stops.iter().enumerate().filter(|(_, stop)| !stop.is_graceful()) {
        let Stopped { took, code, .. } = stop;
        let complaint = format!("stop {number}: {code:?} after {took:?}, limit {STOP_LIMIT:?}");
        findings.problems.push(complaint);
    }
}

/// Stops that hit no delivery on its way prove little.
fn check_coverage(stops: &[Stopped], hits: &[Hit], findings: &mut Findings) {
    let is_on_its_way =
        |stop: &&Stopped| hits.iter().any(|hit| hit.at <= stop.at && stop.at <= hit.answered);
    let share = 100 * stops.iter().filter(is_on_its_way).count() / stops.len().max(1);
    write!(findings.figures, " in_flight={share}%").unwrap();
    let is_enough = stops.len() < ENOUGH_STOPS || share >= 20;
    findings.demand(is_enough, || "void: too few stops hit a delivery".to_owned());
}

/// What was published against what arrived.
fn check_told(published: &BTreeSet<String>, hits: &[Hit], findings: &mut Findings) {
    let arrived: BTreeSet<&String> = hits.iter().filter_map(|hit| hit.story.as_ref()).collect();
    let lost: Vec<_> = published.iter().filter(|token| !arrived.contains(token)).collect();
    let phantom: Vec<_> = arrived.iter().filter(|token| !published.contains(**token)).collect();
    let repeats = Repeats::among(hits);
    write!(
        findings.figures,
        " published={} requests={} lost={} phantom={} dup_same_id={} dup_new_id={}",
        published.len(),
        hits.len(),
        lost.len(),
        phantom.len(),
        repeats.same_id,
        repeats.new_id
    )
    .unwrap();
    findings.demand(!published.is_empty(), || "void: nothing was published".to_owned());
    findings.demand(lost.is_empty(), || format!("lost: {lost:?}"));
    findings.demand(phantom.is_empty(), || format!("told but not published: {phantom:?}"));
    let is_rare = repeats.same_id * 100 <= hits.len() * REPEATS;
    findings.demand(is_rare, || format!("{} repeats of {}", repeats.same_id, hits.len()));
    findings.demand(repeats.new_id == 0, || format!("{} under a new id", repeats.new_id));
}
