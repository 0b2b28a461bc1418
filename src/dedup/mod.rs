//! Is this entry known? Which story does it belong to? Did the feed itself
//! change? Pure.
//!
//! The answers come from keys: hashes of GUID, canonical link, and normalised
//! title and text. See docs/decisions/identity.md for why each counts.

mod document;
mod guids;
mod keys;
mod mass;
#[cfg(test)]
mod tests;

use crate::model::{StoriesByKey, StoryCandidate, StoryId, StoryRef};

pub use document::recognise;
pub use keys::{entry_keys, story_id};
pub use mass::{old_in_new_clothes, rest_of_the_first};

/// Chooses the story of a new entry: the one with its link, else the one with
/// its words, else a new one.
pub fn choose_story(
    candidates: StoriesByKey,
    fresh: StoryId,
) -> (StoryRef, Option<StoryCandidate>) {
    match candidates.link.or(candidates.content) {
        Some(candidate) => (StoryRef::Known(candidate.id.clone()), Some(candidate)),
        None => (StoryRef::New(fresh), None),
    }
}
