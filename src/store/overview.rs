//! Counts for `status`.

use jiff::Timestamp;
use rusqlite::Connection;

use super::rows::optional_time;
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
    /// Feeds whose documents are broken and read all the same.
    pub feeds_degraded: i64,
    /// Feeds that bring nothing for much longer than they used to.
    pub feeds_silent: i64,
    /// Feeds whose last visits failed.
    pub feeds_failing: i64,
    /// Feeds that have failed for long.
    pub feeds_down: i64,
    /// Feeds behind a bot check.
    pub feeds_challenged: i64,
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
    /// Of those waiting, how many are kept back for a reason.
    pub held: i64,
    /// Deliveries that are not told, for a reason.
    pub suppressed: i64,
    /// When the oldest waiting delivery was first tried, or is due.
    pub oldest_waiting: Option<Timestamp>,
    /// The last visit that went well, of any feed.
    pub last_success: Option<Timestamp>,
}

impl Overview {
    /// Feeds that cannot be read at present, for whatever reason.
    pub fn feeds_unread(&self) -> i64 {
        self.feeds_failing + self.feeds_down + self.feeds_challenged + self.feeds_gone
    }
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
            let waiting = super::gauges::waiting(db)?;
            Ok(Overview {
                feeds: count("SELECT count(*) FROM feed WHERE active = 1")?,
                feeds_ok: health("ok")?,
                feeds_new: health("new")?,
                feeds_degraded: health("degraded")?,
                feeds_silent: health("silent")?,
                feeds_failing: health("failing")?,
                feeds_down: health("down")?,
                feeds_challenged: health("challenged")?,
                feeds_gone: health("gone")?,
                entries: count("SELECT count(*) FROM entry")?,
                stories: count("SELECT count(*) FROM story")?,
                matches: count("SELECT count(*) FROM match")?,
                alerts: count("SELECT count(*) FROM alert")?,
                sent: state("sent")?,
                waiting: waiting.iter().map(|(_, count, _)| count).sum(),
                failed: state("failed")?,
                suppressed: state("suppressed")?,
                held: count(
                    "SELECT count(*) FROM delivery INDEXED BY delivery_held WHERE state = 'waiting' \
                     AND first_try IS NULL AND reason IS NOT NULL",
                )?,
                oldest_waiting: waiting.iter().filter_map(|(_, _, since)| *since).min(),
                last_success: moment(
                    db,
                    "SELECT max(last_success) AS at FROM feed WHERE active = 1",
                )?,
            })
        })
        .await
    }
}

fn moment(db: &Connection, sql: &str) -> rusqlite::Result<Option<Timestamp>> {
    db.query_row(sql, [], |row| optional_time(row, "at"))
}
