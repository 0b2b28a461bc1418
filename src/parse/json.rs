//! JSON Feed 1.0 and 1.1 (jsonfeed.org), with values of the wrong type, and
//! broken or cut off.

use serde_json::{Map, Value};
use url::Url;

use super::read::Items;
use super::repair::{Repair, Repairs};
use super::text::{Text, cut, joined, link, names};
use super::{MAX_LINK, MAX_TEXT, MAX_TITLE, ParseError, ParsedFeed, parse_date, weight};
use crate::extract::one_line;
use crate::model::{Entry, FeedHints};

type Object = Map<String, Value>;

const NO_ITEMS: &str = "this JSON is no JSON Feed: it has no items";

/// Reads `text`.
///
/// # Errors
/// When it is no JSON Feed.
pub(super) fn read(
    text: &str,
    base: Option<&str>,
    repairs: &mut Repairs,
) -> Result<ParsedFeed, ParseError> {
    let base = base.and_then(|base| Url::parse(base).ok());
    // A document of very many values is read an item at a time, and no more
    // items than are taken.
    let is_heavy = weight::has_many_values(text);
    let whole = if is_heavy { None } else { serde_json::from_str(text).ok() };
    let (feed, listed) = match whole {
        Some(Value::Object(mut feed)) => {
            let items = feed.remove("items");
            (feed, items)
        }
        Some(_) => return Err(ParseError::NotAFeed("this JSON is no object".to_string())),
        None => {
            let many = Repair::TooManyElements;
            repairs.note(if is_heavy { many } else { Repair::JsonSyntax });
            let (feed, items) = salvage(text, repairs)?;
            (feed, Some(Value::Array(items)))
        }
    };
    let version = feed.get("version").and_then(Value::as_str).unwrap_or_default();
    let listed = match listed {
        Some(Value::Array(listed)) => listed,
        None if version.contains("jsonfeed.org") => Vec::new(),
        _ => return Err(ParseError::NotAFeed(NO_ITEMS.to_string())),
    };
    let format = format(version, repairs);
    let mut reader = Reader { base, lang: None, authors: Vec::new(), repairs };
    let hints = reader.hints(&feed);
    reader.lang.clone_from(&hints.lang);
    reader.authors = reader.authors(&feed);
    let mut items = Items::default();
    for item in &listed {
        match item.as_object() {
            Some(item) => {
                if items.add(reader.entry(item), !item.is_empty()).is_break() {
                    break;
                }
            }
            None => reader.repairs.note(Repair::JsonItem),
        }
    }
    let title = reader.line(&feed, "title", MAX_TITLE);
    let Items { entries, warnings, .. } = items;
    Ok(ParsedFeed {
        title,
        entries,
        warnings,
        format: format.to_string(),
        hints,
        ..ParsedFeed::default()
    })
}

/// The format by the version's URL; an unknown version is worth a note.
fn format(version: &str, repairs: &mut Repairs) -> &'static str {
    match version.trim_end_matches('/').rsplit('/').next() {
        Some("1") => "JSON Feed 1",
        Some("1.1") => "JSON Feed 1.1",
        _ => {
            repairs.note(Repair::JsonVersion);
            "JSON Feed"
        }
    }
}

struct Reader<'r> {
    base: Option<Url>,
    lang: Option<String>,
    authors: Vec<String>,
    repairs: &'r mut Repairs,
}

impl Reader<'_> {
    fn entry(&mut self, item: &Object) -> Entry {
        let html = self.text(item, "content_html").map(|text| Text::Html(text.into()).body());
        let plain = self.text(item, "content_text").map(|text| Text::Plain(text.into()).body());
        let content = html.filter(|text| !text.is_empty()).or(plain).unwrap_or_default();
        let summary = self.text(item, "summary").map(|text| Text::Plain(text.into()).body());
        let guid = self.line(item, "id", MAX_LINK);
        let url = self.url(item, "url").or_else(|| self.url(item, "external_url"));
        let is_web = |id: &&String| id.starts_with("http://") || id.starts_with("https://");
        Entry {
            url: url.or_else(|| guid.as_ref().filter(is_web).cloned()),
            title: self.line(item, "title", MAX_TITLE).unwrap_or_default(),
            text: cut(joined(summary.unwrap_or_default(), content), MAX_TEXT),
            published: self.text(item, "date_published").and_then(|date| parse_date(&date)),
            updated: self.text(item, "date_modified").and_then(|date| parse_date(&date)),
            authors: self.authors(item),
            categories: self.categories(item),
            lang: self.line(item, "language", 100).or_else(|| self.lang.clone()),
            guid,
            source: None,
        }
    }

    fn hints(&mut self, feed: &Object) -> FeedHints {
        let hubs =
            feed.get("hubs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let hubs = hubs.iter().take(10).filter_map(|hub| hub.get("url")?.as_str());
        FeedHints {
            hubs: hubs.filter_map(|hub| link(hub, self.base.as_ref())).collect(),
            self_link: self.url(feed, "feed_url"),
            older: self.url(feed, "next_url"),
            lang: self.line(feed, "language", 100),
            site: self.url(feed, "home_page_url"),
            ..FeedHints::default()
        }
    }

    /// A text; numbers and truth values are taken as written, for ids are
    /// often numbers.
    fn text(&mut self, object: &Object, name: &str) -> Option<String> {
        match object.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            Value::Number(number) => {
                self.repairs.note(Repair::JsonField);
                Some(number.to_string())
            }
            Value::Bool(value) => {
                self.repairs.note(Repair::JsonField);
                Some(value.to_string())
            }
            Value::Array(_) | Value::Object(_) => {
                self.repairs.note(Repair::JsonField);
                None
            }
        }
    }

    fn line(&mut self, object: &Object, name: &str, limit: usize) -> Option<String> {
        let line = cut(one_line(&self.text(object, name)?), limit);
        Some(line).filter(|line| !line.is_empty())
    }

    fn url(&mut self, object: &Object, name: &str) -> Option<String> {
        link(&self.text(object, name)?, self.base.as_ref())
    }

    fn authors(&mut self, item: &Object) -> Vec<String> {
        let listed = item.get("authors").into_iter().chain(item.get("author"));
        let people = listed.flat_map(|value| match value {
            Value::Array(people) => people.as_slice(),
            one => std::slice::from_ref(one),
        });
        let name = |person: &Value| match person {
            Value::String(name) => Some(name.clone()),
            other => other.get("name")?.as_str().map(str::to_string),
        };
        let stated = names(people.filter_map(name).map(Into::into));
        if stated.is_empty() { self.authors.clone() } else { stated }
    }

    fn categories(&mut self, item: &Object) -> Vec<String> {
        let tags = match item.get("tags") {
            Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(tags)) => {
                self.repairs.note(Repair::JsonField);
                tags.split(',').collect()
            }
            _ => Vec::new(),
        };
        names(tags.into_iter().map(Into::into))
    }
}

/// Reads broken JSON member by member, and its items one by one.
fn salvage(text: &str, repairs: &mut Repairs) -> Result<(Object, Vec<Value>), ParseError> {
    let mut feed = Object::new();
    let mut items = Vec::new();
    let mut rest = text.trim_start().strip_prefix('{').unwrap_or_default();
    let mut whole = false;
    while let Some((name, value)) = member(rest) {
        if name == "items" && value.starts_with('[') {
            rest = elements(&value[1..], &mut items, repairs);
        } else {
            let length = value_length(value);
            let Some(length) = length else { break };
            if let Some(value) = lenient(&value[..length]) {
                feed.insert(name, value);
            }
            rest = &value[length..];
        }
        rest = rest.trim_start();
        whole = rest.starts_with('}');
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    if !whole {
        repairs.note(Repair::Truncated);
    }
    let is_feed =
        feed.get("version").and_then(Value::as_str).is_some_and(|v| v.contains("jsonfeed"));
    if items.is_empty() && !is_feed {
        return Err(ParseError::Malformed("broken JSON".to_string()));
    }
    Ok((feed, items))
}

/// The next name of an object and the text from its value on.
fn member(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let length = text.starts_with('"').then(|| value_length(text))??;
    let name = lenient(&text[..length])?.as_str()?.to_string();
    Some((name, text[length..].trim_start().strip_prefix(':')?.trim_start()))
}

/// Collects the complete values of an array; returns what follows it.
fn elements<'a>(mut text: &'a str, items: &mut Vec<Value>, repairs: &mut Repairs) -> &'a str {
    loop {
        text = text.trim_start_matches([',', ' ', '\t', '\r', '\n']);
        if let Some(rest) = text.strip_prefix(']') {
            return rest;
        }
        match value_length(text) {
            Some(length) if length > 0 => {
                match lenient(&text[..length]) {
                    Some(item) => items.push(item),
                    None => repairs.note(Repair::JsonItem),
                }
                text = &text[length..];
            }
            Some(_) => return "",
            None => {
                if !text.is_empty() {
                    repairs.note(Repair::CutItem);
                }
                return "";
            }
        }
        if items.len() > super::MAX_ENTRIES {
            return "";
        }
    }
}

/// The length of the value that `text` begins with; `None` when it is cut off.
fn value_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, &byte) in bytes.iter().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    quoted = false;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            // A bare word or number ends before what is not its own.
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// A value that may hold raw control characters, halves of surrogate pairs or
/// commas too many.
fn lenient(text: &str) -> Option<Value> {
    if weight::has_many_values(text) {
        return None;
    }
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&mended(text)).ok())
}

fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                quoted = !quoted;
                out.push(c);
            }
            '\\' if quoted => match rest.next() {
                Some('u') if is_surrogate(rest.as_str()) => {
                    out.push('\u{fffd}');
                    rest = rest.as_str().get(4..).unwrap_or_default().chars();
                }
                Some(next) if "\"\\/bfnrtu".contains(next) => out.extend(['\\', next]),
                Some(next) => out.push(next),
                None => {}
            },
            ',' if !quoted && rest.as_str().trim_start().starts_with(['}', ']']) => {}
            c if quoted && c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn is_surrogate(text: &str) -> bool {
    let code = text.get(..4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    code.is_some_and(|code| (0xd800..0xe000).contains(&code))
}
