//! The texts and headlines of stories that are told or rest, by which copies
//! are recognised.

use super::shelf::{Lists, Shelf};
use super::sketch::Sketch;
use super::window::Telling;
use crate::model::EntryId;

/// Copies compared in full.
const COPIES: usize = 64;
/// Texts looked at through one run of words, the newest of them: a run of
/// more texts is a form.
const OF_A_RUN: usize = 256;

/// A telling by which copies are recognised.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) entry: EntryId,
    pub(super) story: u32,
    pub(super) host: u32,
    pub(super) sketch: Sketch,
}

/// Texts and what leads to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    texts: Shelf<Text>,
    runs: Lists,
    headings: Lists,
}

impl Texts {
    /// The texts under other roofs that may be copied, those with the most
    /// runs in common first, of stories that are `alive`.
    pub(super) fn alike(
        &self,
        sketch: &Sketch,
        host: u32,
        alive: impl Fn(u32) -> bool,
    ) -> impl Iterator<Item = &Text> {
        let mut hits: Vec<u32> = Vec::new();
        for run in sketch.looked_up() {
            let texts = self.runs.get(*run).iter().rev().filter_map(|n| Some((n, self.text(*n)?)));
            let texts = texts.filter(|(_, text)| alive(text.story)).take(OF_A_RUN);
            hits.extend(texts.filter(|(_, text)| text.host != host).map(|(number, _)| *number));
        }
        hits.sort_unstable();
        let counted = hits.chunk_by(|a, b| a == b);
        let mut ranked: Vec<(usize, u32)> =
            counted.filter_map(|same| Some((same.len(), *same.first()?))).collect();
        ranked.sort_unstable_by_key(|(count, number)| (std::cmp::Reverse(*count), *number));
        ranked.truncate(COPIES);
        ranked.into_iter().filter_map(|(_, number)| self.text(number))
    }

    /// The first text with this headline under another roof, of a story that
    /// is `alive`.
    pub(super) fn headed(
        &self,
        heading: u32,
        host: u32,
        alive: impl Fn(u32) -> bool,
    ) -> Option<&Text> {
        let mut texts = self.headings.get(heading).iter().filter_map(|number| self.text(*number));
        texts.find(|text| text.host != host && alive(text.story))
    }

    /// Whether a host has a text with this headline, or with any run of these,
    /// of a story that is `alive`.
    pub(super) fn has(
        &self,
        host: u32,
        (heading, sketch): (Option<u32>, &Sketch),
        alive: impl Fn(u32) -> bool,
    ) -> bool {
        let of_host = |number: &u32| {
            self.text(*number).is_some_and(|text| text.host == host && alive(text.story))
        };
        let headed = heading.map(|heading| self.headings.get(heading)).unwrap_or_default();
        let mut runs = sketch.looked_up().iter().flat_map(|run| self.runs.get(*run));
        headed.iter().any(&of_host) || runs.any(&of_host)
    }

    fn text(&self, number: u32) -> Option<&Text> {
        self.texts.get(number)
    }

    /// Keeps the text of a telling; gives its number if it can be recognised.
    pub(super) fn keep(&mut self, story: u32, telling: Telling) -> Option<u32> {
        let Telling { entry, host, features, .. } = telling;
        if features.sketch.looked_up().is_empty() && features.heading.is_none() {
            return None;
        }
        let number = self.texts.push(Text { entry, story, host, sketch: features.sketch });
        if let Some(text) = self.texts.get(number) {
            for run in text.sketch.looked_up() {
                self.runs.push(*run, number);
            }
        }
        if let Some(heading) = features.heading {
            self.headings.push(heading, number);
        }
        Some(number)
    }

    /// Drops the texts of stories that are forgotten, and what leads to them.
    pub(super) fn clear_away(&mut self, alive: impl Fn(u32) -> bool) {
        self.texts.retain(|text| alive(text.story));
        let texts = &self.texts;
        self.runs.retain(|number| texts.get(number).is_some());
        self.headings.retain(|number| texts.get(number).is_some());
    }
}
