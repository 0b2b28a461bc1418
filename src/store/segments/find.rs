//! Looking keys up in the segments of a feed.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use super::super::lookup::GUID;
use super::super::rows::from_millis;
use super::format::{self, Damaged, ENTRIES, Remembered};
use crate::model::{EntryId, KnownEntry, Mark};

/// A part is found in the time that so many take to be read one after another.
const PARTS_OF_A_SEEK: usize = 4;

/// What the segments of a feed know of keys, by kind and key: of each the entry
/// that was last known by it. Without keys, or without segments, it costs nothing.
///
/// # Errors
/// When the database fails, or a part is damaged.
pub(in crate::store) fn find(
    db: &Connection,
    feed: i64,
    mut wanted: BTreeSet<(i64, Mark)>,
) -> rusqlite::Result<HashMap<(i64, Mark), KnownEntry>> {
    let mut known = HashMap::new();
    if wanted.is_empty() {
        return Ok(known);
    }
    let mut select = db.prepare_cached(
        "SELECT id, entries, guids FROM segment WHERE feed_id = ? ORDER BY newest DESC, id DESC",
    )?;
    let segments = select.query_map([feed], |row| {
        Ok(Segment { db, id: row.get(0)?, entries: row.get(1)?, guids: row.get(2)? })
    })?;
    for segment in segments.collect::<rusqlite::Result<Vec<_>>>()? {
        for (name, place) in segment.places(&wanted)? {
            known.insert(name, known_entry(segment.entry(u64::from(place))?));
            wanted.remove(&name);
        }
    }
    Ok(known)
}

fn known_entry(entry: Remembered) -> KnownEntry {
    KnownEntry {
        id: EntryId(entry.id),
        story: None,
        link: entry.link,
        title: entry.title,
        revision: None,
        has_guid: entry.has_guid,
        published: entry.published.map(from_millis),
    }
}

struct Segment<'a> {
    db: &'a Connection,
    id: i64,
    entries: i64,
    guids: bool,
}

/// A key with its kind, and the place of its entry.
type Place = ((i64, Mark), u16);

impl Segment<'_> {
    /// The places of the wanted keys that it has.
    fn places(&self, wanted: &BTreeSet<(i64, Mark)>) -> rusqlite::Result<Vec<Place>> {
        let mut places = Vec::new();
        let wanted: Vec<(i64, Mark)> = wanted.iter().copied().collect();
        for keys in wanted.chunk_by(|one, next| one.0 == next.0) {
            let parts = usize::try_from(self.entries).unwrap_or(0) / format::KEYS_OF_A_PART;
            if keys[0].0 == GUID && !self.guids {
                // They turned out to be random.
            } else if keys.len() * PARTS_OF_A_SEEK < parts {
                self.seek(keys, &mut places)?;
            } else {
                self.scan(keys, &mut places)?;
            }
        }
        Ok(places)
    }

    /// Finds each key by itself.
    fn seek(&self, keys: &[(i64, Mark)], places: &mut Vec<Place>) -> rusqlite::Result<()> {
        for (kind, key) in keys {
            let Some((_, body)) = self.part(*kind, key.0)? else { continue };
            let place = format::place_of(&body, *key).map_err(|damaged| damaged.of(self.id))?;
            places.extend(place.map(|place| ((*kind, *key), place)));
        }
        Ok(())
    }

    /// Finds many keys of one kind, by reading all that there are.
    fn scan(&self, keys: &[(i64, Mark)], places: &mut Vec<Place>) -> rusqlite::Result<()> {
        let mut select = self
            .db
            .prepare_cached("SELECT body FROM segment_part WHERE segment_id = ?1 AND kind = ?2")?;
        let kind = keys[0].0;
        let mut rows = select.query([self.id, kind])?;
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(0)?;
            let pairs = format::pairs(&body).map_err(|damaged| damaged.of(self.id))?;
            // Both are sorted.
            let Some((first, _)) = pairs.first() else { continue };
            let mut rest = &keys[keys.partition_point(|(_, key)| key < first)..];
            for (key, place) in pairs {
                while let Some((wanted, after)) = rest.split_first().filter(|(w, _)| w.1 <= key) {
                    if wanted.1 == key {
                        places.push(((kind, key), place));
                    }
                    rest = after;
                }
            }
        }
        Ok(())
    }

    /// The part that a key or place would be in, with what it begins with.
    fn part(&self, kind: i64, at: [u8; 8]) -> rusqlite::Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.db
            .prepare_cached(
                "SELECT first, body FROM segment_part WHERE segment_id = ?1 AND kind = ?2 \
                 AND first <= ?3 ORDER BY first DESC LIMIT 1",
            )?
            .query_row(params![self.id, kind, at], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    fn entry(&self, place: u64) -> rusqlite::Result<Remembered> {
        let damaged = || Damaged.of(self.id);
        let (first, body) = self.part(ENTRIES, place.to_be_bytes())?.ok_or_else(damaged)?;
        let first = first.try_into().map(u64::from_be_bytes).map_err(|_| damaged())?;
        let entries = format::entries(&body).map_err(|_| damaged())?;
        let within = usize::try_from(place.wrapping_sub(first)).map_err(|_| damaged())?;
        entries.into_iter().nth(within).ok_or_else(damaged)
    }
}
