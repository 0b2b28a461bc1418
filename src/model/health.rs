//! What is remembered of a feed's health between two visits.

use jiff::Timestamp;

use super::FeedHealth;

/// What is remembered of a feed's health between two visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthState {
    /// How it does.
    pub health: FeedHealth,
    /// Since when.
    pub since: Timestamp,
    /// Failed visits in a row.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// Bot checks in a row.
    pub challenges: u32,
    /// Repaired documents in a row; a 304 leaves it.
    pub repairs: u32,
    /// Silence counts from here: the last visit with new entries, or the one
    /// that ended an outage.
    pub quiet_since: Option<Timestamp>,
    /// What operators believe: the condition last told, or `Ok`.
    pub told: FeedHealth,
    /// The last warning, which stays after recovery and slows the next one.
    pub warned: Option<HealthWarning>,
}

/// A notice that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthWarning {
    /// The condition that was told.
    pub health: FeedHealth,
    /// When.
    pub at: Timestamp,
}

impl HealthState {
    /// A feed that was not visited yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            health: FeedHealth::New,
            since: now,
            failures: 0,
            failing_since: None,
            challenges: 0,
            repairs: 0,
            quiet_since: None,
            told: FeedHealth::Ok,
            warned: None,
        }
    }

    /// A feed that a person puts back to work after 410 or another end. The
    /// first visit that goes well is told if the end was.
    pub fn revived(self, now: Timestamp) -> Self {
        Self { told: self.told, warned: self.warned, ..Self::new(now) }
    }
}

impl Default for HealthState {
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH)
    }
}
