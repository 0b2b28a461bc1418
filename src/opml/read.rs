//! Reading by the tokenizer of the HTML standard. It never fails, knows any
//! case of names, and has no entities but the standard's own, so that none of
//! the tricks with DTDs exist.

use std::borrow::Cow;
use std::cell::RefCell;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::{
    Complaint, MAX_COMPLAINTS, MAX_DEPTH, MAX_TAGS, MAX_TITLE, MAX_URL, Opml, OpmlError, Outline,
};
use crate::markup::tokenize;

/// Reads a file and keeps at most `limit` feeds; the rest is counted.
///
/// # Errors
/// When the file is something else.
pub fn read(bytes: &[u8], limit: usize) -> Result<Opml, OpmlError> {
    let text = decode(bytes);
    let sink = ListSink(RefCell::new(List { limit, ..List::default() }));
    let list = tokenize(&text, sink).0.into_inner();
    if list.is_opml { Ok(list.opml) } else { Err(OpmlError::NotOpml) }
}

/// By byte order mark, then the XML declaration, then UTF-8 if it is that.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if Encoding::for_bom(bytes).is_some() {
        return UTF_8.decode(bytes).0;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    let declared = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split("?>").next())
        .and_then(|declaration| declaration.split_once("encoding"))
        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1))
        .and_then(|label| Encoding::for_label(label.as_bytes()));
    match declared {
        Some(encoding) if encoding != UTF_8 => encoding.decode(bytes).0,
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            // What programs that know no Unicode write.
            Err(_) if declared.is_none() => WINDOWS_1252.decode(bytes).0,
            Err(_) => String::from_utf8_lossy(bytes),
        },
    }
}

struct ListSink(RefCell<List>);

#[derive(Default)]
struct List {
    opml: Opml,
    limit: usize,
    is_opml: bool,
    /// The open outlines: the name of a folder, or nothing for a feed.
    open: Vec<Option<String>>,
    /// Outlines open beyond the deepest that is kept.
    too_deep: usize,
}

impl TokenSink for ListSink {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.0.borrow_mut().tag(&tag, line);
        }
        TokenSinkResult::Continue
    }
}

impl List {
    fn tag(&mut self, tag: &Tag, line: u64) {
        match (tag.name.as_ref(), tag.kind) {
            ("opml", _) => self.is_opml = true,
            ("outline", TagKind::StartTag) => {
                self.is_opml = true;
                self.outline(tag, line);
            }
            ("outline", TagKind::EndTag) if self.too_deep > 0 => self.too_deep -= 1,
            // An end without a beginning closes nothing.
            ("outline", TagKind::EndTag) => drop(self.open.pop()),
            _ => {}
        }
    }

    fn outline(&mut self, tag: &Tag, line: u64) {
        let stated = attribute(tag, &["xmlurl", "url"]).map(str::trim);
        // Some programs put a remark behind the URL; a fragment means nothing to a server.
        let url = stated.map(|url| url.split_once(" #").map_or(url, |(url, _)| url.trim_end()));
        // OPML 2.0 links to pages and other lists with `url`.
        let kind = attribute(tag, &["type"]).map(|kind| kind.trim().to_ascii_lowercase());
        let is_link = attribute(tag, &["xmlurl"]).is_none()
            && kind.is_some_and(|kind| matches!(kind.as_str(), "link" | "include"));
        // A URL in place of a title says less than the feed's own title.
        let title = attribute(tag, &["title", "text"]).filter(|text| Some(text.trim()) != stated);
        let title = title.and_then(title_of);
        let folder = match (&url, is_link) {
            (_, true) => {
                self.complain(line, "a link to a page or to another list");
                None
            }
            (None, _) if tag.self_closing => {
                self.complain(line, "an outline without xmlUrl");
                None
            }
            (None, _) => title.map(|title| title.replace('/', "-")),
            (Some(url), _) => {
                self.feed(tag, url, title, line);
                None
            }
        };
        if !tag.self_closing {
            self.enter(folder);
        }
    }

    fn enter(&mut self, folder: Option<String>) {
        if self.open.len() < MAX_DEPTH {
            self.open.push(folder);
        } else {
            self.too_deep += 1;
        }
    }

    fn feed(&mut self, tag: &Tag, url: &str, title: Option<String>, line: u64) {
        let reason = if url.is_empty() {
            Some("an empty xmlUrl")
        } else if url.len() > MAX_URL {
            Some("a URL of more than 4,096 bytes")
        } else if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            Some("a URL with white space in it")
        } else if self.too_deep > 0 {
            Some("folders lie more than 64 deep")
        } else {
            None
        };
        if let Some(reason) = reason {
            return self.complain(line, reason);
        }
        self.opml.total += 1;
        if self.opml.feeds.len() >= self.limit {
            return;
        }
        let place: Vec<&str> = self.open.iter().flatten().map(String::as_str).collect();
        let mut groups: Vec<String> = Vec::new();
        groups.extend((!place.is_empty()).then(|| place.join("/")));
        let mut tags: Vec<String> = Vec::new();
        let categories = attribute(tag, &["category"]).unwrap_or_default();
        for category in categories.split(',').take(MAX_TAGS) {
            let Some(path) = path_of(category) else { continue };
            let is_folder = path.contains('/') || category.trim_start().starts_with('/');
            let list = if is_folder { &mut groups } else { &mut tags };
            if !list.contains(&path) {
                list.push(path);
            }
        }
        self.opml.feeds.push(Outline { url: url.to_owned(), title, groups, tags, line });
    }

    fn complain(&mut self, line: u64, reason: &'static str) {
        self.opml.bad += 1;
        if self.opml.complaints.len() < MAX_COMPLAINTS {
            self.opml.complaints.push(Complaint { line, reason });
        }
    }
}

/// The first of these attributes that is there; the tokenizer has made their
/// names small.
fn attribute<'a>(tag: &'a Tag, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| {
        let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == *name)?;
        (!found.value.trim().is_empty() || *name == "xmlurl").then(|| found.value.as_ref())
    })
}

/// On one line, without control characters, not too long.
fn title_of(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(MAX_TITLE).collect();
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// A category such as `/News/Asia`, or a tag; empty folders are left out.
fn path_of(text: &str) -> Option<String> {
    let folders: Vec<String> = text.split('/').filter_map(title_of).take(MAX_DEPTH).collect();
    (!folders.is_empty()).then(|| folders.join("/"))
}
