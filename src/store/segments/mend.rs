//! Segments of a database that was recovered: what was lost of one must not make
//! the rest of it useless.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::super::lookup::GUID;
use super::format::{self, MOST_ENTRIES, Remembered};
use super::{Loaded, insert_parts};
use crate::model::Mark;

/// Writes anew what can be read of segments of which something was lost.
/// Of an entry that was lost itself its keys keep it known if `keep` says so;
/// otherwise it is news again.
///
/// # Errors
/// When the database fails.
pub(in crate::store) fn mend(db: &Connection, keep: bool) -> rusqlite::Result<()> {
    // What stands in for a lost row has the time in place of each number, and new
    // entries are numbered from the highest.
    db.execute("UPDATE segment SET last_entry = 0 WHERE entries > ?", [MOST_ENTRIES as i64])?;
    let mut select = db.prepare("SELECT id, entries FROM segment ORDER BY id")?;
    let segments = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (segment, entries) in segments.collect::<rusqlite::Result<Vec<(i64, i64)>>>()? {
        let loaded = Loaded::of(db, segment)?;
        if loaded.is_damaged || loaded.entries.len() as i64 != entries {
            mend_one(db, segment, loaded, keep)?;
        }
    }
    Ok(())
}

fn mend_one(db: &Connection, segment: i64, mut loaded: Loaded, keep: bool) -> rusqlite::Result<()> {
    if keep {
        stand_in(db, &mut loaded)?;
    }
    // Whether GUIDs count is the segment's to say, and stays.
    let mut entries = loaded.into_entries(true);
    entries.retain(|entry| !entry.keys.is_empty());
    db.execute("DELETE FROM segment_part WHERE segment_id = ?", [segment])?;
    let Some(last) = entries.iter().map(|entry| entry.id).max() else {
        db.execute("DELETE FROM segment WHERE id = ?", [segment])?;
        return Ok(());
    };
    db.execute(
        "UPDATE segment SET entries = ?2, last_entry = ?3 WHERE id = ?1",
        params![segment, entries.len() as i64, last],
    )?;
    insert_parts(db, segment, &format::encode(&entries))
}

/// Entries in the place of lost ones, as far as their keys tell of them.
fn stand_in(db: &Connection, loaded: &mut Loaded) -> rusqlite::Result<()> {
    let places = loaded.keys.iter().map(|(_, _, place)| *place);
    let lost: BTreeSet<u64> = places.filter(|place| !loaded.entries.contains_key(place)).collect();
    let highest: i64 = db.query_row(
        "SELECT max((SELECT coalesce(max(id), 0) FROM entry), \
                    (SELECT coalesce(max(id), 0) FROM tombstone), \
                    (SELECT coalesce(max(last_entry), 0) FROM segment))",
        [],
        |row| row.get(0),
    )?;
    for (id, place) in (highest.saturating_add(1)..).zip(lost) {
        let has_guid = loaded.keys.iter().any(|key| key.2 == place && key.0 == GUID);
        let title = Mark::default();
        let entry =
            Remembered { id, has_guid, published: None, link: None, title, keys: Vec::new() };
        loaded.entries.insert(place, entry);
    }
    Ok(())
}
