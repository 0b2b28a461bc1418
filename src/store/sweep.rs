//! Forgetting what is old: first texts and what was told of them, much later
//! what entries are recognised by.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::millis;
use super::{Store, StoreError};

/// An entry is recognised for at least so long after its feed showed it last.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(365 * 24);
/// The sweep looks more often than this, even on a machine that sleeps at
/// night; a longer pause is a stop or a jump.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(48);
/// Time that must have gone by without a pause before anything is forgotten:
/// a clock that jumped ahead makes everything look old.
const STEADY: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Forgets up to `limit` stories that nobody has carried for `retention`,
    /// with their entries, matches, alerts and deliveries, and notices as old; what the entries
    /// are recognised by stays for a year. Kept is whatever waits to be sent,
    /// and what stood in its feed's latest document: a feed that says "not
    /// modified" for weeks still shows it. Returns how many rows went.
    ///
    /// Nothing goes until a day after the clock jumped, or after a long stop.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(
        &self,
        now: Timestamp,
        retention: SignedDuration,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.write(move |db| {
            if !is_steady(db, now)? {
                return Ok(0);
            }
            let mut gone = forget_stories(db, before(now, retention), limit)?;
            if gone < limit {
                gone += forget_tombstones(db, before(now, retention.max(REMEMBERED)), limit)?;
            }
            if gone < limit {
                gone += forget_messages(db, before(now, retention))?;
            }
            if gone == 0 {
                // Tables grow for as long as nobody restarts the program.
                db.execute_batch("PRAGMA incremental_vacuum(256); PRAGMA optimize;")?;
            }
            Ok(gone)
        })
        .await
    }
}

fn before(now: Timestamp, span: SignedDuration) -> i64 {
    millis(now.checked_sub(span).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Whether time has gone by evenly for a while. Each call is a look.
fn is_steady(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let now = millis(now);
    let last = db
        .query_row("SELECT seen_at, steady_since FROM clock", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let pause = LONGEST_PAUSE.as_millis() as i64;
    let since = match last {
        Some((seen, since)) if (now - seen).abs() <= pause => since.min(now),
        _ => now,
    };
    db.execute(
        "INSERT INTO clock (id, seen_at, steady_since) VALUES (1, ?1, ?2) ON CONFLICT (id) \
         DO UPDATE SET seen_at = excluded.seen_at, steady_since = excluded.steady_since",
        [now, since],
    )?;
    Ok(now - since >= STEADY.as_millis() as i64)
}

fn forget_stories(db: &Connection, before: i64, limit: usize) -> rusqlite::Result<usize> {
    let mut select = db.prepare_cached(
        "SELECT id FROM story WHERE last_seen < ?1 AND NOT EXISTS ( \
           SELECT 1 FROM match JOIN alert ON alert.match_id = match.id \
           JOIN delivery ON delivery.alert_id = alert.id \
           WHERE (match.story_id = story.id \
             OR match.entry_id IN (SELECT id FROM entry WHERE story_id = story.id)) \
           AND (delivery.state = 'waiting' OR EXISTS (SELECT 1 FROM delivery teller \
             WHERE teller.digest_id = delivery.gathered_in AND teller.state = 'waiting'))) \
         AND NOT EXISTS (SELECT 1 FROM entry JOIN feed ON feed.id = entry.feed_id \
           WHERE entry.story_id = story.id AND feed.active = 1 \
           AND entry.last_seen >= feed.last_document - 86400000) LIMIT ?2",
    )?;
    let rows = select.query_map(params![before, limit as i64], |row| row.get(0))?;
    let old: Vec<i64> = rows.collect::<Result<_, _>>()?;
    for story in &old {
        forget(db, *story)?;
    }
    Ok(old.len())
}

fn forget(db: &Connection, story: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM delivery WHERE alert_id IN (SELECT alert.id FROM alert \
         JOIN match ON match.id = alert.match_id WHERE match.story_id = ?1 \
         OR match.entry_id IN (SELECT id FROM entry WHERE story_id = ?1))",
        "DELETE FROM alert_update WHERE alert_id IN (SELECT alert.id FROM alert \
         JOIN match ON match.id = alert.match_id WHERE match.story_id = ?1 \
         OR match.entry_id IN (SELECT id FROM entry WHERE story_id = ?1))",
        "DELETE FROM feedback WHERE alert_id IN (SELECT alert.id FROM alert \
         JOIN match ON match.id = alert.match_id WHERE match.story_id = ?1 \
         OR match.entry_id IN (SELECT id FROM entry WHERE story_id = ?1))",
        "DELETE FROM alert WHERE match_id IN (SELECT id FROM match WHERE story_id = ?1 \
         OR entry_id IN (SELECT id FROM entry WHERE story_id = ?1))",
        // Of a story that was merged, what it matched stays with it.
        "DELETE FROM match WHERE story_id = ?1 \
         OR entry_id IN (SELECT id FROM entry WHERE story_id = ?1)",
        "INSERT INTO tombstone (id, feed_id, last_seen, published, has_guid, link_key, title_key) \
         SELECT id, feed_id, last_seen, published, guid IS NOT NULL, link_key, title_key \
         FROM entry WHERE story_id = ?",
        "DELETE FROM entry_words WHERE rowid IN (SELECT id FROM entry WHERE story_id = ?)",
        "DELETE FROM entry WHERE story_id = ?",
        "DELETE FROM story WHERE id = ?",
    ] {
        db.prepare_cached(sql)?.execute([story])?;
    }
    Ok(())
}

/// Tombstones of one feed at a time, as their keys are found by reading all
/// keys of the feed.
fn forget_tombstones(db: &Connection, before: i64, limit: usize) -> rusqlite::Result<usize> {
    let feed: Option<i64> = db
        .prepare_cached(
            "SELECT feed_id FROM tombstone WHERE last_seen < ? ORDER BY last_seen LIMIT 1",
        )?
        .query_row([before], |row| row.get(0))
        .optional()?;
    let Some(feed) = feed else { return Ok(0) };
    let old = "SELECT id FROM tombstone WHERE last_seen < ?1 AND feed_id = ?2 \
               ORDER BY last_seen LIMIT ?3";
    let arguments = params![before, feed, limit as i64];
    db.prepare_cached(&format!(
        "DELETE FROM entry_key WHERE feed_id = ?2 AND entry_id IN ({old})"
    ))?
    .execute(arguments)?;
    db.prepare_cached(&format!("DELETE FROM tombstone WHERE id IN ({old})"))?.execute(arguments)
}

/// Notices that were told, with their messages, digests whose alerts are
/// forgotten, silences that are over, and gaps. What waits to be sent stays.
fn forget_messages(db: &Connection, before: i64) -> rusqlite::Result<usize> {
    let digests = "SELECT id FROM digest WHERE created_at < ?1 AND NOT EXISTS (SELECT 1 \
                   FROM delivery WHERE digest_id = digest.id AND state = 'waiting') \
                   AND NOT EXISTS (SELECT 1 FROM delivery WHERE gathered_in = digest.id)";
    let old = "SELECT id FROM notice_message WHERE created_at < ?1 AND NOT EXISTS (SELECT 1 \
               FROM delivery WHERE notice_message_id = notice_message.id AND state = 'waiting')";
    let mut gone = 0;
    for sql in [
        format!("DELETE FROM delivery WHERE digest_id IN ({digests})"),
        "DELETE FROM digest WHERE created_at < ?1 \
         AND NOT EXISTS (SELECT 1 FROM delivery WHERE digest_id = digest.id) \
         AND NOT EXISTS (SELECT 1 FROM delivery WHERE gathered_in = digest.id)"
            .to_string(),
        "DELETE FROM silence WHERE until < ?1".to_string(),
        format!("DELETE FROM delivery WHERE notice_message_id IN ({old})"),
        format!("DELETE FROM notice WHERE message_id IN ({old})"),
        "DELETE FROM notice WHERE message_id IS NULL AND told <> 0 AND at < ?1".to_string(),
        "DELETE FROM notice_message WHERE created_at < ?1 AND NOT EXISTS \
         (SELECT 1 FROM notice WHERE message_id = notice_message.id)"
            .to_string(),
        "DELETE FROM gap WHERE until < ?1".to_string(),
    ] {
        gone += db.prepare_cached(&sql)?.execute([before])?;
    }
    Ok(gone)
}
