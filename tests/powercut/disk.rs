//! A disk that can be copied in an instant.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// XFS refuses to be smaller than 300 MiB; both files are sparse.
const OUTER: &str = "1G";
const INNER: &str = "256M";

/// ext4 on a file on XFS on a file, mounted where the daemon keeps its data.
pub(crate) struct Disk {
    folder: TempDir,
    data: PathBuf,
}

/// Whether this machine can do it, and otherwise what it lacks.
pub(crate) fn is_possible() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let image = folder.path().join("probe.img");
    let make =
        format!("truncate -s {OUTER} '{0}' && mkfs.xfs -q -m reflink=1 '{0}'", image.display());
    try_shell(&make).map_err(|error| format!("xfsprogs: {error}"))?;
    let target = folder.path().join("probe");
    fs::create_dir(&target).map_err(|error| error.to_string())?;
    let (image, target) = (image.display(), target.display());
    try_shell(&format!("mount -o loop '{image}' '{target}' && umount '{target}'"))
        .map_err(|error| format!("root and loop devices: {error}"))
}

impl Disk {
    /// Mounts a new disk at a folder, which it makes.
    pub(crate) fn new(data: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-disk-").tempdir().unwrap();
        let disk = Self { folder, data: data.to_owned() };
        for path in [&disk.outer(), &disk.copied(), &disk.data] {
            fs::create_dir_all(path).unwrap();
        }
        let image = disk.folder.path().join("outer.img");
        let (image, outer, inner) = (image.display(), disk.outer(), disk.image("inner"));
        shell(&format!(
            "truncate -s {OUTER} '{image}' && mkfs.xfs -q -m reflink=1 '{image}' && \
             mount -o loop '{image}' '{outer}' && truncate -s {INNER} '{inner}' && \
             mkfs.ext4 -q -F '{inner}'",
            outer = outer.display(),
            inner = inner.display()
        ));
        disk.mount(&inner, &disk.data);
        fs::remove_dir(disk.data.join("lost+found")).unwrap();
        disk
    }

    /// Makes the copy: what is on the disk in this instant.
    pub(crate) fn copy(&self) {
        let (from, to) = (self.image("inner"), self.image("copy"));
        shell(&format!("cp --reflink=always '{}' '{}'", from.display(), to.display()));
    }

    /// Mounts the copy, as a machine does that comes up again.
    pub(crate) fn mount_copy(&self) -> PathBuf {
        self.mount(&self.image("copy"), &self.copied());
        self.copied()
    }

    /// Forgets the copy.
    pub(crate) fn drop_copy(&self) {
        shell(&format!("umount '{}'", self.copied().display()));
        fs::remove_file(self.image("copy")).unwrap();
    }

    /// Goes on from the copy; nobody may use the disk.
    pub(crate) fn become_copy(&self) {
        shell(&format!("umount '{}'", self.data.display()));
        fs::rename(self.image("copy"), self.image("inner")).unwrap();
        self.mount(&self.image("inner"), &self.data);
    }

    fn mount(&self, image: &Path, at: &Path) {
        shell(&format!("mount -o loop '{}' '{}'", image.display(), at.display()));
    }

    fn outer(&self) -> PathBuf {
        self.folder.path().join("outer")
    }

    fn copied(&self) -> PathBuf {
        self.folder.path().join("copied")
    }

    fn image(&self, name: &str) -> PathBuf {
        self.outer().join(format!("{name}.img"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for path in [&self.copied(), &self.data, &self.outer()] {
            // What is not mounted says so; what is still in use goes once it is not.
            let _ = try_shell(&format!("umount --lazy '{}'", path.display()));
        }
    }
}

fn shell(command: &str) {
    try_shell(command).unwrap_or_else(|error| panic!("{command}: {error}"));
}

fn try_shell(command: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", command]).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
