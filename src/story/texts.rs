//! The texts and headlines of the last days, by which copies are recognised.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::index::{Index, Kind};
use super::paper::Paper;
use super::record::{read_text, write_text};
use super::shelf::Shelf;
use super::sketch::Sketch;
use super::window::Telling;
use crate::model::{EntryId, StoryId};

/// Copies compared in full.
const COPIES: usize = 64;
/// Texts looked at through one run of words, the newest of them: a run of
/// more texts is a form.
const OF_A_RUN: usize = 256;
/// Ages are known so exactly. In milliseconds.
const MINUTE: i64 = 60_000;

/// A telling by which copies are recognised.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub(super) entry: EntryId,
    pub(super) story: u32,
    pub(super) host: u32,
    pub(super) id: StoryId,
    pub(super) sketch: Sketch,
}

/// Texts by number.
#[derive(Debug)]
pub(super) struct Texts {
    texts: Shelf,
    /// The oldest that is kept.
    first: u32,
    /// Times, and the number of the first text that came in the minute after.
    ages: VecDeque<(i64, u32)>,
}

impl Texts {
    pub(super) fn new(paper: Arc<dyn Paper>) -> Self {
        Self { texts: Shelf::new(paper), first: 0, ages: VecDeque::new() }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.texts.has(number)
    }

    pub(super) fn count(&self) -> usize {
        (self.texts.next() - self.first) as usize
    }

    fn get(&self, number: u32) -> io::Result<Option<Text>> {
        self.texts.get(number)?.map(|record| read_text(&record)).transpose()
    }

    /// The texts under other roofs that may be copied, those with the most
    /// runs in common first.
    pub(super) fn alike(&self, sketch: &Sketch, host: u32, index: &Index) -> io::Result<Vec<Text>> {
        let mut hits: Vec<u32> = Vec::new();
        for run in sketch.looked_up() {
            let mut left = OF_A_RUN;
            index.newest(Kind::Words.key(*run), |number| {
                if self.has(number) {
                    hits.push(number);
                    left -= 1;
                }
                Ok(left > 0)
            })?;
        }
        hits.sort_unstable();
        let counted = hits.chunk_by(|a, b| a == b);
        let mut ranked: Vec<(usize, u32)> =
            counted.filter_map(|same| Some((same.len(), *same.first()?))).collect();
        ranked.sort_unstable_by_key(|(count, number)| (std::cmp::Reverse(*count), *number));
        let mut alike = Vec::new();
        for (_, number) in ranked {
            if alike.len() == COPIES {
                break;
            }
            alike.extend(self.get(number)?.filter(|text| text.host != host));
        }
        Ok(alike)
    }

    /// The first text with this headline under another roof.
    pub(super) fn headed(
        &self,
        heading: u32,
        host: u32,
        index: &Index,
    ) -> io::Result<Option<Text>> {
        let mut found = None;
        index.oldest(Kind::Heading.key(heading), |number| {
            found = self.get(number)?.filter(|text| text.host != host);
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// Whether a host has a text with this headline, or with any run of these.
    pub(super) fn told_by(
        &self,
        host: u32,
        (heading, sketch): (Option<u32>, &Sketch),
        index: &Index,
    ) -> io::Result<bool> {
        let runs = sketch.looked_up().iter().map(|run| Kind::Words.key(*run));
        let headings = heading.map(|heading| Kind::Heading.key(heading));
        let mut found = false;
        for key in headings.into_iter().chain(runs) {
            index.newest(key, |number| {
                found = self.get(number)?.is_some_and(|text| text.host == host);
                Ok(!found)
            })?;
            if found {
                break;
            }
        }
        Ok(found)
    }

    /// Keeps the text of a telling, if it can be recognised.
    pub(super) fn keep(
        &mut self,
        story: u32,
        telling: Telling,
        at: i64,
        index: &mut Index,
    ) -> io::Result<()> {
        let Telling { entry, story: id, host, features, .. } = telling;
        if features.sketch.looked_up().is_empty() && features.heading.is_none() {
            return Ok(());
        }
        let text = Text { entry, story, host, id, sketch: features.sketch };
        let number = self.texts.push(&write_text(&text))?;
        if self.ages.back().is_none_or(|(last, _)| *last + MINUTE <= at) {
            self.ages.push_back((at, number));
        }
        for run in text.sketch.looked_up() {
            index.push(Kind::Words.key(*run), number);
        }
        if let Some(heading) = features.heading {
            index.push(Kind::Heading.key(heading), number);
        }
        Ok(())
    }

    /// Forgets the texts that came before a time.
    pub(super) fn expire(&mut self, before: i64) {
        while self.ages.front().is_some_and(|(at, _)| *at + MINUTE < before) {
            self.ages.pop_front();
            let next = self.ages.front().map_or(self.texts.next(), |(_, number)| *number);
            self.forget_below(next);
        }
    }

    /// Forgets the oldest text.
    pub(super) fn forget_oldest(&mut self) {
        self.forget_below(self.first + 1);
    }

    fn forget_below(&mut self, number: u32) {
        while self.first < number {
            self.texts.remove(self.first);
            self.first += 1;
        }
    }
}
