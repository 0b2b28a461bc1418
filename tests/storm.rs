//! A rule that matches everything, a flood of stories, a budget of six messages an hour, and the
//! daemon killed again and again meanwhile: nobody is flooded, and nothing is lost.
//!
//! ```sh
//! cargo test --test storm                            # 400 stories, a few seconds
//! cargo build --release
//! WIREWATCH_STORM=20000 WIREWATCH_BIN=target/release/wirewatch cargo test --test storm
//! ```
//!
//! Twenty feeds show all their stories at once. The daemon is killed at random moments until all
//! are matched. Then every receiver has had its six messages, which nothing may exceed, and the
//! rest is held with its reason. A larger budget makes room for one message more: a digest that
//! says that there was a storm, and counts all that waited.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and says what it found"
)]

#[path = "kill/random.rs"]
mod random;
#[path = "it/support/mod.rs"]
mod support;
#[path = "storm/town.rs"]
mod town;

use std::collections::BTreeSet;
use std::env;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use random::Random;
use rusqlite::Connection;
use serde_json::Value;
use town::{HOOK, Town};

/// Messages to a receiver in an hour.
const BUDGET: usize = 6;
/// Kills while the stories are taken in.
const KILLS: usize = 12;
/// Everything must have happened within this time, whatever the machine does.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_floods_nobody_and_loses_nothing() {
    let stories = env::var("WIREWATCH_STORM").map_or(400, |count| count.parse().expect("a number"));
    let seed = random::seed();
    let begun = Instant::now();
    let town = Town::build(stories, &mut Random::new(seed, 1)).await;
    town.configure(BUDGET);
    let kills = take_in(&town, stories, &mut Random::new(seed, 2), begun).await;
    let took = begun.elapsed();
    let lives = town.lives();
    let mut daemon = town.start();
    town.until("it watches", begun, || town.lives() > lives).await;
    // The start has all that is held decided about anew, which takes a while.
    let rest = 2 * (stories - BUDGET);
    town.until("the rest is held again", begun, || held(&town) == rest).await;
    let (hooks, mails) = (hook_messages(&town), mail_messages(&town));
    assert_eq!((hooks.len(), mails.len()), (BUDGET, BUDGET), "seed {seed}");

    town.configure(BUDGET + 1);
    town::reload(&daemon).await;
    let is_told = || hook_messages(&town).len() > BUDGET && mail_messages(&town).len() > BUDGET;
    town.until("the digests come", begun, is_told).await;
    town.until("all is recorded", begun, || gathered(&town) == rest).await;
    town::stop(&mut daemon).await;
    check_digests(&town, stories - BUDGET);
    check_ledger(&town, stories);
    eprintln!(
        "storm: {stories} stories, {kills} kills, taken in within {took:.1?}, messages to each \
         receiver {BUDGET} and a digest of {}",
        stories - BUDGET
    );
}

/// Kills the daemon at random moments until it knows all stories; returns how often.
async fn take_in(town: &Town, stories: usize, delays: &mut Random, begun: Instant) -> usize {
    let (mut kills, mut amid) = (0, 0);
    let mut pause = Duration::from_millis(500);
    loop {
        let mut daemon = town.start();
        if kills == KILLS {
            town.until("all is matched", begun, || {
                town.count("SELECT count(*) FROM alert") == stories
            })
            .await;
            daemon.kill().await.unwrap();
            assert!(amid > 0, "void: no kill fell among the stories");
            return kills + 1;
        }
        // The moment of the kill is what the test varies; it waits for nothing.
        let extra = Duration::from_millis(delays.below(1_500));
        tokio::time::sleep(pause + extra).await;
        daemon.kill().await.unwrap();
        let known = town.count("SELECT count(*) FROM alert");
        amid += usize::from(known > 0 && known < stories);
        kills += 1;
        pause += Duration::from_millis(50);
    }
}

/// Alerts that are kept back for a digest, with the reason.
fn held(town: &Town) -> usize {
    town.count(
        "SELECT count(*) FROM delivery WHERE alert_id IS NOT NULL AND state = 'waiting' \
         AND gather = 'storm' AND reason IS NOT NULL",
    )
}

/// Alerts that a digest has told.
fn gathered(town: &Town) -> usize {
    town.count("SELECT count(*) FROM delivery WHERE alert_id IS NOT NULL AND state = 'gathered'")
}

/// What the webhook was told of stories, each message once.
fn hook_messages(town: &Town) -> Vec<Value> {
    let mut ids = BTreeSet::new();
    let mut messages = Vec::new();
    for recorded in town.http.requests(HOOK) {
        let json: Value = serde_json::from_slice(&recorded.request.body).unwrap();
        let id = recorded.request.header("webhook-id").unwrap().to_owned();
        if json["type"] != "feed.notice" && ids.insert(id) {
            messages.push(json);
        }
    }
    messages
}

/// The texts of the mails about stories, each message once.
fn mail_messages(town: &Town) -> Vec<String> {
    let mut ids = BTreeSet::new();
    let mut texts = Vec::new();
    for message in town.smtp.accepted() {
        let mail = MessageParser::default().parse(&message.data).unwrap();
        let text = mail.body_text(0).unwrap().into_owned();
        let is_new = ids.insert(mail.message_id().unwrap().to_owned());
        if is_new && text.contains("storm story") {
            texts.push(text);
        }
    }
    texts
}

fn check_digests(town: &Town, gathered: usize) {
    let digest = hook_messages(town).pop().unwrap();
    assert_eq!(digest["type"], "alert.digest");
    assert_eq!(digest["data"]["alerts_total"], gathered);
    let reason = digest["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("storm"), "{reason}");
    let mail = mail_messages(town).pop().unwrap();
    assert!(mail.contains(&gathered.to_string()), "{mail}");
}

/// Each alert ended in exactly one message for each receiver.
fn check_ledger(town: &Town, stories: usize) {
    let db = Connection::open(town.database()).unwrap();
    let mut select = db
        .prepare(
            "SELECT channel, state, count(DISTINCT alert_id), count(*) FROM delivery \
             WHERE alert_id IS NOT NULL GROUP BY channel, state ORDER BY channel, state",
        )
        .unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .collect::<rusqlite::Result<Vec<(String, String, i64, i64)>>>()
        .unwrap();
    let row = |channel: &str, state: &str, count: usize| {
        let count = i64::try_from(count).unwrap();
        (channel.to_owned(), state.to_owned(), count, count)
    };
    let expected: Vec<_> = ["hook", "post"]
        .into_iter()
        .flat_map(|channel| {
            [row(channel, "gathered", stories - BUDGET), row(channel, "sent", BUDGET)]
        })
        .collect();
    assert_eq!(rows, expected);
    let integrity: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
}
