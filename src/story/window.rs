//! The stories that may still grow, and which of them an entry joins.
//!
//! Everything here follows from the tellings added, in their order: a window
//! that is built anew from the stored tellings decides as the old one did.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use super::features::{Features, NUMBER, TITLE};
use super::growing::{Story, dot};
use super::learned::Learned;
use super::score::{Carried, Subject, Weighed, likeness, weigh};
use super::sketch::Sketch;
use crate::model::{EntryId, Joined, StoryId};

/// A story that nobody told for so long rests: nothing joins it in other
/// words any more. In milliseconds.
const WINDOW: i64 = 72 * HOUR;
/// Copies of its texts, and its headlines under other roofs, join it still
/// for so long: weeklies and slow feeds bring them late.
const RESTS: i64 = 7 * 24 * HOUR;
const HOUR: i64 = 3_600_000;
/// The rarest terms of an entry, by which stories are found.
const ASKED: usize = 16;
/// Stories looked at through these terms, unless the first few terms have more.
const LOOKED_AT: usize = 6_000;
const ALWAYS_ASKED: usize = 4;
/// Stories compared in full.
const COMPARED: usize = 12;
/// Copies compared in full.
const COPIES: usize = 64;
/// A copy whose title has other numbers must be this much of one.
const SURE_COPY: f64 = 0.9;
/// Likeness needed to join a story, before what is subtracted from it.
const JOINS: f64 = -1.5;
/// Up to so many stories in the window no likeness is taken for chance.
const FEW_STORIES: f64 = 250.0;
/// After so many tellings what leads to forgotten stories is cleared away.
const CLEARED_AFTER: u32 = 10_000;

/// An entry that was counted to a story.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    /// Its row.
    pub entry: EntryId,
    /// Its story.
    pub story: StoryId,
    /// The host of its page, or its feed, as a number: what fills a form
    /// stands under one roof.
    pub host: u32,
    /// When it came.
    pub at: Timestamp,
    /// What of it counts.
    pub features: Features,
}

/// A telling by which copies are recognised.
#[derive(Clone, Debug)]
struct Text {
    entry: EntryId,
    story: u32,
    host: u32,
    sketch: Sketch,
}

/// The stories of the last days.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    now: i64,
    stories: HashMap<u32, Story>,
    numbers: HashMap<StoryId, u32>,
    ages: BTreeSet<(i64, u32)>,
    resting: HashMap<u32, StoryId>,
    rest_ages: BTreeSet<(i64, u32)>,
    postings: HashMap<u32, Vec<u32>>,
    texts: HashMap<u32, Text>,
    copies: HashMap<u32, Vec<u32>>,
    headings: HashMap<u32, Vec<u32>>,
    next_story: u32,
    next_text: u32,
}

impl Window {
    /// The story that an entry joins, and why; `None` if it tells of something
    /// new.
    pub(super) fn choose(
        &mut self,
        host: u32,
        at: Timestamp,
        features: &Features,
        learned: &Learned,
    ) -> Option<(StoryId, Joined)> {
        self.expire(at.as_millisecond());
        let weighed = weigh(features, learned);
        let found = self.copy(host, features, &weighed);
        let found = found.or_else(|| self.same_heading(host, features));
        let (number, joined) = found.or_else(|| self.event(host, features, &weighed, learned))?;
        Some((self.id(number)?.clone(), joined))
    }

    /// The id of a story that is told or rests.
    fn id(&self, number: u32) -> Option<&StoryId> {
        self.stories.get(&number).map(|story| &story.id).or_else(|| self.resting.get(&number))
    }

    fn copy(&self, host: u32, features: &Features, weighed: &[Weighed]) -> Option<(u32, Joined)> {
        let mut hits: HashMap<u32, u32> = HashMap::new();
        let lists = features.sketch.looked_up().iter().filter_map(|hash| self.copies.get(hash));
        for text in lists.flatten() {
            *hits.entry(*text).or_default() += 1;
        }
        let mut hits: Vec<(u32, u32)> = hits.into_iter().map(|(text, hits)| (hits, text)).collect();
        hits.sort_unstable_by_key(|(hits, text)| (std::cmp::Reverse(*hits), *text));
        let texts = hits.iter().take(COPIES).filter_map(|(_, number)| self.texts.get(number));
        let mut best: Option<(f64, &Text)> = None;
        for text in texts.filter(|text| text.host != host && self.id(text.story).is_some()) {
            let Some(share) = features.sketch.copied(&text.sketch) else { continue };
            let better = best.is_none_or(|(most, other)| {
                share > most || (share == most && text.entry.0 < other.entry.0)
            });
            if better && (share >= SURE_COPY || !self.has_other_numbers(text.story, weighed)) {
                best = Some((share, text));
            }
        }
        best.map(|(share, text)| (text.story, Joined::Copy { of: text.entry, share }))
    }

    /// Whether the titles of a story and of an entry have numbers, but none
    /// in common: "magnitude 5.1" and "magnitude 6.3".
    fn has_other_numbers(&self, story: u32, weighed: &[Weighed]) -> bool {
        let Some(story) = self.stories.get(&story) else { return false };
        let of_story = |carried: &&Carried| carried.number && carried.in_title > 0;
        let of_entry = |weighed: &&Weighed| weighed.term.is(NUMBER) && weighed.term.is(TITLE);
        let mut numbers = weighed.iter().filter(of_entry).peekable();
        let carried = |id: u32| story.terms.iter().filter(of_story).any(|carried| carried.id == id);
        numbers.peek().is_some()
            && story.terms.iter().any(|carried| of_story(&carried))
            && !numbers.any(|weighed| carried(weighed.term.id))
    }

    fn same_heading(&self, host: u32, features: &Features) -> Option<(u32, Joined)> {
        let texts = self.headings.get(&features.heading?)?.iter();
        let texts = texts.filter_map(|number| self.texts.get(number));
        let mut texts = texts.filter(|text| self.id(text.story).is_some());
        let text = texts.find(|text| text.host != host)?;
        Some((text.story, Joined::Headline { of: text.entry }))
    }

    fn event(
        &mut self,
        host: u32,
        features: &Features,
        weighed: &[Weighed],
        learned: &Learned,
    ) -> Option<(u32, Joined)> {
        let mut best: Option<(f64, EntryId, u32)> = None;
        for number in self.candidates(weighed) {
            let Some(story) = self.stories.get(&number) else { continue };
            let subject = Subject {
                terms: &story.terms,
                tellings: story.tellings,
                own_host: story.only_host == Some(host),
            };
            let Some(alike) = likeness(weighed, &subject, learned) else { continue };
            let score = alike - self.doubt(story);
            let better = best.is_none_or(|(most, first, _)| {
                score > most || (score == most && story.first.0 < first.0)
            });
            if score >= JOINS && better {
                best = Some((score, story.first, number));
            }
        }
        let (score, _, number) = best?;
        let shared = self.shared(number, features, weighed);
        Some((number, Joined::Event { score: score - JOINS, shared }))
    }

    /// The more stories there are, the more alike is the best of them by
    /// chance; and the older a story, the likelier it is that what comes now
    /// is another event of the same matter.
    fn doubt(&self, story: &Story) -> f64 {
        let hours = |from: i64| (self.now - from).max(0) as f64 / HOUR as f64;
        (self.stories.len() as f64 / FEW_STORIES).max(1.0).ln()
            + 0.7 * (1.0 + hours(story.begun) / 24.0).ln()
            + 0.3 * (1.0 + hours(story.last) / 12.0).ln()
    }

    /// The stories that share the heaviest terms.
    fn candidates(&mut self, weighed: &[Weighed]) -> Vec<u32> {
        let mut asked: Vec<&Weighed> = weighed.iter().collect();
        asked.sort_by(|a, b| {
            let (a_part, b_part) = (a.part() * a.weight, b.part() * b.weight);
            b_part.total_cmp(&a_part).then(a.term.id.cmp(&b.term.id))
        });
        let mut found: HashMap<u32, f64> = HashMap::new();
        let mut looked_at = 0;
        for (rank, weighed) in asked.into_iter().take(ASKED).enumerate() {
            let Some(posting) = self.postings.get_mut(&weighed.term.id) else { continue };
            posting.retain(|number| self.stories.contains_key(number));
            looked_at += posting.len();
            if rank >= ALWAYS_ASKED && looked_at > LOOKED_AT {
                break;
            }
            let part = weighed.part() * weighed.weight;
            for number in posting.iter() {
                *found.entry(*number).or_default() += part;
            }
        }
        let first = |number: &u32| self.stories.get(number).map_or(0, |story| story.first.0);
        let mut ranked: Vec<(f64, i64, u32)> =
            found.into_iter().map(|(number, part)| (part, first(&number), number)).collect();
        let by = |a: &(f64, i64, u32), b: &(f64, i64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if ranked.len() > 10 * COMPARED {
            ranked.select_nth_unstable_by(10 * COMPARED, by);
            ranked.truncate(10 * COMPARED);
        }
        for (part, _, number) in &mut ranked {
            *part = self.stories.get(number).map_or(0.0, |story| dot(weighed, story));
        }
        ranked.sort_unstable_by(by);
        ranked.into_iter().take(COMPARED).map(|(_, _, number)| number).collect()
    }

    /// The words that entry and story share, the heaviest first.
    fn shared(&self, number: u32, features: &Features, weighed: &[Weighed]) -> Vec<String> {
        /// Words named.
        const NAMED: usize = 6;
        let Some(story) = self.stories.get(&number) else { return Vec::new() };
        let has = |id: u32| story.terms.binary_search_by_key(&id, |carried| carried.id).is_ok();
        let mut shared: Vec<&Weighed> = weighed.iter().filter(|w| has(w.term.id)).collect();
        shared.sort_by(|a, b| b.part().total_cmp(&a.part()).then(a.term.id.cmp(&b.term.id)));
        let word = |weighed: &&Weighed| {
            let at = features.terms.binary_search_by_key(&weighed.term.id, |term| term.id).ok()?;
            features.words.get(at).cloned()
        };
        shared.iter().take(NAMED).filter_map(word).collect()
    }

    /// Adds a telling to its story, or begins the story with it.
    pub(super) fn add(&mut self, telling: Telling) {
        let at = telling.at.as_millisecond();
        self.expire(at);
        let number = match self.numbers.get(&telling.story) {
            Some(number) => *number,
            None => self.begin(&telling),
        };
        let Some(story) = self.stories.get_mut(&number) else { return };
        self.ages.remove(&(story.last, number));
        story.last = story.last.max(at);
        self.ages.insert((story.last, number));
        story.tellings += 1;
        if story.only_host != Some(telling.host) {
            story.only_host = None;
        }
        for id in story.carry(&telling.features) {
            self.postings.entry(id).or_default().push(number);
        }
        self.remember_text(number, telling);
    }

    fn begin(&mut self, telling: &Telling) -> u32 {
        let number = self.next_story;
        self.next_story = self.next_story.wrapping_add(1);
        let at = telling.at.as_millisecond();
        let story = Story {
            id: telling.story.clone(),
            first: telling.entry,
            begun: at,
            last: at,
            tellings: 0,
            only_host: Some(telling.host),
            terms: Vec::new(),
        };
        self.stories.insert(number, story);
        self.numbers.insert(telling.story.clone(), number);
        number
    }

    fn remember_text(&mut self, story: u32, telling: Telling) {
        let Telling { entry, host, features, .. } = telling;
        if features.sketch.looked_up().is_empty() && features.heading.is_none() {
            return;
        }
        let number = self.next_text;
        self.next_text = self.next_text.wrapping_add(1);
        for hash in features.sketch.looked_up() {
            self.copies.entry(*hash).or_default().push(number);
        }
        if let Some(heading) = features.heading {
            self.headings.entry(heading).or_default().push(number);
        }
        self.texts.insert(number, Text { entry, story, host, sketch: features.sketch });
        if number % CLEARED_AFTER == CLEARED_AFTER - 1 {
            self.clear_away();
        }
    }

    /// Lays the stories to rest that nobody told for a window's time, and
    /// forgets those that have rested. One that is told again begins anew,
    /// under its old id.
    fn expire(&mut self, now: i64) {
        self.now = self.now.max(now);
        while let Some((last, number)) = self.ages.first().copied() {
            if last >= self.now - WINDOW {
                break;
            }
            self.ages.remove(&(last, number));
            if let Some(story) = self.stories.remove(&number) {
                self.numbers.remove(&story.id);
                self.resting.insert(number, story.id);
                self.rest_ages.insert((last, number));
            }
        }
        while let Some((last, number)) = self.rest_ages.first().copied() {
            if last >= self.now - RESTS {
                break;
            }
            self.rest_ages.remove(&(last, number));
            self.resting.remove(&number);
        }
    }

    /// Drops what leads to stories that are forgotten; nobody asks through it.
    fn clear_away(&mut self) {
        let alive: HashSet<u32> = self.stories.keys().copied().collect();
        let resting = &self.resting;
        self.texts
            .retain(|_, text| alive.contains(&text.story) || resting.contains_key(&text.story));
        for (lists, is_story) in
            [(&mut self.postings, true), (&mut self.copies, false), (&mut self.headings, false)]
        {
            lists.retain(|_, list| {
                list.retain(|number| match is_story {
                    true => alive.contains(number),
                    false => self.texts.contains_key(number),
                });
                list.shrink_to_fit();
                !list.is_empty()
            });
        }
    }
}
