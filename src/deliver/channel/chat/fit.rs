//! Paragraphs cut to what a service takes, counted as the service counts.

use unicode_segmentation::UnicodeSegmentation;

use super::telling::{Paragraph, Role, Run};

const DOTS: &str = "…";

/// How much a service counts for things.
pub(super) trait Measure {
    /// A text as it is sent, escapes included where they count.
    fn text(&self, text: &str) -> usize;
    /// What stands around a paragraph: marks, link, the line's end.
    fn frame(&self, paragraph: &Paragraph) -> usize;
    /// What stands around a hit.
    fn hit(&self) -> usize;
}

/// As much of the paragraphs as fits: the headline with its link first, then
/// heading and update, then the rest in order.
pub(super) fn fit(paragraphs: &[Paragraph], limit: usize, measure: &dyn Measure) -> Vec<Paragraph> {
    let mut order: Vec<usize> = (0..paragraphs.len()).collect();
    order.sort_by_key(|index| paragraphs[*index].role.rank());
    let mut left = limit;
    let mut kept: Vec<(usize, Paragraph)> = Vec::new();
    for index in order {
        let Some(paragraph) = fitted(&paragraphs[index], left, measure) else { continue };
        left = left.saturating_sub(cost(&paragraph, measure));
        kept.push((index, paragraph));
    }
    kept.sort_by_key(|(index, _)| *index);
    kept.into_iter().map(|(_, paragraph)| paragraph).collect()
}

fn cost(paragraph: &Paragraph, measure: &dyn Measure) -> usize {
    let run = |run: &Run| measure.text(&run.text) + if run.hit { measure.hit() } else { 0 };
    measure.frame(paragraph) + paragraph.runs.iter().map(run).sum::<usize>()
}

fn fitted(paragraph: &Paragraph, left: usize, measure: &dyn Measure) -> Option<Paragraph> {
    let mut fitted = paragraph.clone();
    let mut room = left.checked_sub(measure.frame(&fitted));
    if room.is_none() && fitted.role != Role::Headline {
        fitted.link = None;
        room = left.checked_sub(measure.frame(&fitted));
    }
    let room = room?;
    fitted.runs = cut_runs(&paragraph.runs, room, &|text| measure.text(text), measure.hit());
    // A line of nothing but dots says nothing; a headline still has its link.
    let says = |run: &Run| !run.text.trim().is_empty() && run.text != DOTS;
    let is_worth_it = fitted.runs.iter().any(says);
    (is_worth_it || (fitted.role == Role::Headline && !fitted.runs.is_empty())).then_some(fitted)
}

/// Runs of at most `room` units, cut between graphemes with "…" at the end.
pub(super) fn cut_runs(
    runs: &[Run],
    room: usize,
    text: &dyn Fn(&str) -> usize,
    hit: usize,
) -> Vec<Run> {
    let frame = |run: &Run| if run.hit { hit } else { 0 };
    let all: usize = runs.iter().map(|run| text(&run.text) + frame(run)).sum();
    if all <= room {
        return runs.to_vec();
    }
    let dots = text(DOTS);
    let Some(mut left) = room.checked_sub(dots) else { return Vec::new() };
    let mut kept: Vec<Run> = Vec::new();
    for run in runs {
        let Some(mut rest) = left.checked_sub(frame(run)) else { break };
        let mut piece = String::new();
        let mut is_whole = true;
        for grapheme in run.text.graphemes(true) {
            match rest.checked_sub(text(grapheme)) {
                Some(after) => {
                    rest = after;
                    piece.push_str(grapheme);
                }
                None => {
                    is_whole = false;
                    break;
                }
            }
        }
        if !piece.is_empty() {
            kept.push(Run { text: piece, hit: run.hit });
        }
        if !is_whole {
            break;
        }
        left = rest;
    }
    if let Some(last) = kept.last_mut() {
        last.text.truncate(last.text.trim_end().len());
    }
    kept.retain(|run| !run.text.is_empty());
    kept.push(Run { text: DOTS.to_owned(), hit: false });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(texts: &[(&str, bool)]) -> Vec<Run> {
        texts.iter().map(|(text, hit)| Run { text: (*text).to_owned(), hit: *hit }).collect()
    }

    #[test]
    fn runs_are_cut_between_graphemes_in_the_units_of_the_service() {
        let check = |texts: &[(&str, bool)], room: usize, expected: &[(&str, bool)]| {
            assert_eq!(cut_runs(&runs(texts), room, &str::len, 4), runs(expected), "{room}");
        };
        let family = "👩\u{200d}👩\u{200d}👧";
        check(&[("abc", false)], 3, &[("abc", false)]);
        check(&[("ab", false), ("cd", true)], 8, &[("ab", false), ("cd", true)]);
        check(&[("ab", false), ("cdef", true)], 9, &[("ab", false), ("…", false)]);
        check(&[("ab", false), ("cdefg", true)], 10, &[("ab", false), ("c", true), ("…", false)]);
        check(&[("ab ", false), (family, false)], 10, &[("ab", false), ("…", false)]);
        check(&[("e\u{301}e\u{301}", false)], 5, &[("…", false)]);
        check(&[("abcd", false)], 2, &[]);
    }
}
