//! How a database file is opened: only if it is ours, sound, and known; with what
//! durability needs; and as it is if it is refused.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::fault_in_words;
use super::switch::{self, Ended};
use super::{StoreError, backup, birth, migrate};

/// Oldest SQLite without the WAL-reset corruption bug (sqlite.org, 3.51.3).
const MIN_SQLITE: i32 = 3_051_003;
/// A database up to so many bytes is looked at before it is used; that takes
/// less than a second.
const SMALL: u64 = 128 << 20;
/// Links to links are followed so far.
const LINKS: usize = 40;

/// Refuses a damaged database before anything is written to it, if looking does
/// not take long; a large one is looked at in the background.
pub(super) fn check_small(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    if std::fs::metadata(path).map_or(0, |data| data.len()) > SMALL {
        return Ok(());
    }
    let found: Result<String, _> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found.map_err(|error| StoreError::opening(path, &error))? {
        found if found == "ok" => Ok(()),
        found => {
            let (path, reason) = (path.to_path_buf(), fault_in_words(&found));
            Err(StoreError::Damaged { path, reason })
        }
    }
}

/// Keeps a copy of a database that is to be migrated. Without room for one the
/// migration goes on: it is whole or not at all by itself, and news do not wait.
pub(super) fn keep_copy(path: &Path, found: i64) {
    match backup::before_schema(path, found) {
        Ok(copy) => {
            tracing::info!(copy = %copy.display(), "kept a copy of the database as it was");
        }
        Err(error) => {
            tracing::warn!(%error, "cannot keep a copy of the database as it was; going on");
        }
    }
}

/// Whether there is a database. One that is empty, or gone while its log is
/// still there, was lost and is no new one: beginning anew would look like a
/// quiet day.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    switch::refuse_unfinished(path)?;
    let size = |path: &Path| std::fs::metadata(path).map(|data| data.len()).ok();
    let lost = match (size(path), size(&birth::beside(path, "-wal"))) {
        (Some(0), _) => "it is empty",
        (None, Some(1..)) => "it is gone, but its log (-wal) is there",
        (there, _) => return Ok(there.is_some()),
    };
    let reason = format!("{lost}; restore a backup, or remove both files to begin anew");
    Err(StoreError::Damaged { path: path.to_path_buf(), reason })
}

/// Ends a restore that was cut off; the lock must be held.
pub(super) fn finish_restore(path: &Path) -> Result<(), StoreError> {
    match switch::finish(path)? {
        Some(Ended::Switched(before)) => {
            let before = before.map(|before| before.display().to_string());
            tracing::warn!(before, "a restore was cut off; it is finished now");
        }
        Some(Ended::PutBack) => {
            tracing::warn!("a restore was cut off, and its copy is gone; all is as before it");
        }
        None => {}
    }
    Ok(())
}

/// The file that a path leads to, over links. SQLite keeps the log beside that
/// one, so all that is done with the files is done there.
pub(super) fn real(path: &Path) -> Result<PathBuf, StoreError> {
    let mut real = path.to_path_buf();
    for _ in 0..LINKS {
        match std::fs::read_link(&real) {
            Ok(next) => real = birth::folder_of(&real).join(next),
            Err(_) => return Ok(real),
        }
    }
    let reason = "it is a link that leads to itself".to_owned();
    Err(StoreError::Open { path: path.to_path_buf(), reason })
}

/// Refuses a link to nothing: the disk with the database may not be mounted, and
/// beginning anew would look like a quiet day.
pub(super) fn refuse_link_to_nothing(path: &Path, real: &Path) -> Result<(), StoreError> {
    if path == real || real.exists() || switch::under_way(real)?.is_some() {
        return Ok(());
    }
    let reason = format!(
        "it is a link to \"{}\", and there is no such file; if its disk is not mounted, mount it, \
         or restore a backup, or remove the link to begin anew",
        real.display()
    );
    Err(StoreError::Open { path: path.to_path_buf(), reason })
}

/// Opens the file for writing.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Who refuses a file leaves it and its log as they are; who does not, closes
    // the log by himself in the end.
    let log = std::fs::metadata(birth::beside(path, "-wal")).map_or(0, |data| data.len());
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log > 0)?;
    migrate::require_ours(&connection, path)?;
    let opening = |error: rusqlite::Error| StoreError::opening(path, &error);
    let pages: i64 =
        connection.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(opening)?;
    if pages == 0 {
        // Each time it is said it is written, so only to a new file.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;").map_err(opening)?;
    }
    prepare(&connection).map_err(opening)?;
    Ok(connection)
}

/// Opens a database that nobody serves, to look at it where nothing can be
/// written: on a full disk not even the log's index can be made, which is kept
/// in memory by whoever is alone.
pub(super) fn connect_alone(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
        )
        .map_err(|error| StoreError::opening(path, &error))?;
    migrate::require_ours(&connection, path)?;
    Ok(connection)
}

/// Whether a connection leaves the log as it is when it is closed.
pub(super) fn keeps_log(connection: &Connection) -> bool {
    connection.db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE).unwrap_or(false)
}

/// Durability is set per connection: WAL with `synchronous=NORMAL` loses
/// committed rows at a power cut, FULL does not.
pub(super) fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // One plan for all values. Otherwise, once SQLite has samples of an index,
    // it prepares a statement anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA mmap_size = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;",
    )
}

/// Some readers are kept, and each page would be in each of their caches: the
/// system keeps the file's pages for all of them.
const READING: &str = "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -500;";

/// As the writer does, it closes the log at the end, or leaves it to others.
pub(super) fn connect_reader(path: &Path, keeps_log: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps_log)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.execute_batch(READING)?;
    Ok(connection)
}

/// One more connection of the process that writes, as durable as the writer's.
pub(super) fn connect_beside(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

pub(super) fn require_sqlite(path: &Path) -> Result<(), StoreError> {
    if rusqlite::version_number() < MIN_SQLITE {
        let reason = format!("SQLite {} can corrupt it; 3.51.3 is needed", rusqlite::version());
        return Err(StoreError::Open { path: path.to_path_buf(), reason });
    }
    Ok(())
}

pub(super) fn make_private_folder(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| StoreError::Open { path: folder.to_path_buf(), reason: error.to_string() })
}
