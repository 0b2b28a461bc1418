//! One item, of whatever format: RSS items carry elements of Atom, Dublin Core
//! and others, so that one reader knows them all.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use super::field::{Field, field};
use super::names::Ns;
use super::text::{Text, cut, is_declared, is_web, joined, link, names};
use super::tree::Element;
use super::{MAX_LINK, MAX_TEXT, MAX_TITLE, parse_date};
use crate::extract::one_line;
use crate::model::{Entry, Source};

/// What holds for all items of a document.
pub(super) struct Context {
    pub(super) base: Option<Url>,
    pub(super) in_atom: bool,
    /// Dates that were not understood, and the first of them.
    pub(super) odd_dates: (u32, String),
}

impl Context {
    /// The entry that an item states.
    pub(super) fn entry(&mut self, item: Element<'_, '_>) -> Entry {
        let fields = Fields::of(item, self.in_atom);
        let guid = fields.guid(item);
        let url = fields.page(self.base.as_ref());
        let url = url.or_else(|| fields.permalink(item, guid.as_deref(), self.base.as_ref()));
        Entry {
            url,
            title: cut(fields.title(), MAX_TITLE),
            text: cut(fields.body(), MAX_TEXT),
            published: self.date(&fields, Field::Published, item.attribute("pubdate")),
            updated: self.date(&fields, Field::Updated, item.attribute("lastmod")),
            authors: names(fields.all(Field::Author).map(author)),
            categories: fields.categories(),
            lang: fields.language(item),
            source: fields.source(self.base.as_ref()),
            guid,
        }
    }

    /// The first date of a kind that is understood.
    fn date(
        &mut self,
        fields: &Fields<'_, '_>,
        kind: Field,
        stated: Option<&str>,
    ) -> Option<Timestamp> {
        let is_first = kind == Field::Published;
        let others = fields.all(Field::Issued).chain(fields.news("publication_date"));
        let others = others.filter(|_| is_first);
        let texts = fields.all(kind).chain(others).map(Element::text);
        for text in texts.chain(stated.map(Cow::Borrowed)) {
            let text = text.trim();
            if let Some(date) = parse_date(text) {
                return Some(date);
            }
            if !text.is_empty() {
                self.odd_dates.0 += 1;
                if self.odd_dates.1.is_empty() {
                    self.odd_dates.1 = cut(one_line(text), 60);
                }
            }
        }
        None
    }
}

/// The elements of an item that mean something.
struct Fields<'t, 'a> {
    found: Vec<(Field, Element<'t, 'a>)>,
    in_atom: bool,
    item: Element<'t, 'a>,
}

impl<'t, 'a> Fields<'t, 'a> {
    fn of(item: Element<'t, 'a>, in_atom: bool) -> Self {
        let found = item.children().filter_map(|child| Some((field(child)?, child))).collect();
        Self { found, in_atom, item }
    }

    fn all(&self, field: Field) -> impl Iterator<Item = Element<'t, 'a>> {
        self.found.iter().filter(move |(found, _)| *found == field).map(|(_, element)| *element)
    }

    fn declared(&self, element: Element<'_, '_>) -> bool {
        is_declared(element, self.in_atom) && !element.named("description")
    }

    fn text(&self, element: Element<'t, 'a>) -> Text<'t> {
        Text::of(element, self.declared(element))
    }

    /// A part of a sitemap's `news:news`.
    fn news(&self, name: &str) -> Option<Element<'t, 'a>> {
        self.all(Field::News).find_map(|news| news.child(name))
    }

    fn title(&self) -> String {
        let own = self.all(Field::Title).chain(self.all(Field::OtherTitle));
        let mut titles = own.chain(self.news("title")).map(|title| self.text(title).line());
        titles.find(|title| !title.is_empty()).unwrap_or_default()
    }

    fn body(&self) -> String {
        let first = |field| {
            let mut texts = self.all(field).map(|element| self.text(element).body());
            texts.find(|text| !text.is_empty())
        };
        let summary = match (first(Field::Summary), first(Field::Abstract)) {
            (Some(summary), Some(other)) => Some(joined(other, summary)),
            (summary, other) => summary.or(other).or_else(|| first(Field::OtherSummary)),
        };
        let text = joined(summary.unwrap_or_default(), first(Field::Content).unwrap_or_default());
        if text.is_empty() { self.described() } else { text }
    }

    /// Descriptions of media stand in where an item has no other text.
    fn described(&self) -> String {
        let media = self.all(Field::Described).flat_map(|element| {
            let inside =
                element.children().flat_map(|child| std::iter::once(child).chain(child.children()));
            std::iter::once(element).chain(inside)
        });
        let described = media.filter(|element| element.named("description"));
        let mut texts: Vec<String> = Vec::new();
        for text in described.take(50).map(|element| self.text(element).body()) {
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join("\n")
    }

    /// GUID, Atom id or `rdf:about`.
    fn guid(&self, item: Element<'_, '_>) -> Option<String> {
        let stated = self.all(Field::Guid).map(|id| match base_of(id, None) {
            // Only what the document itself says changes an id: its address may change.
            Some(base) if id.named("id") => {
                let text = id.text();
                link(&text, Some(&base)).map_or(text, Cow::Owned)
            }
            _ => id.text(),
        });
        let about = item.attribute("rdf:about").map(Cow::Borrowed);
        let mut ids = stated.chain(about).map(|id| cut(one_line(&id), MAX_LINK));
        ids.find(|id| !id.is_empty())
    }

    /// The item's own page.
    fn page(&self, base: Option<&Url>) -> Option<String> {
        let own = self.all(Field::OwnPage).map(|element| element.text().trim().to_string());
        if let Some(page) = own.into_iter().find(|page| is_web(page)) {
            return link(&page, None);
        }
        let mut links: Vec<(u8, Cow<'_, str>, Element<'_, '_>)> = Vec::new();
        for element in self.all(Field::Link) {
            let (rank, href) = ranked(element);
            if let Some(rank) = rank.filter(|_| !href.trim().is_empty()) {
                links.push((rank, href, element));
            }
        }
        // RSS has one link; where there are more, other readers take the last.
        let plain = links.iter().rposition(|(rank, ..)| *rank == 0).map(|at| links.swap_remove(at));
        // Of others the first of the best: `min_by_key` keeps the document's order.
        let best = plain.or_else(|| links.into_iter().min_by_key(|(rank, ..)| *rank));
        let stated = self.item.attribute("href").filter(|_| !self.in_atom);
        match best {
            Some((_, href, element)) => link(&href, base_of(element, base).as_ref()),
            None => link(stated?, base_of(self.item, base).as_ref()),
        }
    }

    /// The page where nothing but an id or the place of the content names it.
    fn permalink(
        &self,
        item: Element<'_, '_>,
        guid: Option<&str>,
        base: Option<&Url>,
    ) -> Option<String> {
        let about = item.attribute("rdf:about").filter(|about| is_web(about));
        let denied = self.all(Field::Guid).any(|guid| {
            guid.attribute("isPermaLink")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"))
        });
        let guid = guid.filter(|guid| !denied && is_web(guid));
        let source = || {
            self.all(Field::Content).find_map(|content| {
                link(content.attribute("src")?, base_of(content, base).as_ref())
            })
        };
        about.or(guid).and_then(|page| link(page, None)).or_else(source)
    }

    fn categories(&self) -> Vec<String> {
        let label = |element: Element<'t, 'a>| {
            let attributes = ["label", "term"].into_iter().find_map(|name| element.attribute(name));
            let text = element.text();
            if !text.trim().is_empty() {
                return text;
            }
            Cow::Borrowed(attributes.or_else(|| element.attribute("text")).unwrap_or_default())
        };
        let stated =
            self.all(Field::Category).map(|element| Cow::Owned(Text::Html(label(element)).line()));
        let keywords = self.all(Field::Keywords).chain(self.news("keywords")).flat_map(|element| {
            let text = element.text();
            text.split(',').map(|word| Cow::Owned(word.to_string())).collect::<Vec<_>>()
        });
        names(stated.chain(keywords))
    }

    fn language(&self, item: Element<'_, '_>) -> Option<String> {
        let news = self.all(Field::News).find_map(|n| n.child("publication")?.child("language"));
        let stated = self.all(Field::Language).chain(news).map(Element::text);
        let inherited = item.inherited("xml:lang").map(Cow::Borrowed);
        let mut langs = inherited.into_iter().chain(stated).map(|lang| cut(one_line(&lang), 100));
        langs.find(|lang| !lang.is_empty())
    }

    /// The outlet that the item was taken from.
    fn source(&self, base: Option<&Url>) -> Option<Source> {
        let stated = self.all(Field::Source).map(|source| source_of(source, base));
        let other = self.all(Field::OtherSource).map(|source| Text::Html(source.text()).line());
        let other = other.filter(|name| !is_web(name) && !name.starts_with("urn:"));
        let news = self.all(Field::News).find_map(|n| n.child("publication")?.child("name"));
        let named = other.chain(news.map(|name| Text::Html(name.text()).line()));
        let named = named.map(|name| Source { title: named_once(name), url: None });
        stated.chain(named).find(|source| *source != Source::default())
    }
}

fn source_of(source: Element<'_, '_>, base: Option<&Url>) -> Source {
    let at = base_of(source, base);
    if !source.has_elements() {
        let title = named_once(Text::Html(source.text()).line());
        return Source {
            title,
            url: source.attribute("url").and_then(|url| link(url, at.as_ref())),
        };
    }
    let title = source.child("title").map(|title| Text::of(title, true).line());
    let links = source.children().filter(|child| child.named("link"));
    let best = links.filter_map(|link| Some((ranked(link).0?, ranked(link).1))).min_by_key(|l| l.0);
    let id = || source.child("id").map(Element::text).filter(|id| is_web(id));
    let url = best.map(|(_, href)| href).or_else(id);
    Source { title: title.and_then(named_once), url: url.and_then(|url| link(&url, at.as_ref())) }
}

fn named_once(name: String) -> Option<String> {
    Some(cut(name, MAX_TITLE)).filter(|name| !name.is_empty())
}

/// How good a link is as the item's page (lower is better, `None` is never),
/// and where it leads.
fn ranked<'t>(element: Element<'t, '_>) -> (Option<u8>, Cow<'t, str>) {
    let text = element.text();
    let href = match element.attribute("href") {
        Some(href) => Cow::Borrowed(href),
        None if text.trim().is_empty() => {
            Cow::Borrowed(element.attribute("rdf:resource").unwrap_or_default())
        }
        None => text,
    };
    let plain = ["rel", "type"].into_iter().all(|name| element.attribute(name).is_none());
    let rel = element.attribute("rel").map(str::trim).filter(|rel| !rel.is_empty());
    let rel = rel.unwrap_or("alternate").to_ascii_lowercase();
    let kind = element.attribute("type").unwrap_or("text/html").trim().to_ascii_lowercase();
    let is_page =
        kind.starts_with("text/html") || kind == "application/xhtml+xml" || kind.is_empty();
    let rank = match rel.rsplit('/').next().unwrap_or_default() {
        "alternate" if plain && element.ns() != Ns::Atom => Some(0),
        "alternate" if is_page => Some(1),
        "alternate" => Some(2),
        "enclosure" | "self" | "edit" | "edit-media" | "replies" | "hub" | "next" | "prev"
        | "previous" | "first" | "last" | "license" | "service.edit" | "service.post"
        | "service.feed" | "author" | "icon" | "search" | "canonical-feed" => None,
        _ => Some(3),
    };
    (rank, href)
}

/// The base of relative links at an element: the document's, then each `xml:base`.
pub(super) fn base_of(element: Element<'_, '_>, base: Option<&Url>) -> Option<Url> {
    element.bases().into_iter().fold(base.cloned(), |base, stated| {
        let joined = match &base {
            Some(base) => base.join(stated.trim()).ok(),
            None => Url::parse(stated.trim()).ok(),
        };
        joined.or(base)
    })
}

/// The name in `mail (Name)`, `Name <mail>` or `<name>`.
pub(super) fn author<'t>(element: Element<'t, '_>) -> Cow<'t, str> {
    let part = |name| element.child(name).map(Element::text).filter(|text| !text.trim().is_empty());
    let text = match part("name").or_else(|| part("email")) {
        Some(text) => text,
        None if element.has_elements() => return Cow::Owned(Text::of(element, false).line()),
        None => element.text(),
    };
    if let Some((outside, rest)) = text.split_once('(')
        && let Some((inside, _)) = rest.rsplit_once(')')
        && outside.contains('@') != inside.contains('@')
    {
        let name = if outside.contains('@') { inside } else { outside };
        if !name.trim().is_empty() {
            return Cow::Owned(name.to_string());
        }
    }
    if let Some((name, rest)) = text.split_once('<')
        && rest.contains('@')
        && !name.trim().is_empty()
    {
        return Cow::Owned(name.trim().trim_matches('"').to_string());
    }
    Cow::Owned(Text::Html(text).line())
}
