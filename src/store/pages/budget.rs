//! What a host is asked for in a day: pages beyond that wait until there is
//! room again, but no longer than their news is news.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::hosts::day;
use crate::model::PageBudget;
use crate::store::rows::{json, millis};

/// A page that found no room for so long is not read any more.
const OLD: SignedDuration = SignedDuration::from_hours(48);
/// The days (UTC) that so long a time can touch: what is beyond their budgets
/// would be too old before its turn.
const DAYS: u64 = 3;
/// How the reasons of pages begin that found no room.
pub(super) const NO_ROOM: &str = "no room in the budget of ";
/// Up to so many due pages cost a look nothing worth saving.
const FEW: i64 = 1_000;
/// In milliseconds.
const HOUR: i64 = 3600 * 1000;

/// What a look for pages goes by.
pub(super) struct Terms {
    /// What each host is asked for at most.
    pub(super) budget: PageBudget,
    /// The time.
    pub(super) now: Timestamp,
    /// Pages due by then are looked at.
    pub(super) until: Timestamp,
    /// Whether pages of earlier days may take the whole budget of this one.
    pub(super) all_at_once: bool,
}

/// What of a host's budget is open to a page, in hours of the day: all of it
/// for the day's own. Pages of earlier days may take half of it at once, and
/// of the rest what the passing day leaves: today's news goes first.
fn open_hours(wanted_at: Timestamp, terms: &Terms) -> i64 {
    if terms.all_at_once || day(wanted_at) >= day(terms.now) {
        return 24;
    }
    millis(terms.now).rem_euclid(24 * HOUR).div_euclid(HOUR).max(12)
}

/// Whether the day's budget of a host has no room for a page.
pub(super) fn is_spent(
    db: &Connection,
    host: &str,
    wanted_at: Timestamp,
    terms: &Terms,
) -> rusqlite::Result<bool> {
    let used: Option<(i64, i64)> = db
        .prepare_cached("SELECT pages, bytes FROM page_host WHERE host = ?1 AND day = ?2")?
        .query_row(params![host, day(terms.now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((pages, bytes)) = used else { return Ok(false) };
    let hours = u128::from(open_hours(wanted_at, terms).unsigned_abs());
    let spent = |used: i64, budget: u64| {
        u128::from(used.unsigned_abs()) >= (u128::from(budget) * hours).div_ceil(24)
    };
    Ok(spent(pages, u64::from(terms.budget.pages)) || spent(bytes, terms.budget.bytes))
}

/// Has due pages of these hosts wait for room, which is looked for every full
/// hour; those that would be too old by then are not read. Pages of the day
/// itself wait only where the whole budget is used up.
pub(super) fn put_off(db: &Connection, hosts: &[String], terms: &Terms) -> rusqlite::Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for host in hosts {
        let is_whole = is_spent(db, host, terms.now, terms)?;
        (if is_whole { &mut whole } else { &mut part }).push(host);
    }
    let today = millis(terms.now).div_euclid(24 * HOUR) * 24 * HOUR;
    for (hosts, before) in [(whole, i64::MAX), (part, today)] {
        put_off_older(db, (&json(&hosts), before), terms)?;
    }
    Ok(())
}

/// What was wrong with a page before it found no room; ?1 is [`NO_ROOM`].
const EARLIER: &str = "CASE WHEN instr(coalesce(reason, ''), '; before: ') > 0 \
     THEN substr(reason, instr(reason, '; before: ')) \
     WHEN coalesce(reason, '') = '' OR substr(reason, 1, length(?1)) = ?1 THEN '' \
     ELSE '; before: ' || reason END";

/// The same for those wanted before a time, in milliseconds.
fn put_off_older(
    db: &Connection,
    (hosts, before): (&str, i64),
    terms: &Terms,
) -> rusqlite::Result<()> {
    let again = (millis(terms.now).div_euclid(HOUR) + 1) * HOUR;
    let old = again - OLD.as_millis() as i64;
    let (now, until) = (millis(terms.now), millis(terms.until));
    db.prepare_cached(&format!(
        "UPDATE page SET state = 'unread', reason = ?1 || host || ?2 || {EARLIER}, \
         finished_at = ?3, leased_until = NULL \
         WHERE state = 'waiting' AND due_at <= ?4 AND wanted_at < ?5 \
         AND host IN (SELECT value FROM json_each(?6)) AND coalesce(leased_until, 0) <= ?3",
    ))?
    .execute(params![
        NO_ROOM,
        format!(" for {} hours", OLD.as_hours()),
        now,
        until,
        before.min(old),
        hosts
    ])?;
    db.prepare_cached(&format!(
        "UPDATE page SET reason = ?1 || host || ?2 || {EARLIER}, due_at = ?7 \
         WHERE state = 'waiting' AND due_at <= ?4 AND wanted_at < ?5 \
         AND host IN (SELECT value FROM json_each(?6)) AND coalesce(leased_until, 0) <= ?3",
    ))?
    .execute(params![
        NO_ROOM,
        terms.now.strftime(" on %Y-%m-%d").to_string(),
        now,
        until,
        before,
        hosts,
        again
    ])?;
    Ok(())
}

/// Keeps long queues short: of each host the newest pages that its budgets can
/// have room for in time.
pub(super) fn thin_out(db: &Connection, terms: &Terms) -> rusqlite::Result<()> {
    let until = millis(terms.until);
    let due: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM \
             (SELECT 1 FROM page WHERE state = 'waiting' AND due_at <= ?1 LIMIT ?2)",
        )?
        .query_row(params![until, FEW + 1], |row| row.get(0))?;
    if due <= FEW {
        return Ok(());
    }
    let most = u64::from(terms.budget.pages).saturating_mul(DAYS) as i64;
    let mut select = db.prepare_cached(
        "SELECT host FROM page WHERE state = 'waiting' AND due_at <= ?1 \
         GROUP BY host HAVING count(*) > ?2",
    )?;
    let hosts: Vec<String> =
        select.query_map(params![until, most], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if hosts.is_empty() {
        return Ok(());
    }
    db.prepare_cached(
        "UPDATE page SET state = 'unread', reason = ?1 || host || ?2, finished_at = ?3, \
         leased_until = NULL WHERE entry_id IN (SELECT entry_id FROM \
           (SELECT entry_id, row_number() OVER \
              (PARTITION BY host ORDER BY wanted_at DESC, entry_id DESC) AS place \
            FROM page WHERE state = 'waiting' AND due_at <= ?4 \
            AND host IN (SELECT value FROM json_each(?5)) AND coalesce(leased_until, 0) <= ?3) \
         WHERE place > ?6)",
    )?
    .execute(params![
        NO_ROOM,
        format!(": {most} newer pages wait for it"),
        millis(terms.now),
        until,
        json(&hosts),
        most
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClaimedPage, UnreadPage};
    use crate::store::Store;

    const LEASE: SignedDuration = SignedDuration::from_mins(10);

    fn at(text: &str) -> Timestamp {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn budget(pages: u32) -> PageBudget {
        PageBudget { pages, bytes: u64::MAX }
    }

    /// A store with so many waiting pages of a host, each a second younger
    /// than the one before; their entries are numbered from `first`.
    async fn waiting(store: &Store, host: &'static str, (first, pages): (i64, i64), from: &str) {
        let from = millis(at(from));
        let add = move |db: &Connection| {
            db.execute(
                "INSERT OR IGNORE INTO feed (id, name, url, host, interval_ms, next_due) \
                 VALUES (1, 'a', 'http://a.example/', 'a.example', 1000, 0)",
                [],
            )?;
            let (last, each) = (
                first + pages - 1,
                "WITH RECURSIVE n (i) AS \
                 (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)",
            );
            db.execute(
                &format!(
                    "{each} INSERT INTO story (id, uid, first_seen, last_seen) \
                          SELECT i, 's' || i, 0, 0 FROM n"
                ),
                [first, last],
            )?;
            db.execute(
                &format!(
                    "{each} INSERT INTO entry (id, feed_id, story_id, title, text, authors, \
                          categories, first_seen, last_seen, title_key, revision_key) \
                          SELECT i, 1, i, '', '', '[]', '[]', 0, 0, x'00', x'00' FROM n"
                ),
                [first, last],
            )?;
            db.execute(
                &format!(
                    "{each} INSERT INTO page (entry_id, url, host, text_of, wanted_at, due_at) \
                          SELECT i, 'http://' || ?3 || '/' || i, ?3, i, ?4 + 1000 * (i - ?1), \
                          ?4 + 1000 * (i - ?1) FROM n"
                ),
                params![first, last, host, from],
            )
        };
        store.write(move |db| add(db).map(drop)).await.unwrap();
    }

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("watch.db")).unwrap();
        (dir, store)
    }

    async fn claim(store: &Store, now: Timestamp, pages: u32) -> Vec<ClaimedPage> {
        store.claim_pages(now, (4, LEASE, false), Vec::new(), budget(pages)).await.unwrap()
    }

    /// Reads, one by one, whatever may be read now; the entries.
    async fn read(store: &Store, now: &str, pages: u32) -> Vec<i64> {
        let (now, mut read) = (at(now), Vec::new());
        loop {
            let claims = claim(store, now, pages).await;
            if claims.is_empty() {
                return read;
            }
            for claim in claims {
                read.push(claim.entry.0);
                let none = UnreadPage {
                    reason: "HTTP 404".to_owned(),
                    bytes: 1,
                    again: None,
                    host_rests: None,
                };
                store.page_unread(claim, none, now).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn what_was_wrong_before_is_still_said() {
        let (_dir, store) = store();
        waiting(&store, "a.example", (1, 2), "20T10:00:00").await;
        let failed = "UPDATE page SET reason = 'HTTP 503' WHERE entry_id = 1";
        store.write(|db| db.execute(failed, []).map(drop)).await.unwrap();
        for hour in ["20T11:00:00", "20T12:30:00"] {
            read(&store, hour, 1).await;
            let said = store.read(|db| {
                let select = "SELECT reason FROM page WHERE entry_id = 1";
                db.query_row(select, [], |row| row.get::<_, String>(0))
            });
            let said = said.await.unwrap();
            assert!(said.starts_with(NO_ROOM) && said.ends_with("; before: HTTP 503"), "{said}");
            assert_eq!(said.matches(NO_ROOM).count(), 1, "{said}");
        }
    }

    #[tokio::test]
    async fn news_of_the_day_goes_before_what_waited() {
        let (_dir, store) = store();
        waiting(&store, "a.example", (1, 100), "20T10:00:00").await;
        assert_eq!(read(&store, "20T11:00:00", 24).await, (77..=100).rev().collect::<Vec<_>>());
        assert_eq!(read(&store, "20T23:59:59", 24).await, vec![0; 0]);
        // Half of the next day's budget, and what the passing day leaves.
        assert_eq!(read(&store, "21T00:00:00", 24).await, (65..=76).rev().collect::<Vec<_>>());
        assert_eq!(read(&store, "21T12:30:00", 24).await, vec![0; 0]);
        assert_eq!(read(&store, "21T14:10:00", 24).await, [64, 63]);
        waiting(&store, "a.example", (101, 8), "21T14:20:00").await;
        assert_eq!(read(&store, "21T15:00:00", 24).await, (101..=108).rev().collect::<Vec<_>>());
        assert_eq!(read(&store, "21T22:00:00", 24).await, vec![0; 0]);
        // A page of another host has room of its own.
        waiting(&store, "b.example", (201, 1), "21T22:00:00").await;
        assert_eq!(read(&store, "21T23:00:00", 24).await, [201, 62]);
        // From 10:00 on the oldest are too old.
        let tally = store.page_tally(at("22T08:00:00"), 9).await.unwrap();
        assert_eq!((tally.waiting, tally.put_off), (61, 61));
        assert_eq!(read(&store, "22T10:30:00", 24).await.len(), 12);
        let tally = store.page_tally(at("22T10:30:00"), 9).await.unwrap();
        assert_eq!((tally.waiting, tally.put_off), (0, 0));
    }

    #[tokio::test]
    async fn a_greater_budget_is_seen_within_the_hour() {
        let (_dir, store) = store();
        waiting(&store, "a.example", (1, 5), "20T10:00:00").await;
        assert_eq!(read(&store, "20T11:00:00", 2).await, [5, 4]);
        assert_eq!(read(&store, "20T11:30:00", 9).await, vec![0; 0]);
        assert_eq!(read(&store, "20T12:00:00", 9).await, [3, 2, 1]);
    }

    #[tokio::test]
    async fn thousands_of_pages_of_a_host_keep_nobody_waiting() {
        let (_dir, store) = store();
        waiting(&store, "a.example", (1, 20_000), "20T01:00:00").await;
        waiting(&store, "b.example", (30_001, 3), "20T01:00:00").await;
        let now = at("20T11:00:00");
        let first = claim(&store, now, 500).await;
        let hosts = |claims: &[ClaimedPage]| {
            claims.iter().map(|claim| claim.host.clone()).collect::<Vec<_>>()
        };
        assert_eq!(hosts(&first), ["a.example"]);
        let busy = hosts(&first);
        let second = store.claim_pages(now, (4, LEASE, false), busy, budget(500)).await.unwrap();
        assert_eq!(hosts(&second), ["b.example"]);
        // Of 20,000 the newest 1,500 can be read before they are too old.
        let tally = store.page_tally(now, 9).await.unwrap();
        assert_eq!((tally.waiting, tally.unread), (1_503, 18_500));
        let busy = vec!["a.example".to_owned(), "b.example".to_owned()];
        let none = store.claim_pages(now, (4, LEASE, false), busy, budget(500)).await.unwrap();
        assert!(none.is_empty());
    }

    #[tokio::test]
    async fn a_host_without_room_hides_no_other_from_the_look() {
        let (_dir, store) = store();
        waiting(&store, "b.example", (1, 1), "20T02:00:00").await;
        waiting(&store, "a.example", (2, 1_200), "20T03:00:00").await;
        let now = at("20T11:00:00");
        // It gave what was asked for, as often as it may be asked.
        let host =
            "INSERT INTO page_host (host, day, pages, good) VALUES ('a.example', ?, 500, 500)";
        store.write(move |db| db.execute(host, [day(now)])).await.unwrap();
        let claims = claim(&store, now, 500).await;
        assert_eq!(claims.iter().map(|claim| &*claim.host).collect::<Vec<_>>(), ["b.example"]);
        let tally = store.page_tally(now, 9).await.unwrap();
        assert_eq!((tally.waiting, tally.put_off), (1_201, 1_200));
    }
}
