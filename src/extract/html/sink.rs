//! What tags mean for the text, whoever found them.

use crate::extract::plain::{Folder, Mark};

/// A start tag.
pub(super) struct Element<'a> {
    /// Lower case.
    pub(super) name: &'a str,
    /// An attribute says that nobody shall see it.
    pub(super) hidden: bool,
    /// Written with a slash at its end, as XML does.
    pub(super) closed: bool,
}

/// Text in the making.
#[derive(Default)]
pub(super) struct Text {
    out: Folder,
    hiding: Option<Hiding>,
    /// Inside a script or style, whose content is no text even without an end.
    raw: bool,
}

/// An element whose content nobody sees. If its end never comes, its content
/// is shown after all: better an odd word than a lost story.
struct Hiding {
    name: String,
    depth: u32,
    /// Where the text stood before it.
    mark: Mark,
}

impl Text {
    /// Characters between tags.
    pub(super) fn push(&mut self, run: &str) {
        if !self.raw {
            self.out.push_str(run);
        }
    }

    /// A start tag.
    pub(super) fn start(&mut self, element: Element<'_>) {
        if is_raw(element.name) {
            self.raw = !element.closed;
            return;
        }
        match &mut self.hiding {
            Some(hiding) if hiding.name == element.name && !element.closed => {
                // A paragraph in a paragraph ends the first (HTML standard, 13.1.2.4).
                match ends_itself(element.name) {
                    true => self.end(element.name),
                    false => return hiding.depth += 1,
                }
            }
            _ => {}
        }
        let hides = element.hidden && !is_void(element.name) || is_unseen(element.name);
        if self.hiding.is_none() && hides && !element.closed {
            let mark = self.out.mark();
            self.hiding = Some(Hiding { name: element.name.to_string(), depth: 1, mark });
        }
        self.boundary(element.name);
    }

    /// An end tag; one without a start changes nothing.
    pub(super) fn end(&mut self, name: &str) {
        if is_raw(name) {
            self.raw = false;
            return;
        }
        if let Some(hiding) = &mut self.hiding
            && hiding.name == name
        {
            hiding.depth -= 1;
            if hiding.depth == 0
                && let Some(hiding) = self.hiding.take()
            {
                self.out.back_to(hiding.mark);
            }
        }
        self.boundary(name);
    }

    fn boundary(&mut self, name: &str) {
        match name {
            "br" => self.out.break_line(),
            "hr" => self.out.break_paragraph(),
            "td" | "th" => self.out.push(' '),
            _ if is_block(name) => self.out.break_paragraph(),
            _ => {}
        }
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.out.finish()
    }
}

/// Elements whose content is not even markup.
pub(super) fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style")
}

/// Whether an attribute, its name in lower case, hides its element.
pub(super) fn hides(name: &str, value: &str) -> bool {
    match name {
        "hidden" => !value.eq_ignore_ascii_case("until-found"),
        "aria-hidden" => value.trim().eq_ignore_ascii_case("true"),
        "style" => value.split(';').any(|declaration| {
            let (property, value) = declaration.split_once(':').unwrap_or_default();
            let value = value.split('!').next().unwrap_or_default().trim();
            let is = |text: &str, expected: &str| text.eq_ignore_ascii_case(expected);
            is(property.trim(), "display") && is(value, "none")
                || is(property.trim(), "visibility") && is(value, "hidden")
        }),
        _ => false,
    }
}

/// Elements whose content is not for reading.
fn is_unseen(name: &str) -> bool {
    matches!(
        name,
        "audio"
            | "button"
            | "canvas"
            | "datalist"
            | "iframe"
            | "noscript"
            | "select"
            | "svg"
            | "template"
            | "textarea"
            | "video"
    )
}

/// Elements without content (HTML standard, section 13.1.2).
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements that end where the next of their kind begins.
fn ends_itself(name: &str) -> bool {
    matches!(name, "dd" | "dt" | "li" | "option" | "p" | "td" | "th" | "tr")
}

/// Elements that begin and end on a line of their own (HTML standard,
/// section 15.3 "Flow content").
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "title"
            | "tr"
            | "ul"
    )
}
