//! What became of everything that was decided: deliveries with their tries,
//! and how long each stage took.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows::{millis, optional_time, time};
use super::{Store, StoreError};

/// Deliveries that latencies are taken from.
const MEASURED: i64 = 10_000;

/// One try, as it was recorded.
#[derive(Clone, Debug)]
pub struct Try {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// sent, retry or failed.
    pub outcome: String,
    /// What the receiver said.
    pub answer: String,
}

/// A delivery of an alert, with all that happened to it.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    /// The rule.
    pub rule: String,
    /// The alert.
    pub alert: String,
    /// The delivery's id.
    pub id: String,
    /// See [`crate::model::Role::as_str`].
    pub role: String,
    /// The channel.
    pub channel: String,
    /// The address, or empty.
    pub recipient: String,
    /// See [`crate::model::DeliveryState::as_str`].
    pub state: String,
    /// Why it waits, or is not told.
    pub reason: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it is or was due.
    pub due_at: Timestamp,
    /// When it ended, or the digest's delivery.
    pub finished_at: Option<Timestamp>,
    /// The digest that told it, and that one's state.
    pub digest: Option<(String, String)>,
    /// The tries, of its own or of the digest.
    pub tries: Vec<Try>,
}

/// Times of one delivery that was accepted, for latencies.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// When the entry was published, as claimed.
    pub published: Option<Timestamp>,
    /// When we saw it.
    pub seen: Timestamp,
    /// When its rule matched.
    pub matched: Timestamp,
    /// When it was first sent.
    pub sent: Timestamp,
    /// When it was accepted.
    pub accepted: Timestamp,
}

impl Store {
    /// Every delivery about a story, in the order decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger(&self, story: String) -> Result<Vec<LedgerRow>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT delivery.id AS row, rule, alert.uid AS alert, delivery.uid, role, channel, \
                 recipient, delivery.state, reason, delivery.created_at, due_at, finished_at, \
                 gathered_in, (SELECT uid FROM digest WHERE digest.id = gathered_in) AS digest \
                 FROM delivery JOIN alert ON alert.id = delivery.alert_id \
                 JOIN match ON match.id = alert.match_id JOIN story ON story.id = match.story_id \
                 WHERE story.uid = ? ORDER BY delivery.id",
            )?;
            select.query_map([story], |row| ledger_row(db, row))?.collect()
        })
        .await
    }

    /// The story that an alert tells of; `None` for an unknown id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn story_of_alert(&self, alert: String) -> Result<Option<String>, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT story.uid FROM alert JOIN match ON match.id = alert.match_id \
                 JOIN story ON story.id = match.story_id WHERE alert.uid = ?",
                [alert],
                |row| row.get(0),
            )
            .optional()
        })
        .await
    }

    /// Times of the alerts that were accepted since then, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passages(&self, since: Timestamp) -> Result<Vec<Passage>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT entry.published, entry.first_seen, matched_at, first_try, \
                 delivery.finished_at FROM delivery JOIN alert ON alert.id = delivery.alert_id \
                 JOIN match ON match.id = alert.match_id JOIN entry ON entry.id = match.entry_id \
                 WHERE delivery.state = 'sent' AND delivery.created_at >= ?1 AND role = 'alert' \
                 AND first_try IS NOT NULL AND delivery.finished_at IS NOT NULL \
                 ORDER BY delivery.created_at DESC LIMIT ?2",
            )?;
            let rows = select.query_map([millis(since), MEASURED], |row| {
                Ok(Passage {
                    published: optional_time(row, "published")?,
                    seen: time(row, "first_seen")?,
                    matched: time(row, "matched_at")?,
                    sent: time(row, "first_try")?,
                    accepted: time(row, "finished_at")?,
                })
            })?;
            rows.collect()
        })
        .await
    }
}

fn ledger_row(db: &Connection, row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let digest: Option<i64> = row.get("gathered_in")?;
    let teller: (i64, String, Option<Timestamp>, Option<String>) = match digest {
        Some(digest) => db
            .prepare_cached(
                "SELECT id, state, finished_at, CASE WHEN state = 'suppressed' THEN reason END \
                 FROM delivery WHERE digest_id = ?",
            )?
            .query_row([digest], |row| {
                Ok((row.get(0)?, row.get(1)?, optional_time(row, "finished_at")?, row.get(3)?))
            })?,
        None => (row.get("row")?, row.get("state")?, optional_time(row, "finished_at")?, None),
    };
    // A digest that was dropped says why; its members say why they were in it.
    let own: Option<String> = row.get("reason")?;
    let name: Option<String> = row.get("digest")?;
    Ok(LedgerRow {
        rule: row.get("rule")?,
        alert: row.get("alert")?,
        id: row.get("uid")?,
        role: row.get("role")?,
        channel: row.get("channel")?,
        recipient: row.get("recipient")?,
        state: row.get("state")?,
        reason: teller.3.or(own),
        created_at: time(row, "created_at")?,
        due_at: time(row, "due_at")?,
        finished_at: teller.2,
        digest: name.map(|name| (name, teller.1)),
        tries: tries(db, teller.0)?,
    })
}

fn tries(db: &Connection, delivery: i64) -> rusqlite::Result<Vec<Try>> {
    let mut select = db.prepare_cached(
        "SELECT started_at, finished_at, outcome, answer FROM attempt \
         WHERE delivery_id = ? ORDER BY number",
    )?;
    let rows = select.query_map([delivery], |row| {
        Ok(Try {
            started_at: time(row, "started_at")?,
            finished_at: time(row, "finished_at")?,
            outcome: row.get("outcome")?,
            answer: row.get("answer")?,
        })
    })?;
    rows.collect()
}
