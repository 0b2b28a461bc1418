//! Feeds: their configuration, their schedule, their health.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::facts::{health, health_to_json};
use super::rows::{millis, optional_time};
use super::subscriptions::end;
use super::{Store, StoreError};
use crate::model::{Feed, FeedName, Interval};

/// What a change of configuration did to the feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Feeds seen for the first time, or back after an absence.
    pub added: Vec<FeedName>,
    /// Feeds whose URL or interval changed.
    pub changed: Vec<FeedName>,
    /// Feeds that left the configuration; their entries stay.
    pub removed: Vec<FeedName>,
}

impl Store {
    /// Makes the feed table follow the configuration. `first_poll(rank, count)`
    /// says when the rank-th of count new feeds is first due; `rescheduled`
    /// moves a feed whose interval changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync_feeds(
        &self,
        feeds: Vec<(Feed, String)>,
        first_poll: fn(Timestamp, usize, usize) -> Timestamp,
        rescheduled: fn(Timestamp, Option<Timestamp>, SignedDuration) -> Timestamp,
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        self.write(move |db| {
            let mut report = SyncReport::default();
            let mut known: HashMap<String, KnownFeed> =
                known_feeds(db)?.into_iter().map(|feed| (feed.name.clone(), feed)).collect();
            let unseen = |feed: &Feed| !known.contains_key(feed.name.as_str());
            let count = feeds.iter().filter(|(feed, _)| unseen(feed)).count();
            for (feed, host) in &feeds {
                match known.remove(feed.name.as_str()) {
                    None => {
                        insert(db, feed, host, first_poll(now, report.added.len(), count))?;
                        report.added.push(feed.name.clone());
                    }
                    Some(old) => {
                        // A restart must not cut a back-off short.
                        let due = if !old.reschedules(feed) && old.url == feed.url {
                            old.next_due
                        } else {
                            rescheduled(old.next_due, old.last_attempt, feed.interval.at_first())
                        };
                        if old.url != feed.url {
                            end(db, old.id, now)?;
                        }
                        update(db, &old, feed, host, due)?;
                        if !old.active {
                            report.added.push(feed.name.clone());
                        } else if old.differs(feed) {
                            report.changed.push(feed.name.clone());
                        }
                    }
                }
            }
            let mut gone: Vec<KnownFeed> = known.into_values().filter(|feed| feed.active).collect();
            gone.sort_by_key(|feed| feed.id);
            for gone in gone {
                end(db, gone.id, now)?;
                db.execute("UPDATE feed SET active = 0 WHERE id = ?", [gone.id])?;
                report.removed.push(FeedName::new(gone.name.as_str()));
            }
            Ok(report)
        })
        .await
    }

    /// Reschedules all feeds at once, as at the start of the process:
    /// `plan` is given them all and returns new due times by index.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reschedule_feeds(
        &self,
        plan: impl FnOnce(&[Scheduled]) -> Vec<(usize, Timestamp)> + Send + 'static,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            let mut select = db.prepare(
                "SELECT id, name, next_due, last_attempt, interval_ms FROM feed \
                 WHERE active = 1 AND health <> 'gone' ORDER BY id",
            )?;
            let rows =
                select.query_map([], |row| Ok((row.get::<_, i64>("id")?, scheduled(row)?)))?;
            let (ids, feeds): (Vec<i64>, Vec<Scheduled>) =
                rows.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            let changes = plan(&feeds);
            let mut update = db.prepare("UPDATE feed SET next_due = ?2 WHERE id = ?1")?;
            for (at, due) in &changes {
                if let Some(id) = ids.get(*at) {
                    update.execute(params![id, millis(*due)])?;
                }
            }
            Ok(changes.len())
        })
        .await
    }

    /// Puts a gone feed back on the schedule, or brings any feed's next poll
    /// forward to now. `false` when there is no such feed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revive_feed(&self, name: FeedName, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| {
            let state = db
                .query_row(
                    "SELECT health, health_since, health_state, failures FROM feed \
                     WHERE name = ? AND active = 1",
                    [name.as_str()],
                    health,
                )
                .optional()?;
            let Some(state) = state.map(|state| state.revived(now)) else { return Ok(false) };
            db.execute(
                "UPDATE feed SET health = ?2, health_since = ?3, health_state = ?4, failures = 0, \
                 last_error = NULL, blocked_until = NULL, next_due = ?3 WHERE name = ?1",
                params![name.as_str(), state.health.as_str(), millis(now), health_to_json(&state)],
            )?;
            Ok(true)
        })
        .await
    }

    /// The earliest time at which a feed that is not claimed, and of none of
    /// the busy hosts, falls due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_feed_due(
        &self,
        busy_hosts: Vec<String>,
    ) -> Result<Option<(Timestamp, FeedName)>, StoreError> {
        self.read(move |db| {
            let busy: HashSet<String> = busy_hosts.into_iter().collect();
            // In the order of the index; a pause of the host can only make it later.
            let mut select = db.prepare_cached(
                "SELECT next_due, max(next_due, coalesce(blocked_until, 0)) AS due, host, name \
                 FROM feed WHERE active = 1 AND health <> 'gone' AND leased_until IS NULL \
                 ORDER BY next_due",
            )?;
            let mut rows = select.query([])?;
            let mut first: Option<(Timestamp, FeedName)> = None;
            while let Some(row) = rows.next()? {
                let earliest = super::rows::time(row, "next_due")?;
                if first.as_ref().is_some_and(|(due, _)| *due <= earliest) {
                    break;
                }
                let due = super::rows::time(row, "due")?;
                let free = !busy.contains(row.get_ref("host")?.as_str()?);
                if free && first.as_ref().is_none_or(|(before, _)| due < *before) {
                    first = Some((due, FeedName::new(row.get::<_, String>("name")?)));
                }
            }
            Ok(first)
        })
        .await
    }
}

/// A feed as far as its schedule goes.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// Its name.
    pub name: FeedName,
    /// When it is next due.
    pub due: Timestamp,
    /// The last request that left.
    pub last_attempt: Option<Timestamp>,
    /// Time between two polls, as now in force.
    pub interval: SignedDuration,
}

fn scheduled(row: &Row<'_>) -> rusqlite::Result<Scheduled> {
    Ok(Scheduled {
        name: FeedName::new(row.get::<_, String>("name")?),
        due: super::rows::time(row, "next_due")?,
        last_attempt: optional_time(row, "last_attempt")?,
        interval: SignedDuration::from_millis(row.get("interval_ms")?),
    })
}

struct KnownFeed {
    id: i64,
    name: String,
    url: String,
    interval_ms: i64,
    fixed: bool,
    active: bool,
    next_due: Timestamp,
    last_attempt: Option<Timestamp>,
}

impl KnownFeed {
    fn differs(&self, feed: &Feed) -> bool {
        self.url != feed.url || self.reschedules(feed)
    }

    /// An adaptive interval is what the feed's rhythm made it, and no edit.
    fn reschedules(&self, feed: &Feed) -> bool {
        match feed.interval {
            Interval::Fixed(_) => !self.fixed || self.interval_ms != interval_ms(feed),
            Interval::Adaptive => self.fixed,
        }
    }
}

fn known_feeds(db: &Connection) -> rusqlite::Result<Vec<KnownFeed>> {
    let mut select = db.prepare(
        "SELECT id, name, url, interval_ms, fixed, active, next_due, last_attempt FROM feed",
    )?;
    let rows = select.query_map([], |row| {
        Ok(KnownFeed {
            id: row.get("id")?,
            name: row.get("name")?,
            url: row.get("url")?,
            interval_ms: row.get("interval_ms")?,
            fixed: row.get("fixed")?,
            active: row.get("active")?,
            next_due: super::rows::time(row, "next_due")?,
            last_attempt: optional_time(row, "last_attempt")?,
        })
    })?;
    rows.collect()
}

fn insert(db: &Connection, feed: &Feed, host: &str, due: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO feed (name, url, host, interval_ms, fixed, title, next_due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        feed.name.as_str(),
        feed.url,
        host,
        interval_ms(feed),
        is_fixed(feed),
        feed.title,
        millis(due)
    ])?;
    Ok(())
}

/// An edited URL is another document: its validators and health start anew,
/// while everything seen stays seen.
fn update(
    db: &Connection,
    old: &KnownFeed,
    feed: &Feed,
    host: &str,
    due: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        // One that was gone until nothing of it was known any more begins anew.
        "UPDATE feed SET title = coalesce(?2, title), next_due = ?3, \
         baselined = baselined AND (active OR EXISTS (SELECT 1 FROM entry WHERE feed_id = ?1) \
           OR EXISTS (SELECT 1 FROM entry_key WHERE feed_id = ?1) \
           OR EXISTS (SELECT 1 FROM segment WHERE feed_id = ?1)), \
         active = 1 WHERE id = ?1",
    )?
    .execute(params![old.id, feed.title, millis(due)])?;
    if old.reschedules(feed) {
        db.execute(
            "UPDATE feed SET interval_ms = ?2, fixed = ?3 WHERE id = ?1",
            params![old.id, interval_ms(feed), is_fixed(feed)],
        )?;
    }
    if old.url != feed.url {
        db.execute(
            "UPDATE feed SET url = ?2, host = ?3, moved_url = NULL, seen_url = NULL, \
             seen_count = 0, older_pages = NULL, health_state = NULL, document = NULL, \
             last_full = NULL, unchanged_run = 0, etag = NULL, last_modified = NULL, validators_url = NULL, \
             body_hash = NULL, baselined = 0, failures = 0, health = 'new', last_error = NULL, \
             blocked_until = NULL WHERE id = ?1",
            params![old.id, feed.url, host],
        )?;
    }
    Ok(())
}

fn is_fixed(feed: &Feed) -> bool {
    matches!(feed.interval, Interval::Fixed(_))
}

fn interval_ms(feed: &Feed) -> i64 {
    i64::try_from(feed.interval.at_first().as_millis()).unwrap_or(i64::MAX)
}
