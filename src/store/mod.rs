//! What survives a restart: one SQLite file, one writer, a few readers.
//!
//! A cheap handle with async verbs. Verbs that write are shaped as *claim with
//! a lease* and *commit that may be repeated*; nothing outside this folder
//! knows SQL.

mod archive;
mod backup;
mod birth;
mod callbacks;
mod checkpoint;
mod claim;
mod content;
mod deliveries;
mod detail;
mod due;
mod edits;
mod error;
mod export;
mod facts;
mod feeds;
mod gauges;
mod indexes;
mod ingest;
mod intake;
mod ledger;
mod list;
mod lock;
mod lookup;
mod matches;
mod migrate;
mod notices;
mod opening;
mod orphans;
mod outages;
mod overview;
mod pages;
mod pauses;
mod pushes;
mod query;
mod restore;
mod rows;
mod salvage;
mod segments;
mod silences;
mod subscriptions;
mod sweep;
mod switch;
mod tellings;
mod trouble;
mod upgrades;
mod visits;
mod vitals;
mod words;
mod wreck;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use crate::wedge::wedge;

use opening::{
    check_small, connect, connect_alone, connect_reader, finish_restore, is_there, keep_copy,
    keeps_log, make_private_folder, real, refuse_link_to_nothing, require_sqlite,
};

pub use archive::{ArchiveQuery, Archived};
pub use backup::{Copied, CopyError, backup, check};
pub use claim::{Claimed, DigestIds, Gate};
pub use deliveries::Finish;
pub use detail::FeedDetail;
pub use edits::Edited;
pub use error::StoreError;
pub use export::Exported;
pub use feeds::{Scheduled, SyncReport};
pub use gauges::Gauges;
pub use ingest::{CommitReport, EntryOutcome, Judge, Judged, JudgedMatch, Situation, Told, Visit};
pub use ledger::{LedgerRow, Passage, Try};
pub use list::{AlertRow, DeliveryRow, FeedRow, Filter, OutletRow, StoryRow};
pub use notices::{NoticePlan, NoticeRow, PlanDeliveries};
pub use overview::Overview;
pub use pages::{PageCommit, PageHost, PageTally};
pub use pauses::Pause;
pub use pushes::{Kept, NewPush, PushLimits, QueuedPush, TakenIn};
pub use restore::{Restored, restore};
pub use salvage::{Saved, recover};
pub use silences::{Feedback, ReminderId};
pub use sweep::Old;
pub use tellings::TellingRow;
pub use upgrades::StoryMatch;
pub use visits::{Claim, ClaimedFeed, EmptyVisit};
pub use vitals::{Calm, Vitals};

/// Prepared statements kept by the writer.
const STATEMENTS: usize = 128;
/// Read connections kept open.
const READERS: usize = 2;

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    writer: writer::Writer,
    readers: Mutex<Vec<Connection>>,
    /// `None` for a database in memory, which only the writer can see.
    path: Option<PathBuf>,
    /// Closing does not touch the log, because who may refuse the file leaves
    /// it as it is.
    keeps_log: bool,
    /// Cancelled when damage was found, for this reason.
    damage: CancellationToken,
    reason: OnceLock<String>,
    /// Writes that the disk refused.
    trouble: trouble::Trouble,
    /// Held as long as the store is open, where this process may write.
    _lock: Option<lock::Lock>,
}

impl Store {
    /// Opens the database for the daemon: takes the lock, creates or migrates
    /// the file, and gives back leases of a process that died.
    ///
    /// # Errors
    /// See [`StoreError`]; a damaged file is never replaced by an empty one.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        require_sqlite(path)?;
        let real = &real(path)?;
        refuse_link_to_nothing(path, real)?;
        let path = real;
        make_private_folder(&birth::folder_of(path))?;
        let lock = lock::Lock::take(path)?;
        finish_restore(path)?;
        if !is_there(path)? {
            birth::create(path)?;
        }
        let mut connection = connect(path)?;
        check_small(&connection, path)?;
        if let Some(found) = migrate::outdated(&connection)? {
            keep_copy(path, found);
        }
        migrate::migrate(&mut connection, path)?;
        Self::begin(&connection).map_err(|error| StoreError::opening(path, &error))?;
        let checkpointer = checkpoint::Checkpointer::start(path, &connection)?;
        Ok(Self::start(connection, Some(path.to_path_buf()), Some((lock, checkpointer))))
    }

    /// What a process that died left, and what only it knew.
    fn begin(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "UPDATE delivery SET leased_until = NULL WHERE leased_until IS NOT NULL;
             UPDATE feed SET leased_until = NULL WHERE leased_until IS NOT NULL;
             UPDATE page SET leased_until = NULL WHERE leased_until IS NOT NULL;",
        )?;
        pauses::end_at_start(connection)?;
        words::prepare(connection)?;
        // What SQLite knows of the tables may be from when they were tiny, and
        // then it reads all of a large one where an index would do.
        connection.execute_batch("PRAGMA optimize = 0x10002;")
    }

    /// Opens the database beside a running daemon: to look, or for the few
    /// commands that change a row.
    ///
    /// # Errors
    /// When there is no such file, or it is of another schema.
    pub fn attach(path: &Path) -> Result<Self, StoreError> {
        require_sqlite(path)?;
        let path = &real(path)?;
        if !is_there(path)? {
            return Err(StoreError::Open {
                path: path.to_path_buf(),
                reason: "there is no such file; nothing has run with this configuration yet"
                    .to_string(),
            });
        }
        match connect(path) {
            Ok(connection) => {
                migrate::require_current(&connection, path)?;
                Ok(Self::start(connection, Some(path.to_path_buf()), None))
            }
            // What is refused is left as it is, without another try.
            Err(error @ (StoreError::TooNew { .. } | StoreError::Damaged { .. })) => Err(error),
            Err(error) if Self::is_served(path) => Err(error),
            Err(error) => {
                let connection = connect_alone(path).map_err(|_| error)?;
                migrate::require_current(&connection, path)?;
                // Without a path all goes over this one connection.
                Ok(Self::start(connection, None, None))
            }
        }
    }

    /// A database that lives as long as the handle: for replays and tests.
    ///
    /// # Errors
    /// When SQLite cannot make one.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch("PRAGMA foreign_keys = ON;")?;
        migrate::migrate(&mut connection, Path::new(":memory:"))?;
        Ok(Self::start(connection, None, None))
    }

    /// Whether a daemon has this database open now.
    pub fn is_served(path: &Path) -> bool {
        let probed = real(path).and_then(|path| lock::Lock::probe(&path));
        matches!(probed, Err(StoreError::InUse(_)))
    }

    /// Proves that the writer works, gets the write lock, and that what it
    /// writes reaches the disk.
    ///
    /// # Errors
    /// When it does not: another process holds the lock, the disk is full, the
    /// writer has ended.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.write(|db| {
            wedge("writer");
            db.execute_batch(
                "INSERT INTO probe (id, count) VALUES (1, 1) \
                 ON CONFLICT (id) DO UPDATE SET count = count + 1",
            )
        })
        .await
    }

    /// The writer's journal mode, `synchronous` level (2 is FULL) and whether
    /// foreign keys are enforced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> Result<(String, i64, bool), StoreError> {
        self.write(|db| {
            Ok((
                db.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
                db.pragma_query_value(None, "synchronous", |row| row.get(0))?,
                db.pragma_query_value(None, "foreign_keys", |row| row.get(0))?,
            ))
        })
        .await
    }

    /// With what only the process has that holds the lock.
    fn start(
        connection: Connection,
        path: Option<PathBuf>,
        own: Option<(lock::Lock, checkpoint::Checkpointer)>,
    ) -> Self {
        let (lock, checkpointer) = own.unzip();
        // An intake alone uses more statements than the usual sixteen, and
        // preparing them anew for each entry costs more than running them.
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let keeps_log = keeps_log(&connection);
        let shared = Shared {
            writer: writer::Writer::start(connection, checkpointer),
            readers: Mutex::new(Vec::new()),
            path,
            keeps_log,
            damage: CancellationToken::new(),
            reason: OnceLock::new(),
            trouble: trouble::Trouble::default(),
            _lock: lock,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `job` in a write transaction; what others ask for at the same time
    /// goes into the same commit. Done means: on disk.
    async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let result = self.shared.writer.run(job).await;
        result.map_err(|error| {
            self.shared.trouble.note(&error);
            self.shared.noted(error)
        })
    }

    /// Why the disk refused a write lately, if it did so within that time. On a
    /// full disk a small write may succeed where a larger one does not.
    pub fn refused_write(&self, within: Duration) -> Option<String> {
        self.shared.trouble.within(within)
    }

    /// Completes when the file was found to be damaged, with the error.
    pub async fn damaged(&self) -> StoreError {
        self.shared.damage.cancelled().await;
        self.damage().unwrap_or(StoreError::Closed)
    }

    /// The damage that was found so far.
    pub fn damage(&self) -> Option<StoreError> {
        let reason = self.shared.reason.get().cloned()?;
        let path = self.shared.path.clone().unwrap_or_default();
        Some(StoreError::Damaged { path, reason })
    }

    /// Runs `job` on a read connection, off the executor's threads.
    async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let Some(path) = self.shared.path.clone() else {
            return self.shared.writer.run(job).await;
        };
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            let connection = match shared.take_reader() {
                Some(connection) => connection,
                None => connect_reader(&path, shared.keeps_log)?,
            };
            let result = job(&connection);
            shared.give_back(connection);
            Ok(result?)
        });
        let result = task.await.map_err(|_| StoreError::Closed)?;
        result.map_err(|error| self.shared.noted(error))
    }
}

impl Shared {
    /// Damage is named with its file, and remembered: going on could tell, or
    /// not tell, anything.
    fn noted(&self, error: StoreError) -> StoreError {
        let Some(path) = self.path.clone().filter(|_| error.is_damage()) else { return error };
        let reason = match error {
            StoreError::Damaged { reason, .. } => reason,
            StoreError::Sqlite(error) => error.to_string(),
            other => other.to_string(),
        };
        let _ = self.reason.set(reason.clone());
        self.damage.cancel();
        StoreError::Damaged { path, reason }
    }

    fn take_reader(&self) -> Option<Connection> {
        self.readers.lock().ok()?.pop()
    }

    fn give_back(&self, connection: Connection) {
        if let Ok(mut readers) = self.readers.lock()
            && readers.len() < READERS
        {
            readers.push(connection);
        }
    }
}

/// The version of SQLite that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// The number of the newest schema.
pub fn schema() -> i64 {
    migrate::newest()
}

#[cfg(test)]
mod tests {
    use super::opening::prepare;
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn statements_stay_prepared_after_sqlite_took_samples() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watch.db");
        std::fs::write(&path, "").unwrap();
        let db = Connection::open(&path).unwrap();
        prepare(&db).unwrap();
        db.execute_batch(
            "CREATE TABLE t (a, b); CREATE INDEX t_a ON t (a);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO t SELECT i % 7, i FROM n; ANALYZE;",
        )
        .unwrap();
        let mut select = db.prepare("SELECT count(*) FROM t WHERE a = ?").unwrap();
        for value in 0..5 {
            let found: i64 = select.query_row([value], |row| row.get(0)).unwrap();
            assert!(found > 0);
        }
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0);
    }
}
