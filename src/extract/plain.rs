//! Plain text made safe and even: whitespace folded, control characters gone.

use std::borrow::Cow;

/// Folds every run of white space to one space and drops control characters
/// (Unicode category Cc), byte-order marks and soft hyphens.
pub fn one_line(text: &str) -> String {
    let mut folded = Folder::default();
    folded.push_str(text);
    folded.finish()
}

/// Like [`one_line`] for each paragraph of a plain text; paragraphs are
/// divided by blank lines and joined by one `\n`.
pub fn paragraphs(text: &str) -> String {
    let mut folded = Folder::default();
    let text = match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    };
    for paragraph in text.split("\n\n") {
        folded.break_paragraph();
        folded.push_str(paragraph);
    }
    folded.finish()
}

/// Collects text while folding white space and paragraph breaks.
#[derive(Default)]
pub(super) struct Folder {
    out: String,
    pending: Pending,
}

/// What divides the text so far from what comes next.
#[derive(Clone, Copy, Default)]
struct Pending {
    space: bool,
    line: bool,
    paragraph: bool,
}

/// A place in a [`Folder`]'s text to go back to.
pub(super) struct Mark {
    length: usize,
    pending: Pending,
}

impl Folder {
    /// Adds one character.
    pub(super) fn push(&mut self, c: char) {
        if c.is_whitespace() || c == '\u{200b}' {
            self.pending.space = true;
        } else if !is_invisible(c) {
            self.divide();
            self.out.push(c);
        }
    }

    /// Adds a text: runs of plain characters at once, the others one by one.
    pub(super) fn push_str(&mut self, text: &str) {
        let mut rest = text;
        while let Some(&first) = rest.as_bytes().first() {
            if is_plain(first) {
                let length = plain_run(rest.as_bytes());
                self.divide();
                self.out.push_str(&rest[..length]);
                rest = &rest[length..];
            } else if let Some(c) = rest.chars().next() {
                self.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }

    fn divide(&mut self) {
        if !self.out.is_empty() {
            if self.pending.paragraph {
                self.out.push('\n');
            } else if self.pending.space {
                self.out.push(' ');
            }
        }
        self.pending = Pending::default();
    }

    /// Ends a line: white space, and two of them end the paragraph.
    pub(super) fn break_line(&mut self) {
        self.pending.paragraph |= self.pending.line;
        (self.pending.space, self.pending.line) = (true, true);
    }

    /// Ends a paragraph: what follows begins a new one.
    pub(super) fn break_paragraph(&mut self) {
        self.pending.paragraph = true;
    }

    /// Where the text stands now.
    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.out.len(), pending: self.pending }
    }

    /// Forgets what was added since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.out.truncate(mark.length);
        self.pending = mark.pending;
    }

    /// The folded text.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Whether a byte begins a character that is neither space nor invisible. The
/// others: controls, and the lead bytes of U+0080, U+1000, U+2000, U+3000 and
/// U+F000, in whose blocks the odd ones are.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, 0..=0x20 | 0x7f | 0xc2 | 0xe1..=0xe3 | 0xef)
}

/// Length of a run of plain characters with single spaces between them.
fn plain_run(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += text[at..].iter().position(|b| !is_plain(*b)).unwrap_or(text.len() - at);
        match text.get(at..) {
            Some([b' ', next, ..]) if is_plain(*next) => at += 1,
            _ => return at,
        }
    }
}

/// Characters that nobody sees and that would break words apart or reach a
/// terminal: controls, soft hyphen, byte-order mark, bidirectional overrides.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_folded_and_controls_are_dropped() {
        for (input, expected) in [
            ("  a \n\t b ", "a b"),
            ("a\u{a0}\u{2003}b", "a b"),
            ("a\u{0}b\u{1b}[31m", "ab[31m"),
            ("co\u{ad}operate", "cooperate"),
            ("\u{feff}head", "head"),
            ("", ""),
            ("evil\u{202e}gpj", "evilgpj"),
        ] {
            assert_eq!(one_line(input), expected, "{input:?}");
        }
    }

    #[test]
    fn blank_lines_divide_paragraphs() {
        for (input, expected) in
            [("a\nb\n\nc", "a b\nc"), ("a\r\n\r\n\r\nb", "a\nb"), ("\n\n a \n\n", "a")]
        {
            assert_eq!(paragraphs(input), expected, "{input:?}");
        }
    }
}
