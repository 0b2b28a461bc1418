//! All that is known of one feed, for people who ask about it.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{optional_time, time};
use super::subscriptions::all;
use super::visits::memory;
use super::{Store, StoreError};
use crate::model::{FeedMemory, FeedName, Gap, Subscription};

/// Gaps shown, the latest first.
const GAPS: i64 = 10;

/// One feed in full.
#[derive(Clone, Debug)]
pub struct FeedDetail {
    /// What its visits left.
    pub memory: FeedMemory,
    /// Where permanent redirects led it, if it is polled there.
    pub moved_to: Option<String>,
    /// The time between two polls now in force.
    pub interval: SignedDuration,
    /// The server asked to be left alone until then.
    pub blocked_until: Option<Timestamp>,
    /// Since when its GUIDs are taken as they are, if that ever changed.
    pub guids_since: Option<Timestamp>,
    /// Times between which entries may have been lost, the latest first, with
    /// how many were found again in older pages.
    pub gaps: Vec<(Gap, u64)>,
    /// How its hub does, if it names one that is wanted.
    pub subscription: Option<Subscription>,
}

impl Store {
    /// What is known of a feed; `None` if it was never polled or is gone from
    /// the configuration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feed_detail(&self, name: FeedName) -> Result<Option<FeedDetail>, StoreError> {
        self.read(move |db| {
            let found = db
                .query_row(
                    "SELECT * FROM feed WHERE name = ? AND active = 1",
                    [name.as_str()],
                    |row| {
                        let detail = FeedDetail {
                            memory: memory(row)?,
                            moved_to: row.get("moved_url")?,
                            interval: SignedDuration::from_millis(row.get("interval_ms")?),
                            blocked_until: optional_time(row, "blocked_until")?,
                            guids_since: optional_time(row, "guids_since")?,
                            gaps: Vec::new(),
                            subscription: None,
                        };
                        Ok((row.get::<_, i64>("id")?, detail))
                    },
                )
                .optional()?;
            let Some((id, detail)) = found else { return Ok(None) };
            let subscription = all(db)?.into_iter().find(|(feed, _)| *feed == id);
            Ok(Some(FeedDetail {
                gaps: gaps(db, id)?,
                subscription: subscription.map(|(_, subscription)| subscription),
                ..detail
            }))
        })
        .await
    }
}

fn gaps(db: &Connection, feed: i64) -> rusqlite::Result<Vec<(Gap, u64)>> {
    let mut select = db.prepare(
        "SELECT since, until, recovered FROM gap WHERE feed_id = ? ORDER BY id DESC LIMIT ?",
    )?;
    let rows = select.query_map(params![feed, GAPS], |row| {
        let gap = Gap { since: time(row, "since")?, until: time(row, "until")? };
        Ok((gap, row.get::<_, i64>("recovered")?.unsigned_abs()))
    })?;
    rows.collect()
}
