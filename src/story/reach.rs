//! The stories that may grow, and those of them that an entry is compared with.

use super::growing::{Story, dot};
use super::score::Weighed;
use super::shelf::{Lists, Shelf};

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

/// Stories by number, and by the terms they carry.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    stories: Shelf<Box<Story>>,
    count: usize,
    weight: usize,
    postings: Lists,
    /// By place: what an entry shares with each story; zero in between.
    parts: Vec<f32>,
}

impl Reach {
    /// How many stories may grow.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many terms they keep together.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn get(&self, number: u32) -> Option<&Story> {
        self.stories.get(number).map(Box::as_ref)
    }

    pub(super) fn push(&mut self, story: Story) -> u32 {
        self.count += 1;
        self.weight += story.weight();
        self.stories.push(Box::new(story))
    }

    pub(super) fn take(&mut self, number: u32) -> Option<Story> {
        let story = self.stories.take(number)?;
        self.count -= 1;
        self.weight -= story.weight();
        Some(*story)
    }

    /// Changes a story by what gives the terms that are new to it.
    pub(super) fn tell(&mut self, number: u32, tell: impl FnOnce(&mut Story) -> Vec<u32>) {
        let Some(story) = self.stories.get_mut(number) else { return };
        self.weight -= story.weight();
        for term in tell(story) {
            self.postings.push(term, number);
        }
        self.weight += story.weight();
    }

    /// Drops what leads to stories that may not grow any more.
    pub(super) fn clear_away(&mut self) {
        let stories = &self.stories;
        self.postings.retain(|number| stories.get(number).is_some());
    }

    /// The stories that share the heaviest terms.
    pub(super) fn candidates(&mut self, weighed: &[Weighed]) -> Vec<u32> {
        let mut asked: Vec<(f64, &Weighed)> =
            weighed.iter().map(|term| (term.part() * term.weight, term)).collect();
        asked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.term.id.cmp(&b.1.term.id)));
        asked.truncate(ASKED);
        let found = self.sum_parts(&asked);
        let by = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let mut ranked: Vec<(f32, u32)> = found;
        if ranked.len() > RANKED {
            ranked.select_nth_unstable_by(RANKED, by);
            ranked.truncate(RANKED);
        }
        for (part, number) in &mut ranked {
            *part = self.get(*number).map_or(0.0, |story| dot(weighed, story) as f32);
        }
        ranked.sort_unstable_by(by);
        ranked.into_iter().take(COMPARED).map(|(_, number)| number).collect()
    }

    /// The stories with any of these terms, and the sum of what they share.
    fn sum_parts(&mut self, asked: &[(f64, &Weighed)]) -> Vec<(f32, u32)> {
        self.parts.resize(self.stories.places(), 0.0);
        let mut places: Vec<u32> = Vec::new();
        let mut looked_at = 0;
        for (rank, (part, weighed)) in asked.iter().enumerate() {
            if rank >= ALWAYS_ASKED && looked_at >= LOOKED_AT {
                break;
            }
            let mut left = OF_A_TERM;
            for number in self.postings.get(weighed.term.id).iter().rev() {
                if self.stories.get(*number).is_none() {
                    continue;
                }
                let Some(place) = self.stories.place(*number) else { continue };
                let Some(sum) = self.parts.get_mut(place) else { continue };
                if *sum == 0.0 {
                    places.push(place as u32);
                }
                *sum += *part as f32;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            looked_at += OF_A_TERM - left;
        }
        let stories = &self.stories;
        let take = |place: u32| {
            let sum = self.parts.get_mut(place as usize).map(std::mem::take);
            (sum.unwrap_or_default(), stories.number(place as usize))
        };
        places.into_iter().map(take).collect()
    }
}
