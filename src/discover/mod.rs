//! The feeds that a web page names. Pure: nothing is asked for here.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use url::Url;

use crate::markup::tokenize;

/// Bytes of a page that are looked at; feeds are named in its head or its foot.
pub const MAX_PAGE: usize = 4 * 1024 * 1024;
/// Feeds kept of one page.
pub const MAX_CANDIDATES: usize = 50;

/// Where sites usually have a feed, the most usual first.
const CUSTOMARY: [&str; 6] = ["/feed", "/rss", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json"];

/// Media types of feeds. `application/json` is none: many sites name their
/// programming interface so.
const TYPES: [&str; 7] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/xml",
    "text/xml",
    "application/x-rss+xml",
];

/// Last parts of a path that a link to a feed ends with.
const NAMES: [&str; 10] = [
    "rss",
    "feed",
    "atom",
    "rss.xml",
    "feed.xml",
    "atom.xml",
    "index.xml",
    "index.rdf",
    "feed.json",
    "rss2",
];

/// A feed that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Absolute, http or https.
    pub url: String,
    /// What the page calls it.
    pub title: Option<String>,
    /// Declared by a `<link>`; otherwise it only looks like one.
    pub declared: bool,
    /// What readers say, not what is news.
    pub comments: bool,
}

/// The feeds that a page names, the best first: declared before guessed,
/// comments last, otherwise in the order of the page.
pub fn feed_links(html: &str, page: &Url) -> Vec<Candidate> {
    let found = tokenize(cut(html), PageSink::default()).0.into_inner();
    let base = found.base.as_deref().and_then(|base| page.join(base).ok());
    let base = base.unwrap_or_else(|| page.clone());
    let mut candidates: Vec<Candidate> = Vec::new();
    for link in found.links {
        let Some(url) = absolute(&base, &link.href) else { continue };
        if url == page.as_str() || candidates.iter().any(|other| other.url == url) {
            continue;
        }
        let title = Some(link.title).filter(|title| !title.is_empty());
        let comments = is_comments(&url, title.as_deref());
        candidates.push(Candidate { url, title, declared: link.declared, comments });
    }
    candidates.sort_by_key(|candidate| (candidate.comments, !candidate.declared));
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

/// Where a site that names no feed may have one.
pub fn customary(page: &Url) -> Vec<String> {
    let urls = CUSTOMARY.iter().filter_map(|path| page.join(path).ok());
    urls.map(String::from).filter(|url| url != page.as_str()).collect()
}

fn cut(html: &str) -> &str {
    let mut end = html.len().min(MAX_PAGE);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

fn absolute(base: &Url, href: &str) -> Option<String> {
    let href = href.trim();
    // `feed:` stands before a whole URL or in place of its scheme.
    let href = match href.strip_prefix("feed:") {
        Some(rest) if rest.starts_with("//") => format!("http:{rest}"),
        Some(rest) => rest.to_owned(),
        None => href.to_owned(),
    };
    let mut url = base.join(&href).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
        return None;
    }
    url.set_fragment(None);
    Some(url.into())
}

fn is_comments(url: &str, title: Option<&str>) -> bool {
    let has = |text: &str| {
        let text = text.to_lowercase();
        ["comment", "kommentar", "comentario", "commentaire"].iter().any(|word| text.contains(word))
    };
    has(url) || title.is_some_and(has)
}

#[derive(Default)]
struct PageSink(RefCell<Found>);

#[derive(Default)]
struct Found {
    base: Option<String>,
    links: Vec<Link>,
}

struct Link {
    href: String,
    title: String,
    declared: bool,
}

impl TokenSink for PageSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind != TagKind::StartTag {
            return TokenSinkResult::Continue;
        }
        match tag.name.as_ref() {
            // What stands inside is no markup.
            "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
            "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
            "base" => {
                let mut found = self.0.borrow_mut();
                if found.base.is_none() {
                    found.base = attribute(&tag, "href");
                }
            }
            "link" | "a" | "area" => self.0.borrow_mut().link(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Found {
    fn link(&mut self, tag: &Tag) {
        // Twice as many, because repeats and pages fall away later.
        if self.links.len() >= 2 * MAX_CANDIDATES {
            return;
        }
        let Some(href) = attribute(tag, "href").filter(|href| !href.trim().is_empty()) else {
            return;
        };
        let rel = attribute(tag, "rel").unwrap_or_default().to_ascii_lowercase();
        let has = |word: &str| rel.split_ascii_whitespace().any(|other| other == word);
        let kind = attribute(tag, "type").unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_link = &*tag.name == "link";
        let declared = (is_link || has("alternate"))
            && ((has("alternate") && TYPES.contains(&kind)) || has("feed"));
        if declared || (!is_link && looks_like_feed(&href)) {
            let title = attribute(tag, "title").unwrap_or_default();
            let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            let title = title.chars().take(200).collect();
            self.links.push(Link { href, title, declared });
        }
    }
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
    found.map(|attribute| attribute.value.to_string())
}

/// Whether the last part of a link's path is a usual name of feeds.
fn looks_like_feed(href: &str) -> bool {
    let path = href.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    NAMES.contains(&last.as_str())
        || [".rss", ".atom", ".rdf"].iter().any(|ending| last.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &[&str]) {
        let page = Url::parse("https://www.example.org/news/").unwrap();
        let found = feed_links(html, &page);
        let urls: Vec<&str> = found.iter().map(|candidate| candidate.url.as_str()).collect();
        assert_eq!(urls, expected, "{html}");
    }

    #[test]
    fn declared_feeds_are_found_in_the_order_of_the_page() {
        check(
            "<HEAD><LINK REL='alternate' TYPE='application/rss+xml' HREF='rss.php?a=1&amp;b=2'>\
             <link rel=alternate type='application/atom+xml; charset=utf-8' href=/atom>\
             <link rel='feed' href='https://other.example/f'>\
             <link rel='alternate' type='application/feed+json' href='f.json#x'>",
            &[
                "https://www.example.org/news/rss.php?a=1&b=2",
                "https://www.example.org/atom",
                "https://other.example/f",
                "https://www.example.org/news/f.json",
            ],
        );
    }

    #[test]
    fn the_base_counts_and_only_the_first() {
        check(
            "<base href='/sub/'><base href='/no/'><link rel=alternate type=text/xml href=f>",
            &["https://www.example.org/sub/f"],
        );
    }

    #[test]
    fn comments_come_last_and_guesses_before_them() {
        check(
            "<link rel=alternate type=application/rss+xml title='Blog &raquo; Comments Feed' href=/c>\
             <a href='/x/feed/'>x</a><a href='/news.rss'>y</a><a href='/feedback'>z</a>\
             <link rel=alternate type=application/rss+xml title='Blog' href=/b>",
            &[
                "https://www.example.org/b",
                "https://www.example.org/x/feed/",
                "https://www.example.org/news.rss",
                "https://www.example.org/c",
            ],
        );
    }

    #[test]
    fn what_is_no_feed_is_left_out() {
        check(
            "<!-- <link rel=alternate type=application/rss+xml href=/comment> -->\
             <script>'<link rel=alternate type=application/rss+xml href=/script>'</script>\
             <link rel=alternate type=application/json href=/wp-json/>\
             <link rel=alternate type='application/json+oembed' href=/oembed>\
             <link rel=alternate hreflang=fr href=/fr><link rel=stylesheet href=/rss.xml>\
             <a href='javascript:rss'>x</a><a href='mailto:feed'>x</a><a>rss</a>\
             <a rel=nofollow href='https://u:p@www.example.org/rss'>x</a>",
            &[],
        );
    }

    #[test]
    fn the_feed_scheme_is_taken_for_http() {
        check(
            "<a href='feed://a.example/rss'>x</a><a href='feed:https://b.example/rss'>y</a>",
            &["http://a.example/rss", "https://b.example/rss"],
        );
    }

    #[test]
    fn a_page_of_links_gives_a_bounded_number() {
        let html: String = (0..10_000).map(|n| format!("<a href='/{n}/rss'>x</a>")).collect();
        let page = Url::parse("https://www.example.org/").unwrap();
        assert_eq!(feed_links(&html, &page).len(), MAX_CANDIDATES);
    }

    #[test]
    fn customary_places_are_those_of_the_site_and_few() {
        let page = Url::parse("https://www.example.org/a/b.html").unwrap();
        let urls = customary(&page);
        assert_eq!(urls.len(), 6);
        assert_eq!(urls[0], "https://www.example.org/feed");
    }
}
