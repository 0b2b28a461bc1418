//! Do a feed's GUIDs identify its entries? Some feeds make new ones for every
//! request, and then a GUID that differs says nothing.

use crate::model::{EntryKeys, FeedPast, Guids, KnownByKey};

/// Documents in a row that change our mind about a feed's GUIDs.
const SIGNS: u32 = 2;
/// Entries that must be recognised otherwise before GUIDs are doubted.
const RECOGNISED: usize = 2;

/// What one document tells of its feed's GUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// None is known, though most entries are.
    Random,
    /// Entries that are known have the GUIDs they had.
    Stable,
    /// Too little to go by.
    Unclear,
}

/// Looks at all entries of a document together.
pub(super) fn sign(keys: &[EntryKeys], known: &[KnownByKey]) -> Sign {
    let stated = keys.iter().filter(|keys| keys.guid.is_some()).count();
    let by_guid = known.iter().filter(|known| known.guid.is_some()).count();
    let otherwise = keys.iter().zip(known).filter(|(keys, known)| seen_otherwise(keys, known));
    let otherwise = otherwise.count();
    if stated < RECOGNISED || by_guid.max(otherwise) < RECOGNISED {
        Sign::Unclear
    } else if by_guid == 0 && otherwise * 2 > keys.len() {
        Sign::Random
    } else if by_guid * 2 > otherwise {
        Sign::Stable
    } else {
        Sign::Unclear
    }
}

/// An entry that would be known without its GUID.
fn seen_otherwise(keys: &EntryKeys, known: &KnownByKey) -> bool {
    let by_link = known.link.as_ref().is_some_and(|entry| entry.title == keys.title.mark());
    let by_content =
        known.content.as_ref().is_some_and(|entry| super::document::repeats(keys, entry));
    keys.guid.is_some() && (by_link || by_content)
}

/// What to think of the GUIDs from now on, and the signs against that.
pub(super) fn judge(past: &FeedPast, sign: Sign) -> (Guids, u32) {
    let against = match past.guids {
        Guids::Trusted => Sign::Random,
        Guids::Random => Sign::Stable,
    };
    match sign {
        Sign::Unclear => (past.guids, past.guid_signs),
        sign if sign != against => (past.guids, 0),
        _ if past.guid_signs + 1 < SIGNS => (past.guids, past.guid_signs + 1),
        _ => match past.guids {
            Guids::Trusted => (Guids::Random, 0),
            Guids::Random => (Guids::Trusted, 0),
        },
    }
}
