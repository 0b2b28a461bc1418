//! What every store must keep: locks, privacy, refusals, durability settings.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use wirewatch::store::{Store, StoreError};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_files_are_private_and_the_folder_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data/watch.db");
    let store = Store::open(&path).unwrap();
    store.ping().await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_a_dead_ones_lock_is_not_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let first = Store::open(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse(_))));
    assert!(Store::is_served(&path));
    drop(first);
    assert!(!Store::is_served(&path));
    assert!(Store::open(&path).is_ok());
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_both_versions_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    drop(Store::open(&path).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let Err(error) = Store::open(&path) else { panic!("opened a newer schema") };
    assert!(error.to_string().contains("schema 99"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.db");
    std::fs::write(&text, "these are my notes, not a database at all, and long enough ".repeat(20))
        .unwrap();
    let other = dir.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
        let after = std::fs::read(&path).unwrap();
        assert_eq!(before, after, "{}", path.display());
    }
}

#[tokio::test]
async fn durability_is_full_and_foreign_keys_are_on() {
    assert!(rusqlite::version_number() >= 3_051_003);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let store = Store::open(&path).unwrap();
    let settings = store.settings().await.unwrap();
    assert_eq!(settings, ("wal".to_string(), 2, true));
    let other = rusqlite::Connection::open(&path).unwrap();
    let vacuum: i64 = other.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).unwrap();
    assert_eq!(vacuum, 2, "incremental");
}

/// What monitoring is told of entries, stories, matches and alerts.
async fn stored(store: &Store) -> [i64; 4] {
    store.gauges(jiff::Timestamp::UNIX_EPOCH).await.unwrap().stored.map(|(_, count)| count)
}

#[tokio::test]
async fn counts_of_all_that_was_stored_never_fall() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    first_version(&path);
    let mut store = Store::open(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    let add = |number: i64| {
        other
            .execute_batch(&format!(
                "INSERT INTO story (uid, first_seen, last_seen) VALUES ('s{number}', 1, 1);
                 INSERT INTO tombstone (id, feed_id, last_seen, has_guid, title_key)
                     VALUES ((SELECT 1 + max(coalesce((SELECT max(id) FROM entry), 0),
                         coalesce((SELECT max(id) FROM tombstone), 0))), 1, 1, 0, x'01');
                 INSERT INTO match (rule, story_id, entry_id, matched_at, state, title, text, spans)
                     SELECT 'r{number}', max(story.id), 1, 1, 'raised', '', '', '[]' FROM story;
                 INSERT INTO alert (uid, match_id, rule_title, severity, created_at)
                     SELECT 'a{number}', max(match.id), '', 'low', 1 FROM match;",
            ))
            .unwrap();
    };
    let forget = |tables: &[&str], how: &str| {
        for table in tables {
            other.execute_batch(&format!("DELETE FROM {table} WHERE {how}")).unwrap();
        }
    };
    assert_eq!(stored(&store).await, [1; 4]);
    (2..=5).for_each(add);
    assert_eq!(stored(&store).await, [5; 4]);
    forget(&["alert", "match", "story", "tombstone"], "id IN (3, 5)");
    assert_eq!(stored(&store).await, [5; 4], "the newest are forgotten");
    (6..=7).for_each(add);
    assert_eq!(stored(&store).await, [7; 4], "and their numbers are used anew");
    forget(&["alert", "match", "story", "tombstone"], "id > 1");
    assert_eq!(stored(&store).await, [7; 4]);
    drop(store);
    store = Store::open(&path).unwrap();
    assert_eq!(stored(&store).await, [7; 4], "and a start does not forget how many there were");
}

#[tokio::test]
async fn a_database_can_be_looked_at_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    drop(Store::open(&path).unwrap());
    // A row in a log, as a daemon that was killed leaves it.
    let killed = rusqlite::Connection::open(&path).unwrap();
    killed
        .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    killed
        .execute_batch("INSERT INTO story (uid, first_seen, last_seen) VALUES ('s1', 1, 1)")
        .unwrap();
    drop(killed);
    let log = dir.path().join("watch.db-wal");
    let before = std::fs::read(&log).unwrap();
    assert!(!before.is_empty());
    let _ = std::fs::remove_file(dir.path().join("watch.db-shm"));
    let config = "[store]\npath = 'watch.db'\n[rule.r]\nmatch = 'marker'\nchannels = []\n";
    std::fs::write(dir.path().join("watch.toml"), config).unwrap();
    for command in ["status --json", "deliveries --json", "stories --json", "notices --json"] {
        // No file may grow, which is what a full disk does.
        let limited =
            format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" --config watch.toml {command}");
        let output = std::process::Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_wirewatch")])
            .current_dir(dir.path())
            .env_remove("STATE_DIRECTORY")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", crate::cli::stderr(&output));
        if command.starts_with("status") {
            assert_eq!(crate::cli::lines(&output)[0]["stories"], 1);
        }
    }
    assert_eq!(std::fs::read(&log).unwrap(), before, "the log is left to its owner");
    assert_eq!(Store::open(&path).unwrap().overview().await.unwrap().stories, 1);
}

#[tokio::test]
async fn a_store_that_was_never_made_is_not_made_by_looking() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    assert!(Store::attach(&path).is_err());
    assert!(!path.exists());
}

/// A database as the first version of the schema left it, in mid-delivery.
fn first_version(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(include_str!("../../src/store/schema/0001.sql")).unwrap();
    db.execute_batch(
        "INSERT INTO feed (id, name, url, host, interval_ms, baselined, next_due, etag) VALUES
             (1, 'wire', 'https://wire.example/feed', 'wire.example', 900000, 1, 5000, x'22');
         INSERT INTO story (id, uid, first_seen, last_seen) VALUES (1, 's1', 1000, 1000);
         INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories,
             first_seen, last_seen, title_key, revision_key)
             VALUES (1, 1, 1, 'g', NULL, 'A marker', 'Text', '[]', '[]', 1000, 1000, x'01', x'02');
         INSERT INTO entry_key VALUES (1, 'guid', x'03', 1);
         INSERT INTO match VALUES (1, 'marked', 1, 1, 1000, 'raised', 'A marker', 'Text', '[]');
         INSERT INTO alert VALUES (1, 'a1', 1, 'Marked', 'high', 1000);
         INSERT INTO delivery (id, uid, alert_id, channel, recipient, created_at, due_at)
             VALUES (1, 'd1', 1, 'hook', 'hook', 1000, 1000);
         INSERT INTO attempt VALUES (1, 1, 1000, 1001, 'transient', 'HTTP 500');
         PRAGMA application_id = 1465344372; PRAGMA user_version = 1;",
    )
    .unwrap();
}

#[tokio::test]
async fn what_an_older_version_stored_is_kept_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    first_version(&path);
    let store = Store::open(&path).unwrap();
    let all = wirewatch::store::Filter { limit: 10, ..Default::default() };
    let overview = store.overview().await.unwrap();
    assert_eq!(
        (overview.feeds, overview.entries, overview.stories, overview.matches),
        (1, 1, 1, 1)
    );
    let feed = store.feeds(all.clone()).await.unwrap().remove(0);
    assert_eq!((feed.name.as_str(), feed.entries), ("wire", 1));
    assert_eq!(store.stories(all.clone()).await.unwrap()[0].title, "A marker");
    let waiting = store.deliveries(all).await.unwrap();
    assert_eq!((waiting[0].id.as_str(), waiting[0].state.as_str()), ("d1", "waiting"));
    drop(store);
    let db = rusqlite::Connection::open(&path).unwrap();
    let kept: (i64, i64) = db
        .query_row("SELECT (SELECT count(*) FROM entry_key), (SELECT user_version FROM pragma_user_version)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, (1, 16), "the entry is still recognised by its GUID");
    let broken: i64 = db
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(broken, 0);
    // What the older version can still read is kept beside it.
    let copy = dir.path().join("watch.db.schema-1");
    let copy = rusqlite::Connection::open(copy).unwrap();
    let kept: (i64, i64) = copy
        .query_row(
            "SELECT (SELECT count(*) FROM entry), (SELECT user_version FROM pragma_user_version)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(kept, (1, 1));
}

#[tokio::test]
async fn what_sqlite_knows_of_tables_grows_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    drop(Store::open(&path).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    let rows = |db: &rusqlite::Connection| {
        let sql = "SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE idx = 'story_last_seen'";
        db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let fill = |count: i64| {
        let numbers = format!(
            "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n \
             WHERE value < {count})"
        );
        let sql = format!(
            "INSERT INTO story (uid, first_seen, last_seen) {numbers} \
             SELECT 's' || value || '-' || {count}, value, value FROM n"
        );
        db.execute_batch(&sql).unwrap();
    };
    fill(3);
    db.execute_batch("ANALYZE").unwrap();
    assert_eq!(rows(&db), 3);
    fill(5_000);
    drop(Store::open(&path).unwrap());
    assert!(rows(&db) > 1_000, "{}", rows(&db));
}
