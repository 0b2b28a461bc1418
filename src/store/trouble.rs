//! What the disk refused lately: on a full one a small write may find its
//! place where a document does not.

use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use super::{Store, StoreError};

/// The last write that failed for a reason that may pass.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    last: Mutex<Option<(Instant, String)>>,
}

impl Trouble {
    /// Remembers an error, if it is one of the disk.
    pub(super) fn note(&self, error: &StoreError) {
        let StoreError::Sqlite(sqlite) = error else { return };
        let of_disk = matches!(
            sqlite.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
            )
        );
        if of_disk {
            *self.lock() = Some((Instant::now(), error.to_string()));
        }
    }

    /// What it said, if that is no longer ago than this.
    pub(super) fn within(&self, time: Duration) -> Option<String> {
        let last = self.lock();
        last.as_ref().filter(|(at, _)| at.elapsed() <= time).map(|(_, error)| error.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, String)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Whether nothing can be created beside the database, because the file
    /// system is read-only or full: no restart would mend that.
    pub async fn lies_on_shut_disk(&self) -> bool {
        let Some(path) = &self.shared.path else { return false };
        let path = path.with_extension(format!("look-{}", std::process::id()));
        let look = move || {
            // One that a killed process left is removed, which shows as much.
            let made = std::fs::File::create(&path).and_then(|_| std::fs::remove_file(&path));
            made.is_err_and(|error| {
                let kind = error.kind();
                kind == ErrorKind::ReadOnlyFilesystem
                    || kind == ErrorKind::StorageFull
                    || kind == ErrorKind::QuotaExceeded
            })
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_write_is_known_though_a_small_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("w.db")).unwrap();
        let time = Duration::from_secs(60);
        assert_eq!(store.refused_write(time), None);
        // No disk: the file may not grow any more.
        let grown = store.write(|db| {
            let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
            db.pragma_update(None, "max_page_count", pages)?;
            db.execute_batch("CREATE TABLE big (x); INSERT INTO big VALUES (zeroblob(1000000))")
        });
        assert!(grown.await.unwrap_err().is_full());
        store.ping().await.unwrap();
        assert!(store.refused_write(time).unwrap().contains("full"));
        assert_eq!(store.refused_write(Duration::ZERO), None);
        let wrong = store.write(|db| db.execute_batch("no SQL")).await;
        assert!(wrong.is_err());
        assert!(store.refused_write(time).unwrap().contains("full"));
    }
}
