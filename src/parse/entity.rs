//! Character and entity references, resolved once.
//!
//! Entities that a document declares itself are never expanded: they are how
//! a small document becomes a huge one.

use std::borrow::Cow;

use super::repair::{Repair, Repairs};

/// Longest name of an entity that HTML knows, with room.
const MAX_NAME: usize = 40;

/// Resolves the references in `raw`. What is no reference stays as it is.
pub(super) fn resolve<'a>(raw: &'a str, declared: bool, repairs: &mut Repairs) -> Cow<'a, str> {
    let Some(first) = memchr::memchr(b'&', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut out = String::with_capacity(raw.len());
    out.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    loop {
        let used = reference(rest, declared, &mut out, repairs);
        rest = &rest[used..];
        match memchr::memchr(b'&', rest.as_bytes()) {
            Some(at) => {
                out.push_str(&rest[..at]);
                rest = &rest[at..];
            }
            None => {
                out.push_str(rest);
                return Cow::Owned(out);
            }
        }
    }
}

/// Writes what the reference at the start of `text` means; returns its length.
fn reference(text: &str, declared: bool, out: &mut String, repairs: &mut Repairs) -> usize {
    let bytes = text.as_bytes();
    let window = &bytes[1..bytes.len().min(MAX_NAME)];
    let length = window.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
    let name = &text[1..1 + length];
    if bytes.get(1 + length) != Some(&b';') || name.is_empty() {
        repairs.note(Repair::BareAmpersand);
        out.push('&');
        return 1;
    }
    match name {
        "amp" => out.push('&'),
        "lt" => out.push('<'),
        "gt" => out.push('>'),
        "quot" => out.push('"'),
        "apos" => out.push('\''),
        _ => match name.strip_prefix('#') {
            Some(number) => out.push(numbered(number).unwrap_or_else(|| {
                repairs.note(Repair::BadCharRef);
                '\u{fffd}'
            })),
            None => {
                let known = quick_xml::escape::resolve_html5_entity(name);
                if known.is_none() || !declared {
                    repairs.note(Repair::UnknownEntity);
                }
                match known {
                    Some(meaning) => out.push_str(meaning),
                    None => out.push_str(&text[..length + 2]),
                }
            }
        },
    }
    length + 2
}

/// The character of `&#...;`. 128 to 159 are read as windows-1252, as browsers
/// do (HTML standard, "numeric character reference end state").
fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    match u8::try_from(code) {
        Ok(0) => None,
        Ok(byte @ 128..=159) => {
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()
        }
        _ => char::from_u32(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &str, notes: usize) {
        let mut repairs = Repairs::default();
        assert_eq!(resolve(raw, false, &mut repairs), expected, "{raw:?}");
        assert_eq!(repairs.sentences().len(), notes, "{raw:?}");
    }

    #[test]
    fn references_are_resolved_once_and_other_ampersands_stay() {
        check("a &amp;lt; b", "a &lt; b", 0);
        check("&#65;&#x42;&#X43;", "ABC", 0);
        check("&#150;&#x92;", "\u{2013}\u{2019}", 0);
        check("AT&T & Co &", "AT&T & Co &", 1);
        check("?a=1&copy=2", "?a=1&copy=2", 1);
        check("caf&eacute;", "café", 1);
        check("&nosuch;", "&nosuch;", 1);
        check("&#0;&#xD800;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}", 1);
        check("&;&#;&#x;", "&;\u{fffd}\u{fffd}", 2);
    }

    #[test]
    fn names_of_html_are_no_fault_where_a_document_type_declares_them() {
        let mut repairs = Repairs::default();
        assert_eq!(resolve("&eacute;", true, &mut repairs), "é");
        assert!(repairs.is_empty());
    }
}
