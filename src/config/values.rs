//! Texts that stand for something: lengths of time, sizes, names.

use jiff::{SignedDuration, SpanRelativeTo};

use crate::model::Backfill;

/// A length of time such as `1h 30m`; a day has 24 hours.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let span = jiff::fmt::friendly::SpanParser::new().parse_span(text.trim()).ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// The shortest usual spelling of a number of seconds.
pub(super) fn spell_seconds(seconds: i64) -> String {
    match seconds {
        0 => "0s".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// A number with the unit that was probably meant: one with which it is allowed.
pub(super) fn with_unit(count: i64, min: i64, max: i64) -> String {
    const UNITS: [(char, i64); 4] = [('m', 60), ('s', 1), ('h', 3_600), ('d', 86_400)];
    let fits = |seconds: i64| count > 0 && (min..=max).contains(&count.saturating_mul(seconds));
    // Of what is kept for days, days are counted.
    let smallest = if min >= 86_400 { 86_400 } else { 1 };
    let mut units = UNITS.into_iter().filter(|(_, seconds)| *seconds >= smallest);
    match units.find(|(_, seconds)| fits(*seconds)) {
        Some((unit, _)) => format!("{count}{unit}"),
        None => spell_seconds(if count > 0 { max } else { min.max(1) }),
    }
}

/// What the first poll may alert.
pub(super) fn backfill(text: &str) -> Option<Backfill> {
    match text {
        "none" => Some(Backfill::None),
        "all" => Some(Backfill::All),
        other => duration(other).filter(|d| d.is_positive()).map(Backfill::Within),
    }
}

const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// A number of bytes such as `10MiB`.
pub(super) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (unit, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The largest unit that gives a whole number.
pub(super) fn spell_size(bytes: u64) -> String {
    let unit = UNITS[..3].iter().rev().find(|(_, factor)| bytes.is_multiple_of(*factor));
    unit.map_or(format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// Whether a text can name a feed, rule, channel or list.
pub(super) fn is_name(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(ok) && text.chars().all(|c| ok(c) || c == '_' || c == '-')
}

/// Folders may not lie deeper than this.
const DEEPEST_GROUP: usize = 64;

/// Whether a text can name a group: folders divided by slashes, in any script.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_group(text: &str) -> Result<(), &'static str> {
    let mut folders = text.split('/');
    if text.chars().any(char::is_control) {
        return Err("a group's name has no control characters");
    }
    if text.split('/').count() > DEEPEST_GROUP {
        return Err("folders lie at most 64 deep");
    }
    if folders.any(|folder| folder.is_empty() || folder.trim() != folder) {
        return Err("a group is written \"news\" or \"news/asia\"");
    }
    Ok(())
}

/// The name that was probably meant.
pub(super) fn suggest_name(text: &str) -> Option<String> {
    slug(text).map(|name| format!("did you mean \"{name}\"?"))
}

/// A text made into a name, if anything is left of it.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' | '-' => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches(['-', '_']);
    is_name(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_unit_gets_one_that_is_allowed() {
        let check = |count: i64, (min, max): (i64, i64), expected: &str| {
            assert_eq!(with_unit(count, min, max), expected, "{count}");
        };
        check(5, (60, 3_600), "5m");
        check(300, (1, 3_600), "300s");
        check(365, (86_400, 315_360_000), "365d");
        check(9_999, (1, 3_600), "1h");
        check(0, (0, 3_600), "1s");
        check(-7, (60, 3_600), "1m");
    }

    #[test]
    fn durations_are_read_with_days_of_24_hours() {
        let check = |text: &str, seconds: Option<i64>| {
            assert_eq!(duration(text).map(|d| d.as_secs()), seconds, "{text}");
        };
        check("90s", Some(90));
        check("15m", Some(900));
        check("1h 30m", Some(5400));
        check("1d", Some(86_400));
        check("2w", Some(14 * 86_400));
        check("-5m", Some(-300));
        check("15", None);
        check("1mo", None);
        check("1 year", None);
        check("soon", None);
        check("", None);
        check("99999999999999999999s", None);
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        let check = |text: &str, bytes: Option<u64>| assert_eq!(size(text), bytes, "{text}");
        check("10MiB", Some(10 << 20));
        check("10 MiB", Some(10 << 20));
        check("5kB", Some(5_000));
        check("7B", Some(7));
        check("10", None);
        check("ten MiB", None);
        check("-1MiB", None);
        check("99999999999GiB", None);
        assert_eq!(spell_size(10 << 20), "10MiB");
        assert_eq!(spell_size(1 << 30), "1GiB");
        assert_eq!(spell_size(1000), "1000B");
    }

    #[test]
    fn a_name_that_is_none_gets_a_suggestion() {
        let check = |text: &str, hint: Option<&str>| {
            assert!(!is_name(text), "{text}");
            let hint = hint.map(|name| format!("did you mean \"{name}\"?"));
            assert_eq!(suggest_name(text), hint, "{text}");
        };
        check("BBC World", Some("bbc-world"));
        check("-x", Some("x"));
        check("bbc.co.uk", Some("bbc-co-uk"));
        check("Zürich", Some("z-rich"));
        check("新华社", None);
        check("", None);
        assert!(is_name("bbc-world_2"));
    }
}
