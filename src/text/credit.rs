//! Datelines and agency credits: who reports, which is not what is reported.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// `BEIJING, Nov 23 (Reuters) - ` with groups for place and agency, or a
/// place in capitals and a dash.
const DATELINE: &str = r"(?x)^\s*
    (?: (?: (?: \p{Lu}[\p{Lu}'’.\-]+ (?:[\ /,]{1,2}\p{Lu}[\p{L}'’.\-]*){0,4}
            | \p{Lu}\p{Ll}+ (?:\ \p{Lu}\p{Ll}+)? )? ,? \s*
          (?: \p{Lu}\p{Ll}{2,8}\.? \s \d{1,2} (?:,\ \d{4})? )? \s* )
        [(\[] (?P<agency> (?:The\ )? [A-Z][\w&.\-]* (?:[\ /][A-Z][\w&.\-]*){0,3} ) [)\]]
        \s* (?: [-–—―:]{1,2} ) \s+
      | (?P<place> \p{Lu}{4}[\p{Lu}'’.\-]* | [\p{Lu}'’.\-]{2,} (?:\ [\p{Lu}'’.\-]{2,})+ )
        (?:,?\ \p{Lu}[\p{L}'’.\-]+){0,3} \s* (?: [–—―] | -- ) \s+
    )";

/// Words in capitals before a dash that are no places.
const NO_PLACES: [&str; 16] = [
    "ASEAN",
    "AUKUS",
    "BREAKING",
    "BRICS",
    "CENTCOM",
    "EUROPOL",
    "FEMA",
    "HAMAS",
    "IAEA",
    "INDOPACOM",
    "INTERPOL",
    "NASA",
    "NATO",
    "OPEC",
    "UNESCO",
    "UNICEF",
];

/// The agencies that are named at the end of a text alone.
const AGENCIES: [&str; 12] =
    ["AAP", "AFP", "ANI", "AP", "Bernama", "DPA", "EFE", "IANS", "PTI", "Reuters", "UPI", "Xinhua"];

/// Words that begin the credits at the end.
const CREDITS: [&str; 6] = [
    "reporting by",
    "additional reporting by",
    "writing by",
    "editing by",
    "compiled by",
    "with inputs from",
];

/// Credits are not looked for farther from the end, in bytes.
const TAIL: usize = 600;

fn dateline() -> Option<&'static Regex> {
    static COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(DATELINE).ok());
    COMPILED.as_ref()
}

/// The part of a text between dateline and credits.
pub(crate) fn body(text: &str) -> Range<usize> {
    let head = text.get(..text.floor_char_boundary(160)).unwrap_or_default();
    let begins = looks_like_dateline(head)
        .then(|| dateline()?.captures(head))
        .flatten()
        .filter(|found| !found.name("place").is_some_and(|at| NO_PLACES.contains(&at.as_str())))
        .and_then(|found| found.get(0))
        .map_or(0, |found| found.end());
    let end = credits(text).unwrap_or(text.len());
    if begins >= end { 0..text.len() } else { begins..end }
}

/// Most texts have neither a bracket nor a long dash near their beginning.
fn looks_like_dateline(head: &str) -> bool {
    let dash = |text: &str| text.contains(['–', '—', '―']) || text.contains("--");
    head.contains(") ")
        || head.contains(")-")
        || head.contains(']')
        || head.contains("):")
        || dash(head)
}

/// The agency that a text's dateline or last credit names.
pub(crate) fn agency(text: &str) -> Option<&str> {
    let head = text.get(..text.floor_char_boundary(160)).unwrap_or_default();
    let found = dateline().and_then(|dateline| dateline.captures(head));
    let stated = found.and_then(|found| found.name("agency")).map(|agency| agency.as_str());
    stated.or_else(|| {
        let end = text.get(credits(text)?..)?;
        let bare = end.trim_matches(|c: char| !c.is_alphanumeric());
        AGENCIES.iter().find(|agency| **agency == bare).map(|_| bare)
    })
}

/// Where the credits at the end begin.
fn credits(text: &str) -> Option<usize> {
    let from = text.ceil_char_boundary(text.len().saturating_sub(TAIL));
    let tail = text.get(from..)?;
    let mut start = None;
    for (at, c) in tail.char_indices() {
        // They are a paragraph or a bracket of their own, up to the end.
        let opens = matches!(c, '(' | '[' | '\n');
        if !opens && (at, from) != (0, 0) {
            continue;
        }
        let inside = tail.get(at..)?.trim_start_matches(['(', '[', '\n', ' ', '—', '–', '-']);
        let close = if c == '(' { ')' } else { ']' };
        let alone = matches!(c, '\n') || tail.get(at..)?.trim_end().ends_with(close);
        let first =
            inside.get(..inside.floor_char_boundary(26)).unwrap_or(inside).to_ascii_lowercase();
        let credited = CREDITS.iter().any(|credit| first.starts_with(credit));
        let bare = inside.trim_end_matches(|c: char| !c.is_alphanumeric());
        let agency = c != '\n' && AGENCIES.contains(&bare);
        let only = tail.get(at + 1..)?.trim_end().find(['\n']).is_none() || credited;
        if alone && only && (credited || agency) {
            start = Some(from + at);
            break;
        }
    }
    start.filter(|start| *start > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datelines_and_credits_are_not_the_text() {
        let check = |text: &str, expected: &str, by: Option<&str>| {
            assert_eq!(text.get(body(text)), Some(expected), "{text}");
            assert_eq!(agency(text), by, "{text}");
        };
        check("BEIJING (AP) — Ships met.", "Ships met.", Some("AP"));
        check("Nov 23 (Reuters) - Ships met.", "Ships met.", Some("Reuters"));
        check("WASHINGTON, Nov. 23 (Xinhua) -- Ships met.", "Ships met.", Some("Xinhua"));
        check("BEIJING/HONG KONG (Reuters) - Ships met.", "Ships met.", Some("Reuters"));
        check("(CNN) — Ships met.", "Ships met.", Some("CNN"));
        check("WASHINGTON — Ships met.", "Ships met.", None);
        check("SAN FRANCISCO, Calif. — Ships met.", "Ships met.", None);
        check("New Delhi (PTI): Ships met.", "Ships met.", Some("PTI"));
        check("Oil prices soar (Reuters) - so.", "Oil prices soar (Reuters) - so.", None);
        check("NATO — the alliance — met.", "NATO — the alliance — met.", None);
        check("US — China talks fail.", "US — China talks fail.", None);
        check("China (and Japan) - both - agree.", "China (and Japan) - both - agree.", None);
        check("Ships met – twice.", "Ships met – twice.", None);
        check(
            "Ships met.\n(Reporting by A Writer in Beijing; Editing by B Editor)",
            "Ships met.",
            None,
        );
        check("Ships met. (AFP)", "Ships met. ", Some("AFP"));
        check("He said (the minister) ships met", "He said (the minister) ships met", None);
        check("Reporting by ships", "Reporting by ships", None);
        check("", "", None);
    }
}
