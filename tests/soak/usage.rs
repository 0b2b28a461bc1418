//! What a process and its database take, read from outside.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Bytes, and counts of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) memory: u64,
    /// What of it is not the program's file.
    own: u64,
    pub(crate) descriptors: usize,
    pub(crate) log: u64,
    database: u64,
    pub(crate) entries: i64,
    stories: i64,
    alerts: i64,
    waiting: i64,
    /// How long the oldest delivery has waited, in virtual seconds.
    oldest: f64,
    /// Of a processor, in seconds since the start.
    processor: f64,
}

impl Usage {
    pub(crate) fn of(pid: u32, database: &Path) -> Self {
        let proc = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let status = proc("status");
        let bytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
        };
        let ticks: u64 = proc("stat")
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        // The daemon's own now: the moment of its newest entry.
        let oldest = count(
            "SELECT coalesce((SELECT max(first_seen) FROM story) \
             - (SELECT min(coalesce(first_try, due_at)) FROM delivery WHERE state = 'waiting'), 0)",
        );
        Self {
            memory: bytes("VmRSS:"),
            own: bytes("RssAnon:"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            log: size(&database.with_extension("db-wal")),
            database: size(database),
            entries: count("SELECT count(*) FROM entry"),
            stories: count("SELECT count(*) FROM story"),
            alerts: count("SELECT count(*) FROM alert"),
            waiting: count("SELECT count(*) FROM delivery WHERE state = 'waiting'"),
            oldest: oldest.max(0) as f64 / 1000.0,
            // A tick is a hundredth of a second on Linux.
            processor: ticks as f64 / 100.0,
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{:.1} MiB ({:.1} its own), {} descriptors, database {:.0} MiB, log {:.1} MiB, {} entries, {} stories, \
             {} alerts, {} waiting, the oldest for {:.0} s, {:.0} s of a processor",
            mib(self.memory),
            mib(self.own),
            self.descriptors,
            mib(self.database),
            mib(self.log),
            self.entries,
            self.stories,
            self.alerts,
            self.waiting,
            self.oldest,
            self.processor,
        )
    }
}
