//! One daemon for one database: an advisory lock on a file beside it, which
//! the system takes back when the process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use super::birth::beside;

/// How often a lock that another has is asked for before it counts as taken,
/// and the pause in between. A command that looks whether a daemon is running
/// has it for an instant; that must not keep a daemon from starting.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// The lock, held until dropped.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Drop for Lock {
    /// Closing the file is not enough: a child process that has not yet
    /// become its program still has it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// The file that is locked.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether another process has the lock, and changes nothing.
    pub(super) fn probe(database: &Path) -> Result<(), StoreError> {
        let Ok(file) = File::open(lock_path(database)) else { return Ok(()) };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_path_buf())),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Takes the lock, or says within a second that another process has it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the first thing a program does: nothing else runs yet that could be held up"
    )]
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        Self::take_after(database, || std::thread::sleep(PAUSE))
    }

    /// The same, with what is done between two tries.
    fn take_after(database: &Path, mut pause: impl FnMut()) -> Result<Self, StoreError> {
        for _ in 1..TRIES {
            match Self::try_take(database) {
                Err(StoreError::InUse(_)) => pause(),
                done => return done,
            }
        }
        Self::try_take(database)
    }

    fn try_take(database: &Path) -> Result<Self, StoreError> {
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
        Ok(Self { file, path })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    beside(database, ".lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_held_for_an_instant_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("watch.db");
        let mut other = Some(Lock::take(&database).unwrap());
        let mut pauses = 0;
        let lock = Lock::take_after(&database, || {
            pauses += 1;
            other = None;
        });
        assert!(lock.is_ok());
        assert_eq!(pauses, 1);
    }

    #[test]
    fn a_lock_that_stays_is_another_daemons() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("watch.db");
        let _other = Lock::take(&database).unwrap();
        assert!(matches!(Lock::take_after(&database, || {}), Err(StoreError::InUse(_))));
    }

    #[test]
    fn a_lock_let_go_is_free_though_a_child_still_has_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("watch.db");
        let lock = Lock::take(&database).unwrap();
        // What a child has between its fork and its exec.
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(Lock::try_take(&database).is_ok());
        drop(inherited);
    }
}
