//! A copy is put in the place of the database.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::backup::{Copied, CopyError, proved, remove, remove_log};
use super::birth::{beside, folder_of};
use super::opening::real;
use super::switch::{self, Ended, NEW};
use super::{lock, make_private_folder};

/// What became of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the copy holds.
    pub copied: Copied,
    /// The database that was there before, if any.
    pub before: Option<PathBuf>,
    /// An earlier restore had been cut off and was ended first: this is what was
    /// there before that one.
    pub earlier: Option<PathBuf>,
}

/// Puts a copy in the place of the database, which nobody may use meanwhile.
/// The one that was there is kept under another name. Where the path is a link,
/// it stays one.
///
/// # Errors
/// When the copy is not sound, or a daemon runs; then nothing has changed.
pub fn restore(copy: &Path, database: &Path, now: Timestamp) -> Result<Restored, CopyError> {
    let database = &real(database)?;
    make_private_folder(&folder_of(database))?;
    let lock = lock::Lock::take(database)?;
    give_to_owner_of(&folder_of(database), lock.path())
        .map_err(|error| CopyError::File(lock.path().to_path_buf(), error))?;
    let earlier = match switch::finish(database)? {
        Some(Ended::Switched(before)) => before,
        Some(Ended::PutBack) | None => None,
    };
    let copied = prepare(copy, database)?;
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let before = switch::free_name(&beside(database, &format!(".before-{stamp}")));
    let note = switch::begin(database, &before)?;
    let model = model_of(database);
    give_to_owner_of(&model, &note).map_err(|error| CopyError::File(note, error))?;
    let before = match switch::finish(database)? {
        Some(Ended::Switched(before)) => before,
        Some(Ended::PutBack) | None => None,
    };
    Ok(Restored { copied, before, earlier })
}

/// Makes a proved copy of the copy, on disk, beside the database.
fn prepare(copy: &Path, database: &Path) -> Result<Copied, CopyError> {
    let new = beside(database, NEW);
    // What a restore that was cut off left may be named itself.
    let is_there = same_file(copy, &new);
    if !is_there {
        take_over(copy, &new)?;
    }
    let failed = |error| CopyError::File(new.clone(), error);
    std::fs::set_permissions(&new, PermissionsExt::from_mode(0o600)).map_err(failed)?;
    give_to_owner_of(&model_of(database), &new).map_err(failed)?;
    match proved(&new) {
        Ok(copied) => {
            remove_log(&new)?;
            File::open(&new).and_then(|file| file.sync_all()).map_err(failed)?;
            Ok(copied)
        }
        Err(error) => {
            if !is_there {
                remove(&new)?;
            }
            Err(error.about(copy))
        }
    }
}

/// Copies a database with its log: a copy that was made of the files may have one.
fn take_over(copy: &Path, new: &Path) -> Result<(), CopyError> {
    File::open(copy).map_err(|error| CopyError::File(copy.to_path_buf(), error))?;
    remove(new)?;
    let log = beside(copy, "-wal");
    let done = std::fs::copy(copy, new).and_then(|_| {
        if log.exists() { std::fs::copy(&log, beside(new, "-wal")).map(drop) } else { Ok(()) }
    });
    if let Err(error) = done {
        remove(new)?;
        return Err(CopyError::File(new.to_path_buf(), error));
    }
    Ok(())
}

fn same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| std::fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    id(one).is_some_and(|found| Some(found) == id(other))
}

/// Whose owner the files of a database are to have.
fn model_of(database: &Path) -> PathBuf {
    if database.exists() { database.to_path_buf() } else { folder_of(database) }
}

/// Root restores for the daemon, which must be able to open what it gets.
fn give_to_owner_of(model: &Path, file: &Path) -> io::Result<()> {
    let (model, ours) = (std::fs::metadata(model)?, std::fs::metadata(file)?);
    if (model.uid(), model.gid()) == (ours.uid(), ours.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(file, Some(model.uid()), Some(model.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, StoreError, backup};

    struct Place {
        _folder: tempfile::TempDir,
        database: PathBuf,
        copy: PathBuf,
    }

    const LOGS: [&str; 3] = ["", "-wal", "-journal"];

    /// A sound copy, and files of a database before it, each telling what it is.
    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let (made, copy) = (folder.path().join("made.db"), folder.path().join("copy.db"));
        drop(Store::open(&made).unwrap());
        backup(&made, &copy).unwrap();
        let database = folder.path().join("watch.db");
        for part in LOGS {
            std::fs::write(beside(&database, part), format!("old{part}")).unwrap();
        }
        Place { database, copy, _folder: folder }
    }

    fn old_is_at(before: &Path) {
        for part in LOGS {
            let kept = std::fs::read_to_string(beside(before, part)).unwrap();
            assert_eq!(kept, format!("old{part}"), "{}", before.display());
        }
    }

    #[test]
    fn two_restores_at_one_time_keep_both_that_were_there() {
        let place = place();
        let now = Timestamp::UNIX_EPOCH;
        let first = restore(&place.copy, &place.database, now).unwrap().before.unwrap();
        let second = restore(&place.copy, &place.database, now).unwrap().before.unwrap();
        assert_ne!(first, second);
        old_is_at(&first);
        proved(&second).unwrap();
    }

    #[test]
    fn a_link_stays_a_link_and_what_it_leads_to_is_replaced() {
        let place = place();
        let link = place.database.with_file_name("link.db");
        std::os::unix::fs::symlink("watch.db", &link).unwrap();
        let restored = restore(&place.copy, &link, Timestamp::UNIX_EPOCH).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(restored.before, Some(beside(&place.database, ".before-19700101T000000Z")));
        old_is_at(&restored.before.unwrap());
        proved(&place.database).unwrap();
        // One lock, whichever way the database is named.
        let _open = Store::open(&link).unwrap();
        assert!(Store::is_served(&place.database));
    }

    #[test]
    fn a_link_to_nothing_is_not_begun_anew() {
        let place = place();
        let link = place.database.with_file_name("link.db");
        std::os::unix::fs::symlink("gone/watch.db", &link).unwrap();
        let error = Store::open(&link).err().unwrap().to_string();
        assert!(error.contains("gone/watch.db") && error.contains("mounted"), "{error}");
        assert!(!place.database.with_file_name("gone").exists());
        restore(&place.copy, &link, Timestamp::UNIX_EPOCH).unwrap();
        drop(Store::open(&link).unwrap());
    }

    /// What a switch leaves that was cut off after so many of its steps.
    fn cut_off(moved: usize) -> (Place, PathBuf) {
        let place = place();
        let before = beside(&place.database, ".before-1");
        prepare(&place.copy, &place.database).unwrap();
        switch::begin(&place.database, &before).unwrap();
        for part in &LOGS[..moved] {
            std::fs::rename(beside(&place.database, part), beside(&before, part)).unwrap();
        }
        (place, before)
    }

    /// Cut off after each of its steps, with all that each leaves.
    #[test]
    fn a_switch_that_was_cut_off_is_told_of_and_finished() {
        for moved in 0..=LOGS.len() {
            let (place, before) = cut_off(moved);
            let error = Store::attach(&place.database).err().unwrap();
            assert!(matches!(error, StoreError::Unfinished { .. }), "{error}");
            let said = error.to_string();
            assert!(said.contains(".before-1") && said.contains(".new"), "{said}");
            drop(Store::open(&place.database).unwrap());
            old_is_at(&before);
            drop(Store::attach(&place.database).unwrap());
            assert!(!beside(&place.database, NEW).exists());
        }
    }

    #[test]
    fn a_restore_after_one_that_was_cut_off_finishes_that_first() {
        for moved in 0..=LOGS.len() {
            let (place, before) = cut_off(moved);
            let restored = restore(&place.copy, &place.database, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(restored.earlier.as_deref(), Some(&*before));
            old_is_at(&before);
            proved(&restored.before.unwrap()).unwrap();
            proved(&place.database).unwrap();
        }
    }

    #[test]
    fn without_the_copy_what_was_there_comes_back() {
        for moved in 1..=LOGS.len() {
            let place = place();
            let before = beside(&place.database, ".before-1");
            switch::begin(&place.database, &before).unwrap();
            for part in &LOGS[..moved] {
                std::fs::rename(beside(&place.database, part), beside(&before, part)).unwrap();
            }
            assert_eq!(switch::finish(&place.database).unwrap(), Some(Ended::PutBack));
            old_is_at(&place.database);
            assert_eq!(switch::finish(&place.database).unwrap(), None);
        }
    }

    #[test]
    fn what_a_cut_off_restore_left_can_be_named_itself() {
        let place = place();
        prepare(&place.copy, &place.database).unwrap();
        let new = beside(&place.database, NEW);
        let restored = restore(&new, &place.database, Timestamp::UNIX_EPOCH).unwrap();
        old_is_at(&restored.before.unwrap());
        // If it is not whole, it stays.
        std::fs::write(&new, "half").unwrap();
        restore(&new, &place.database, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(std::fs::read(&new).unwrap(), b"half");
    }
}
