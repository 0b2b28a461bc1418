//! The texts and headlines of the last days, by which copies are recognised.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::index::{Index, Kind};
use super::paper::Paper;
use super::reach::minute;
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
/// Texts looked at because they have a headline: one of more texts is a form.
const OF_A_HEADING: usize = 1_000;

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
    /// The host of each that is kept: most that are asked for are of the same.
    hosts: VecDeque<u32>,
    /// Minutes, and the number of the first text that came in each.
    ages: VecDeque<(i64, u32)>,
}

impl Texts {
    pub(super) fn new(paper: Arc<dyn Paper>) -> Self {
        Self { texts: Shelf::new(paper), first: 0, hosts: VecDeque::new(), ages: VecDeque::new() }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.texts.has(number)
    }

    pub(super) fn count(&self) -> usize {
        (self.texts.next() - self.first) as usize
    }

    fn host(&self, number: u32) -> Option<u32> {
        self.hosts.get(number.checked_sub(self.first)? as usize).copied()
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
                let Some(of) = self.host(number) else { return Ok(true) };
                hits.extend((of != host).then_some(number));
                left -= 1;
                Ok(left > 0)
            })?;
        }
        hits.sort_unstable();
        let counted = hits.chunk_by(|a, b| a == b);
        let mut ranked: Vec<(usize, u32)> =
            counted.filter_map(|same| Some((same.len(), *same.first()?))).collect();
        ranked.sort_unstable_by_key(|(count, number)| (std::cmp::Reverse(*count), *number));
        ranked.truncate(COPIES);
        let texts = ranked.into_iter().filter_map(|(_, number)| self.get(number).transpose());
        texts.collect()
    }

    /// The first text with this headline under another roof.
    pub(super) fn headed(
        &self,
        heading: u32,
        host: u32,
        index: &Index,
    ) -> io::Result<Option<Text>> {
        let (mut found, mut left) = (None, OF_A_HEADING);
        index.oldest(Kind::Heading.key(heading), |number| {
            let Some(of) = self.host(number) else { return Ok(true) };
            if of != host {
                found = self.get(number)?;
            }
            left -= 1;
            Ok(found.is_none() && left > 0)
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
            let mut left = OF_A_HEADING;
            index.newest(key, |number| {
                let Some(of) = self.host(number) else { return Ok(true) };
                found = of == host;
                left -= 1;
                Ok(!found && left > 0)
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
        self.hosts.push_back(host);
        if self.ages.back().is_none_or(|(last, _)| *last < minute(at)) {
            self.ages.push_back((minute(at), number));
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
        while self.ages.front().is_some_and(|(at, _)| *at < minute(before)) {
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
            self.hosts.pop_front();
            self.first += 1;
        }
    }
}
