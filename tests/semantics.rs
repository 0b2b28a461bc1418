//! What telling means, to the second and to the last member: groups, members,
//! silences, inhibition and first imports.
//!
//! ```sh
//! cargo test --test semantics -- --nocapture          # prints the figures
//! WIREWATCH_STORIES=5000 cargo test --test semantics every_receiver -- --nocapture
//! ```
//!
//! The program's own loops run in this process, on a clock that only the test
//! moves, so that hours of policy pass at once. Counted is at the far end:
//! receivers note what came and when, and an oracle that knows nothing of the
//! program's code says what should have come. Choices are random;
//! `WIREWATCH_SEED` repeats them.
//!
//! A test that has never been red proves nothing. Each of these bugs, put in by
//! hand, was caught: a silence that holds at its end, or not at its beginning;
//! members of a group, or a second try, that no silence is asked about; a wait
//! or an interval that is ignored; a group that takes only those along that are
//! due; a delivery marked as sent before it is; a new id for each attempt;
//! `min_severity` ignored; feeds told of beside their host; a changed feed whose
//! old entries are not held back; a moved feed whose news are.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and prints what it found"
)]
#![allow(dead_code, reason = "the support code is another target's")]

#[path = "semantics/desk.rs"]
mod desk;
#[path = "semantics/firsts.rs"]
mod firsts;
#[path = "semantics/flow.rs"]
mod flow;
#[path = "semantics/grouped.rs"]
mod grouped;
#[path = "semantics/grouping.rs"]
mod grouping;
#[path = "semantics/lives.rs"]
mod lives;
#[path = "semantics/members.rs"]
mod members;
#[path = "semantics/news.rs"]
mod news;
#[path = "semantics/outage.rs"]
mod outage;
#[path = "semantics/post.rs"]
mod post;
#[path = "kill/random.rs"]
mod random;
#[path = "semantics/silences.rs"]
mod silences;
#[path = "semantics/single.rs"]
mod single;
#[path = "semantics/spared.rs"]
mod spared;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/world.rs"]
mod world;

use firsts::Scenario;
use grouping::Sequence;
use random::Random;
use tokio::task::JoinSet;

#[test]
fn groups_go_out_when_they_should_in_a_thousand_sequences() {
    let seed = random::seed();
    let mut random = Random::new(seed, 1);
    let (mut messages, mut alerts) = (0, 0);
    let mut problems = Vec::new();
    for number in 0..1_000 {
        let sequence = Sequence::random(&mut random);
        let sent = sequence.play();
        (messages, alerts) = (messages + sent.len(), alerts + sequence.arrivals.len());
        let found = sequence.problems(&sent);
        if !found.is_empty() {
            problems.push(format!("{number}, {:?}: {found:?}", sequence.terms));
        }
    }
    println!("grouping: 1,000 sequences, {alerts} alerts in {messages} messages, seed {seed}");
    assert!(problems.is_empty(), "{} sequences, seed {seed}: {problems:#?}", problems.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_go_out_when_they_should_through_the_whole_program() {
    let seed = random::seed();
    let found = grouped::run(&mut Random::new(seed, 2)).await;
    println!(
        "grouping: {} groups through the program, {} alerts in {} messages, seed {seed}",
        found.groups, found.alerts, found.messages
    );
    assert!(found.problems.is_empty(), "seed {seed}: {:#?}", found.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_receiver_is_told_of_exactly_what_it_should_be_though_the_program_is_killed() {
    let stories = std::env::var("WIREWATCH_STORIES").map_or(500, |count| count.parse().unwrap());
    let seed = random::seed();
    let report = flow::run(stories, &mut Random::new(seed, 3)).await;
    let (kills, daemons) = report.kills;
    println!("members: {stories} stories, {kills} kills ({daemons} of daemons), seed {seed}");
    let mut problems = Vec::new();
    for (receiver, found) in members::RECEIVERS.iter().zip(&report.found) {
        println!("  {}", found.row(receiver.name));
        problems.extend(found.problems(receiver.name));
    }
    assert_eq!(report.stories, stories, "void: entries were taken for one story");
    assert_eq!(kills, flow::KILLS, "void: too few kills hit the program at work");
    assert!(problems.is_empty(), "seed {seed}: {problems:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_holds_for_what_falls_due_just_before_it_ends() {
    let told = grouped::at_the_end_of_an_interval(&mut Random::new(random::seed(), 11)).await;
    assert_eq!(told, [(1, 0), (2, 604)], "(alerts, seconds) of each message");
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_hold_to_the_second_though_the_clock_is_set() {
    let seed = random::seed();
    let found = silences::run(&mut Random::new(seed, 4)).await;
    println!(
        "silences: {} silences, {} told, {} silenced, wrong sends {}, wrong suppressions {}, \
         early {}, seed {seed}",
        found.silences,
        found.told,
        found.silenced,
        found.wrong_sends.len(),
        found.wrong_suppressions.len(),
        found.early
    );
    assert_eq!(found.silences, 200);
    assert!(found.told > 100 && found.silenced > 100, "void: {found:#?}");
    let wrong = (&found.wrong_sends, &found.wrong_suppressions, found.early);
    assert_eq!(wrong, (&Vec::new(), &Vec::new(), 0), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_begins_before_a_second_try_is_heeded() {
    let seed = random::seed();
    let wrong = spared::second_tries(40, &mut Random::new(seed, 5)).await;
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_begins_before_a_digest_is_tried_again_is_heeded() {
    let told = spared::second_try_of_a_digest(&mut Random::new(random::seed(), 12)).await;
    assert!(told.is_empty(), "told though all of it is silenced: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_begins_while_a_message_waits_is_heeded() {
    let told = spared::begun_in_time(&mut Random::new(random::seed(), 6)).await;
    assert!(told.is_empty(), "told all the same: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_is_over_when_a_message_goes_out_suppresses_nothing() {
    let not_told = spared::over_in_time(&mut Random::new(random::seed(), 7)).await;
    assert!(not_told.is_empty(), "not told though nothing is silenced: {not_told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_says_that_a_story_was_silenced_for_its_whole_life() {
    let said = spared::for_a_whole_life(5, &mut Random::new(random::seed(), 8)).await;
    let expected =
        ("suppressed".to_owned(), "silenced by ann (x0000000000000007): known".to_owned());
    assert!(said.iter().all(|one| *one == expected), "{said:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_feeds_of_a_host_that_fails_are_one_notice_and_its_end_is_one() {
    let found = outage::run(&mut Random::new(random::seed(), 9)).await;
    println!(
        "inhibition: {} feeds, {} requests failed, {} answered after; messages while down {:?}, \
         after {:?}",
        outage::FEEDS,
        found.failed,
        found.answered,
        found.while_down,
        found.after
    );
    assert!(found.failed >= 3 * outage::FEEDS, "void: too few failed");
    assert!(found.answered >= outage::FEEDS, "void: too few came back");
    assert_eq!(found.while_down, [["host-down"]]);
    assert_eq!(found.after, [["host-up"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_added_or_changed_tells_nothing_old_and_all_that_is_new() {
    let seed = random::seed();
    let trials = Scenario::ALL
        .into_iter()
        .flat_map(|scenario| scenario.datings().iter().map(move |dated| (scenario, *dated)));
    let mut running = JoinSet::new();
    for (number, (scenario, dated)) in trials.enumerate() {
        let random = Random::new(seed, 100 + number as u64);
        running.spawn(async move { (scenario, dated, firsts::run(scenario, dated, random).await) });
    }
    let mut problems = Vec::new();
    for (scenario, dated, found) in running.join_all().await {
        let unexpected = found.unexpected.len();
        println!(
            "first imports: {scenario:?}, dated {dated}: {} of {} news told, unexpected \
             {unexpected}",
            found.told, found.news
        );
        if !found.missing.is_empty() || unexpected > 0 {
            problems.push(format!("{scenario:?}, dated {dated}: {found:?}"));
        }
    }
    assert!(problems.is_empty(), "seed {seed}: {problems:#?}");
}
