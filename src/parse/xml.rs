//! Cuts a text into tags and text the way XML means it, and goes on where XML
//! would give up. It knows no element by name.
//!
//! Every search either moves on past what it looked at or is remembered, so
//! that reading is linear in the document's length.

use memchr::{memchr, memmem};

use super::repair::{Repair, Repairs};

/// Attributes kept of one tag.
const MAX_ATTRIBUTES: usize = 256;

/// A piece of a document. Names and values are as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A start tag; its attributes are in [`Tokenizer::attributes`].
    Start {
        name: &'a str,
        empty: bool,
    },
    End(&'a str),
    /// Text with its references not yet resolved.
    Text(&'a str),
    Cdata(&'a str),
    Doctype(&'a str),
}

/// Where a kind of terminator stands next, so that it is looked for once.
#[derive(Clone, Copy, Default)]
struct Memo(Option<usize>);

impl Memo {
    /// The first `needle` at or after `from`; the text's length when there is none.
    fn find(&mut self, text: &str, from: usize, needle: &str) -> usize {
        match self.0 {
            Some(at) if at >= from => at,
            _ => {
                let rest = &text.as_bytes()[from..];
                let at = memmem::find(rest, needle.as_bytes()).map_or(text.len(), |at| from + at);
                self.0 = Some(at);
                at
            }
        }
    }
}

/// Reads a document piece by piece.
pub(super) struct Tokenizer<'a> {
    text: &'a str,
    at: usize,
    /// Attributes of the start tag last returned.
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    /// Where markup is known to begin.
    markup: Option<usize>,
    /// The document ends inside of markup.
    pub(super) cut: bool,
    /// The document ends with the end tag of a feed: it was not cut off.
    whole: bool,
    cdata_start: Memo,
    cdata_end: Memo,
    comment_end: Memo,
    instruction_end: Memo,
    double_quote: Memo,
    single_quote: Memo,
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        Self {
            text,
            at: start,
            attributes: Vec::new(),
            markup: None,
            cut: false,
            whole: ends_with_root(text),
            cdata_start: Memo::default(),
            cdata_end: Memo::default(),
            comment_end: Memo::default(),
            instruction_end: Memo::default(),
            double_quote: Memo::default(),
            single_quote: Memo::default(),
        }
    }

    /// The next piece, or `None` at the end. `inside` is the name of the
    /// element that is open: its end tag also ends a CDATA section that nothing else ends.
    pub(super) fn next(&mut self, inside: &str, repairs: &mut Repairs) -> Option<Token<'a>> {
        while self.at < self.text.len() {
            let known = self.markup == Some(self.at);
            if !known && (self.byte(0) != Some(b'<') || !self.begins_markup()) {
                return Some(self.text_run(repairs));
            }
            let token = match self.byte(1) {
                Some(b'!') => self.declaration(inside, repairs),
                Some(b'?') => self.instruction(repairs),
                Some(b'/') => Some(self.end_tag(repairs)),
                _ => self.start_tag(repairs),
            };
            if token.is_some() {
                return token;
            }
        }
        None
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Whether the `<` here begins markup rather than standing for itself.
    fn begins_markup(&self) -> bool {
        let rest = &self.text.as_bytes()[self.at + 1..];
        let name = match rest.first() {
            None | Some(b'!' | b'?') => return true,
            Some(b'/') => &rest[1..],
            Some(_) => rest,
        };
        let starts = |b: &u8| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80;
        if name.is_empty() {
            return true;
        }
        let length = name_length(name);
        // `<http://...>` and `<me@example.org>` are text that was not escaped.
        name.first().is_some_and(starts)
            && name
                .get(length)
                .is_none_or(|b| matches!(b, b'>' | b'/' | b'<') || b.is_ascii_whitespace())
            && name[length - 1] != b':'
    }

    fn text_run(&mut self, repairs: &mut Repairs) -> Token<'a> {
        let start = self.at;
        loop {
            let from = if self.byte(0) == Some(b'<') {
                repairs.note(Repair::BareLess);
                self.at + 1
            } else {
                self.at
            };
            let rest = &self.text.as_bytes()[from..];
            self.at = memchr(b'<', rest).map_or(self.text.len(), |at| from + at);
            if self.at == self.text.len() || self.begins_markup() {
                self.markup = Some(self.at);
                return Token::Text(&self.text[start..self.at]);
            }
        }
    }

    /// `<!...`: a comment, a CDATA section, a document type.
    fn declaration(&mut self, inside: &str, repairs: &mut Repairs) -> Option<Token<'a>> {
        let rest = &self.text[self.at..];
        if rest.starts_with("<!--") {
            let end = self.comment_end.find(self.text, self.at + 4, "-->");
            self.skip_past(end, 3, repairs);
            None
        } else if rest.len() >= 9 && rest.as_bytes()[..9].eq_ignore_ascii_case(b"<![CDATA[") {
            self.cdata(inside, repairs)
        } else if rest.len() >= 9 && rest.as_bytes()[..9].eq_ignore_ascii_case(b"<!DOCTYPE") {
            Some(self.doctype())
        } else {
            let end = memchr(b'>', rest.as_bytes()).map_or(self.text.len(), |at| self.at + at);
            if "<![CDATA[".starts_with(rest) || "<!DOCTYPE".starts_with(rest) || rest == "<!-" {
                self.cut = true;
            }
            self.skip_past(end, 1, repairs);
            None
        }
    }

    fn instruction(&mut self, repairs: &mut Repairs) -> Option<Token<'a>> {
        let end = self.instruction_end.find(self.text, self.at + 2, "?>");
        self.skip_past(end, 2, repairs);
        None
    }

    /// Skips to behind a terminator of `length` bytes at `end`. Where there is
    /// none, the document was cut, or only this markup is broken.
    fn skip_past(&mut self, end: usize, length: usize, repairs: &mut Repairs) {
        if end < self.text.len() {
            self.at = end + length;
        } else if self.whole {
            repairs.note(Repair::UnclosedComment);
            let rest = &self.text.as_bytes()[self.at..];
            self.at = memchr(b'>', rest).map_or(self.text.len(), |at| self.at + at + 1);
        } else {
            self.cut = true;
            self.at = self.text.len();
        }
    }

    fn cdata(&mut self, inside: &str, repairs: &mut Repairs) -> Option<Token<'a>> {
        let start = self.at + 9;
        let mut end = self.cdata_end.find(self.text, start, "]]>");
        let mut next = end + 3;
        let other = self.cdata_start.find(self.text, start, "<![CDATA[").min(end);
        let closes_item = || {
            let span = &self.text.as_bytes()[start..other];
            memmem::find(span, b"</item>").is_some() || memmem::find(span, b"</entry>").is_some()
        };
        let lost = if end == self.text.len() { self.whole } else { other < end && closes_item() };
        if lost {
            let closing = format!("</{inside}");
            let span = &self.text.as_bytes()[start..other.max(start)];
            if let Some(at) = memmem::find(span, closing.as_bytes()) {
                repairs.note(Repair::UnclosedCdata);
                end = start + at;
                next = end;
            }
        }
        self.cut |= next > self.text.len();
        self.at = next.min(self.text.len());
        Some(Token::Cdata(&self.text[start..end]))
    }

    /// Skips a document type with its internal subset; nothing in it is used.
    fn doctype(&mut self) -> Token<'a> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        let mut quote = None;
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (None, b'"' | b'\'') if depth == 1 => quote = Some(byte),
                (Some(_), b'>') if depth == 1 => break,
                (None, b'<' | b'[') => depth += 1,
                (None, b']') => depth = depth.saturating_sub(1),
                (None, b'>') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        self.cut |= self.at >= bytes.len();
        Token::Doctype(&self.text[start..self.at])
    }

    fn end_tag(&mut self, repairs: &mut Repairs) -> Token<'a> {
        let start = self.at + 2;
        let bytes = self.text.as_bytes();
        let name_end = start + name_length(&bytes[start..]);
        let rest = &bytes[name_end..];
        let name = &self.text[start..name_end];
        match memchr::memchr2(b'>', b'<', rest) {
            Some(at) if rest[at] == b'>' => self.at = name_end + at + 1,
            Some(at) => {
                repairs.note(Repair::UnclosedTag);
                self.at = name_end + at;
            }
            None => {
                self.cut = true;
                self.at = bytes.len();
                return Token::Text("");
            }
        }
        Token::End(name)
    }

    fn start_tag(&mut self, repairs: &mut Repairs) -> Option<Token<'a>> {
        let start = self.at + 1;
        self.attributes.clear();
        self.at = start + name_length(&self.text.as_bytes()[start..]);
        let name = &self.text[start..self.at];
        loop {
            match self.byte(0) {
                None => {
                    self.cut = true;
                    return None;
                }
                Some(b'>') => {
                    self.at += 1;
                    return Some(Token::Start { name, empty: false });
                }
                Some(b'/') => {
                    self.at += 1;
                    if self.byte(0) == Some(b'>') {
                        self.at += 1;
                        return Some(Token::Start { name, empty: true });
                    }
                }
                Some(b'<') => {
                    repairs.note(Repair::UnclosedTag);
                    return Some(Token::Start { name, empty: false });
                }
                Some(byte) if byte.is_ascii_whitespace() => self.at += 1,
                Some(_) => self.attribute(repairs),
            }
        }
    }

    fn attribute(&mut self, repairs: &mut Repairs) {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/' | b'<');
        let length = bytes[start..].iter().position(ends).unwrap_or(bytes.len() - start);
        let name = &self.text[start..start + length];
        self.at = self.after_space(start + length);
        let value = if self.byte(0) == Some(b'=') {
            self.at = self.after_space(self.at + 1);
            self.value(repairs)
        } else {
            repairs.note(Repair::BadAttribute);
            ""
        };
        if name.is_empty() {
            return;
        }
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((name, value));
        } else {
            repairs.note(Repair::TooManyAttributes);
        }
    }

    fn after_space(&self, from: usize) -> usize {
        let rest = &self.text.as_bytes()[from..];
        from + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
    }

    fn value(&mut self, repairs: &mut Repairs) -> &'a str {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let end = match self.byte(0) {
            Some(b'"') => self.double_quote.find(self.text, start, "\""),
            Some(b'\'') => self.single_quote.find(self.text, start, "'"),
            _ => return self.unquoted(repairs),
        };
        let follows = bytes.get(end + 1);
        let sound =
            follows.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'?'));
        let value = &bytes[start..end];
        if end < bytes.len() && (sound || memchr(b'<', value).is_none()) {
            self.at = end + 1;
            return &self.text[start..end];
        }
        if end == bytes.len() && !self.whole {
            self.at = end;
            return &self.text[start..end];
        }
        // The closing quote is missing: the tag ends at its `>`.
        repairs.note(Repair::BadAttribute);
        let end = memchr(b'>', value).map_or(end, |at| start + at);
        let end = if end > start && bytes[end - 1] == b'/' { end - 1 } else { end };
        self.at = end;
        &self.text[start..end]
    }

    fn unquoted(&mut self, repairs: &mut Repairs) -> &'a str {
        repairs.note(Repair::BadAttribute);
        let rest = &self.text.as_bytes()[self.at..];
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'<');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let value = &self.text[self.at..self.at + length];
        let value =
            if rest.get(length) == Some(&b'>') { value.trim_end_matches('/') } else { value };
        self.at += value.len();
        value
    }
}

fn name_length(bytes: &[u8]) -> usize {
    let part =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':') || *b >= 0x80;
    bytes.iter().position(|b| !part(b)).unwrap_or(bytes.len())
}

/// Whether the last tag of a text is the end tag of a feed.
fn ends_with_root(text: &str) -> bool {
    let end = text.trim_end();
    let from = end.floor_char_boundary(end.len().saturating_sub(200));
    let tail = end[from..].to_ascii_lowercase();
    ["</rss", "</feed", ":rdf", "</channel", ":feed", "</urlset", "</rdf"]
        .iter()
        .any(|root| tail.contains(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> (String, bool) {
        let mut repairs = Repairs::default();
        let mut reader = Tokenizer::new(text, 0);
        let mut out = String::new();
        while let Some(token) = reader.next("t", &mut repairs) {
            match token {
                Token::Start { name, empty } => {
                    let attributes: Vec<String> =
                        reader.attributes.iter().map(|(n, v)| format!(" {n}={v}")).collect();
                    let end = if empty { "/" } else { "" };
                    out.push_str(&format!("[{name}{}{end}]", attributes.concat()));
                }
                Token::End(name) => out.push_str(&format!("[/{name}]")),
                Token::Text(text) => out.push_str(text),
                Token::Cdata(text) => out.push_str(&format!("{{{text}}}")),
                Token::Doctype(_) => out.push('!'),
            }
        }
        (out, repairs.is_empty() && !reader.cut)
    }

    #[test]
    fn sound_markup_is_cut_as_xml_means_it() {
        for (text, expected) in [
            ("<a b='1' c=\"x>y\">t</a >", "[a b=1 c=x>y]t[/a]"),
            ("<a:b/><c />", "[a:b/][c/]"),
            ("<?xml version='1.0'?><!-- <x> -->t", "t"),
            ("<![CDATA[<b>&]]>", "{<b>&}"),
            ("<!DOCTYPE r [<!ENTITY e \"a>b\"> ]><r/>", "![r/]"),
            ("<é ü='1'/>", "[é ü=1/]"),
        ] {
            assert_eq!(tokens(text), (expected.to_string(), true), "{text:?}");
        }
    }

    #[test]
    fn broken_markup_is_cut_as_it_was_meant() {
        for (text, expected) in [
            ("1 < 2 <3", "1 < 2 <3"),
            ("me <me@example.org>", "me <me@example.org>"),
            ("see <http://example.org/>", "see <http://example.org/>"),
            ("<a b=1 c d=x/>", "[a b=1 c= d=x/]"),
            ("<a <b>", "[a][b]"),
            ("</a <b>", "[/a][b]"),
            ("<l h=\"u/>\n<t a=\"v\">w</t>", "[l h=u/]\n[t a=v]w[/t]"),
            ("<a><b c=\"", "[a]"),
            ("<a></a", "[a]"),
            ("<a><!-- ", "[a]"),
        ] {
            assert_eq!(tokens(text), (expected.to_string(), false), "{text:?}");
        }
    }

    #[test]
    fn a_cdata_section_that_does_not_end_takes_no_other_item_along() {
        let text = "<t><![CDATA[a</t></item><item><t><![CDATA[b]]></t></rss>";
        assert_eq!(tokens(text).0, "[t]{a}[/t][/item][item][t]{b}[/t][/rss]");
        let last = "<t><![CDATA[a</t></rss>";
        assert_eq!(tokens(last).0, "[t]{a}[/t][/rss]");
    }
}
