//! Evidence shown where it stands.

use std::fmt::Write as _;
use std::io::IsTerminal;

use serde_json::{Value, json};

use super::super::plain::{Escape, plain};
use crate::model::{Field, Span};
use crate::rule::Item;

/// Bytes shown before and after a piece of evidence, about.
const AROUND: usize = 70;
/// Excerpts of a field at the most.
const MOST_EXCERPTS: usize = 4;

/// Lines that show the evidence in each field, marked.
pub(super) fn lines(item: &Item<'_>, spans: &[Span]) -> Vec<String> {
    let mark = Mark::here();
    let mut lines = Vec::new();
    for field in Field::ALL {
        let of: Vec<&Span> = spans.iter().filter(|span| span.field == field).collect();
        if of.is_empty() {
            continue;
        }
        let text = item.text_of(field);
        let around = if field == Field::Text { AROUND } else { usize::MAX };
        let excerpts = excerpts(&text, &of, around);
        for excerpt in excerpts.iter().take(MOST_EXCERPTS) {
            lines.push(format!("  {}: {}", field.as_str(), excerpt.render(&text, &mark)));
        }
        if excerpts.len() > MOST_EXCERPTS {
            let more = excerpts.len() - MOST_EXCERPTS;
            lines.push(format!("  {}: {more} more places", field.as_str()));
        }
    }
    lines
}

/// Evidence for programs, as `match` prints it.
pub(in super::super) fn spans_json(item: &Item<'_>, spans: &[Span]) -> Vec<Value> {
    let json = |span: &Span| {
        let text = item.text_of(span.field);
        let text = text.get(span.start..span.end).unwrap_or_default();
        json!({ "field": span.field.as_str(), "start": span.start, "end": span.end, "text": text })
    };
    spans.iter().map(json).collect()
}

/// How a piece of evidence is marked: brightly on a terminal, else in brackets.
struct Mark {
    before: String,
    after: String,
}

impl Mark {
    fn here() -> Self {
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            let style =
                anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Yellow.into()));
            Self { before: style.render().to_string(), after: style.render_reset().to_string() }
        } else {
            Self { before: "[".to_owned(), after: "]".to_owned() }
        }
    }
}

/// A piece of a text with its evidence.
struct Excerpt {
    start: usize,
    end: usize,
    hits: Vec<(usize, usize)>,
}

fn excerpts(text: &str, spans: &[&Span], around: usize) -> Vec<Excerpt> {
    let mut found: Vec<Excerpt> = Vec::new();
    for span in spans.iter().filter(|span| span.start < span.end && span.end <= text.len()) {
        let start = text.floor_char_boundary(span.start.saturating_sub(around));
        let end = text.ceil_char_boundary(span.end.saturating_add(around).min(text.len()));
        match found.last_mut() {
            Some(last) if last.end >= start => {
                last.end = last.end.max(end);
                last.hits.push((span.start, span.end));
            }
            _ => found.push(Excerpt { start, end, hits: vec![(span.start, span.end)] }),
        }
    }
    found
}

impl Excerpt {
    fn render(&self, text: &str, mark: &Mark) -> String {
        let piece = |from: usize, to: usize| {
            let piece = text.get(from..to).unwrap_or_default();
            plain(&piece.replace(['\n', '\r'], " "), Escape::Text).into_owned()
        };
        let mut out = String::new();
        if self.start > 0 {
            out.push('…');
        }
        let mut at = self.start;
        for (start, end) in self.hits.iter().filter(|(start, _)| *start >= self.start) {
            if *start < at {
                continue;
            }
            let (before, hit) = (piece(at, *start), piece(*start, *end));
            let _ = write!(out, "{before}{}{hit}{}", mark.before, mark.after);
            at = *end;
        }
        out.push_str(&piece(at, self.end));
        if self.end < text.len() {
            out.push('…');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_shown_with_what_stands_around_it() {
        let text = format!("{}hotline rings{}, the jet", "x ".repeat(80), " y".repeat(80));
        let span = |word: &str| {
            let start = text.find(word).unwrap();
            Span { field: Field::Text, start, end: start + word.len() }
        };
        let (a, b, c) = (span("hotline"), span("rings"), span("jet"));
        let mark = Mark { before: "[".to_owned(), after: "]".to_owned() };
        let found = excerpts(&text, &[&a, &b, &c], 4);
        let shown: Vec<String> = found.iter().map(|excerpt| excerpt.render(&text, &mark)).collect();
        assert_eq!(shown, ["…x x [hotline] [rings] y y…", "…the [jet]"]);
    }
}
