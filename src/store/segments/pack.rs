//! Packing tombstones: what entries are recognised by moves from rows of their
//! own into a segment.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::rows::{mark, millis, optional_mark};
use super::format::Remembered;
use super::{New, Span};
use crate::model::Mark;

/// Tombstones of a feed that are packed without more ado. Many at once share the
/// pages that their keys are taken from.
const ENOUGH: i64 = 4_096;
/// Fewer are packed once the first of them has waited for so long.
const PATIENCE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Entries that were shown later are left alone. It is more than a touch takes to
/// become stale, so that whatever is shown again is seen to be.
const SETTLED: SignedDuration = SignedDuration::from_hours(48);
/// Tombstones taken at once.
const MOST: usize = 2 * ENOUGH as usize;
/// Entries of one segment.
const SEGMENT: usize = 512;
/// Keys or tombstones deleted between two looks at the clock.
const STRIDE: usize = 32;

/// Tombstones of a feed on their way into segments, a little at a time: first all
/// of them are written, then their rows go, keys in the order of their table.
#[derive(Debug)]
pub(in crate::store) struct Packing {
    feed: i64,
    /// What was shown since then is left alone.
    before: i64,
    /// What was not shown since then is forgotten, and not packed.
    remembered: i64,
    /// Still to be written, with when they were shown last; the first at the end.
    entries: Vec<(i64, Remembered)>,
    /// Of what was written: kinds, keys, and rows of the entries; the first at the end.
    keys: Vec<(i64, Mark, i64)>,
    /// Rows of what was written.
    tombstones: Vec<i64>,
    is_sorted: bool,
}

impl Packing {
    /// Finds a feed that has enough tombstones, or some that have waited for long;
    /// they come to be with the retention. What was shown last before `remembered`,
    /// in milliseconds since 1970, need not be known any more.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::store) fn find(
        db: &Connection,
        now: Timestamp,
        retention: SignedDuration,
        remembered: i64,
    ) -> rusqlite::Result<Option<Self>> {
        let ago = |span| millis(now.checked_sub(span).unwrap_or(Timestamp::UNIX_EPOCH));
        let before = ago(SETTLED);
        let feed = db
            .prepare_cached(
                "SELECT feed_id FROM tombstone WHERE last_seen < ?1 GROUP BY feed_id \
                 HAVING count(*) >= ?2 OR min(last_seen) < ?3 ORDER BY min(last_seen) LIMIT 1",
            )?
            .query_row(params![before, ENOUGH, ago(retention.saturating_add(PATIENCE))], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(feed) = feed else { return Ok(None) };
        let entries = read(db, feed, before)?;
        Ok(Some(Self {
            feed,
            before,
            remembered,
            entries,
            keys: Vec::new(),
            tombstones: Vec::new(),
            is_sorted: false,
        }))
    }

    /// Does a little of it. Returns how many tombstones went; breaks when nothing
    /// is left to do.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::store) fn step(
        &mut self,
        db: &Connection,
    ) -> rusqlite::Result<ControlFlow<(), usize>> {
        if !self.entries.is_empty() {
            self.write_some(db)?;
        } else if !self.keys.is_empty() {
            self.forget_keys(db)?;
        } else if !self.tombstones.is_empty() {
            return Ok(ControlFlow::Continue(self.forget_tombstones(db)?));
        } else {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(0))
    }

    /// Writes a segment of what is as it was when it was found.
    fn write_some(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut is_settled = db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1 AND last_seen < ?2)",
        )?;
        let mut has_key = db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entry_key WHERE feed_id = ?1 AND kind = ?2 \
             AND key = ?3 AND entry_id = ?4)",
        )?;
        let mut span = Span { oldest: i64::MAX, newest: i64::MIN };
        let mut settled = Vec::new();
        let rest = self.entries.len().saturating_sub(SEGMENT);
        for (last_seen, mut entry) in self.entries.split_off(rest) {
            if !is_settled.query_row([entry.id, self.before], |row| row.get(0))? {
                continue;
            }
            let mut keys = Vec::new();
            for (kind, key) in std::mem::take(&mut entry.keys) {
                if has_key.query_row(params![self.feed, kind, key.0, entry.id], |row| row.get(0))? {
                    keys.push((kind, key));
                }
            }
            self.keys.extend(keys.iter().map(|(kind, key)| (*kind, *key, entry.id)));
            self.tombstones.push(entry.id);
            // Without a key nothing leads to it.
            if !keys.is_empty() && last_seen >= self.remembered {
                span.oldest = span.oldest.min(last_seen);
                span.newest = span.newest.max(last_seen);
                settled.push(Remembered { keys, ..entry });
            }
        }
        settled.sort_by_key(|entry| entry.id);
        New::of(&settled, span).map_or(Ok(()), |new| new.insert(db, self.feed))
    }

    /// Keys that lie side by side go together.
    fn forget_keys(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if !self.is_sorted {
            self.keys.sort_unstable_by(|one, other| other.cmp(one));
            self.is_sorted = true;
        }
        let mut forget = db.prepare_cached(
            "DELETE FROM entry_key WHERE feed_id = ?1 AND kind = ?2 AND key = ?3 \
             AND entry_id = ?4 \
             AND EXISTS (SELECT 1 FROM tombstone WHERE id = ?4 AND last_seen < ?5)",
        )?;
        let rest = self.keys.len().saturating_sub(STRIDE);
        for (kind, key, id) in self.keys.split_off(rest) {
            forget.execute(params![self.feed, kind, key.0, id, self.before])?;
        }
        Ok(())
    }

    fn forget_tombstones(&mut self, db: &Connection) -> rusqlite::Result<usize> {
        let mut forget =
            db.prepare_cached("DELETE FROM tombstone WHERE id = ?1 AND last_seen < ?2")?;
        let rest = self.tombstones.len().saturating_sub(STRIDE);
        let some = self.tombstones.split_off(rest).into_iter();
        some.map(|id| forget.execute([id, self.before])).sum()
    }
}

/// Tombstones with their keys, which are found by reading all keys of the feed.
fn read(db: &Connection, feed: i64, before: i64) -> rusqlite::Result<Vec<(i64, Remembered)>> {
    let mut select = db.prepare_cached(
        "SELECT id, last_seen, published, has_guid, link_key, title_key FROM tombstone \
         WHERE feed_id = ?1 AND last_seen < ?2 ORDER BY last_seen LIMIT ?3",
    )?;
    let found = select.query_map(params![feed, before, MOST as i64], tombstone)?;
    let mut entries = found.collect::<rusqlite::Result<Vec<_>>>()?;
    // What is taken from the end is the oldest.
    entries.reverse();
    let mut places: HashMap<i64, usize> = HashMap::new();
    places.extend(entries.iter().enumerate().map(|(place, (_, entry))| (entry.id, place)));
    let mut select =
        db.prepare_cached("SELECT kind, key, entry_id FROM entry_key WHERE feed_id = ?")?;
    let mut rows = select.query([feed])?;
    while let Some(row) = rows.next()? {
        if let Some(place) = places.get(&row.get(2)?)
            && let Ok(key) = row.get::<_, Vec<u8>>(1)?.try_into()
        {
            entries[*place].1.keys.push((row.get(0)?, Mark(key)));
        }
    }
    Ok(entries)
}

fn tombstone(row: &Row<'_>) -> rusqlite::Result<(i64, Remembered)> {
    let entry = Remembered {
        id: row.get("id")?,
        has_guid: row.get("has_guid")?,
        published: row.get("published")?,
        link: optional_mark(row, "link_key")?,
        title: mark(row, "title_key")?,
        keys: Vec::new(),
    };
    Ok((row.get("last_seen")?, entry))
}
