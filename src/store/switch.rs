//! One database takes the place of another, in steps that can be cut off anywhere.
//!
//! A note beside the database says that this is under way, and where what was
//! there goes. It is on disk before the first step and gone after the last, and
//! whoever finds it takes the steps that are left. A database and its log move
//! by one rename each: what moved is not copied, linked or opened, so it stays
//! as it was, damaged or not.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::birth::{beside, folder_of, settle, sync_folder};

/// Behind the name of a database: the one that takes its place.
pub(super) const NEW: &str = ".new";
/// Behind the name of a database: the note.
const NOTE: &str = ".restoring";
/// A database and what may be with it; where the first is, the others belong.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// How a switch that was found under way ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The new database has the name, and what was there before is here.
    Switched(Option<PathBuf>),
    /// There was no new one any more; what was there before is there again.
    PutBack,
}

/// Where what was there goes, if a switch is under way.
pub(super) fn under_way(database: &Path) -> Result<Option<PathBuf>, StoreError> {
    let note = beside(database, NOTE);
    match std::fs::read(&note) {
        Ok(name) => Ok(Some(database.with_file_name(OsStr::from_bytes(&name)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::File(note, error)),
    }
}

/// Why a database is not opened while a switch is under way, if one is.
pub(super) fn refuse_unfinished(database: &Path) -> Result<(), StoreError> {
    let Some(before) = under_way(database)? else { return Ok(()) };
    let (path, new) = (database.to_path_buf(), beside(database, NEW));
    Err(StoreError::Unfinished { path, before, new })
}

/// Makes the note, and gives its name. From here on the switch will be made.
pub(super) fn begin(database: &Path, before: &Path) -> Result<PathBuf, StoreError> {
    let (note, draft) = (beside(database, NOTE), beside(database, ".restoring.part"));
    let name = before.file_name().unwrap_or_default();
    std::fs::write(&draft, name.as_bytes())
        .and_then(|()| settle(&draft, &note))
        .map_err(|error| StoreError::File(note.clone(), error))?;
    Ok(note)
}

/// Takes the steps that are left of a switch, if one is under way. The lock of
/// the database must be held.
pub(super) fn finish(database: &Path) -> Result<Option<Ended>, StoreError> {
    let Some(before) = under_way(database)? else { return Ok(None) };
    let failed = |error| StoreError::File(database.to_path_buf(), error);
    let new = beside(database, NEW);
    let ended = if new.exists() {
        set_aside(database, &before)?;
        settle(&new, database).map_err(failed)?;
        Ended::Switched(is_any(&before).then_some(before))
    } else if database.exists() {
        Ended::Switched(is_any(&before).then_some(before))
    } else {
        // The log first: a database must not be found without it.
        for part in PARTS.iter().rev() {
            move_part(&before, database, part)?;
        }
        sync_folder(database).map_err(failed)?;
        Ended::PutBack
    };
    let note = beside(database, NOTE);
    std::fs::remove_file(&note)
        .and_then(|()| sync_folder(database))
        .map_err(|error| StoreError::File(note, error))?;
    Ok(Some(ended))
}

/// Keeps what is there under another name, what was done of it before included.
fn set_aside(database: &Path, before: &Path) -> Result<(), StoreError> {
    // Somebody may have put something in the place of what was moved already.
    let is_other = database.exists() && before.exists();
    let before = if is_other { &free_name(before) } else { before };
    for part in PARTS {
        move_part(database, before, part)?;
    }
    sync_folder(database).map_err(|error| StoreError::File(folder_of(database), error))
}

fn move_part(from: &Path, to: &Path, part: &str) -> Result<(), StoreError> {
    let (from, to) = (beside(from, part), beside(to, part));
    match std::fs::rename(&from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::File(from, error)),
        _ => Ok(()),
    }
}

fn is_any(database: &Path) -> bool {
    PARTS.iter().any(|part| beside(database, part).exists())
}

/// A name for a database like this one that nothing has.
pub(super) fn free_name(wanted: &Path) -> PathBuf {
    let others = (2_u64..).map(|number| beside(wanted, &format!("-{number}")));
    let mut names = std::iter::once(wanted.to_path_buf()).chain(others);
    names.find(|name| !is_any(name)).unwrap_or_else(|| wanted.to_path_buf())
}
