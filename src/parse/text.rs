//! Text constructs to plain text, each decoded once by its declared type.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::names::Ns;
use super::tree::Element;
use super::{MAX_LINK, MAX_TEXT};
use crate::extract::{body_text, one_line, paragraphs, title_text, without_boilerplate};

/// Bytes of markup looked at for one text: tags may outweigh words.
const MAX_MARKUP: usize = 8 * MAX_TEXT;

/// A text and what its characters mean.
pub(super) enum Text<'t> {
    Plain(Cow<'t, str>),
    Html(Cow<'t, str>),
}

impl<'t> Text<'t> {
    /// The text that an element holds. `declared` where its `type` (and `mode`
    /// in Atom 0.3) says how it is meant; RSS texts may be HTML at any time.
    pub(super) fn of(element: Element<'t, '_>, declared: bool) -> Self {
        if !declared {
            return Self::Html(element.markup(false));
        }
        let kind = element.attribute("type").unwrap_or("text").trim().to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_html = matches!(kind, "html" | "text/html" | "application/xhtml+xml" | "xhtml");
        let mode = element.attribute("mode").map(|mode| mode.trim().to_ascii_lowercase());
        let binary = mode.is_none() && is_binary(kind);
        if mode.as_deref() == Some("base64") || binary {
            let text = element.text();
            let text = Cow::Owned(from_base64(&text).unwrap_or_else(|| text.into_owned()));
            return if is_html { Self::Html(text) } else { Self::Plain(text) };
        }
        if element.has_elements() {
            return Self::Html(element.markup(kind != "html" && kind != "text/html"));
        }
        if is_html && kind != "xhtml" {
            Self::Html(element.text())
        } else {
            Self::Plain(element.text())
        }
    }

    /// One line of plain text.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Plain(text) => one_line(head(text, MAX_MARKUP)),
            Self::Html(text) if !text.contains(['<', '&']) => one_line(head(text, MAX_MARKUP)),
            Self::Html(text) => title_text(head(text, MAX_MARKUP)),
        }
    }

    /// Plain text with its paragraphs.
    pub(super) fn body(&self) -> String {
        match self {
            Self::Plain(text) => without_boilerplate(paragraphs(head(text, MAX_MARKUP))),
            Self::Html(text) => body_text(head(text, MAX_MARKUP)),
        }
    }
}

/// Atom content of any other type is base64 (RFC 4287 section 4.1.3.3).
fn is_binary(kind: &str) -> bool {
    let is_xml = kind.ends_with("+xml") || kind.ends_with("/xml");
    kind.contains('/') && !kind.starts_with("text/") && !is_xml
}

fn from_base64(text: &str) -> Option<String> {
    let mut packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    packed.truncate(packed.trim_end_matches('=').len());
    while !packed.len().is_multiple_of(4) {
        packed.push('=');
    }
    String::from_utf8(STANDARD.decode(packed).ok()?).ok()
}

/// Whether a text follows Atom's rules for types: Atom's own elements.
pub(super) fn is_declared(element: Element<'_, '_>, in_atom: bool) -> bool {
    element.ns() == Ns::Atom || (in_atom && element.ns() == Ns::Plain)
}

/// Content and summary as one text: a rule's words may stand in either.
pub(super) fn joined(summary: String, content: String) -> String {
    let teaser = summary.trim_end_matches(['…', '.', ' ']);
    if content.is_empty() {
        summary
    } else if summary.is_empty() || content.contains(teaser) {
        // The summary is only the content's beginning, cut and dotted.
        content
    } else {
        format!("{summary}\n{content}")
    }
}

/// A link as stated, made absolute where a base is known. `None` when it is
/// too long to be one: a cut link would lead elsewhere.
pub(super) fn link(stated: &str, base: Option<&Url>) -> Option<String> {
    let stated = stated.trim();
    if stated.is_empty() || stated.len() > 4 * MAX_LINK {
        return None;
    }
    // Most links need no parsing: they are whole, and kept as stated.
    if stated.len() <= MAX_LINK && is_web(stated) && is_clean(stated) {
        return Some(stated.to_string());
    }
    let url = match (Url::parse(stated), base) {
        (Ok(_), _) if is_clean(stated) => stated.to_string(),
        (Ok(url), _) => url.to_string(),
        (Err(_), Some(base)) => base.join(stated).map_or_else(|_| one_line(stated), String::from),
        (Err(_), None) => one_line(stated),
    };
    (url.len() <= MAX_LINK).then_some(url)
}

/// Whether a link begins as one to a web page.
pub(super) fn is_web(link: &str) -> bool {
    let link = link.trim();
    let starts = |scheme: &str| {
        link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (starts("http://") || starts("https://")) && !link.contains(char::is_whitespace)
}

/// Whether a link has only characters that may stand in one.
fn is_clean(link: &str) -> bool {
    link.bytes().all(|b| {
        b > b' ' && b < 0x7f && !matches!(b, b'<' | b'>' | b'"' | b'`' | b'\\' | b'{' | b'}')
    }) || !link.chars().any(|c| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\\' | '{' | '}')
    })
}

/// The first names of a list, each once.
pub(super) fn names<'a>(names: impl Iterator<Item = Cow<'a, str>>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names.take(1_000) {
        let name = cut(one_line(head(&name, MAX_MARKUP)), super::MAX_TITLE);
        if !name.is_empty() && !seen.contains(&name) && seen.len() < 50 {
            seen.push(name);
        }
    }
    seen
}

/// Cuts to at most `limit` bytes on a character boundary.
pub(super) fn cut(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit.min(text.len())));
    text
}

fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit.min(text.len()))]
}
