//! The programs of other people: are they there, and what do they say?

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde::de::DeserializeOwned;

/// What has to be there for a trial.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    /// Python with its standard library.
    Python,
    /// Python in our own environment, with this package.
    Package(&'static str),
    /// Node with npm's standardwebhooks.
    Node,
}

impl Peer {
    /// What is missing, if anything is.
    fn lack(self) -> Option<String> {
        let (what, mut probe) = match self {
            Self::Python => ("python3".to_owned(), python("-c", &["import email.policy"])),
            Self::Package(name) => {
                let import = format!("import {name}");
                (format!("Python's {name}"), packaged("-c", &[&import]))
            }
            Self::Node => {
                let require = "require(process.argv[1])";
                let package = node_modules().join("standardwebhooks");
                let mut node = Command::new("node");
                node.args(["-e", require]).arg(package);
                ("Node's standardwebhooks".to_owned(), node)
            }
        };
        let probe = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let is_there = probe.status().is_ok_and(|status| status.success());
        (!is_there).then_some(what)
    }

    /// Runs a script of ours with these arguments, and returns what it printed.
    pub(crate) fn read<T: DeserializeOwned>(self, script: &str, arguments: &[&Path]) -> T {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers").join(script);
        let mut command = match self {
            Self::Python => python("-B", &[]),
            Self::Package(_) => packaged("-B", &[]),
            Self::Node => Command::new("node"),
        };
        command.arg(&script).args(arguments).stdin(Stdio::null());
        let output = command.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {complaint}", script.display());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A trial that is ignored when its peer is missing, or fails if `WIREWATCH_PEERS=required`.
pub(crate) fn trial(
    name: &str,
    peer: Peer,
    run: impl FnOnce(Peer) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let Some(what) = peer.lack() else {
        return Trial::test(name, move || run(peer));
    };
    let complaint = format!("{what} is missing; scripts/install-readers installs the packages");
    let is_required = env::var("WIREWATCH_PEERS").is_ok_and(|word| word == "required");
    if !is_required {
        super::say(&format!("{name} is ignored: {complaint}"));
    }
    // Whoever asks for ignored trials by an option shall not see it pass either.
    Trial::test(name, move || Err(complaint.into())).with_ignored_flag(!is_required)
}

/// npm's packages.
pub(crate) fn node_modules() -> PathBuf {
    folder().join("node_modules")
}

/// Where the script that installs them puts them.
fn folder() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().expect("it lies in the target folder").join("peers")
}

/// Python without what the environment of the caller would add to it.
fn python(option: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-I", option]).args(arguments);
    command
}

fn packaged(option: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(folder().join("venv/bin/python"));
    command.args(["-I", option]).args(arguments);
    command
}
