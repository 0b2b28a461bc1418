//! Counts for `status`, and forgetting what is old.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::{millis, optional_time};
use super::{Store, StoreError};

/// How things stand, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Feeds of the configuration.
    pub feeds: i64,
    /// Feeds whose last visit went well.
    pub feeds_ok: i64,
    /// Feeds not visited yet.
    pub feeds_new: i64,
    /// Feeds whose last visits failed.
    pub feeds_failing: i64,
    /// Feeds that ended with 410.
    pub feeds_gone: i64,
    /// Entries kept.
    pub entries: i64,
    /// Stories kept.
    pub stories: i64,
    /// Matches kept, told or held back.
    pub matches: i64,
    /// Alerts raised.
    pub alerts: i64,
    /// Deliveries accepted by their receivers.
    pub sent: i64,
    /// Deliveries to be sent.
    pub waiting: i64,
    /// Deliveries given up.
    pub failed: i64,
    /// When the oldest waiting delivery was decided.
    pub oldest_waiting: Option<Timestamp>,
    /// The last visit that went well, of any feed.
    pub last_success: Option<Timestamp>,
}

impl Store {
    /// Counts everything once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self) -> Result<Overview, StoreError> {
        self.read(|db| {
            let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
            let health = |word: &str| {
                let sql = "SELECT count(*) FROM feed WHERE active = 1 AND health = ?";
                db.query_row(sql, [word], |row| row.get::<_, i64>(0))
            };
            let state = |word: &str| {
                let sql = "SELECT count(*) FROM delivery WHERE state = ?";
                db.query_row(sql, [word], |row| row.get::<_, i64>(0))
            };
            Ok(Overview {
                feeds: count("SELECT count(*) FROM feed WHERE active = 1")?,
                feeds_ok: health("ok")?,
                feeds_new: health("new")?,
                feeds_failing: health("failing")?,
                feeds_gone: health("gone")?,
                entries: count("SELECT count(*) FROM entry")?,
                stories: count("SELECT count(*) FROM story")?,
                matches: count("SELECT count(*) FROM match")?,
                alerts: count("SELECT count(*) FROM alert")?,
                sent: state("sent")?,
                waiting: state("waiting")?,
                failed: state("failed")?,
                oldest_waiting: moment(
                    db,
                    "SELECT min(created_at) AS at FROM delivery WHERE state = 'waiting'",
                )?,
                last_success: moment(
                    db,
                    "SELECT max(last_success) AS at FROM feed WHERE active = 1",
                )?,
            })
        })
        .await
    }

    /// Forgets up to `limit` stories that nobody has carried since `before`,
    /// with their entries, matches, alerts and deliveries. Kept is whatever
    /// waits to be sent, and what stood in its feed's latest document: a feed
    /// that says "not modified" for weeks still shows it. Returns how many went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.write(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id FROM story WHERE last_seen < ?1 AND NOT EXISTS ( \
                   SELECT 1 FROM match JOIN alert ON alert.match_id = match.id \
                   JOIN delivery ON delivery.alert_id = alert.id \
                   WHERE match.story_id = story.id AND delivery.state = 'waiting') \
                 AND NOT EXISTS (SELECT 1 FROM entry JOIN feed ON feed.id = entry.feed_id \
                   WHERE entry.story_id = story.id AND feed.active = 1 \
                   AND entry.last_seen >= feed.last_document - 86400000) LIMIT ?2",
            )?;
            let rows = select.query_map(params![millis(before), limit as i64], |row| row.get(0))?;
            let old: Vec<i64> = rows.collect::<Result<_, _>>()?;
            for story in &old {
                forget(db, *story)?;
            }
            if old.is_empty() {
                db.execute_batch("PRAGMA incremental_vacuum(256)")?;
            }
            Ok(old.len())
        })
        .await
    }
}

fn forget(db: &Connection, story: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM delivery WHERE alert_id IN (SELECT alert.id FROM alert \
         JOIN match ON match.id = alert.match_id WHERE match.story_id = ?)",
        "DELETE FROM alert WHERE match_id IN (SELECT id FROM match WHERE story_id = ?)",
        "DELETE FROM match WHERE story_id = ?",
        "DELETE FROM entry WHERE story_id = ?",
        "DELETE FROM story WHERE id = ?",
    ] {
        db.prepare_cached(sql)?.execute([story])?;
    }
    Ok(())
}

fn moment(db: &Connection, sql: &str) -> rusqlite::Result<Option<Timestamp>> {
    db.query_row(sql, [], |row| optional_time(row, "at"))
}
