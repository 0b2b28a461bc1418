//! What the 25 endpoints of the laboratory answer, and what they may expect for it.
//!
//! The times here are those of the requirement, written down once more: none comes from the
//! program under test.

use std::time::{Duration, SystemTime};

use super::support::http::Reply;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

/// Seconds between the tries of a webhook.
pub(crate) const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Each wait is stretched or shortened so far, in per cent of it.
const SHORTEST: i64 = 90;
const LONGEST: i64 = 115;
/// A wish counts from the arrival of its answer, which is on its way while the virtual clock stands.
const ON_ITS_WAY: i64 = 2 * SECOND;
/// Tries after an answer that a repetition will hardly change.
const REFUSED_TRIES: usize = 3;

/// The path that redirects to the endpoint's own server name.
pub(crate) const RELATIVE: &str = "/elsewhere";

/// How an endpoint answers one try.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// With `Retry-After` in seconds.
    After(u16, i64),
    /// With `Retry-After` as the date so many seconds ahead.
    AtDate(u16, i64),
    /// With a `Location` on another server.
    Away(u16),
    /// With a `Location` on the same server.
    Aside(u16),
    /// No answer; the connection ends.
    Cut,
    /// Something that is not HTTP.
    Garbage,
}

use Answer::{After, Aside, AtDate, Away, Cut, Garbage, Status};

/// Name and answers, try by try; the last one is given for ever.
pub(crate) const ENDPOINTS: [(&str, &[Answer]); 25] = [
    ("error", &[Status(500)]),
    ("bad-gateway", &[Status(502)]),
    ("busy", &[Status(503)]),
    ("gateway-timeout", &[Status(504)]),
    ("throttled", &[Status(429)]),
    ("request-timeout", &[Status(408)]),
    ("too-early", &[Status(425)]),
    ("cut", &[Cut]),
    ("garbage", &[Garbage]),
    ("tenth-time-lucky", &TENTH),
    ("bad-request", &[Status(400)]),
    ("unauthorized", &[Status(401)]),
    ("not-found", &[Status(404)]),
    ("unprocessable", &[Status(422)]),
    ("gone", &[Status(410)]),
    ("gone-later", &[Status(500), Cut, Status(410)]),
    ("wish-429", &[After(429, 3_600), Status(200)]),
    ("wish-503", &[AtDate(503, 5_400), Status(200)]),
    ("wish-404", &[After(404, 7_200), Status(404), Status(404), Status(200)]),
    ("wish-500", &[Status(500), After(500, 1_200), After(500, 60), After(301, 9_000), Status(200)]),
    ("wish-days", &[After(429, 172_800), Status(200)]),
    ("moved-301", &[Away(301)]),
    ("moved-302", &[Aside(302)]),
    ("moved-307", &[Away(307)]),
    (
        "moved-any",
        &[Away(308), Aside(303), Away(300), Aside(304), Aside(307), Away(302), Aside(301)],
    ),
];

const TENTH: [Answer; 10] = {
    let mut answers = [Status(500); 10];
    answers[9] = Status(204);
    answers
};

impl Answer {
    /// The answer to this try of a delivery, counted from 0.
    pub(crate) fn of(answers: &[Self], number: usize) -> Self {
        answers[number.min(answers.len() - 1)]
    }

    /// When the receiver wants to hear again, in milliseconds since 1970.
    pub(crate) fn wish(self, now: i64) -> Option<i64> {
        match self {
            After(_, seconds) => Some(now + seconds * SECOND),
            // A date has no fractions of a second.
            AtDate(_, seconds) => Some((now / SECOND + seconds) * SECOND),
            _ => None,
        }
    }

    /// What is sent; `away` is where nobody should ever ask.
    pub(crate) fn reply(self, now: i64, away: &str) -> Reply {
        match self {
            Status(status) => Reply::status(status),
            After(status, seconds) => {
                Reply::status(status).header("Retry-After", seconds.to_string())
            }
            AtDate(status, _) => {
                let wish = u64::try_from(self.wish(now).unwrap_or_default()).unwrap();
                let date = SystemTime::UNIX_EPOCH + Duration::from_millis(wish);
                Reply::status(status).header("Retry-After", httpdate::fmt_http_date(date))
            }
            Away(status) => Reply::status(status).header("Location", away),
            Aside(status) => Reply::status(status).header("Location", RELATIVE),
            Cut => Reply::status(200).drop_connection(),
            Garbage => Reply::status(200).header("this is not a header", "at all"),
        }
    }

    fn status(self) -> Option<u16> {
        match self {
            Status(status) | After(status, _) | AtDate(status, _) => Some(status),
            Away(status) | Aside(status) => Some(status),
            Cut | Garbage => None,
        }
    }

    pub(crate) fn is_gone(self) -> bool {
        self.status() == Some(410)
    }

    /// Whether asking again will hardly help: refused, and no wish to be asked again.
    fn declines(self) -> bool {
        let is_about_time = matches!(self, After(..) | AtDate(..));
        let declines = |status| (400..500).contains(&status) && ![408, 425, 429].contains(&status);
        !is_about_time && self.status().is_some_and(declines)
    }
}

/// When a try is due, at the earliest and at the latest, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// When the try after this one is due; there is none when the delivery has ended with it.
///
/// `tries` counts this one, made at `now`.
pub(crate) fn next_window(answer: Answer, tries: usize, now: i64) -> Option<Window> {
    let is_accepted = answer.status().is_some_and(|status| (200..300).contains(&status));
    let is_refused = answer.declines() && tries >= REFUSED_TRIES;
    if is_accepted || answer.is_gone() || is_refused {
        return None;
    }
    let wait = WAITS.get(tries - 1)? * SECOND;
    let floor = answer.wish(now).unwrap_or(now);
    let latest = answer.wish(now).map_or(now, |wish| wish + ON_ITS_WAY);
    let at = |per_cent: i64| now + wait * per_cent / 100;
    Some(Window { from: at(SHORTEST).max(floor), to: at(LONGEST).max(latest) })
}
