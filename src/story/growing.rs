//! A story while it grows: the terms of its tellings.

use super::features::{Features, HABIT, NUMBER, TITLE};
use super::score::{Carried, Weighed};
use crate::model::{EntryId, StoryId};

/// A story with more terms than this forgets those of few tellings.
const MOST_TERMS: usize = 400;

/// A story that may still grow.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) id: StoryId,
    /// Its first telling; orders stories that are equally alike.
    pub(super) first: EntryId,
    pub(super) begun: i64,
    pub(super) last: i64,
    pub(super) tellings: u32,
    /// The host that all tellings are of, if they are.
    pub(super) only_host: Option<u32>,
    pub(super) terms: Vec<Carried>,
}

impl Story {
    /// Counts an entry's terms; gives those that are new here.
    pub(super) fn carry(&mut self, features: &Features) -> Vec<u32> {
        let mut new = Vec::new();
        for term in features.terms.iter().filter(|term| !term.is(HABIT)) {
            let at = match self.terms.binary_search_by_key(&term.id, |carried| carried.id) {
                Ok(at) => at,
                Err(at) => {
                    let number = term.is(NUMBER);
                    let none = Carried { id: term.id, in_title: 0, in_text: 0, number };
                    self.terms.insert(at, none);
                    new.push(term.id);
                    at
                }
            };
            if let Some(carried) = self.terms.get_mut(at) {
                let place =
                    if term.is(TITLE) { &mut carried.in_title } else { &mut carried.in_text };
                *place = place.saturating_add(1);
            }
        }
        if self.terms.len() > MOST_TERMS {
            let few = (self.tellings / 50).max(1);
            self.terms.retain(|term| u32::from(term.in_title) + u32::from(term.in_text) > few);
        }
        if self.tellings == 1 {
            self.terms.shrink_to_fit();
        }
        new
    }
}

/// What the shared terms weigh, for a story of any size.
pub(super) fn dot(weighed: &[Weighed], story: &Story) -> f64 {
    let share = |id: u32| {
        let at = story.terms.binary_search_by_key(&id, |carried| carried.id).ok()?;
        let carried = story.terms.get(at)?;
        Some(f64::from(carried.in_title) + 0.5 * f64::from(carried.in_text))
    };
    let parts = weighed.iter().filter_map(|w| Some(w.part() * w.weight * share(w.term.id)?));
    parts.sum::<f64>() / f64::from(story.tellings.max(1)).sqrt()
}
