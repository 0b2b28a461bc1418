//! The keys of an entry.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::extract::canonical_link;
use crate::model::{Entry, EntryKeys, FeedName, Key, StoryId};

/// Letters and digits that title and text must have together before equal
/// words mean an equal story: "Weather forecast" is told anew every day.
const TELLING_LETTERS: usize = 16;
/// The same for a title without a text.
const TELLING_TITLE: usize = 24;
/// Titles under one GUID in one document from which on it identifies nothing;
/// two are an entry and its correction.
const GUID_TITLES: usize = 3;
/// Digits of a number behind `#` in a GUID that counts edits.
const EDIT_DIGITS: usize = 4;

/// The keys of all entries of one document. Seen together because a link that
/// several of them share (a live page, the outlet's home) identifies none.
pub fn entry_keys(entries: &[Entry]) -> Vec<EntryKeys> {
    let links: Vec<Option<String>> =
        entries.iter().map(|entry| entry.url.as_deref().and_then(canonical_link)).collect();
    let shared = shared_links(entries, &links);
    let constant = constant_guids(entries);
    entries
        .iter()
        .zip(&links)
        .map(|(entry, link)| {
            let link = link.as_deref().filter(|link| !shared.contains(link));
            let guid = entry.guid.as_deref().filter(|guid| !constant.contains(guid));
            keys(entry, guid, link)
        })
        .collect()
}

/// Links that stand under several GUIDs, or several titles where there is none.
fn shared_links<'a>(entries: &'a [Entry], links: &'a [Option<String>]) -> HashSet<&'a str> {
    let mut owner: HashMap<&str, &str> = HashMap::new();
    let mut shared = HashSet::new();
    for (entry, link) in entries.iter().zip(links) {
        let Some(link) = link.as_deref() else { continue };
        let name = entry.guid.as_deref().unwrap_or(&entry.title);
        if *owner.entry(link).or_insert(name) != name {
            shared.insert(link);
        }
    }
    shared
}

/// GUIDs that a feed gives to everything.
fn constant_guids(entries: &[Entry]) -> HashSet<&str> {
    let mut titles: HashMap<&str, HashSet<&str>> = HashMap::new();
    for entry in entries {
        if let Some(guid) = entry.guid.as_deref() {
            titles.entry(guid).or_default().insert(&entry.title);
        }
    }
    titles.retain(|_, titles| titles.len() >= GUID_TITLES);
    titles.into_keys().collect()
}

fn keys(entry: &Entry, guid: Option<&str>, link: Option<&str>) -> EntryKeys {
    let (title, text) = (normal(&entry.title), normal(&entry.text));
    let telling =
        title.chars().chain(text.chars()).filter(|c| *c != ' ').map(weight).sum::<usize>();
    let enough = if text.is_empty() { TELLING_TITLE } else { TELLING_LETTERS };
    let content = hash("content", &[&title, &text]);
    let canonical = guid.map(|guid| canonical_guid(guid, entry.url.as_deref()));
    let differs = guid.filter(|guid| canonical.as_deref() != Some(guid));
    EntryKeys {
        guid: canonical.map(|guid| hash("guid", &[&guid])),
        stated_guid: differs.map(|guid| hash("guid", &[guid])),
        link: link.map(|link| hash("link", &[link])),
        content: (telling >= enough).then_some(content),
        revision: hash("revision", &[&entry.title, &entry.text]),
        title: hash("title", &[&title]),
        last_resort: hash("last", &[&title, &text, entry.url.as_deref().unwrap_or_default()]),
        published: entry.published,
    }
}

/// A GUID without what changes while the entry stays: where it is a URL,
/// scheme, `www.`, trailing slash and tracking parameters.
///
/// A fragment counts, because one page may hold many entries. A number that
/// was added to the entry's own link does not: some outlets count their edits
/// in it.
fn canonical_guid(guid: &str, link: Option<&str>) -> String {
    let Some(page) = canonical_link(guid) else { return guid.to_string() };
    let Some((_, fragment)) = guid.split_once('#').filter(|(_, f)| !f.is_empty()) else {
        return page;
    };
    let counts_edits = fragment.len() <= EDIT_DIGITS
        && fragment.bytes().all(|byte| byte.is_ascii_digit())
        && link.is_some_and(|link| {
            !link.contains('#') && canonical_link(link).as_deref() == Some(page.as_str())
        });
    if counts_edits || page.ends_with(fragment) { page } else { format!("{page}#{fragment}") }
}

/// A Han or Kana character says about as much as three Latin letters.
fn weight(c: char) -> usize {
    if ('\u{3040}'..='\u{9fff}').contains(&c) { 3 } else { 1 }
}

/// Lower-case letters and digits, everything else as one space: typography
/// and punctuation do not make another story.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if matches!(c, '\'' | '’') {
            // Dropped: "don't" and "dont" are one word in both spellings.
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A public id for a story that begins with this entry.
pub fn story_id(feed: &FeedName, keys: &EntryKeys) -> StoryId {
    let first = keys.guid.or(keys.link).unwrap_or(keys.last_resort);
    // Title, text and link are in it for feeds that re-use GUIDs: same key,
    // other story.
    let key = hash_bytes("story", &[feed.as_str().as_bytes(), &first.0, &keys.last_resort.0]);
    StoryId::new(format!("s{}", hex(&key.0[..8])))
}

/// A public id for a story that a user takes out of another one.
pub fn split_story_id(story: &StoryId, entries: &[i64]) -> StoryId {
    let entries: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    let key = hash_bytes("split", &[story.as_str().as_bytes(), &entries]);
    StoryId::new(format!("s{}", hex(&key.0[..8])))
}

fn hash(kind: &str, parts: &[&str]) -> Key {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    hash_bytes(kind, &parts)
}

fn hash_bytes(kind: &str, parts: &[&[u8]]) -> Key {
    let mut hasher = Sha256::new();
    hasher.update(kind.as_bytes());
    for part in parts {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize()[..16]);
    Key(key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
