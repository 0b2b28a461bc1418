//! Chat and push services: limits, marks, calls, rates and refusals, against
//! a simulator of each.

mod local;
pub mod payloads;
mod services;
mod titles;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use unicode_segmentation::UnicodeSegmentation;
use wirewatch::deliver::{self, Channel, ChannelOptions, ChatOptions};
use wirewatch::model::{
    ChannelName, Clock, Content, Delivery, FeedName, Notice, NoticeContent, NoticeKind, Outcome,
    UpdateContent, UpdateId,
};

use crate::support::http::{FeedServer, Reply, handler};
use services::{ALL, Meaning, Seen, Service, TOKEN};
use titles::{delivery, hostile, link};

/// A simulator with a channel that posts to it.
struct Bench<'a> {
    service: &'a Service,
    server: FeedServer,
    channel: Arc<dyn Channel>,
    seen: Arc<Mutex<Vec<Result<Seen, String>>>>,
}

impl<'a> Bench<'a> {
    async fn new(service: &'a Service) -> Self {
        Self::at_pace(service, Some(Duration::ZERO)).await
    }

    async fn at_pace(service: &'a Service, gap: Option<Duration>) -> Self {
        let server = FeedServer::start().await;
        let options = ChatOptions {
            allow_private: true,
            gap,
            timeout: Duration::from_secs(10),
            ..ChatOptions::new((service.place)(&server))
        };
        let name = ChannelName::new("desk");
        let channel =
            deliver::build(&name, &ChannelOptions::Chat(options), "wirewatch/test").unwrap();
        assert_eq!(channel.kind(), service.kind);
        Self { service, server, channel, seen: Arc::default() }
    }

    /// Takes what the service would take.
    fn judge(&self, delivery: &Delivery) {
        let (judge, ok, seen) = (self.service.judge, self.service.ok, self.seen.clone());
        let path = (self.service.path)(delivery);
        let answer = handler(move |request| {
            let judged = judge(request);
            let reply = match &judged {
                Ok(_) => ok(),
                Err(problem) => Reply::status(400).body(problem.as_str()),
            };
            seen.lock().unwrap().push(judged);
            reply
        });
        self.server.route(&path, answer);
    }

    fn script(&self, delivery: &Delivery, replies: Vec<Reply>) {
        self.server.script(&(self.service.path)(delivery), replies);
    }

    async fn send(&self, delivery: &Delivery) -> Outcome {
        self.send_at(delivery, now()).await
    }

    async fn send_at(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let outcome = self.channel.send(delivery, now).await;
        assert!(!format!("{outcome:?}").contains(TOKEN), "{outcome:?}");
        outcome
    }

    fn taken(&self) -> Seen {
        let last = self.seen.lock().unwrap().pop();
        last.expect("a request")
            .unwrap_or_else(|problem| panic!("{}: {problem}", self.service.kind))
    }
}

fn now() -> Timestamp {
    Clock::System.now()
}

/// What a reader sees, without the empty spaces that disarm calls and links.
fn read(text: &str) -> String {
    text.replace('\u{200b}', "")
}

/// A headline without what is no letter to anybody.
fn cleaned(title: &str) -> String {
    let dropped = |c: &char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let space = |c: char| {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }
    };
    title.chars().filter(|c| !dropped(c)).map(space).collect()
}

/// The headline is whole, or cut between graphemes with dots.
fn is_cut_well(headline: &str, title: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (headline, title) = (squeeze(&read(headline)), squeeze(&cleaned(title)));
    if headline == title || (title.is_empty() && headline == "(no headline)") {
        return true;
    }
    let Some(kept) = headline.strip_suffix('…') else { return false };
    let kept = kept.trim_end();
    let mut ends = title.grapheme_indices(true).map(|(at, _)| at);
    title.starts_with(kept) && ends.any(|at| at == kept.len())
}

#[tokio::test]
async fn sixty_words_of_template_languages_reach_every_service_as_they_are() {
    for service in &ALL {
        let bench = Bench::new(service).await;
        for (index, payload) in payloads::PAYLOADS.iter().enumerate() {
            let delivery = delivery(&format!("d{index:032}"), payload);
            bench.judge(&delivery);
            let outcome = bench.send(&delivery).await;
            let seen = bench.taken();
            assert!(matches!(outcome, Outcome::Sent(_)), "{} {payload}: {outcome:?}", service.kind);
            assert_eq!(read(&seen.headline).trim(), *payload, "{}", service.kind);
        }
    }
}

#[tokio::test]
async fn three_hundred_hostile_headlines_pass_every_service_and_do_nothing() {
    let titles = hostile();
    assert_eq!(titles.len(), 300);
    for service in &ALL {
        let bench = Bench::new(service).await;
        for (index, title) in titles.iter().enumerate() {
            let kind = service.kind;
            let delivery = delivery(&format!("d{index:032}"), title);
            bench.judge(&delivery);
            let outcome = bench.send(&delivery).await;
            let seen = bench.taken();
            assert!(matches!(outcome, Outcome::Sent(_)), "{kind} {index}: {outcome:?}");
            let decoded = |found: &String| found == &link() || is_same_place(found);
            assert!(seen.links.iter().any(decoded), "{kind} {index}: link lost: {seen:?}");
            assert!(seen.links.iter().all(decoded), "{kind} {index}: other links: {seen:?}");
            assert!(!(service.calls)(&seen.text), "{kind} {index}: a call in {}", seen.text);
            assert!(!seen.text.contains("://"), "{kind} {index}: an address in {}", seen.text);
            assert!(is_cut_well(&seen.headline, title), "{kind} {index}: {:?}", seen.headline);
        }
    }
}

/// The story's link with marks of Markdown in percent-encoding.
fn is_same_place(found: &str) -> bool {
    let decode = |text: &str| {
        let mut text = text.to_owned();
        for (code, c) in
            [("%28", "("), ("%29", ")"), ("%2A", "*"), ("%60", "`"), ("%7C", "|"), ("%5C", "\\")]
        {
            text = text.replace(code, c);
        }
        text
    };
    decode(found) == decode(&link())
}

#[tokio::test]
async fn a_message_tells_rule_sentences_and_outlets_with_what_matched() {
    for service in ALL.iter().filter(|service| service.kind != "pagerduty") {
        let bench = Bench::new(service).await;
        let delivery = delivery("d1", "Patrol boats face off near Serrano shoal");
        bench.judge(&delivery);
        bench.send(&delivery).await;
        let seen = bench.taken();
        let text = read(&seen.text).replace(['«', '»'], "");
        assert!(text.contains("Patrol boats face off"), "{}: {text}", service.kind);
        assert!(text.contains("Harbour Wire"), "{}: {text}", service.kind);
        assert!(text.contains("matched by capitals alone"), "{}: {text}", service.kind);
    }
}

#[tokio::test]
async fn updates_and_notices_are_told_too() {
    let mut update = delivery("d1", "Ferry sinks");
    if let Content::Alert(content) = &mut update.content {
        content.update = Some(UpdateContent {
            id: UpdateId::new("u1"),
            kind: "number".to_owned(),
            text: "a number changed: 3 → 5".to_owned(),
            at: now(),
            sources: 2,
            title: "Five drown as ferry sinks".to_owned(),
            url: None,
            outlet: "Pacific Ledger".to_owned(),
        });
    }
    let notice = |number: usize| Notice {
        kind: NoticeKind::Down,
        feed: FeedName::new(format!("feed-{number}")),
        subject: format!("feed {number} is down @everyone"),
        text: "It answers HTTP 500. ".repeat(50),
        at: now(),
    };
    let notices = |count: usize| Delivery {
        content: Content::Notices(NoticeContent {
            id: "n1".to_owned(),
            notices: (0..count).map(notice).collect(),
            created_at: now(),
        }),
        ..delivery("d2", "")
    };
    for service in &ALL {
        let bench = Bench::new(service).await;
        let all = [update.clone(), notices(1), notices(100)];
        for (one, word) in all.iter().zip(["3 → 5", "is down", "100 notices"]) {
            let path = (service.path)(one);
            bench.server.script(&path, vec![(service.ok)()]);
            let outcome = bench.send(one).await;
            assert!(matches!(outcome, Outcome::Sent(_)), "{}: {outcome:?}", service.kind);
            let request = bench.server.requests(&path).pop().unwrap();
            let body = String::from_utf8(request.body.clone()).unwrap();
            let shown = if service.kind == "pagerduty" && word == "3 → 5" { "u" } else { word };
            assert!(body.contains(shown), "{} {word}: {body}", service.kind);
            let json: serde_json::Value = serde_json::from_str(&body).unwrap();
            let text = |pointer| json.pointer(pointer).and_then(|text| text.as_str()).unwrap();
            let (length, limit) = match service.kind {
                "discord" => (text("/embeds/0/description").chars().count(), 4_096),
                "teams" => (body.len(), 21_000),
                "ntfy" => (text("/message").len(), 4_096),
                "mattermost" => (text("/text").chars().count(), 16_383),
                _ => (body.len(), 64_000),
            };
            assert!(length <= limit, "{}: {length} of {limit}", service.kind);
            assert!(body.len() <= 64_000, "{}: {} bytes", service.kind, body.len());
        }
    }
}

#[tokio::test]
async fn a_rate_answer_is_a_floor_for_all_that_go_to_the_same_place() {
    for service in &ALL {
        let bench = Bench::new(service).await;
        let (first, second) = (delivery("d1", "One"), delivery("d2", "Two"));
        let (reply, seconds) = (service.limited)();
        bench.script(&first, vec![reply, (service.ok)()]);
        bench.script(&second, vec![(service.ok)()]);
        if (service.path)(&first) == (service.path)(&second) {
            bench.script(&first, vec![(service.limited)().0, (service.ok)()]);
        }
        let begun = now();
        let floor = |outcome: Outcome| match outcome {
            Outcome::TryAgain { not_before: Some(until), .. } => until,
            other => panic!("{}: {other:?}", service.kind),
        };
        let until = floor(bench.send_at(&first, begun).await);
        let wait = until.duration_since(begun).as_secs();
        assert!((seconds..seconds + 3).contains(&wait), "{}: {wait} s", service.kind);
        // Another delivery asks nothing of the service before that.
        assert_eq!(floor(bench.send_at(&second, begun).await), until, "{}", service.kind);
        assert_eq!(bench.server.all_requests().len(), 1, "{}", service.kind);
        let later = until.checked_add(SignedDuration::from_millis(1)).unwrap();
        for one in [&first, &second] {
            let outcome = bench.send_at(one, later).await;
            assert!(matches!(outcome, Outcome::Sent(_)), "{}: {outcome:?}", service.kind);
        }
        assert_eq!(bench.server.all_requests().len(), 3, "{}", service.kind);
    }
}

#[tokio::test]
async fn refusals_are_understood_as_their_service_means_them() {
    for service in &ALL {
        for (index, (reply, meaning)) in (service.refusals)().into_iter().enumerate() {
            let bench = Bench::new(service).await;
            let delivery = delivery("d1", "News");
            bench.script(&delivery, vec![reply]);
            let outcome = bench.send(&delivery).await;
            let found = match outcome {
                Outcome::TryAgain { .. } => Meaning::Later,
                Outcome::Refused(_) | Outcome::Unknown(_) => Meaning::Refused,
                Outcome::GiveUp(_) => Meaning::Never,
                Outcome::Sent(answer) => panic!("{} {index}: sent, {answer}", service.kind),
            };
            assert_eq!(found, meaning, "{} {index}", service.kind);
        }
    }
}

#[tokio::test]
async fn a_message_that_may_have_arrived_is_sent_again_with_a_mark() {
    for service in &ALL {
        let bench = Bench::new(service).await;
        let delivery = delivery("d1", "News");
        let replies = vec![Reply::status(200).drop_connection(), (service.ok)(), (service.ok)()];
        bench.script(&delivery, replies);
        let first = bench.send(&delivery).await;
        assert!(matches!(first, Outcome::TryAgain { .. }), "{}: {first:?}", service.kind);
        for _ in 0..2 {
            let outcome = bench.send(&delivery).await;
            assert!(matches!(outcome, Outcome::Sent(_)), "{}: {outcome:?}", service.kind);
        }
        let requests = bench.server.all_requests();
        let marked: Vec<bool> = requests
            .iter()
            .map(|one| String::from_utf8_lossy(&one.body).contains("may be repeated"))
            .collect();
        assert_eq!(marked, [false, !service.drops_repeats, false], "{}", service.kind);
        // What the service knows a repeat by is the same.
        if service.drops_repeats {
            assert_eq!(requests[0].path, requests[1].path);
            let key = |body: &[u8]| {
                let body: serde_json::Value = serde_json::from_slice(body).unwrap();
                body["dedup_key"].clone()
            };
            assert_eq!(key(&requests[0].body), key(&requests[1].body));
        }
    }
}

#[tokio::test]
async fn a_room_shows_each_of_many_doubtful_messages_once() {
    let service = ALL.iter().find(|service| service.kind == "matrix").unwrap();
    let bench = Bench::new(service).await;
    // The homeserver shows a transaction once, whatever becomes of its answer.
    let shown: Arc<Mutex<std::collections::BTreeSet<String>>> = Arc::default();
    for index in 0..500 {
        let delivery = delivery(&format!("d{index:032}"), "News");
        let (seen, ok) = (shown.clone(), service.ok);
        let answer =
            handler(move |request| match seen.lock().unwrap().insert(request.path.clone()) {
                true => Reply::status(200).drop_connection(),
                false => ok(),
            });
        bench.server.route(&(service.path)(&delivery), answer);
        assert!(matches!(bench.send(&delivery).await, Outcome::TryAgain { .. }));
        assert!(matches!(bench.send(&delivery).await, Outcome::Sent(_)));
    }
    assert_eq!(shown.lock().unwrap().len(), 500);
}

#[tokio::test]
async fn telegram_gets_plain_text_once_when_it_cannot_read_ours() {
    let service = ALL.iter().find(|service| service.kind == "telegram").unwrap();
    let bench = Bench::new(service).await;
    let delivery = delivery("d1", "News <b>");
    let fault = "{\"ok\":false,\"error_code\":400,\
                 \"description\":\"Bad Request: can't parse entities: byte 7\"}";
    bench.script(&delivery, vec![Reply::status(400).body(fault), (service.ok)()]);
    assert!(matches!(bench.send(&delivery).await, Outcome::Sent(_)));
    let requests = bench.server.all_requests();
    let body = |index: usize| -> serde_json::Value {
        serde_json::from_slice(&requests[index].body).unwrap()
    };
    assert_eq!(requests.len(), 2);
    assert_eq!(body(0)["parse_mode"], "HTML");
    assert!(body(1).get("parse_mode").is_none());
    assert!(body(1)["text"].as_str().unwrap().contains(&link()));
}

#[tokio::test]
async fn long_answers_are_not_read_and_secrets_in_them_not_told() {
    for service in &ALL {
        let bench = Bench::new(service).await;
        let delivery = delivery("d1", "News");
        let echo = format!("{TOKEN} at {}", bench.server.url(&(service.path)(&delivery)));
        let body = format!(
            "{{\"message\":\"{echo}\",\"description\":\"{echo}\",\"error\":\"{echo}\",\"errorDescription\":\"{echo}\"}}"
        );
        bench.script(&delivery, vec![Reply::status(403).body(body)]);
        // `send` looks for the token.
        assert!(matches!(bench.send(&delivery).await, Outcome::Refused(_)));
        let endless = Reply::ok("x".repeat(1 << 20)).truncate_at(1 << 20).hang();
        bench.script(&delivery, vec![endless]);
        let begun = std::time::Instant::now();
        let outcome = bench.send(&delivery).await;
        assert!(begun.elapsed() < Duration::from_secs(8), "{}", service.kind);
        if service.kind != "teams" {
            assert!(matches!(outcome, Outcome::TryAgain { .. }), "{}: {outcome:?}", service.kind);
        }
    }
}

#[tokio::test]
async fn posts_keep_the_pace_of_their_service() {
    for (kind, gap) in [("slack", 1_000), ("telegram", 3_000), ("teams", 250), ("discord", 400)] {
        let service = ALL.iter().find(|service| service.kind == kind).unwrap();
        let bench = Bench::at_pace(service, None).await;
        let delivery = delivery("d1", "News");
        bench.script(&delivery, vec![(service.ok)()]);
        bench.send(&delivery).await;
        bench.send(&delivery).await;
        let requests = bench.server.all_requests();
        let apart = requests[1].at.duration_since(requests[0].at);
        assert!(apart >= Duration::from_millis(gap - 50), "{kind}: {apart:?}");
    }
}
