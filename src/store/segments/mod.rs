//! What forgotten entries are recognised by, packed into segments: each entry
//! takes a third of what rows of its own would.
//!
//! A segment is never changed. What is found in one and shown by its feed gets
//! rows again, which come first; so a segment can be forgotten as a whole.
//! A part that cannot be read makes the look-up fail as damage to the database
//! does: to go on would tell old news. `recover` keeps what can be read.

mod find;
mod format;
mod mend;
mod merge;
mod pack;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::lookup::GUID;
use crate::model::Mark;

use format::{Damaged, ENTRIES, Part, Remembered};

pub(super) use find::find;
pub(super) use mend::mend;
pub(super) use merge::Merging;
pub(super) use pack::Packing;

impl Damaged {
    fn of(self, segment: i64) -> rusqlite::Error {
        let reason = format!("what is remembered of forgotten entries is damaged ({segment})");
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        rusqlite::Error::SqliteFailure(code, Some(reason))
    }
}

/// The GUIDs that a feed's segments know do not count any more.
///
/// # Errors
/// When the database fails.
pub(super) fn forget_guids(db: &Connection, feed: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE segment SET guids = 0 WHERE feed_id = ? AND guids = 1")?
        .execute([feed])?;
    Ok(())
}

/// Segments whose feed showed nothing of them since then.
///
/// # Errors
/// When the database fails.
pub(super) fn expired(db: &Connection, before: i64) -> rusqlite::Result<Vec<i64>> {
    let mut select = db.prepare_cached("SELECT id FROM segment WHERE newest < ?")?;
    select.query_map([before], |row| row.get(0))?.collect()
}

/// Forgets a segment as a whole. Returns how many entries it had.
///
/// # Errors
/// When the database fails.
pub(super) fn forget(db: &Connection, segment: i64) -> rusqlite::Result<usize> {
    let entries = db
        .prepare_cached("DELETE FROM segment WHERE id = ? RETURNING entries")?
        .query_row([segment], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(entries.and_then(|entries| usize::try_from(entries).ok()).unwrap_or(0))
}

/// When entries were shown last, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Span {
    oldest: i64,
    newest: i64,
}

/// A segment that is still to be stored.
#[derive(Debug)]
struct New {
    entries: usize,
    /// The highest number of its entries.
    last: i64,
    span: Span,
    parts: Vec<Part>,
}

impl New {
    /// A segment of these entries, if there are any.
    fn of(entries: &[Remembered], span: Span) -> Option<Self> {
        let last = entries.iter().map(|entry| entry.id).max()?;
        Some(Self { entries: entries.len(), last, span, parts: format::encode(entries) })
    }

    fn insert(&self, db: &Connection, feed: i64) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT INTO segment (feed_id, entries, last_entry, oldest, newest) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            feed,
            self.entries as i64,
            self.last,
            self.span.oldest,
            self.span.newest
        ])?;
        insert_parts(db, db.last_insert_rowid(), &self.parts)
    }
}

fn insert_parts(db: &Connection, segment: i64, parts: &[Part]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO segment_part (segment_id, kind, first, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for part in parts {
        insert.execute(params![segment, part.kind, part.first, part.body])?;
    }
    Ok(())
}

/// All of a segment, as far as it can be read.
#[derive(Default)]
struct Loaded {
    /// By their places.
    entries: BTreeMap<u64, Remembered>,
    /// Kinds, keys, and the places of the entries that they lead to.
    keys: Vec<(i64, Mark, u64)>,
    is_damaged: bool,
}

impl Loaded {
    fn of(db: &Connection, segment: i64) -> rusqlite::Result<Self> {
        let mut loaded = Self::default();
        let mut select = db.prepare_cached(
            "SELECT kind, first, body FROM segment_part WHERE segment_id = ? ORDER BY kind, first",
        )?;
        let mut rows = select.query([segment])?;
        while let Some(row) = rows.next()? {
            let read = loaded.add(row.get(0)?, row.get(1)?, row.get(2)?);
            loaded.is_damaged |= read.is_err();
        }
        let entries = &loaded.entries;
        loaded.is_damaged |= loaded.keys.iter().any(|(_, _, place)| !entries.contains_key(place));
        Ok(loaded)
    }

    fn add(&mut self, kind: i64, first: Vec<u8>, body: Vec<u8>) -> Result<(), Damaged> {
        if kind == ENTRIES {
            let first = u64::from_be_bytes(first.try_into().map_err(|_| Damaged)?);
            self.entries.extend((first..).zip(format::entries(&body)?));
        } else {
            let pairs = format::pairs(&body)?.into_iter();
            self.keys.extend(pairs.map(|(key, place)| (kind, key, u64::from(place))));
        }
        Ok(())
    }

    /// The entries with their keys, without keys of a kind that does not count.
    fn into_entries(mut self, guids: bool) -> Vec<Remembered> {
        for (kind, key, place) in self.keys {
            if let Some(entry) = self.entries.get_mut(&place)
                && (guids || kind != GUID)
            {
                entry.keys.push((kind, key));
            }
        }
        self.entries.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
