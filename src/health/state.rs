//! The state machine of a feed's health.
//!
//! | state | from when on | notice |
//! | --- | --- | --- |
//! | ok | a visit went well | none |
//! | degraded | a document had to be repaired | at the second in a row |
//! | failing | a visit failed | none |
//! | down | 3 failures in a row that last an hour, or failures for a day | one |
//! | challenged | 2 bot checks in a row | one |
//! | silent | nothing new for 3 days and 10 usual gaps | one |
//! | gone | 410 | one |
//!
//! Coming back from down, challenged, silent or gone is told once, if those
//! were told. A feed that flaps is told of once in [`rest`]: a further notice
//! that is no graver waits until then, and is dropped when the matter ends before.

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    FeedHealth, HealthState as State, HealthWarning as Warning, NoticeKind, VisitFailure,
};

/// Failures in a row before a feed is down.
const DOWN_FAILURES: u32 = 3;
/// How long they must have lasted.
const DOWN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How long is enough with fewer failures: for feeds that are seldom polled.
const DOWN_ANYWAY: SignedDuration = SignedDuration::from_hours(24);
/// Bot checks in a row before a feed is challenged.
const CHALLENGES: u32 = 2;
/// Repaired documents in a row before somebody is told.
const REPAIRS: u32 = 2;
/// Shortest silence that means anything.
const SILENT_AFTER: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Usual gaps that a silence must exceed.
const SILENT_GAPS: i32 = 10;

/// What a visit saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// A document that was read and stored.
    Document {
        /// Entries in it that were not known.
        new_entries: usize,
        /// It was broken and had to be repaired, or entries in it were lost.
        repaired: bool,
    },
    /// 304, or the same bytes as last time.
    NotModified,
    /// The same, while a hub brought something new meanwhile.
    Brought,
    /// Nothing that could be read.
    Failure(&'a VisitFailure),
}

/// A step that changed something or wants something said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The health before.
    pub from: FeedHealth,
    /// The health now; the same for a notice that had to wait.
    pub to: FeedHealth,
    /// What operators are to be told.
    pub notice: Option<NoticeKind>,
}

/// The state after a visit, and what changed.
///
/// `usual_gap` is the feed's usual time between entries, `None` while its
/// rhythm is not known well enough to call it silent.
pub fn step(
    state: State,
    seen: Seen<'_>,
    usual_gap: Option<SignedDuration>,
    now: Timestamp,
) -> (State, Option<Change>) {
    let mut next = match seen {
        Seen::Failure(failure) => failed(state, failure, now),
        Seen::NotModified => went_well(state, false, usual_gap, now),
        Seen::Brought => went_well(state, true, usual_gap, now),
        Seen::Document { new_entries, repaired } => {
            let repairs = if repaired { state.repairs.saturating_add(1) } else { 0 };
            went_well(State { repairs, ..state }, new_entries > 0, usual_gap, now)
        }
    };
    if next.health != state.health {
        next.since = now;
    }
    let notice = notice(state.health, &mut next, now);
    let changed = next.health != state.health || notice.is_some();
    let change = changed.then_some(Change { from: state.health, to: next.health, notice });
    (next, change)
}

fn failed(state: State, failure: &VisitFailure, now: Timestamp) -> State {
    let failures = state.failures.saturating_add(1);
    let first = state.failing_since.unwrap_or(now);
    let challenges = match failure {
        VisitFailure::Challenged { .. } => state.challenges.saturating_add(1),
        VisitFailure::Gone | VisitFailure::Throttled { .. } | VisitFailure::Failed => 0,
    };
    let lasted = now.duration_since(first);
    let down = (failures >= DOWN_FAILURES && lasted >= DOWN_AFTER) || lasted >= DOWN_ANYWAY;
    let health = match failure {
        VisitFailure::Gone => FeedHealth::Gone,
        VisitFailure::Challenged { .. } if challenges >= CHALLENGES => FeedHealth::Challenged,
        VisitFailure::Challenged { .. } | VisitFailure::Throttled { .. } | VisitFailure::Failed => {
            if down {
                FeedHealth::Down
            } else {
                FeedHealth::Failing
            }
        }
    };
    State { health, failures, failing_since: Some(first), challenges, ..state }
}

fn went_well(state: State, news: bool, usual_gap: Option<SignedDuration>, now: Timestamp) -> State {
    // What came while it could not be read is not its silence. A clock that
    // went back must not make the silence endless either.
    let outage = matches!(
        state.health,
        FeedHealth::Down | FeedHealth::Challenged | FeedHealth::Gone | FeedHealth::New
    );
    let quiet_since = if news || outage { now } else { state.quiet_since.unwrap_or(now).min(now) };
    let silence = now.duration_since(quiet_since);
    let too_long =
        usual_gap.is_some_and(|gap| silence > SILENT_AFTER.max(gap.saturating_mul(SILENT_GAPS)));
    // Only something new ends a silence, whatever becomes of the usual gap.
    let silent = too_long || (state.health == FeedHealth::Silent && !news);
    let health = match (silent, state.repairs) {
        (true, _) => FeedHealth::Silent,
        (false, 0) => FeedHealth::Ok,
        (false, _) => FeedHealth::Degraded,
    };
    State {
        health,
        failures: 0,
        failing_since: None,
        challenges: 0,
        quiet_since: Some(quiet_since),
        ..state
    }
}

/// Decides what is told, and notes in `next` that it was.
fn notice(before: FeedHealth, next: &mut State, now: Timestamp) -> Option<NoticeKind> {
    let kind = match next.health {
        FeedHealth::New | FeedHealth::Failing => return None,
        FeedHealth::Ok => return relief(next),
        FeedHealth::Degraded => {
            if before == FeedHealth::New {
                // Broken from the first day on: that is how this feed is.
                next.told = FeedHealth::Degraded;
            }
            if gravity(next.told) > gravity(FeedHealth::Degraded) {
                return relief(next);
            }
            if next.repairs < REPAIRS {
                return None;
            }
            NoticeKind::Degraded
        }
        FeedHealth::Down => NoticeKind::Down,
        FeedHealth::Challenged => NoticeKind::Challenged,
        FeedHealth::Silent => NoticeKind::Silent,
        FeedHealth::Gone => NoticeKind::Gone,
    };
    // A feed that a person put back to work and that is gone still is told again.
    let known = next.told == next.health && before != FeedHealth::New;
    if known || too_soon(next, now) {
        return None;
    }
    next.told = next.health;
    next.warned = Some(Warning { health: next.health, at: now });
    Some(kind)
}

/// It does well: told if something worse than broken documents had been.
fn relief(next: &mut State) -> Option<NoticeKind> {
    let told = std::mem::replace(&mut next.told, FeedHealth::Ok);
    (gravity(told) > gravity(FeedHealth::Degraded)).then_some(NoticeKind::Recovered)
}

/// Whether the last warning was a short time ago and no less grave.
fn too_soon(next: &State, now: Timestamp) -> bool {
    next.warned.is_some_and(|warned| {
        let since = now.duration_since(warned.at);
        // A warning from the future is the clock's fault; it holds nothing back.
        let recent = !since.is_negative() && since < rest(next.health);
        recent && gravity(next.health) <= gravity(warned.health)
    })
}

/// Shortest time between two warnings that are no graver than the first.
fn rest(health: FeedHealth) -> SignedDuration {
    match health {
        FeedHealth::Down | FeedHealth::Challenged => SignedDuration::from_hours(6),
        FeedHealth::Gone => SignedDuration::ZERO,
        FeedHealth::New
        | FeedHealth::Ok
        | FeedHealth::Degraded
        | FeedHealth::Failing
        | FeedHealth::Silent => SignedDuration::from_hours(24),
    }
}

fn gravity(health: FeedHealth) -> u8 {
    match health {
        FeedHealth::New | FeedHealth::Ok | FeedHealth::Failing => 0,
        FeedHealth::Degraded => 1,
        FeedHealth::Silent => 2,
        FeedHealth::Down | FeedHealth::Challenged => 3,
        FeedHealth::Gone => 4,
    }
}
