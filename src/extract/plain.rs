//! Plain text made safe and even: whitespace folded, control characters gone.

/// Folds every run of white space to one space and drops control characters
/// (Unicode category Cc), byte-order marks and soft hyphens.
pub fn one_line(text: &str) -> String {
    let mut folded = Folder::default();
    text.chars().for_each(|c| folded.push(c));
    folded.finish()
}

/// Like [`one_line`] for each paragraph of a plain text; paragraphs are
/// divided by blank lines and joined by one `\n`.
pub fn paragraphs(text: &str) -> String {
    let mut folded = Folder::default();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for paragraph in text.split("\n\n") {
        folded.break_paragraph();
        paragraph.chars().for_each(|c| folded.push(c));
    }
    folded.finish()
}

/// Collects text while folding white space and paragraph breaks.
#[derive(Default)]
pub(super) struct Folder {
    out: String,
    space: bool,
    paragraph: bool,
}

impl Folder {
    /// Adds one character.
    pub(super) fn push(&mut self, c: char) {
        if c.is_whitespace() || c == '\u{200b}' {
            self.space = true;
        } else if !is_invisible(c) {
            if !self.out.is_empty() {
                if self.paragraph {
                    self.out.push('\n');
                } else if self.space {
                    self.out.push(' ');
                }
            }
            (self.space, self.paragraph) = (false, false);
            self.out.push(c);
        }
    }

    /// Ends a paragraph: what follows begins a new one.
    pub(super) fn break_paragraph(&mut self) {
        self.paragraph = true;
    }

    /// The folded text.
    pub(super) fn finish(self) -> String {
        self.out
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
