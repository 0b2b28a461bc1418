//! Names of encodings: where they stand, and what people mean by them.

use encoding_rs::Encoding;

/// The `charset` of a Content-Type, without quotes.
pub(super) fn of_content_type(content_type: &str) -> Option<String> {
    content_type.split([';', ',']).skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| unquoted(value).to_string())
    })
}

/// The `encoding` of an XML declaration, read as ASCII and leniently: in any
/// case, with any quotes or none. JSON has no declaration.
pub(super) fn of_declaration(bytes: &[u8]) -> Option<String> {
    let start = bytes.trim_ascii_start();
    let head = String::from_utf8_lossy(&start[..start.len().min(400)]).into_owned();
    let lower = head.to_ascii_lowercase();
    let declaration = lower.strip_prefix("<?xml")?.split(['>', '<']).next()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split([quote, '?']).next()?,
        _ => value.split([' ', '?', '\t']).next()?,
    };
    Some(unquoted(value).to_string())
}

fn unquoted(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '“' | '”'))
}

/// The encoding that a label means: by the WHATWG table, else by what is left
/// when prefixes and wrong dashes are gone.
pub(super) fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.to_ascii_lowercase().replace(['_', ' '], "-");
    let label = label.trim_start_matches("x-");
    let dashless: String = label.chars().filter(|c| *c != '-').collect();
    let windows = ["windows", "win", "cp"]
        .iter()
        .find_map(|prefix| dashless.strip_prefix(prefix))
        .map(|number| format!("windows-{number}"));
    let candidates = [
        Some(label.to_string()),
        Some(format!("x-{label}")),
        windows,
        dashless.strip_prefix("iso8859").map(|part| format!("iso-8859-{part}")),
        dashless.strip_prefix("koi8").map(|part| format!("koi8-{part}")),
        Some(dashless),
    ];
    candidates.iter().flatten().find_map(|name| Encoding::for_label(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_understood_as_people_write_them() {
        for (label, expected) in [
            ("UTF8", Some("UTF-8")),
            ("utf_8", Some("UTF-8")),
            ("win-1251", Some("windows-1251")),
            ("CP-1251", Some("windows-1251")),
            ("windows 1250", Some("windows-1250")),
            ("x-sjis", Some("Shift_JIS")),
            ("x-gbk", Some("GBK")),
            ("gb2312", Some("GBK")),
            ("latin-1", Some("windows-1252")),
            ("us-ascii", Some("windows-1252")),
            ("ISO8859_15", Some("ISO-8859-15")),
            ("koi8r", Some("KOI8-R")),
            ("big-5", Some("Big5")),
            ("x-mac-cyrillic", Some("x-mac-cyrillic")),
            ("utf-7", None),
            ("no-such", None),
            ("", None),
        ] {
            assert_eq!(encoding(label).map(Encoding::name), expected, "{label}");
        }
    }

    #[test]
    fn labels_are_found_where_they_stand() {
        for (header, expected) in [
            ("text/xml; charset=utf-8", Some("utf-8")),
            ("text/xml;CHARSET = \"koi8-r\" ; x=y", Some("koi8-r")),
            ("text/xml; charset='us-ascii'", Some("us-ascii")),
            ("text/xml", None),
            ("text/xml; charset:latin1", None),
        ] {
            assert_eq!(of_content_type(header).as_deref(), expected, "{header}");
        }
        for (head, expected) in [
            ("<?xml version='1.0' encoding='koi8-r'?>", Some("koi8-r")),
            ("\n <?XML version=\"1.0\" ENCODING = \" koi8-r \" ?>", Some("koi8-r")),
            ("<?xml version=1.0 encoding=koi8-r?>", Some("koi8-r")),
            ("<?xml version=\"1.0\" encoding=\"koi8-r?>", Some("koi8-r")),
            ("<?xml version=\"1.0\"?><a encoding='x'/>", None),
            ("{\"encoding\": \"koi8-r\"}", None),
        ] {
            assert_eq!(of_declaration(head.as_bytes()).as_deref(), expected, "{head}");
        }
    }
}
