//! The paper that the memory of stories writes on: files beside the database
//! that have no name, so that nothing of them is left when the process ends,
//! however it ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tracing::warn;

use crate::pipeline::Complaint;
use crate::story::{Paper, Sheet};

/// Gives files without names.
#[derive(Debug)]
pub struct ScratchFolder {
    folder: PathBuf,
    complaint: Arc<Mutex<Complaint>>,
}

impl ScratchFolder {
    /// In this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder, complaint: Arc::default() }
    }

    /// In the folder of a database.
    pub fn beside(database: &Path) -> Self {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::in_folder(folder.unwrap_or(Path::new(".")).to_owned())
    }
}

impl Paper for ScratchFolder {
    fn sheet(&self) -> io::Result<Box<dyn Sheet>> {
        let told = |error| complain(&self.complaint, &self.folder, error);
        let file = tempfile::tempfile_in(&self.folder).map_err(told)?;
        let (folder, complaint) = (self.folder.clone(), Arc::clone(&self.complaint));
        Ok(Box::new(ScratchFile { file, folder, complaint }))
    }
}

#[derive(Debug)]
struct ScratchFile {
    file: File,
    folder: PathBuf,
    complaint: Arc<Mutex<Complaint>>,
}

impl Sheet for ScratchFile {
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| complain(&self.complaint, &self.folder, error))
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|error| complain(&self.complaint, &self.folder, error))
    }
}

fn complain(complaint: &Mutex<Complaint>, folder: &Path, error: io::Error) -> io::Error {
    if complaint.lock().is_ok_and(|mut complaint| complaint.is_due()) {
        warn!(
            folder = %folder.display(),
            %error,
            "stories of the last days cannot be written beside the database; they are kept in \
             memory until they can be"
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_no_name_and_keep_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let paper = ScratchFolder::beside(&folder.path().join("wirewatch.db"));
        let mut sheet = paper.sheet().unwrap();
        sheet.write(0, b"first").unwrap();
        sheet.write(5, b", second").unwrap();
        let mut bytes = [0; 8];
        sheet.read(5, &mut bytes).unwrap();
        assert_eq!(&bytes, b", second");
        assert!(sheet.read(6, &mut bytes).is_err());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let gone = ScratchFolder::beside(Path::new("/nowhere/wirewatch.db"));
        assert!(gone.sheet().is_err());
    }
}
