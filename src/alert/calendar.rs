//! Hours and times of day in a time zone: quiet hours, and when digests are
//! sent. Exact on days on which clocks change: a time that does not exist is
//! taken as the one an hour on, of one that exists twice the first is taken.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Days of the week, by their number from Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days([bool; 7]);

impl Days {
    const ALL: Self = Self([true; 7]);

    fn has(self, date: Date) -> bool {
        let day = DAYS.iter().position(|(_, day)| *day == date.weekday());
        day.and_then(|at| self.0.get(at).copied()).unwrap_or(true)
    }

    /// `mon-fri`, `sat,sun`, `mon-wed,fri`.
    fn parse(text: &str) -> Option<Self> {
        let number = |word: &str| DAYS.iter().position(|(name, _)| *name == word.trim());
        let mut days = [false; 7];
        for part in text.to_ascii_lowercase().split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to) = (number(from)?, number(to)?);
            let length = (to + 7 - from) % 7;
            (0..=length).for_each(|step| days[(from + step) % 7] = true);
        }
        Some(Self(days))
    }
}

impl fmt::Display for Days {
    /// As it is written, with a space behind; nothing for every day.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return Ok(());
        }
        let named = DAYS.iter().zip(self.0).filter(|(_, on)| *on).map(|((name, _), _)| *name);
        write!(f, "{} ", named.collect::<Vec<_>>().join(","))
    }
}

/// A span of hours on some days; it may end on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    days: Days,
    from: Time,
    to: Time,
    /// Whether it ends on the day after it began.
    overnight: bool,
}

impl Hours {
    /// Reads `22:00-07:00`, or with days `sat,sun 00:00-24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (days, hours) = days_before(text)?;
        let (from, to) = hours.split_once(['-', '–'])?;
        let (from, to) = (time(from)?, to.trim());
        let (to, ends_at_midnight) = match to {
            "24:00" | "24" => (Time::midnight(), true),
            to => (time(to)?, false),
        };
        let overnight = ends_at_midnight || to <= from;
        Some(Self { days, from, to, overnight })
    }

    /// When the hours that hold now end.
    fn until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = now.to_zoned_datetime(zone.clone()).date();
        let began = [today.yesterday().ok()?, today].into_iter().filter(|day| self.days.has(*day));
        let spans = began.filter_map(|day| {
            let last = if self.overnight { day.tomorrow().ok()? } else { day };
            Some((instant(day, self.from, zone)?, instant(last, self.to, zone)?))
        });
        spans.filter(|(from, to)| *from <= now && now < *to).map(|(_, to)| to).max()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.to == Time::midnight() { "24:00".to_owned() } else { hour(self.to) };
        write!(f, "{}{}-{to}", self.days, hour(self.from))
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.days, hour(self.at))
    }
}

fn hour(at: Time) -> String {
    at.strftime("%H:%M").to_string()
}

/// When the quiet hours that hold now end; spans that touch are one.
pub(super) fn quiet_until(hours: &[Hours], zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut until = None;
    // A week of spans that touch is for ever; it ends somewhere all the same.
    for _ in 0..20 {
        let at = until.unwrap_or(now);
        match hours.iter().filter_map(|hours| hours.until(at, zone)).max() {
            Some(later) => until = Some(later),
            None => break,
        }
    }
    until
}

/// Whether no hour of the week is left.
pub fn never_ends(hours: &[Hours]) -> bool {
    let week = jiff::SignedDuration::from_hours(8 * 24);
    let now = Timestamp::UNIX_EPOCH;
    quiet_until(hours, &TimeZone::UTC, now).is_some_and(|until| until.duration_since(now) > week)
}

/// A time of day on some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTime {
    days: Days,
    at: Time,
}

impl DayTime {
    /// Reads `08:00`, or with days `mon-fri 08:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (days, at) = days_before(text)?;
        Some(Self { days, at: time(at)? })
    }
}

/// The first of these times after `now`.
pub fn next(times: &[DayTime], zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut day = now.to_zoned_datetime(zone.clone()).date();
    // Eight days: today's time may be over, and the next be in a week.
    for _ in 0..=8 {
        let today = times.iter().filter(|time| time.days.has(day));
        let today = today.filter_map(|time| instant(day, time.at, zone));
        if let Some(found) = today.filter(|at| *at > now).min() {
            return Some(found);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

fn instant(day: Date, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(day.to_datetime(at)).compatible().ok()
}

fn days_before(text: &str) -> Option<(Days, &str)> {
    let text = text.trim();
    match text.rsplit_once(' ') {
        Some((days, rest)) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some((Days::parse(days)?, rest))
        }
        Some(_) => None,
        None => Some((Days::ALL, text)),
    }
}

/// Reads `8:00`, `08:00` or `08`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    if hour.is_empty() || hour.len() > 2 || minute.len() > 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// Quiet hours, zone, time, and when they end.
    fn quiet(hours: &str, name: &str, now: &str, expected: Option<&str>) {
        let hours: Vec<Hours> = hours.split('|').map(|text| Hours::parse(text).unwrap()).collect();
        let until = quiet_until(&hours, &zone(name), now.parse().unwrap());
        assert_eq!(until, expected.map(|at| at.parse().unwrap()), "{hours:?} {name} {now}");
    }

    #[test]
    fn quiet_hours_end_when_their_zone_says_so() {
        let night = "22:00-07:00";
        quiet(night, "UTC", "2026-11-25T21:59:59Z", None);
        quiet(night, "UTC", "2026-11-25T22:00:00Z", Some("2026-11-26T07:00:00Z"));
        quiet(night, "UTC", "2026-11-26T06:59:59Z", Some("2026-11-26T07:00:00Z"));
        quiet(night, "UTC", "2026-11-26T07:00:00Z", None);
        quiet("09:00-17:00", "UTC", "2026-11-26T12:00:00Z", Some("2026-11-26T17:00:00Z"));
        // Clocks go forward at 02:00 on 29 March 2026 in Berlin, and back on 25 October.
        quiet(night, "Europe/Berlin", "2026-03-28T21:30:00Z", Some("2026-03-29T05:00:00Z"));
        quiet(night, "Europe/Berlin", "2026-10-24T20:30:00Z", Some("2026-10-25T06:00:00Z"));
        let weekend = "sat,sun 00:00-24:00|22:00-07:00";
        quiet(weekend, "UTC", "2026-11-27T23:00:00Z", Some("2026-11-30T07:00:00Z"));
        quiet("mon-fri 09-17", "UTC", "2026-11-28T12:00:00Z", None);
        let all =
            |texts: &[&str]| texts.iter().map(|t| Hours::parse(t).unwrap()).collect::<Vec<_>>();
        assert!(never_ends(&all(&["00:00-24:00"])));
        assert!(never_ends(&all(&["00:00-12:00", "12:00-24:00"])));
        assert!(!never_ends(&all(&["22:00-07:00", "sat,sun 00:00-24:00"])));
        for text in ["22:00-07:00", "sat,sun 00:00-24:00", "09:30-17:00"] {
            assert_eq!(Hours::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(DayTime::parse("mon-wed 8:00").unwrap().to_string(), "mon,tue,wed 08:00");
        assert_eq!(Hours::parse("22:00"), None);
        assert_eq!(Hours::parse("25:00-07:00"), None);
        assert_eq!(Hours::parse("someday 22:00-07:00"), None);
    }

    #[test]
    fn digests_come_once_a_day_over_every_change_of_clocks() {
        for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
            for at in ["02:30", "02:00", "01:45", "00:00", "08:00", "23:59"] {
                let times = [DayTime::parse(at).unwrap()];
                let zone = zone(name);
                let mut now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
                let mut days = Vec::new();
                for _ in 0..400 {
                    let at = next(&times, &zone, now).unwrap();
                    let gap = at.duration_since(now);
                    let hours = |n: i64| SignedDuration::from_mins(60 * n + 90);
                    assert!(gap > SignedDuration::ZERO && gap <= hours(24), "{name} {at}");
                    days.push(at.to_zoned_datetime(zone.clone()).date());
                    now = at;
                }
                let each_once = days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]);
                assert!(each_once, "{name} {at}");
            }
        }
    }

    #[test]
    fn the_next_of_several_times_on_their_days() {
        let times: Vec<DayTime> = ["mon-fri 08:00", "mon-fri 17:30", "sun 20:00"]
            .map(|t| DayTime::parse(t).unwrap())
            .into();
        let check = |now: &str, expected: &str| {
            let found = next(&times, &TimeZone::UTC, now.parse().unwrap());
            assert_eq!(found, Some(expected.parse().unwrap()), "{now}");
        };
        check("2026-11-25T07:00:00Z", "2026-11-25T08:00:00Z");
        check("2026-11-25T08:00:00Z", "2026-11-25T17:30:00Z");
        check("2026-11-27T18:00:00Z", "2026-11-29T20:00:00Z");
        check("2026-11-29T20:00:00Z", "2026-11-30T08:00:00Z");
        assert_eq!(next(&[], &TimeZone::UTC, Timestamp::UNIX_EPOCH), None);
        assert_eq!(DayTime::parse("8 o'clock"), None);
    }
}
