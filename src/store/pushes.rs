//! Documents that hubs brought: on the disk before the hub is thanked, and
//! gone once they are taken in.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{json, millis, time};
use super::subscriptions::weigh;
use super::{Store, StoreError, Visit};
use crate::model::FeedName;

/// A push that comes so soon after a poll found its entry was only slow.
const SLOW: SignedDuration = SignedDuration::from_mins(10);

/// How much may wait to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushLimits {
    /// Documents.
    pub count: u64,
    /// Bytes of all together.
    pub bytes: u64,
}

/// A document that a hub brings.
#[derive(Clone, Debug)]
pub struct NewPush {
    /// The feed's row.
    pub feed: i64,
    /// What was subscribed to: the base of relative links.
    pub topic: String,
    /// As stated.
    pub content_type: Option<String>,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Their SHA-256.
    pub hash: Vec<u8>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It waits to be read.
    Queued,
    /// The same document waits, or was the last one read.
    Known,
    /// Too much waits.
    Full,
}

/// A document to be read.
#[derive(Clone, Debug)]
pub struct QueuedPush {
    /// Its row.
    pub id: i64,
    /// The feed's row.
    pub feed: i64,
    /// The feed.
    pub name: FeedName,
    /// Its URL as configured when the document came.
    pub url: String,
    /// See [`NewPush`].
    pub topic: String,
    /// See [`NewPush`].
    pub content_type: Option<String>,
    /// See [`NewPush`].
    pub body: Vec<u8>,
    /// See [`NewPush`].
    pub hash: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
    /// Times it was begun before; a document that ends the process ends it once.
    pub tries: u32,
    /// When the feed's entries appeared, the latest last.
    pub arrivals: Vec<Timestamp>,
    /// The feed's last good visit.
    pub last_success: Option<Timestamp>,
}

/// What a document that was read leaves.
#[derive(Clone, Debug)]
pub struct TakenIn {
    /// The document.
    pub push: i64,
    /// The feed's row.
    pub feed: i64,
    /// The document's SHA-256.
    pub hash: Vec<u8>,
    /// Entries in it that nobody knew.
    pub new: usize,
    /// When the feed's entries appeared, those included.
    pub arrivals: Vec<Timestamp>,
}

impl Store {
    /// Keeps a document. Done means: on disk.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_push(
        &self,
        push: NewPush,
        limits: PushLimits,
        now: Timestamp,
    ) -> Result<Kept, StoreError> {
        self.write(move |db| {
            if is_known(db, &push)? {
                return Ok(Kept::Known);
            }
            let (count, bytes): (i64, i64) = db.query_row(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM push",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let after = bytes.unsigned_abs() + push.body.len() as u64;
            if count.unsigned_abs() >= limits.count || after > limits.bytes {
                return Ok(Kept::Full);
            }
            db.execute(
                "INSERT INTO push (feed_id, url, topic, content_type, body, hash, received_at) \
                 SELECT id, url, ?2, ?3, ?4, ?5, ?6 FROM feed WHERE id = ?1",
                params![
                    push.feed,
                    push.topic,
                    push.content_type,
                    push.body,
                    push.hash,
                    millis(now)
                ],
            )?;
            Ok(Kept::Queued)
        })
        .await
    }

    /// The next document to be read; that it was begun is on the disk before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_push(&self) -> Result<Option<QueuedPush>, StoreError> {
        self.write(|db| {
            let found = next(db)?;
            if let Some(push) = &found {
                db.execute("UPDATE push SET tries = tries + 1 WHERE id = ?", [push.id])?;
            }
            Ok(found)
        })
        .await
    }

    /// A document was taken in: it is forgotten, and its hub has proved itself.
    ///
    /// # Errors
    /// When the database fails; taking it in again does no harm.
    pub async fn finish_push(&self, done: TakenIn, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("DELETE FROM push WHERE id = ?", [done.push])?;
            let arrivals: Vec<i64> = done.arrivals.iter().copied().map(millis).collect();
            db.execute(
                "UPDATE feed SET arrivals = ?2, \
                 pushed_at = CASE WHEN ?3 THEN ?4 ELSE pushed_at END WHERE id = ?1",
                params![done.feed, json(&arrivals), done.new > 0, millis(now)],
            )?;
            db.execute(
                "UPDATE subscription SET pushes = pushes + 1, last_push = ?2, last_hash = ?3, \
                 distrust_until = CASE WHEN ?4 = 0 AND missed_at >= ?2 - ?5 THEN NULL \
                   ELSE distrust_until END WHERE feed_id = ?1",
                params![
                    done.feed,
                    millis(now),
                    done.hash,
                    done.new as i64,
                    SLOW.as_millis() as i64
                ],
            )?;
            weigh(db, done.feed, now)
        })
        .await
    }

    /// Forgets a document that says nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_push(
        &self,
        (push, feed): (i64, i64),
        reason: String,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("DELETE FROM push WHERE id = ?", [push])?;
            db.execute(
                "UPDATE subscription SET last_error = ?2 WHERE feed_id = ?1",
                params![feed, reason],
            )?;
            Ok(())
        })
        .await
    }
}

fn is_known(db: &Connection, push: &NewPush) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM push WHERE feed_id = ?1 AND hash = ?2) \
               OR EXISTS (SELECT 1 FROM subscription WHERE feed_id = ?1 AND last_hash = ?2)";
    db.prepare_cached(sql)?.query_row(params![push.feed, push.hash], |row| row.get(0))
}

fn next(db: &Connection) -> rusqlite::Result<Option<QueuedPush>> {
    let sql = "SELECT p.*, f.name, f.arrivals, f.last_success FROM push p \
               JOIN feed f ON f.id = p.feed_id ORDER BY p.id LIMIT 1";
    db.prepare_cached(sql)?
        .query_row([], |row| {
            let arrivals: Option<String> = row.get("arrivals")?;
            let arrivals: Vec<i64> =
                arrivals.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            Ok(QueuedPush {
                id: row.get("id")?,
                feed: row.get("feed_id")?,
                name: FeedName::new(row.get::<_, String>("name")?),
                url: row.get("url")?,
                topic: row.get("topic")?,
                content_type: row.get("content_type")?,
                body: row.get("body")?,
                hash: row.get("hash")?,
                received_at: time(row, "received_at")?,
                tries: row.get("tries")?,
                arrivals: arrivals.into_iter().map(super::rows::from_millis).collect(),
                last_success: super::rows::optional_time(row, "last_success")?,
            })
        })
        .optional()
}

/// A document that was brought is not the feed's own: only what it adds counts.
pub(super) fn save_pushed(db: &Connection, visit: &Visit, news: bool) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE feed SET last_entry = CASE WHEN ?2 THEN ?3 ELSE last_entry END, \
         newest_date = coalesce(max(newest_date, ?4), newest_date, ?4) WHERE id = ?1",
    )?
    .execute(params![visit.feed, news, millis(visit.now), newest_date(visit).map(millis)])?;
    Ok(())
}

/// The newest date that a document claims, and may.
pub(super) fn newest_date(visit: &Visit) -> Option<Timestamp> {
    let dates = visit.entries.iter().filter_map(|(entry, _)| entry.published);
    dates.filter(|date| *date <= visit.now).max()
}
