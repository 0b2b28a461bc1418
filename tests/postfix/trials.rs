//! The trials, each with a post office, a feed and a daemon of its own.

use std::time::Duration;

use serde_json::{Value, json};

use super::daemon::{Channel, Daemon, FEED, Running};
use super::imap::Kept;
use super::news::{self, Story};
use super::office::{DESK, LATE, Office, PASSWORD};
use super::random::Random;
use super::support::http::FeedServer;
use super::verdict::{Mail, compare};

/// So long may it take until 200 mails have come; seconds on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) async fn two_hundred_by_starttls(seed: u64) {
    let office = Office::open().await;
    let stories = news::odd(200, &mut Random::new(seed, 1));
    let feeds = publish(&stories).await;
    let daemon = Daemon::install(&feeds, &Channel::starttls(&office));
    let running = daemon.start();
    office.mailbox(DESK).wait_for(200, PATIENCE).await;
    let kept = settle(&office, (&daemon, running), 200).await;
    compare(&stories, &kept);
    let farewells = office.farewells(200).await;
    assert_eq!(farewells.len(), 200, "one connection for each mail");
    let orderly = "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8";
    assert_eq!(not_containing(&farewells, orderly), Vec::<&str>::new());
    let logins = format!("sasl_method=PLAIN, sasl_username={DESK}");
    assert_eq!(office.log().matches(&logins).count(), 200);
}

pub(crate) async fn twenty_by_implicit_tls(seed: u64) {
    // There are servers that offer nothing but this.
    let office = Office::open_with("login").await;
    let stories = news::odd(20, &mut Random::new(seed, 2));
    let feeds = publish(&stories).await;
    let daemon = Daemon::install(&feeds, &Channel::implicit(&office));
    assert_eq!(daemon.once(), json!({ "sent": 20, "waiting": 0, "failed": 0 }));
    office.has_passed_on_all().await;
    compare(&stories, &office.mailbox(DESK).mails().await);
    let farewells = office.farewells(20).await;
    let orderly = "ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6";
    assert_eq!(not_containing(&farewells, orderly), Vec::<&str>::new());
    let logins = format!("sasl_method=LOGIN, sasl_username={DESK}");
    assert_eq!(office.log().matches(&logins).count(), 20);
}

pub(crate) async fn threads() {
    let office = Office::open().await;
    let feeds = publish(&events(0)).await;
    let daemon = Daemon::install(&feeds, &Channel::starttls(&office));
    let running = daemon.start();
    let mailbox = office.mailbox(DESK);
    mailbox.wait_for(3, PATIENCE).await;
    for step in 1..3 {
        // What is still under way would tell the new figure itself.
        daemon.until_each(3 * step, is_sent).await;
        show(&feeds, &events(step));
        mailbox.wait_for(3 * (step + 1), PATIENCE).await;
    }
    let kept = settle(&office, (&daemon, running), 9).await;
    let mails: Vec<Mail> = kept.iter().map(Mail::read).collect();
    let threads = mailbox.threads().await;
    assert_eq!(threads.len(), 3, "{threads:?}");
    for thread in threads {
        let mail = |uid: &u32| mails.iter().find(|mail| mail.uid == *uid).unwrap();
        judge_thread(&thread.iter().map(mail).collect::<Vec<_>>());
    }
}

/// The mails of one event, in the order in which the mail server shows them.
fn judge_thread(mails: &[&Mail]) {
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    let event = EVENTS.iter().find(|(title, ..)| {
        subjects.iter().all(|subject| subject.contains(title.split_once('#').unwrap().0))
    });
    let (_, figures, _) = event.unwrap_or_else(|| panic!("of several events: {subjects:?}"));
    assert!(!subjects[0].contains("update"), "{subjects:?}");
    for step in 1..3 {
        let (before, after) = (figures[step - 1], figures[step]);
        let change = format!("update, a number changed: {before} → {after}");
        assert!(subjects[step].contains(&change), "{subjects:?}");
        assert!(mails[step].text.contains("You were told of this story before"));
    }
    let root = &mails[0].references;
    assert_eq!(root.len(), 1, "{root:?}");
    for mail in mails {
        assert_eq!((&mail.in_reply_to, &mail.references), (root, root), "{subjects:?}");
        assert!(!root.contains(&mail.id), "a mail that answers itself");
    }
}

pub(crate) async fn wrong_password(seed: u64) {
    let office = Office::open().await;
    let stories = news::plain(3, &mut Random::new(seed, 4));
    let feeds = publish(&stories).await;
    let daemon = Daemon::install(&feeds, &Channel::starttls(&office));
    daemon.password("not it");
    let running = daemon.start();
    let waiting = daemon.until_each(3, was_tried).await;
    let refused = |answer: &str| answer.starts_with("AUTH: ") && answer.contains("535");
    let answers = waiting.iter().map(|delivery| delivery["last_answer"].as_str().unwrap());
    let answers: Vec<&str> = answers.collect();
    assert!(waiting.iter().all(|delivery| delivery["state"] == "waiting"), "{waiting:?}");
    // A server may hang up on those that come along with one who does not know the password.
    let is_usual = |answer: &&str| refused(answer) || answer.starts_with("connect: ");
    assert!(answers.iter().all(is_usual), "{answers:?}");
    assert!(answers.iter().any(|answer| refused(answer)), "{answers:?}");
    assert!(office.log().contains("SASL PLAIN authentication failed"), "postfix refused it");
    assert!(office.mailbox(DESK).mails().await.is_empty());
    daemon.password(PASSWORD);
    running.reload();
    office.mailbox(DESK).wait_for(3, PATIENCE).await;
    compare(&stories, &settle(&office, (&daemon, running), 3).await);
}

pub(crate) async fn untrusted_certificate(seed: u64) {
    let office = Office::open().await;
    let stories = news::plain(1, &mut Random::new(seed, 5));
    let feeds = publish(&stories).await;
    for trusting in [Channel::starttls(&office), Channel::implicit(&office)] {
        let daemon = Daemon::install(&feeds, &Channel { ca_file: None, ..trusting });
        assert_eq!(daemon.once(), json!({ "sent": 0, "waiting": 1, "failed": 0 }));
        let delivery = daemon.deliveries().remove(0);
        assert_eq!(delivery["state"], "waiting", "{delivery}");
        let answer = delivery["last_answer"].as_str().unwrap();
        assert!(answer.contains("certificate"), "{answer}");
    }
    let farewells = office.farewells(2).await;
    // Postfix counts here each command that it hears, accepted or not.
    let told = |line: &&String| ["auth=", "mail=", "rcpt="].iter().any(|word| line.contains(word));
    assert_eq!(farewells.iter().find(told), None);
    assert!(!office.log().contains("sasl_username"));
    assert!(office.mailbox(DESK).mails().await.is_empty());
}

pub(crate) async fn stopped_server(seed: u64) {
    let office = Office::open().await;
    let stories = news::plain(9, &mut Random::new(seed, 6));
    // Fewer than half are new at a time: else the feed itself would look like another.
    let feeds = publish(&stories[..5]).await;
    let daemon = Daemon::install(&feeds, &Channel::starttls(&office));
    let running = daemon.start();
    office.mailbox(DESK).wait_for(5, PATIENCE).await;
    office.stop_postfix();
    show(&feeds, &stories);
    let tried = daemon.until_each(9, was_tried).await;
    let waiting: Vec<&Value> = tried.iter().filter(|delivery| !is_sent(delivery)).collect();
    assert_eq!(waiting.len(), 4, "{tried:?}");
    for delivery in waiting {
        assert_eq!(delivery["state"], "waiting", "{delivery}");
        let answer = delivery["last_answer"].as_str().unwrap();
        assert!(answer.starts_with("connect: "), "{answer}");
    }
    // What waits is on disk.
    running.stop().await;
    let running = daemon.start();
    office.start_postfix();
    office.mailbox(DESK).wait_for(9, PATIENCE).await;
    compare(&stories, &settle(&office, (&daemon, running), 9).await);
}

pub(crate) async fn unknown_recipient(seed: u64) {
    let office = Office::open().await;
    let stories = news::plain(1, &mut Random::new(seed, 7));
    let feeds = publish(&stories).await;
    let channel = Channel { to: &[LATE, DESK], ..Channel::starttls(&office) };
    let daemon = Daemon::install(&feeds, &channel);
    assert_eq!(daemon.once(), json!({ "sent": 1, "waiting": 0, "failed": 1 }));
    let deliveries = daemon.deliveries();
    let failed = deliveries.iter().find(|delivery| delivery["state"] == "failed").unwrap();
    assert_eq!(failed["recipient"], format!("{LATE}@mail.test"));
    let answer = failed["last_answer"].as_str().unwrap();
    assert!(answer.contains("550") && answer.contains("User unknown"), "{answer}");
    office.learn_of_the_late_one();
    daemon.retry();
    assert_eq!(daemon.once(), json!({ "sent": 1, "waiting": 0, "failed": 0 }));
    office.has_passed_on_all().await;
    for user in [DESK, LATE] {
        compare(&stories, &office.mailbox(user).mails().await);
    }
}

/// Lets all be sent and passed on, so that nothing is left that could still arrive, and fetches
/// what has.
async fn settle(office: &Office, (daemon, running): (&Daemon, Running), count: usize) -> Vec<Kept> {
    daemon.until_each(count, is_sent).await;
    running.stop().await;
    office.has_passed_on_all().await;
    office.mailbox(DESK).mails().await
}

fn is_sent(delivery: &Value) -> bool {
    delivery["state"] == "sent"
}

fn was_tried(delivery: &Value) -> bool {
    delivery["attempts"].as_u64() > Some(0)
}

fn not_containing<'a>(lines: &'a [String], words: &str) -> Vec<&'a str> {
    lines.iter().map(String::as_str).filter(|line| !line.contains(words)).collect()
}

async fn publish(stories: &[Story]) -> FeedServer {
    let feeds = FeedServer::start().await;
    show(&feeds, stories);
    feeds
}

fn show(feeds: &FeedServer, stories: &[Story]) {
    feeds.serve(FEED, "application/feed+json", news::feed(stories));
}

/// Events whose figures change, each with its text.
const EVENTS: [(&str, [u32; 3], &str); 3] = [
    (
        "Ferry sinks in the Serrano strait, # people dead",
        [7, 19, 31],
        "A ferry with sixty people on board went down on Monday night, the coast guard in Puerto \
         Alba said; a marker buoy was found.",
    ),
    (
        "Earthquake shakes Arica, # houses destroyed",
        [40, 56, 88],
        "The ground trembled for a minute at noon; a geologist's marker in the rock moved by a \
         hand.",
    ),
    (
        "Ministers meet in Oostmark, # states sign treaty on grain",
        [12, 14, 15],
        "Delegations agreed on quotas after a week of talks, with a marker for review next spring.",
    ),
];

/// The events as they are told at a time.
fn events(step: usize) -> Vec<Story> {
    let story = |(number, (title, figures, text)): (usize, &(&str, [u32; 3], &str))| {
        Story::new(number, &title.replace('#', &figures[step].to_string()), text)
    };
    EVENTS.iter().enumerate().map(story).collect()
}
