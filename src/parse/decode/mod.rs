//! Bytes to text: which encoding a document is in.
//!
//! Order, first that can be believed wins: byte-order mark; the zeros of
//! UTF-16 and UTF-32 (XML 1.0 appendix F); `charset` of the Content-Type (RFC
//! 7303 section 3); XML declaration, which JSON has not; valid UTF-8;
//! detection, with the country of the address as a hint.
//!
//! A statement is believed unless the bytes contradict it. Servers say Latin-1
//! by default and generators write `utf-8` on everything, so valid UTF-8 is
//! UTF-8 whatever is said. A document that is UTF-8 but for a few bytes stays
//! UTF-8. UTF-7 is never read.

mod believe;
mod label;
mod wide;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use url::Url;

use crate::model::{Decoding, Document};
use believe::{Census, believable};

/// The document as text without byte-order mark, declared encoding and
/// characters that XML forbids; how that was decided; warnings for people.
/// Bytes that mean nothing become U+FFFD. Plain UTF-8 is not copied.
pub(super) fn decode(document: &Document) -> (Cow<'_, str>, Decoding, Vec<String>) {
    let bytes = document.bytes.as_slice();
    let mut warnings = Vec::new();
    let (text, decoding) = match wide::decode(bytes) {
        Some((text, decoding)) => (Cow::Owned(text), decoding),
        None => {
            let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let marked = body.len() < bytes.len();
            let (encoding, decided_by) = choose(body, marked, document, &mut warnings);
            let (text, lossy) = encoding.decode_without_bom_handling(body);
            (
                text,
                Decoding { encoding: encoding.name().into(), decided_by: decided_by.into(), lossy },
            )
        }
    };
    if decoding.lossy {
        let name = decoding.encoding.clone();
        warnings.push(format!("some bytes are not valid {name} and were replaced"));
    }
    (without_forbidden(without_declared_encoding(text)), decoding, warnings)
}

/// The encoding of bytes that are neither UTF-16 nor UTF-32, and what decided.
fn choose(
    bytes: &[u8],
    marked: bool,
    document: &Document,
    warnings: &mut Vec<String>,
) -> (&'static Encoding, &'static str) {
    let census = Census::of(bytes);
    if marked && census.is_mostly_utf8() {
        return (UTF_8, "bom");
    }
    let stated = stated(bytes, document, warnings);
    // XML forbids the escape, so what shifts by it can be nothing else.
    if census.is_ascii() && bytes.windows(2).any(|pair| pair == b"\x1b$") {
        let by = stated.iter().find(|(encoding, _)| *encoding == ISO_2022_JP);
        return (ISO_2022_JP, by.map_or("detected", |(_, by)| by));
    }
    let first = stated.iter().find(|(encoding, by)| {
        // The default of many servers, which a declaration knows better.
        let overruled =
            *by == "http" && *encoding == WINDOWS_1252 && stated.len() > 1 && !census.is_ascii();
        !overruled && believable(encoding, bytes, &census)
    });
    if let Some((encoding, by)) = first {
        return (encoding, by);
    }
    let (encoding, by) = match census.is_mostly_utf8() {
        true => (UTF_8, "utf-8"),
        false => (detect(bytes, document), "detected"),
    };
    if let Some((stated, _)) = stated.first().filter(|(stated, _)| *stated != encoding) {
        warnings.push(format!("says {} but is not, read as {}", stated.name(), encoding.name()));
    }
    (encoding, by)
}

/// What server and declaration say, in that order.
fn stated(
    bytes: &[u8],
    document: &Document,
    warnings: &mut Vec<String>,
) -> Vec<(&'static Encoding, &'static str)> {
    let http = document.content_type.as_deref().and_then(label::of_content_type);
    let declared = label::of_declaration(bytes);
    let labels = [(http, "http"), (declared, "declaration")];
    let mut found = Vec::new();
    for (label, by) in labels.into_iter().filter_map(|(label, by)| Some((label?, by))) {
        match label::encoding(&label) {
            Some(encoding) => found.push((encoding, by)),
            None if label.is_empty() => {}
            None => {
                let label: String = label.chars().filter(|c| !c.is_control()).take(60).collect();
                warnings.push(format!("unknown encoding \"{label}\""));
            }
        }
    }
    found
}

fn detect(bytes: &[u8], document: &Document) -> &'static Encoding {
    let host = document.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let tld = host.as_ref().and_then(Url::host_str).and_then(|host| host.rsplit('.').next());
    // chardetng panics on what cannot be a top-level domain.
    let fits = |tld: &&str| tld.bytes().all(|b| b.is_ascii_lowercase()) && !tld.is_empty();
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(tld.filter(fits).map(str::as_bytes), Utf8Detection::Deny)
}

/// Cuts the encoding out of the XML declaration: the text is UTF-8 now, and a
/// parser that believed the declaration would decode it a second time.
fn without_declared_encoding(text: Cow<'_, str>) -> Cow<'_, str> {
    let start = text.len() - text.trim_start().len();
    let Some(rest) = text[start..].strip_prefix("<?xml") else { return text };
    let Some(end) = rest.find("?>").filter(|end| *end < 400) else { return text };
    let declaration = &rest[..end];
    let harmless = !declaration.contains("encoding");
    if harmless || declaration.to_ascii_lowercase().contains("utf-8") {
        return text;
    }
    let end = start + "<?xml".len() + end;
    let mut text = text.into_owned();
    text.replace_range(start..end, "<?xml version=\"1.0\"");
    Cow::Owned(text)
}

/// Drops characters that XML 1.0 forbids (section 2.2); form feeds divide
/// words, so they become spaces.
fn without_forbidden(text: Cow<'_, str>) -> Cow<'_, str> {
    let control = |b: u8| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r');
    // Counted, not searched: a loop without a way out is one that vectorises.
    let controls = text.bytes().map(|b| usize::from(control(b))).sum::<usize>();
    // U+FFFE and U+FFFF begin with these bytes, as U+FFFD and half widths do.
    let odd = memchr::memmem::find(text.as_bytes(), b"\xef\xbf").is_some();
    if controls == 0 && !(odd && text.contains(['\u{fffe}', '\u{ffff}'])) {
        return text;
    }
    let kept = text.chars().filter_map(|c| match c {
        '\u{b}' | '\u{c}' => Some(' '),
        '\t' | '\n' | '\r' => Some(c),
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => None,
        other => Some(other),
    });
    Cow::Owned(kept.collect())
}

#[cfg(test)]
mod tests;
