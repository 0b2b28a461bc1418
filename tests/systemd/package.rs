//! The package under test, and what is left of a system that has it installed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use super::machine::{Overlay, bounded};
use super::peers;

/// Two packages of the same program; the second is an upgrade of the first.
pub(crate) static FIRST: LazyLock<PathBuf> = LazyLock::new(|| build("1"));
pub(crate) static SECOND: LazyLock<PathBuf> = LazyLock::new(|| build("2"));

/// What the first package adds to a Debian in which nothing runs, as when an image is made.
pub(crate) static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let layer = PathBuf::from("/run/wirewatch-installed");
    let overlay = Overlay::mount(&layer, &[&peers::tree()]);
    let package = overlay.root().join("tmp/wirewatch.deb");
    fs::copy(&*FIRST, &package).unwrap();
    let mut install = Command::new("chroot");
    install.arg(overlay.root()).args(["dpkg", "--install", "/tmp/wirewatch.deb"]);
    let installed = bounded(&install).output().unwrap();
    assert!(installed.status.success(), "{installed:?}");
    fs::remove_file(package).unwrap();
    overlay.changes().to_owned()
});

/// The packages are made as `scripts/build-deb` makes them for everybody.
fn build(revision: &str) -> PathBuf {
    let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
    let binary = fs::canonicalize(binary).expect("the binary under test exists");
    let folder = Path::new("/run/wirewatch-packages");
    let mut script = Command::new("scripts/build-deb");
    script.current_dir(env!("CARGO_MANIFEST_DIR")).env("WIREWATCH_BIN", binary);
    script.env("DEB_REVISION", revision).env("DEB_COMPRESSION", "gzip");
    script.env("CARGO_TARGET_DIR", folder);
    let output = script.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}
