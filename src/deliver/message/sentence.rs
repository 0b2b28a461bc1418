//! The sentences that matched, split into parts so that hits can be marked.

use std::ops::Range;

use minijinja::{Value, context};

use crate::deliver::text::{ceil_grapheme, clean, floor_grapheme};
use crate::model::{AlertContent, Field};

/// Longer sentences are shown in part.
const WINDOW: usize = 300;
/// So much of a long sentence is shown before its first hit.
const BEFORE_HIT: usize = 100;

/// A run of text that is a hit, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    text: String,
    hit: bool,
}

/// A sentence or a headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deliver) struct Sentence {
    parts: Vec<Part>,
}

impl Sentence {
    /// A text without hits.
    pub(super) fn plain(text: String) -> Self {
        Self { parts: vec![Part { text, hit: false }] }
    }

    pub(in crate::deliver) fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }

    /// The runs of text in order, and whether each is a hit.
    pub(in crate::deliver) fn runs(&self) -> impl Iterator<Item = (&str, bool)> {
        self.parts.iter().map(|part| (part.text.as_str(), part.hit))
    }

    pub(super) fn has_hit(&self) -> bool {
        self.parts.iter().any(|part| part.hit)
    }

    pub(super) fn parts_context(&self) -> Value {
        let part = |part: &Part| context! { text => &part.text, hit => part.hit };
        Value::from(self.parts.iter().map(part).collect::<Vec<Value>>())
    }

    pub(super) fn context(&self) -> Value {
        context! { text => self.text(), parts => self.parts_context() }
    }
}

/// The evidence in one field: within the text, on character boundaries, in
/// order and without overlap.
pub(super) fn ranges(content: &AlertContent, field: Field) -> Vec<Range<usize>> {
    let text = match field {
        Field::Title => &content.title,
        Field::Text => &content.text,
        _ => return Vec::new(),
    };
    let mut found: Vec<Range<usize>> = content
        .spans
        .iter()
        .filter(|span| span.field == field)
        .map(|span| {
            // No mark falls between a letter and what belongs to it.
            let start = floor_grapheme(text, span.start);
            start..ceil_grapheme(text, span.end)
        })
        .filter(|range| range.start < range.end)
        .collect();
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A headline of at most `max` characters.
pub(super) fn whole(text: &str, hits: &[Range<usize>], max: usize) -> Sentence {
    let start = text.len() - text.trim_start().len();
    let end = match text[start..].char_indices().nth(max) {
        Some((at, _)) => floor_grapheme(text, start + at).max(start),
        None => text.trim_end().len().max(start),
    };
    Sentence { parts: with_dots(text, start..end, start..text.trim_end().len().max(start), hits) }
}

/// The sentences with hits, those with most of them first.
pub(super) fn best(text: &str, hits: &[Range<usize>], max: usize) -> Vec<Sentence> {
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    for sentence in sentences(text, hits) {
        let within = |hit: &&Range<usize>| hit.start < sentence.end && sentence.start < hit.end;
        let count = hits.iter().filter(within).count();
        if count > 0 {
            found.push((count, sentence));
        }
    }
    found.sort_by_key(|(count, sentence)| (std::cmp::Reverse(*count), sentence.start));
    found.truncate(max);
    let cut = |(_, sentence): (usize, Range<usize>)| {
        let shown = window(text, &sentence, hits);
        Sentence { parts: with_dots(text, shown, sentence, hits) }
    };
    found.into_iter().map(cut).collect()
}

/// The sentences of a text, trimmed. None ends inside a hit.
fn sentences(text: &str, hits: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut found = Vec::new();
    // Both lists are in order, so one pass over the hits is enough.
    let mut hits = hits.iter().peekable();
    for end in ends(text) {
        while hits.next_if(|hit| hit.end <= end).is_some() {}
        if hits.peek().is_some_and(|hit| hit.start < end) {
            continue;
        }
        let sentence = &text[start..end];
        let from = start + sentence.len() - sentence.trim_start().len();
        let to = start + sentence.trim_end().len();
        if from < to {
            found.push(from..to);
        }
        start = end;
    }
    found
}

/// Where sentences end, the end of the text included.
fn ends(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        let closers: usize =
            text[next..].chars().take_while(|c| is_closer(*c)).map(char::len_utf8).sum();
        let closed = next + closers;
        let before_space = text[closed..].chars().next().is_none_or(char::is_whitespace);
        match c {
            '\n' => found.push(next),
            '。' | '！' | '？' => found.push(closed),
            '!' | '?' if before_space => found.push(closed),
            '.' if before_space && !ends_initial(&text[..at]) => found.push(closed),
            _ => {}
        }
    }
    if found.last() != Some(&text.len()) {
        found.push(text.len());
    }
    found
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '）')
}

/// Whether the text ends with a lone capital, as before the full stop of
/// "U.S." or "J. Smith".
fn ends_initial(text: &str) -> bool {
    let mut backwards = text.chars().rev();
    backwards.next().is_some_and(char::is_uppercase)
        && backwards.next().is_none_or(|c| !c.is_alphanumeric())
}

/// What is shown of a sentence: all, or what surrounds its first hit.
fn window(text: &str, sentence: &Range<usize>, hits: &[Range<usize>]) -> Range<usize> {
    let shown = &text[sentence.clone()];
    let places: Vec<usize> = shown.char_indices().map(|(at, _)| at).collect();
    if places.len() <= WINDOW {
        return sentence.clone();
    }
    let first = hits.iter().find(|hit| hit.end > sentence.start);
    let hit_at = first.map_or(0, |hit| hit.start.saturating_sub(sentence.start));
    let hit_place = places.partition_point(|at| *at < hit_at);
    let from = hit_place.saturating_sub(BEFORE_HIT).min(places.len() - WINDOW);
    let start = floor_grapheme(text, sentence.start + places[from]).max(sentence.start);
    let end = places.get(from + WINDOW).map_or(sentence.end, |at| sentence.start + at);
    start..floor_grapheme(text, end).max(start)
}

/// The parts of what is shown, with dots where `all` was cut.
fn with_dots(
    text: &str,
    shown: Range<usize>,
    all: Range<usize>,
    hits: &[Range<usize>],
) -> Vec<Part> {
    let dots = || Part { text: "…".to_owned(), hit: false };
    let mut parts = parts(text, &shown, hits);
    if shown.start > all.start {
        parts.insert(0, dots());
    }
    if shown.end < all.end {
        parts.push(dots());
    }
    parts
}

fn parts(text: &str, shown: &Range<usize>, hits: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = shown.start;
    let mut add = |range: Range<usize>, hit: bool| {
        if range.start < range.end {
            parts.push(Part { text: clean(&text[range]), hit });
        }
    };
    for hit in hits.iter().filter(|hit| hit.start < shown.end && shown.start < hit.end) {
        let start = hit.start.max(shown.start);
        let end = hit.end.min(shown.end);
        add(at..start, false);
        add(start..end, true);
        at = end;
    }
    add(at..shown.end, false);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hits are written in brackets; sentences are compared in the same form.
    fn check(marked: &str, expected: &[&str]) {
        let mut text = String::new();
        let mut hits = Vec::new();
        for (index, piece) in marked.split(['[', ']']).enumerate() {
            let start = text.len();
            text.push_str(piece);
            if index % 2 == 1 {
                hits.push(start..text.len());
            }
        }
        let found: Vec<String> = best(&text, &hits, 3).iter().map(show).collect();
        assert_eq!(found, expected, "{marked}");
    }

    fn show(sentence: &Sentence) -> String {
        let mark = |part: &Part| match part.hit {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        };
        sentence.parts.iter().map(mark).collect()
    }

    #[test]
    fn the_sentence_with_most_hits_comes_first() {
        check(
            "No hit here. One [hit] here. Two [hits] in [here]! End.",
            &["Two [hits] in [here]!", "One [hit] here."],
        );
        check("[a] b. [c] d. [e] f. [g] h.", &["[a] b.", "[c] d.", "[e] f."]);
    }

    #[test]
    fn sentences_end_at_stops_and_lines() {
        check("First line\nthe [hit]\nlast", &["the [hit]"]);
        check("He said \"no.\" The [hit] came. After", &["The [hit] came."]);
        check(
            "It cost 3.5 [million], at x.example. After",
            &["It cost 3.5 [million], at x.example."],
        );
        check("The U.S. [Navy] and J. Smith. After", &["The U.S. [Navy] and J. Smith."]);
        check("前の文。[電力]の話。後", &["[電力]の話。"]);
        check("Really?! The [hit]?! Yes", &["The [hit]?!"]);
        check("no stop [hit]", &["no stop [hit]"]);
        check("", &[]);
        check("none.", &[]);
    }

    #[test]
    fn a_hit_across_sentences_keeps_them_together() {
        check("Before. In [China. Military] talks. After.", &["In [China. Military] talks."]);
    }

    #[test]
    fn long_sentences_are_cut_around_the_hit() {
        let long = format!("{} [hit] {}", "ä".repeat(400), "電".repeat(400));
        let expected = format!("…{} [hit] {}…", "ä".repeat(99), "電".repeat(196));
        check(&long, &[&expected]);
        let at_end = format!("{} [hit]", "x".repeat(400));
        check(&at_end, &[&format!("…{} [hit]", "x".repeat(296))]);
        let all_hit = format!("[{}]", "é".repeat(500));
        check(&all_hit, &[&format!("[{}]…", "é".repeat(300))]);
    }

    #[test]
    fn foreign_characters_are_cleaned_without_moving_marks() {
        check("a\r\tb \u{202e}[h\u{2028}it\u{202e}] c", &["a  b [h it] c"]);
    }

    #[test]
    fn headlines_are_kept_whole_or_cut_at_the_end() {
        let hit = std::iter::once(2..5).collect::<Vec<_>>();
        assert_eq!(show(&whole("  abc def ", &hit, 100)), "[abc] def");
        assert_eq!(show(&whole("  abc def ", &hit, 5)), "[abc] d…");
        assert_eq!(show(&whole("   ", &[], 5)), "");
        assert_eq!(show(&whole("", &[], 5)), "");
    }
}
