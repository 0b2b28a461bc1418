//! Channels whose receiver wants to be left alone for a while.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{millis, time};
use super::{Store, StoreError};
use crate::model::ChannelName;

/// A receiver that wants to be left alone for longer is asked all the same.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// A wish, or a need, to be left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Until then.
    pub until: Timestamp,
    /// Or until the program starts anew, which may be with another set-up.
    pub until_start: bool,
    /// The answer that it comes from.
    pub reason: String,
}

impl Store {
    /// Claims nothing for a channel until then, a day at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause_channel(
        &self,
        channel: ChannelName,
        pause: Pause,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let until = pause.until.min(now.checked_add(LONGEST_PAUSE).unwrap_or(now));
        self.write(move |db| {
            db.execute(
                "INSERT INTO channel_pause (channel, until, until_start, reason) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (channel) DO UPDATE SET \
                 until = excluded.until, until_start = excluded.until_start, \
                 reason = excluded.reason WHERE excluded.until > until OR until > ?5",
                params![
                    channel.as_str(),
                    millis(until),
                    pause.until_start,
                    pause.reason,
                    latest(now)
                ],
            )
            .map(drop)
        })
        .await
    }

    /// The channels that are paused now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pauses(&self, now: Timestamp) -> Result<Vec<(ChannelName, Pause)>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT channel, until, until_start, reason FROM channel_pause \
                 WHERE until > ?1 AND until <= ?2 ORDER BY channel",
            )?;
            let rows = select.query_map(params![millis(now), latest(now)], |row| {
                let pause = Pause {
                    until: time(row, "until")?,
                    until_start: row.get("until_start")?,
                    reason: row.get("reason")?,
                };
                Ok((ChannelName::new(row.get::<_, String>("channel")?), pause))
            })?;
            rows.collect()
        })
        .await
    }

    /// Lets channels go on whose pause came from their set-up, which is another
    /// one now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_set_up_pauses(&self, channels: Vec<ChannelName>) -> Result<(), StoreError> {
        self.write(move |db| {
            for channel in &channels {
                db.execute(
                    "DELETE FROM channel_pause WHERE channel = ? AND until_start",
                    [channel.as_str()],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Lets a channel go on at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_channel(&self, channel: ChannelName) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("DELETE FROM channel_pause WHERE channel = ?", [channel.as_str()]).map(drop)
        })
        .await
    }
}

/// Until when a channel is paused now.
pub(super) fn paused_until(
    db: &Connection,
    channel: &ChannelName,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    db.prepare_cached(
        "SELECT until FROM channel_pause WHERE channel = ?1 AND until > ?2 AND until <= ?3",
    )?
    .query_row(params![channel.as_str(), millis(now), latest(now)], |row| time(row, "until"))
    .optional()
}

/// A longer pause than there can be was wished before the clock was set back.
fn latest(now: Timestamp) -> i64 {
    millis(now.checked_add(LONGEST_PAUSE).unwrap_or(now))
}

/// What ends when the program starts.
pub(super) fn end_at_start(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM channel_pause WHERE until_start", []).map(drop)
}
