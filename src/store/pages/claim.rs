//! Which waiting page is read next, and which need not be read.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::budget::{Terms, is_spent};
use crate::model::{ClaimedPage, EntryId, FeedName};
use crate::store::rows::{from_millis, millis};

/// Differing texts of one story whose pages are read.
const OF_A_STORY: i64 = 3;
/// Waiting pages that are looked at for the best.
const LOOKED_AT: i64 = 500;
/// Tries after which a page is left alone.
pub(super) const TRIES: u32 = 3;

/// A waiting page, with what speaks for it.
pub(super) struct Waiting {
    claim: ClaimedPage,
    text_of: i64,
    story: i64,
    always: bool,
    wanted_at: Timestamp,
}

#[derive(Default)]
pub(super) struct Picked {
    busy: HashSet<String>,
    texts: HashSet<i64>,
    pub(super) claims: Vec<ClaimedPage>,
    /// Hosts whose budget had no room for a page.
    pub(super) spent: Vec<String>,
    /// Pages that wait no longer, or not now.
    pub(super) settled: usize,
}

impl Picked {
    /// Nothing yet, and none of these hosts.
    pub(super) fn beside(busy: &[String]) -> Self {
        Self { busy: busy.iter().cloned().collect(), ..Self::default() }
    }
}

/// The texts that are being read are looked up once: asked for each page, that
/// takes the square of their number, if the planner errs.
const WAITING: &str = "SELECT page.*, entry.story_id, feed.name FROM \
     (SELECT * FROM page WHERE state = 'waiting' AND due_at <= ?1 \
      AND host NOT IN (SELECT value FROM json_each(?4)) \
      AND text_of NOT IN (SELECT text_of FROM page WHERE state = 'waiting' AND leased_until > ?2)) \
     AS page JOIN entry ON entry.id = entry_id JOIN feed ON feed.id = feed_id \
     LEFT JOIN page_host ON page_host.host = page.host \
     WHERE coalesce(page.leased_until, 0) <= ?2 AND coalesce(rests_until, 0) <= ?2 \
     ORDER BY (1.0 + coalesce(good, 0)) / (2.0 + coalesce(good, 0) + coalesce(bad, 0)) DESC, \
     wanted_at DESC, entry_id DESC LIMIT ?3";

/// Pages due by `until` whose host may be asked and is not `busy`: those first
/// that are most likely to give a text, and of one host the newest.
pub(super) fn waiting(
    db: &Connection,
    (now, until): (Timestamp, Timestamp),
    busy: &[String],
) -> rusqlite::Result<Vec<Waiting>> {
    let mut select = db.prepare_cached(WAITING)?;
    let busy = serde_json::json!(busy).to_string();
    let rows = select.query_map(params![millis(until), millis(now), LOOKED_AT, busy], |row| {
        Ok(Waiting {
            claim: ClaimedPage {
                entry: EntryId(row.get("entry_id")?),
                feed: FeedName::new(row.get::<_, String>("name")?),
                url: row.get("url")?,
                host: row.get("host")?,
                attempts: row.get::<_, u32>("attempts")? + 1,
            },
            text_of: row.get("text_of")?,
            story: row.get("story_id")?,
            always: row.get("always")?,
            wanted_at: from_millis(row.get("wanted_at")?),
        })
    })?;
    rows.collect()
}

/// Claims a page, or says why it is not read, or not yet.
pub(super) fn pick(
    db: &Connection,
    found: Waiting,
    (terms, lease): (&Terms, SignedDuration),
    picked: &mut Picked,
) -> rusqlite::Result<()> {
    let now = terms.now;
    let entry = found.claim.entry;
    if picked.texts.contains(&found.text_of) || picked.busy.contains(&found.claim.host) {
        return Ok(());
    }
    // Whatever comes of it but a claim.
    picked.settled += 1;
    if let Some(reason) = needless(db, &found)? {
        return close(db, entry, ("spared", &reason), now);
    }
    // A try that ended the process counts: a page may cost no more than these.
    if found.claim.attempts > TRIES {
        return close(db, entry, ("unread", "it was begun and not finished three times"), now);
    }
    if is_spent(db, &found.claim.host, found.wanted_at, terms)? {
        picked.busy.insert(found.claim.host.clone());
        picked.spent.push(found.claim.host);
        return Ok(());
    }
    let until = now.saturating_add(lease).unwrap_or(now);
    db.prepare_cached(
        "UPDATE page SET leased_until = ?2, attempts = attempts + 1 WHERE entry_id = ?1",
    )?
    .execute(params![entry.0, millis(until)])?;
    picked.texts.insert(found.text_of);
    picked.busy.insert(found.claim.host.clone());
    picked.claims.push(found.claim);
    Ok(())
}

fn close(
    db: &Connection,
    entry: EntryId,
    (state, reason): (&str, &str),
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE page SET state = ?2, reason = ?3, finished_at = ?4, leased_until = NULL \
         WHERE entry_id = ?1",
    )?
    .execute(params![entry.0, state, reason, millis(now)])?;
    Ok(())
}

/// Why the story needs this page no more.
fn needless(db: &Connection, found: &Waiting) -> rusqlite::Result<Option<String>> {
    if found.always {
        return Ok(None);
    }
    let copy: Option<String> = db
        .prepare_cached("SELECT host FROM page WHERE text_of = ? AND state = 'read' LIMIT 1")?
        .query_row([found.text_of], |row| row.get(0))
        .optional()?;
    if let Some(host) = copy {
        return Ok(Some(format!("the same text was read at {host}")));
    }
    let read: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM entry JOIN page ON entry_id = entry.id \
             WHERE story_id = ? AND state = 'read'",
        )?
        .query_row([found.story], |row| row.get(0))?;
    let enough = read >= OF_A_STORY;
    Ok(enough.then(|| format!("{read} other pages of the story were read")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn a_look_asks_nothing_for_each_page_that_waits() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("watch.db")).unwrap();
        let plan = store.read(|db| {
            let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {WAITING}"))?;
            let rows = explain.query_map(params![0, 0, 1, "[]"], |row| row.get::<_, String>(3))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let plan = plan.await.unwrap();
        assert!(plan.iter().any(|step| step.contains("page_due")), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("CORRELATED")), "{plan:#?}");
    }
}
