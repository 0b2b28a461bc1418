//! Where the feed begins in a document, and what the document is when there is
//! none.

use super::ParseError;
use super::convert::clean;
use super::names::{self, Ns};
use super::repair::{Repair, Repairs};
use super::xml::{Token, Tokenizer};
use crate::extract::html_to_text;

/// Tags that may stand before the root of a feed: warnings of the program that
/// wrote it.
const MAX_JUNK: usize = 500;
/// Tags of a page among which a feed may begin.
const MAX_WRAPPER: usize = 20;
/// Child sitemaps that the advice names.
const ADVISED: usize = 3;

/// What kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// RSS of any version, RDF, CDF.
    Rss,
    Atom,
    Sitemap,
}

/// Finds the root element: what it is, and where its tag begins.
///
/// # Errors
/// When the document is something else.
pub(super) fn find(text: &str, repairs: &mut Repairs) -> Result<(Root, usize), ParseError> {
    let mut reader = Tokenizer::new(text, 0);
    let mut ignored = Repairs::default();
    let mut first: Option<&str> = None;
    let mut junk = false;
    for _ in 0..MAX_JUNK {
        match reader.next("", &mut ignored) {
            Some(Token::Start { name, .. }) => {
                let start = name.as_ptr() as usize - text.as_ptr() as usize - 1;
                match kind(name, first.is_none(), &reader.attributes) {
                    Some(Ok(root)) => {
                        if junk || first.is_some() {
                            repairs.note(Repair::JunkBefore);
                        }
                        return Ok((root, start));
                    }
                    Some(Err(Other::Page)) if first.is_none() => {
                        return behind_page(text, start, repairs);
                    }
                    Some(Err(Other::SitemapIndex)) => return Err(sitemap_index(text)),
                    Some(Err(Other::List)) if first.is_none() => {
                        let advice = "this is a list of feeds (OPML): use `wirewatch feeds import`";
                        return Err(ParseError::NotAFeed(advice.to_string()));
                    }
                    _ => {}
                }
                first.get_or_insert(name);
            }
            Some(Token::Doctype(kind)) if first.is_none() && is_html_doctype(kind) => {
                return behind_page(text, 0, repairs);
            }
            Some(Token::Text(text) | Token::Cdata(text)) => {
                junk |= text.chars().any(|c| !c.is_whitespace() && c != '\u{feff}');
            }
            Some(_) => {}
            None => break,
        }
    }
    Err(match first {
        Some(name) => ParseError::NotAFeed(format!("its root element is \"{}\"", clean(name))),
        None if reader.cut => ParseError::Malformed("it breaks off before the feed".to_string()),
        None => ParseError::NotAFeed("there is neither XML nor JSON in it".to_string()),
    })
}

enum Other {
    Page,
    List,
    SitemapIndex,
}

/// What a start tag begins. Common words count as the very first tag only.
fn kind(name: &str, is_first: bool, attributes: &[(&str, &str)]) -> Option<Result<Root, Other>> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let bound = attributes.iter().find(|(key, _)| match key.strip_prefix("xmlns") {
        Some("") => prefix.is_empty(),
        Some(rest) => rest.strip_prefix(':') == Some(prefix),
        None => false,
    });
    let ns = bound.map_or_else(|| names::of_prefix(prefix), |(_, uri)| names::of_uri(uri));
    let foreign = !prefix.is_empty() && ns == Ns::Other;
    let root = match local.to_ascii_lowercase().as_str() {
        "rdf" => Root::Rss,
        _ if foreign => return None,
        "rss" => Root::Rss,
        "feed" => Root::Atom,
        "channel" | "item" if is_first => Root::Rss,
        "entry" if is_first => Root::Atom,
        "urlset" if is_first => Root::Sitemap,
        "sitemapindex" => return Some(Err(Other::SitemapIndex)),
        "opml" => return Some(Err(Other::List)),
        "html" | "head" | "body" | "title" | "meta" | "script" | "frameset" => {
            return Some(Err(Other::Page));
        }
        _ => return None,
    };
    Some(Ok(root))
}

fn is_html_doctype(doctype: &str) -> bool {
    let name = doctype.get(9..).unwrap_or_default().trim_start();
    name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html"))
}

/// A page; unless a feed begins soon in it, as when a template wraps it, or an
/// XML declaration with a feed's root follows, as when a program prints its
/// error page and then the feed.
fn behind_page(
    text: &str,
    from: usize,
    repairs: &mut Repairs,
) -> Result<(Root, usize), ParseError> {
    let page = &text[from..];
    let declared = page.match_indices("<?xml ").skip_while(|(at, _)| *at == 0).take(10);
    let starts = std::iter::once((0, MAX_WRAPPER)).chain(declared.map(|(at, _)| (at, 1)));
    for (at, tags) in starts {
        let mut reader = Tokenizer::new(page, at);
        let mut ignored = Repairs::default();
        let mut seen = 0;
        while seen < tags
            && let Some(token) = reader.next("", &mut ignored)
        {
            let Token::Start { name, .. } = token else { continue };
            seen += 1;
            if let Some(Ok(root)) = kind(name, false, &reader.attributes)
                && !reader.attributes.is_empty()
            {
                repairs.note(Repair::JunkBefore);
                return Ok((root, name.as_ptr() as usize - text.as_ptr() as usize - 1));
            }
        }
    }
    Err(ParseError::WebPage(page_title(page)))
}

fn page_title(page: &str) -> String {
    let head = &page[..page.floor_char_boundary(page.len().min(64 * 1024))];
    let lower = head.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(clean(&html_to_text(&head[start..end])))
    });
    match title.filter(|title| !title.is_empty()) {
        Some(title) => format!(" (its title is \"{title}\")"),
        None => String::new(),
    }
}

fn sitemap_index(text: &str) -> ParseError {
    let places = text.split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next());
    let named: Vec<String> = places.take(ADVISED).map(clean).collect();
    ParseError::NotAFeed(format!(
        "this is an index of sitemaps; give the address of a news sitemap instead, for example {}",
        named.join(" or ")
    ))
}
