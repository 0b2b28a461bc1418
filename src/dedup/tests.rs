//! The decision table of docs/decisions/identity.md, and what documents as a
//! whole tell.

use jiff::Timestamp;

use super::*;
use crate::model::{
    Entry, EntryId, EntryKeys, FeedName, FeedPast, Guids, Identity, Key, KnownByKey, KnownEntry,
    Newness, Recognised,
};

const LINK: &str = "https://example.org/1";
const OTHER: &str = "https://example.org/2";

fn entry(guid: &str, url: &str, title: &str) -> Entry {
    Entry {
        guid: Some(guid.to_string()).filter(|g| !g.is_empty()),
        url: Some(url.to_string()).filter(|u| !u.is_empty()),
        title: title.to_string(),
        text: "The ministers did not meet in Singapore this week.".to_string(),
        ..Entry::default()
    }
}

fn on(day: &str, entry: Entry) -> Entry {
    Entry { published: Some(at(&format!("2026-11-{day}T10:00:00Z"))), ..entry }
}

fn at(when: &str) -> Timestamp {
    when.parse().unwrap()
}

fn past(guids: Guids) -> FeedPast {
    FeedPast {
        baselined: true,
        unfinished: false,
        guids,
        guid_signs: 0,
        last_document: Some(at("2026-11-10T12:00:00Z")),
        newest_date: Some(at("2026-11-09T10:00:00Z")),
    }
}

/// What a store says that holds the entries of `first` and sees `second`.
fn known(first: &[EntryKeys], second: &[EntryKeys]) -> Vec<KnownByKey> {
    let find = |key: Option<Key>, of: fn(&EntryKeys) -> Option<Key>| {
        let at = first.iter().rposition(|old| key.is_some() && of(old) == key)?;
        Some(KnownEntry {
            id: EntryId(at as i64 + 1),
            story: Some(StoryId::new(format!("s{at}"))),
            link: first[at].link.map(Key::mark),
            title: first[at].title.mark(),
            revision: Some(first[at].revision),
            has_guid: first[at].guid.is_some(),
            published: first[at].published,
        })
    };
    let content = |keys: &EntryKeys| Some(keys.content.unwrap_or(keys.last_resort));
    second
        .iter()
        .map(|keys| KnownByKey {
            guid: find(keys.guid, |old| old.guid),
            link: find(keys.link, |old| old.link),
            content: find(content(keys), content),
        })
        .collect()
}

fn show(first: &[Entry], second: &[Entry], past: &FeedPast) -> Recognised {
    let (first, second) = (entry_keys(first), entry_keys(second));
    let known = known(&first, &second);
    recognise(&second, known, past)
}

fn newness(identity: &Identity) -> Newness {
    match identity {
        Identity::New(_) => Newness::New,
        Identity::Same(_, newness) | Identity::Twin(_, newness) => *newness,
    }
}

fn found(recognised: &Recognised) -> Vec<Newness> {
    recognised.identities.iter().map(newness).collect()
}

/// Stores `first`, shows `second`, and says what becomes of it where GUIDs are
/// trusted and where they are random.
fn check(first: &Entry, second: &Entry, expected: (Newness, Newness)) {
    for (guids, expected) in [(Guids::Trusted, expected.0), (Guids::Random, expected.1)] {
        let (first, second) = (std::slice::from_ref(first), std::slice::from_ref(second));
        let shown = show(first, second, &past(guids));
        assert_eq!(found(&shown), [expected], "{guids:?}: {first:?} then {second:?}");
    }
}

#[test]
fn an_entry_is_recognised_as_the_decision_table_says() {
    use Newness::{Known, New, Revised};
    let first = on("03", entry("g1", LINK, "Talks end"));
    // What the feed shows now, and what becomes of it (trusted, random).
    for (guid, url, title, day, expected) in [
        ("g1", LINK, "Talks end", "03", (Known, Known)),
        ("g1", LINK, "Talks fail", "03", (Revised, Revised)),
        ("g1", OTHER, "Talks end", "03", (Known, Known)),
        ("g1", OTHER, "Talks fail", "03", (New, New)),
        ("g1", "", "Talks fail", "03", (Revised, New)),
        ("g2", LINK, "Talks end", "03", (Known, Known)),
        ("g2", "http://www.example.org/1/?utm_id=4", "Talks end", "04", (Known, Known)),
        ("g2", LINK, "Talks fail", "03", (New, Revised)),
        ("g2", OTHER, "Talks end", "03", (Known, Known)),
        ("g2", OTHER, "Talks end", "05", (New, New)),
        ("g2", OTHER, "Talks fail", "03", (New, New)),
        ("", LINK, "Talks fail", "03", (Revised, Revised)),
        ("", OTHER, "Talks end", "03", (Known, Known)),
        ("", OTHER, "Talks end", "05", (New, New)),
    ] {
        check(&first, &on(day, entry(guid, url, title)), expected);
    }
}

#[test]
fn without_guid_and_link_the_words_decide_whatever_the_date() {
    let first = on("03", entry("", "", "Talks end"));
    check(&first, &on("04", first.clone()), (Newness::Known, Newness::Known));
    check(&first, &entry("", "", "Talks fail"), (Newness::New, Newness::New));
}

#[test]
fn a_guid_that_is_a_url_is_compared_as_a_link() {
    let title = "Talks fail";
    for (old, new, url, same) in [
        ("http://www.example.org/a/", "https://example.org/a?utm_source=rss", "", true),
        ("https://example.org/a", "https://example.org/b", "", false),
        ("https://example.org/p#one", "https://example.org/p#two", "", false),
        // A number behind the entry's own link counts its edits.
        ("https://example.org/a#1", "https://example.org/a#2", "https://example.org/a", true),
        ("https://example.org/a#1", "https://example.org/a#2", "", false),
    ] {
        let expected = if same { Newness::Revised } else { Newness::New };
        let shown =
            show(&[entry(old, url, "Talks end")], &[entry(new, url, title)], &past(Guids::Trusted));
        assert_eq!(found(&shown), [expected], "{old} then {new}");
    }
}

#[test]
fn an_entry_whose_texts_were_forgotten_is_known_whatever_it_says_now() {
    let keys = entry_keys(&[entry("g1", LINK, "Talks fail")]);
    let mut known = known(&entry_keys(&[entry("g1", LINK, "Talks end")]), &keys);
    let forgotten = |entry: KnownEntry| KnownEntry { story: None, revision: None, ..entry };
    known[0].guid = known[0].guid.take().map(forgotten);
    known[0].link = known[0].link.take().map(forgotten);
    assert_eq!(found(&recognise(&keys, known, &past(Guids::Trusted))), [Newness::Known]);
}

#[test]
fn two_entries_of_one_document_are_one_only_if_their_guid_or_all_of_them_is_equal() {
    use Newness::{Known, New, Revised};
    let first = on("03", entry("g1", LINK, "Talks end"));
    for (second, expected) in [
        (on("03", entry("g1", LINK, "Talks end")), Known),
        (on("03", entry("g1", LINK, "Talks fail")), Revised),
        (on("03", entry("g1", OTHER, "Talks fail")), New),
        (on("03", entry("g2", LINK, "Talks end")), Known),
        (on("04", entry("g2", LINK, "Talks end")), New),
        (on("03", entry("g2", OTHER, "Talks end")), New),
        (on("03", entry("g2", LINK, "Talks fail")), New),
    ] {
        let both = [first.clone(), second];
        assert_eq!(found(&show(&[], &both, &past(Guids::Trusted))), [New, expected], "{both:?}");
    }
}

#[test]
fn an_entry_beside_a_known_one_is_not_taken_for_it() {
    let live = on("03", entry("live", LINK, "Talks end"));
    let article = on("03", entry("article", OTHER, "Talks end"));
    let shown =
        show(std::slice::from_ref(&live), &[article.clone(), live.clone()], &past(Guids::Trusted));
    assert_eq!(found(&shown), [Newness::New, Newness::Known]);
    // Alone it is: the outlet gave the article another address.
    let shown = show(&[live], &[article], &past(Guids::Trusted));
    assert_eq!(found(&shown), [Newness::Known]);
}

#[test]
fn words_that_the_feed_had_on_another_day_do_not_choose_the_story() {
    let first = on("03", entry("g1", LINK, "Air raid alert"));
    let again = on("05", entry("g2", OTHER, "Air raid alert"));
    let shown =
        show(std::slice::from_ref(&first), std::slice::from_ref(&again), &past(Guids::Trusted));
    assert!(matches!(shown.identities[0], Identity::New(telling) if !telling.content));
    let shown = show(&[], &[first, again], &past(Guids::Trusted));
    assert!(matches!(shown.identities[0], Identity::New(telling) if telling.content));
    assert!(matches!(shown.identities[1], Identity::New(telling) if !telling.content));
}

fn many(count: usize, guid: &str, host: &str) -> Vec<Entry> {
    (0..count)
        .map(|n| {
            let url = format!("https://{host}/{n}");
            on("09", entry(&format!("{guid}{n}"), &url, &format!("Talks of round {n} end")))
        })
        .collect()
}

#[test]
fn guids_that_change_with_every_document_are_noticed_and_trusted_again_when_stable() {
    let mut past = past(Guids::Trusted);
    let host = "example.org";
    let mut step = |old: &str, new: &str, expected: (Guids, u32)| {
        let shown = show(&many(4, old, host), &many(4, new, host), &past);
        assert!(found(&shown).iter().all(|newness| *newness == Newness::Known));
        (past.guids, past.guid_signs) = (shown.guids, shown.guid_signs);
        assert_eq!((shown.guids, shown.guid_signs), expected, "{old} then {new}");
    };
    step("a", "b", (Guids::Trusted, 1));
    step("b", "b", (Guids::Trusted, 0));
    step("b", "c", (Guids::Trusted, 1));
    step("c", "d", (Guids::Random, 0));
    step("d", "e", (Guids::Random, 0));
    step("e", "e", (Guids::Random, 1));
    step("e", "e", (Guids::Trusted, 0));
}

#[test]
fn the_first_document_of_new_guids_takes_an_edited_headline_for_an_edit() {
    let mut now = many(4, "b", "example.org");
    now[2].title = "Talks fail".to_string();
    let shown = show(&many(4, "a", "example.org"), &now, &past(Guids::Trusted));
    assert_eq!(found(&shown)[2], Newness::Revised);
}

/// Shows `now` to a feed that had the titles of `before`; how many are held.
fn held(before: &[Entry], now: &[Entry]) -> usize {
    let past = past(Guids::Trusted);
    let (old, new) = (entry_keys(before), entry_keys(now));
    let shown = recognise(&new, known(&old, &new), &past);
    if !shown.suspicious {
        return 0;
    }
    let titles: Vec<bool> =
        new.iter().map(|keys| old.iter().any(|old| old.title == keys.title)).collect();
    let held = old_in_new_clothes(&new, &shown.identities, &titles, &past);
    held.iter().filter(|held| **held).count()
}

#[test]
fn what_looks_old_is_held_only_where_most_of_the_feed_looks_new() {
    let before = many(10, "a", "example.org");
    let dated = |entries: Vec<Entry>, published: Option<&str>| -> Vec<Entry> {
        let published = published.map(at);
        entries.into_iter().map(|entry| Entry { published, ..entry }).collect()
    };
    let reworded = |entries: Vec<Entry>| -> Vec<Entry> {
        entries.into_iter().map(|e| Entry { text: "Other words.".to_string(), ..e }).collect()
    };
    let other = |count: usize| -> Vec<Entry> {
        (0..count)
            .map(|n| {
                let url = format!("https://new.example/{n}");
                entry(&format!("n{n}"), &url, &format!("Ferry {n} arrives"))
            })
            .collect()
    };
    let moved = || reworded(many(10, "b", "new.example"));
    for (what, now, expected) in [
        ("GUID, link and text changed", moved(), 10),
        ("the same, with dates of today", dated(moved(), Some("2026-11-10T12:30:00Z")), 10),
        ("the same, undated", dated(moved(), None), 10),
        ("a burst while we were away", dated(other(10), Some("2026-11-10T12:30:00Z")), 0),
        ("a burst without dates", other(10), 0),
        ("a burst with dates of 1970", dated(other(10), Some("1970-01-01T00:00:00Z")), 0),
        ("an archive", dated(other(10), Some("2019-01-01T00:00:00Z")), 10),
        ("what a stale cache kept back", dated(other(10), Some("2026-11-09T11:00:00Z")), 0),
        ("four old entries alone", dated(other(4), Some("2019-01-01T00:00:00Z")), 0),
    ] {
        assert_eq!(held(&before, &now), expected, "{what}");
    }
    let mixed: Vec<Entry> =
        moved().into_iter().chain(dated(other(8), Some("2026-11-10T12:30:00Z"))).collect();
    assert_eq!(held(&before, &mixed), 10, "news beside a change is told");
    let few: Vec<Entry> =
        before.iter().cloned().chain(dated(other(6), Some("2019-01-01T00:00:00Z"))).collect();
    assert_eq!(held(&before, &few), 0, "old dates among known entries delay nothing");
}

#[test]
fn links_shared_within_a_document_do_not_identify() {
    let live = "https://example.org/live";
    let both = [entry("1", live, "Ferry sinks"), entry("2", live, "Talks end")];
    assert!(entry_keys(&both).iter().all(|keys| keys.link.is_none()));
}

#[test]
fn two_versions_of_one_entry_in_a_document_keep_their_link() {
    let both = [entry("1", LINK, "Ferry sinks, 4 dead"), entry("1", LINK, "Ferry sinks, 5 dead")];
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

#[test]
fn what_stood_below_the_break_of_a_first_document_was_there_before() {
    let dated = |day: &str, n: u32| {
        on(day, entry(&n.to_string(), &format!("https://example.org/{n}"), &format!("Number {n}")))
    };
    // The first document showed 3 and broke off; the oldest comes first.
    let first = entry_keys(&[dated("09", 3)]);
    let second = entry_keys(&[
        dated("08", 1),
        dated("11", 2),
        dated("09", 3),
        dated("09", 4),
        dated("11", 5),
    ]);
    let check = |unfinished, shown: &[EntryKeys], expected: [bool; 5]| {
        let past = FeedPast { unfinished, ..past(Guids::Trusted) };
        let identities = recognise(&second, known(shown, &second), &past).identities;
        assert_eq!(rest_of_the_first(&second, &identities, &past), expected);
    };
    check(true, &first, [true, false, false, false, false]);
    check(false, &first, [false; 5]);
    // Nothing known: only a date can say that an entry is new.
    check(true, &[], [true, false, true, true, false]);
}
