//! What is stored under an entry's keys.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{key, optional_key, optional_time};
use crate::model::{
    AlertId, EntryId, EntryKeys, Key, KnownByKey, KnownEntry, RuleName, StoryCandidate, StoryId,
};

/// The keys under which an entry is found again, with their kinds.
pub(super) fn entry_keys(keys: &EntryKeys) -> impl Iterator<Item = (&'static str, Key)> {
    // The last resort stands in for content: it names title, text and link.
    let content = keys.content.unwrap_or(keys.last_resort);
    [("guid", keys.guid), ("link", keys.link), ("content", Some(content))]
        .into_iter()
        .filter_map(|(kind, key)| Some((kind, key?)))
}

/// The entries of a feed that share a key with an entry.
pub(super) fn known_by_key(
    db: &Connection,
    feed: i64,
    keys: &EntryKeys,
) -> rusqlite::Result<KnownByKey> {
    let mut found = KnownByKey::default();
    let mut select = db.prepare_cached(
        "SELECT entry.id, guid, published, link_key, title_key, revision_key, story.uid \
         FROM entry_key \
         JOIN entry ON entry.id = entry_key.entry_id JOIN story ON story.id = entry.story_id \
         WHERE entry_key.feed_id = ?1 AND entry_key.kind = ?2 AND entry_key.key = ?3",
    )?;
    for (kind, key) in entry_keys(keys) {
        let entry = select.query_row(params![feed, kind, key.0], known_entry).optional()?;
        match kind {
            "guid" => found.guid = entry,
            "link" => found.link = entry,
            _ => found.content = entry,
        }
    }
    Ok(found)
}

fn known_entry(row: &Row<'_>) -> rusqlite::Result<KnownEntry> {
    Ok(KnownEntry {
        id: EntryId(row.get("id")?),
        story: StoryId::new(row.get::<_, String>("uid")?),
        link: optional_key(row, "link_key")?,
        title: key(row, "title_key")?,
        revision: key(row, "revision_key")?,
        has_guid: row.get::<_, Option<String>>("guid")?.is_some(),
        published: optional_time(row, "published")?,
    })
}

/// A story with the rules it matched.
pub(super) fn candidate(db: &Connection, story: i64) -> rusqlite::Result<Option<StoryCandidate>> {
    let uid: Option<String> = db
        .prepare_cached("SELECT uid FROM story WHERE id = ?")?
        .query_row([story], |row| row.get(0))
        .optional()?;
    let Some(uid) = uid else { return Ok(None) };
    let mut select = db.prepare_cached(
        "SELECT rule, alert.uid FROM match LEFT JOIN alert ON alert.match_id = match.id \
         WHERE story_id = ?",
    )?;
    let matched = select.query_map([story], |row| {
        let alert: Option<String> = row.get(1)?;
        Ok((RuleName::new(row.get::<_, String>(0)?), alert.map(AlertId::new)))
    })?;
    Ok(Some(StoryCandidate { id: StoryId::new(uid), matched: matched.collect::<Result<_, _>>()? }))
}
