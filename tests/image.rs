//! The container image: what is in it, what it says of itself, and whether it runs confined as a
//! container is: under systemd-nspawn with a root that cannot be written, users of its own and no
//! capability, a feed and a receiver outside.
//!
//! ```sh
//! apt-get install buildah systemd-container binutils       # once; scripts/install-peers has them
//! cargo test --test image                                  # half a minute, as root
//! WIREWATCH_BIN=target/release/wirewatch WIREWATCH_PEERS=required cargo test --test image
//! WIREWATCH_IMAGE=target/image/wirewatch.tar cargo test --test image
//! ```
//!
//! The image is made by `scripts/build-image` of the debug binary, or of `WIREWATCH_BIN`, or is
//! there already in `WIREWATCH_IMAGE`, as `docker save` would write it. What cannot run is reported
//! as ignored, and with `WIREWATCH_PEERS=required` as failed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and says what it leaves out"
)]

#[path = "image/archive.rs"]
mod archive;
#[path = "image/container.rs"]
mod container;
#[path = "image/contents.rs"]
mod contents;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/support/trial.rs"]
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use archive::Archive;
use container::{Container, DATA, Site};
use libtest_mimic::{Arguments, Failed};

/// How long a container may take to start or stop.
const LIMIT: Duration = Duration::from_secs(20);

fn main() {
    let trials = vec![
        trial::trial("it_holds_the_program_and_what_it_needs", builds(), || {
            contents::check(&Archive::unpack());
            Ok(())
        }),
        trial::trial("it_says_who_runs_what_and_how_health_is_asked", builds(), settings),
        trial::trial("it_runs_confined_and_writes_its_data_only", builds().and(runs()), || {
            trial::run(confined())
        }),
        trial::trial("it_can_do_all_with_the_samples", builds().and(runs()), samples),
        trial::trial("the_compose_example_is_right_for_it", builds().and(runs()), compose),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// What is missing to have an image.
fn builds() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can make and unpack an image as it is".to_owned());
    }
    let is_there = archive::given().is_some();
    has(if is_there { &["tar"] } else { &["tar", "buildah", "readelf", "strip"] })
}

fn runs() -> Result<(), String> {
    has(&["systemd-nspawn", "nsenter", "setpriv", "unshare"])
}

fn has(programs: &[&str]) -> Result<(), String> {
    match programs.iter().find(|name| !can(&[name, "--version"])) {
        None => Ok(()),
        Some(name) => Err(format!("there is no {name}; scripts/install-peers has it")),
    }
}

fn can(command: &[&str]) -> bool {
    let done = Command::new(command[0]).args(&command[1..]).output();
    done.is_ok_and(|output| output.status.success())
}

/// What a container is started with if nobody says otherwise.
fn settings() -> Result<(), Failed> {
    let archive = Archive::unpack();
    let user = archive.text("User");
    let numbers: Vec<u32> = user.split(':').map(|number| number.parse().unwrap()).collect();
    assert!(numbers.len() == 2 && numbers.iter().all(|number| *number >= 10_000), "{user}");
    assert_eq!(archive.command(), ["wirewatch", "run"]);
    assert_eq!(archive.health_command(), ["wirewatch", "healthcheck"]);
    assert_eq!(archive.text("StopSignal"), "SIGTERM");
    assert!(archive.setting("Volumes").get(DATA).is_some());
    assert!(archive.setting("ExposedPorts").is_null(), "nothing is offered to the network");
    Ok(())
}

/// A feed is read and an alert is delivered, by a process that can do nothing else.
async fn confined() -> Result<(), String> {
    let archive = Archive::unpack();
    let site = Site::open().await;
    let container = Container::new(archive, &site.config());
    let before = container.files();
    let health = container.archive.health_command();
    let (is_well, said) = container.once(&health);
    assert!(!is_well, "it is called healthy while nothing runs: {said}");

    let running = container.start(&container.archive.command());
    let messages = site.desk.wait_for(1).await;
    assert!(messages[0].verified, "{:?}", messages[0].verify_error);
    assert!(String::from_utf8_lossy(&messages[0].body).contains(container::HEADLINE));
    running.until(LIMIT, "health", |running| running.enter(&health).0);

    let status = running.process("status");
    let has = |name: &str, value: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert!(line.split_whitespace().all(|one| one == value), "{name}{line}");
    };
    has("CapEff:", "0000000000000000");
    has("CapBnd:", "0000000000000000");
    has("NoNewPrivs:", "1");
    let user = (container::FIRST_USER + container.user().0).to_string();
    has("Uid:", &user);
    let mounts = running.process("mountinfo");
    let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    assert!(root.split(' ').nth(5).unwrap().split(',').any(|option| option == "ro"), "{root}");
    assert_eq!(running.listing("tmp"), Vec::<String>::new());
    assert!(running.listing("var/lib/wirewatch").iter().any(|name| name == "wirewatch.db"));

    let (is_well, said) = running.stop(LIMIT);
    assert!(is_well, "a stop fails: {said}");
    assert!(!said.to_lowercase().contains("read-only"), "{said}");
    assert_eq!(container.files(), before);
    Ok(())
}

/// The sample configuration, with a time zone that only the zones in the image explain.
fn samples() -> Result<(), Failed> {
    let container = Container::new(Archive::unpack(), "");
    let folder = container.configuration();
    copy("config/.", &folder);
    let mut config = fs::read_to_string(folder.join("wirewatch.toml"))?;
    config.push_str("\n[operator]\ntime_zone = \"Asia/Kolkata\"\n");
    fs::write(folder.join("wirewatch.toml"), config)?;

    succeeds(&container, &["check"]);
    let said = succeeds(&container, &["--json", "once"]);
    assert!(said.contains("\"read\":8,"), "{said}");
    let said = succeeds(&container, &["doctor", "--offline", "--json"]);
    assert!(!said.contains("\"problem\""), "{said}");
    Ok(())
}

/// What the example mounts is there, and together a configuration.
fn compose() -> Result<(), Failed> {
    let example = fs::read_to_string(project("packaging/compose/compose.yaml"))?;
    let container = Container::new(Archive::unpack(), "");
    let mounts = example.lines().filter_map(|line| line.trim().strip_prefix("- ./"));
    let mounts =
        mounts.chain(example.lines().filter_map(|line| line.trim().strip_prefix("- ../../")));
    for mount in mounts {
        let mut parts = mount.split(':');
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        let to = to.strip_prefix("/etc/wirewatch/").expect("all is part of the configuration");
        let from =
            if from.contains('/') { from.into() } else { format!("packaging/compose/{from}") };
        copy(&from, &container.configuration().join(to));
    }
    succeeds(&container, &["check"]);
    Ok(())
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn copy(from: &str, to: &Path) {
    let done = Command::new("cp").arg("--recursive").arg(project(from)).arg(to).status().unwrap();
    assert!(done.success(), "{from}");
}

/// What a command says that must succeed.
fn succeeds(container: &Container, arguments: &[&str]) -> String {
    let words = std::iter::once(&"wirewatch").chain(arguments);
    let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    let (is_well, said) = container.once(&words);
    assert!(is_well, "{said}");
    said
}
