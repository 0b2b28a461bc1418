//! A story while it grows: the terms of its tellings, and who told it.

use std::sync::Arc;

use super::features::{Features, HABIT, NUMBER, TITLE, Term};
use super::score::Weighed;
use crate::model::{EntryId, StoryId};

/// A story with more terms than this forgets those of few tellings.
const MOST_TERMS: usize = 400;
/// The last tellings, which are also kept one by one.
const RECENT: usize = 8;

/// A story that may still grow.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) id: StoryId,
    /// Its first telling; orders stories that are equally alike.
    pub(super) first: EntryId,
    pub(super) begun: i64,
    pub(super) last: i64,
    pub(super) tellings: u32,
    /// Who told it, and how often.
    pub(super) hosts: Vec<(u32, u32)>,
    /// Of all its tellings, by id.
    pub(super) terms: Vec<Carried>,
    /// The last tellings, once there are two.
    pub(super) recent: Vec<Told>,
}

/// A term of a story and how many of its tellings have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) id: u32,
    in_title: u16,
    /// With [`IS_NUMBER`] if it is one.
    in_text: u16,
}

const IS_NUMBER: u16 = 1 << 15;

/// One of the last tellings.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) host: u32,
    /// Shared by tellings that have the same: most are copies.
    pub(super) terms: Arc<[Carried]>,
}

impl Carried {
    /// Of one telling.
    pub(super) fn of(term: &Term) -> Self {
        let title = term.is(TITLE);
        let number = if term.is(NUMBER) { IS_NUMBER } else { 0 };
        Self { id: term.id, in_title: u16::from(title), in_text: number | u16::from(!title) }
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.id.to_le_bytes();
        let ([e, f], [g, h]) = (self.in_title.to_le_bytes(), self.in_text.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }

    /// Reads [`Carried::to_bytes`].
    pub(super) fn from_bytes([a, b, c, d, e, f, g, h]: [u8; 8]) -> Self {
        let id = u32::from_le_bytes([a, b, c, d]);
        Self { id, in_title: u16::from_le_bytes([e, f]), in_text: u16::from_le_bytes([g, h]) }
    }

    pub(super) fn in_title(self) -> f64 {
        f64::from(self.in_title)
    }

    pub(super) fn in_text(self) -> f64 {
        f64::from(self.in_text & !IS_NUMBER)
    }

    pub(super) fn is_number(self) -> bool {
        self.in_text & IS_NUMBER != 0
    }

    fn count(&mut self, title: bool) {
        let place = if title { &mut self.in_title } else { &mut self.in_text };
        if *place & !IS_NUMBER < IS_NUMBER - 1 {
            *place += 1;
        }
    }
}

impl Story {
    /// A story that nobody has told yet.
    pub(super) fn new(id: StoryId, first: EntryId, at: i64) -> Self {
        let (hosts, terms, recent) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, first, begun: at, last: at, tellings: 0, hosts, terms, recent }
    }

    /// How often a host told it.
    pub(super) fn told_by(&self, host: u32) -> u32 {
        self.hosts.iter().find(|(known, _)| *known == host).map_or(0, |(_, times)| *times)
    }

    /// Whether nobody else told it.
    pub(super) fn only_by(&self, host: u32) -> bool {
        matches!(self.hosts.as_slice(), [(known, _)] if *known == host)
    }

    /// How many terms it keeps, of all tellings and of the last ones.
    pub(super) fn weight(&self) -> usize {
        let own = |(at, told): (usize, &Told)| {
            let shared =
                self.recent.iter().take(at).any(|one| Arc::ptr_eq(&one.terms, &told.terms));
            if shared { 0 } else { told.terms.len() }
        };
        self.terms.len() + self.recent.iter().enumerate().map(own).sum::<usize>()
    }

    /// The last tellings, the newest first; none if there is only one.
    pub(super) fn recent(&self) -> impl Iterator<Item = &Told> {
        self.recent.iter().rev()
    }

    /// Counts a telling; gives the terms that are new here.
    pub(super) fn tell(&mut self, host: u32, features: &Features) -> Vec<u32> {
        let terms = features.terms.iter().filter(|term| !term.is(HABIT));
        match self.hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, times)) => *times += 1,
            None => {
                self.hosts.reserve_exact(1);
                self.hosts.push((host, 1));
            }
        }
        self.tellings += 1;
        if self.tellings == 1 {
            self.terms = terms.map(Carried::of).collect();
            self.terms.shrink_to_fit();
            return self.terms.iter().map(|carried| carried.id).collect();
        }
        self.remember(host, &terms.clone().map(Carried::of).collect::<Vec<_>>());
        self.carry(terms)
    }

    fn remember(&mut self, host: u32, terms: &[Carried]) {
        if let (2, Some((first, _))) = (self.tellings, self.hosts.first()) {
            self.recent.push(Told { host: *first, terms: self.terms.as_slice().into() });
        }
        let same = self.recent.iter().find(|told| *told.terms == *terms);
        let terms = same.map_or_else(|| terms.into(), |told| Arc::clone(&told.terms));
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.reserve_exact(1);
        self.recent.push(Told { host, terms });
    }

    fn carry<'a>(&mut self, terms: impl Iterator<Item = &'a Term>) -> Vec<u32> {
        let mut new = Vec::new();
        for term in terms {
            match self.terms.binary_search_by_key(&term.id, |carried| carried.id) {
                Ok(at) => {
                    if let Some(carried) = self.terms.get_mut(at) {
                        carried.count(term.is(TITLE));
                    }
                }
                Err(at) => {
                    self.terms.insert(at, Carried::of(term));
                    new.push(term.id);
                }
            }
        }
        if self.terms.len() > MOST_TERMS {
            let few = f64::from((self.tellings / 50).max(1));
            self.terms.retain(|term| term.in_title() + term.in_text() > few);
        }
        new
    }
}

/// What the shared terms weigh, for a story of any size.
pub(super) fn dot(weighed: &[Weighed], story: &Story) -> f64 {
    let mut carried = story.terms.iter();
    let mut sum = 0.0;
    let mut next = carried.next();
    for weighed in weighed {
        while next.is_some_and(|carried| carried.id < weighed.term.id) {
            next = carried.next();
        }
        let Some(carried) = next else { break };
        if carried.id == weighed.term.id {
            let times = carried.in_title() + 0.5 * carried.in_text();
            sum += weighed.part() * weighed.weight * times;
        }
    }
    sum / f64::from(story.tellings.max(1)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_knows_its_last_tellings_and_who_told_it() {
        let mut story = Story::new(StoryId::new("s"), EntryId(1), 0);
        assert_eq!(story.recent().count(), 0);
        let read = |title: &str| Features::of(title, "", Some("en"));
        let new = story.tell(7, &read("Ferry 12 sinks near reef"));
        assert_eq!((new.len(), story.recent().count()), (5, 0));
        assert!(story.only_by(7));
        let new = story.tell(8, &read("Ferry 12 lost near reef"));
        assert_eq!((new.len(), story.told_by(7), story.told_by(9)), (1, 1, 0));
        assert!(!story.only_by(7));
        let hosts: Vec<u32> = story.recent().map(|told| told.host).collect();
        assert_eq!(hosts, [8, 7]);
        assert_eq!(story.terms.iter().filter(|term| term.is_number()).count(), 1);
        for _ in 0..40 {
            story.tell(8, &read("Ferry 12 lost near reef"));
        }
        assert_eq!((story.recent().count(), story.told_by(8)), (RECENT, 41));
        // Six terms of the story, and five that its last tellings share.
        assert_eq!(story.weight(), 6 + 5);
    }
}
