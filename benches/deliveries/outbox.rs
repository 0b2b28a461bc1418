//! A database whose outbox is filled behind the program's back: how the rows came is not measured.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tempfile::TempDir;
use wirewatch::store::Store;

/// A database of its own.
pub struct Outbox {
    folder: TempDir,
    filled: u64,
}

impl Outbox {
    pub fn new() -> Self {
        let outbox = Self { folder: tempfile::tempdir().unwrap(), filled: 0 };
        drop(Store::open(&outbox.path()).unwrap());
        outbox
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("watch.db")
    }

    pub fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    pub fn megabytes(&self) -> u64 {
        std::fs::metadata(self.path()).unwrap().len() / 1_048_576
    }

    /// Adds so many alerts, each with a story of its own, for one receiver.
    pub fn fill(&mut self, channel: &str, recipient: &str, count: u64) {
        let mut db = Connection::open(self.path()).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;").unwrap();
        let rows = db.transaction().unwrap();
        rows.execute(
            "INSERT OR IGNORE INTO feed (id, name, url, host, interval_ms, title, next_due) \
             VALUES (1, 'wire', 'http://127.0.0.1:9/', '127.0.0.1', 600000, 'The Wire', 99999999999999)",
            [],
        )
        .unwrap();
        for number in self.filled + 1..=self.filled + count {
            add(&rows, number, channel, recipient).unwrap();
        }
        rows.commit().unwrap();
        self.filled += count;
    }
}

fn add(db: &Connection, number: u64, channel: &str, recipient: &str) -> rusqlite::Result<()> {
    let now = 1_700_000_000_000_i64 + number as i64;
    let (id, title) = (number as i64, format!("Ministers did not meet, report {number} says"));
    let text =
        "Military-to-military channels stay closed after an unsafe interaction in the strait.";
    let key = number.to_be_bytes();
    let insert = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        db.prepare_cached(sql)?.execute(values).map(drop)
    };
    insert(
        "INSERT INTO story (id, uid, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)",
        params![id, format!("s{number:016x}"), now],
    )?;
    insert(
        "INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories, \
         first_seen, last_seen, title_key, revision_key) \
         VALUES (?1, 1, ?1, ?2, ?3, ?4, ?5, '[]', '[]', ?6, ?6, ?7, ?7)",
        params![id, id, format!("https://news.example.org/{number}"), title, text, now, key],
    )?;
    insert(
        "INSERT INTO match (id, rule, story_id, entry_id, matched_at, state, title, text, spans) \
         VALUES (?1, 'contact', ?1, ?1, ?2, 'raised', ?3, ?4, '[]')",
        params![id, now, title, text],
    )?;
    insert(
        "INSERT INTO alert (id, uid, match_id, rule_title, severity, created_at) \
         VALUES (?1, ?2, ?1, 'Military contact', 'normal', ?3)",
        params![id, format!("a{number:016x}"), now],
    )?;
    insert(
        "INSERT INTO delivery (uid, alert_id, role, channel, recipient, created_at, due_at) \
         VALUES (?1, ?2, 'alert', ?3, ?4, ?5, ?5)",
        params![format!("d{number:016x}"), id, channel, recipient, now],
    )
}

/// Two durable transactions for each of so many deliveries, and nothing else.
pub fn commits(count: u64) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let db = Connection::open(folder.path().join("floor.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE delivery (id INTEGER PRIMARY KEY, state TEXT)",
    )
    .unwrap();
    let begun = Instant::now();
    for id in 0..count as i64 {
        for sql in [
            "INSERT INTO delivery VALUES (?1, 'waiting')",
            "UPDATE delivery SET state = 'sent' WHERE id = ?1",
        ] {
            db.prepare_cached(sql).unwrap().execute([id]).unwrap();
        }
    }
    begun.elapsed()
}
