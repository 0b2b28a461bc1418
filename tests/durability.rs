//! The disk under the daemon fails, fills up, lies or was tampered with, and nothing may be lost.
//!
//! Each trial runs the program as a process of its own against feeds and a receiver on loopback,
//! and counts at the receiver. What each one proves stands at the top of its module.
//!
//! ```sh
//! cargo test --test durability
//! ```
//!
//! By default each trial does a little, all of them in two minutes. `WIREWATCH_BIN` names another
//! binary, and these make more of it:
//!
//! | variable | default (in full) | what it counts |
//! | --- | --- | --- |
//! | `WIREWATCH_FAULTS` | 6 (60) | lives of the daemon in which writes or syncs fail |
//! | `WIREWATCH_FULL_SECONDS` | 20 (600) | how long the disk stays full |
//! | `WIREWATCH_SHUT_SECONDS` | 15 (600) | how long nothing can be written for other reasons |
//! | `WIREWATCH_DAMAGES` | 40 (300) | damages of a database |
//! | `WIREWATCH_READER_SECONDS` | 15 (60) | how long another process reads |
//! | `WIREWATCH_MIGRATIONS` | 2 (50) | kills in the migration of each older schema |
//! | `WIREWATCH_BACKUPS` | 10 (50) | backups while others write, two in five of them killed |
//! | `WIREWATCH_MIGRATION_ENTRIES` | 2000 (1000000) | entries of the first schema, migrated at once |
//! | `WIREWATCH_DAYS` | 45 (180) | days that go by on a clock of the test's |
//! | `WIREWATCH_DAILY` | 30 (100) | stories on each of them |
//! | `WIREWATCH_TOLD_ONE_IN` | 1 | of so many of these stories one is told |
//!
//! `WIREWATCH_SEED` repeats the random choices of a run; what the kernel does with them still
//! differs. What needs strace, root or loop devices and cannot have them is reported as ignored,
//! and with `WIREWATCH_PEERS=required` as failed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "the campaign of kills uses the rest of these modules")]

#[path = "durability/alone.rs"]
mod alone;
#[path = "durability/busy.rs"]
mod busy;
#[path = "durability/copies.rs"]
mod copies;
#[path = "durability/daemon.rs"]
mod daemon;
#[path = "durability/damage.rs"]
mod damage;
#[path = "kill/desk.rs"]
mod desk;
#[path = "durability/drill.rs"]
mod drill;
#[path = "durability/faults.rs"]
mod faults;
#[path = "kill/feeds.rs"]
mod feeds;
#[path = "durability/full.rs"]
mod full;
#[path = "durability/migration.rs"]
mod migration;
#[path = "durability/past.rs"]
mod past;
#[path = "durability/press.rs"]
mod press;
#[path = "kill/random.rs"]
mod random;
#[path = "durability/retention.rs"]
mod retention;
#[path = "durability/room.rs"]
mod room;
#[path = "durability/scene.rs"]
mod scene;
#[path = "durability/settings.rs"]
mod settings;
#[path = "durability/shut.rs"]
mod shut;
#[path = "it/support/mod.rs"]
mod support;
#[path = "durability/switch.rs"]
mod switch;
#[path = "durability/trace.rs"]
mod trace;
#[path = "it/support/trial.rs"]
mod trial;
#[path = "durability/ward.rs"]
mod ward;
#[path = "durability/weight.rs"]
mod weight;
#[path = "it/world.rs"]
mod world;
#[path = "durability/wounds.rs"]
mod wounds;

use std::env;

use libtest_mimic::Arguments;

use trial::{run, trial};

/// Trials that run at the same time.
const AT_ONCE: usize = 3;

fn main() {
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads = arguments.test_threads.or(Some(AT_ONCE));
    let (strace, room) = (trace::is_possible(), room::is_possible());
    let ext4 = room::can_be_ext4();
    let trials = vec![
        trial("damaged_databases_are_refused_or_survived", Ok(()), || run(damage::trial())),
        trial("failing_writes_and_syncs_lose_nothing", strace.clone(), || run(faults::trial())),
        trial("a_full_disk_loses_nothing", room.clone(), || run(full::trial())),
        trial(
            "without_inodes_it_goes_on_and_nothing_is_lost",
            ext4.clone(),
            || run(shut::inodes()),
        ),
        trial("a_read_only_time_loses_nothing", strace.clone(), || run(shut::read_only())),
        trial("a_file_system_that_breaks_loses_nothing", ext4, || run(shut::broken())),
        trial("a_copy_without_room_says_so", room, || run(copies::without_room())),
        trial("backups_are_whole_or_not_there", Ok(()), || run(copies::under_load())),
        trial("two_backups_to_one_name_are_one", Ok(()), || run(copies::two_at_once())),
        trial("a_restored_daemon_tells_nothing_old", Ok(()), || run(drill::trial())),
        trial("a_locked_database_loses_nothing", Ok(()), || run(busy::writer())),
        trial("a_killed_migration_leaves_old_or_new", strace.clone(), || run(migration::kills())),
        trial("a_large_database_is_migrated", Ok(()), || run(weight::trial())),
        trial("a_killed_restore_loses_nothing", strace.clone(), || run(switch::kills())),
        trial("a_newer_database_is_refused_untouched", Ok(()), || run(migration::downgrade())),
        trial("a_long_reader_leaves_no_long_log", Ok(()), || run(busy::reader())),
        trial("old_stories_are_forgotten_and_not_told_again", Ok(()), || run(retention::trial())),
        trial("the_database_is_set_to_be_durable", Ok(()), || run(settings::modes())),
        trial("nothing_is_told_before_it_is_on_disk", strace, || run(settings::order())),
        trial("a_second_daemon_is_turned_away", Ok(()), || run(alone::instance())),
        trial("the_files_are_private_while_it_runs", Ok(()), || run(alone::files())),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// How much is to be done, as the environment says.
fn count(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |count| count.parse().expect("the count is a number"))
}

fn say(words: &str) {
    eprintln!("durability: {words}");
}
