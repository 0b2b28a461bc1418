//! Is this entry known? Which story does it belong to? Pure.
//!
//! The answers come from keys: hashes of GUID, canonical link, and normalised
//! title and text. See docs/decisions/identity.md for why each counts.

mod keys;

use crate::model::{
    EntryKeys, Identity, KnownByKey, KnownEntry, Newness, StoriesByKey, StoryCandidate, StoryId,
    StoryRef,
};

pub use keys::{entry_keys, story_id};

/// Recognises an entry.
///
/// A known GUID decides, unless the feed re-used it: the same GUID with
/// another link *and* another title is another entry.
///
/// An unknown GUID may still be a known entry, in a feed that changed its
/// GUIDs. Then link and title must be as before; or title and text, and the
/// date where both give one. Less would swallow news: some feeds link every
/// item to one page, and a warning may come again in the same words.
pub fn identify(keys: &EntryKeys, known: KnownByKey) -> Identity {
    let by_guid = known.guid.filter(|entry| !reuses_guid(keys, entry));
    let by_link =
        known.link.filter(|entry| !both_have_guids(keys, entry) || entry.title == keys.title);
    let by_content =
        known.content.filter(|entry| !both_have_guids(keys, entry) || repeats(keys, entry));
    match by_guid.or(by_link).or(by_content) {
        None => Identity::New,
        Some(entry) if entry.revision == keys.revision => Identity::Same(entry, Newness::Known),
        Some(entry) => Identity::Same(entry, Newness::Revised),
    }
}

fn reuses_guid(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    entry.title != keys.title && entry.link.zip(keys.link).is_some_and(|(old, new)| old != new)
}

fn both_have_guids(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    keys.guid.is_some() && entry.has_guid
}

fn repeats(keys: &EntryKeys, entry: &KnownEntry) -> bool {
    entry.published.zip(keys.published).is_none_or(|(old, new)| old == new)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, EntryId, FeedName, Key};

    fn entry(guid: &str, url: &str, title: &str) -> Entry {
        Entry {
            guid: Some(guid.to_string()).filter(|g| !g.is_empty()),
            url: Some(url.to_string()).filter(|u| !u.is_empty()),
            title: title.to_string(),
            text: "The ministers did not meet in Singapore this week.".to_string(),
            ..Entry::default()
        }
    }

    fn stored(keys: &EntryKeys) -> KnownEntry {
        KnownEntry {
            id: EntryId(1),
            story: StoryId::new("s1"),
            link: keys.link,
            title: keys.title,
            revision: keys.revision,
            has_guid: keys.guid.is_some(),
            published: keys.published,
        }
    }

    /// Stores `first`, shows `second`, and says what identity makes of it.
    fn check(first: &Entry, second: &Entry, expected: Option<Newness>) {
        let (old, new) = (
            entry_keys(std::slice::from_ref(first)).remove(0),
            entry_keys(std::slice::from_ref(second)).remove(0),
        );
        let hit = |a: Option<Key>, b: Option<Key>| (a.is_some() && a == b).then(|| stored(&old));
        let known = KnownByKey {
            guid: hit(old.guid, new.guid),
            link: hit(old.link, new.link),
            content: hit(old.content, new.content),
        };
        let found = match identify(&new, known) {
            Identity::New => None,
            Identity::Same(_, newness) => Some(newness),
        };
        assert_eq!(found, expected, "{first:?} then {second:?}");
    }

    #[test]
    fn the_same_entry_is_recognised_by_any_of_its_keys() {
        let first = entry("g1", "https://example.org/1", "Talks end");
        check(&first, &first.clone(), Some(Newness::Known));
        check(&first, &entry("g1", "https://example.org/1", "Talks fail"), Some(Newness::Revised));
        check(
            &first,
            &entry("g2", "https://example.org/1?utm_id=4", "Talks end"),
            Some(Newness::Known),
        );
        check(&first, &entry("g2", "https://example.org/2", "Talks end"), Some(Newness::Known));
        check(&first, &entry("g1", "https://example.org/2", "Talks end"), Some(Newness::Known));
    }

    #[test]
    fn the_same_link_under_another_guid_and_title_is_news() {
        let first = entry("g1", "https://example.org/warnings", "Storm warning for Crete");
        check(&first, &entry("g2", "https://example.org/warnings", "Flood warning for Evia"), None);
        let nameless = entry("", "https://example.org/warnings", "Flood warning for Evia");
        check(&first, &nameless, Some(Newness::Revised));
    }

    #[test]
    fn the_same_words_on_another_day_are_news_and_on_the_same_day_are_not() {
        let on = |guid: &str, url: &str, day: &str| Entry {
            published: Some(format!("2026-11-{day}T10:00:00Z").parse().unwrap()),
            ..entry(guid, url, "Air raid alert in the region")
        };
        let first = on("g1", "https://example.org/1", "03");
        check(&first, &on("g2", "https://example.org/2", "05"), None);
        check(&first, &on("g2", "https://example.org/2", "03"), Some(Newness::Known));
    }

    #[test]
    fn a_reused_guid_is_another_entry() {
        let first = entry("latest", "https://example.org/1", "Talks end");
        check(&first, &entry("latest", "https://example.org/2", "Ferry sinks off Crete"), None);
    }

    #[test]
    fn links_shared_within_a_document_do_not_identify() {
        let both = [
            entry("1", "https://example.org/live", "Ferry sinks"),
            entry("2", "https://example.org/live", "Talks end"),
        ];
        assert!(entry_keys(&both).iter().all(|keys| keys.link.is_none()));
    }

    #[test]
    fn two_versions_of_one_entry_in_a_document_keep_their_link() {
        let both = [
            entry("1", "https://example.org/a", "Ferry sinks, 4 dead"),
            entry("1", "https://example.org/a", "Ferry sinks, 5 dead"),
        ];
        assert!(entry_keys(&both).iter().all(|keys| keys.link.is_some()));
    }

    #[test]
    fn a_guid_that_everything_has_identifies_nothing() {
        let titles = ["Ferry sinks", "Talks end", "Bridge opens"];
        let all = titles.map(|title| entry("same", "", title));
        assert!(entry_keys(&all).iter().all(|keys| keys.guid.is_none()));
        assert!(entry_keys(&all[..2]).iter().all(|keys| keys.guid.is_some()));
    }

    #[test]
    fn short_words_alone_make_no_story() {
        let mut short = entry("", "", "Weather forecast");
        short.text.clear();
        assert_eq!(entry_keys(&[short])[0].content, None);
    }

    #[test]
    fn a_story_id_is_the_same_for_the_same_first_entry() {
        let keys = entry_keys(&[entry("g", "", "t")]).remove(0);
        let id = story_id(&FeedName::new("wire"), &keys);
        assert_eq!(id, story_id(&FeedName::new("wire"), &keys));
        assert_ne!(id, story_id(&FeedName::new("other"), &keys));
        assert_eq!(id.as_str().len(), 17);
    }
}
