//! A file system so small that a test can fill it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Room for everything a trial stores, and soon filled.
const SIZE: &str = "64M";
/// What is written at a time, down to the last byte.
const CHUNKS: [usize; 4] = [1 << 20, 1 << 14, 1 << 9, 1];

/// ext4 on a loop device, or else memory, mounted at a folder.
pub(crate) struct Room {
    /// Holds the image; none for memory.
    _image: TempDir,
    at: PathBuf,
    pub(crate) kind: &'static str,
}

/// Whether this machine can do it, and otherwise what it lacks.
pub(crate) fn is_possible() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    Room::mount(&folder.path().join("probe")).map(drop)
}

impl Room {
    /// Mounts a new file system at a folder, which it makes.
    pub(crate) fn mount(at: &Path) -> Result<Self, String> {
        let image = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let (file, folder) = (image.path().join("room.img"), at.display());
        let (file, mut kind) = (file.display(), "ext4");
        // No blocks are kept back for root, who runs this.
        let on_disk = shell(&format!(
            "truncate -s {SIZE} '{file}' && mkfs.ext4 -q -F -m 0 '{file}' && \
             mount -o loop '{file}' '{folder}' && rmdir '{folder}/lost+found'"
        ));
        if let Err(error) = on_disk {
            let in_memory = shell(&format!("mount -t tmpfs -o size={SIZE} tmpfs '{folder}'"));
            in_memory.map_err(|memory| format!("root: {error}; {memory}"))?;
            kind = "tmpfs";
        }
        Ok(Self { _image: image, at: at.to_owned(), kind })
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for size in CHUNKS {
            let chunk = vec![0x5a; size];
            while ballast.write(&chunk).is_ok_and(|written| written > 0) {}
            // Blocks are given out late, and what was promised must be taken.
            let _ = ballast.sync_all();
        }
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What is still in use goes once it is not.
        let _ = shell(&format!("umount --lazy '{}'", self.at.display()));
    }
}

fn shell(command: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", command]).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
