//! A large database of the first version is brought up to date: how long does that take?
//!
//! The copy of the database as it was is made and proved meanwhile, and is part of the time. What
//! must hold besides: all rows are there, and the database is sound.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::daemon::Home;
use super::past;
use super::scene::{texts, unsound};
use super::{count, say};

/// One in so many entries was matched and told.
const MATCHED: usize = 20;
/// Longer than any machine takes.
const LIMIT: Duration = Duration::from_secs(3_600);

/// In the words of the first schema; `?1` is how many.
const FILL: [&str; 4] = [
    "INSERT INTO feed (id, name, url, host, interval_ms, baselined, next_due) \
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
     SELECT i, 'feed-' || i, 'https://example.org/' || i, 'example.org', 60000, 1, 0 FROM n \
     WHERE ?1 > 0",
    "INSERT INTO story WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
     SELECT i, printf('s%016x', i * 7919), 1700000000000 + i, 1700000000000 + i FROM n",
    "INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories, \
     first_seen, last_seen, link_key, title_key, revision_key) \
     SELECT id, id % 100 + 1, id, 'guid-' || id, 'https://example.org/story/' || id, \
     'Headline ' || uid || ' of the day', replace(printf('%.30c', 'x'), 'x', uid || ' '), '[]', \
     '[]', first_seen, last_seen, randomblob(16), randomblob(16), randomblob(16) FROM story \
     WHERE ?1 > 0",
    "INSERT INTO entry_key SELECT feed_id, kind, randomblob(16), id FROM entry, \
     (SELECT 'guid' AS kind UNION SELECT 'link' UNION SELECT 'title') WHERE ?1 > 0",
];
/// The same, for each `?1`th entry.
const TELL: [&str; 4] = [
    "INSERT INTO match SELECT id, 'marker', story_id, id, first_seen, 'raised', title, text, '[]' \
     FROM entry WHERE id % ?1 = 0",
    "INSERT INTO alert SELECT id, printf('a%016x', id), id, 'marker', 'high', matched_at \
     FROM match WHERE id % ?1 = 0",
    "INSERT INTO delivery (id, uid, alert_id, channel, recipient, state, attempts, created_at, \
     due_at, finished_at) SELECT id, printf('d%032x', id), id, 'desk', 'desk', 'sent', 1, \
     created_at, created_at, created_at FROM alert WHERE id % ?1 = 0",
    "INSERT INTO attempt SELECT id, 1, created_at, created_at, 'sent', 'HTTP 200' FROM delivery \
     WHERE id % ?1 = 0",
];

pub(crate) async fn trial() -> Result<(), String> {
    let entries = count("WIREWATCH_MIGRATION_ENTRIES", 2_000);
    let home = Home::new(&[], "http://127.0.0.1:9/hook");
    let database = home.database();
    past::make(&database, 1, &[], &[]);
    let db = Connection::open(&database).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    let fill = FILL.into_iter().map(|sql| (sql, entries));
    for (sql, number) in fill.chain(TELL.into_iter().map(|sql| (sql, MATCHED))) {
        db.execute(sql, params![number as i64]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    db.close().unwrap();
    let size = std::fs::metadata(&database).unwrap().len() >> 20;
    let begun = Instant::now();
    let mut life = home.begin(1, &[], &["once"]);
    let status = life.end_within(LIMIT).await;
    let took = begun.elapsed();
    if !status.is_some_and(|status| status.success()) {
        return Err(format!("the migration ends with {status:?}: {}", life.log_tail()));
    }
    let rows = 2 * entries + 3 * entries + 4 * (entries / MATCHED);
    say(&format!("{entries} entries ({rows} rows, {size} MiB) migrated from 1 in {took:.1?}"));
    let mut problems = Vec::new();
    for database in [database.clone(), home.data().join("wirewatch.db.schema-1")] {
        problems.extend(unsound(&database).err());
        for (table, wanted) in [
            ("entry", entries),
            ("entry_key", 3 * entries),
            ("delivery", entries / MATCHED),
            ("attempt", entries / MATCHED),
        ] {
            let found = texts(&database, &format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
            if found.as_ref().ok().and_then(|found| found.first()) != Some(&wanted.to_string()) {
                problems.push(format!("{wanted} rows of {table} became {found:?}"));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}
