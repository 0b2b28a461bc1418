//! What a publisher sees in the server's log: never too often, never at once with everybody, never
//! again after "gone". Days pass in seconds, under libfaketime, and requests are counted at the
//! far end.
//!
//! ```sh
//! apt-get install faketime
//! cargo test --test manners
//! ```
//!
//! Without libfaketime every test says that it is skipped. `WIREWATCH_FAKETIME` names the library
//! where it is not found, `WIREWATCH_BIN` another binary, and `WIREWATCH_SEED` repeats the random
//! moments of a run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "manners/life.rs"]
mod life;
#[path = "kill/random.rs"]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "manners/town.rs"]
mod town;

use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use life::{Daemon, VirtualTime, signal, stop};
use random::Random;
use support::http::{Reply, handler};
use town::{Town, document, gaps, path};

/// A request may be late by so much of our time, and the next one not.
const LATE: Duration = Duration::from_millis(40);

const fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// The library, or a word that there is none.
fn library() -> Option<PathBuf> {
    let found = life::library();
    if found.is_none() {
        say("skipped: faketime is not installed");
    }
    found
}

/// Says something even if the test passes: the harness keeps back only what the macros print.
fn say(words: &str) {
    std::io::stderr().write_all(format!("manners: {words}\n").as_bytes()).unwrap();
}

/// Gaps that are shorter than 98 % of the interval.
fn too_soon(polls: &[Instant], time: &VirtualTime, interval: SignedDuration) -> Vec<String> {
    let shortest = interval * 98 / 100 - time.seen(LATE);
    let gaps = gaps(polls).into_iter().map(|gap| time.seen(gap));
    gaps.filter(|gap| *gap < shortest).map(|gap| format!("{gap:#}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_crashes_and_reloads_bring_no_poll_before_its_interval() {
    let Some(library) = library() else { return };
    let seed = random::seed();
    let mut random = Random::new(seed, 1);
    let town = Town::build(15, 30).await;
    let daemon = Daemon::install(&library, &town.configuration("3h"));
    let time = VirtualTime::faster_by(2_400);
    let end = Instant::now() + hours(24).unsigned_abs() / 2_400;
    let mut process = daemon.start(&time);
    let mut events = Vec::new();
    while Instant::now() < end {
        // The moment of the event is what the test varies; it waits for nothing.
        tokio::time::sleep(Duration::from_millis(300 + random.below(1_800))).await;
        let event = random.choose(&["TERM", "KILL", "HUP"]);
        events.push(event);
        match event {
            "TERM" => stop(&mut process).await,
            "KILL" => process.kill().await.unwrap(),
            _ => {
                daemon.write_config(&random.below(1 << 30).to_string());
                signal("HUP", &process).await;
                continue;
            }
        }
        process = daemon.start(&time);
    }
    process.kill().await.unwrap();
    say(&format!("WIREWATCH_SEED={seed}, 24 hours with {}", events.join(" ")));
    for feed in 0..30 {
        let polls = town.polls(feed);
        let soon = too_soon(&polls, &time, hours(3));
        assert!(soon.is_empty(), "feed {feed}: {soon:?}\n{}", daemon.log_tail());
        assert!((6..=9).contains(&polls.len()), "feed {feed} was asked {} times", polls.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_request_brings_no_second_one() {
    let Some(library) = library() else { return };
    let mut random = Random::new(random::seed(), 2);
    let town = Town::build(1, 1).await;
    // Half of the kills come before the answer.
    let slow = Duration::from_millis(25);
    town.route(0, handler(move |_| document(0, 1).delay(slow)));
    let daemon = Daemon::install(&library, &town.configuration("1h"));
    let time = VirtualTime::faster_by(2_400);
    for kill in 1..=10 {
        let mut process = daemon.start(&time);
        town.wait_for(0, kill).await;
        tokio::time::sleep(Duration::from_millis(random.below(50))).await;
        process.kill().await.unwrap();
    }
    let soon = too_soon(&town.polls(0), &time, hours(1));
    assert!(soon.is_empty(), "{soon:?}\n{}", daemon.log_tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_gone_is_never_asked_again() {
    let Some(library) = library() else { return };
    let town = Town::build(2, 2).await;
    town.route(0, handler(|_| Reply::status(410)));
    let daemon = Daemon::install(&library, &town.configuration("12h"));
    let mut time = VirtualTime::faster_by(2_400);
    let mut process = daemon.start(&time);
    town.wait_for(0, 1).await;
    town.wait_for(1, 1).await;
    time.pass(hours(1)).await;
    stop(&mut process).await;
    // Fourteen days, three of the four lives after a pause.
    time.change_factor(20_000);
    for off in [0, 66, 66, 66] {
        time.skip(hours(off));
        process = daemon.start(&time);
        time.pass(hours(36)).await;
        process.kill().await.unwrap();
    }
    assert_eq!(town.polls(0).len(), 1, "{}", daemon.log_tail());
    let others = town.polls(1).len();
    assert!(others >= 6, "the other feed was asked {others} times\n{}", daemon.log_tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_with_retry_after_pauses_the_whole_host() {
    let Some(library) = library() else { return };
    // Feeds 0 and 2 share a host.
    let town = Town::build(2, 4).await;
    let asked = AtomicUsize::new(0);
    let answer = move |_: &_| match asked.fetch_add(1, Ordering::SeqCst) {
        2 => Reply::status(429).header("Retry-After", "7200"),
        _ => document(0, 1),
    };
    town.route(0, handler(answer));
    let daemon = Daemon::install(&library, &town.configuration("10m"));
    let time = VirtualTime::faster_by(600);
    let process = daemon.start(&time);
    let refused = town.wait_for(0, 3).await;
    time.pass(hours(2) + minutes(15)).await;
    drop(process);
    let first_after = |feed: usize| {
        let polls = town.polls(feed);
        let next = polls.into_iter().find(|at| *at > refused);
        time.seen(next.expect("it is asked again") - refused)
    };
    for feed in [0, 2] {
        let pause = first_after(feed);
        assert!(pause > hours(2) * 99 / 100, "feed {feed} after {pause:#}\n{}", daemon.log_tail());
    }
    assert!(first_after(1) < minutes(15), "another host has to wait\n{}", daemon.log_tail());
    let elsewhere = town.polls(1).iter().filter(|at| **at > refused).count();
    assert!(elsewhere >= 10, "another host was asked {elsewhere} times in two hours");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_permanent_redirects_and_then_an_answer_do_not_move_a_feed() {
    let Some(library) = library() else { return };
    let town = Town::build(1, 1).await;
    let asked = AtomicUsize::new(0);
    let answer = move |_: &_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::status(301).header("Location", "/moved.xml"),
        _ => document(0, 1),
    };
    town.route(0, handler(answer));
    town.host_of(0).route("/moved.xml", handler(|_| document(0, 1)));
    let daemon = Daemon::install(&library, &town.configuration("6h"));
    let time = VirtualTime::faster_by(9_600);
    let mut process = daemon.start(&time);
    town.wait_for(0, 4).await;
    stop(&mut process).await;
    process = daemon.start(&time);
    town.wait_for(0, 6).await;
    time.pass(hours(1)).await;
    drop(process);
    assert_eq!(town.at_path(0, "/moved.xml").len(), 2, "{}", daemon.log_tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_busy_is_asked_half_as_often_each_time() {
    let Some(library) = library() else { return };
    let town = Town::build(1, 1).await;
    town.route(0, handler(|_| Reply::status(503)));
    let daemon = Daemon::install(&library, &town.configuration("15m"));
    let time = VirtualTime::faster_by(2_400);
    let process = daemon.start(&time);
    time.pass(hours(16)).await;
    drop(process);
    let gaps: Vec<_> = gaps(&town.polls(0)).into_iter().map(|gap| time.seen(gap)).collect();
    assert!(gaps.len() >= 3, "{gaps:#?}\n{}", daemon.log_tail());
    assert!(gaps[0] >= minutes(15) * 98 / 100 - time.seen(LATE), "{gaps:#?}");
    for pair in gaps.windows(2) {
        // Twice, less what 20 % of jitter in the first of the two takes away.
        let shortest = pair[0] * 16 / 10 - time.seen(LATE);
        assert!(pair[1] >= shortest && pair[1] < hours(29), "{gaps:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_without_end_are_six_requests_at_the_most() {
    let Some(library) = library() else { return };
    let town = Town::build(2, 2).await;
    let to = |location: &str| {
        let location = location.to_owned();
        handler(move |_| Reply::status(302).header("Location", location.as_str()))
    };
    town.route(0, to("/there.xml"));
    town.host_of(0).route("/there.xml", to(&path(0)));
    town.route(1, to("/hop/0"));
    for hop in 0..20 {
        town.host_of(1).route(&format!("/hop/{hop}"), to(&format!("/hop/{}", hop + 1)));
    }
    let daemon = Daemon::install(&library, &town.configuration("1h"));
    let time = VirtualTime::faster_by(2_400);
    let process = daemon.start(&time);
    time.pass(hours(4)).await;
    drop(process);
    for feed in [0, 1] {
        let all: Vec<_> = town.host_of(feed).all_requests().iter().map(|one| one.at).collect();
        let mut polls = vec![1];
        for gap in gaps(&all) {
            if time.seen(gap) > minutes(45) {
                polls.push(0);
            }
            *polls.last_mut().unwrap() += 1;
        }
        assert!(polls.len() >= 2, "{polls:?}\n{}", daemon.log_tail());
        assert!(polls.iter().all(|requests| *requests <= 6), "{polls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_feeds_are_spread_at_the_first_start_and_after_a_pause() {
    let Some(library) = library() else { return };
    let town = Town::build(50, 500).await;
    let daemon = Daemon::install(&library, &town.configuration("1h"));
    let mut time = VirtualTime::faster_by(60);
    let mut found = Vec::new();
    // What the shorter spread leaves to a poll must be more than this machine needs for one.
    let starts = [("first start", 0, 15, 60), ("after six hours", 6, 5, 30)];
    for (what, off, spread, factor) in starts {
        time.skip(hours(off));
        time.change_factor(factor);
        let begun = town.requests().len();
        let mut process = daemon.start(&time);
        time.pass(minutes(i64::from(spread) + 1)).await;
        process.kill().await.unwrap();
        let polls: Vec<_> = town.requests()[begun..].iter().map(|one| one.at).collect();
        assert_eq!(polls.len(), 500, "{what}\n{}", daemon.log_tail());
        let after = |at: &Instant| time.seen(*at - polls[0]).as_secs();
        let first = polls.iter().filter(|at| after(at) < 1).count();
        // Ten seconds, for our own hiccups are a virtual second long.
        let mut tens = vec![0; usize::try_from(spread + 2).unwrap() * 6];
        polls.iter().for_each(|at| tens[usize::try_from(after(at)).unwrap() / 10] += 1);
        // One each 190 ms: 53 in ten seconds. A virtual second is 17 ms of this machine's, too few
        // to be held to the second: all at once would be 500.
        let (most, even) = (*tens.iter().max().unwrap(), 53);
        say(&format!("{what}: {first} in the first second, {most} in ten seconds, even {even}"));
        if first > 50 || most > even * 2 {
            found.push(format!("{what}: {first} in the first second, {most} in ten: {tens:?}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jumps_of_the_wall_clock_change_neither_rhythm_nor_memory() {
    let Some(library) = library() else { return };
    let town = Town::build(3, 3).await;
    // What this feed has shown and shows no more is kept only by memory.
    let news = Arc::new(AtomicU64::new(0));
    let newest = news.clone();
    town.route(0, handler(move |_| document(0, newest.load(Ordering::SeqCst))));
    let daemon = Daemon::install(&library, &town.configuration("1s"));
    let set = |offset: i64| std::fs::write(daemon.time_file(), format!("{offset:+}\n")).unwrap();
    set(0);
    let process = daemon.start_by_file();
    town.wait_for(2, 2).await;
    let day = 86_400;
    // The longest of them is long enough for the loop that forgets.
    let phases = [
        ("undisturbed", 0, 5),
        ("two hours back", -7_200, 5),
        ("two hours ahead", 7_200, 5),
        ("400 days ahead", 400 * day, 12),
        ("and back", 0, 5),
    ];
    let mut found = Vec::new();
    for (what, offset, seconds) in phases {
        set(offset);
        news.fetch_add(1, Ordering::SeqCst);
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        for feed in 0..3 {
            let polls = town.polls(feed).into_iter().filter(|at| *at >= begun).count() as u64;
            // Each wait is a second and up to a tenth more.
            if polls + 1 < seconds * 10 / 11 || polls > seconds + 1 {
                found.push(format!("{what}: feed {feed} was asked {polls} times in {seconds} s"));
            }
        }
    }
    drop(process);
    let db = rusqlite::Connection::open(daemon.database()).unwrap();
    let entries: i64 = db.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
    if entries != 8 {
        found.push(format!("{entries} of 8 entries are left"));
    }
    assert!(found.is_empty(), "{found:#?}\n{}", daemon.log_tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_carry_nothing_that_was_not_asked_for() {
    let Some(library) = library() else { return };
    let town = Town::build(20, 40).await;
    let version = Arc::new(AtomicU64::new(0));
    for feed in 0..40 {
        let version = version.clone();
        match feed % 5 {
            0 => town.route(feed, handler(|_| Reply::status(302).header("Location", "/away.xml"))),
            // Other news each time, under a validator that never fits.
            1 => town.route(
                feed,
                handler(move |_| document(feed, version.fetch_add(1, Ordering::SeqCst))),
            ),
            2 => town.route(feed, handler(|_| Reply::ok("<html>no feed</html>"))),
            _ => {}
        }
        town.host_of(feed).route("/away.xml", handler(|_| document(99, 1)));
    }
    let daemon = Daemon::install(&library, &town.configuration("1m"));
    let time = VirtualTime::faster_by(300);
    let process = daemon.start(&time);
    let patience = Instant::now() + Duration::from_secs(35);
    while town.requests().len() < 1_000 && Instant::now() < patience {
        time.pass(minutes(1)).await;
    }
    drop(process);
    let requests = town.requests();
    assert!(requests.len() >= 1_000, "{} requests\n{}", requests.len(), daemon.log_tail());
    let paths: HashSet<_> = (0..40).map(path).chain(["/away.xml".to_owned()]).collect();
    let agents: HashSet<_> = requests.iter().map(|one| one.header("User-Agent")).collect();
    assert_eq!(agents.len(), 1, "{agents:?}");
    for request in &requests {
        let wrong = request.method != "GET"
            || request.query.is_some()
            || !paths.contains(&request.path)
            || ["Cookie", "Referer"].iter().any(|name| request.header(name).is_some());
        assert!(!wrong, "{request:?}");
    }
}
