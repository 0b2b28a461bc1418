//! Dates as feeds write them: RFC 2822 (RSS), RFC 3339 (Atom), ISO 8601
//! without a zone (taken as UTC), asctime, epoch seconds.

use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Zone names that RFC 2822 parsers refuse, with hours east of Greenwich.
const ZONES: [(&str, i64); 22] = [
    ("AEDT", 11),
    ("AEST", 10),
    ("BST", 1),
    ("CEST", 2),
    ("CET", 1),
    ("EEST", 3),
    ("EET", 2),
    ("GMT", 0),
    ("HKT", 8),
    ("IDT", 3),
    ("IST", 5),
    ("JST", 9),
    ("KST", 9),
    ("MSK", 3),
    ("NZDT", 13),
    ("NZST", 12),
    ("PKT", 5),
    ("SGT", 8),
    ("UTC", 0),
    ("WEST", 1),
    ("WET", 0),
    ("Z", 0),
];

/// Formats without a zone; what they give is taken as UTC.
const CIVIL: [&str; 10] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M",
    "%d %b %Y %H:%M",
    "%a %b %d %H:%M:%S %Y",
    "%d %B %Y %H:%M:%S",
];

/// Formats of a day; what they give is taken as midnight UTC.
const DAYS: [&str; 5] = ["%Y-%m-%d", "%d %b %Y", "%a, %d %b %Y", "%d %B %Y", "%B %d, %Y"];

/// Reads a date; `None` when nobody could say what it means. Never a reason
/// to drop an entry.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    text.parse::<Timestamp>()
        .ok()
        // Before RFC 2822, whose parsers take any unknown zone name for UTC.
        .or_else(|| with_zone_name(&text))
        .or_else(|| rfc2822_relaxed(&text))
        .or_else(|| civil(&text))
        .or_else(|| epoch(&text))
        .filter(|when| when.as_second() > 0)
}

fn rfc2822_relaxed(text: &str) -> Option<Timestamp> {
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok()
}

fn civil(text: &str) -> Option<Timestamp> {
    let moment = CIVIL.iter().find_map(|format| DateTime::strptime(format, text).ok());
    let moment = moment.or_else(|| {
        DAYS.iter().find_map(|format| Date::strptime(format, text).ok()).map(DateTime::from)
    })?;
    TimeZone::UTC.to_timestamp(moment).ok()
}

/// `… 10:00:00 CEST`, and an offset where RFC 2822 would not read it
/// (`2026-11-03 10:00:00 +0100`).
fn with_zone_name(text: &str) -> Option<Timestamp> {
    let (rest, zone) = text.rsplit_once(' ')?;
    if let Ok(index) = ZONES.binary_search_by_key(&zone, |(name, _)| name) {
        let minutes = if zone == "IST" { 330 } else { ZONES[index].1 * 60 };
        return civil(rest)?.checked_sub(SignedDuration::from_mins(minutes)).ok();
    }
    ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%dT%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%z"]
        .iter()
        .find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok())
}

/// Seconds since 1970, from 2001 to 2100; anything else is a year or a count.
fn epoch(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    let seconds = if seconds > 1_000_000_000_000 { seconds / 1_000 } else { seconds };
    (1_000_000_000..4_102_444_800)
        .contains(&seconds)
        .then(|| Timestamp::from_second(seconds).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_feeds_write_them() {
        assert!(ZONES.is_sorted());
        for (input, expected) in [
            ("2026-11-03T10:00:00Z", Some("2026-11-03T10:00:00Z")),
            ("2026-11-03T10:00:00.123+01:00", Some("2026-11-03T09:00:00.123Z")),
            ("2022-11-01 00:00:02+00:00", Some("2022-11-01T00:00:02Z")),
            ("Tue, 03 Nov 2026 10:00:00 GMT", Some("2026-11-03T10:00:00Z")),
            ("Tue, 3 Nov 2026 10:00:00 +0200", Some("2026-11-03T08:00:00Z")),
            ("Mon, 03 Nov 2026 10:00:00 EST", Some("2026-11-03T15:00:00Z")),
            ("03 Nov 2026 10:00 +0000", Some("2026-11-03T10:00:00Z")),
            ("Tue, 03 Nov 2026 10:00:00 CET", Some("2026-11-03T09:00:00Z")),
            ("Tue, 03 Nov 2026 10:00:00 IST", Some("2026-11-03T04:30:00Z")),
            ("2026-11-03 10:00:00", Some("2026-11-03T10:00:00Z")),
            ("2026-11-03T10:00:00", Some("2026-11-03T10:00:00Z")),
            ("2026-11-03", Some("2026-11-03T00:00:00Z")),
            ("2026-11-03 10:00:00 +0100", Some("2026-11-03T09:00:00Z")),
            ("03 November 2026", Some("2026-11-03T00:00:00Z")),
            ("Tue Nov  3 10:00:00 2026", Some("2026-11-03T10:00:00Z")),
            ("1793700000", Some("2026-11-03T10:00:00Z")),
            ("yesterday", None),
            ("", None),
            ("2026", None),
            ("0000-00-00T00:00:00Z", None),
        ] {
            assert_eq!(parse_date(input), expected.map(|e| e.parse().unwrap()), "{input:?}");
        }
    }
}
