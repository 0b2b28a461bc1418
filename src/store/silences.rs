//! What people asked to be spared, and what they said of alerts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{millis, optional_time, time};
use super::{Store, StoreError};
use crate::model::{AlertId, DeliveryId, Silence};

/// What somebody said of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// `acknowledged`, `snoozed` or `false-positive`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Until when a snooze lasts.
    pub until: Option<Timestamp>,
    /// Who.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// Names a reminder of a delivery, by the time at which it is due.
pub type ReminderId = Box<dyn Fn(&DeliveryId, Timestamp) -> DeliveryId + Send>;

impl Store {
    /// Adds a silence.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_silence(&self, silence: Silence) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute(
                "INSERT INTO silence (uid, rule, story, feed, channel, since, until, author, \
                 comment) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    silence.id,
                    silence.rule,
                    silence.story,
                    silence.feed,
                    silence.channel,
                    millis(silence.since),
                    silence.until.map(millis),
                    silence.author,
                    silence.comment
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Ends a silence now; false if there is none of this id in force.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_silence(&self, id: String, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| {
            let ended = db.execute(
                "UPDATE silence SET until = ?2 WHERE uid = ?1 AND (until IS NULL OR until > ?2)",
                params![id, millis(now)],
            )?;
            Ok(ended > 0)
        })
        .await
    }

    /// Silences, the latest first; those that are over only with `all`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silences(&self, all: bool, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT * FROM silence WHERE ?1 OR until IS NULL OR until > ?2 ORDER BY id DESC",
            )?;
            select.query_map(params![all, millis(now)], silence)?.collect()
        })
        .await
    }

    /// Records what somebody said of an alert; false if there is no such alert.
    /// A snooze plans a reminder of each of its deliveries that went out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_feedback(
        &self,
        alert: AlertId,
        feedback: Feedback,
        reminder: ReminderId,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let Some(row) = alert_row(db, &alert)? else { return Ok(false) };
            db.execute(
                "INSERT INTO feedback (alert_id, kind, at, until, author, comment) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    row,
                    feedback.kind,
                    millis(feedback.at),
                    feedback.until.map(millis),
                    feedback.author,
                    feedback.comment
                ],
            )?;
            if let Some(until) = feedback.until {
                remind(db, row, (feedback.at, until), &reminder)?;
            }
            Ok(true)
        })
        .await
    }

    /// What was said of an alert, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feedback(&self, alert: String) -> Result<Vec<Feedback>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT kind, at, until, author, comment FROM feedback \
                 WHERE alert_id = (SELECT id FROM alert WHERE uid = ?) ORDER BY id",
            )?;
            let rows = select.query_map([alert], |row| {
                Ok(Feedback {
                    kind: row.get("kind")?,
                    at: time(row, "at")?,
                    until: optional_time(row, "until")?,
                    author: row.get("author")?,
                    comment: row.get("comment")?,
                })
            })?;
            rows.collect()
        })
        .await
    }
}

fn alert_row(db: &Connection, alert: &AlertId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM alert WHERE uid = ?";
    db.query_row(sql, [alert.as_str()], |row| row.get(0)).optional()
}

/// Tells the alert again at a time, to all who were told.
fn remind(
    db: &Connection,
    alert: i64,
    (now, at): (Timestamp, Timestamp),
    reminder: &ReminderId,
) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "SELECT uid, channel, recipient FROM delivery \
         WHERE alert_id = ? AND role = 'alert' AND state IN ('sent', 'gathered')",
    )?;
    // The latest wish counts.
    db.execute(
        "UPDATE delivery SET state = 'suppressed', reason = 'snoozed anew', finished_at = ?2 \
         WHERE alert_id = ?1 AND role = 'reminder' AND state = 'waiting' AND first_try IS NULL",
        params![alert, millis(now)],
    )?;
    let rows = select.query_map([alert], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let told = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, channel, recipient) in told {
        let id = reminder(&DeliveryId::new(id), at);
        db.execute(
            "INSERT OR IGNORE INTO delivery \
             (uid, alert_id, role, channel, recipient, created_at, due_at) \
             VALUES (?1, ?2, 'reminder', ?3, ?4, ?5, ?6)",
            params![id.as_str(), alert, channel, recipient, millis(now), millis(at)],
        )?;
    }
    Ok(())
}

/// The silences in force.
pub(super) fn active_silences(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Silence>> {
    let mut select = db.prepare_cached(
        "SELECT * FROM silence WHERE since <= ?1 AND (until IS NULL OR until > ?1) ORDER BY id",
    )?;
    select.query_map([millis(now)], silence)?.collect()
}

fn silence(row: &Row<'_>) -> rusqlite::Result<Silence> {
    Ok(Silence {
        id: row.get("uid")?,
        rule: row.get("rule")?,
        story: row.get("story")?,
        feed: row.get("feed")?,
        channel: row.get("channel")?,
        since: time(row, "since")?,
        until: optional_time(row, "until")?,
        author: row.get("author")?,
        comment: row.get("comment")?,
    })
}
