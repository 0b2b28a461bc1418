//! The pages behind entries' links: which are to be read, and what they gave.

mod budget;
mod claim;
mod hosts;
mod text;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::ingest::{CommitReport, Judge};
use super::rows::{millis, optional_time};
use super::{Store, StoreError};
use crate::model::{
    ClaimedPage, EntryId, PageBudget, PageRow, ReadPage, StoryId, UnreadPage, WantedPage,
};

use budget::{Terms, put_off, thin_out};
use claim::{Picked, TRIES, pick, waiting};
use hosts::{answered, tally};
use text::take_in;

/// Copies arrive together: the page to read is chosen a moment later.
const GATHER: SignedDuration = SignedDuration::from_secs(2);

/// Looks for a page that may be read, past those that may not, in one go.
const LOOKS: usize = 20;

/// A page's text on its way in.
#[derive(Clone, Debug)]
pub struct PageCommit {
    /// What was claimed.
    pub claim: ClaimedPage,
    /// What it says.
    pub page: ReadPage,
    /// When it was read.
    pub now: Timestamp,
}

/// How a host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageHost {
    /// The host.
    pub host: String,
    /// Pages asked for today (UTC).
    pub pages: u64,
    /// Bytes that arrived today.
    pub bytes: u64,
    /// Pages that gave a text, since ever.
    pub good: u64,
    /// Pages that gave none.
    pub bad: u64,
    /// Until when it is spared.
    pub rests_until: Option<Timestamp>,
    /// Why the last page without a text had none.
    pub last_error: Option<String>,
}

/// Pages by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageTally {
    /// To be read.
    pub waiting: u64,
    /// Those of them that wait for room in their host's budget.
    pub put_off: u64,
    /// Gave a text.
    pub read: u64,
    /// Gave none.
    pub unread: u64,
    /// Not asked for: the same text was read elsewhere.
    pub spared: u64,
    /// The hosts that were asked, those that fail first.
    pub hosts: Vec<PageHost>,
}

/// Notes that a page is to be read, unless its text was read already.
pub(super) fn want_page(
    db: &Connection,
    entry: EntryId,
    page: &WantedPage,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO page (entry_id, url, host, text_of, always, wanted_at, due_at) \
         SELECT ?1, ?2, ?3, coalesce((SELECT text_of FROM telling WHERE entry_id = ?1), ?1), \
         ?4, ?5, ?6",
    )?
    .execute(params![
        entry.0,
        page.url,
        page.host,
        page.always,
        millis(now),
        millis(now.saturating_add(GATHER).unwrap_or(now))
    ])?;
    Ok(())
}

impl Store {
    /// Pages to be read now, at most one of each text and of each host, of
    /// hosts that are not `busy`. `hurry` takes those that wait for copies, and
    /// keeps none of a day's budget for later. A page that finds no room in its
    /// host's budget waits for it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_pages(
        &self,
        now: Timestamp,
        (limit, lease, hurry): (usize, SignedDuration, bool),
        busy: Vec<String>,
        budget: PageBudget,
    ) -> Result<Vec<ClaimedPage>, StoreError> {
        self.write(move |db| {
            let until = if hurry { now.saturating_add(GATHER).unwrap_or(now) } else { now };
            let terms = Terms { budget, now, until, all_at_once: hurry };
            thin_out(db, &terms)?;
            let mut picked = Picked::beside(&busy);
            for _ in 0..LOOKS {
                let settled = picked.settled;
                for found in waiting(db, (now, until), &busy)? {
                    if picked.claims.len() >= limit {
                        break;
                    }
                    pick(db, found, (&terms, lease), &mut picked)?;
                }
                put_off(db, &std::mem::take(&mut picked.spent), &terms)?;
                if !picked.claims.is_empty() || picked.settled == settled {
                    break;
                }
            }
            Ok(picked.claims)
        })
        .await
    }

    /// Whether a page waits that may be asked for, copies gathered or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_due_pages(&self, now: Timestamp) -> Result<bool, StoreError> {
        let until = now.saturating_add(GATHER).unwrap_or(now);
        self.read(move |db| Ok(!waiting(db, (now, until), &[])?.is_empty())).await
    }

    /// Takes in what a page says: the entry is judged by its whole text, and
    /// what that adds becomes durable with it. A story has one alert of a
    /// rule, whichever text it came from.
    ///
    /// # Errors
    /// When the database fails; then the page is read again.
    pub async fn commit_page(
        &self,
        commit: PageCommit,
        mut judge: Box<dyn Judge>,
    ) -> Result<CommitReport, StoreError> {
        self.write(move |db| take_in(db, &commit, judge.as_mut())).await
    }

    /// Records that a page gave no text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page_unread(
        &self,
        claim: ClaimedPage,
        unread: UnreadPage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            let again = unread.again.filter(|_| claim.attempts < TRIES);
            db.prepare_cached(
                "UPDATE page SET state = ?2, reason = ?3, due_at = coalesce(?4, due_at), \
                 bytes = bytes + ?5, leased_until = NULL, \
                 finished_at = CASE WHEN ?4 IS NULL THEN ?6 END WHERE entry_id = ?1",
            )?
            .execute(params![
                claim.entry.0,
                if again.is_some() { "waiting" } else { "unread" },
                unread.reason,
                again.map(millis),
                unread.bytes as i64,
                millis(now)
            ])?;
            answered(db, &claim.host, (Err(&unread), unread.bytes), now)
        })
        .await
    }

    /// Counts pages by what became of them, with the hosts that were asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page_tally(&self, now: Timestamp, hosts: usize) -> Result<PageTally, StoreError> {
        self.read(move |db| tally(db, now, hosts)).await
    }

    /// What is known of the pages of a story.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn story_pages(&self, story: String) -> Result<Vec<PageRow>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare(
                "SELECT entry_id, uid, page.url, state, reason, finished_at, page.text FROM page \
                 JOIN entry ON entry.id = entry_id JOIN story ON story.id = story_id \
                 WHERE uid = ? ORDER BY entry_id",
            )?;
            let rows = select.query_map([story], |row| {
                let text: Option<String> = row.get("text")?;
                Ok(PageRow {
                    entry: EntryId(row.get("entry_id")?),
                    story: StoryId::new(row.get::<_, String>("uid")?),
                    url: row.get("url")?,
                    state: row.get("state")?,
                    reason: row.get("reason")?,
                    at: optional_time(row, "finished_at")?,
                    words: text.map_or(0, |text| text.split_whitespace().count()),
                })
            })?;
            rows.collect()
        })
        .await
    }
}
