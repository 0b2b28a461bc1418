//! Feeds: their configuration, their schedule, their health.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{millis, optional_time};
use super::{Store, StoreError};
use crate::model::{Feed, FeedHealth, FeedName, FeedState, Validators};

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

/// Which feeds are wanted.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The time now.
    pub now: Timestamp,
    /// How long the claim holds if nobody reports back.
    pub lease: SignedDuration,
    /// At most so many.
    pub limit: usize,
    /// Hosts that must not be asked now.
    pub busy_hosts: Vec<String>,
    /// Instead of those that are due: those not tried since then.
    pub untried_since: Option<Timestamp>,
}

/// A feed to be visited now by whoever claimed it.
#[derive(Clone, Debug)]
pub struct ClaimedFeed {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub name: FeedName,
    /// Its URL as configured.
    pub url: String,
    /// The host that requests are spaced by.
    pub host: String,
    /// What the visits before left.
    pub state: FeedState,
}

/// How a visit that stored no document went.
#[derive(Clone, Debug)]
pub struct VisitOutcome {
    /// The feed's row.
    pub feed: i64,
    /// The URL that was visited, as configured then.
    pub url: String,
    /// Its health from now on.
    pub health: FeedHealth,
    /// When it is next due.
    pub next_due: Timestamp,
    /// The server asked to be left alone, all feeds of its host, until then.
    pub blocked_until: Option<Timestamp>,
    /// `None` after "not modified"; else what went wrong, for people.
    pub error: Option<String>,
    /// Validators that a 304 renewed (RFC 9111 section 4.3.4).
    pub validators: Option<Validators>,
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
            let mut known = known_feeds(db)?;
            let unseen = |feed: &Feed| !known.iter().any(|k| k.name == feed.name.as_str());
            let count = feeds.iter().filter(|(feed, _)| unseen(feed)).count();
            for (feed, host) in &feeds {
                let at = known.iter().position(|k| k.name == feed.name.as_str());
                match at.map(|at| known.swap_remove(at)) {
                    None => {
                        insert(db, feed, host, first_poll(now, report.added.len(), count))?;
                        report.added.push(feed.name.clone());
                    }
                    Some(old) => {
                        // A restart must not cut a back-off short.
                        let due = if old.interval_ms == interval_ms(feed) && old.url == feed.url {
                            old.next_due
                        } else {
                            rescheduled(old.next_due, old.last_attempt, feed.interval.at_first())
                        };
                        update(db, &old, feed, host, due)?;
                        if !old.active {
                            report.added.push(feed.name.clone());
                        } else if old.differs(feed) {
                            report.changed.push(feed.name.clone());
                        }
                    }
                }
            }
            for gone in known.iter().filter(|feed| feed.active) {
                db.execute("UPDATE feed SET active = 0 WHERE id = ?", [gone.id])?;
                report.removed.push(FeedName::new(&gone.name));
            }
            Ok(report)
        })
        .await
    }

    /// Claims feeds that are due, at most one for a host and none of the busy
    /// hosts. A claim is the record of the attempt: the next one is an
    /// interval away even if this process dies.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_feeds(&self, claim: Claim) -> Result<Vec<ClaimedFeed>, StoreError> {
        let (condition, argument) = match claim.untried_since {
            // An attempt in the future is a clock that was set back.
            None => ("(next_due <= ?1 OR last_attempt > ?1)", claim.now),
            Some(since) => {
                ("(last_attempt IS NULL OR last_attempt < ?1 OR last_attempt > ?2)", since)
            }
        };
        let sql = format!(
            "SELECT id, name, url, host, etag, last_modified, validators_url, body_hash, \
                    failures, min(next_due) \
             FROM feed WHERE active = 1 AND health <> 'gone' AND {condition} \
               AND (leased_until IS NULL OR leased_until <= ?2) \
               AND (blocked_until IS NULL OR blocked_until <= ?2) \
               AND host NOT IN (SELECT value FROM json_each(?3)) \
             GROUP BY host ORDER BY next_due LIMIT ?4"
        );
        let until = millis(claim.now.checked_add(claim.lease).unwrap_or(claim.now));
        self.write(move |db| {
            let now = millis(claim.now);
            let busy = super::rows::json(&claim.busy_hosts);
            let mut select = db.prepare_cached(&sql)?;
            let arguments = params![millis(argument), now, busy, claim.limit as i64];
            let claimed = select.query_map(arguments, claimed)?.collect::<Result<Vec<_>, _>>()?;
            let mut mark = db.prepare_cached(
                "UPDATE feed SET leased_until = ?2, last_attempt = ?3, \
                 next_due = max(next_due, ?3 + interval_ms) WHERE id = ?1",
            )?;
            for feed in &claimed {
                mark.execute(params![feed.id, until, now])?;
            }
            Ok(claimed)
        })
        .await
    }

    /// Records a visit that brought no document.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_visit(
        &self,
        visit: VisitOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            if !is_still_at(db, visit.feed, &visit.url)? {
                return Ok(());
            }
            let failed = visit.error.is_some();
            db.execute(
                "UPDATE feed SET health = ?2, next_due = ?3, leased_until = NULL, last_error = ?4, \
                 failures = CASE WHEN ?5 THEN failures + 1 ELSE 0 END, \
                 last_success = CASE WHEN ?5 THEN last_success ELSE ?6 END WHERE id = ?1",
                params![
                    visit.feed,
                    visit.health.as_str(),
                    millis(visit.next_due),
                    visit.error,
                    failed,
                    millis(now)
                ],
            )?;
            if let Some(until) = visit.blocked_until {
                db.execute(
                    "UPDATE feed SET blocked_until = max(coalesce(blocked_until, 0), ?2) \
                     WHERE host = (SELECT host FROM feed WHERE id = ?1)",
                    params![visit.feed, millis(until)],
                )?;
            }
            if let Some(validators) = &visit.validators {
                save_validators(db, visit.feed, Some(validators))?;
            }
            Ok(())
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
            let changed = db.execute(
                "UPDATE feed SET health = 'new', failures = 0, last_error = NULL, \
                 blocked_until = NULL, next_due = ?2 WHERE name = ?1 AND active = 1",
                params![name.as_str(), millis(now)],
            )?;
            Ok(changed > 0)
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
            db.query_row(
                "SELECT max(next_due, coalesce(blocked_until, 0)) AS due, name FROM feed \
                 WHERE active = 1 AND health <> 'gone' AND leased_until IS NULL \
                 AND host NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT 1",
                [super::rows::json(&busy_hosts)],
                |row| Ok((super::rows::time(row, "due")?, FeedName::new(row.get::<_, String>(1)?))),
            )
            .optional()
        })
        .await
    }
}

/// Whether a feed still has the URL that a visit set out for.
pub(super) fn is_still_at(db: &Connection, feed: i64, url: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM feed WHERE id = ?1 AND url = ?2)")?
        .query_row(params![feed, url], |row| row.get(0))
}

struct KnownFeed {
    id: i64,
    name: String,
    url: String,
    interval_ms: i64,
    active: bool,
    next_due: Timestamp,
    last_attempt: Option<Timestamp>,
}

impl KnownFeed {
    fn differs(&self, feed: &Feed) -> bool {
        self.url != feed.url || self.interval_ms != interval_ms(feed)
    }
}

fn known_feeds(db: &Connection) -> rusqlite::Result<Vec<KnownFeed>> {
    let mut select =
        db.prepare("SELECT id, name, url, interval_ms, active, next_due, last_attempt FROM feed")?;
    let rows = select.query_map([], |row| {
        Ok(KnownFeed {
            id: row.get("id")?,
            name: row.get("name")?,
            url: row.get("url")?,
            interval_ms: row.get("interval_ms")?,
            active: row.get("active")?,
            next_due: super::rows::time(row, "next_due")?,
            last_attempt: optional_time(row, "last_attempt")?,
        })
    })?;
    rows.collect()
}

fn insert(db: &Connection, feed: &Feed, host: &str, due: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO feed (name, url, host, interval_ms, title, next_due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![feed.name.as_str(), feed.url, host, interval_ms(feed), feed.title, millis(due)],
    )?;
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
    db.execute(
        "UPDATE feed SET url = ?2, host = ?3, interval_ms = ?4, title = coalesce(?5, title), \
         next_due = ?6, active = 1 WHERE id = ?1",
        params![old.id, feed.url, host, interval_ms(feed), feed.title, millis(due)],
    )?;
    if old.url != feed.url {
        db.execute(
            "UPDATE feed SET etag = NULL, last_modified = NULL, validators_url = NULL, \
             body_hash = NULL, baselined = 0, failures = 0, health = 'new', last_error = NULL, \
             blocked_until = NULL WHERE id = ?1",
            [old.id],
        )?;
    }
    Ok(())
}

fn interval_ms(feed: &Feed) -> i64 {
    i64::try_from(feed.interval.at_first().as_millis()).unwrap_or(i64::MAX)
}

fn claimed(row: &Row<'_>) -> rusqlite::Result<ClaimedFeed> {
    let url: Option<String> = row.get("validators_url")?;
    let validators = match url {
        Some(url) => Some(Validators {
            etag: row.get("etag")?,
            last_modified: row.get("last_modified")?,
            url,
        }),
        None => None,
    };
    Ok(ClaimedFeed {
        id: row.get("id")?,
        name: FeedName::new(row.get::<_, String>("name")?),
        url: row.get("url")?,
        host: row.get("host")?,
        state: FeedState {
            validators,
            body_hash: row.get("body_hash")?,
            failures: row.get("failures")?,
        },
    })
}

/// Stores validators as they came, or forgets them.
pub(super) fn save_validators(
    db: &Connection,
    feed: i64,
    validators: Option<&Validators>,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE feed SET etag = ?2, last_modified = ?3, validators_url = ?4 WHERE id = ?1",
        params![
            feed,
            validators.and_then(|v| v.etag.as_ref()),
            validators.and_then(|v| v.last_modified.as_ref()),
            validators.map(|v| &v.url)
        ],
    )?;
    Ok(())
}
