//! Every fault at every command of a mail server: nothing may be lost, nothing
//! repeated without need, and nobody asked too often.
//!
//! A cell of the table is one fault (a refusal for now or for ever, 421, a cut
//! or silent connection, bytes that are no reply, a line of 10 MB) at one stage
//! of the dialogue. In each cell the whole way runs, from a feed to a relay with
//! STARTTLS and a login, and twenty mails meet the fault with their first try,
//! some with their second, too. Only the clock is moved by hand, so that hours
//! of schedule pass at once; the silent relays are waited for.
//!
//! ```sh
//! cargo test --test smtp_faults -- --nocapture    # prints the table
//! ```
//!
//! Counted is at the far end, as sets: which mails the relay has kept, and how
//! often. A mail may be kept twice only if the relay kept it and could not say
//! so, and then both have one Message-ID.
//!
//! How much memory a long line costs is read from the peak of this process.
//! Those cells come first and one by one, so that it is theirs. Where nothing
//! long is kept it is about 1 MiB; where the client kept whole lines, for four
//! tries at once, it was 31 to 103 MiB.
//!
//! A table that has never been red proves nothing. Each of these bugs, put in by
//! hand, was caught: a new id for each attempt (mails that are no delivery), two
//! sends for one (repeats), a failure taken for a success (lost), a 4xx that
//! ends a delivery and a 5xx that does not (given up), another schedule, and a
//! dispatcher whose clock is a minute fast (early).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and prints what it found"
)]
#![allow(dead_code, reason = "the support code is another target's")]

#[path = "smtp_faults/cell.rs"]
mod cell;
#[path = "smtp_faults/relay.rs"]
mod relay;
#[path = "it/support/mod.rs"]
mod support;
#[path = "smtp_faults/trial.rs"]
mod trial;
#[path = "smtp_faults/verdict.rs"]
mod verdict;
#[path = "it/world.rs"]
mod world;

use std::time::Instant;

use tokio::task::JoinSet;

use cell::{Cell, Fault, Stage};
use trial::Found;

/// Cells at a time that keep the processors busy.
const BUSY: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_command_loses_nothing() {
    let start = Instant::now();
    let mut found = Vec::new();
    // What is set up once for all is no memory of a long line.
    trial::run(Cell { stage: Stage::Connect, fault: Fault::Drop }).await;
    for stage in Stage::ALL {
        found.push(measured(Cell { stage, fault: Fault::LongLine }).await);
    }
    let rest = |stalls: bool| {
        let cells = Cell::all().filter(|cell| cell.fault != Fault::LongLine);
        cells.filter(move |cell| (cell.fault == Fault::Stall) == stalls)
    };
    // A stalled relay is waited for, so all of them may stall at once, beside
    // the others.
    let (stalled, others) =
        tokio::join!(several(rest(true), Stage::ALL.len()), several(rest(false), BUSY));
    found.extend(stalled.into_iter().chain(others));
    found.sort_by_key(|found| found.cell);
    println!("{}", verdict::HEAD);
    let mut problems = Vec::new();
    for found in &found {
        println!("{}", verdict::row(found));
        problems.extend(verdict::problems(found));
    }
    println!("{} cells in {:.1?}", found.len(), start.elapsed());
    assert_eq!(found.len(), Stage::ALL.len() * Fault::ALL.len());
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Tries cells, so many at a time.
async fn several(cells: impl Iterator<Item = Cell>, at_once: usize) -> Vec<Found> {
    let (mut running, mut found) = (JoinSet::new(), Vec::new());
    for cell in cells {
        if running.len() >= at_once {
            found.push(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(trial::run(cell));
    }
    found.extend(running.join_all().await);
    found
}

/// Tries a cell alone, and notes what memory it needed at most.
async fn measured(cell: Cell) -> Found {
    forget_peak();
    let before = peak_kib();
    let found = trial::run(cell).await;
    Found { memory_kib: peak_kib() - before, ..found }
}

/// The largest resident size of this process since `forget_peak`.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sets the peak to what is resident now; see proc_pid_clear_refs(5).
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
