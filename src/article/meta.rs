//! What a page says of itself in its head.

use scraper::node::Element;
use scraper::{Html, Node};
use url::Url;

/// Headlines that are looked at.
const HEADLINES: usize = 5;
/// Nodes of a headline that are looked at.
const NODES: usize = 500;
/// Names of one `meta` that are looked at.
const MOST_NAMES: usize = 8;
/// A shorter headline may be a section's.
const SHORTEST: usize = 12;

/// The parts of the head that tell of an article.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) headlines: Vec<String>,
    pub(super) document_title: Option<String>,
    pub(super) shared_title: Option<String>,
    pub(super) site: Option<String>,
    /// The name of the site as an application.
    pub(super) application: Option<String>,
    pub(super) lang: Option<String>,
    pub(super) canonical: Option<String>,
    pub(super) published: Option<String>,
    pub(super) author: Option<String>,
    /// What the page is about, in its own words for others.
    pub(super) summary: Option<String>,
    /// How sure `published` and `author` are; lower is surer.
    rank: u8,
    author_rank: u8,
}

/// Reads a tree; `url` is where it came from.
pub(super) fn read(tree: &Html, url: Option<&Url>) -> Meta {
    let mut meta = Meta { rank: u8::MAX, author_rank: u8::MAX, ..Meta::default() };
    for node in tree.tree.nodes() {
        let Node::Element(element) = node.value() else { continue };
        match element.name() {
            "html" => {
                let lang = value(element, "lang").or_else(|| value(element, "xml:lang"));
                meta.lang = meta.lang.take().or_else(|| lang.map(tag));
            }
            "title" if meta.document_title.is_none() => {
                meta.document_title = Some(text(node)).filter(|text| !text.is_empty());
            }
            "h1" if meta.headlines.len() < HEADLINES => {
                meta.headlines.extend(Some(text(node)).filter(|text| !text.is_empty()));
            }
            "link"
                if value(element, "rel")
                    .is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) =>
            {
                let link = value(element, "href").and_then(|link| absolute(link, url));
                meta.canonical = link.or(meta.canonical.take());
            }
            "meta" => meta.note(element, url),
            _ => {}
        }
    }
    meta
}

impl Meta {
    fn note(&mut self, element: &Element, url: Option<&Url>) {
        let name = ["property", "name", "itemprop"].iter().find_map(|key| value(element, key));
        let (Some(name), Some(content)) = (name, value(element, "content")) else { return };
        // Several names may share a content.
        for name in name.split_whitespace().take(MOST_NAMES) {
            self.note_named(&name.to_ascii_lowercase().replace(':', "."), content, url);
        }
    }

    fn note_named(&mut self, name: &str, content: &str, url: Option<&Url>) {
        let rank = match name {
            "article.published_time" => 1,
            "datepublished" => 2,
            "parsely-pub-date" | "sailthru.date" | "cxenseparse.recs.publishtime" => 3,
            "dc.date.issued" | "dcterms.created" | "dc.date" | "dcterms.date" | "pubdate"
            | "publishdate" | "date" => 4,
            _ => u8::MAX,
        };
        if rank < self.rank {
            (self.rank, self.published) = (rank, Some(content.to_owned()));
        }
        let author_rank = match name {
            "dc.creator" | "dcterm.creator" | "dcterms.creator" => 1,
            "author" | "article.author" | "article.author_name" => 2,
            "parsely-author" | "sailthru.author" => 3,
            _ => u8::MAX,
        };
        if author_rank < self.author_rank && is_name(content) {
            (self.author_rank, self.author) = (author_rank, Some(content.to_owned()));
        }
        let set = |place: &mut Option<String>, text: Option<String>| {
            if place.is_none() {
                *place = text;
            }
        };
        match name {
            "og.title" => set(&mut self.shared_title, Some(content.to_owned())),
            "description" | "og.description" => set(&mut self.summary, Some(content.to_owned())),
            "og.site_name" => set(&mut self.site, Some(content.to_owned())),
            "application-name" => set(&mut self.application, Some(content.to_owned())),
            "og.url" => set(&mut self.canonical, absolute(content, url)),
            "content-language" | "og.locale" => set(&mut self.lang, Some(tag(content))),
            _ => {}
        }
    }

    /// The headline: as shown where that is part of the page's title, else
    /// the title without the outlet's name.
    pub(super) fn title(&self, host: &str) -> Option<String> {
        let full = self.shared_title.as_ref().or(self.document_title.as_ref());
        let full = full.or(self.headlines.first())?;
        let full = full.split_whitespace().collect::<Vec<_>>().join(" ");
        let document = self.document_title.as_deref().unwrap_or_default();
        let shown = self.headlines.iter().find(|headline| {
            headline.chars().count() >= SHORTEST
                && (full.contains(headline.as_str()) || document.contains(headline.as_str()))
        });
        if let Some(headline) = shown {
            return Some(headline.clone());
        }
        Some(self.without_outlet(&full, host).unwrap_or(&full).to_owned())
    }

    fn without_outlet<'a>(&self, title: &'a str, host: &str) -> Option<&'a str> {
        let fold = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let host = fold(host.trim_start_matches("www."));
        let site = fold(self.site.as_deref().unwrap_or_default());
        let separators = [" | ", " - ", " – ", " — ", " » ", " · ", " • ", " :: "];
        separators.iter().find_map(|separator| {
            let (title, outlet) = title.rsplit_once(separator)?;
            let outlet = fold(outlet);
            let is_outlet = !outlet.is_empty()
                && (host.contains(&outlet)
                    || (!site.is_empty() && (site.contains(&outlet) || outlet.contains(&site))));
            (is_outlet && title.chars().count() >= SHORTEST).then_some(title)
        })
    }
}

/// Whether a byline names somebody: not a link, not an account of the system.
pub(super) fn is_name(text: &str) -> bool {
    const NOBODY: [&str; 11] = [
        "username",
        "admin",
        "administrator",
        "author",
        "redaktion",
        "editor",
        "staff",
        "webmaster",
        "root",
        "unknown",
        "guest",
    ];
    let text = text.trim();
    !text.is_empty()
        && text.len() < 200
        && !text.contains("://")
        && !text.contains(".com/")
        && !NOBODY.contains(&text.to_lowercase().as_str())
}

fn value<'a>(element: &'a Element, key: &str) -> Option<&'a str> {
    element.attr(key).map(str::trim).filter(|text| !text.is_empty())
}

/// A language tag as BCP 47 writes it.
fn tag(text: &str) -> String {
    text.replace('_', "-").to_lowercase()
}

fn absolute(link: &str, base: Option<&Url>) -> Option<String> {
    let link = match base {
        Some(base) => base.join(link).ok()?,
        None => Url::parse(link).ok()?,
    };
    matches!(link.scheme(), "http" | "https").then(|| link.to_string())
}

fn text(node: ego_tree::NodeRef<'_, Node>) -> String {
    let mut text = String::new();
    for node in node.descendants().take(NODES) {
        if let Node::Text(part) = node.value() {
            text.push_str(part);
            text.push(' ');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_loses_the_outlets_name() {
        let check = |html: &str, expected: &str| {
            let meta = read(&Html::parse_document(html), None);
            assert_eq!(meta.title("www.examplenews.com").as_deref(), Some(expected), "{html}");
        };
        check("<title>Ships meet in the strait | Example News</title>", "Ships meet in the strait");
        check(
            "<title>Ships meet in the strait - The Post</title><meta property=og:site_name content='The Post'>",
            "Ships meet in the strait",
        );
        check("<title>Ships - and planes - meet</title>", "Ships - and planes - meet");
        check(
            "<title>Ships meet in May | X</title><h1>Ships meet in May</h1>",
            "Ships meet in May",
        );
    }

    #[test]
    fn the_surest_date_counts() {
        let html = "<meta name=date content=2026-01-01><meta property=article:published_time \
                    content=2026-02-02T10:00:00Z><meta name=author content=Admin>";
        let meta = read(&Html::parse_document(html), None);
        assert_eq!(meta.published.as_deref(), Some("2026-02-02T10:00:00Z"));
        assert_eq!(meta.author, None);
    }
}
