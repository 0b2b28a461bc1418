//! The outbox: deliveries that wait, and what became of each try.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::notices::message;
use super::rows::{
    json, millis, optional_time, outlets_from_json, outlets_to_json, spans_from_json, time,
};
use super::upgrades::update_by_row;
use super::{Store, StoreError};
use crate::model::{
    AlertContent, AlertId, Attempt, ChannelName, Content, Delivery, DeliveryId, Outcome, Outlet,
    RuleName, Severity, StoryId,
};

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

impl Store {
    /// Claims what a channel has to send now, oldest first. A delivery's list
    /// of outlets is fixed by its first claim, so that every attempt says the
    /// same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_deliveries(
        &self,
        channel: ChannelName,
        now: Timestamp,
        lease: SignedDuration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let until = millis(now.checked_add(lease).unwrap_or(now));
        self.write(move |db| {
            let mut select = db.prepare_cached(&format!(
                "{DELIVERY} WHERE delivery.channel = ?1 AND delivery.state = 'waiting' \
                 AND delivery.due_at <= ?2 \
                 AND (delivery.leased_until IS NULL OR delivery.leased_until <= ?2) \
                 ORDER BY delivery.due_at, delivery.id LIMIT ?3"
            ))?;
            let mut claimed_now = claim_notices(db, channel.as_str(), (millis(now), until), limit)?;
            let left = limit.saturating_sub(claimed_now.len());
            let arguments = params![channel.as_str(), millis(now), left as i64];
            let claimed = select.query_map(arguments, claimed)?.collect::<Result<Vec<_>, _>>()?;
            for claim in claimed {
                claimed_now.push(claim.take(db, until)?);
            }
            Ok(claimed_now)
        })
        .await
    }

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
                Outcome::TryAgain { reason, .. } | Outcome::Refused(reason) => ("retry", reason),
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
    /// schedule; their ids stay. `None` means all of them. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_deliveries(
        &self,
        ids: Option<Vec<DeliveryId>>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            let all = ids.is_none();
            let ids: Vec<String> =
                ids.unwrap_or_default().iter().map(|id| id.as_str().to_string()).collect();
            db.execute(
                "UPDATE delivery SET state = 'waiting', due_at = ?1, attempts = 0, \
                 finished_at = NULL, leased_until = NULL WHERE state = 'failed' \
                 AND (?2 OR uid IN (SELECT value FROM json_each(?3)))",
                params![millis(now), all, json(&ids)],
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

const DELIVERY: &str = "SELECT delivery.id, delivery.uid, delivery.channel, delivery.recipient, \
     delivery.attempts, delivery.created_at, delivery.outlets, delivery.update_id, match.story_id, \
     alert.uid AS alert_uid, alert.rule_title, alert.severity, alert.created_at AS alerted_at, \
     match.rule, match.title, match.text, match.spans, match.capitals_only, story.uid AS story_uid, \
     entry.url, entry.published \
     FROM delivery JOIN alert ON alert.id = delivery.alert_id \
     JOIN match ON match.id = alert.match_id JOIN story ON story.id = match.story_id \
     JOIN entry ON entry.id = match.entry_id";

/// Claims messages of notices; they go before alerts, and are few.
fn claim_notices(
    db: &Connection,
    channel: &str,
    (now, until): (i64, i64),
    limit: usize,
) -> rusqlite::Result<Vec<Delivery>> {
    let mut select = db.prepare_cached(
        "SELECT id, uid, channel, recipient, attempts, created_at, notice_message_id \
         FROM delivery \
         WHERE channel = ?1 AND state = 'waiting' AND due_at <= ?2 \
         AND notice_message_id IS NOT NULL AND (leased_until IS NULL OR leased_until <= ?2) \
         ORDER BY due_at, id LIMIT ?3",
    )?;
    let rows = select.query_map(params![channel, now, limit as i64], |row| {
        let content = Content::Notices(message(db, row.get("notice_message_id")?)?);
        Ok((row.get::<_, i64>("id")?, header(row, content)?))
    })?;
    let claimed: Vec<(i64, Delivery)> = rows.collect::<Result<_, _>>()?;
    let mut lease = db.prepare_cached("UPDATE delivery SET leased_until = ?2 WHERE id = ?1")?;
    for (row, _) in &claimed {
        lease.execute(params![row, until])?;
    }
    Ok(claimed.into_iter().map(|(_, delivery)| delivery).collect())
}

/// An alert's delivery on its way out of the store.
struct Claim {
    row: i64,
    story: i64,
    frozen: bool,
    update: Option<i64>,
    delivery: Delivery,
}

impl Claim {
    fn take(mut self, db: &Connection, until: i64) -> rusqlite::Result<Delivery> {
        let mut json = None;
        if let (Some(row), Content::Alert(alert)) = (self.update, &mut self.delivery.content) {
            alert.update = Some(update_by_row(db, row)?);
        }
        if let (false, Content::Alert(alert)) = (self.frozen, &mut self.delivery.content) {
            alert.outlets = outlets(db, self.story)?;
            json = Some(outlets_to_json(&alert.outlets));
        }
        db.prepare_cached(
            "UPDATE delivery SET leased_until = ?2, outlets = coalesce(?3, outlets) WHERE id = ?1",
        )?
        .execute(params![self.row, until, json])?;
        Ok(self.delivery)
    }
}

fn claimed(row: &Row<'_>) -> rusqlite::Result<Claim> {
    let outlets: Option<String> = row.get("outlets")?;
    let severity: String = row.get("severity")?;
    let content = AlertContent {
        alert: AlertId::new(row.get::<_, String>("alert_uid")?),
        rule: RuleName::new(row.get::<_, String>("rule")?),
        rule_title: row.get("rule_title")?,
        severity: Severity::from_word(&severity).unwrap_or_default(),
        story: StoryId::new(row.get::<_, String>("story_uid")?),
        title: row.get("title")?,
        text: row.get("text")?,
        url: row.get("url")?,
        published: optional_time(row, "published")?,
        created_at: time(row, "alerted_at")?,
        spans: spans_from_json(&row.get::<_, String>("spans")?),
        capitals_only: row.get("capitals_only")?,
        outlets: outlets.as_deref().map(outlets_from_json).unwrap_or_default(),
        update: None,
    };
    Ok(Claim {
        row: row.get("id")?,
        story: row.get("story_id")?,
        frozen: outlets.is_some(),
        update: row.get("update_id")?,
        delivery: header(row, Content::Alert(Box::new(content)))?,
    })
}

fn header(row: &Row<'_>, content: Content) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId::new(row.get::<_, String>("uid")?),
        channel: ChannelName::new(row.get::<_, String>("channel")?),
        recipient: row.get("recipient")?,
        attempts: row.get("attempts")?,
        created_at: time(row, "created_at")?,
        content,
    })
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
