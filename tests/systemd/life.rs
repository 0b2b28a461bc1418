//! The trials of the package: it comes, is replaced, goes, and goes for good.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use super::machine::Machine;
use super::package::{FIRST, INSTALLED, SECOND};
use super::site::{CONFIG, Site, configure};
use super::{peers, say, until};

/// READY must come within this time.
const READY_LIMIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(20);
const STATE: &str = "/var/lib/private/wirewatch/wirewatch.db";
const SOCKET: &str = "127.0.0.1:8466";

/// A Debian that has never heard of the package.
async fn bare() -> Machine {
    Machine::boot(&[&peers::tree()], |_| ()).await
}

fn install(machine: &Machine, package: &Path) -> String {
    fs::copy(package, machine.path("/root/wirewatch.deb")).unwrap();
    // The administrator's configuration stays, whatever the new package brings.
    let install = ["dpkg", "--force-confold", "--install", "/root/wirewatch.deb"];
    let output = machine.try_run(&install);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn is_enabled(machine: &Machine, unit: &str) -> String {
    let output = machine.try_run(&["systemctl", "is-enabled", unit]);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub(crate) async fn fresh() {
    let machine = bare().await;
    install(&machine, &FIRST);
    assert_eq!(machine.state(), "active");
    let took = machine.start_took();
    say(&format!("ready after {} ms at the installation", took.as_millis()));
    assert!(took < READY_LIMIT, "{took:?}");
    assert_eq!(is_enabled(&machine, "wirewatch.service"), "enabled");
    assert_eq!(is_enabled(&machine, "wirewatch.socket"), "disabled");
    // It bothers nobody, is well, and says what to do.
    let stands = || machine.property("StatusText") == "0 of 0 feeds well, 0 deliveries waiting";
    until(PATIENCE, "how things stand", stands).await;
    let check = machine.try_run(&["wirewatch", "check"]);
    assert!(check.status.success(), "{check:?}");
    assert!(String::from_utf8_lossy(&check.stderr).contains("add a table [feed.NAME]"));
    machine.run(&["wirewatch", "status", "--quiet"]);
    let samples =
        ["wirewatch", "--config", "/usr/share/doc/wirewatch/examples/wirewatch.toml", "once"];
    assert!(machine.run(&samples).contains("8 read"));
    assert!(machine.path("/usr/share/man/man1/wirewatch.1.gz").exists());
    assert!(machine.path("/usr/share/bash-completion/completions/wirewatch").exists());
    assert_eq!(machine.run(&["dpkg", "--verify", "wirewatch"]), "");
    machine.has_refused_nothing();
}

pub(crate) async fn upgrade() {
    let mut site = Site::open().await;
    let machine = site.machine("").await;
    let first = site.publish("marker");
    site.heard(first).await;
    let before = machine.property("MainPID");
    install(&machine, &SECOND);
    assert_eq!(machine.state(), "active");
    assert_ne!(machine.property("MainPID"), before, "the new version runs");
    assert_eq!(fs::read_to_string(machine.path(CONFIG)).unwrap(), site.config("marker"));
    let second = site.publish("marker");
    site.heard(second).await;
    site.heard_only(&[first, second]).await;

    machine.service("stop");
    install(&machine, &SECOND);
    assert_eq!(machine.state(), "inactive", "who has stopped it finds it stopped");
    machine.service("disable");
    install(&machine, &SECOND);
    assert_eq!(is_enabled(&machine, "wirewatch.service"), "disabled");
}

/// The upgrade is done, the problem is told once, and nothing is tried again and again.
pub(crate) async fn upgrade_to_refusal() {
    let site = Site::open().await;
    let machine = site.machine("").await;
    fs::write(machine.path(CONFIG), "nonsense = 1\n").unwrap();
    let told = install(&machine, &SECOND);
    assert!(told.contains("journalctl -u wirewatch"), "{told}");
    assert_eq!((machine.state(), machine.property("NRestarts")), ("failed".into(), "0".into()));
    // A later version that can work is started.
    fs::write(machine.path(CONFIG), site.config("marker")).unwrap();
    install(&machine, &SECOND);
    assert_eq!(machine.state(), "active");
}

pub(crate) async fn removal() {
    let mut site = Site::open().await;
    let machine = site.machine("").await;
    let first = site.publish("marker");
    site.heard(first).await;
    machine.run(&["dpkg", "--remove", "wirewatch"]);
    assert_eq!(machine.state(), "inactive");
    for kept in [CONFIG, STATE, "/etc/wirewatch/desk-secret"] {
        assert!(machine.path(kept).exists(), "{kept} is kept");
    }
    install(&machine, &FIRST);
    assert_eq!(machine.state(), "active", "it is back");
    let second = site.publish("marker");
    site.heard(second).await;
    site.heard_only(&[first, second]).await;

    machine.run(&["dpkg", "--purge", "wirewatch"]);
    // Of the administrator's own drop-ins, a package has no business.
    let find = "find / -xdev -iname '*wirewatch*' -not -path '/proc/*' -not -path '/sys/*' \
                -not -path '/root/*' -not -path '/etc/systemd/system/wirewatch.service.d*'";
    assert_eq!(machine.run(&["sh", "-c", find]), "");
}

/// Root may try the program before the service has ever run.
pub(crate) async fn root_goes_first() {
    let mut site = Site::open().await;
    let config = site.config("marker");
    let machine = Machine::boot(&[&INSTALLED, &peers::tree()], |root| {
        configure(root, &config);
        fs::remove_file(root.join("etc/systemd/system/multi-user.target.wants/wirewatch.service"))
            .unwrap();
    })
    .await;
    assert_eq!(machine.state(), "inactive");
    let first = site.publish("marker");
    machine.run(&["wirewatch", "once"]);
    site.heard(first).await;
    machine.service("start");
    let second = site.publish("marker");
    site.heard(second).await;
    site.heard_only(&[first, second]).await;
}

/// systemd listens, so that even while the service restarts nobody is refused.
pub(crate) async fn socket() {
    let site = Site::open().await;
    let machine = site.machine("").await;
    machine.service("stop");
    machine.run(&["systemctl", "enable", "--now", "wirewatch.socket"]);
    // The first request starts the service.
    assert_answers();
    until(PATIENCE, "the start", || machine.state() == "active").await;
    let before = machine.property("MainPID");
    machine.run(&["systemctl", "--no-block", "restart", "wirewatch.service"]);
    let is_new = || !["0", &before].contains(&machine.property("MainPID").as_str());
    // Whoever comes in the meantime is not refused.
    until(PATIENCE, "the new process", || connect().peer_addr().is_ok() && is_new()).await;
    assert_answers();
    // What the administrator has chosen outlives an upgrade.
    install(&machine, &SECOND);
    assert_eq!(is_enabled(&machine, "wirewatch.socket"), "enabled");
    assert_answers();
}

fn connect() -> TcpStream {
    let stream = TcpStream::connect_timeout(&SOCKET.parse().unwrap(), PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The daemon says that it is well.
fn assert_answers() {
    let mut stream = connect();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {SOCKET}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}
