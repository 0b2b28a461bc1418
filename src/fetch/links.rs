//! `Link` lines of an answer (RFC 8288): where a hub brings the feed's news,
//! and what the feed calls itself.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::model::ServerHints;

/// Links read of one answer.
const MAX_LINKS: usize = 50;
/// Hubs kept of one answer.
const MAX_HUBS: usize = 10;

/// Adds what the lines say to `hints`; relative links are read against `url`.
pub(super) fn add(hints: &mut ServerHints, headers: &HeaderMap, url: &Url) {
    let lines = headers.get_all(LINK).iter();
    let lines: Vec<String> =
        lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    for link in lines.iter().flat_map(|line| links(line)).take(MAX_LINKS) {
        // A link from elsewhere says nothing of this document.
        if link.anchor.is_some_and(|anchor| url.join(anchor).ok().as_ref() != Some(url)) {
            continue;
        }
        let Ok(target) = url.join(link.target) else { continue };
        for relation in link.relations.split_ascii_whitespace() {
            let target = target.as_str();
            if relation.eq_ignore_ascii_case("hub") && hints.hubs.len() < MAX_HUBS {
                hints.hubs.push(target.to_owned());
            } else if relation.eq_ignore_ascii_case("self") && hints.self_link.is_none() {
                hints.self_link = Some(target.to_owned());
            }
        }
    }
}

/// One link of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Link<'a> {
    target: &'a str,
    relations: &'a str,
    anchor: Option<&'a str>,
}

fn links(line: &str) -> Vec<Link<'_>> {
    let links = split(line, ',').into_iter().filter_map(|text| {
        let (target, rest) = text.trim().strip_prefix('<')?.split_once('>')?;
        let mut link = Link { target: target.trim(), ..Link::default() };
        for parameter in split(rest, ';') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"').trim();
            match name.trim().to_ascii_lowercase().as_str() {
                // Of several the first counts (RFC 8288 section 3.3).
                "rel" if link.relations.is_empty() => link.relations = value,
                "anchor" if link.anchor.is_none() => link.anchor = Some(value),
                _ => {}
            }
        }
        Some(link)
    });
    links.collect()
}

/// Splits at marks that stand neither in quotes nor in angle brackets.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut quoted, mut target, mut begun) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' if !target => quoted = !quoted,
            '<' if !quoted => target = true,
            '>' if !quoted => target = false,
            c if c == mark && !quoted && !target => {
                parts.push(&text[begun..at]);
                begun = at + mark.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begun..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    /// Lines of a header, and the hubs and the name that they give.
    fn check(lines: &[&str], hubs: &[&str], own: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINK, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let mut hints = ServerHints::default();
        add(&mut hints, &headers, &Url::parse("https://site.test/dir/feed").unwrap());
        assert_eq!(
            (&hints.hubs[..], hints.self_link.as_deref()),
            (&hubs.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()[..], own),
            "{lines:?}"
        );
    }

    #[test]
    fn hubs_and_names_are_found_in_all_spellings() {
        let (hub, own) = ("https://hub.test/", "https://site.test/feed");
        check(
            &[r#"<https://hub.test/>; rel="hub""#, r#"<https://site.test/feed>; rel="self""#],
            &[hub],
            Some(own),
        );
        check(
            &[r#"<https://hub.test/>; rel="hub", <https://site.test/feed>; rel=self"#],
            &[hub],
            Some(own),
        );
        check(&[r#"<https://hub.test/>;REL=HUB"#], &[hub], None);
        check(&[r#"</feed>; type="a,b;c"; rel="self alternate""#], &[], Some(own));
        check(
            &[r#"<https://hub.test/?a=1,2;b>; title="<x>, y"; rel="hub""#],
            &["https://hub.test/?a=1,2;b"],
            None,
        );
        check(&[r#"<https://hub.test/>; rel="hub"; rel="self""#], &[hub], None);
        check(
            &[r#"<https://a.test/>; rel=hub"#, r#"<https://b.test/>; rel=hub"#],
            &["https://a.test/", "https://b.test/"],
            None,
        );
        check(&[r#"<>; rel="self""#], &[], Some("https://site.test/dir/feed"));
    }

    #[test]
    fn what_is_no_link_or_of_another_page_is_left_out() {
        for line in [
            "",
            "https://hub.test/; rel=hub",
            "<https://hub.test/>",
            "<https://hub.test/; rel=hub",
            r#"<https://hub.test/>; rel="hubs""#,
            r#"<https://hub.test/>; rev="hub""#,
            r#"<https://hub.test/>; anchor="/other"; rel="hub""#,
            "<http://[>; rel=hub",
            ",,,;;;",
            r#"<https://hub.test/>; title="; rel=hub"#,
        ] {
            check(&[line], &[], None);
        }
    }
}
