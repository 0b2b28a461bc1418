//! One daemon for one database: an advisory lock on a file beside it, which
//! the system takes back when the process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The lock, held until dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Says whether another process has the lock, and changes nothing.
    pub(super) fn probe(database: &Path) -> Result<(), StoreError> {
        let Ok(file) = File::open(lock_path(database)) else { return Ok(()) };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_path_buf())),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Takes the lock, or says at once that another process has it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let refused = |error: std::io::Error| StoreError::Open {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(database.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        // For people only: who has it. The lock itself is the system's.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
