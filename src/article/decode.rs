//! Bytes of a page to text: a byte order mark, UTF-8 where the bytes are that
//! (nothing else looks like it), the header's charset, the page's own, and
//! windows-1252 where nobody says. Servers change a page's encoding and leave
//! what it says of itself.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::ArticleError;

/// Bytes in which a page declares its charset.
const DECLARED_WITHIN: usize = 4096;

/// The text of a page.
///
/// # Errors
/// When the bytes are no text.
pub(super) fn text<'a>(
    page: &'a [u8],
    content_type: Option<&str>,
) -> Result<Cow<'a, str>, ArticleError> {
    let kind = content_type.unwrap_or("text/html");
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = essence.is_empty()
        || essence.starts_with("text/")
        || essence.contains("html")
        || essence.contains("xml");
    if !is_text {
        return Err(ArticleError::NotText(essence));
    }
    if Encoding::for_bom(page).is_none() && page.iter().take(DECLARED_WITHIN).any(|b| *b == 0) {
        return Err(ArticleError::NotText("bytes that are no text".to_owned()));
    }
    let encoding = if is_utf8(page) {
        UTF_8
    } else {
        let declared = label(kind).or_else(|| declared(page));
        declared.unwrap_or(if page.is_ascii() { UTF_8 } else { WINDOWS_1252 })
    };
    Ok(encoding.decode(page).0)
}

/// ASCII alone is no sign: encodings that shift by escapes are ASCII too.
fn is_utf8(page: &[u8]) -> bool {
    let valid = match std::str::from_utf8(page) {
        Ok(_) => true,
        // The cut at the size limit may go through a character.
        Err(error) => error.error_len().is_none(),
    };
    valid && !page.is_ascii()
}

fn label(text: &str) -> Option<&'static Encoding> {
    let at = text.to_ascii_lowercase().find("charset=")? + "charset=".len();
    let rest = text[at..].trim_start_matches(['"', '\'', ' ']);
    let end = rest.find(['"', '\'', ';', ' ', '>', '/']).unwrap_or(rest.len());
    Encoding::for_label(&rest.as_bytes()[..end])
}

fn declared(page: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&page[..page.len().min(DECLARED_WITHIN)]);
    let head = head.to_ascii_lowercase();
    let meta = head.match_indices("<meta").find_map(|(at, _)| {
        let end = head[at..].find('>').map_or(head.len(), |end| at + end);
        label(&head[at..end])
    });
    // A page that can be read as ASCII is none of these.
    meta.filter(|encoding| encoding.is_ascii_compatible())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charset_is_found() {
        let check = |page: &[u8], kind: Option<&str>, expected: &str| {
            assert_eq!(text(page, kind).unwrap(), expected, "{kind:?}");
        };
        check("Zürich".as_bytes(), None, "Zürich");
        check(b"Z\xfcrich", None, "Zürich");
        check(b"Z\xfcrich", Some("text/html; charset=\"ISO-8859-1\""), "Zürich");
        check(
            b"<meta charset='windows-1251'>\xcf\xee",
            Some("text/html"),
            "<meta charset='windows-1251'>По",
        );
        check(
            "<meta charset=gb2312>消息".as_bytes(),
            Some("text/html; charset=gb2312"),
            "<meta charset=gb2312>消息",
        );
        check(b"\xef\xbb\xbfok", Some("text/html; charset=latin1"), "ok");
        check(b"<meta charset=utf-16>ok", None, "<meta charset=utf-16>ok");
    }

    #[test]
    fn other_things_are_no_text() {
        let check = |page: &[u8], kind: Option<&str>| assert!(text(page, kind).is_err());
        check(b"%PDF", Some("application/pdf"));
        check(b"\x89PNG\0\0", None);
    }
}
