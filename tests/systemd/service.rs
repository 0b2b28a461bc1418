//! The trials of the service: what it may do, what it survives, what it says.

use std::env;
use std::fs;
use std::time::{Duration, Instant};

use super::machine::Machine;
use super::package::INSTALLED;
use super::site::{CONFIG, Site, configure};
use super::support::collector::Answer;
use super::{peers, say, until};

/// READY must come within this time.
const READY_LIMIT: Duration = Duration::from_secs(5);
/// RestartSec= and a start.
const RESTART_LIMIT: Duration = Duration::from_secs(2 + 5);
/// Of the drop-in; the unit's own would make the trial last a minute.
const WATCHDOG: Duration = Duration::from_secs(10);
/// The service is frozen at any point between two pings.
const WATCHDOG_LIMIT: Duration = Duration::from_secs(10 + 5);
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Several times RestartSec=: a service that would be tried again is.
const NO_RESTART: Duration = Duration::from_secs(7);
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn confinement() {
    let site = Site::open().await;
    let machine = site.machine("").await;
    assert_eq!(machine.state(), "active");
    let took = machine.start_took();
    say(&format!("ready after {} ms at the boot", took.as_millis()));
    assert!(took < READY_LIMIT, "{took:?}");
    let process = format!("/proc/{}", machine.property("MainPID"));
    let status = machine.run(&["cat", &format!("{process}/status")]);
    let value = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    assert_eq!(value("NoNewPrivs"), "1");
    assert_eq!(value("Seccomp"), "2");
    let capabilities = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map(value);
    assert_eq!(capabilities, ["0000000000000000"; 5].map(str::to_owned));
    let user: u32 = value("Uid").split_whitespace().next().unwrap().parse().unwrap();
    assert!((61_184..=65_519).contains(&user), "{user} is not a user of systemd's choice");
    let limits = machine.run(&["cat", &format!("{process}/limits")]);
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    // Neither now, nor by its own wish.
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    let state = machine.run(&["stat", "--format=%a %u", "/var/lib/private/wirewatch"]);
    assert_eq!(state.trim_end(), format!("700 {user}"));
    let unit = "/usr/lib/systemd/system/wirewatch.service";
    machine.run(&["systemd-analyze", "verify", unit, &unit.replace("service", "socket")]);
    let threshold = ["systemd-analyze", "security", "--threshold=11", "wirewatch.service"];
    say(machine.run(&threshold).lines().last().unwrap_or_default());
}

pub(crate) async fn alert() {
    let mut site = Site::open().await;
    let machine = site.machine("").await;
    let headline = site.publish("marker");
    site.heard(headline).await;
    let status = || machine.run(&["systemctl", "status", "--no-pager", "wirewatch"]);
    let stands = "Status: \"1 of 1 feeds well, 0 deliveries waiting\"";
    until(PATIENCE, stands, || status().contains(stands)).await;
    // To see hours of it, as before a release.
    let soak = env::var("WIREWATCH_SOAK").ok().and_then(|seconds| seconds.parse().ok());
    if let Some(soak) = soak.map(Duration::from_secs) {
        let begun = Instant::now();
        until(soak * 2, "the end of the soak", || begun.elapsed() > soak).await;
    }
    site.heard_only(&[headline]).await;
    machine.has_refused_nothing();
    assert_eq!(machine.property("NRestarts"), "0");
}

/// The unit has forbidden calls fail, which a program may hide. Here they end it.
pub(crate) async fn forbidden_calls() {
    let mut site = Site::open().await;
    let machine = site.machine("SystemCallErrorNumber=\nSystemCallLog=").await;
    let headline = site.publish("marker");
    site.heard(headline).await;
    machine.service("reload");
    machine.service("stop");
    assert_eq!(machine.property("Result"), "success");
    assert_eq!(machine.property("NRestarts"), "0");
    machine.has_refused_nothing();
}

pub(crate) async fn reload() {
    let mut site = Site::open().await;
    let machine = site.machine("").await;
    let process = machine.property("MainPID");
    machine.run(&["systemctl", "log-level", "debug"]);

    fs::write(machine.path(CONFIG), site.config("buoy")).unwrap();
    machine.service("reload");
    says(&machine, "configuration reloaded").await;
    let first = site.publish("buoy");
    site.heard(first).await;
    // systemd was told of the beginning and of the end.
    let journal = machine.journal();
    let reloading = journal.find("RELOADING=1").expect("RELOADING=1 in the journal");
    assert!(journal[reloading..].contains("READY=1"), "READY=1 after RELOADING=1");

    let wrong = site.config("marker").replace("match =", "mach =");
    fs::write(machine.path(CONFIG), wrong).unwrap();
    machine.service("reload");
    says(&machine, "the old one stays in force").await;
    assert!(machine.journal().contains("mach"), "the journal names the problem");
    let second = site.publish("buoy");
    site.heard(second).await;
    site.heard_only(&[first, second]).await;
    assert_eq!(machine.state(), "active");
    assert_eq!(machine.property("MainPID"), process);
    assert_eq!(machine.property("NRestarts"), "0");
}

pub(crate) async fn kill() {
    let mut site = Site::open().await;
    let machine = site.machine("").await;
    let first = site.publish("marker");
    site.heard(first).await;
    machine.signal("KILL");
    let took = machine.restarted(1, RESTART_LIMIT).await;
    say(&format!("ready again {} ms after kill -9", took.as_millis()));
    let second = site.publish("marker");
    site.heard(second).await;
    site.heard_only(&[first, second]).await;
    assert_eq!(machine.property("NRestarts"), "1");
}

pub(crate) async fn watchdog() {
    let mut site = Site::open().await;
    let machine = site.machine(&format!("WatchdogSec={}", WATCHDOG.as_secs())).await;
    machine.signal("STOP");
    let took = machine.restarted(1, WATCHDOG_LIMIT).await;
    say(&format!("ready again {} ms after it was frozen", took.as_millis()));
    assert!(machine.journal().contains("Failed with result 'watchdog'"));
    let headline = site.publish("marker");
    site.heard(headline).await;
}

pub(crate) async fn wrong_configuration() {
    let mut site = Site::open().await;
    let config = site.config("marker");
    let machine = Machine::boot(&[&INSTALLED, &peers::tree()], |root| {
        configure(root, &config.replace("interval", "intervall"));
    })
    .await;
    stays_failed(&machine, "78").await;
    assert!(machine.journal().contains("intervall"), "the journal names the problem");
    fs::write(machine.path(CONFIG), &config).unwrap();
    machine.service("start");
    let headline = site.publish("marker");
    site.heard(headline).await;
}

/// What no restart mends: the database of a newer version, and one that is none.
pub(crate) async fn useless_database() {
    let site = Site::open().await;
    let machine = site.machine("").await;
    machine.service("stop");
    let database = machine.path("/var/lib/private/wirewatch/wirewatch.db");
    let sound = fs::read(&database).unwrap();

    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 9999).unwrap();
    drop(connection);
    machine.try_run(&["systemctl", "start", "wirewatch"]);
    stays_failed(&machine, "64").await;

    let mut damaged = sound.clone();
    damaged[100..].fill(0x5a);
    fs::write(&database, damaged).unwrap();
    machine.try_run(&["systemctl", "start", "wirewatch"]);
    stays_failed(&machine, "65").await;
}

/// It holds a request and a delivery that nobody answers.
pub(crate) async fn stop() {
    let mut site = Site::open().await;
    site.desk.answer(vec![Answer::Hang]);
    let machine = site.machine("").await;
    let headline = site.publish("marker");
    site.desk.wait_for_attempts(1).await;
    let begun = Instant::now();
    machine.service("stop");
    let took = begun.elapsed();
    say(&format!("stopped after {} ms with a delivery under way", took.as_millis()));
    assert!(took < STOP_LIMIT, "{took:?}");
    let ended = ["ActiveState", "Result", "ExecMainCode", "ExecMainStatus"];
    assert_eq!(ended.map(|name| machine.property(name)), ["inactive", "success", "1", "0"]);
    // What was under way is sent after the next start, with its id.
    machine.service("start");
    let message = site.heard(headline).await;
    assert_eq!(message.id, site.desk.attempts()[0].id);
}

/// It fails with this code, and is left alone.
async fn stays_failed(machine: &Machine, code: &str) {
    until(PATIENCE, "the failure", || machine.state() == "failed").await;
    let begun = Instant::now();
    until(NO_RESTART * 2, "no restart", || begun.elapsed() > NO_RESTART).await;
    let seen = ["ActiveState", "ExecMainStatus", "NRestarts"].map(|name| machine.property(name));
    assert_eq!(seen, ["failed", code, "0"]);
}

async fn says(machine: &Machine, words: &str) {
    until(PATIENCE, words, || machine.journal().contains(words)).await;
}
