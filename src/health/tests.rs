//! What the state machine and its sentences promise.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{FeedHealth, HealthState as State, NoticeKind, VisitFailure};
use crate::schedule;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

const FAILED: VisitFailure = VisitFailure::Failed;
const BOT_CHECK: VisitFailure = VisitFailure::Challenged { retry_after: None };
const GONE: VisitFailure = VisitFailure::Gone;

const NEWS: Seen<'_> = Seen::Document { new_entries: 2, repaired: false };
const SAME: Seen<'_> = Seen::Document { new_entries: 0, repaired: false };
const BROKEN: Seen<'_> = Seen::Document { new_entries: 1, repaired: true };
const FAIL: Seen<'_> = Seen::Failure(&FAILED);
const CHECK: Seen<'_> = Seen::Failure(&BOT_CHECK);
const END: Seen<'_> = Seen::Failure(&GONE);

fn start() -> Timestamp {
    "2026-11-03T10:00:00Z".parse().unwrap()
}

/// Visits at the given times, and `health!notice` of each change.
fn story(visits: &[(SignedDuration, Seen<'_>)], usual_gap: Option<SignedDuration>) -> String {
    let mut state = State::new(start());
    let mut told = Vec::new();
    for &(at, seen) in visits {
        let (next, change) = step(state, seen, usual_gap, start() + at);
        if let Some(change) = change {
            assert_eq!((change.from, change.to), (state.health, next.health));
            let notice = change.notice.map_or(String::new(), |n| format!("!{}", n.as_str()));
            told.push(format!("{}{notice}", change.to.as_str()));
        }
        state = next;
    }
    told.join(" ")
}

/// The same visits every `every`.
fn check_every(every: SignedDuration, visits: &[Seen<'_>], expected: &str) {
    let visits: Vec<_> = visits.iter().zip(0..).map(|(seen, n)| (every * n, *seen)).collect();
    assert_eq!(story(&visits, Some(HOUR)), expected, "{visits:?}");
}

#[test]
fn each_change_is_told_once() {
    let check = |visits: &[Seen<'_>], expected| check_every(HOUR, visits, expected);
    check(&[NEWS, Seen::NotModified, NEWS, SAME], "ok");
    check(&[NEWS, FAIL, NEWS], "ok failing ok");
    check(&[NEWS, FAIL, FAIL, NEWS], "ok failing ok");
    check(&[NEWS, FAIL, FAIL, FAIL], "ok failing down!down");
    check(&[NEWS, FAIL, FAIL, FAIL, FAIL, FAIL, NEWS], "ok failing down!down ok!recovered");
    check(&[FAIL, FAIL, FAIL, Seen::NotModified], "failing down!down ok!recovered");
    check(&[NEWS, CHECK, NEWS, CHECK, NEWS], "ok failing ok failing ok");
    check(&[NEWS, CHECK, CHECK, CHECK, CHECK], "ok failing challenged!challenged");
    check(&[NEWS, CHECK, CHECK, NEWS], "ok failing challenged!challenged ok!recovered");
    check(&[NEWS, CHECK, FAIL, CHECK, CHECK], "ok failing down!down challenged");
    check(&[NEWS, END, END], "ok gone!gone");
    check(&[NEWS, END, NEWS], "ok gone!gone ok!recovered");
    check(&[NEWS, FAIL, FAIL, FAIL, END], "ok failing down!down gone!gone");
    check(&[NEWS, BROKEN, NEWS], "ok degraded ok");
    check(&[NEWS, BROKEN, BROKEN, BROKEN, NEWS], "ok degraded degraded!degraded ok");
    check(&[NEWS, BROKEN, Seen::NotModified, NEWS], "ok degraded ok");
    // It was never better.
    check(&[BROKEN, BROKEN, BROKEN, BROKEN], "degraded");
    check(&[NEWS, FAIL, FAIL, FAIL, BROKEN], "ok failing down!down degraded!recovered");
}

#[test]
fn a_feed_is_down_after_three_failures_that_last_an_hour_or_after_a_day() {
    let check = |every, visits: &[Seen<'_>], expected| check_every(every, visits, expected);
    check(MINUTE * 5, &[NEWS, FAIL, FAIL, FAIL, FAIL], "ok failing");
    check(MINUTE * 30, &[NEWS, FAIL, FAIL, FAIL], "ok failing down!down");
    check(HOUR * 12, &[NEWS, FAIL, FAIL, FAIL], "ok failing down!down");
    check(HOUR * 25, &[FAIL, FAIL], "failing down!down");
}

#[test]
fn silence_is_measured_by_the_feeds_own_rhythm() {
    let check = |gap: Option<SignedDuration>, days: i32, expected: &str| {
        let mut visits = vec![(SignedDuration::ZERO, NEWS)];
        visits.extend((1..=days * 2).map(|half| (HOUR * 12 * half, Seen::NotModified)));
        assert_eq!(story(&visits, gap), expected, "{gap:?} {days}");
    };
    check(Some(HOUR), 3, "ok");
    check(Some(HOUR), 4, "ok silent!silent");
    check(Some(HOUR), 40, "ok silent!silent");
    check(Some(DAY), 10, "ok");
    check(Some(DAY), 11, "ok silent!silent");
    check(None, 400, "ok");
}

#[test]
fn silence_ends_with_something_new_and_not_with_a_failure() {
    let quiet = (DAY * 5, Seen::NotModified);
    let check = |then: &[(SignedDuration, Seen<'_>)], expected: &str| {
        let visits: Vec<_> =
            [(SignedDuration::ZERO, NEWS), quiet].iter().chain(then).copied().collect();
        assert_eq!(story(&visits, Some(HOUR)), expected, "{then:?}");
    };
    check(&[(DAY * 6, SAME)], "ok silent!silent");
    check(&[(DAY * 6, NEWS)], "ok silent!silent ok!recovered");
    check(&[(DAY * 6, FAIL), (DAY * 7, SAME)], "ok silent!silent failing silent");
    // What could not be read was not silent.
    check(
        &[(DAY * 6, FAIL), (DAY * 8, FAIL), (DAY * 9, SAME), (DAY * 10, SAME), (DAY * 13, SAME)],
        "ok silent!silent failing down!down ok!recovered silent!silent",
    );
}

#[test]
fn flapping_does_not_flood() {
    // Broken, broken, sound, broken, broken, sound, each hour for two days.
    let visits: Vec<_> =
        (0..48).map(|hour| (HOUR * hour, if hour % 3 == 0 { NEWS } else { BROKEN })).collect();
    let told = story(&visits, None);
    assert_eq!(told.matches("!degraded").count(), 2, "{told}");
    assert_eq!(told.matches('!').count(), 2, "{told}");
    // Two hours down, one visit that goes well, for ten days.
    let visits: Vec<_> = (0..960)
        .map(|turn| (MINUTE * 15 * turn, if turn % 9 == 0 { NEWS } else { FAIL }))
        .collect();
    let told = story(&visits, None);
    assert!(told.matches("down!down").count() <= 40, "{told}");
    assert!(told.matches("!recovered").count() <= told.matches("!down").count());
}

#[test]
fn a_warning_that_waited_is_given_when_the_matter_lasts() {
    let mut visits = vec![(SignedDuration::ZERO, NEWS)];
    visits.extend((1..=3).map(|hour| (HOUR * hour, FAIL)));
    visits.push((HOUR * 4, NEWS));
    visits.extend((5..=12).map(|hour| (HOUR * hour, FAIL)));
    let told = story(&visits, None);
    assert_eq!(told, "ok failing down!down ok!recovered failing down down!down");
}

#[test]
fn a_revived_feed_starts_anew_and_its_return_is_told() {
    let (gone, _) = step(State::new(start()), END, None, start());
    assert_eq!(gone.health, FeedHealth::Gone);
    let revived = gone.revived(start() + DAY);
    let notice = |seen| step(revived, seen, None, start() + DAY).1.and_then(|c| c.notice);
    assert_eq!(notice(NEWS), Some(NoticeKind::Recovered));
    assert_eq!(notice(END), Some(NoticeKind::Gone));
    assert_eq!(notice(FAIL), None);
}

fn any_seen() -> impl Strategy<Value = Seen<'static>> {
    prop_oneof![
        4 => Just(NEWS),
        4 => Just(Seen::NotModified),
        2 => Just(SAME),
        2 => Just(BROKEN),
        6 => Just(FAIL),
        2 => Just(CHECK),
        1 => Just(END),
        1 => Just(Seen::Failure(&VisitFailure::Throttled { retry_after: None })),
    ]
}

proptest! {
    #[test]
    fn notices_alternate_and_never_outnumber_changes(
        // Sometimes the clock goes back.
        visits in prop::collection::vec((any_seen(), -60_i32..60 * 12), 1..200),
        gap in prop::option::of(1_i64..100),
    ) {
        let gap = gap.map(SignedDuration::from_hours);
        let (mut state, mut now) = (State::new(start()), start());
        let (mut changes, mut notices, mut warned) = (0, 0, 0_i32);
        for (seen, minutes) in visits {
            now += MINUTE * minutes;
            let (next, change) = step(state, seen, gap, now);
            prop_assert_eq!((next, change), step(state, seen, gap, now));
            prop_assert!(!matches!(seen, Seen::Failure(_)) || next.failures == state.failures + 1);
            changes += u32::from(next.health != state.health);
            if let Some(kind) = change.and_then(|change| change.notice) {
                notices += 1;
                match kind {
                    NoticeKind::Recovered => {
                        prop_assert!(warned > 0, "recovered from nothing");
                        prop_assert_eq!(next.failures, 0);
                        warned = 0;
                    }
                    NoticeKind::Degraded => {}
                    _ => warned += 1,
                }
            }
            // People believe what is so, or something that is yet to be told.
            if next.health == FeedHealth::Ok {
                prop_assert_eq!(next.told, FeedHealth::Ok);
                let fresh = State {
                    health: FeedHealth::Ok,
                    since: next.since,
                    quiet_since: next.quiet_since,
                    warned: next.warned,
                    ..State::new(start())
                };
                prop_assert_eq!(next, fresh);
            }
            state = next;
        }
        prop_assert!(notices <= changes, "{} notices, {} changes", notices, changes);
    }
}

/// What a scripted server answers on each day.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Fresh,
    Same,
    Fail,
    Throttle(Option<i64>),
    Bot,
    Gone,
}

/// Fourteen days of one feed at a fixed interval of an hour: requests on each
/// day, and the notices.
fn fortnight(answer: impl Fn(usize) -> Answer) -> (Vec<usize>, String) {
    let (mut state, mut now) = (State::new(start()), start());
    let (mut requests, mut notices) = (vec![0; 14], Vec::new());
    let (server, hints) = Default::default();
    let wishes = schedule::Wishes { server: &server, feed: &hints, ignore_hints: false };
    loop {
        let day = now.duration_since(start()).as_hours() as usize / 24;
        if day >= 14 {
            return (requests, notices.join(" "));
        }
        requests[day] += 1;
        let failure = match answer(day) {
            Answer::Fresh | Answer::Same => None,
            Answer::Fail => Some(VisitFailure::Failed),
            Answer::Bot => Some(VisitFailure::Challenged { retry_after: None }),
            Answer::Gone => Some(VisitFailure::Gone),
            Answer::Throttle(hours) => {
                let retry_after = hours.map(SignedDuration::from_hours);
                Some(VisitFailure::Throttled { retry_after })
            }
        };
        let seen = match (&failure, answer(day)) {
            (Some(failure), _) => Seen::Failure(failure),
            (None, Answer::Fresh) => NEWS,
            (None, _) => Seen::NotModified,
        };
        let (next, change) = step(state, seen, Some(HOUR * 4), now);
        state = next;
        let notice = change.and_then(|change| change.notice);
        notices.extend(notice.map(|kind| format!("{day}:{}", kind.as_str())));
        let seed = requests.iter().sum::<usize>() as u64;
        let due = match &failure {
            None => Some(schedule::after_success(now, HOUR, &wishes, seed)),
            Some(failure) => schedule::after_failure(now, HOUR, state.failures, failure, seed),
        };
        let Some(due) = due else { return (requests, notices.join(" ")) };
        assert!(due.duration_since(now) >= MINUTE * 59, "{due} after {now}");
        now = due;
    }
}

#[test]
fn fourteen_days_of_each_answer_cost_and_tell_what_the_table_says() {
    // Most requests on the first day, and on each further day.
    let check = |answer: Answer, first: usize, later: usize, expected: &str| {
        let (requests, notices) = fortnight(|_| answer);
        assert!(requests[0] <= first && requests[0] * 2 >= first, "{answer:?}: {requests:?}");
        assert!(requests[1..].iter().all(|&n| n <= later), "{answer:?}: {requests:?}");
        assert_eq!(notices, expected, "{answer:?}");
    };
    check(Answer::Fresh, 24, 25, "");
    check(Answer::Same, 24, 25, "3:silent");
    check(Answer::Fail, 5, 1, "0:down");
    check(Answer::Bot, 5, 1, "0:challenged");
    check(Answer::Gone, 1, 0, "0:gone");
    check(Answer::Throttle(None), 5, 1, "0:down");
    check(Answer::Throttle(Some(6)), 4, 4, "0:down");
    check(Answer::Throttle(Some(48)), 1, 1, "2:down");
}

#[test]
fn a_fortnight_with_two_outages_tells_four_times() {
    let (requests, notices) = fortnight(|day| match day {
        3 | 4 => Answer::Fail,
        8 => Answer::Bot,
        _ => Answer::Fresh,
    });
    assert_eq!(notices, "3:down 5:recovered 8:challenged 9:recovered");
    assert!(requests[3] <= 6 && requests[4] <= 2, "{requests:?}");
    assert!(requests[12] >= 20, "{requests:?}");
}

/// Kinds of notices about feeds; the others are worded in `host` and `system`.
fn of_feeds() -> impl Iterator<Item = NoticeKind> {
    NoticeKind::ALL.into_iter().take_while(|kind| *kind != NoticeKind::HostDown)
}

#[test]
fn sentences_say_what_since_when_and_what_to_do() {
    let since: Timestamp = "2026-11-03T08:30:00Z".parse().unwrap();
    let facts = Facts {
        url: "https://news.example/rss",
        since: Some(since),
        now: Some(since + HOUR * 26),
        reason: None,
        count: Some(4),
        next: Some("2026-11-03T14:00:00Z".parse().unwrap()),
        usual_gap: Some(HOUR * 3),
        new_url: Some("https://news.example/new"),
    };
    let mut found = String::new();
    for kind in of_feeds() {
        let reason = (kind == NoticeKind::Down).then_some("the server answered 503");
        let Sentence { subject, text } = sentence(kind, "Example", &Facts { reason, ..facts });
        found.push_str(&format!("# {subject}\n{text}\n\n"));
    }
    assert_eq!(found.trim_end(), include_str!("testdata/sentences.txt").trim_end());
}

#[test]
fn sentences_leave_out_what_is_unknown() {
    for kind in of_feeds() {
        let Sentence { subject, text } = sentence(kind, "Example", &Facts::default());
        assert!(subject.starts_with("feed \"Example\" "), "{subject}");
        for odd in ["  ", " .", "None", "()", " ,", "Address"] {
            assert!(!text.contains(odd), "{kind:?}: {text}");
        }
        assert!(text.lines().all(|line| line.ends_with('.')), "{kind:?}: {text}");
    }
}
