//! Where a part of a TOML string's value stands in the file.

use std::ops::Range;

/// One character (or run without escapes) of a value and its source.
struct Piece {
    value: Range<usize>,
    raw: Range<usize>,
}

/// Translates a byte range of a string's value into a byte range of `raw`, the
/// string as it stands in the file with its quotes.
pub(super) fn map(raw: &str, range: Range<usize>) -> Range<usize> {
    let (pieces, end) = pieces(raw);
    let start = pieces
        .iter()
        .find(|piece| range.start < piece.value.end)
        .map_or(end, |piece| piece.raw.start + inside(piece, range.start));
    let stop = pieces
        .iter()
        .rfind(|piece| piece.value.start < range.end)
        .map_or(start, |piece| raw_end(piece, range.end));
    start..stop.max(start)
}

/// Runs of plain text are as long in the file as in the value.
fn inside(piece: &Piece, at: usize) -> usize {
    if piece.raw.len() == piece.value.len() { at.saturating_sub(piece.value.start) } else { 0 }
}

fn raw_end(piece: &Piece, at: usize) -> usize {
    if piece.raw.len() == piece.value.len() {
        piece.raw.start + (at.min(piece.value.end) - piece.value.start)
    } else {
        piece.raw.end
    }
}

/// The value's pieces, and where its content ends in `raw`.
fn pieces(raw: &str) -> (Vec<Piece>, usize) {
    let quotes = ["'''", "\"\"\"", "'", "\""];
    let Some(quote) = quotes.into_iter().find(|quote| {
        raw.starts_with(quote) && raw.ends_with(quote) && raw.len() >= 2 * quote.len()
    }) else {
        return (Vec::new(), raw.len());
    };
    let mut start = quote.len();
    if quote.len() == 3 {
        // A newline right after the opening quotes is no part of the value.
        let body = &raw[start..];
        start += [("\r\n", 2), ("\n", 1)]
            .into_iter()
            .find_map(|(newline, length)| body.starts_with(newline).then_some(length))
            .unwrap_or(0);
    }
    let end = (raw.len() - quote.len()).max(start);
    if quote.starts_with('\'') {
        let length = end - start;
        return (vec![Piece { value: 0..length, raw: start..end }], end);
    }
    (basic(raw, start..end), end)
}

/// Walks a basic string: plain runs and escapes (TOML 1.1).
fn basic(raw: &str, body: Range<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut at, mut value) = (body.start, 0);
    while at < body.end {
        let rest = &raw[at..body.end];
        let (raw_length, value_length) = match rest.find('\\') {
            Some(0) => escape(rest),
            Some(plain) => (plain, plain),
            None => (rest.len(), rest.len()),
        };
        if value_length > 0 {
            pieces.push(Piece { value: value..value + value_length, raw: at..at + raw_length });
        }
        at += raw_length;
        value += value_length;
    }
    pieces
}

/// Length of the escape that `rest` begins with, in the file and in the value.
fn escape(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let length = (2 + digits).min(rest.len());
        let code = rest.get(2..length).and_then(|code| u32::from_str_radix(code, 16).ok());
        (length, code.and_then(char::from_u32).map_or(3, char::len_utf8))
    };
    match rest[1..].chars().next() {
        None => (1, 1),
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        // A backslash at a line's end swallows the white space up to the next text.
        Some(' ' | '\t' | '\r' | '\n') => {
            let text = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            (rest.len() - text.len(), 0)
        }
        Some(other) => (1 + other.len_utf8(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `part` is looked for in the value, `expected` is what is found in the file.
    fn check(raw: &str, part: &str, expected: &str) {
        let value = match toml::de::DeValue::parse(raw).unwrap().into_inner() {
            toml::de::DeValue::String(value) => value.into_owned(),
            other => panic!("{other:?}"),
        };
        let at = value.find(part).unwrap_or_else(|| panic!("{part:?} in {value:?}"));
        let span = map(raw, at..at + part.len());
        assert_eq!(&raw[span], expected, "{part:?} in {raw}");
    }

    #[test]
    fn a_span_of_the_value_is_found_in_the_file_whatever_the_quotes() {
        check("'a AND b'", "AND", "AND");
        check("'''a AND b'''", "AND", "AND");
        check("'''\n  a\n  AND b\n'''", "AND", "AND");
        check("'''\r\n  a\r\n  AND b\r\n'''", "AND b", "AND b");
        check("'''it''s x'''", "s x", "s x");
        check("''''quoted' x'''", "x", "x");
        check(r#""a AND b""#, "AND", "AND");
        check(r#""\"a\" AND \"b c\"""#, "AND", "AND");
        check(r#""\"a\" AND \"b c\"""#, "\"b c\"", r#"\"b c\""#);
        check(r#""\u00e9t\u00e9 AND x""#, "AND", "AND");
        check(r#""\u00e9t\u00e9 AND x""#, "été", r"\u00e9t\u00e9");
        check(r#""\xe9 \U0001f600 x""#, "x", "x");
        check("\"\"\"\na \\\n   AND b\"\"\"", "AND", "AND");
        check("\"\"\"\na \\\n   AND b\"\"\"", "a AND", "a \\\n   AND");
        check("\"\"\"\"x\" y\"\"\"", "y", "y");
        check("'美国 AND x'", "AND", "AND");
    }

    #[test]
    fn a_span_at_the_end_or_beyond_stays_inside_the_quotes() {
        assert_eq!(map("'ab'", 2..2), 3..3);
        assert_eq!(map("'ab'", 1..9), 2..3);
        assert_eq!(map("''", 0..0), 1..1);
        assert_eq!(map("\"a\\n\"", 2..2), 4..4);
        assert_eq!(map("'''\n'''", 0..0), 4..4);
        assert_eq!(map("bare", 0..2), 4..4);
    }
}
