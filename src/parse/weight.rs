//! What readers that keep a whole document would take, seen before they are
//! asked: a document of ten megabytes may be a million elements of nothing.

/// Tags of a document that the strict reader is asked about: some hundred
/// bytes each, at the worst.
const MAX_TAGS: usize = 50_000;
/// Values of a JSON document, of 32 bytes.
const MAX_VALUES: usize = 500_000;
/// An object takes as much as so many of them, however little it holds.
const OBJECT: usize = 20;

/// Whether the document is too much for the strict reader.
pub(super) fn has_many_tags(text: &str) -> bool {
    memchr::memchr_iter(b'<', text.as_bytes()).nth(MAX_TAGS).is_some()
}

/// Whether a JSON document has more values than any feed.
pub(super) fn has_many_values(text: &str) -> bool {
    let (mut weight, mut quoted, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => weight += OBJECT,
            b'[' | b',' if !quoted => weight += 1,
            _ => {}
        }
    }
    weight > MAX_VALUES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_texts_does_not_count() {
        assert!(has_many_values(&"[],".repeat(600_000)));
        assert!(has_many_values(&"{},".repeat(50_000)));
        assert!(!has_many_values(&"{},".repeat(20_000)));
        let text = format!("{{\"a\\\"\": \"{}\\\\\"}}", "{,[\\\"".repeat(500_000));
        assert!(!has_many_values(&text));
        assert!(has_many_values(&format!("{text}{}", ",".repeat(1_000_000))));
        assert!(!has_many_tags(&"<p>".repeat(MAX_TAGS)));
        assert!(has_many_tags(&"<p>".repeat(MAX_TAGS + 1)));
    }
}
