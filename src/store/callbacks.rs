//! The addresses that were given to hubs, and what hubs say at them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{millis, time};
use super::subscriptions::{deny, retire, weigh};
use super::{Store, StoreError};
use crate::model::{Callback, CallbackRole, FeedName, PushProtocol, Secret};

/// A retired address is given back at most so many times.
const GOODBYES: u32 = 3;

impl Store {
    /// The callback that the token of this hash belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn callback(&self, key: [u8; 32]) -> Result<Option<Callback>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT c.*, f.name FROM callback c JOIN feed f ON f.id = c.feed_id \
                 WHERE c.key = ?",
            )?;
            select.query_row([&key[..]], read).optional()
        })
        .await
    }

    /// Keeps that a hub is about to be given an address; before it is, since
    /// the hub may ask back before it answers. An address that it was given
    /// and did not confirm is void. `hub` is what the feed calls it. If nothing
    /// comes of it, the hub is asked again at `next`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_hub(
        &self,
        asked: Callback,
        hub: String,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            let unheard = "UPDATE subscription SET last_error = 'the hub did not ask back' \
                 WHERE feed_id = ?1 AND EXISTS (SELECT 1 FROM callback \
                   WHERE feed_id = ?1 AND role = 'asked' AND since < ?2 - 60000)";
            db.execute(unheard, params![asked.feed, millis(asked.since)])?;
            let void = "DELETE FROM callback WHERE feed_id = ? AND role = 'asked'";
            db.execute(void, [asked.feed])?;
            let wanted = db.execute(
                "UPDATE subscription SET hub = ?2, next_try = ?3, attempts = attempts + 1, \
                 state = CASE WHEN state = 'active' THEN state \
                   WHEN attempts >= 5 THEN 'failed' ELSE 'pending' END WHERE feed_id = ?1",
                params![asked.feed, hub, millis(next)],
            )?;
            if wanted == 0 {
                return Ok(());
            }
            db.execute(
                "INSERT INTO callback (key, feed_id, role, url, hub, topic, secret, since, \
                   protocol) VALUES (?1, ?2, 'asked', ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    &asked.key[..],
                    asked.feed,
                    asked.url.expose(),
                    asked.hub,
                    asked.topic,
                    asked.secret.as_ref().map(Secret::expose),
                    millis(asked.since),
                    asked.protocol.as_str()
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// The hub confirms what it was asked for: from now on its address is in
    /// use, and the one before is not. `false` when it was not asked, or is
    /// not any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm(
        &self,
        key: [u8; 32],
        lease_until: Timestamp,
        renew_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let sql = "SELECT feed_id FROM callback WHERE key = ? AND role = 'asked'";
            let feed: Option<i64> = db.query_row(sql, [&key[..]], |row| row.get(0)).optional()?;
            let Some(feed) = feed else { return Ok(false) };
            db.execute("UPDATE callback SET role = 'new' WHERE key = ?", [&key[..]])?;
            retire(db, feed, now)?;
            db.execute(
                "UPDATE callback SET role = 'held', since = ?2 WHERE key = ?1",
                params![&key[..], millis(now)],
            )?;
            db.execute(
                "UPDATE subscription SET state = 'active', attempts = 0, last_error = NULL, \
                 lease_until = ?2, next_try = ?3 WHERE feed_id = ?1",
                params![feed, millis(lease_until), millis(renew_at)],
            )?;
            weigh(db, feed, now)?;
            Ok(true)
        })
        .await
    }

    /// The hub says no, or no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deny(&self, feed: i64, reason: String, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| deny(db, feed, &reason, now)).await
    }

    /// The hub confirms that it will not use a retired address any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn let_go(&self, key: [u8; 32]) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("UPDATE callback SET next_try = NULL WHERE key = ?", [&key[..]]).map(drop)
        })
        .await
    }

    /// A retired address that its hub is to be told of now; it is tried again
    /// at `next` if the hub does not confirm.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_goodbye(
        &self,
        now: Timestamp,
        next: Timestamp,
    ) -> Result<Option<Callback>, StoreError> {
        self.write(move |db| {
            let Some(found) = first_goodbye(db, now)? else { return Ok(None) };
            db.execute(
                "UPDATE callback SET attempts = attempts + 1, next_try = \
                 CASE WHEN attempts + 1 < ?3 THEN ?2 END WHERE key = ?1",
                params![&found.key[..], millis(next), GOODBYES],
            )?;
            Ok(Some(found))
        })
        .await
    }
}

fn first_goodbye(db: &Connection, now: Timestamp) -> rusqlite::Result<Option<Callback>> {
    let sql = "SELECT c.*, f.name FROM callback c JOIN feed f ON f.id = c.feed_id \
               WHERE c.role = 'retired' AND c.next_try <= ? ORDER BY c.next_try LIMIT 1";
    db.prepare_cached(sql)?.query_row([millis(now)], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Callback> {
    let key: Vec<u8> = row.get("key")?;
    Ok(Callback {
        protocol: PushProtocol::from_word(&row.get::<_, String>("protocol")?),
        key: key.try_into().unwrap_or_default(),
        url: Secret::new(row.get::<_, String>("url")?),
        feed: row.get("feed_id")?,
        name: FeedName::new(row.get::<_, String>("name")?),
        role: CallbackRole::from_word(&row.get::<_, String>("role")?),
        hub: row.get("hub")?,
        topic: row.get("topic")?,
        secret: row.get::<_, Option<String>>("secret")?.map(Secret::new),
        since: time(row, "since")?,
    })
}
