//! Keeps the search index tidy, a little at a time.
//!
//! FTS5 merges its segments by itself, as part of whatever writes to it: with
//! each 64th entry that is stored or forgotten, some hundred pages at once. Others
//! wait meanwhile, so it is told not to, and asked for a few pages now and then.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};

use super::{Store, StoreError};

/// Pages written between two looks at the clock.
const PAGES: i64 = 2;
/// Work of one transaction, beside its commit.
const SHARE: Duration = Duration::from_millis(8);
/// A merge that finds nothing to do changes fewer rows.
const LEAST_CHANGES: u64 = 2;

impl Store {
    /// Merges a little of the search index, in one short transaction. Whether
    /// there is more to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy_words(&self) -> Result<bool, StoreError> {
        self.write(tidy).await
    }
}

/// Leaves merging to [`tidy`]. Where that is not called, FTS5 merges what has
/// sixteen segments of one size.
///
/// # Errors
/// When the database fails.
pub(super) fn prepare(db: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT v FROM entry_words_config WHERE k = 'automerge'";
    let automerge: Option<i64> = db.query_row(sql, [], |row| row.get(0)).optional()?;
    if automerge != Some(0) {
        let sql = "INSERT INTO entry_words (entry_words, rank) VALUES ('automerge', 0)";
        db.execute_batch(sql)?;
    }
    Ok(())
}

/// Merges for a while. Whether there is more to do.
///
/// # Errors
/// When the database fails.
pub(super) fn tidy(db: &Connection) -> rusqlite::Result<bool> {
    let begun = Instant::now();
    let mut merge =
        db.prepare_cached("INSERT INTO entry_words (entry_words, rank) VALUES ('merge', ?)")?;
    while begun.elapsed() < SHARE {
        let before = db.total_changes();
        merge.execute([PAGES])?;
        if db.total_changes() - before < LEAST_CHANGES {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Forgets the words of some entries, all at once: what is forgotten piece by
/// piece is written piece by piece.
///
/// # Errors
/// When the database fails.
pub(super) fn forget(db: &Connection, entries: &[i64]) -> rusqlite::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    db.prepare_cached("DELETE FROM entry_words WHERE rowid IN (SELECT value FROM json_each(?))")?
        .execute([super::rows::json(entries)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate;

    fn database() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut db, std::path::Path::new(":memory:")).unwrap();
        db
    }

    /// The number of its segment is in the upper bits of each row's.
    fn segments(db: &Connection) -> i64 {
        let sql = "SELECT count(DISTINCT id >> 37) FROM entry_words_data WHERE id >> 37 > 0";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn found(db: &Connection, word: &str) -> i64 {
        let sql = "SELECT count(*) FROM entry_words WHERE entry_words MATCH ?";
        db.query_row(sql, [word], |row| row.get(0)).unwrap()
    }

    #[test]
    fn merging_is_left_to_us_and_that_is_said_once() {
        let db = database();
        prepare(&db).unwrap();
        let before = db.total_changes();
        prepare(&db).unwrap();
        assert_eq!(db.total_changes(), before);
    }

    #[test]
    fn what_was_added_and_forgotten_is_merged_and_found_as_before() {
        let db = database();
        prepare(&db).unwrap();
        for id in 1..=200 {
            let words = format!("all {} number{id}", if id % 2 == 0 { "even" } else { "odd" });
            let sql = "INSERT INTO entry_words (rowid, words) VALUES (?, ?)";
            db.execute(sql, rusqlite::params![id, words]).unwrap();
        }
        let before = segments(&db);
        assert!(before > 4, "void: {before} segments");
        while tidy(&db).unwrap() {}
        assert!(segments(&db) < before, "{} of {before}", segments(&db));
        let even: Vec<i64> = (1..=100).map(|n| 2 * n).collect();
        forget(&db, &even).unwrap();
        let counts = ["all", "even", "odd", "number7", "number8"].map(|word| found(&db, word));
        assert_eq!(counts, [100, 0, 100, 1, 0]);
        while tidy(&db).unwrap() {}
        assert_eq!(["all", "even", "odd"].map(|word| found(&db, word)), [100, 0, 100]);
        assert!(!tidy(&db).unwrap(), "nothing is left to do");
    }
}
