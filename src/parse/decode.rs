//! Bytes to text: which encoding a document is in.
//!
//! Order, first hit wins: byte-order mark, the zeros of UTF-16 around the first
//! `<` (XML 1.0 appendix F), `charset` of the Content-Type (RFC 7303 section
//! 3), XML declaration, valid UTF-8, detection. A stated
//! UTF-8 that the bytes contradict is treated as unstated.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::model::{Decoding, Document};

/// The document as text, with warnings for people.
pub(super) fn decode(document: &Document) -> (String, Decoding, Vec<String>) {
    let bytes = document.bytes.as_slice();
    let mut warnings = Vec::new();
    let (encoding, skip) = match (Encoding::for_bom(bytes), bytes) {
        (Some((encoding, length)), _) => (encoding, length),
        (None, [0, b'<', ..]) => (UTF_16BE, 0),
        (None, [b'<', 0, ..]) => (UTF_16LE, 0),
        (None, _) => (stated_or_detected(document, &mut warnings), 0),
    };
    let (text, _, lossy) = encoding.decode(&bytes[skip..]);
    if lossy {
        warnings.push(format!("some bytes are not valid {} and were replaced", encoding.name()));
    }
    let decoding = Decoding { encoding: encoding.name().into(), decided_by: "".into(), lossy };
    (without_declared_encoding(&text), decoding, warnings)
}

fn stated_or_detected(document: &Document, warnings: &mut Vec<String>) -> &'static Encoding {
    let bytes = document.bytes.as_slice();
    let utf8 = std::str::from_utf8(bytes).is_ok();
    let stated = document
        .content_type
        .as_deref()
        .and_then(http_charset)
        .or_else(|| declared_charset(bytes))
        .and_then(|label| {
            let found = Encoding::for_label(label.as_bytes());
            if found.is_none() {
                warnings.push(format!("unknown encoding \"{label}\", detected instead"));
            }
            found
        });
    match stated {
        Some(encoding) if encoding != UTF_8 || utf8 => encoding,
        _ if utf8 => UTF_8,
        contradicted => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            detector.feed(bytes, true);
            let guess = detector.guess(None, Utf8Detection::Allow);
            if contradicted.is_some() {
                warnings.push(format!("says UTF-8 but is not, read as {}", guess.name()));
            }
            guess
        }
    }
}

fn http_charset(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim().eq_ignore_ascii_case("charset"))
            .then(|| value.trim().trim_matches(['"', '\'']).to_string())
    })
}

/// The `encoding` of an XML declaration, read as ASCII.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).into_owned();
    let start = head.trim_start();
    let declaration = start.strip_prefix("<?xml")?.split("?>").next()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.trim().to_string())
}

/// Cuts the encoding out of the XML declaration: the text is UTF-8 now, and a
/// parser that believed the declaration would decode it a second time.
fn without_declared_encoding(text: &str) -> String {
    let Some(at) = text.find("<?xml").filter(|at| text[..*at].trim().is_empty()) else {
        return text.to_string();
    };
    match text[at..].find("?>") {
        Some(end) => format!("<?xml version=\"1.0\"?>{}", &text[at + end + 2..]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], content_type: Option<&str>, expected: &str) {
        let document = Document {
            bytes: bytes.to_vec(),
            content_type: content_type.map(str::to_string),
            base_url: None,
        };
        let (text, _, _) = decode(&document);
        assert!(text.contains(expected), "{text:?} lacks {expected:?}");
    }

    #[test]
    fn the_encoding_is_found_in_the_documented_order() {
        check("<a>é</a>".as_bytes(), None, "é");
        check(b"\xff\xfe<\0a\0>\0\xe9\0", Some("text/xml; charset=utf-8"), "<a>é");
        check(b"\0<\0a\0>\0\xe9", None, "<a>é");
        check(b"<\0a\0>\0\xe9\0", Some("text/xml"), "<a>é");
        check(b"<a>\xe9</a>", Some("text/xml; charset=\"ISO-8859-1\""), "é");
        check(b"<?xml version='1.0' encoding='windows-1251'?><a>\xcf\xf0</a>", None, "Пр");
        check(b"<?xml version='1.0' encoding='UTF-8'?><a>caf\xe9 cr\xe8me</a>", None, "café");
        check(b"<?xml version='1.0' encoding='no-such'?><a>ok</a>", None, "ok");
    }

    #[test]
    fn the_declaration_no_longer_names_an_encoding() {
        check(b"<?xml version='1.0' encoding='latin1'?><a/>", None, "<?xml version=\"1.0\"?><a/>");
    }
}
