//! Starts on a bad day: no network, no names, a clock that says 1970, a configuration on a disk
//! that cannot be written. The program stays up, says what is wrong, and mends by itself.
//!
//! ```sh
//! cargo test --test bad_starts           # a minute; as root
//! apt-get install faketime iproute2 python3
//! ```
//!
//! What a machine or a user without rights cannot do is reported as ignored.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and says what it leaves out"
)]

#[path = "bad_starts/place.rs"]
mod place;
#[allow(dead_code, reason = "these trials need no runtime")]
#[path = "it/support/trial.rs"]
mod trial;

use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed};
use place::{Place, Surroundings};

/// It recovers within this time after what was wrong is mended.
const RECOVERY: Duration = Duration::from_secs(60);
/// Long enough for several tries of everything.
const BAD_TIME: Duration = Duration::from_secs(12);

fn main() {
    let isolated = || can("unshare --net --mount true").and(can("ip -V")).and(can("python3 -V"));
    let trials = vec![
        trial::trial("without_a_network_it_waits_for_one", isolated(), no_network),
        trial::trial("without_names_it_waits_for_them", isolated(), no_names),
        trial::trial("a_configuration_that_cannot_be_written_does", isolated(), read_only),
        trial::trial("in_1970_it_works_and_stays_right_after", fake_time().map(drop), in_1970),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn can(command: &str) -> Result<(), String> {
    let done = Command::new("sh").args(["-c", command]).output();
    let done = done.is_ok_and(|output| output.status.success());
    if done { Ok(()) } else { Err(format!("`{command}` does not work here")) }
}

fn fake_time() -> Result<String, String> {
    let named = std::env::var("WIREWATCH_FAKETIME").into_iter();
    let usual =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
    let usual = usual.map(|folder| format!("{folder}/faketime/libfaketimeMT.so.1"));
    let mut all = named.chain(usual);
    let found = all.find(|path| std::path::Path::new(path).exists());
    found.ok_or_else(|| "faketime is not installed".to_owned())
}

fn no_network() -> Result<(), Failed> {
    let mut place = Place::furnish("127.0.0.1");
    place.start(&Surroundings::Isolated { network: false });
    place.lives_for(BAD_TIME)?;
    place.status_says("no feed can be read")?;
    place.inside("ip link set lo up");
    place.open_feed();
    place.is_told("marker one", RECOVERY)?;
    place.is_well(RECOVERY)?;
    place.stops()
}

fn no_names() -> Result<(), Failed> {
    let mut place = Place::furnish("feeds.test");
    place.start(&Surroundings::Isolated { network: true });
    place.open_feed();
    place.lives_for(BAD_TIME)?;
    place.status_says("no feed can be read")?;
    place.answers_health()?;
    place.name("feeds.test");
    place.is_told("marker one", RECOVERY)?;
    place.is_well(RECOVERY)?;
    place.stops()
}

fn read_only() -> Result<(), Failed> {
    let mut place = Place::furnish("127.0.0.1");
    place.start(&Surroundings::ReadOnly);
    place.open_feed();
    place.is_told("marker one", RECOVERY)?;
    place.answers_health()?;
    place.signal("HUP");
    place.lives_for(Duration::from_secs(3))?;
    place.publish("marker two");
    place.is_told("marker two", RECOVERY)?;
    place.is_well(RECOVERY)?;
    place.stops()
}

fn in_1970() -> Result<(), Failed> {
    let mut place = Place::furnish("127.0.0.1");
    place.start(&Surroundings::Time(fake_time()?));
    place.open_feed();
    place.is_told("marker one", RECOVERY)?;
    place.doctor_says("it says 1970-")?;
    place.set_clock();
    place.publish("marker two");
    place.is_told("marker two", RECOVERY)?;
    place.lives_for(Duration::from_secs(3))?;
    place.is_well(RECOVERY)?;
    place.told_once(&["marker one", "marker two"])?;
    place.stops()
}
