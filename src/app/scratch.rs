//! The paper that the memory of stories writes on: files beside the database,
//! which go with the process, or at the next start.
//!
//! They have names. A file without one is gone for certain, but where a file
//! system meets an error while such files are open, `e2fsck -p` does not mend it
//! at the next boot and asks for a person.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::warn;

use crate::pipeline::Complaint;
use crate::story::{Paper, Sheet};

/// Gives files.
#[derive(Debug)]
pub struct ScratchFiles {
    /// What their paths begin with.
    base: PathBuf,
    next: AtomicU64,
    complaint: Arc<Mutex<Complaint>>,
}

impl ScratchFiles {
    /// Beside a database of which this process has the lock: what an earlier one
    /// left is removed.
    pub fn beside(database: &Path) -> Self {
        let mut base = database.as_os_str().to_owned();
        base.push(".stories-");
        let files = Self::new(base.into());
        files.remove_left();
        files
    }

    /// In the folder for temporary files, under a name of this process.
    pub fn temporary() -> Self {
        let name = format!("wirewatch-{}.stories-", std::process::id());
        Self::new(std::env::temp_dir().join(name))
    }

    fn new(base: PathBuf) -> Self {
        Self { base, next: AtomicU64::new(1), complaint: Arc::default() }
    }

    fn remove_left(&self) {
        let folder = self.base.parent().filter(|folder| !folder.as_os_str().is_empty());
        let Ok(files) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
        let begin = self.base.file_name().unwrap_or_default().as_encoded_bytes();
        for file in files.flatten() {
            let name = file.file_name();
            let number = name.as_encoded_bytes().strip_prefix(begin);
            if number.is_some_and(|number| number.iter().all(u8::is_ascii_digit)) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

impl Paper for ScratchFiles {
    fn sheet(&self) -> io::Result<Box<dyn Sheet>> {
        loop {
            let mut path = self.base.clone().into_os_string();
            path.push(self.next.fetch_add(1, Ordering::Relaxed).to_string());
            let path = PathBuf::from(path);
            // Whatever has that name is not ours, least of all in a folder of all.
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create_new(true).mode(0o600);
            let complaint = Arc::clone(&self.complaint);
            match options.open(&path) {
                Ok(file) => return Ok(Box::new(ScratchFile { file, path, complaint })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(complain(&complaint, &path, error)),
            }
        }
    }
}

#[derive(Debug)]
struct ScratchFile {
    file: File,
    path: PathBuf,
    complaint: Arc<Mutex<Complaint>>,
}

impl Sheet for ScratchFile {
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| complain(&self.complaint, &self.path, error))
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|error| complain(&self.complaint, &self.path, error))
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // One that cannot be removed goes at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

fn complain(complaint: &Mutex<Complaint>, file: &Path, error: io::Error) -> io::Error {
    if complaint.lock().is_ok_and(|mut complaint| complaint.is_due()) {
        warn!(
            file = %file.display(),
            %error,
            "stories of the last days cannot be written beside the database; they are kept in \
             memory until they can be"
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_keep_what_was_written_and_go_at_the_end_or_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("wirewatch.db");
        let names = || {
            let files = folder.path().read_dir().unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        for name in ["wirewatch.db.stories-7", "wirewatch.db.stories-x", "other.db.stories-1"] {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let paper = ScratchFiles::beside(&database);
        assert_eq!(names(), ["other.db.stories-1", "wirewatch.db.stories-x"]);
        let mut sheet = paper.sheet().unwrap();
        let file = folder.path().join("wirewatch.db.stories-1");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        sheet.write(0, b"first").unwrap();
        sheet.write(5, b", second").unwrap();
        let mut bytes = [0; 8];
        sheet.read(5, &mut bytes).unwrap();
        assert_eq!(&bytes, b", second");
        assert!(sheet.read(6, &mut bytes).is_err());
        fs::write(folder.path().join("wirewatch.db.stories-2"), "not ours").unwrap();
        let third = paper.sheet().unwrap();
        assert!(folder.path().join("wirewatch.db.stories-3").exists());
        drop((sheet, third));
        let left = ["other.db.stories-1", "wirewatch.db.stories-2", "wirewatch.db.stories-x"];
        assert_eq!(names(), left);
        assert!(ScratchFiles::beside(Path::new("/nowhere/wirewatch.db")).sheet().is_err());
    }
}
