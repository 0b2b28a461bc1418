//! Silences in the places where it is easy to ask at the wrong moment: before
//! a second try, and while a message is kept back. And what `why` says of a
//! story that nobody was told of.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use wirewatch::model::Silence;

use crate::random::Random;
use crate::silences::span;
use crate::single::{BEGIN, Trial};
use crate::world::all;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn silence(number: usize, (since, until): (Timestamp, Option<Timestamp>)) -> Silence {
    Silence {
        id: format!("x{number:016}"),
        rule: None,
        story: None,
        feed: None,
        channel: None,
        since,
        until,
        author: "ann".to_owned(),
        comment: "known".to_owned(),
    }
}

/// Refuses the first try of every message, silences stories around the moment
/// of the second one, and tells which were told or not told wrongly.
pub(crate) async fn second_tries(stories: usize, random: &mut Random) -> Vec<String> {
    let mut trial = Trial::begin(&[("once", "")]).await;
    trial.publish(stories, random).await;
    trial.post.refuse_first_attempts();
    trial.desk.dispatch().await;
    assert_eq!(trial.post.attempts().len(), stories, "each was tried");
    let ids = trial.stories().await;
    let rows = trial.desk.store.deliveries(all()).await.unwrap();
    let mut dues: Vec<(Timestamp, String, bool)> = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let (since, until) = span(row.due_at, random);
        let holds = since <= row.due_at && until.is_some_and(|until| until > row.due_at);
        let story = ids.get(&row.title).cloned();
        trial.silence(Silence { story, ..silence(number, (since, until)) }).await;
        dues.push((row.due_at, row.title, holds));
    }
    dues.sort();
    for (due, ..) in &dues {
        trial.desk.set(*due - SignedDuration::from_millis(1));
        trial.desk.dispatch().await;
        trial.desk.set(*due);
        trial.desk.dispatch().await;
    }
    let told: BTreeMap<String, Timestamp> = trial
        .post
        .accepted("once")
        .into_iter()
        .map(|message| (message.members[0].1.clone(), message.at))
        .collect();
    let right = |(due, title, holds): &(Timestamp, String, bool)| {
        told.get(title).copied() == Some(*due).filter(|_| !holds)
    };
    let wrong = dues.iter().filter(|one| !right(one));
    wrong
        .map(|one| format!("(due, title, silenced) {one:?}: told {:?}", told.get(&one.1)))
        .collect()
}

/// Refuses the first try of a message that tells two alerts, and silences their
/// rule before the second one; titles that were told all the same.
pub(crate) async fn second_try_of_a_digest(random: &mut Random) -> Vec<String> {
    let mut trial = Trial::begin(&[("desk", "group_wait = '10m'")]).await;
    let begin = trial.desk.now();
    trial.publish(2, random).await;
    trial.desk.dispatch().await;
    trial.post.refuse_first_attempts();
    trial.dispatch_at(begin, MINUTE * 10).await;
    assert_eq!(trial.post.attempts().len(), 1, "one message, which was refused");
    let rule = Some("marked".to_owned());
    trial.silence(Silence { rule, ..silence(0, (begin + MINUTE * 10, None)) }).await;
    trial.dispatch_at(begin, MINUTE * 20).await;
    trial.told("desk")
}

/// Receivers for whom a message waits, and until when they have it.
const WAITING: [(&str, &str); 3] = [
    ("grouped", "group_wait = '2h'"),
    ("quiet", "quiet_hours = '09:00-13:00'"),
    ("daily", "digest = '13:00'"),
];

/// A silence that holds when an alert falls due, and is over when what it
/// waits for comes: receivers who were not told although nothing was silenced
/// when their message went out.
pub(crate) async fn over_in_time(random: &mut Random) -> Vec<&'static str> {
    let mut trial = Trial::begin(&WAITING).await;
    trial.publish(1, random).await;
    let now = trial.desk.now();
    let until = now + MINUTE * 10;
    let rule = Some("marked".to_owned());
    trial.silence(Silence { rule, ..silence(0, (now - HOUR, Some(until))) }).await;
    trial.desk.dispatch().await;
    trial.desk.set(now + HOUR * 3);
    trial.desk.dispatch().await;
    let names = WAITING.into_iter().map(|(name, _)| name);
    names.filter(|name| trial.told(name).is_empty()).collect()
}

/// The other way round: one that begins while a message waits must be heeded.
/// Receivers who were told all the same.
pub(crate) async fn begun_in_time(random: &mut Random) -> Vec<&'static str> {
    let mut trial = Trial::begin(&WAITING).await;
    trial.publish(2, random).await;
    let now = trial.desk.now();
    trial.desk.dispatch().await;
    let rule = Some("marked".to_owned());
    let since = now + MINUTE * 10;
    trial.silence(Silence { rule, ..silence(0, (since, None)) }).await;
    trial.desk.set(now + HOUR * 3);
    trial.desk.dispatch().await;
    let names = WAITING.into_iter().map(|(name, _)| name);
    names.filter(|name| !trial.told(name).is_empty()).collect()
}

/// Stories that are silenced from before they came until after all would have
/// been told; what `why` says of each delivery of each.
pub(crate) async fn for_a_whole_life(stories: usize, random: &mut Random) -> Vec<(String, String)> {
    let receivers = [("once", ""), WAITING[0], WAITING[1], WAITING[2]];
    let mut trial = Trial::begin(&receivers).await;
    trial.publish(stories, random).await;
    let since = BEGIN.parse().unwrap();
    let feed = Some("wire".to_owned());
    trial.silence(Silence { feed, ..silence(7, (since, None)) }).await;
    for hours in [0, 3, 24] {
        trial.desk.set(trial.desk.now() + HOUR * hours);
        trial.desk.dispatch().await;
    }
    assert!(trial.post.attempts().is_empty(), "nobody is told: {:?}", trial.post.attempts());
    let mut said = Vec::new();
    for story in trial.stories().await.into_values() {
        let why = trial.why(&story);
        let deliveries = why["rules"][0]["deliveries"].as_array().unwrap().clone();
        assert_eq!(deliveries.len(), receivers.len(), "{why}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        said.extend(deliveries.iter().map(|one| (text(&one["ledger"]), text(&one["reason"]))));
    }
    assert_eq!(said.len(), stories * receivers.len());
    said
}
