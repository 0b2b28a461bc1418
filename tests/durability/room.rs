//! A file system so small that a test can fill it, and that may break.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Room for everything a trial stores, and soon filled.
const SIZE: &str = "64M";
/// More files than anything makes here.
const INODES: usize = 1024;
/// What is written at a time, down to the last byte.
const CHUNKS: [usize; 4] = [1 << 20, 1 << 14, 1 << 9, 1];

/// ext4 on a loop device, or else memory, mounted at a folder.
pub(crate) struct Room {
    /// Holds the image; empty for memory.
    image: TempDir,
    at: PathBuf,
    pub(crate) kind: &'static str,
}

/// Whether this machine can do it, and otherwise what it lacks.
pub(crate) fn is_possible() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    Room::mount(&folder.path().join("probe")).map(drop)
}

/// Whether this machine can do it with a file system that has inodes and can break.
pub(crate) fn can_be_ext4() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    Room::with_inodes(&folder.path().join("probe"), INODES).map(drop)
}

impl Room {
    /// Mounts a new file system at a folder, which it makes.
    pub(crate) fn mount(at: &Path) -> Result<Self, String> {
        Self::with_inodes(at, INODES).or_else(|error| {
            fs::create_dir_all(at).map_err(|error| error.to_string())?;
            let folder = at.display();
            let in_memory = shell(&format!("mount -t tmpfs -o size={SIZE} tmpfs '{folder}'"));
            in_memory.map_err(|memory| format!("root: {error}; {memory}"))?;
            Ok(Self { image: TempDir::new().unwrap(), at: at.to_owned(), kind: "tmpfs" })
        })
    }

    /// The same as ext4 that holds so many files, a dozen of its own among them.
    pub(crate) fn with_inodes(at: &Path, inodes: usize) -> Result<Self, String> {
        let image = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let room = Self { image, at: at.to_owned(), kind: "ext4" };
        let file = room.file();
        // No blocks are kept back for root, who runs this.
        let make = format!(
            "truncate -s {SIZE} '{file}' && mkfs.ext4 -q -F -m 0 -N {inodes} '{file}'",
            file = file.display()
        );
        let folder = at.display();
        shell(&make).and_then(|()| room.attach()).inspect_err(|_| room.detach())?;
        shell(&format!("rmdir '{folder}/lost+found'"))?;
        Ok(room)
    }

    fn file(&self) -> PathBuf {
        self.image.path().join("room.img")
    }

    /// Mounted as Debian does it: an error that the file system meets makes it read-only.
    fn attach(&self) -> Result<(), String> {
        let (file, folder) = (self.file(), self.at.display());
        shell(&format!("mount -o loop,errors=remount-ro '{}' '{folder}'", file.display()))
    }

    fn detach(&self) {
        // What is still in use goes once it is not.
        let _ = shell(&format!("umount --lazy '{}' 2>/dev/null", self.at.display()));
    }

    /// Has ext4 meet an error: nothing can be written any more until it is mounted anew.
    pub(crate) fn break_down(&self) -> Result<(), String> {
        let device = format!("$(basename \"$(findmnt -no SOURCE '{}')\")", self.at.display());
        shell(&format!("echo 1 > /sys/fs/ext4/{device}/trigger_fs_error"))
    }

    /// Checks what broke and mounts it anew, while nobody uses it.
    pub(crate) fn mend(&self) -> Result<(), String> {
        shell(&format!("umount '{}'", self.at.display()))?;
        // 1 says that something was mended.
        shell(&format!("e2fsck -p '{}' || [ $? = 1 ]", self.file().display()))?;
        self.attach()
    }

    /// Makes files until there can be no more; how many there are.
    pub(crate) fn take_inodes(&self) -> usize {
        (0..).take_while(|number| File::create(self.crumb(*number)).is_ok()).count()
    }

    /// Takes them away again.
    pub(crate) fn give_inodes(&self) {
        (0..).take_while(|number| fs::remove_file(self.crumb(*number)).is_ok()).for_each(drop);
    }

    fn crumb(&self, number: usize) -> PathBuf {
        self.at.join(format!("crumb-{number}"))
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
        self.detach();
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
