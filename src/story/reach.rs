//! The stories that may grow, and those of them that an entry is compared with.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use hashbrown::HashMap;

use super::features::term_id;
use super::growing::{Story, dot};
use super::index::{Index, Kind};
use super::paper::Paper;
use super::record::{Part, read_story, write_story};
use super::score::Weighed;
use super::shelf::Shelf;
use crate::model::StoryId;

/// The rarest terms of an entry, by which stories are found.
const ASKED: usize = 16;
/// Stories looked at through one term, the newest of those that have it.
const OF_A_TERM: usize = 500;
/// Stories looked at through all terms, unless the first few have more.
const LOOKED_AT: usize = 2_500;
const ALWAYS_ASKED: usize = 4;
/// Stories of which the terms are compared.
const RANKED: usize = 20;
/// Stories compared in full.
const COMPARED: usize = 7;
/// When stories were told, and texts came, is noted so exactly. In milliseconds.
const MINUTE: i64 = 60_000;

/// Stories by number, and by the terms they carry.
#[derive(Debug)]
pub(super) struct Reach {
    stories: Shelf,
    count: usize,
    weight: usize,
    /// Minutes in which stories were told, and how many then.
    times: VecDeque<(i64, u32)>,
    /// The stories that were told, in order; a story stands there once for each
    /// of these times.
    told: VecDeque<u32>,
    /// What an entry shares with each story; empty in between.
    parts: HashMap<u32, f32>,
}

impl Reach {
    pub(super) fn new(paper: Arc<dyn Paper>) -> Self {
        Self {
            stories: Shelf::new(paper),
            count: 0,
            weight: 0,
            times: VecDeque::new(),
            told: VecDeque::new(),
            parts: HashMap::new(),
        }
    }

    /// How many stories may grow.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many terms they keep together.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.stories.has(number)
    }

    pub(super) fn get(&self, number: u32, part: Part) -> io::Result<Option<Story>> {
        self.stories.get(number)?.map(|record| read_story(&record, part)).transpose()
    }

    /// The number of a story that may grow.
    pub(super) fn number(&self, id: &StoryId, index: &Index) -> io::Result<Option<u32>> {
        let mut found = None;
        index.newest(id_key(id), |number| {
            let is_it = self.get(number, Part::Whole)?.is_some_and(|story| story.id == *id);
            found = is_it.then_some(number);
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// Puts a story there that was told once.
    pub(super) fn begin(&mut self, story: &Story, index: &mut Index) -> io::Result<u32> {
        let number = self.stories.push(&write_story(story))?;
        self.count += 1;
        self.weight += story.weight();
        index.push(id_key(&story.id), number);
        for term in &story.terms {
            index.push(Kind::Term.key(term.id), number);
        }
        self.note(number, story.last);
        Ok(number)
    }

    /// Changes a story by what gives the terms that are new to it.
    pub(super) fn tell(
        &mut self,
        number: u32,
        index: &mut Index,
        tell: impl FnOnce(&mut Story) -> Vec<u32>,
    ) -> io::Result<()> {
        let Some(mut story) = self.get(number, Part::WithRecent)? else { return Ok(()) };
        let before = story.weight();
        let new = tell(&mut story);
        self.stories.replace(number, &write_story(&story))?;
        self.weight = self.weight + story.weight() - before;
        for term in new {
            index.push(Kind::Term.key(term), number);
        }
        self.note(number, story.last);
        Ok(())
    }

    fn note(&mut self, number: u32, at: i64) {
        self.told.push_back(number);
        let at = minute(at);
        match self.times.back_mut() {
            Some((last, times)) if *last == at => *times += 1,
            _ => self.times.push_back((at, 1)),
        }
    }

    /// Lets the stories rest that were told for the last time before this.
    pub(super) fn expire(&mut self, before: i64) -> io::Result<()> {
        while self.times.front().is_some_and(|(at, _)| *at < minute(before)) {
            self.lay_to_rest()?;
        }
        Ok(())
    }

    /// Lets the story rest that was told for the last time before all others,
    /// unless it was told later, too.
    pub(super) fn lay_to_rest(&mut self) -> io::Result<()> {
        let Some((at, times)) = self.times.front_mut() else { return Ok(()) };
        let at = *at;
        *times -= 1;
        if *times == 0 {
            self.times.pop_front();
        }
        let Some(number) = self.told.pop_front() else { return Ok(()) };
        let Some(story) = self.get(number, Part::WithRecent)? else { return Ok(()) };
        if minute(story.last) == at {
            self.stories.remove(number);
            self.count -= 1;
            self.weight -= story.weight();
        }
        Ok(())
    }

    /// The stories that share the heaviest terms.
    pub(super) fn candidates(
        &mut self,
        weighed: &[Weighed],
        index: &Index,
    ) -> io::Result<Vec<u32>> {
        let mut asked: Vec<(f64, &Weighed)> =
            weighed.iter().map(|term| (term.part() * term.weight, term)).collect();
        asked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.term.id.cmp(&b.1.term.id)));
        asked.truncate(ASKED);
        let by = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let mut ranked = self.sum_parts(&asked, index)?;
        if ranked.len() > RANKED {
            ranked.select_nth_unstable_by(RANKED, by);
            ranked.truncate(RANKED);
        }
        for (part, number) in &mut ranked {
            let story = self.get(*number, Part::Whole)?;
            *part = story.map_or(0.0, |story| dot(weighed, &story) as f32);
        }
        ranked.sort_unstable_by(by);
        Ok(ranked.into_iter().take(COMPARED).map(|(_, number)| number).collect())
    }

    /// The stories with any of these terms, and the sum of what they share.
    fn sum_parts(
        &mut self,
        asked: &[(f64, &Weighed)],
        index: &Index,
    ) -> io::Result<Vec<(f32, u32)>> {
        let Self { stories, parts, .. } = self;
        parts.clear();
        let mut looked_at = 0;
        for (rank, (part, weighed)) in asked.iter().enumerate() {
            if rank >= ALWAYS_ASKED && looked_at >= LOOKED_AT {
                break;
            }
            let mut left = OF_A_TERM;
            index.newest(Kind::Term.key(weighed.term.id), |number| {
                if stories.has(number) {
                    *parts.entry(number).or_default() += *part as f32;
                    left -= 1;
                }
                Ok(left > 0)
            })?;
            looked_at += OF_A_TERM - left;
        }
        Ok(parts.drain().map(|(number, part)| (part, number)).collect())
    }
}

/// When the minute began that a time is in.
pub(super) fn minute(at: i64) -> i64 {
    at - at.rem_euclid(MINUTE)
}

fn id_key(id: &StoryId) -> u64 {
    Kind::Id.key(term_id(id.as_str()))
}
