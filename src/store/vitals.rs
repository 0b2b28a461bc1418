//! What wirewatch should know of itself: stalled deliveries, noisy rules, and
//! what operators were told of them.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::error::fault_in_words;
use super::notices::save_notices;
use super::rows::{millis, optional_time, time};
use super::{Store, StoreError};
use crate::model::{ChannelFlow, Notice, NoticeKind};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Channels that have stalled or dead deliveries.
    pub channels: Vec<ChannelFlow>,
    /// Rules with more alerts than `noisy` in the last minute, and how many.
    pub noisy: Vec<(String, i64)>,
    /// When each kind of notice was last written, by what it is about.
    pub told: Vec<(NoticeKind, String, Timestamp)>,
}

/// What a heartbeat says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calm {
    /// Feeds of the configuration.
    pub feeds: i64,
    /// Feeds that are read as they should be.
    pub healthy: i64,
    /// The oldest last visit.
    pub oldest_poll: Option<Timestamp>,
    /// When the most overdue feed was due.
    pub most_overdue: Option<Timestamp>,
    /// Alerts of the last 24 hours.
    pub alerts: i64,
    /// Deliveries kept back for a reason.
    pub held: i64,
}

impl Store {
    /// Looks for deliveries that have waited since before `late`, and for
    /// rules with more than `noisy` alerts in the last minute.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn vitals(
        &self,
        now: Timestamp,
        late: SignedDuration,
        noisy: i64,
    ) -> Result<Vitals, StoreError> {
        self.read(move |db| {
            let before = millis(now.checked_sub(late).unwrap_or(now));
            let minute = millis(now) - 60_000;
            let mut select = db.prepare_cached(
                "SELECT rule, count(*) FROM alert JOIN match ON match.id = alert.match_id \
                 WHERE alert.created_at > ?1 AND alert.created_at <= ?2 \
                 GROUP BY rule HAVING count(*) > ?3 ORDER BY rule",
            )?;
            let arguments = params![minute, millis(now), noisy];
            let noisy = select.query_map(arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
            let noisy = noisy.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(Vitals { channels: channels(db, before)?, noisy, told: told(db)? })
        })
        .await
    }

    /// Writes notices down, to be told.
    ///
    /// # Errors
    /// When the database fails; then nothing was written.
    pub async fn add_notices(&self, notices: Vec<Notice>) -> Result<(), StoreError> {
        self.write(move |db| save_notices(db, &notices)).await
    }

    /// The first fault of the database, if it has any. A thorough look compares
    /// indexes with their tables, too, and reads everything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspect(&self, thorough: bool) -> Result<Option<String>, StoreError> {
        let sql = if thorough { "PRAGMA integrity_check(1)" } else { "PRAGMA quick_check(1)" };
        let found: String = self.read(move |db| db.query_row(sql, [], |row| row.get(0))).await?;
        Ok((found != "ok").then(|| fault_in_words(&found)))
    }

    /// What a heartbeat says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn calm(&self, now: Timestamp) -> Result<Calm, StoreError> {
        self.read(move |db| {
            let day = millis(now) - 86_400_000;
            db.query_row(
                "SELECT count(*) AS feeds, count(*) FILTER (WHERE health IN ('ok', 'degraded', 'silent')) \
                   AS healthy, \
                 min(last_success) AS oldest, min(max(next_due, coalesce(blocked_until, 0))) \
                   FILTER (WHERE health <> 'gone') AS due, \
                 (SELECT count(*) FROM alert WHERE created_at > ?1) AS alerts, \
                 (SELECT count(*) FROM delivery WHERE state = 'waiting' AND first_try IS NULL \
                  AND reason IS NOT NULL) AS held FROM feed WHERE active = 1",
                [day],
                |row| {
                    Ok(Calm {
                        feeds: row.get("feeds")?,
                        healthy: row.get("healthy")?,
                        oldest_poll: optional_time(row, "oldest")?,
                        most_overdue: optional_time(row, "due")?,
                        alerts: row.get("alerts")?,
                        held: row.get("held")?,
                    })
                },
            )
        })
        .await
    }
}

fn channels(db: &Connection, before: i64) -> rusqlite::Result<Vec<ChannelFlow>> {
    // A channel to which something got through since is not stalled: one
    // address or one message is.
    let mut select = db.prepare_cached(
        "WITH stuck AS (SELECT channel, count(*) AS stalled, \
             min(coalesce(first_try, due_at)) AS since FROM delivery \
             WHERE state = 'waiting' AND coalesce(first_try, due_at) < ?1 GROUP BY channel), \
         names AS (SELECT channel FROM stuck UNION SELECT channel FROM delivery \
             WHERE state = 'failed' GROUP BY channel), \
         dead AS (SELECT channel, (SELECT count(*) FROM delivery d WHERE d.channel = names.channel \
             AND d.state = 'failed' AND d.finished_at > coalesce((SELECT max(at) FROM notice \
             WHERE kind = 'dead-letter' AND feed = names.channel), 0)) AS dead FROM names) \
         SELECT dead.channel, coalesce(stalled, 0) AS stalled, dead, \
         CASE WHEN since > coalesce((SELECT max(finished_at) FROM delivery d \
             WHERE d.channel = dead.channel AND d.state = 'sent'), 0) THEN since END AS since, \
         (SELECT last_answer FROM delivery d WHERE d.channel = dead.channel \
             AND d.state IN ('waiting', 'failed') AND last_answer IS NOT NULL \
             ORDER BY d.id DESC LIMIT 1) AS answer \
         FROM dead LEFT JOIN stuck ON stuck.channel = dead.channel \
         WHERE dead > 0 OR stalled > 0 ORDER BY dead.channel",
    )?;
    let rows = select.query_map([before], |row| {
        Ok(ChannelFlow {
            name: row.get("channel")?,
            stalled: row.get("stalled")?,
            since: optional_time(row, "since")?,
            dead: row.get("dead")?,
            answer: row.get("answer")?,
        })
    })?;
    rows.collect()
}

fn told(db: &Connection) -> rusqlite::Result<Vec<(NoticeKind, String, Timestamp)>> {
    let mut select = db.prepare_cached(
        "SELECT kind, feed, max(at) AS at FROM notice WHERE kind IN ('delivery-stalled', \
         'delivery-resumed', 'dead-letter', 'noisy-rule', 'disk-low', 'heartbeat') \
         GROUP BY kind, feed",
    )?;
    let rows = select.query_map([], |row| {
        let kind: String = row.get("kind")?;
        Ok((NoticeKind::from_word(&kind), row.get::<_, String>("feed")?, time(row, "at")?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter_map(|(kind, name, at)| Some((kind?, name, at))).collect())
}
