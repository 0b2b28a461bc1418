//! Figures for monitoring: cheap to ask for, however large the database is.

use jiff::Timestamp;
use rusqlite::Connection;

use super::rows::{millis, optional_time};
use super::{Store, StoreError};
use crate::model::SubscriptionState;

/// How things stand, in figures that monitoring asks for every few seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Feeds of the configuration by health.
    pub feeds: Vec<(String, i64)>,
    /// Subscriptions at hubs and clouds by state; every state is there.
    pub subscriptions: Vec<(&'static str, i64)>,
    /// Feeds that are overdue by more than five minutes.
    pub overdue: i64,
    /// The last visit that went well, of any feed.
    pub last_success: Option<Timestamp>,
    /// Ever stored, those forgotten included: entries, stories, matches, alerts.
    pub stored: [(&'static str, i64); 4],
    /// Deliveries that wait, by channel, and since when the oldest does: its
    /// first try, or when it is due.
    pub waiting: Vec<(String, i64, Option<Timestamp>)>,
    /// Deliveries given up and not yet retried or dropped.
    pub failed: i64,
    /// Of the database file.
    pub bytes: i64,
    /// Of those, free for reuse.
    pub free_bytes: i64,
    /// Of its schema.
    pub schema: i64,
}

/// Rows are numbered upwards. The highest number, with those above it that were
/// forgotten, is how many there have been.
const STORED: [(&str, &str); 4] = [
    (
        "entries",
        "SELECT max((SELECT coalesce(max(id), 0) FROM entry), \
                    (SELECT coalesce(max(id), 0) FROM tombstone), \
                    (SELECT coalesce(max(last_entry), 0) FROM segment)) \
         + coalesce((SELECT count FROM forgotten WHERE what = 'entry'), 0)",
    ),
    (
        "stories",
        "SELECT coalesce(max(id), 0) \
         + coalesce((SELECT count FROM forgotten WHERE what = 'story'), 0) FROM story",
    ),
    (
        "matches",
        "SELECT coalesce(max(id), 0) \
         + coalesce((SELECT count FROM forgotten WHERE what = 'match'), 0) FROM match",
    ),
    (
        "alerts",
        "SELECT coalesce(max(id), 0) \
         + coalesce((SELECT count FROM forgotten WHERE what = 'alert'), 0) FROM alert",
    ),
];

impl Store {
    /// Asks for all of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gauges(&self, now: Timestamp) -> Result<Gauges, StoreError> {
        self.read(move |db| {
            let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
            let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let page = pragma("page_size")?;
            let mut counts = [0; 4];
            for (count, (_, sql)) in counts.iter_mut().zip(STORED) {
                *count = number(sql)?;
            }
            let stored = std::array::from_fn(|n| (STORED[n].0, counts[n]));
            Ok(Gauges {
                feeds: feeds(db)?,
                subscriptions: subscriptions(db)?,
                overdue: db.query_row(
                    "SELECT count(*) FROM feed WHERE active = 1 AND health <> 'gone' \
                     AND max(next_due, coalesce(blocked_until, 0)) < ?",
                    [millis(now) - 300_000],
                    |row| row.get(0),
                )?,
                last_success: db.query_row(
                    "SELECT max(last_success) AS at FROM feed WHERE active = 1",
                    [],
                    |row| optional_time(row, "at"),
                )?,
                stored,
                waiting: waiting(db)?,
                failed: number("SELECT count(*) FROM delivery WHERE state = 'failed'")?,
                bytes: page * pragma("page_count")?,
                free_bytes: page * pragma("freelist_count")?,
                schema: pragma("user_version")?,
            })
        })
        .await
    }
}

fn feeds(db: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut select = db.prepare_cached(
        "SELECT health, count(*) FROM feed WHERE active = 1 GROUP BY health ORDER BY health",
    )?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn subscriptions(db: &Connection) -> rusqlite::Result<Vec<(&'static str, i64)>> {
    let mut count = db.prepare_cached("SELECT count(*) FROM subscription WHERE state = ?")?;
    let states = SubscriptionState::ALL.map(SubscriptionState::as_str);
    states.iter().map(|state| Ok((*state, count.query_row([state], |row| row.get(0))?))).collect()
}

/// Deliveries that wait, by channel. The index is named because it answers
/// alone, which the planner does not see where all deliveries wait.
pub(super) fn waiting(db: &Connection) -> rusqlite::Result<Vec<(String, i64, Option<Timestamp>)>> {
    let mut select = db.prepare_cached(
        "SELECT channel, count(*), min(coalesce(first_try, due_at)) AS since \
         FROM delivery INDEXED BY delivery_since WHERE state = 'waiting' \
         GROUP BY channel ORDER BY channel",
    )?;
    let rows =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, optional_time(row, "since")?)))?;
    rows.collect()
}
