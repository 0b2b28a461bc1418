//! Ten channels are told of the same stories by the real program; four of them may be bad.
//!
//! The same run without bad ones is what "harms none" is measured against.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::Findings;
use super::bad::{Bad, FAULTS, Fault, Visit};
use super::daemon::{self, Daemon, STOP_LIMIT, Stopped};
use super::random::Random;
use super::receiver::{Hit, Receiver, Repeats};
use super::wire::{Wire, token};

const CHANNELS: usize = 10;
/// All good receivers must have everything within this time, and a second for each ten stories.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the program may have in memory, in KiB.
const MEMORY: u64 = 256 * 1024;
/// What may be read of an answer, in bytes.
const ANSWER: u64 = 64 * 1024;
/// What the kernels of both sides can hold of an answer that nobody has read.
const BUFFERS: u64 = 1024 * 1024;
/// The same where the server breathes between chunks: those on their way when the reader leaves.
const CHUNKS: u64 = 32 * 1024;
/// Beside bad ones a good endpoint gets its story so long after the fastest one at most. On a busy
/// machine that is so without bad ones too; then the limit is a multiple of what it is there.
const LAG: Duration = Duration::from_secs(2);
const TIMES: u32 = 3;
/// No delivery is tried again before this.
const FIRST_WAIT: Duration = Duration::from_millis(4_500);

/// Who is told beside the six good receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Good,
    Bad,
}

/// What a run came to.
pub(crate) struct Race {
    findings: Findings,
    /// How long after the document that brought it a story arrived, at every good receiver.
    delays: Vec<Duration>,
    /// How long after the first good receiver that got it.
    lags: Vec<Duration>,
}

/// Tells ten channels of so many stories.
pub(crate) async fn run(stories: usize, company: Company, seed: u64) -> Race {
    let wire = Wire::start(stories, Random::new(seed, 1)).await;
    let bad: Vec<Bad> = match company {
        Company::Good => Vec::new(),
        Company::Bad => FAULTS.into_iter().map(Bad::start).collect(),
    };
    let mut good = Vec::new();
    for _ in bad.len()..CHANNELS {
        good.push(Receiver::fast().await);
    }
    let daemon = install(&wire, &good, &bad);
    let mut process = daemon.start(1);
    let begun = Instant::now();
    let deadline = begun + PATIENCE + Duration::from_millis(100) * u32::try_from(stories).unwrap();
    let mut findings = Findings::default();
    for (number, receiver) in good.iter().enumerate() {
        let has_all = receiver.until_stories(stories, deadline).await;
        findings.demand(has_all, || format!("good {number} has not got everything"));
    }
    let took = begun.elapsed();
    check_memory(&process, &mut findings);
    let stopped = daemon::stop(&mut process).await;
    check_stop(stopped, &daemon, &mut findings);
    write!(findings.figures, " took={took:.1?} stop={:.1?}", stopped.took).unwrap();
    for (number, receiver) in good.iter().enumerate() {
        check_good(number, &receiver.hits(), stories, &mut findings);
    }
    for server in &bad {
        check_bad(server, &mut findings);
    }
    daemon.keep_if_wrong(&mut findings);
    let (delays, lags) = times(&wire.shown_at(), &good);
    Race { findings, delays, lags }
}

fn install(wire: &Wire, good: &[Receiver], bad: &[Bad]) -> Daemon {
    let mut more = daemon::feed("wire", &wire.url());
    let mut names = Vec::new();
    // The bad ones come first, where they would be in the way of the others.
    for server in bad {
        more.push_str(&daemon::channel(&server.name(), &server.url()));
        names.push(server.name());
    }
    for (number, receiver) in good.iter().enumerate() {
        let name = format!("good-{number}");
        more.push_str(&daemon::channel(&name, &receiver.url()));
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Daemon::install(&names, &more)
}

fn check_memory(process: &Child, findings: &mut Findings) {
    let (peak, now) = (daemon::memory(process, "VmHWM"), daemon::memory(process, "VmRSS"));
    write!(findings.figures, " rss={} MiB peak={} MiB", now / 1024, peak / 1024).unwrap();
    findings.demand(peak <= MEMORY, || format!("{peak} KiB in memory"));
}

fn check_stop(stopped: Stopped, daemon: &Daemon, findings: &mut Findings) {
    findings.demand(stopped.is_graceful(), || {
        format!("{stopped:?}, not within {STOP_LIMIT:?}:\n{}", daemon.log_tail())
    });
}

/// Every story once, in the order in which they were published.
fn check_good(number: usize, hits: &[Hit], stories: usize, findings: &mut Findings) {
    let told: Vec<&str> = hits.iter().filter_map(|hit| hit.story.as_deref()).collect();
    let repeats = Repeats::among(hits);
    let is_single = repeats == Repeats::default() && told.len() == stories;
    findings.demand(is_single, || {
        format!("good {number}: {} messages of {stories} stories, {repeats:?}", told.len())
    });
    let first_wrong = told.iter().enumerate().find(|(place, told)| **told != token(*place));
    findings.demand(first_wrong.is_none(), || format!("good {number}: order: {first_wrong:?}"));
}

/// It was asked, each delivery not too soon again, and little was read of what it says.
fn check_bad(server: &Bad, findings: &mut Findings) {
    let (fault, visits) = (server.fault, server.visits());
    let mut shortest = Duration::MAX;
    for (number, visit) in visits.iter().enumerate() {
        let before = visits[..number].iter().rev().find(|before| before.id == visit.id);
        shortest = shortest.min(before.map_or(Duration::MAX, |before| visit.at - before.at));
    }
    findings.demand(!visits.is_empty(), || format!("void: {fault:?} was never asked"));
    findings.demand(shortest >= FIRST_WAIT, || format!("{fault:?}: again after {shortest:?}"));
    write!(findings.figures, "\n    {fault:?}: {} requests", visits.len()).unwrap();
    if fault == Fault::Endless {
        // It said 200: that is an acceptance, however long the rest of the answer is.
        findings.demand(shortest == Duration::MAX, || "endless: told twice".to_owned());
        check_reading(&visits, findings);
    }
}

/// What was read of endless answers: exact to a few chunks where the server took its breath, with
/// all that two kernels can hold where it did not.
fn check_reading(visits: &[Visit], findings: &mut Findings) {
    let written = |from: usize| {
        let mut written: Vec<u64> =
            visits.iter().skip(from).step_by(2).map(|visit| visit.written).collect();
        written.sort_unstable();
        let median = written.get(written.len() / 2).copied().unwrap_or(0);
        (median, written.last().copied().unwrap_or(0))
    };
    let ((median, most), (breathing, most_breathing)) = (written(0), written(1));
    write!(
        findings.figures,
        ", bytes written in the median {median}, at most {most}; with a breath between chunks \
         {breathing}, {most_breathing}"
    )
    .unwrap();
    let is_bounded = most.max(most_breathing) <= ANSWER + BUFFERS;
    findings.demand(is_bounded, || format!("{most} or {most_breathing} bytes were taken"));
    let is_close = breathing <= ANSWER + CHUNKS;
    findings.demand(is_close, || format!("{breathing} bytes were read of an endless answer"));
}

/// Delays and lags of each story at each receiver.
fn times(shown_at: &[Instant], good: &[Receiver]) -> (Vec<Duration>, Vec<Duration>) {
    let (mut delays, mut lags) = (Vec::new(), Vec::new());
    let all: Vec<Vec<Hit>> = good.iter().map(Receiver::hits).collect();
    for (number, shown_at) in shown_at.iter().enumerate() {
        let story = token(number);
        let is_it = |hit: &&Hit| hit.story.as_ref() == Some(&story);
        let arrivals: Vec<Instant> =
            all.iter().filter_map(|hits| hits.iter().find(is_it)).map(|hit| hit.at).collect();
        let Some(fastest) = arrivals.iter().min() else { continue };
        delays.extend(arrivals.iter().map(|at| *at - *shown_at));
        lags.extend(arrivals.iter().map(|at| *at - *fastest));
    }
    delays.sort_unstable();
    lags.sort_unstable();
    (delays, lags)
}

/// Both runs, side by side.
pub(crate) fn compare(calm: &Race, troubled: &Race) -> Findings {
    let mut findings = Findings::default();
    for (name, race) in [("ten good ones", calm), ("four bad ones", troubled)] {
        let (delays, lags) = (percentiles(&race.delays), percentiles(&race.lags));
        write!(
            findings.figures,
            "\n  {name}: after the document {delays}, after the fastest {lags}{}",
            race.findings.figures
        )
        .unwrap();
        findings.problems.extend(race.findings.problems.iter().map(|one| format!("{name}: {one}")));
    }
    let lag = at(&troubled.lags, 99);
    let limit = LAG.max(TIMES * at(&calm.lags, 99));
    findings.demand(lag <= limit, || format!("one story in a hundred comes {lag:?} later"));
    findings
}

/// For people.
fn percentiles(sorted: &[Duration]) -> String {
    let [p50, p99, max] = [50, 99, 100].map(|per_cent| at(sorted, per_cent).as_millis());
    format!("p50={p50} p99={p99} max={max} ms")
}

/// A percentile of what is sorted.
fn at(sorted: &[Duration], per_cent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * per_cent / 100).copied().unwrap_or_default()
}
