//! Merging segments, so that a look-up has few to look into.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension};

use super::format::{MOST_ENTRIES, Remembered};
use super::{Damaged, Loaded, New, Span, forget};
use crate::model::Mark;

/// Neighbours that become one, at the most and at the least.
const SOME: [usize; 3] = [4, 3, 2];
/// Entries of a merged segment: it is written in one transaction.
const LARGEST: i64 = 1 << 14;
/// The last entry of a segment decides when it is forgotten, so what it has is
/// not much older.
const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

const _: () = assert!(LARGEST <= MOST_ENTRIES as i64);

/// Segments of a feed, and what takes their place.
#[derive(Debug)]
pub(in crate::store) struct Merging {
    feed: i64,
    /// Rows, and whether the GUIDs of each count.
    sources: Vec<(i64, bool)>,
    /// Put together beforehand, so that nobody waits for it; none if nothing of
    /// them counts any more.
    new: Option<New>,
}

/// A segment, without what is in it.
#[derive(Clone, Copy)]
struct Listed {
    id: i64,
    feed: i64,
    entries: i64,
    span: Span,
    guids: bool,
}

impl Merging {
    /// Finds some segments that should be one, and reads them.
    ///
    /// # Errors
    /// When the database fails, or one of them is damaged.
    pub(in crate::store) fn find(db: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut select = db.prepare_cached(
            "SELECT id, feed_id, entries, oldest, newest, guids FROM segment \
             ORDER BY feed_id, newest, id",
        )?;
        let listed = select.query_map([], |row| {
            Ok(Listed {
                id: row.get("id")?,
                feed: row.get("feed_id")?,
                entries: row.get("entries")?,
                span: Span { oldest: row.get("oldest")?, newest: row.get("newest")? },
                guids: row.get("guids")?,
            })
        })?;
        let listed = listed.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut windows = SOME.into_iter().flat_map(|size| listed.windows(size));
        windows.find(|some| should_be_one(some)).map(|some| Self::read(db, some)).transpose()
    }

    fn read(db: &Connection, sources: &[Listed]) -> rusqlite::Result<Self> {
        let mut entries = Vec::new();
        for source in sources {
            let loaded = Loaded::of(db, source.id)?;
            if loaded.is_damaged {
                return Err(Damaged.of(source.id));
            }
            entries.extend(loaded.into_entries(source.guids));
        }
        Ok(Self {
            feed: sources[0].feed,
            sources: sources.iter().map(|source| (source.id, source.guids)).collect(),
            new: New::of(&united(entries), whole(sources)),
        })
    }

    /// Puts the new segment in the place of the others, if those are there still.
    /// Returns how many there are fewer.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::store) fn run(self, db: &Connection) -> rusqlite::Result<usize> {
        for (segment, guids) in &self.sources {
            let found = db
                .prepare_cached("SELECT guids FROM segment WHERE id = ?")?
                .query_row([segment], |row| row.get::<_, bool>(0))
                .optional()?;
            if found != Some(*guids) {
                return Ok(0);
            }
        }
        // The highest number must not be free in between.
        if let Some(new) = &self.new {
            new.insert(db, self.feed)?;
        }
        for (segment, _) in &self.sources {
            forget(db, *segment)?;
        }
        Ok(self.sources.len() - 1)
    }
}

/// None is larger than all others together: what is written again doubles, so
/// that it is not written often.
fn should_be_one(some: &[Listed]) -> bool {
    let entries: i64 = some.iter().map(|segment| segment.entries).sum();
    let span = whole(some);
    some.iter().all(|segment| segment.feed == some[0].feed && segment.entries <= entries / 2)
        && entries <= LARGEST
        && i128::from(span.newest) - i128::from(span.oldest) <= LONGEST.as_millis()
}

fn whole(some: &[Listed]) -> Span {
    let oldest = some.iter().map(|segment| segment.span.oldest);
    let newest = some.iter().map(|segment| segment.span.newest);
    Span { oldest: oldest.min().unwrap_or(i64::MAX), newest: newest.max().unwrap_or(i64::MIN) }
}

/// Each entry once, and each key for the last entry that has it. Sorted by number.
fn united(entries: Vec<Remembered>) -> Vec<Remembered> {
    let mut owners: HashMap<(i64, Mark), i64> = HashMap::new();
    let mut united: BTreeMap<i64, Remembered> = BTreeMap::new();
    for mut entry in entries {
        owners.extend(entry.keys.drain(..).map(|key| (key, entry.id)));
        united.insert(entry.id, entry);
    }
    let mut owners: Vec<_> = owners.into_iter().collect();
    owners.sort_unstable();
    for (key, id) in owners {
        if let Some(entry) = united.get_mut(&id) {
            entry.keys.push(key);
        }
    }
    united.retain(|_, entry| !entry.keys.is_empty());
    united.into_values().collect()
}
