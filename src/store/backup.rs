//! Copies of the database: made while it is in use, and proved.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::birth::{beside, folder_of, settle_as_new};
use super::error::{fault_in_words, is_damage};
use super::opening::real;
use super::{StoreError, migrate};

/// A copy made before a change of the schema is that change's for so long.
const FRESH: Duration = Duration::from_secs(3_600);
/// What such a copy leaves free: alerts need room more than it does.
const MARGIN: u64 = 256 << 20;

/// What a database file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Entries.
    pub entries: i64,
    /// Stories.
    pub stories: i64,
    /// Alerts.
    pub alerts: i64,
}

/// Why a copy was not made, or not put in its place.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is there that would be lost.
    #[error("\"{0}\" exists; name another file")]
    Exists(PathBuf),
    /// Somebody makes this copy now.
    #[error("a backup to \"{0}\" is being made already")]
    Running(PathBuf),
    /// There is nowhere to write to.
    #[error("the folder \"{0}\" does not exist; make it, or name a file elsewhere")]
    NoFolder(PathBuf),
    /// There is no room where the new file was to be.
    #[error("no room for \"{0}\": make some, or name a file on another disk")]
    Full(PathBuf),
    /// A file cannot be read or written.
    #[error("\"{0}\": {1}")]
    File(PathBuf, io::Error),
    /// The copy has faults, which is said instead of keeping it.
    #[error("\"{0}\" is not sound: {1}")]
    Unsound(PathBuf, String),
    /// There is no room for a copy.
    #[error("{} MiB are free, too little for a copy of {} MiB", free >> 20, size >> 20)]
    NoRoom {
        /// Bytes.
        free: u64,
        /// Bytes.
        size: u64,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CopyError {
    /// What the system says of a file that was to be made.
    pub(super) fn of_target(target: &Path, error: io::Error) -> Self {
        let path = target.to_path_buf();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            io::ErrorKind::NotFound if !folder_of(target).exists() => {
                Self::NoFolder(folder_of(target))
            }
            _ => Self::File(path, error),
        }
    }

    /// What SQLite says while it writes the new file, which it does not name.
    pub(super) fn in_target(self, target: &Path) -> Self {
        match self {
            Self::Store(error) if error.is_full() => Self::Full(target.to_path_buf()),
            Self::Store(StoreError::Sqlite(error)) if !is_damage(&error) => {
                Self::File(target.to_path_buf(), io::Error::other(error))
            }
            other => other,
        }
    }

    /// The same of the file that was named, and not of the copy that was looked at.
    pub(super) fn about(self, named: &Path) -> Self {
        let path = named.to_path_buf();
        match self {
            Self::Unsound(_, fault) => Self::Unsound(path, fault),
            Self::Store(StoreError::Damaged { reason, .. }) => {
                // What is said of an empty file is advice about the database.
                let reason = reason.split("; ").next().unwrap_or_default().to_owned();
                Self::Store(StoreError::Damaged { path, reason })
            }
            Self::Store(StoreError::Open { reason, .. }) => {
                Self::Store(StoreError::Open { path, reason })
            }
            Self::Store(StoreError::TooNew { found, known, .. }) => {
                Self::Store(StoreError::TooNew { path, found, known })
            }
            other => other,
        }
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies a database that may be in use, as of one moment, to a new file. The
/// file has its name only when it is whole, on disk, and proved to be sound.
///
/// # Errors
/// When the target exists, a file fails, or the database has faults.
pub fn backup(database: &Path, target: &Path) -> Result<Copied, CopyError> {
    require_place(target)?;
    let part = beside(target, ".part");
    let claimed = claim(&part, target)?;
    let copied = copy(database, &part, target)
        .and_then(|()| proved(&part).map_err(|error| of_copy(error, database, target)))
        .and_then(|copied| settle_new(&part, target).map(|()| copied));
    if copied.is_err() {
        // What went wrong first is what is said.
        let _ = remove(&part);
    }
    drop(claimed);
    copied
}

/// Whether a new file of this name can be made, as far as names go.
pub(super) fn require_place(target: &Path) -> Result<(), CopyError> {
    if target.exists() {
        return Err(CopyError::Exists(target.to_path_buf()));
    }
    let folder = folder_of(target);
    if folder.is_dir() { Ok(()) } else { Err(CopyError::NoFolder(folder)) }
}

/// Takes the file that will get the name, for as long as it is held: another
/// backup to this name would write into it. What one that was cut off left in it
/// is removed.
fn claim(part: &Path, target: &Path) -> Result<File, CopyError> {
    let failed = |error| CopyError::of_target(target, error);
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true).mode(0o600);
    let made = options.open(part).map_err(failed)?;
    if made.try_lock().is_err() {
        return Err(CopyError::Running(target.to_path_buf()));
    }
    // Whoever had it until now may just have given it its name.
    let id = |data: std::fs::Metadata| (data.dev(), data.ino());
    let ours = made.metadata().map(id).map_err(failed)?;
    if std::fs::metadata(part).map(id).ok() != Some(ours) {
        return Err(CopyError::Running(target.to_path_buf()));
    }
    require_place(target)?;
    made.set_len(0).map_err(failed)?;
    remove_log(part)?;
    Ok(made)
}

/// Gives a finished file a name that nothing has.
pub(super) fn settle_new(part: &Path, target: &Path) -> Result<(), CopyError> {
    settle_as_new(part, target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(target.to_path_buf()),
        _ => CopyError::of_target(target, error),
    })
}

/// What is wrong with a copy that was just made.
fn of_copy(error: CopyError, database: &Path, target: &Path) -> CopyError {
    match error.in_target(target).about(target) {
        CopyError::Unsound(copy, fault) => {
            let advice = "its copy was removed; `wirewatch doctor` reads the database itself";
            let fault = format!("{fault} (found in the copy \"{}\"; {advice})", copy.display());
            CopyError::Unsound(database.to_path_buf(), fault)
        }
        other => other,
    }
}

/// Copies a database as it is before its schema changes, so that the version
/// that wrote it can be gone back to. The copy of an earlier change goes.
pub(super) fn before_schema(database: &Path, found: i64) -> Result<PathBuf, CopyError> {
    let kept = beside(database, &format!(".schema-{found}"));
    // One of a start that was cut off will do; one of an earlier change will not.
    let age = std::fs::metadata(&kept).and_then(|data| data.modified()).map(|at| at.elapsed());
    if !age.is_ok_and(|age| age.is_ok_and(|age| age < FRESH)) {
        let size = std::fs::metadata(database).map_or(0, |data| data.len());
        let free =
            rustix::fs::statvfs(database).map_or(u64::MAX, |stat| stat.f_bavail * stat.f_frsize);
        if free < size + MARGIN {
            return Err(CopyError::NoRoom { free, size });
        }
        remove(&kept)?;
        backup(database, &kept)?;
    }
    for earlier in 1..found {
        remove(&beside(database, &format!(".schema-{earlier}")))?;
    }
    Ok(kept)
}

fn copy(database: &Path, part: &Path, target: &Path) -> Result<(), CopyError> {
    let database = real(database)?;
    let source = open(&database)?;
    source.execute("VACUUM INTO ?", [part.to_string_lossy()]).map_err(|error| {
        if is_damage(&error) {
            return CopyError::Store(StoreError::opening(&database, &error));
        }
        CopyError::from(error).in_target(target)
    })?;
    Ok(())
}

/// Opens a database of ours that exists. SQLite would throw away the log of an
/// empty file, which may be all that is left.
fn open(path: &Path) -> Result<Connection, StoreError> {
    if !super::is_there(path)? {
        let reason = "there is no such file".to_owned();
        return Err(StoreError::Open { path: path.to_path_buf(), reason });
    }
    let opening = |error: rusqlite::Error| StoreError::opening(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(opening)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(opening)?;
    migrate::require_ours(&connection, path)?;
    Ok(connection)
}

/// Whether a database is sound, and what it holds. Reads all of it.
///
/// # Errors
/// When it is not, or cannot be read.
pub fn check(database: &Path) -> Result<Copied, CopyError> {
    proved(&real(database)?)
}

/// Whether a file is a sound database, and what it holds.
pub(super) fn proved(path: &Path) -> Result<Copied, CopyError> {
    let connection = open(path)?;
    fold(&connection)?;
    let fault = fault(&connection)?;
    if let Some(fault) = fault {
        return Err(CopyError::Unsound(path.to_path_buf(), fault));
    }
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0))
    };
    let bytes = std::fs::metadata(path);
    Ok(Copied {
        bytes: bytes.map_err(|error| CopyError::File(path.to_path_buf(), error))?.len(),
        entries: count("entry")?,
        stories: count("story")?,
        alerts: count("alert")?,
    })
}

/// Takes all of a database's log into its file, which then is all of it.
pub(super) fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    let failed = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    if busy { Err(rusqlite::Error::SqliteFailure(failed, None)) } else { Ok(()) }
}

/// The first fault of a database, if it has any.
pub(super) fn fault(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Ok(Some(fault_in_words(&found)));
    }
    let mut dangling = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = dangling.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
    Ok(Some(format!("a row of \"{table}\" belongs to no \"{parent}\"")))
}

/// Removes the log of a database whose file has all of it, or is gone.
pub(super) fn remove_log(database: &Path) -> Result<(), CopyError> {
    for part in ["-wal", "-shm", "-journal"] {
        remove_file(&beside(database, part))?;
    }
    Ok(())
}

fn remove_file(path: &Path) -> Result<(), CopyError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CopyError::File(path.to_path_buf(), error))
        }
        _ => Ok(()),
    }
}

/// Removes what an attempt that was cut off left.
pub(super) fn remove(path: &Path) -> Result<(), CopyError> {
    remove_file(path)?;
    remove_log(path)
}
