//! Recognises the entries of a document, all together: two entries that stand
//! side by side are two, whatever keys they share, and a whole document whose
//! GUIDs are unknown says something that one entry cannot.

use std::collections::HashMap;

use jiff::Timestamp;

use super::guids::{self, Sign};
use super::mass;
use crate::model::{
    EntryId, EntryKeys, FeedPast, Guids, Identity, Key, KnownByKey, KnownEntry, Newness,
    Recognised, Telling,
};

/// Decides for each entry of a document whether it is new, known or revised.
///
/// `known` holds for each entry what the store found under its keys.
pub fn recognise(keys: &[EntryKeys], known: Vec<KnownByKey>, past: &FeedPast) -> Recognised {
    let sign = guids::sign(keys, &known);
    let (guids, guid_signs) = guids::judge(past, sign);
    // A document that contradicts its feed's past is read by what it shows:
    // the first new set of GUIDs must not tell anything twice.
    let ignore_guids =
        sign == Sign::Random || (past.guids == Guids::Random && sign != Sign::Stable);
    let claims = Claims::of(keys, &known, ignore_guids);
    let identities = claims.identities(keys, &known);
    let suspicious = mass::is_suspicious(&identities, past);
    Recognised { identities, guids, guid_signs, suspicious }
}

/// Which stored entry each entry of the document is.
struct Claims {
    of_entry: Vec<Option<KnownEntry>>,
}

/// How an entry was found, the strongest first.
type Rung = fn(&EntryKeys, &KnownByKey, bool) -> Option<KnownEntry>;
const LADDER: [Rung; 4] = [by_guid, by_link_and_title, by_link, by_content];

impl Claims {
    /// The strongest claims go first, so that an entry with its own GUID is
    /// not taken for another that merely has its words.
    fn of(keys: &[EntryKeys], known: &[KnownByKey], ignore_guids: bool) -> Self {
        let mut claims = Self { of_entry: vec![None; keys.len()] };
        let mut owner: HashMap<EntryId, usize> = HashMap::new();
        for rung in LADDER {
            for (at, (entry, known)) in keys.iter().zip(known).enumerate() {
                if claims.of_entry[at].is_some() {
                    continue;
                }
                let Some(found) = rung(entry, known, ignore_guids) else { continue };
                let first = *owner.entry(found.id).or_insert(at);
                if first == at || is_twin(&keys[first], entry) {
                    claims.of_entry[at] = Some(found);
                }
            }
        }
        claims
    }

    fn identities(self, keys: &[EntryKeys], known: &[KnownByKey]) -> Vec<Identity> {
        let mut wording: HashMap<EntryId, Key> = HashMap::new();
        let mut beside = Beside::default();
        let mut identities = Vec::with_capacity(keys.len());
        for (at, claim) in self.of_entry.into_iter().enumerate() {
            let entry = &keys[at];
            identities.push(if let Some(found) = claim {
                let newness = match wording.get(&found.id).copied().or(found.revision) {
                    Some(before) if before != entry.revision => Newness::Revised,
                    _ => Newness::Known,
                };
                wording.insert(found.id, entry.revision);
                Identity::Same(found, newness)
            } else if let Some(first) = beside.twin(keys, entry) {
                let before = beside.wording.insert(first, entry.revision);
                let same = before == Some(entry.revision);
                Identity::Twin(first, if same { Newness::Known } else { Newness::Revised })
            } else {
                let telling = beside.telling(entry, &known[at]);
                beside.add(at, entry);
                Identity::New(telling)
            });
        }
        identities
    }
}

/// The new entries of the document so far, by what a later one may share.
#[derive(Default)]
struct Beside {
    by_guid: HashMap<Key, usize>,
    by_all: HashMap<Key, usize>,
    title_of_link: HashMap<Key, Key>,
    date_of_content: HashMap<Key, Option<Timestamp>>,
    wording: HashMap<usize, Key>,
}

impl Beside {
    fn twin(&self, keys: &[EntryKeys], entry: &EntryKeys) -> Option<usize> {
        let by_guid = entry.guid.and_then(|guid| self.by_guid.get(&guid));
        let by_all = self.by_all.get(&entry.last_resort);
        by_guid.into_iter().chain(by_all).copied().find(|at| is_twin(&keys[*at], entry))
    }

    /// Which keys of a new entry may choose its story.
    fn telling(&self, entry: &EntryKeys, known: &KnownByKey) -> Telling {
        let other_title = entry
            .link
            .and_then(|link| self.title_of_link.get(&link))
            .is_some_and(|t| *t != entry.title);
        let other_date = entry
            .content
            .and_then(|content| self.date_of_content.get(&content).copied())
            .is_some_and(|date| !may_be_one(date, entry.published));
        Telling {
            link: !other_title && known.link.as_ref().is_none_or(|k| k.title == entry.title.mark()),
            content: !other_date && known.content.as_ref().is_none_or(|k| repeats(entry, k)),
        }
    }

    fn add(&mut self, at: usize, entry: &EntryKeys) {
        if let Some(guid) = entry.guid {
            self.by_guid.insert(guid, at);
        }
        if let Some(link) = entry.link {
            self.title_of_link.insert(link, entry.title);
        }
        if let Some(content) = entry.content {
            self.date_of_content.insert(content, entry.published);
        }
        self.by_all.insert(entry.last_resort, at);
        self.wording.insert(at, entry.revision);
    }
}

/// The GUID decides, unless the feed used it again: with another link *and*
/// another title it is another entry.
fn by_guid(keys: &EntryKeys, known: &KnownByKey, ignore_guids: bool) -> Option<KnownEntry> {
    let reuses = |entry: &KnownEntry| entry.title != keys.title.mark() && is_elsewhere(keys, entry);
    known.guid.clone().filter(|entry| !ignore_guids && !reuses(entry))
}

fn by_link_and_title(keys: &EntryKeys, known: &KnownByKey, _: bool) -> Option<KnownEntry> {
    known.link.clone().filter(|entry| entry.title == keys.title.mark())
}

/// A link under another title is an edit, unless GUIDs say that it is not:
/// live pages keep their link over many stories.
fn by_link(keys: &EntryKeys, known: &KnownByKey, ignore_guids: bool) -> Option<KnownEntry> {
    known.link.clone().filter(|entry| ignore_guids || !both_have_guids(keys, entry))
}

/// The same words are the same entry, unless GUIDs differ and dates too: a
/// warning may come again in the same words.
fn by_content(keys: &EntryKeys, known: &KnownByKey, ignore_guids: bool) -> Option<KnownEntry> {
    known.content.clone().filter(|entry| {
        let distinct = is_elsewhere(keys, entry) || (!ignore_guids && both_have_guids(keys, entry));
        !distinct || repeats(keys, entry)
    })
}

fn is_elsewhere(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    entry.link.zip(keys.link).is_some_and(|(old, new)| old != new.mark())
}

fn both_have_guids(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    keys.guid.is_some() && entry.has_guid
}

/// Whether the claimed dates allow the two to be one.
pub(super) fn repeats(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    may_be_one(entry.published, keys.published)
}

fn may_be_one(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// Whether two entries of one document are one: they have one GUID, or
/// everything else is equal.
fn is_twin(first: &EntryKeys, second: &EntryKeys) -> bool {
    let one_guid = first.guid.is_some() && first.guid == second.guid;
    let reused = first.title != second.title
        && first.link.zip(second.link).is_some_and(|(one, other)| one != other);
    let all_equal = first.last_resort == second.last_resort && first.published == second.published;
    (one_guid && !reused) || all_equal
}
