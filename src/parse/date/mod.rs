//! Dates as feeds write them, in the widest sense.
//!
//! Two fast paths read what most feeds send: RFC 3339 (Atom) and RFC 2822
//! (RSS). Everything else is cut into numbers, words and signs (`lexer`) and
//! read in one pass by what stands beside what (`reader`), so that a new
//! oddity is a new word or a new neighbour, not a new format. Linear time.
//!
//! Read as: a date without a zone is UTC; `03/04/2026` is American unless that
//! is impossible or the weekday says otherwise; `03.04.2026` is the third of
//! April.

mod fast;
mod lexer;
mod reader;
mod words;
mod zone;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::extract::html_to_text;

/// Bytes of the longest text that can be a date.
const LONGEST: usize = 200;
/// 1970-01-02: what lies before is how machines write "no date".
const EARLIEST: i64 = 86_400;
/// 2200-01-01: what lies after is how people write "for ever".
const LATEST: i64 = 7_258_118_400;

/// Reads a date; `None` when nobody could say what it means, and for values
/// before 1970-01-02 or from 2200 on. Never a reason to drop an entry.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let when = fast::rfc3339(text.as_bytes())
        .or_else(|| fast::rfc2822(text.as_bytes()))
        .or_else(|| slow(text))?;
    (EARLIEST..LATEST).contains(&when.as_second()).then_some(when)
}

fn slow(text: &str) -> Option<Timestamp> {
    let text = match text.contains(['&', '<']) {
        true => Cow::Owned(html_to_text(text)),
        false => Cow::Borrowed(text),
    };
    epoch(&text).or_else(|| reader::read(&lexer::tokens(&text)))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, from 2001
/// on, also as JavaScript's `Date(…)`; fewer digits are a year or a count.
fn epoch(text: &str) -> Option<Timestamp> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '\\' | '"'));
    let digits = match text.strip_prefix("Date(").or_else(|| text.strip_prefix("new Date(")) {
        // An offset inside the brackets is for display only.
        Some(inside) => inside.split([')', '+', '-']).next()?,
        None => text,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    match whole.len() {
        10 => Timestamp::from_second(value).ok(),
        13 => Timestamp::from_millisecond(value).ok(),
        16 => Timestamp::from_microsecond(value).ok(),
        19 => Timestamp::from_nanosecond(value.into()).ok(),
        _ => None,
    }
}

/// The zone a date is in.
#[derive(Clone, Debug)]
enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    /// A place, whose clocks are turned.
    Place(TimeZone),
}

/// A moment as numbers, not yet checked.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: i16,
    month: i8,
    day: i8,
    hour: u8,
    minute: u8,
    second: u8,
    nanosecond: u32,
}

impl Parts {
    /// The instant; hour 24 and second 60 run over into what follows.
    fn instant(self, zone: &Zone) -> Option<Timestamp> {
        if self.hour > 24 || self.minute > 59 || self.second > 61 {
            return None;
        }
        let midnight = Date::new(self.year, self.month, self.day).ok()?.at(0, 0, 0, 0);
        let clock =
            i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let seconds = |midnight: Timestamp, offset: i32| {
            let second = midnight.as_second() + clock - i64::from(offset);
            Timestamp::new(second, self.nanosecond.cast_signed()).ok()
        };
        match zone {
            Zone::Fixed(offset) => seconds(Offset::UTC.to_timestamp(midnight).ok()?, *offset),
            Zone::Place(place) => {
                let local = seconds(Offset::UTC.to_timestamp(midnight).ok()?, 0)?;
                place.to_timestamp(Offset::UTC.to_datetime(local)).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
