//! Visits: which feeds are claimed for one, and what it leaves on the feed.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, ToSql, params};

use super::facts::{facts_from_json, health, health_to_json};
use super::notices::save_notices;
use super::rows::{from_millis, json, millis, optional_time};
use super::subscriptions::{heed_ping, miss, see_hub};
use super::{Store, StoreError};
use crate::model::{FeedAfter, FeedMemory, FeedName, Move, Sighting, Validators};

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
    pub configured: String,
    /// The URL to ask: as configured, or where the feed moved to.
    pub url: String,
    /// The host that requests are spaced by.
    pub host: String,
    /// What the visits before left.
    pub memory: FeedMemory,
}

/// A visit that brought no document to store.
#[derive(Clone, Debug)]
pub struct EmptyVisit {
    /// The feed's row.
    pub feed: i64,
    /// Its URL as configured when the visit set out.
    pub configured: String,
    /// What it leaves.
    pub after: FeedAfter,
}

impl Store {
    /// Claims feeds that are due, at most one for a host and none of the busy
    /// hosts. A claim is the record of the attempt: the next one is an
    /// interval away even if this process dies.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_feeds(&self, claim: Claim) -> Result<Vec<ClaimedFeed>, StoreError> {
        // In the order of an index, so that reading can stop early.
        let (index, condition, argument) = match claim.untried_since {
            None => ("feed_due", "next_due <= ?1", claim.now),
            Some(since) => (
                "feed_tried",
                "(+last_attempt IS NULL OR +last_attempt < ?1 OR +last_attempt > ?2)",
                since,
            ),
        };
        let order = if claim.untried_since.is_none() { "next_due" } else { "last_attempt" };
        let sql = format!(
            "SELECT id, host FROM feed INDEXED BY {index} \
             WHERE active = 1 AND health <> 'gone' AND {condition} \
               AND (leased_until IS NULL OR leased_until <= ?2) \
               AND (blocked_until IS NULL OR blocked_until <= ?2) ORDER BY {order}"
        );
        let until = millis(claim.now.checked_add(claim.lease).unwrap_or(claim.now));
        self.write(move |db| {
            let now = millis(claim.now);
            let found =
                wanted(db, &sql, params![millis(argument), now], claim.busy_hosts, claim.limit)?;
            let mut mark = db.prepare_cached(
                "UPDATE feed SET leased_until = ?2, last_attempt = ?3, \
                 next_due = max(next_due, ?3 + interval_ms) WHERE id = ?1 RETURNING *",
            )?;
            found.iter().map(|id| mark.query_row(params![id, until, now], claimed)).collect()
        })
        .await
    }

    /// Records a visit that brought no document to store. One to a URL that
    /// was edited away meanwhile is dropped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_visit(&self, visit: EmptyVisit, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            if !is_still_at(db, visit.feed, &visit.configured)? {
                return Ok(());
            }
            save_after(db, visit.feed, &visit.after, now)
        })
        .await
    }

    /// Notes how many entries older pages brought after a gap, and what is
    /// still to be read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_gap(
        &self,
        feed: i64,
        found: usize,
        still: Option<String>,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("UPDATE feed SET older_pages = ?2 WHERE id = ?1", params![feed, still])?;
            db.execute(
                "UPDATE gap SET recovered = recovered + ?2 WHERE id = \
                 (SELECT max(id) FROM gap WHERE feed_id = ?1)",
                params![feed, found as i64],
            )?;
            Ok(())
        })
        .await
    }

    /// Ends a visit that says nothing of its feed; why is kept for people. The
    /// feed stays due when its claim said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_visit(&self, feed: i64, why: String) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute(
                "UPDATE feed SET leased_until = NULL, last_error = ?2 WHERE id = ?1",
                params![feed, why],
            )
            .map(drop)
        })
        .await
    }

    /// Makes a feed due at once whose visit could not be stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, feed: i64, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute(
                "UPDATE feed SET leased_until = NULL, next_due = min(next_due, ?2) WHERE id = ?1",
                params![feed, millis(now)],
            )
            .map(drop)
        })
        .await
    }

    /// Moves everything that is scheduled along with a wall clock that was
    /// set: what waits, waits as long as before, but for what waits for a time
    /// of day. Facts stay where they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shift_schedule(&self, jump: SignedDuration) -> Result<(), StoreError> {
        let by = i64::try_from(jump.as_millis()).unwrap_or(0);
        self.write(move |db| {
            db.execute(
                "UPDATE feed SET \
                 next_due = CASE WHEN next_due >= ?2 THEN next_due ELSE next_due + ?1 END, \
                 leased_until = leased_until + ?1, blocked_until = blocked_until + ?1, \
                 last_attempt = last_attempt + ?1, plain_due = plain_due + ?1, \
                 soon_due = soon_due + ?1, \
                 pushed_until = pushed_until + ?1",
                params![by, millis(Timestamp::MAX)],
            )?;
            db.execute(
                "UPDATE subscription SET next_try = next_try + ?1, \
                 lease_until = lease_until + ?1, distrust_until = distrust_until + ?1",
                [by],
            )?;
            db.execute(
                "UPDATE delivery SET due_at = due_at + CASE WHEN first_try IS NULL \
                   AND gather IN ('quiet', 'digest') THEN 0 ELSE ?1 END, \
                 leased_until = leased_until + ?1 WHERE state = 'waiting'",
                [by],
            )?;
            Ok(())
        })
        .await
    }
}

/// Feeds in the order of the query, one for a host. It reads no further than
/// it must: of ten thousand feeds few are wanted at a time.
fn wanted(
    db: &Connection,
    sql: &str,
    arguments: &[&dyn ToSql],
    busy_hosts: Vec<String>,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut taken: HashSet<String> = busy_hosts.into_iter().collect();
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(arguments)?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        if taken.insert(row.get("host")?) {
            found.push(row.get("id")?);
        }
    }
    Ok(found)
}

/// Whether a feed still has the URL that a visit set out for.
pub(super) fn is_still_at(db: &Connection, feed: i64, url: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM feed WHERE id = ?1 AND url = ?2)")?
        .query_row(params![feed, url], |row| row.get(0))
}

/// Writes what a visit leaves on its feed: the one place that does.
pub(super) fn save_after(
    db: &Connection,
    feed: i64,
    after: &FeedAfter,
    now: Timestamp,
) -> rusqlite::Result<()> {
    save_state(db, feed, after, now)?;
    if let Some(until) = after.blocked_until {
        db.execute(
            "UPDATE feed SET blocked_until = max(coalesce(blocked_until, 0), ?2) \
             WHERE host = (SELECT host FROM feed WHERE id = ?1)",
            params![feed, millis(until)],
        )?;
    }
    match &after.moves {
        None => {}
        Some(Move::To { url, host }) => {
            db.execute(
                "UPDATE feed SET moved_url = ?2, host = ?3 WHERE id = ?1",
                params![feed, url, host],
            )?;
        }
        Some(Move::Back { host }) => {
            db.execute(
                "UPDATE feed SET moved_url = NULL, host = ?2 WHERE id = ?1",
                params![feed, host],
            )?;
        }
    }
    see_hub(db, feed, &after.hub, now)?;
    if after.missed {
        miss(db, feed, now)?;
    }
    heed_ping(db, feed, now)?;
    if let Some(gap) = after.gap {
        db.execute(
            "INSERT INTO gap (feed_id, since, until) VALUES (?1, ?2, ?3)",
            params![feed, millis(gap.since), millis(gap.until)],
        )?;
    }
    save_notices(db, &after.notices)
}

fn save_state(
    db: &Connection,
    feed: i64,
    after: &FeedAfter,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let arrivals: Vec<i64> = after.arrivals.iter().copied().map(millis).collect();
    let (sighting, validators) = (after.sighting.as_ref(), after.validators.as_ref());
    db.prepare_cached(
        "UPDATE feed SET health = ?2, health_since = ?3, health_state = ?4, failures = ?5, \
         next_due = ?6, interval_ms = ?7, leased_until = NULL, last_error = ?8, \
         last_success = CASE WHEN ?8 IS NULL THEN ?9 ELSE last_success END, arrivals = ?10, \
         last_full = ?11, unchanged_run = ?12, seen_url = ?13, seen_since = ?14, \
         seen_count = ?15, older_pages = ?16, etag = ?17, last_modified = ?18, \
         validators_url = ?19, plain_due = ?20, soon_due = ?21 WHERE id = ?1",
    )?
    .execute(params![
        feed,
        after.health.health.as_str(),
        millis(after.health.since),
        health_to_json(&after.health),
        after.health.failures,
        millis(after.next_due.unwrap_or(Timestamp::MAX)),
        i64::try_from(after.interval.as_millis()).unwrap_or(i64::MAX),
        after.error,
        millis(now),
        json(&arrivals),
        after.last_full.map(millis),
        after.unchanged_run,
        sighting.map(|seen| &seen.url),
        sighting.map(|seen| millis(seen.since)),
        sighting.map_or(0, |seen| seen.count),
        after.older_pages,
        validators.and_then(|v| v.etag.as_ref()),
        validators.and_then(|v| v.last_modified.as_ref()),
        validators.map(|v| &v.url),
        after.plain_due.map(millis),
        after.soon_due.map(millis)
    ])?;
    Ok(())
}

fn claimed(row: &Row<'_>) -> rusqlite::Result<ClaimedFeed> {
    let configured: String = row.get("url")?;
    let moved: Option<String> = row.get("moved_url")?;
    Ok(ClaimedFeed {
        id: row.get("id")?,
        name: FeedName::new(row.get::<_, String>("name")?),
        host: row.get("host")?,
        memory: memory(row)?,
        url: moved.unwrap_or_else(|| configured.clone()),
        configured,
    })
}

pub(super) fn memory(row: &Row<'_>) -> rusqlite::Result<FeedMemory> {
    let arrivals: Option<String> = row.get("arrivals")?;
    let arrivals: Vec<i64> =
        arrivals.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let facts: Option<String> = row.get("document")?;
    let seen: Option<String> = row.get("seen_url")?;
    let since = optional_time(row, "seen_since")?;
    let count = row.get("seen_count")?;
    Ok(FeedMemory {
        validators: validators(row)?,
        body_hash: row.get("body_hash")?,
        health: health(row)?,
        arrivals: arrivals.into_iter().map(from_millis).collect(),
        last_success: optional_time(row, "last_success")?,
        last_document: optional_time(row, "last_document")?,
        last_full: optional_time(row, "last_full")?,
        unchanged_run: row.get("unchanged_run")?,
        facts: facts.map(|text| facts_from_json(&text)),
        sighting: seen.zip(since).map(|(url, since)| Sighting { url, since, count }),
        moved: row.get::<_, Option<String>>("moved_url")?.is_some(),
        older_pages: row.get("older_pages")?,
        pushed_until: optional_time(row, "pushed_until")?,
        pushed_at: optional_time(row, "pushed_at")?,
    })
}

fn validators(row: &Row<'_>) -> rusqlite::Result<Option<Validators>> {
    let url: Option<String> = row.get("validators_url")?;
    let Some(url) = url else { return Ok(None) };
    let (etag, last_modified) = (row.get("etag")?, row.get("last_modified")?);
    Ok(Some(Validators { etag, last_modified, url }))
}
