//! What is stored under an entry's keys.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{mark, optional_key, optional_mark, optional_time};
use super::segments;
use crate::model::{
    AlertId, AlertState, EntryId, EntryKeys, Key, KnownByKey, KnownEntry, PastMatch, RuleName,
    StoryCandidate, StoryId,
};

/// What a row of `entry_key` is the hash of.
pub(super) const GUID: i64 = 1;
const LINK: i64 = 2;
const CONTENT: i64 = 3;

/// The keys under which an entry is found again, with their kinds.
pub(super) fn entry_keys(keys: &EntryKeys) -> impl Iterator<Item = (i64, Key)> {
    [(GUID, keys.guid), (LINK, keys.link), (CONTENT, Some(content(keys)))]
        .into_iter()
        .filter_map(|(kind, key)| Some((kind, key?)))
}

/// The last resort stands in for content: it names title, text and link.
fn content(keys: &EntryKeys) -> Key {
    keys.content.unwrap_or(keys.last_resort)
}

/// The entries of a feed that share a key with each of these.
pub(super) fn known_by_key(
    db: &Connection,
    feed: i64,
    keys: &[EntryKeys],
) -> rusqlite::Result<Vec<KnownByKey>> {
    let (mut known, mut missing) = (HashMap::new(), BTreeSet::new());
    let mut look = |kind: i64, key: Option<Key>| -> rusqlite::Result<bool> {
        let Some(key) = key else { return Ok(false) };
        let Some(entry) = known_entry(db, feed, kind, key)? else {
            missing.insert((kind, key.mark()));
            return Ok(false);
        };
        known.insert((kind, key.mark()), entry);
        Ok(true)
    };
    for keys in keys {
        if !look(GUID, keys.guid)? {
            look(GUID, keys.stated_guid)?;
        }
        look(LINK, keys.link)?;
        look(CONTENT, Some(content(keys)))?;
    }
    known.extend(segments::find(db, feed, missing)?);
    let get = |kind: i64, key: Option<Key>| known.get(&(kind, key?.mark())).cloned();
    let by_key = |keys: &EntryKeys| KnownByKey {
        guid: get(GUID, keys.guid).or_else(|| get(GUID, keys.stated_guid)),
        link: get(LINK, keys.link),
        content: get(CONTENT, Some(content(keys))),
    };
    Ok(keys.iter().map(by_key).collect())
}

/// An entry under one key; of one whose texts were forgotten, what stayed.
fn known_entry(
    db: &Connection,
    feed: i64,
    kind: i64,
    key: Key,
) -> rusqlite::Result<Option<KnownEntry>> {
    let stored = db
        .prepare_cached(
            "SELECT entry.id, guid IS NOT NULL AS has_guid, published, link_key, title_key, \
             revision_key, story.uid FROM entry_key \
             JOIN entry ON entry.id = entry_key.entry_id JOIN story ON story.id = entry.story_id \
             WHERE entry_key.feed_id = ?1 AND entry_key.kind = ?2 AND entry_key.key = ?3",
        )?
        .query_row(params![feed, kind, key.mark().0], to_known)
        .optional()?;
    if stored.is_some() {
        return Ok(stored);
    }
    db.prepare_cached(
        "SELECT tombstone.id, has_guid, published, link_key, title_key, \
         NULL AS revision_key, NULL AS uid FROM entry_key \
         JOIN tombstone ON tombstone.id = entry_key.entry_id \
         WHERE entry_key.feed_id = ?1 AND entry_key.kind = ?2 AND entry_key.key = ?3",
    )?
    .query_row(params![feed, kind, key.mark().0], to_known)
    .optional()
}

fn to_known(row: &Row<'_>) -> rusqlite::Result<KnownEntry> {
    Ok(KnownEntry {
        id: EntryId(row.get("id")?),
        story: row.get::<_, Option<String>>("uid")?.map(StoryId::new),
        link: optional_mark(row, "link_key")?,
        title: mark(row, "title_key")?,
        revision: optional_key(row, "revision_key")?,
        has_guid: row.get("has_guid")?,
        published: optional_time(row, "published")?,
    })
}

/// Whether the feed had an entry of this title.
pub(super) fn has_title(db: &Connection, feed: i64, title: Key) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM entry WHERE feed_id = ?1 AND title_key = ?2)")?
        .query_row(params![feed, title.0], |row| row.get(0))
}

/// A story with the rules it matched.
pub(super) fn candidate(db: &Connection, story: i64) -> rusqlite::Result<Option<StoryCandidate>> {
    let sql = "SELECT uid, (SELECT count(*) FROM story_edit WHERE story = uid) FROM story \
               WHERE id = ?";
    let found: Option<(String, u32)> = db
        .prepare_cached(sql)?
        .query_row([story], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((uid, edits)) = found else { return Ok(None) };
    let mut select = db.prepare_cached(
        "SELECT rule, alert.uid, state, entry_id, match.title, coalesce(sources, 1) AS sources, \
         NOT EXISTS (SELECT 1 FROM delivery WHERE alert_id = alert.id AND role = 'alert' \
             AND state = 'waiting' AND first_try IS NULL) \
           OR EXISTS (SELECT 1 FROM delivery WHERE alert_id = alert.id \
             AND (outlets IS NOT NULL OR state = 'gathered')) \
           AS out \
         FROM match LEFT JOIN alert ON alert.match_id = match.id WHERE story_id = ? \
         ORDER BY match.id",
    )?;
    let matched = select.query_map([story], past_match)?;
    Ok(Some(StoryCandidate {
        id: StoryId::new(uid),
        edits,
        matched: matched.collect::<Result<_, _>>()?,
    }))
}

fn past_match(row: &Row<'_>) -> rusqlite::Result<PastMatch> {
    let state: String = row.get("state")?;
    Ok(PastMatch {
        rule: RuleName::new(row.get::<_, String>("rule")?),
        alert: row.get::<_, Option<String>>("uid")?.map(AlertId::new),
        state: AlertState::from_word(&state).unwrap_or(AlertState::OldNews),
        entry: EntryId(row.get("entry_id")?),
        title: row.get("title")?,
        sources: row.get("sources")?,
        out: row.get("out")?,
    })
}
