//! Foreign text made fit for messages, and cut to size.

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
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(max.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
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
    }
}
