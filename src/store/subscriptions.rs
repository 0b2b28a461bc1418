//! Subscriptions at hubs (WebSub) and clouds (rssCloud): what is wanted, what
//! was agreed, and what that means for how often a feed is polled.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{from_millis, json, millis, optional_time};
use super::{Store, StoreError};
use crate::model::{
    FeedName, HubPlace, HubSeen, PushProtocol, Subscription, SubscriptionDue, SubscriptionState,
};

/// A hub that missed an entry is not relied on for so long.
const DISTRUST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A hub that says no is asked again after so long.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Attempts in vain after which a subscription counts as failed.
const FAILED_AFTER: u32 = 5;
/// How much longer than its lease a retired address is known.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Subscriptions that are to be asked for now, the first to be due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_subscriptions(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SubscriptionDue>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT s.*, f.name FROM subscription s JOIN feed f ON f.id = s.feed_id \
                 WHERE s.next_try <= ?1 ORDER BY s.next_try LIMIT ?2",
            )?;
            let rows = select.query_map(params![millis(now), limit as i64], |row| due(row, now))?;
            rows.collect()
        })
        .await
    }

    /// A hub did not take a request: it is tried again at `next`. One that it
    /// confirmed all the same stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription_failed(
        &self,
        (feed, key): (i64, [u8; 32]),
        reason: String,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            let asked = "DELETE FROM callback WHERE key = ? AND role = 'asked'";
            if db.execute(asked, [&key[..]])? == 0 {
                return Ok(());
            }
            db.execute(
                "UPDATE subscription SET next_try = ?2, last_error = ?3, \
                 state = CASE WHEN state = 'active' THEN state \
                   WHEN attempts >= ?4 THEN 'failed' ELSE 'wanted' END WHERE feed_id = ?1",
                params![feed, millis(next), reason, FAILED_AFTER],
            )?;
            Ok(())
        })
        .await
    }

    /// Ends what hubs ended, and what is not wanted any more: of feeds that
    /// are not among `wanted`. Gives back the feeds whose lease ran out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_subscriptions(
        &self,
        wanted: Option<Vec<FeedName>>,
        now: Timestamp,
    ) -> Result<Vec<FeedName>, StoreError> {
        self.write(move |db| {
            let rows = all(db)?;
            let mut lapsed = Vec::new();
            for (feed, subscription) in rows {
                let unwanted =
                    wanted.as_ref().is_some_and(|wanted| !wanted.contains(&subscription.feed));
                if unwanted {
                    end(db, feed, now)?;
                } else if subscription.lease_until.is_some_and(|until| until <= now) {
                    lapse(db, feed, now)?;
                    lapsed.push(subscription.feed);
                }
            }
            db.execute("DELETE FROM callback WHERE until <= ?", [millis(now)])?;
            Ok(lapsed)
        })
        .await
    }

    /// Brings a feed's next poll forward as far as its interval and its
    /// server's wishes allow. Whether it is due now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn poll_soon(&self, feed: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| bring_forward(db, feed, now)).await
    }

    /// A cloud says that a feed has something new: it is polled as soon as
    /// [`Store::poll_soon`] may. Whether that is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pinged(&self, feed: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| {
            db.execute(
                "UPDATE subscription SET pushes = pushes + 1, last_push = ?2 \
                 WHERE feed_id = ?1 AND protocol = 'rsscloud'",
                params![feed, millis(now)],
            )?;
            bring_forward(db, feed, now)
        })
        .await
    }

    /// Whether there is anything to do with hubs at all, now or later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_hubs(&self) -> Result<bool, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM subscription) OR EXISTS (SELECT 1 FROM callback) \
                 OR EXISTS (SELECT 1 FROM push)",
            )?
            .query_row([], |row| row.get(0))
        })
        .await
    }

    /// All subscriptions, by the names of their feeds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        self.read(|db| Ok(all(db)?.into_iter().map(|(_, subscription)| subscription).collect()))
            .await
    }
}

fn bring_forward(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<bool> {
    let due = db.query_row(
        "UPDATE feed SET pushed_until = NULL, \
         next_due = min(next_due, max(?2, coalesce(soon_due, next_due), \
           coalesce(last_attempt, 0) + CASE WHEN fixed THEN interval_ms \
             ELSE min(interval_ms, 300000) END)) WHERE id = ?1 RETURNING next_due <= ?2",
        params![feed, millis(now)],
        |row| row.get(0),
    );
    Ok(due.optional()?.unwrap_or(false))
}

fn due(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<SubscriptionDue> {
    let attempts: u32 = row.get("attempts")?;
    let hub: String = row.get("hub")?;
    let hubs = hubs(row)?;
    // After a failure the next of several is asked.
    let at = hubs.iter().position(|other| *other == hub).unwrap_or(0);
    let next = hubs.get((at + usize::from(attempts > 0)) % hubs.len().max(1));
    let state = SubscriptionState::from_word(&row.get::<_, String>("state")?);
    let until = optional_time(row, "lease_until")?;
    let until = until.filter(|_| state == SubscriptionState::Active);
    Ok(SubscriptionDue {
        feed: row.get("feed_id")?,
        name: FeedName::new(row.get::<_, String>("name")?),
        protocol: PushProtocol::from_word(&row.get::<_, String>("protocol")?),
        topic: row.get("topic")?,
        hub: next.cloned().unwrap_or(hub),
        attempts,
        left: until.map(|until| until.duration_since(now).max(SignedDuration::ZERO)),
    })
}

fn hubs(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    Ok(serde_json::from_str(&row.get::<_, String>("hubs")?).unwrap_or_default())
}

/// All of them with the rows of their feeds, by the feeds' names.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<(i64, Subscription)>> {
    let mut select = db.prepare_cached(
        "SELECT s.*, f.name FROM subscription s JOIN feed f ON f.id = s.feed_id ORDER BY f.name",
    )?;
    let rows = select.query_map([], |row| {
        let subscription = Subscription {
            feed: FeedName::new(row.get::<_, String>("name")?),
            protocol: PushProtocol::from_word(&row.get::<_, String>("protocol")?),
            state: SubscriptionState::from_word(&row.get::<_, String>("state")?),
            topic: row.get("topic")?,
            hub: row.get("hub")?,
            lease_until: optional_time(row, "lease_until")?,
            next_try: optional_time(row, "next_try")?,
            last_push: optional_time(row, "last_push")?,
            pushes: row.get::<_, i64>("pushes")?.unsigned_abs(),
            distrust_until: optional_time(row, "distrust_until")?,
            last_error: row.get("last_error")?,
        };
        Ok((row.get("feed_id")?, subscription))
    })?;
    rows.collect()
}

/// Takes note of the hub that a visit saw. Another topic, or other hubs than
/// the one in use, is another subscription.
pub(super) fn see_hub(
    db: &Connection,
    feed: i64,
    seen: &HubSeen,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let place = match seen {
        HubSeen::Unknown => return Ok(()),
        HubSeen::Nowhere => return end(db, feed, now),
        HubSeen::Remembered(place) | HubSeen::Named(place) => place,
    };
    let sql = "SELECT topic, hub, protocol FROM subscription WHERE feed_id = ?";
    let known: Option<(String, String, String)> = db
        .prepare_cached(sql)?
        .query_row([feed], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let is_same = |(topic, hub, protocol): &(String, String, String)| {
        *topic == place.topic && place.hubs.contains(hub) && protocol == place.protocol.as_str()
    };
    match known {
        None => want(db, feed, place, now),
        Some(_) if matches!(seen, HubSeen::Remembered(_)) => Ok(()),
        Some(known) if is_same(&known) => {
            db.prepare_cached("UPDATE subscription SET hubs = ?2 WHERE feed_id = ?1")?
                .execute(params![feed, json(&place.hubs)])?;
            Ok(())
        }
        Some(_) => {
            end(db, feed, now)?;
            want(db, feed, place, now)
        }
    }
}

fn want(db: &Connection, feed: i64, place: &HubPlace, now: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO subscription (feed_id, protocol, topic, hubs, hub, next_try) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            feed,
            place.protocol.as_str(),
            place.topic,
            json(&place.hubs),
            place.hubs.first(),
            millis(now)
        ],
    )?;
    Ok(())
}

/// Ends a feed's subscription: its addresses are given back, and it is polled
/// as ever. What came before and was not read yet stays.
pub(super) fn end(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    retire(db, feed, now)?;
    if db.execute("DELETE FROM subscription WHERE feed_id = ?", [feed])? > 0 {
        poll_as_ever(db, feed, now)?;
    }
    Ok(())
}

/// The hub let the lease run out, or we did.
fn lapse(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    retire(db, feed, now)?;
    db.execute(
        "UPDATE subscription SET state = 'wanted', lease_until = NULL, pushes = 0, \
         next_try = min(next_try, ?2) WHERE feed_id = ?1",
        params![feed, millis(now)],
    )?;
    poll_as_ever(db, feed, now)
}

/// The hub says that it will bring nothing.
pub(super) fn deny(
    db: &Connection,
    feed: i64,
    reason: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    retire(db, feed, now)?;
    db.execute(
        "UPDATE subscription SET state = 'denied', lease_until = NULL, pushes = 0, \
         next_try = ?2, last_error = ?3 WHERE feed_id = ?1",
        params![feed, later(now, ASK_AGAIN), reason],
    )?;
    poll_as_ever(db, feed, now)
}

/// A poll found what the hub should have brought, unless that waits to be read.
pub(super) fn miss(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    let waits =
        db.query_row("SELECT EXISTS (SELECT 1 FROM push WHERE feed_id = ?)", [feed], |r| {
            r.get::<_, bool>(0)
        })?;
    if waits {
        return Ok(());
    }
    db.execute(
        "UPDATE subscription SET pushes = 0, missed_at = ?2, distrust_until = ?3, next_try = ?2, \
         last_error = 'a poll found an entry that the hub had not brought' WHERE feed_id = ?1",
        params![feed, millis(now), later(now, DISTRUST)],
    )?;
    poll_as_ever(db, feed, now)
}

/// A cloud pinged during a visit: what it meant may have come after the look.
pub(super) fn heed_ping(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM subscription s JOIN feed f ON f.id = s.feed_id \
               WHERE f.id = ?1 AND s.protocol = 'rsscloud' AND s.last_push > f.last_attempt \
               AND s.last_push <= ?2)";
    if db.prepare_cached(sql)?.query_row([feed, millis(now)], |row| row.get(0))? {
        bring_forward(db, feed, now)?;
    }
    Ok(())
}

/// The addresses in use are used no more; the hub is told so later. Clouds
/// cannot be told, and forget by themselves.
pub(super) fn retire(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE callback SET role = 'retired', since = ?2, attempts = 0, \
         next_try = CASE protocol WHEN 'websub' THEN ?2 END, \
         until = max(?2, coalesce((SELECT lease_until FROM subscription WHERE feed_id = ?1), 0)) \
           + ?3 WHERE feed_id = ?1 AND role = 'held'",
        params![feed, millis(now), KNOWN_FOR.as_millis() as i64],
    )?;
    db.execute("DELETE FROM callback WHERE feed_id = ? AND role = 'asked'", [feed])?;
    Ok(())
}

/// From now on the feed is polled as if there were no hub.
fn poll_as_ever(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE feed SET pushed_until = NULL, \
         next_due = min(next_due, max(?2, coalesce(plain_due, next_due), \
           coalesce(last_attempt, 0) + interval_ms)) WHERE id = ?1",
        params![feed, millis(now)],
    )?;
    Ok(())
}

/// Polling is slow only while a lease runs, its hub has brought something, and
/// it has missed nothing for long. A cloud brings nothing.
pub(super) fn weigh(db: &Connection, feed: i64, now: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE feed SET pushed_until = (SELECT lease_until FROM subscription \
           WHERE feed_id = ?1 AND protocol = 'websub' AND state = 'active' \
           AND pushes > 0 AND lease_until > ?2 \
           AND coalesce(distrust_until, 0) <= ?2) WHERE id = ?1",
        params![feed, millis(now)],
    )?;
    Ok(())
}

pub(super) fn later(now: Timestamp, span: SignedDuration) -> i64 {
    millis(now.checked_add(span).unwrap_or(from_millis(i64::MAX)))
}
