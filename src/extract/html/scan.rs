//! The fast tokenizer: ordinary markup only, exactly as the standard reads it.
//! At the first thing that is not ordinary (a reference without a semicolon, an
//! odd comment, a script with comments inside) it gives up.

use html5ever::data::NAMED_ENTITIES;
use memchr::{memchr, memchr2, memmem};

use super::sink::{self, Element, Text};

/// The visible text, or `None` where the standard's tokenizer must be asked.
pub(super) fn text(html: &str) -> Option<String> {
    let mut scanner = Scanner { html, at: 0, text: Text::default() };
    while scanner.at < html.len() {
        let rest = &html.as_bytes()[scanner.at..];
        let length = memchr2(b'<', b'&', rest).unwrap_or(rest.len());
        scanner.text.push(&html[scanner.at..scanner.at + length]);
        scanner.at += length;
        match rest.get(length) {
            Some(b'&') => scanner.reference()?,
            Some(_) => scanner.markup()?,
            None => {}
        }
    }
    Some(scanner.text.finish())
}

struct Scanner<'a> {
    html: &'a str,
    at: usize,
    text: Text,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.html.as_bytes()[self.at..]
    }

    /// `&…`: named with a semicolon, numeric with a semicolon, or bare.
    fn reference(&mut self) -> Option<()> {
        let rest = &self.html[self.at + 1..];
        let length = match rest.as_bytes() {
            [b'#', ..] => return self.numeric(),
            [b, ..] if b.is_ascii_alphanumeric() => {
                rest.bytes().take(40).position(|b| !b.is_ascii_alphanumeric())?
            }
            _ => {
                self.text.push("&");
                self.at += 1;
                return Some(());
            }
        };
        if rest.as_bytes()[length] != b';' {
            return None;
        }
        let (first, second) = *NAMED_ENTITIES.get(&rest[..=length])?;
        // Zeros are the beginnings of names, which are not names.
        let first = char::from_u32(first).filter(|c| *c != '\0')?;
        let mut buffer = [0; 4];
        self.text.push(first.encode_utf8(&mut buffer));
        if let Some(second) = char::from_u32(second).filter(|c| *c != '\0') {
            self.text.push(second.encode_utf8(&mut buffer));
        }
        self.at += length + 2;
        Some(())
    }

    fn numeric(&mut self) -> Option<()> {
        let rest = &self.html[self.at + 2..];
        let (digits, radix) = match rest.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16),
            None => (rest, 10),
        };
        let length = digits.bytes().take(8).position(|b| b == b';')?;
        let digits = digits.get(..length)?;
        if length == 0 || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let number = u32::from_str_radix(digits, radix).ok()?;
        // Windows-1252 in disguise, controls and surrogates have rules of their own.
        let c =
            char::from_u32(number).filter(|_| number >= 0xa0 || (0x20..0x7f).contains(&number))?;
        self.text.push(c.encode_utf8(&mut [0; 4]));
        self.at += 2 + rest.len() - rest.trim_start_matches(['x', 'X']).len() + length + 1;
        Some(())
    }

    /// `<…`.
    fn markup(&mut self) -> Option<()> {
        match self.rest() {
            [_, b'!', b'-', b'-', ..] => self.comment(),
            [_, b'!' | b'?', ..] => None,
            [_, b'/', b, ..] if b.is_ascii_alphabetic() => self.tag(2),
            [_, b'/', ..] => None,
            [_, b, ..] if b.is_ascii_alphabetic() => self.tag(1),
            _ => {
                self.text.push("<");
                self.at += 1;
                Some(())
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let inside = &self.rest()[4..];
        let end = memmem::find(inside, b"-->")?;
        let odd = inside.starts_with(b">") || inside.starts_with(b"->");
        if odd || memmem::find(&inside[..end + 2], b"--!").is_some() {
            return None;
        }
        self.at += 4 + end + 3;
        Some(())
    }

    /// A tag whose name begins `skip` bytes from here. One that never ends is
    /// dropped with all that follows (HTML standard, "eof-in-tag").
    fn tag(&mut self, skip: usize) -> Option<()> {
        let rest = &self.rest()[skip..];
        let name_ends = |b: &u8| matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>');
        let length = rest.iter().position(name_ends).unwrap_or(rest.len());
        let name = &self.html[self.at + skip..][..length];
        if name.bytes().any(|b| b == 0) {
            return None;
        }
        let mut lower = [0; 24];
        let name = lower_case(name, &mut lower)?;
        let mut attributes = Attributes { text: &self.html[self.at + skip + length..], at: 0 };
        let Some((hidden, closed)) = attributes.read()? else {
            self.at = self.html.len();
            return Some(());
        };
        self.at += skip + length + attributes.at;
        if skip == 2 {
            self.text.end(name);
            return Some(());
        }
        self.text.start(Element { name, hidden, closed });
        match sink::is_raw(name) && !closed {
            true => self.raw(name),
            false => Some(()),
        }
    }

    /// The content of a script or style, up to its end tag.
    fn raw(&mut self, name: &str) -> Option<()> {
        let mut from = 0;
        let rest = self.rest();
        let end = loop {
            let Some(found) = memmem::find(&rest[from..], b"</") else { break rest.len() };
            let at = from + found;
            let after = &rest[at + 2..];
            let named =
                after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
            if named
                && matches!(
                    after.get(name.len()),
                    Some(b'>' | b' ' | b'/' | b'\t' | b'\n' | b'\r' | b'\x0c')
                )
            {
                break at;
            }
            from = at + 2;
        };
        // Comments inside scripts have an ancient grammar of their own.
        if memmem::find(&rest[..end], b"<!").is_some() {
            return None;
        }
        self.at += end;
        Some(())
    }
}

/// A tag's name in lower case; longer ones than any element's are not ordinary.
fn lower_case<'a>(name: &'a str, buffer: &'a mut [u8; 24]) -> Option<&'a str> {
    if !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some(name);
    }
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

struct Attributes<'a> {
    /// What follows the tag's name.
    text: &'a str,
    at: usize,
}

impl<'a> Attributes<'a> {
    /// Reads up to the end of the tag: whether it is hidden, and whether it is
    /// closed by a slash. `Some(None)` if the tag never ends.
    fn read(&mut self) -> Option<Option<(bool, bool)>> {
        let mut seen_style = false;
        let mut hidden = false;
        loop {
            self.skip(|b| is_space(b) || b == b'/');
            let Some(next) = self.peek() else { return Some(None) };
            if next == b'>' {
                self.at += 1;
                let before = &self.text.as_bytes()[..self.at - 1];
                return Some(Some((hidden, before.ends_with(b"/"))));
            }
            let start = self.at;
            // A leading `=` belongs to the name.
            self.at += 1;
            self.skip(|b| !is_space(b) && !matches!(b, b'/' | b'>' | b'='));
            let name = &self.text.as_bytes()[start..self.at];
            self.skip(is_space);
            let mut value = "";
            if self.peek() == Some(b'=') {
                self.at += 1;
                match self.value() {
                    Some(Some(found)) => value = found,
                    Some(None) => {}
                    None => return Some(None),
                }
            }
            if may_hide(name) {
                // Which of two counts, and what references mean, is the standard's matter.
                if seen_style || value.contains('&') {
                    return None;
                }
                seen_style = true;
                let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
                hidden |= sink::hides(&name, value);
            }
            // `a=b/>`: the slash is the value's, unless a space came between.
            if self.peek() == Some(b'>') && value.ends_with('/') && self.ends_unquoted() {
                self.at += 1;
                return Some(Some((hidden, false)));
            }
        }
    }

    /// Whether the value just read had no quotes.
    fn ends_unquoted(&self) -> bool {
        !matches!(self.text.as_bytes()[..self.at].last(), Some(b'"' | b'\''))
    }

    /// A value after `=`: `None` if the tag never ends, `Some(None)` if there
    /// is no value.
    fn value(&mut self) -> Option<Option<&'a str>> {
        self.skip(is_space);
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                let start = self.at + 1;
                let length = memchr(quote, &self.text.as_bytes()[start..])?;
                self.at = start + length + 1;
                Some(Some(&self.text[start..start + length]))
            }
            b'>' => Some(None),
            _ => {
                let start = self.at;
                self.skip(|b| !is_space(b) && b != b'>');
                Some(Some(&self.text[start..self.at]))
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|b| !skipped(*b)).unwrap_or(rest.len());
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn may_hide(name: &[u8]) -> bool {
    [&b"hidden"[..], b"aria-hidden", b"style"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
