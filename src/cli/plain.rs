//! Text that does nothing to a terminal but stand on it. What strangers wrote
//! may hold control characters, which move the cursor, forge lines or retitle
//! the window, and marks that turn the reading direction (Unicode UAX #9).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How a character is written that must not stand there as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// `\u{9b}`, for people.
    Text,
    /// `\u009b`, which a JSON text may say for any character.
    Json,
}

/// Overrides and isolates of direction, separators of lines, and controls.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with each character that acts written out. Ends of lines stay.
pub(super) fn plain(text: &str, escape: Escape) -> Cow<'_, str> {
    escaped(text, escape, |c| acts(c) && c != '\n')
}

fn escaped(text: &str, escape: Escape, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a String cannot fail; all of them have four digits.
        let _ = match (is_escaped(c), escape) {
            (false, _) => out.write_char(c),
            (true, Escape::Text) => write!(out, "{}", c.escape_unicode()),
            (true, Escape::Json) => write!(out, "\\u{:04x}", u32::from(c)),
        };
    }
    Cow::Owned(out)
}

/// A log's way out: each write is a record, which ends with its only line end.
#[derive(Debug)]
pub(super) struct Records<W> {
    to: W,
    escape: Escape,
    /// Whether the log itself sets colours: then ESC stays, which was taken out
    /// of the words that are logged (`logging.rs`).
    colours: bool,
}

impl<W: Write> Records<W> {
    pub(super) fn new(to: W, escape: Escape, colours: bool) -> Self {
        Self { to, escape, colours }
    }
}

impl<W: Write> Write for Records<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let colours = self.colours;
        let line = escaped(line, self.escape, |c| acts(c) && !(colours && c == '\u{1b}'));
        self.to.write_all(format!("{line}\n").as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_written_out_and_the_rest_stays() {
        let check = |text: &str, people: &str, json: &str| {
            assert_eq!(plain(text, Escape::Text), people, "{text:?}");
            assert_eq!(plain(text, Escape::Json), json, "{text:?}");
        };
        check("café 新闻 👩\u{200d}🚀\n", "café 新闻 👩\u{200d}🚀\n", "café 新闻 👩\u{200d}🚀\n");
        check("a\u{1b}[31m", "a\\u{1b}[31m", "a\\u001b[31m");
        check("\u{9b}\u{7f}\r", "\\u{9b}\\u{7f}\\u{d}", "\\u009b\\u007f\\u000d");
        check(
            "x\u{202e}\u{2066}\u{2028}",
            "x\\u{202e}\\u{2066}\\u{2028}",
            "x\\u202e\\u2066\\u2028",
        );
    }

    #[test]
    fn a_record_is_one_line() {
        let record = |colours: bool, text: &str| {
            let mut out = Vec::new();
            Records::new(&mut out, Escape::Text, colours).write_all(text.as_bytes()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(record(false, "a\nb\u{1b}[1m\n"), "a\\u{a}b\\u{1b}[1m\n");
        assert_eq!(record(true, "\u{1b}[1mWARN\u{9b}\n"), "\u{1b}[1mWARN\\u{9b}\n");
    }
}
