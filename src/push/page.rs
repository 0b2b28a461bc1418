//! The hub that a web page names in its `<link>` tags (WebSub section 4).

use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use crate::markup::tokenize;
use crate::model::{Document, FeedHints};

/// Bytes of a page that are looked at: its head.
const MAX_PAGE: usize = 256 << 10;
/// Links kept of one page.
const MAX_LINKS: usize = 50;

/// What a page that came where a feed was expected says of its hub.
pub fn in_page(document: &Document) -> FeedHints {
    let end = document.bytes.len().min(MAX_PAGE);
    let text = String::from_utf8_lossy(&document.bytes[..end]);
    let links = tokenize(&text, Links::default());
    let base = document.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let mut hints = FeedHints::default();
    for (relations, target) in links.0.into_inner() {
        let url = match &base {
            Some(base) => base.join(&target),
            None => Url::parse(&target),
        };
        let Ok(url) = url else { continue };
        for relation in relations.split_ascii_whitespace() {
            if relation.eq_ignore_ascii_case("hub") {
                hints.hubs.push(url.to_string());
            } else if relation.eq_ignore_ascii_case("self") && hints.self_link.is_none() {
                hints.self_link = Some(url.to_string());
            }
        }
    }
    hints
}

/// Relations and targets of `<link>` tags.
#[derive(Default)]
struct Links(RefCell<Vec<(String, String)>>);

impl TokenSink for Links {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind == TagKind::StartTag && &*tag.name == "link" {
            let mut links = self.0.borrow_mut();
            if links.len() < MAX_LINKS
                && let (Some(rel), Some(href)) = (value(&tag, "rel"), value(&tag, "href"))
            {
                links.push((rel, href));
            }
        }
        TokenSinkResult::Continue
    }
}

fn value(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_page_are_read_against_its_address() {
        let check = |html: &str, hubs: &[&str], own: Option<&str>| {
            let base_url = Some("https://site.test/dir/".to_owned());
            let document = Document { bytes: html.into(), content_type: None, base_url };
            let hints = in_page(&document);
            assert_eq!(
                (hints.hubs, hints.self_link.as_deref()),
                (hubs.iter().map(|h| (*h).to_owned()).collect(), own),
                "{html}"
            );
        };
        check(
            "<link rel=hub href=https://hub.test/><LINK REL='self' HREF='../f'>",
            &["https://hub.test/"],
            Some("https://site.test/f"),
        );
        check("<!-- <link rel=hub href=https://hub.test/> --><p>link rel=hub", &[], None);
        check("<link rel=\"stylesheet\" href=\"a.css\"><link rel=hub><link href=x>", &[], None);
        check(
            "<script>'<link rel=hub href=https://hub.test/>'</script",
            &["https://hub.test/"],
            None,
        );
    }
}
