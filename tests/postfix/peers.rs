//! The programs of others that the trials need.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAMS: [&str; 5] = ["postfix", "postconf", "postqueue", "dovecot", "doveadm"];
/// Where Dovecot keeps what it starts for its protocols.
const HELPERS: [&str; 2] = ["/usr/lib/dovecot", "/usr/libexec/dovecot"];
/// Others write their configuration in another way.
const DOVECOT: &str = "2.3.";

/// What is missing and how to get it; `None` when all is there.
pub(crate) fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start mail servers".to_owned());
    }
    let mut missing: Vec<String> =
        PROGRAMS.into_iter().filter(|name| program(name).is_none()).map(str::to_owned).collect();
    let helper = |name: &&str| HELPERS.iter().any(|folder| Path::new(folder).join(name).is_file());
    let helpers = ["imap", "lmtp"].into_iter().filter(|name| !helper(name));
    missing.extend(helpers.map(|name| format!("dovecot's {name}")));
    if missing.is_empty() {
        missing.extend(other_dovecot());
    }
    (!missing.is_empty()).then(|| {
        format!(
            "there is no {}; on Debian 12 `apt-get install postfix dovecot-imapd \
             dovecot-lmtpd` has it",
            missing.join(", ")
        )
    })
}

/// A Dovecot that cannot read our configuration.
fn other_dovecot() -> Option<String> {
    let output = Command::new(program("dovecot")?).arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!version.starts_with(DOVECOT)).then(|| format!("dovecot {DOVECOT}x (this one is {version})"))
}

/// Where a program is. Those of root need not be in the path of a user who became root.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}
