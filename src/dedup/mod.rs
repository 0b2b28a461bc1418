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

use crate::model::{Joined, StoriesByKey, StoryId};

pub use document::recognise;
pub use keys::{entry_keys, split_story_id, story_id};
pub use mass::{old_in_new_clothes, rest_of_the_first};

/// The story of a new entry as its keys choose it: the one with its link,
/// else the one with its words.
pub fn choose_story(candidates: StoriesByKey) -> Option<(StoryId, Joined)> {
    let link = candidates.link.map(|story| (story, Joined::Link));
    link.or_else(|| candidates.content.map(|story| (story, Joined::Words)))
}
