//! feed-rs' model to ours. Its own ids are switched off: they change with the
//! title, or at every parse (see docs/decisions/identity.md).

use std::borrow::Cow;

use feed_rs::model as theirs;
use feed_rs::parser::{Builder, ParseErrorKind, ParseFeedError};
use jiff::Timestamp;
use url::Url;

use super::text::{cut, joined, link, names};
use super::{MAX_ENTRIES, MAX_LINK, MAX_TEXT, MAX_TITLE, ParseError, ParsedFeed, parse_date};
use crate::extract::{html_to_text, one_line, paragraphs};
use crate::model::Entry;

type Chrono = chrono::DateTime<chrono::Utc>;

/// A parser that leaves missing ids empty and reads dates our way.
pub(super) fn builder(base: Option<&str>) -> Builder {
    Builder::new()
        .base_uri(base)
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|text| Chrono::from_timestamp_millis(parse_date(text)?.as_millisecond()))
}

/// feed-rs' errors as decisions of ours.
pub(super) fn error(error: ParseFeedError) -> ParseError {
    match error {
        ParseFeedError::ParseError(ParseErrorKind::NoFeedRoot) => {
            ParseError::NotAFeed("no feed element at its root".to_string())
        }
        ParseFeedError::JsonUnsupportedVersion(version) => {
            ParseError::NotAFeed(format!("JSON Feed version \"{}\"", clean(&version)))
        }
        other => ParseError::Malformed(clean(&other.to_string())),
    }
}

/// Foreign words that go into a message: one line, not too long.
pub(super) fn clean(text: &str) -> String {
    cut(one_line(text), 200)
}

/// Converts a whole feed.
pub(super) fn feed(feed: theirs::Feed, base: Option<&str>) -> ParsedFeed {
    let mut warnings = Vec::new();
    let count = feed.entries.len();
    if count > MAX_ENTRIES {
        warnings.push(format!("{count} entries, of which the first {MAX_ENTRIES} are read"));
    }
    let context = Context {
        base: base.and_then(|base| Url::parse(base).ok()),
        lang: feed.language.as_deref().map(one_line).filter(|lang| !lang.is_empty()),
        is_atom: feed.feed_type == theirs::FeedType::Atom,
        markup: Markup::of(&feed.feed_type),
    };
    let mut entries = Vec::with_capacity(count.min(MAX_ENTRIES));
    for (index, item) in feed.entries.into_iter().take(MAX_ENTRIES).enumerate() {
        let entry = context.entry(item);
        if entry.title.is_empty() && entry.text.is_empty() && entry.url.is_none() {
            warnings.push(format!("entry {} has no title, text or link; left out", index + 1));
        } else {
            entries.push(entry);
        }
    }
    let title = feed.title.map(|title| cut(one_line(&context.markup.plain(&title)), MAX_TITLE));
    let title = title.filter(|title| !title.is_empty());
    ParsedFeed { title, entries, warnings, ..ParsedFeed::default() }
}

struct Context {
    base: Option<Url>,
    lang: Option<String>,
    is_atom: bool,
    markup: Markup,
}

impl Context {
    fn entry(&self, item: theirs::Entry) -> Entry {
        let guid = Some(cut(one_line(&item.id), MAX_LINK)).filter(|id| !id.is_empty());
        let url = self.link(&item, guid.as_deref());
        let title = item.title.as_ref().map(|title| self.markup.plain(title)).unwrap_or_default();
        Entry {
            url,
            title: cut(one_line(&title), MAX_TITLE),
            text: cut(self.markup.body(&item), MAX_TEXT),
            published: item.published.and_then(timestamp),
            // feed-rs copies RSS' pubDate into `updated`; only Atom states both.
            updated: item.updated.filter(|_| self.is_atom).and_then(timestamp),
            authors: names(
                item.authors.iter().filter_map(|person| person.name.as_deref().map(Cow::Borrowed)),
            ),
            categories: names(
                item.categories
                    .iter()
                    .map(|c| Cow::Borrowed(c.label.as_deref().unwrap_or(&c.term))),
            ),
            lang: item.language.as_deref().map(one_line).or_else(|| self.lang.clone()),
            guid,
            source: None,
        }
    }

    /// The item's own page: the first alternate link, else any link that is no
    /// enclosure, else a GUID that is a URL (RSS 2.0: guid is a permalink
    /// unless it says otherwise).
    fn link(&self, item: &theirs::Entry, guid: Option<&str>) -> Option<String> {
        let rel = |link: &&theirs::Link| link.rel.as_deref().unwrap_or("alternate").to_string();
        let usable = |link: &&theirs::Link| !link.href.trim().is_empty();
        let links = || item.links.iter().filter(usable);
        let found = links()
            .find(|link| rel(link) == "alternate")
            .or_else(|| links().find(|link| !matches!(&*rel(link), "enclosure" | "self" | "edit")))
            .map(|link| link.href.as_str())
            .or_else(|| guid.filter(|g| g.starts_with("http://") || g.starts_with("https://")))?;
        link(found, self.base.as_ref())
    }
}

/// What a format means by a text that is called plain.
#[derive(Clone, Copy)]
enum Markup {
    /// RSS: often HTML all the same, so tags and entities are resolved.
    Always,
    /// Atom (RFC 4287 section 3.1.1) and JSON Feed: as declared.
    AsDeclared,
}

impl Markup {
    fn of(format: &theirs::FeedType) -> Self {
        match format {
            theirs::FeedType::Atom | theirs::FeedType::JSON => Self::AsDeclared,
            _ => Self::Always,
        }
    }

    /// A text construct as plain text, decoded once.
    fn plain(self, text: &theirs::Text) -> String {
        self.as_text(&text.content, text.content_type.subty().as_str())
    }

    fn as_text(self, source: &str, subtype: &str) -> String {
        match self {
            Self::AsDeclared if subtype == "plain" => paragraphs(source),
            _ => html_to_text(source),
        }
    }

    /// Content and summary as one text: a rule's words may stand in either.
    fn body(self, item: &theirs::Entry) -> String {
        let content = item.content.as_ref().and_then(|content| {
            Some(self.as_text(content.body.as_deref()?, content.content_type.subty().as_str()))
        });
        let summary = item.summary.as_ref().map(|summary| self.plain(summary));
        let text = joined(summary.unwrap_or_default(), content.unwrap_or_default());
        if text.is_empty() { self.media_description(item) } else { text }
    }

    fn media_description(self, item: &theirs::Entry) -> String {
        let described = item.media.iter().filter_map(|media| media.description.as_ref());
        described.map(|text| self.plain(text)).find(|text| !text.is_empty()).unwrap_or_default()
    }
}

fn timestamp(when: Chrono) -> Option<Timestamp> {
    Timestamp::from_millisecond(when.timestamp_millis()).ok()
}
