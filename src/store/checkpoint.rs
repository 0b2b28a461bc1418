//! Takes the write-ahead log into the database, beside the writer.
//!
//! A checkpoint writes a thousand pages to their places and waits for the disk,
//! twice. SQLite does it within a commit, and then everybody waits for that.
//! Here a thread of its own does it, which the writer's thread owns.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::StoreError;
use super::opening::connect_beside;

/// Pages in the log from which on it is taken in.
const ENOUGH: i64 = 1_000;
/// Pages from which on a commit does it by itself, because this thread is not
/// fast enough: then nothing is written meanwhile, and the log begins anew.
const TOO_MANY: i64 = 3_000;
/// Looks until all of the log is taken in, while commits go on.
const PASSES: usize = 3;

/// The way to the thread.
pub(super) struct Checkpointer {
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread, and tells the writer's connection to leave checkpoints
    /// to it. Without a thread that one does them as ever.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) fn start(path: &Path, writer: &Connection) -> Result<Self, StoreError> {
        let connection = connect_beside(path)?;
        // A second ring while it works is one more look, a third is none.
        let (bell, rings) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_string())
            .spawn(move || run(&connection, &rings));
        if thread.is_ok() {
            writer.pragma_update(None, "wal_autocheckpoint", TOO_MANY)?;
        }
        Ok(Self { bell: Some(bell), thread: thread.ok() })
    }

    /// Says that the log has grown. Never waits.
    pub(super) fn ring(&self) {
        if let Some(bell) = &self.bell {
            let _ = bell.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    /// Waits for a checkpoint that goes on.
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, rings: &Receiver<()>) {
    // Leaving the log to the writer, which is still there.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    while rings.recv().is_ok() {
        // What fails here is tried again with the next commit; and what is wrong
        // with the disk, that one says.
        if let Err(error) = take_in(connection) {
            tracing::debug!(%error, "cannot take in the write-ahead log");
        }
    }
}

/// Takes the log in if it is long. Readers and commits go on; what they hold or
/// add is left for the next look.
fn take_in(connection: &Connection) -> rusqlite::Result<()> {
    let (pages, taken) = look(connection, "NOOP")?;
    if pages < ENOUGH || pages == taken {
        return Ok(());
    }
    let mut taken = taken;
    for _ in 0..PASSES {
        let (pages, now_taken) = look(connection, "PASSIVE")?;
        if now_taken >= pages || now_taken <= taken {
            break;
        }
        taken = now_taken;
    }
    Ok(())
}

/// Pages in the log, and how many of them are in the database.
fn look(connection: &Connection, how: &str) -> rusqlite::Result<(i64, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({how})");
    connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database whose log has so many pages, and the connection that wrote it.
    fn with_log(folder: &Path, pages: i64) -> Connection {
        let path = folder.join("watch.db");
        std::fs::write(&path, "").unwrap();
        let db = connect_beside(&path).unwrap();
        db.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x);").unwrap();
        for _ in 0..pages {
            db.execute("INSERT INTO t VALUES (randomblob(3000))", []).unwrap();
        }
        db
    }

    /// What is left for others once the thread has ended.
    fn after_a_ring(pages: i64) -> (i64, i64) {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_log(folder.path(), pages);
        let checkpointer = Checkpointer::start(&folder.path().join("watch.db"), &writer).unwrap();
        let bound: i64 =
            writer.pragma_query_value(None, "wal_autocheckpoint", |row| row.get(0)).unwrap();
        assert_eq!(bound, TOO_MANY);
        checkpointer.ring();
        drop(checkpointer);
        look(&writer, "NOOP").unwrap()
    }

    #[test]
    fn a_long_log_is_taken_in_and_a_short_one_is_left() {
        let (pages, taken) = after_a_ring(ENOUGH);
        assert!(pages >= ENOUGH && pages == taken, "{taken} of {pages}");
        let (pages, taken) = after_a_ring(10);
        assert!(pages >= 10 && taken == 0, "{taken} of {pages}");
    }

    #[test]
    fn behind_a_reader_it_ends_and_goes_on_later() {
        let folder = tempfile::tempdir().unwrap();
        let writer = with_log(folder.path(), 10);
        let path = folder.path().join("watch.db");
        let reader = connect_beside(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM t;").unwrap();
        for _ in 0..ENOUGH {
            writer.execute("INSERT INTO t VALUES (randomblob(3000))", []).unwrap();
        }
        take_in(&connect_beside(&path).unwrap()).unwrap();
        let (pages, taken) = look(&writer, "NOOP").unwrap();
        assert!(taken < pages, "void: {taken} of {pages}");
        reader.execute_batch("COMMIT").unwrap();
        take_in(&connect_beside(&path).unwrap()).unwrap();
        let (pages, taken) = look(&writer, "NOOP").unwrap();
        assert_eq!(pages, taken);
    }
}
