//! Databases as earlier versions left them, made by running the migrations of then.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use wirewatch::dedup::entry_keys;
use wirewatch::model::{Document, EntryKeys, Key};
use wirewatch::parse::parse_feed;

use super::press::{Item, document};

/// "WWat".
const APPLICATION: i64 = 0x5757_6174;
/// When everything of the past happened, in milliseconds since 1970.
const THEN: i64 = 1_700_000_000_000;
/// Every such story was still to be told.
const WAITING: usize = 5;

/// What is compared before and after: everything of the first schema that an entry, an alert and a
/// delivery consist of. Schedules and leases are the start's to change, and the kinds of keys have
/// other names since, and half of each is kept.
const KEPT: [&str; 9] = [
    "SELECT id, name, url, title, etag, baselined FROM feed",
    "SELECT id, uid, first_seen, last_seen FROM story",
    "SELECT id, feed_id, story_id, guid, url, title, text, authors, categories, first_seen, \
     last_seen, version, link_key, title_key, revision_key FROM entry",
    "SELECT entry_id, version, title, text, replaced_at FROM entry_version",
    "SELECT feed_id, substr(key, 1, 8), entry_id FROM entry_key",
    "SELECT id, rule, story_id, entry_id, matched_at, state, title, text, spans FROM match",
    "SELECT id, uid, match_id, rule_title, severity, created_at FROM alert",
    "SELECT id, uid, alert_id, channel, recipient, state, attempts, created_at, due_at FROM delivery",
    "SELECT delivery_id, number, started_at, finished_at, outcome, answer FROM attempt",
];

/// The migrations in their order.
pub(crate) fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|ext| ext == "sql")).collect();
    files.sort();
    files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Makes a database of that version (0 is none at all), with these feeds' stories as told, except
/// for every fifth, and returns the tokens that are still to be told.
pub(crate) fn make(
    path: &Path,
    version: usize,
    urls: &[String],
    feeds: &[Vec<Item>],
) -> Vec<String> {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if version == 0 {
        return Vec::new();
    }
    let db = Connection::open(path).unwrap();
    // Nothing is to be lost here, and each sync costs time.
    let pragmas = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
                   PRAGMA synchronous = OFF; BEGIN;";
    db.execute_batch(pragmas).unwrap();
    let migrations = migrations();
    db.execute_batch(&migrations[0]).unwrap();
    let mut waiting = Vec::new();
    for (number, (url, items)) in urls.iter().zip(feeds).enumerate() {
        waiting.extend(tell_of(&db, number, url, items));
    }
    for migration in &migrations[1..version] {
        db.execute_batch(migration).unwrap();
    }
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    db.pragma_update(None, "user_version", version as i64).unwrap();
    db.execute_batch("COMMIT").unwrap();
    db.close().unwrap();
    waiting
}

/// One feed with all it brought, in the words of the first schema.
fn tell_of(db: &Connection, number: usize, url: &str, items: &[Item]) -> Vec<String> {
    let feed = number as i64 + 1;
    db.execute(
        "INSERT INTO feed (id, name, url, host, interval_ms, title, baselined, next_due, etag) \
         VALUES (?1, ?2, ?3, '127.0.0.1', 1000, 'Wire', 1, ?4, x'22')",
        params![feed, format!("wire-{number}"), url, THEN],
    )
    .unwrap();
    let text = Document { bytes: document(items).into_bytes(), ..Document::default() };
    let parsed = parse_feed(&text).unwrap();
    let keys = entry_keys(&parsed.entries);
    let mut waiting = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let parsed = parsed.entries.iter().position(|entry| entry.title == item.title).unwrap();
        let is_waiting = at % WAITING == 0;
        tell_one(db, feed, item, &keys[parsed], is_waiting);
        if is_waiting {
            waiting.push(item.token.clone());
        }
    }
    waiting
}

fn tell_one(db: &Connection, feed: i64, item: &Item, keys: &EntryKeys, is_waiting: bool) {
    let (id, uid) = (number(item), format!("s{}", item.token));
    db.execute("INSERT INTO story VALUES (?1, ?2, ?3, ?3)", params![id, uid, THEN]).unwrap();
    let bytes = |key: Key| key.0.to_vec();
    db.execute(
        "INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories, \
         first_seen, last_seen, version, link_key, title_key, revision_key) \
         VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, '[]', '[]', ?7, ?7, 2, ?8, ?9, ?10)",
        params![
            id,
            feed,
            item.guid(),
            item.link(),
            item.title,
            item.text,
            THEN,
            keys.link.map(bytes),
            bytes(keys.title),
            bytes(keys.revision)
        ],
    )
    .unwrap();
    let version = "INSERT INTO entry_version VALUES (?1, 1, 'Before', 'Before', ?2)";
    db.execute(version, params![id, THEN]).unwrap();
    for (kind, key) in [("guid", keys.guid), ("link", keys.link), ("title", keys.content)] {
        let Some(key) = key.map(bytes) else { continue };
        db.execute("INSERT INTO entry_key VALUES (?, ?, ?, ?)", params![feed, kind, key, id])
            .unwrap();
    }
    deliver(db, item, if is_waiting { "waiting" } else { "sent" });
}

/// What a story's match led to: an alert, and a delivery that failed once at least.
fn deliver(db: &Connection, item: &Item, state: &str) {
    let (id, alert) = (number(item), format!("a{}", item.token));
    db.execute(
        "INSERT INTO match VALUES (?1, 'marker', ?1, ?1, ?2, 'raised', ?3, ?4, '[]')",
        params![id, THEN, item.title, item.text],
    )
    .unwrap();
    let insert = "INSERT INTO alert VALUES (?1, ?2, ?1, 'marker', 'high', ?3)";
    db.execute(insert, params![id, alert, THEN]).unwrap();
    db.execute(
        "INSERT INTO delivery (id, uid, alert_id, channel, recipient, state, attempts, \
         created_at, due_at) VALUES (?1, ?2, ?1, 'desk', 'desk', ?3, 1, ?4, ?4)",
        params![id, delivery(&item.token), state, THEN],
    )
    .unwrap();
    let insert = "INSERT INTO attempt VALUES (?1, 1, ?2, ?2, 'retry', 'HTTP 500')";
    db.execute(insert, params![id, THEN]).unwrap();
}

fn number(item: &Item) -> i64 {
    item.token.parse().unwrap()
}

/// The public id of a delivery of the past.
pub(crate) fn delivery(token: &str) -> String {
    format!("d{token:0>32}")
}

/// What a database holds of the first schema, as text; what it lacks says why.
pub(crate) fn kept(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    KEPT.iter().map(|sql| rows(&db, sql).unwrap_or_else(|error| error.to_string())).collect()
}

fn rows(db: &Connection, sql: &str) -> rusqlite::Result<String> {
    let mut select = db.prepare(&format!("{sql} ORDER BY 1, 2, 3"))?;
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values: Vec<_> = (0..columns)
            .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
            .collect::<Result<_, _>>()?;
        Ok(values.join("|"))
    };
    let rows = select.query_map([], row)?;
    Ok(rows.collect::<rusqlite::Result<Vec<String>>>()?.join("\n"))
}

/// A database's version and its schema, which the statements that made it stand for.
pub(crate) fn schema(path: &Path) -> rusqlite::Result<(usize, String)> {
    let db = Connection::open(path)?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    // What SQLite has learnt of the tables is kept in tables of its own.
    let sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema \
               WHERE name NOT LIKE 'sqlite_stat%'";
    Ok((usize::try_from(version).unwrap(), format!("{application}\n{}", rows(&db, sql)?)))
}
