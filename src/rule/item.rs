//! A story as rules see it.

use std::borrow::Cow;

use crate::model::{Entry, Field};

use super::analysis::{FIELDS, Part};
use crate::text::credit;

/// A story as rules see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Item<'a> {
    /// The headline.
    pub title: &'a str,
    /// The body; paragraphs are separated by `\n`.
    pub text: &'a str,
    /// The configured name of the feed it came from.
    pub feed: &'a str,
    /// The language tag it states.
    pub lang: Option<&'a str>,
    /// Its link.
    pub url: Option<&'a str>,
    /// Who wrote it.
    pub authors: &'a [String],
    /// What it was filed under.
    pub categories: &'a [String],
    /// Name of the outlet that an aggregated item comes from.
    pub source: Option<&'a str>,
    /// And its address.
    pub source_url: Option<&'a str>,
}

impl<'a> Item<'a> {
    /// An entry of a feed.
    pub fn of_entry(entry: &'a Entry, feed: &'a str) -> Self {
        let source = entry.source.as_ref();
        Self {
            title: &entry.title,
            text: &entry.text,
            feed,
            lang: entry.lang.as_deref(),
            url: entry.url.as_deref(),
            authors: &entry.authors,
            categories: &entry.categories,
            source: source.and_then(|source| source.title.as_deref()),
            source_url: source.and_then(|source| source.url.as_deref()),
        }
    }

    /// The text of a field, which evidence refers to. Where a field has
    /// several values, each stands on a line.
    pub fn text_of(&self, field: Field) -> Cow<'a, str> {
        Cow::Borrowed(match field {
            Field::Title => self.title,
            Field::Text => self.text,
            Field::Feed => self.feed,
            Field::Lang => self.lang.unwrap_or_default(),
            Field::Url => self.url.unwrap_or_default(),
            Field::Author => return Cow::Owned(self.authors.join("\n")),
            Field::Category => return Cow::Owned(self.categories.join("\n")),
            Field::Source => {
                let agency = credit::agency(self.text);
                let parts = [self.source, self.source_url, agency];
                return Cow::Owned(parts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
            }
        })
    }

    /// The fields that words are looked for in; without `all` only title and
    /// text.
    pub(super) fn texts(&self, all: bool) -> [Cow<'a, str>; FIELDS] {
        let further = |field| if all { self.text_of(field) } else { Cow::Borrowed("") };
        [
            Cow::Borrowed(self.title),
            Cow::Borrowed(self.text),
            further(Field::Author),
            further(Field::Category),
            further(Field::Source),
            further(Field::Url),
        ]
    }
}

/// The parts of the fields that count: a text without dateline and credits.
pub(super) fn parts<'t>(texts: &'t [Cow<'_, str>; FIELDS]) -> [Part<'t>; FIELDS] {
    let mut number = 0;
    texts.each_ref().map(|text| {
        let body = number == Field::Text as usize;
        number += 1;
        (&**text, if body { credit::body(text) } else { 0..text.len() })
    })
}
