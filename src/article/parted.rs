//! What the finder of articles does to lines is mended. It may run paragraphs
//! together ("after lunch.An official"), so that words are lost to rules; such
//! lines are parted as the page shows them. And it may tell a short article
//! two or three times.

use std::collections::HashSet;

use super::tree::squeezed;

/// Shorter lines may well come again, in characters.
const REPEATED: usize = 25;

/// Lines that are looked into; honest texts have few that need it.
const MOST: usize = 500;
/// Places of the page at which a line is looked for.
const PLACES: usize = 20;
/// Lines of the page, between two of a text, that are not part of it.
const BETWEEN: usize = 40;

/// The lines of a text, long ones once.
pub(super) fn once(text: &str) -> String {
    let mut seen = HashSet::new();
    let is_new = |line: &&str| line.chars().count() < REPEATED || seen.insert(squeezed(line));
    text.lines().filter(is_new).collect::<Vec<_>>().join("\n")
}

/// `found` with a line for each that the page has.
pub(super) fn parted(found: &str, page: &str) -> String {
    let shown: Vec<(&str, String)> = page
        .lines()
        .map(|line| (line, squeezed(line)))
        .filter(|(_, bare)| !bare.is_empty())
        .collect();
    let known: HashSet<&str> = shown.iter().map(|(_, bare)| bare.as_str()).collect();
    let mut tried = 0;
    let lines = found.lines().map(|line| {
        let whole = squeezed(line);
        if tried == MOST || known.contains(whole.as_str()) {
            return line.to_owned();
        }
        tried += 1;
        let begins = |at: &usize| whole.starts_with(shown[*at].1.as_str());
        let places = (0..shown.len()).filter(begins).take(PLACES);
        let parts = places.filter_map(|at| parts(&whole, &shown[at..])).next();
        parts.map_or_else(|| line.to_owned(), |parts| parts.join("\n"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines that make up `whole`, the first of `shown` the first of them.
fn parts<'a>(whole: &str, shown: &[(&'a str, String)]) -> Option<Vec<&'a str>> {
    let (mut rest, mut parts, mut between) = (whole, Vec::new(), 0);
    for (line, bare) in shown {
        match rest.strip_prefix(bare.as_str()) {
            Some(after) => {
                parts.push(*line);
                (rest, between) = (after, 0);
            }
            None => between += 1,
        }
        if rest.is_empty() {
            return Some(parts);
        }
        if between > BETWEEN {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_twice_is_told_once() {
        let (told, short) = ("The port was closed on Sunday.", "\u{201c}No.\u{201d}");
        let text = format!("{told}\n{short}\nPort closed\n{told}\n{short}");
        assert_eq!(once(&text), format!("{told}\n{short}\nPort closed\n{short}"));
    }

    #[test]
    fn lines_that_ran_together_are_parted() {
        let check = |found: &str, expected: &str| {
            let page = "Home\nA b.\nShare\nC d.\nA b. C\nE\n";
            assert_eq!(parted(found, page), expected, "{found}");
        };
        check("A b.C d.", "A b.\nC d.");
        check("E\nA b.ShareC d.", "E\nA b.\nShare\nC d.");
        check("A b. C", "A b. C");
        check("A b.X", "A b.X");
        check("", "");
        let many = parted(&"a".repeat(9_000), &"a\n".repeat(9_000));
        assert_eq!(many.lines().count(), 9_000);
    }
}
