//! Forgetting what is old: first texts and what was told of them, much later
//! what entries are recognised by, which is packed in between.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::millis;
use super::segments::{self, Merging, Packing};
use super::{Store, StoreError, words};

/// An entry is recognised for at least so long after its feed showed it last.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(365 * 24);
/// The sweep looks more often than this, even on a machine that sleeps at
/// night; a longer pause is a stop or a jump.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(48);
/// Time that must have gone by without a pause before anything is forgotten:
/// a clock that jumped ahead makes everything look old.
const STEADY: SignedDuration = SignedDuration::from_hours(24);

/// Work of one transaction, beside its commit: others who write wait meanwhile.
const SHARE: Duration = Duration::from_millis(8);

/// What is old enough to be forgotten, or to be packed.
#[derive(Debug, Default)]
pub struct Old {
    retention: SignedDuration,
    before: i64,
    stories: Vec<i64>,
    packing: Option<Packing>,
    merging: Option<Merging>,
    /// Rows of segments.
    expired: Vec<i64>,
    messages: bool,
    /// Whether the search index may have something to merge.
    words: bool,
}

impl Store {
    /// Finds up to `limit` stories that nobody has carried for `retention`. If there
    /// are fewer, then also entries to be packed, those that were shown for the last
    /// time a year ago and longer, and notices as old as the stories.
    ///
    /// Left alone is whatever waits to be sent, and what stood in its feed's latest
    /// document: a feed that says "not modified" for weeks still shows it. And
    /// nothing is old until a day after the clock jumped, or after a long stop.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_old(
        &self,
        now: Timestamp,
        retention: SignedDuration,
        limit: usize,
    ) -> Result<Old, StoreError> {
        if !self.write(move |db| is_steady(db, now)).await? {
            return Ok(Old::default());
        }
        self.read(move |db| {
            let before = past(now, retention);
            let mut old = Old {
                retention,
                before,
                stories: old_stories(db, before, limit)?,
                words: true,
                ..Old::default()
            };
            if old.stories.len() < limit {
                let remembered = past(now, retention.max(REMEMBERED));
                old.packing = Packing::find(db, now, retention, remembered)?;
                old.merging = Merging::find(db)?;
                old.expired = segments::expired(db, remembered)?;
                old.messages = true;
            }
            Ok(old)
        })
        .await
    }

    /// Forgets some of what is old, in one short transaction, if it is as old still:
    /// stories with their entries, matches, alerts and deliveries, of which stays
    /// what the entries are recognised by; then that, and notices. Where nothing
    /// is old, some free pages of the file are given back. Returns how much went:
    /// stories, entries that were packed or forgotten, segments, and other rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_some(&self, old: &mut Old) -> Result<usize, StoreError> {
        let mut work = std::mem::take(old);
        let (gone, rest) = self
            .write(move |db| {
                let gone = work.forget(db)?;
                Ok((gone, work))
            })
            .await?;
        *old = rest;
        Ok(gone)
    }

    /// Finds and forgets; see [`find_old`](Self::find_old) and
    /// [`forget_some`](Self::forget_some). Returns how much went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(
        &self,
        now: Timestamp,
        retention: SignedDuration,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let mut old = self.find_old(now, retention, limit).await?;
        let mut gone = 0;
        while !old.is_empty() {
            gone += self.forget_some(&mut old).await?;
        }
        Ok(gone)
    }
}

impl Old {
    /// By which retention it is old.
    pub fn retention(&self) -> SignedDuration {
        self.retention
    }

    /// Whether all of it was forgotten, or nothing was old.
    pub fn is_empty(&self) -> bool {
        self.stories.is_empty()
            && self.packing.is_none()
            && self.merging.is_none()
            && self.expired.is_empty()
            && !self.messages
            && !self.words
    }

    fn forget(&mut self, db: &Connection) -> rusqlite::Result<usize> {
        let begun = Instant::now();
        let (mut gone, mut entries) = (0, Vec::new());
        while begun.elapsed() < SHARE {
            if let Some(story) = self.stories.pop() {
                gone += forget_story(db, (story, self.before), &mut entries)?;
            } else if let Some(packing) = &mut self.packing {
                match packing.step(db)? {
                    ControlFlow::Continue(packed) => gone += packed,
                    ControlFlow::Break(()) => self.packing = None,
                }
            } else if let Some(merging) = self.merging.take() {
                gone += merging.run(db)?;
            } else if let Some(segment) = self.expired.pop() {
                gone += segments::forget(db, segment)?;
            } else if std::mem::take(&mut self.messages) {
                gone += forget_messages(db, self.before)?;
            } else if self.words && gone == 0 {
                self.words = words::tidy(db)?;
            } else {
                break;
            }
        }
        words::forget(db, &entries)?;
        if gone == 0 && self.is_empty() {
            // Tables grow for as long as nobody restarts the program.
            db.execute_batch("PRAGMA incremental_vacuum(256); PRAGMA optimize;")?;
        }
        Ok(gone)
    }
}

fn past(now: Timestamp, span: SignedDuration) -> i64 {
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

/// Of a story: nothing of it waits to be sent, or for a digest that does, and no
/// feed shows it.
const IDLE: &str = "NOT EXISTS ( \
       SELECT 1 FROM match JOIN alert ON alert.match_id = match.id \
       JOIN delivery ON delivery.alert_id = alert.id \
       WHERE (match.story_id = story.id \
         OR match.entry_id IN (SELECT id FROM entry WHERE story_id = story.id)) \
       AND (delivery.state = 'waiting' OR EXISTS (SELECT 1 FROM delivery teller \
         WHERE teller.digest_id = delivery.gathered_in AND teller.state = 'waiting'))) \
     AND NOT EXISTS (SELECT 1 FROM entry JOIN feed ON feed.id = entry.feed_id \
       WHERE entry.story_id = story.id AND feed.active = 1 \
       AND entry.last_seen >= feed.last_document - 86400000)";

/// The newest first, as they are taken from the end.
fn old_stories(db: &Connection, before: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let mut select = db.prepare_cached(&format!(
        "SELECT id FROM (SELECT id, last_seen FROM story WHERE last_seen < ?1 AND {IDLE} \
         ORDER BY last_seen LIMIT ?2) ORDER BY last_seen DESC"
    ))?;
    let old = select.query_map(params![before, limit as i64], |row| row.get(0))?;
    old.collect()
}

/// Forgets a story, unless it is carried again or has something to be sent by now.
/// All but the words of its entries, whose rows are noted.
fn forget_story(
    db: &Connection,
    (story, before): (i64, i64),
    entries: &mut Vec<i64>,
) -> rusqlite::Result<usize> {
    let is_old =
        format!("SELECT EXISTS (SELECT 1 FROM story WHERE id = ?1 AND last_seen < ?2 AND {IDLE})");
    if !db.prepare_cached(&is_old)?.query_row([story, before], |row| row.get(0))? {
        return Ok(0);
    }
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
    ] {
        db.prepare_cached(sql)?.execute([story])?;
    }
    let mut remember = db.prepare_cached(
        "INSERT INTO tombstone (id, feed_id, last_seen, published, has_guid, link_key, title_key) \
         SELECT id, feed_id, last_seen, published, guid IS NOT NULL, substr(link_key, 1, 8), \
         substr(title_key, 1, 8) FROM entry WHERE story_id = ? RETURNING id",
    )?;
    let mut rows = remember.query([story])?;
    while let Some(row) = rows.next()? {
        entries.push(row.get(0)?);
    }
    for sql in ["DELETE FROM entry WHERE story_id = ?", "DELETE FROM story WHERE id = ?"] {
        db.prepare_cached(sql)?.execute([story])?;
    }
    Ok(1)
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
