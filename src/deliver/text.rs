//! Foreign text made fit for messages, and cut to size. Cuts never part a
//! letter from its accents, nor an emoji from what it is joined to.

use unicode_segmentation::GraphemeCursor;

/// Replaces what could break out of a line: control characters, line and
/// paragraph separators become spaces. Directional overrides, which make text
/// read other than it is, are dropped.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

/// [`clean`], with runs of white space folded and at most `max` characters.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let cleaned = clean(text);
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    cut(&words.join(" "), max)
}

/// At most `max` characters, the last of them "…" if any were cut.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.char_indices().nth(max).is_none() {
        return text.to_owned();
    }
    let last = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
    format!("{}…", text[..floor_grapheme(text, last)].trim_end())
}

/// The last place at or before `at` where a text may be cut.
pub(super) fn floor_grapheme(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
    }
}

/// The first place at or after `at` where a text may be cut.
pub(super) fn ceil_grapheme(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_break_a_line_becomes_a_space() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected, "{text:?}");
        check("a\r\nBcc: b", "a  Bcc: b");
        check("\u{1b}[31mred\u{7}\u{0}\u{85}", " [31mred   ");
        check("one\u{2028}two\u{2029}three", "one two three");
        check("invoice\u{202e}gpj.exe\u{2066}\u{2069}", "invoicegpj.exe");
        check("電力の {{ 7*7 }} <b>", "電力の {{ 7*7 }} <b>");
    }

    #[test]
    fn lines_are_folded_and_cut_between_characters() {
        let check = |text: &str, max: usize, expected: &str| {
            assert_eq!(one_line(text, max), expected, "{text:?} to {max}");
        };
        check("  a \t b\n\nc ", 10, "a b c");
        check("電力電力", 4, "電力電力");
        check("電力電力", 3, "電力…");
        check("ab cdef", 4, "ab…");
        check("ab👩\u{200d}👩\u{200d}👧cd", 5, "ab…");
        check("e\u{301}e\u{301}e\u{301}", 4, "e\u{301}…");
    }
}
