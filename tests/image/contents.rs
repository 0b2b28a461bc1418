//! What may be in an image, and whose it is.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::archive::Archive;

/// Files that may be there; those whose name ends with a slash stand for all that is in a folder.
const ALLOWED: [&str; 8] = [
    "/usr/bin/wirewatch",
    "/etc/passwd",
    "/etc/group",
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/share/zoneinfo/",
    "/usr/share/doc/",
    // The loader and what it loads, if the program is not linked statically.
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
];
/// Parts of the C library and of the compiler.
const LIBRARIES: [&str; 3] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1"];
/// Mozilla trusts more authorities than this.
const AUTHORITIES: usize = 100;

pub(crate) fn check(archive: &Archive) {
    let root = archive.root();
    let mut strange = Vec::new();
    visit(&root, &root, &mut strange);
    assert_eq!(strange, Vec::<String>::new());

    let certificates = fs::read_to_string(root.join("etc/ssl/certs/ca-certificates.crt")).unwrap();
    let certificates = certificates.matches("BEGIN CERTIFICATE").count();
    assert!(certificates > AUTHORITIES, "{certificates}");
    for zone in ["Asia/Kolkata", "Europe/Berlin", "UTC"] {
        assert!(root.join("usr/share/zoneinfo").join(zone).exists(), "{zone}");
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "third-party.txt"] {
        assert!(root.join("usr/share/doc/wirewatch").join(licence).exists(), "{licence}");
    }
    let data = fs::metadata(root.join("var/lib/wirewatch")).unwrap();
    let owner = format!("{}:{}", data.uid(), data.gid());
    assert_eq!((owner.as_str(), data.mode() & 0o7777), (archive.text("User"), 0o700));
}

/// Notes what should not be in a folder, and what others than root could change.
fn visit(root: &Path, folder: &Path, strange: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let known = fs::symlink_metadata(&path).unwrap();
        let shown = format!("/{}", path.strip_prefix(root).unwrap().display());
        if shown == "/var/lib/wirewatch" {
            continue;
        }
        let (kind, mode) = (known.file_type(), known.mode() & 0o7777);
        let is_changed_by_others = mode & 0o022 != 0 && !kind.is_symlink() && shown != "/tmp";
        if known.uid() != 0 || known.gid() != 0 || is_changed_by_others || mode & 0o6000 != 0 {
            strange.push(format!("{shown} {}:{} {mode:o}", known.uid(), known.gid()));
        }
        if kind.is_dir() {
            visit(root, &path, strange);
        } else if !is_allowed(&shown) || !(kind.is_file() || kind.is_symlink()) {
            strange.push(shown);
        } else if kind.is_file() && mode & 0o111 != 0 && !may_run(&shown) {
            strange.push(format!("{shown} is a program"));
        }
    }
}

fn is_allowed(file: &str) -> bool {
    let is_library = file.starts_with("/lib/") && LIBRARIES.iter().any(|name| file.ends_with(name));
    let is_that = |one: &str| file == one || (one.ends_with('/') && file.starts_with(one));
    is_library || ALLOWED.into_iter().any(is_that)
}

/// The kernel runs the loader as it runs the program.
fn may_run(file: &str) -> bool {
    file == "/usr/bin/wirewatch" || file.contains("/ld-linux-")
}
