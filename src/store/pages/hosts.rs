//! What hosts were asked for, and how they answered.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::budget::NO_ROOM;
use super::{PageHost, PageTally};
use crate::model::UnreadPage;
use crate::store::rows::{from_millis, millis};

/// Answers in a row that may be other the next time, after which a host is spared for a while.
const BAD_RUN: i64 = 5;
/// How long.
const SPARED: SignedDuration = SignedDuration::from_mins(15);
/// In milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// The day (UTC) that a time is of, since 1970.
pub(super) fn day(now: Timestamp) -> i64 {
    millis(now).div_euclid(DAY)
}

/// What a host's answer teaches.
pub(super) fn answered(
    db: &Connection,
    host: &str,
    (result, bytes): (Result<(), &UnreadPage>, u64),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let unread = result.err();
    db.prepare_cached(
        "INSERT INTO page_host (host, day, pages, bytes, good, bad, bad_run, rests_until, \
         last_error) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?8, ?6, ?7) \
         ON CONFLICT (host) DO UPDATE SET \
         pages = 1 + CASE WHEN day = ?2 THEN pages ELSE 0 END, \
         bytes = ?3 + CASE WHEN day = ?2 THEN bytes ELSE 0 END, day = ?2, \
         good = good + ?4, bad = bad + ?5, \
         bad_run = CASE WHEN ?8 = 1 THEN bad_run + 1 ELSE 0 END, \
         rests_until = ?6, last_error = coalesce(?7, last_error)",
    )?
    .execute(params![
        host,
        day(now),
        bytes as i64,
        unread.is_none(),
        unread.is_some(),
        unread.and_then(|unread| unread.host_rests).map(millis),
        unread.map(|unread| &unread.reason),
        unread.is_some_and(|unread| unread.again.is_some())
    ])?;
    // A host in trouble is asked less.
    db.prepare_cached(
        "UPDATE page_host SET rests_until = max(coalesce(rests_until, 0), ?2) \
         WHERE host = ?1 AND bad_run >= ?3 AND bad_run % ?3 = 0",
    )?
    .execute(params![host, millis(now.saturating_add(SPARED).unwrap_or(now)), BAD_RUN])?;
    Ok(())
}

pub(super) fn tally(db: &Connection, now: Timestamp, hosts: usize) -> rusqlite::Result<PageTally> {
    let count = |state: &str| {
        let sql = "SELECT count(*) FROM page WHERE state = ?";
        db.query_row(sql, [state], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let mut select = db.prepare(
        "SELECT *, day = ?1 AS today FROM page_host ORDER BY bad_run DESC, pages DESC, host LIMIT ?2",
    )?;
    let rows = select.query_map(params![day(now), hosts as i64], |row| {
        let today: bool = row.get("today")?;
        let counted = |column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok(PageHost {
            host: row.get("host")?,
            pages: if today { counted("pages")? } else { 0 },
            bytes: if today { counted("bytes")? } else { 0 },
            good: counted("good")?,
            bad: counted("bad")?,
            rests_until: row
                .get::<_, Option<i64>>("rests_until")?
                .map(from_millis)
                .filter(|until| *until > now),
            last_error: row.get("last_error")?,
        })
    })?;
    let put_off: i64 = db.query_row(
        "SELECT count(*) FROM page WHERE state = 'waiting' AND reason GLOB ? || '*'",
        [NO_ROOM],
        |row| row.get(0),
    )?;
    Ok(PageTally {
        put_off: put_off.unsigned_abs(),
        waiting: count("waiting")?,
        read: count("read")?,
        unread: count("unread")?,
        spared: count("spared")?,
        hosts: rows.collect::<rusqlite::Result<_>>()?,
    })
}
