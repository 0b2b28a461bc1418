//! A new database: made whole under another name, so that there is no moment in
//! which an empty or half-made file has its name.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;

use super::backup::fold;
use super::switch::NEW;
use super::{StoreError, connect, migrate};

/// Makes a database with the newest schema and nothing in it.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let refused =
        |error: io::Error| StoreError::Open { path: path.to_path_buf(), reason: error.to_string() };
    let new = beside(path, NEW);
    for leftover in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(beside(&new, leftover)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(error)),
            _ => {}
        }
    }
    // Private to its owner from the first byte.
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600).open(&new).map_err(refused)?;
    let mut connection = connect(&new)?;
    migrate::migrate(&mut connection, &new)?;
    // All of it into the one file that gets the name.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    fold(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    settle(&new, path).map_err(refused)
}

/// Gives a finished file its name, on disk.
pub(super) fn settle(finished: &Path, name: &Path) -> io::Result<()> {
    File::open(finished)?.sync_all()?;
    std::fs::rename(finished, name)?;
    sync_folder(name)
}

/// The same, but never in the place of another file.
pub(super) fn settle_as_new(finished: &Path, name: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    File::open(finished)?.sync_all()?;
    match renameat_with(CWD, finished, CWD, name, RenameFlags::NOREPLACE) {
        // Some file systems cannot say it in one word.
        Err(Errno::INVAL | Errno::NOSYS) if !name.exists() => std::fs::rename(finished, name)?,
        done => done?,
    }
    sync_folder(name)
}

/// Makes renames and removals beside a file last.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

/// The folder that a file is in, or would be.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_path_buf()
}

/// The path with something behind its name.
pub(super) fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(more);
    PathBuf::from(name)
}
