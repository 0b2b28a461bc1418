//! Paragraphs as text with marks, for services that take one text.

use super::fit::{Measure, fit};
use super::telling::{Paragraph, Role};

/// What a service counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Octets of UTF-8.
    Byte,
    /// Code units of UTF-16, the most that anybody counts as a character.
    Utf16,
    /// Characters (code points).
    Character,
}

impl Unit {
    pub(super) fn count(self, text: &str) -> usize {
        match self {
            Self::Byte => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Character => text.chars().count(),
        }
    }
}

/// How a service writes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// Nothing means anything.
    Plain,
    /// HTML of few tags, lines ended by this.
    Html(&'static str),
    /// HTML whose tags and entities are not counted: Telegram.
    ParsedHtml,
    /// Markdown with backslashes: Discord.
    Markdown,
    /// The same, and what Mattermost adds.
    Mattermost,
    /// Slack's, where only three characters are escaped.
    Slack,
}

/// The paragraphs as one text of at most `limit` units.
pub(in crate::deliver::channel) fn html(paragraphs: &[Paragraph], limit: usize) -> String {
    render(paragraphs, Markup::Html("<br>"), Unit::Byte, limit)
}

/// The paragraphs as one text of at most `limit` units.
pub(super) fn render(paragraphs: &[Paragraph], markup: Markup, unit: Unit, limit: usize) -> String {
    let kept = fit(paragraphs, limit, &Counted { markup, unit });
    let lines: Vec<String> = kept.iter().map(|paragraph| markup.line(paragraph)).collect();
    lines.join(markup.line_end())
}

impl Markup {
    fn line(self, paragraph: &Paragraph) -> String {
        let (before, after) = self.around(paragraph);
        let mut text = before;
        for run in &paragraph.runs {
            let (open, close) = if run.hit { self.hit() } else { ("", "") };
            text.push_str(open);
            text.push_str(&self.escaped(&run.text));
            text.push_str(close);
        }
        text + &after
    }

    fn line_end(self) -> &'static str {
        match self {
            Self::Html(end) => end,
            _ => "\n",
        }
    }

    fn hit(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain | Self::Slack => ("«", "»"),
            Self::Html(_) | Self::ParsedHtml => ("<b>", "</b>"),
            Self::Markdown | Self::Mattermost => ("**", "**"),
        }
    }

    /// What stands before and after the runs of a paragraph.
    fn around(self, paragraph: &Paragraph) -> (String, String) {
        let (open, close) = match (self, paragraph.role) {
            (Self::Plain | Self::Slack, _) => ("", ""),
            (Self::Html(_) | Self::ParsedHtml, Role::Heading | Role::Subject) => ("<b>", "</b>"),
            (Self::Html(_) | Self::ParsedHtml, Role::Quote) => ("<blockquote>", "</blockquote>"),
            (_, Role::Heading | Role::Subject) => ("**", "**"),
            (_, Role::Quote) => ("> ", ""),
            (_, _) => ("", ""),
        };
        let Some(url) = &paragraph.link else { return (open.to_owned(), close.to_owned()) };
        match self {
            Self::Plain => (open.to_owned(), format!("\n{url}")),
            Self::Slack => (String::new(), format!("\n<{}>", slack_link(url))),
            Self::Html(_) | Self::ParsedHtml => {
                (format!("{open}<a href=\"{}\">", self.escaped(url)), format!("</a>{close}"))
            }
            Self::Markdown | Self::Mattermost => {
                (format!("{open}["), format!("]({}){close}", markdown_link(url)))
            }
        }
    }

    pub(super) fn escaped(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        text.chars().for_each(|c| self.escape(c, &mut out));
        out
    }

    fn escape(self, c: char, out: &mut String) {
        match (self, c) {
            (Self::Plain, _) => out.push(c),
            (Self::Html(_) | Self::ParsedHtml | Self::Slack, '&') => out.push_str("&amp;"),
            (Self::Html(_) | Self::ParsedHtml | Self::Slack, '<') => out.push_str("&lt;"),
            (Self::Html(_) | Self::ParsedHtml | Self::Slack, '>') => out.push_str("&gt;"),
            (Self::Html(_) | Self::ParsedHtml, '"') => out.push_str("&quot;"),
            // The server itself turns "<!channel>" into a call before any
            // backslash is looked at.
            (Self::Mattermost, '<') => out.push_str("\\<\u{200b}"),
            (Self::Mattermost, '$' | ':') => out.extend(['\\', c]),
            (Self::Markdown | Self::Mattermost, c) if MARKS.contains(c) => out.extend(['\\', c]),
            (_, c) => out.push(c),
        }
    }
}

/// What begins a mark of Markdown anywhere in a line. What begins one only at
/// the start of a line never stands there.
const MARKS: &str = "\\`*_~|<>[]#&";

fn markdown_link(url: &str) -> String {
    let mut link = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' | ')' | '\\' | '`' | '<' | '>' | '|' | '*' => {
                link.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c => link.push(c),
        }
    }
    link
}

fn slack_link(url: &str) -> String {
    url.replace('|', "%7C").replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E")
}

/// A markup's text in the units of a service.
struct Counted {
    markup: Markup,
    unit: Unit,
}

impl Measure for Counted {
    fn text(&self, text: &str) -> usize {
        match self.markup {
            Markup::ParsedHtml => self.unit.count(text),
            markup => self.unit.count(&markup.escaped(text)),
        }
    }

    fn frame(&self, paragraph: &Paragraph) -> usize {
        let end = self.unit.count(self.markup.line_end());
        if self.markup == Markup::ParsedHtml {
            return end;
        }
        let (before, after) = self.markup.around(paragraph);
        self.unit.count(&before) + self.unit.count(&after) + end
    }

    fn hit(&self) -> usize {
        if self.markup == Markup::ParsedHtml {
            return 0;
        }
        let (open, close) = self.markup.hit();
        self.unit.count(open) + self.unit.count(close)
    }
}
