//! The outbox: deliveries that wait, and what became of each try.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::due::RELEASED;
use super::rows::{json, millis, optional_time, time};
use super::{Store, StoreError};
use crate::model::{Attempt, ChannelName, DeliveryId, Outcome, Outlet};

/// What a try leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The receiver accepted.
    Sent,
    /// Try again at this time.
    Retry(Timestamp),
    /// Given up; kept for people to look at and to retry.
    Failed,
}

/// Whether all are meant, and otherwise which, as a JSON array.
fn chosen(ids: Option<Vec<DeliveryId>>) -> (bool, String) {
    let all = ids.is_none();
    let ids = ids.unwrap_or_default();
    (all, json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>()))
}

impl Store {
    /// Records a try and what it leads to.
    ///
    /// # Errors
    /// When the database fails; the lease then ends by itself and the delivery
    /// is sent again with the same id.
    pub async fn finish_delivery(
        &self,
        id: DeliveryId,
        attempt: Attempt,
        finish: Finish,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            let (word, answer) = match &attempt.outcome {
                Outcome::Sent(answer) => ("sent", answer),
                Outcome::TryAgain { reason, .. }
                | Outcome::Unknown(reason)
                | Outcome::Refused(reason) => ("retry", reason),
                Outcome::GiveUp(reason) => ("failed", reason),
            };
            db.execute(
                "INSERT INTO attempt (delivery_id, number, started_at, finished_at, outcome, answer) \
                 SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM attempt \
                             WHERE delivery_id = delivery.id), ?2, ?3, ?4, ?5 \
                 FROM delivery WHERE uid = ?1",
                params![
                    id.as_str(),
                    millis(attempt.started_at),
                    millis(attempt.finished_at),
                    word,
                    answer
                ],
            )?;
            let (state, due, finished) = match finish {
                Finish::Sent => ("sent", None, Some(attempt.finished_at)),
                Finish::Retry(at) => ("waiting", Some(at), None),
                Finish::Failed => ("failed", None, Some(attempt.finished_at)),
            };
            db.execute(
                "UPDATE delivery SET state = ?2, due_at = coalesce(?3, due_at), \
                 finished_at = ?4, attempts = attempts + 1, leased_until = NULL, \
                 last_answer = ?5 WHERE uid = ?1",
                params![id.as_str(), state, due.map(millis), finished.map(millis), answer],
            )?;
            Ok(())
        })
        .await
    }

    /// Has what is kept back for quiet hours, a digest or a budget decided anew,
    /// because the policy may be another. What waited together and may go now
    /// goes out in one digest all the same; what is due goes out anyway. Groups
    /// are ended for channels that group no more: deciding about others anew
    /// would have them wait from the beginning. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_held(
        &self,
        ungrouped: Vec<ChannelName>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            let ungrouped: Vec<&str> = ungrouped.iter().map(ChannelName::as_str).collect();
            db.execute(
                "UPDATE delivery SET due_at = ?1, gather = ?2 || gather WHERE state = 'waiting' \
                 AND first_try IS NULL AND due_at > ?1 AND (gather IN ('quiet', 'digest', 'storm') \
                   OR (gather LIKE 'rule:%' AND channel IN (SELECT value FROM json_each(?3))))",
                params![millis(now), RELEASED, json(&ungrouped)],
            )
        })
        .await
    }

    /// Gives a claim back untouched, as at shutdown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_delivery(&self, id: DeliveryId) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("UPDATE delivery SET leased_until = NULL WHERE uid = ?", [id.as_str()])?;
            Ok(())
        })
        .await
    }

    /// Makes failed deliveries wait again, due at once and with a fresh
    /// schedule; their ids stay. `None` means all of them. With `waiting` those
    /// too that wait for their next try, and what their channels' receivers
    /// wished is not waited for any longer. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_deliveries(
        &self,
        ids: Option<Vec<DeliveryId>>,
        waiting: bool,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            let (all, ids) = chosen(ids);
            if waiting {
                db.execute(
                    "DELETE FROM channel_pause WHERE ?1 OR channel IN \
                     (SELECT channel FROM delivery WHERE uid IN (SELECT value FROM json_each(?2)))",
                    params![all, ids],
                )?;
            }
            db.execute(
                "UPDATE delivery SET state = 'waiting', due_at = ?1, attempts = 0, \
                 finished_at = NULL, leased_until = NULL \
                 WHERE (state = 'failed' OR (?4 AND state = 'waiting' AND attempts > 0 \
                   AND (leased_until IS NULL OR leased_until <= ?1))) \
                 AND (?2 OR uid IN (SELECT value FROM json_each(?3)))",
                params![millis(now), all, ids, waiting],
            )
        })
        .await
    }

    /// Lays failed deliveries aside for good, with the reason that `why` shows;
    /// with `waiting` those too that wait, but for those being sent. `None`
    /// means all of them, or all of a channel. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_deliveries(
        &self,
        ids: Option<Vec<DeliveryId>>,
        (channel, waiting): (Option<ChannelName>, bool),
        reason: String,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            let (all, ids) = chosen(ids);
            db.execute(
                "UPDATE delivery SET state = 'suppressed', reason = ?1, finished_at = ?4 \
                 WHERE (state = 'failed' OR (?5 AND state = 'waiting' \
                   AND (leased_until IS NULL OR leased_until <= ?4))) \
                 AND (?6 IS NULL OR channel = ?6) \
                 AND (?2 OR uid IN (SELECT value FROM json_each(?3)))",
                params![
                    reason,
                    all,
                    ids,
                    millis(now),
                    waiting,
                    channel.as_ref().map(ChannelName::as_str)
                ],
            )
        })
        .await
    }

    /// When a channel next has something to send.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery_due(
        &self,
        channel: ChannelName,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT min(due_at) AS due FROM delivery \
                 WHERE channel = ?1 AND state = 'waiting' AND leased_until IS NULL",
                [channel.as_str()],
                |row| optional_time(row, "due"),
            )
        })
        .await
    }

    /// How many deliveries each channel has yet to try before `until`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_before(
        &self,
        until: Timestamp,
    ) -> Result<Vec<(ChannelName, i64)>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT channel, count(*) FROM delivery WHERE state = 'waiting' AND due_at <= ? \
                 GROUP BY channel ORDER BY channel",
            )?;
            let rows = select.query_map([millis(until)], |row| {
                Ok((ChannelName::new(row.get::<_, String>(0)?), row.get(1)?))
            })?;
            rows.collect()
        })
        .await
    }
}

/// Who carries a story: each feed once, in the order we saw them.
pub(super) fn outlets(db: &Connection, story: i64) -> rusqlite::Result<Vec<Outlet>> {
    let mut select = db.prepare_cached(
        "SELECT feed.name, coalesce(feed.title, feed.name) AS outlet, entry.url, \
         entry.published, min(entry.first_seen) AS first_seen FROM entry \
         JOIN feed ON feed.id = entry.feed_id WHERE entry.story_id = ? \
         GROUP BY feed.id ORDER BY min(entry.first_seen), min(entry.id)",
    )?;
    let rows = select.query_map([story], |row| {
        Ok(Outlet {
            feed: row.get("name")?,
            name: row.get("outlet")?,
            url: row.get("url")?,
            published: optional_time(row, "published")?,
            first_seen: time(row, "first_seen")?,
        })
    })?;
    rows.collect()
}

/// The row of a story by its public id.
pub(super) fn story_row(db: &Connection, uid: &str) -> rusqlite::Result<Option<i64>> {
    db.query_row("SELECT id FROM story WHERE uid = ?", [uid], |row| row.get(0)).optional()
}
