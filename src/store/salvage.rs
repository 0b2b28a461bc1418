//! What can still be read of a damaged database, as a new one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::backup::{CopyError, fault, fold, remove, require_place, settle_new};
use super::birth::beside;
use super::opening::real;
use super::rows::millis;
use super::wreck::tables;
use super::{StoreError, connect, lock, migrate, orphans, switch};

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub table: String,
    /// Rows that were read and are in the new database.
    pub rows: usize,
    /// Rows put in the place of lost ones that others belong to: with what the
    /// indexes know of them, and "(lost)".
    pub stubs: usize,
    /// Rows that there were, as far as an index tells.
    pub known: Option<usize>,
    /// Rows that could be read, but make no sense without others or by themselves.
    pub refused: usize,
    /// Stretches that could not be read.
    pub holes: usize,
}

impl Saved {
    /// Rows that were lost, or whose contents were; `None` if nobody can tell.
    pub fn lost(&self) -> Option<usize> {
        let read = self.rows + self.refused;
        match self.known {
            Some(known) => Some(known.max(read) - self.rows),
            None if self.holes == 0 => Some(self.refused.max(self.stubs)),
            None => None,
        }
    }

    /// Whether all of it was saved.
    pub fn is_whole(&self) -> bool {
        self.holes == 0 && self.stubs == 0 && self.lost() == Some(0)
    }
}

/// Reads what can be read of a database, which stays as it is, and writes it to
/// a new file. Rows whose parents were lost get stubs in their place.
///
/// # Errors
/// When the target exists, nothing can be read at all, or a file fails.
pub fn recover(
    database: &Path,
    target: &Path,
    now: Timestamp,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Saved>, CopyError> {
    require_place(target)?;
    let database = &real(database)?;
    // A daemon would change the file while it is copied.
    lock::Lock::probe(database)?;
    switch::refuse_unfinished(database)?;
    let (source, part) = (beside(target, ".source"), beside(target, ".part"));
    let saved = (|| {
        remove(&source)?;
        remove(&part)?;
        copy_files(database, &source, target)?;
        let saved = fill(&source, &part, millis(now), &mut progress)
            .map_err(|error| blame(error, (&source, database), (&part, target)))?;
        settle_new(&part, target)?;
        Ok(saved)
    })();
    // What went wrong first is what is said.
    let removed = remove(&source).and_then(|()| remove(&part));
    saved.and_then(|saved| removed.map(|()| saved))
}

/// A copy: reading takes the log in, and that would change the original.
fn copy_files(database: &Path, source: &Path, target: &Path) -> Result<(), CopyError> {
    for piece in ["", "-wal"] {
        let from = beside(database, piece);
        if piece.is_empty() || from.exists() {
            File::open(&from).map_err(|error| CopyError::File(from.clone(), error))?;
            std::fs::copy(&from, beside(source, piece))
                .map_err(|error| CopyError::of_target(target, error))?;
        }
    }
    pad(source).map_err(|error| CopyError::of_target(target, error))
}

/// Gives a file that was cut off the length that its header states: SQLite reads
/// nothing of one that is shorter. What is missing takes no room.
fn pad(source: &Path) -> io::Result<()> {
    let mut header = [0; 32];
    let mut file = OpenOptions::new().read(true).write(true).open(source)?;
    if file.read_exact(&mut header).is_err() {
        return Ok(());
    }
    let number = |at: usize, length: usize| {
        header[at..at + length].iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
    };
    let size = match number(16, 2) {
        1 => 65_536,
        size => size,
    };
    let stated = number(28, 4) * size;
    if size.is_power_of_two() && stated > file.metadata()?.len() {
        file.set_len(stated)?;
    }
    Ok(())
}

/// Names the files that somebody named, not those that were made of them.
fn blame(error: CopyError, source: (&Path, &Path), part: (&Path, &Path)) -> CopyError {
    let path = match &error {
        CopyError::Unsound(path, _)
        | CopyError::Store(StoreError::Damaged { path, .. } | StoreError::Open { path, .. }) => {
            path
        }
        CopyError::Store(StoreError::TooNew { .. }) => return error.about(source.1),
        CopyError::Store(StoreError::Sqlite(_)) => return error.in_target(part.1),
        _ => return error,
    };
    if path == source.0 { error.about(source.1) } else { error.in_target(part.1).about(part.1) }
}

fn fill(
    source: &Path,
    part: &Path,
    now: i64,
    progress: &mut impl FnMut(&str),
) -> Result<Vec<Saved>, CopyError> {
    let opening = |error: rusqlite::Error| StoreError::opening(source, &error);
    let old =
        Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(opening)?;
    // Read what is there, whatever the schema's own table says of it.
    old.execute_batch("PRAGMA writable_schema = ON;").map_err(opening)?;
    let version: i64 =
        old.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
    if version < 1 {
        let reason = "nothing in it is a wirewatch database's".to_owned();
        return Err(CopyError::Unsound(source.to_path_buf(), reason));
    }
    new_file(part)?;
    let mut new = connect(part)?;
    migrate::migrate_to(&mut new, part, version)?;
    new.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let mut saved = Vec::new();
    for table in tables(&new)? {
        progress(&table.name);
        saved.push(table.salvage(&old, &mut new)?);
    }
    if saved.iter().all(|table| table.rows == 0) {
        let reason = "no row of it can be read".to_owned();
        return Err(CopyError::Unsound(source.to_path_buf(), reason));
    }
    progress("what belongs to lost rows");
    orphans::settle(&old, &mut new, &mut saved, now)?;
    finish(new, part, version)?;
    Ok(saved)
}

/// Brings the new file up to date, and proves it.
fn finish(mut new: Connection, part: &Path, version: i64) -> Result<(), CopyError> {
    if version >= 5 {
        // Words are looked up anew: a search reads all entries up to this one.
        new.execute_batch(
            "DELETE FROM archive; INSERT INTO archive SELECT 1, coalesce(max(id), 0) FROM entry;",
        )?;
    }
    migrate::migrate(&mut new, part)?;
    if let Some(fault) = fault(&new)? {
        return Err(CopyError::Unsound(part.to_path_buf(), fault));
    }
    fold(&new)?;
    new.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn new_file(path: &Path) -> Result<(), CopyError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let made = options.create_new(true).write(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| CopyError::File(path.to_path_buf(), error))
}
