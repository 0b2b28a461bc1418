//! Why the store cannot do what was asked, by what the caller can do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database.
    #[error("the database \"{0}\" is in use by another wirewatch")]
    InUse(PathBuf),
    /// The file was written by a newer version.
    #[error(
        "the database \"{path}\" has schema {found}, this program knows up to {known}: \
         use the newer wirewatch that wrote it"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file is damaged, or no database of ours.
    #[error("\"{path}\" is not a readable wirewatch database: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The folder or file cannot be made or opened.
    #[error("cannot open \"{path}\": {reason}")]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file beside the database cannot be read, written or moved.
    #[error("\"{0}\": {1}")]
    File(PathBuf, std::io::Error),
    /// A restore was cut off, or goes on right now.
    #[error(
        "a restore of \"{path}\" is not finished; if none is running any more, the next start of \
         the daemon or the next `wirewatch restore` finishes it. What was there before is, or \
         will be, \"{before}\", and what takes its place is \"{new}\""
    )]
    Unfinished {
        /// The file that was to be replaced.
        path: PathBuf,
        /// Where it was put.
        before: PathBuf,
        /// What is to take its place.
        new: PathBuf,
    },
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
    /// Anything else that SQLite reports: a full disk, an I/O error.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// What SQLite says while a file is opened. Only damage is called damage:
    /// a full disk or a lock passes, and nobody should mend a sound file.
    pub(super) fn opening(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_path_buf(), error.to_string());
        if is_damage(error) { Self::Damaged { path, reason } } else { Self::Open { path, reason } }
    }

    /// Whether the disk is full, which passes, and which no restart mends.
    pub fn is_full(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        error.sqlite_error_code() == Some(ErrorCode::DiskFull)
    }

    /// Whether the file itself is at fault, so that trying again cannot help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite(error) => is_damage(error),
            Self::InUse(_)
            | Self::TooNew { .. }
            | Self::Open { .. }
            | Self::File(..)
            | Self::Unfinished { .. }
            | Self::Closed => false,
        }
    }
}

/// What a check of SQLite's found, as one line.
pub(super) fn fault_in_words(found: &str) -> String {
    let lines = found.lines().filter(|line| !line.starts_with("***"));
    lines.collect::<Vec<_>>().join("; ")
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    // We write nothing that is not UTF-8.
    let garbled = matches!(error, rusqlite::Error::Utf8Error(..))
        || matches!(error, rusqlite::Error::FromSqlConversionFailure(_, _, source)
            if source.is::<std::str::Utf8Error>());
    garbled
        || matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
}
