//! Stored entries as they came, the newest first, for looking back.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::query::Query;
use super::rows::{entry, millis, optional_time, time};
use super::{Store, StoreError};
use crate::model::Entry;

/// A stored entry.
#[derive(Clone, Debug)]
pub struct Archived {
    /// Its row: newer entries have higher ones.
    pub id: i64,
    /// The story's id.
    pub story: String,
    /// The feed's name.
    pub feed: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// What it says.
    pub entry: Entry,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct ArchiveQuery {
    /// First seen not before this.
    pub since: Option<Timestamp>,
    /// Only entries with these words, as a query of the full-text index.
    pub words: Option<String>,
    /// Only of this story.
    pub story: Option<String>,
    /// Only with this link.
    pub url: Option<String>,
    /// Only rows below this one: where the page before ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

impl Store {
    /// Stored entries, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archive(&self, query: ArchiveQuery) -> Result<Vec<Archived>, StoreError> {
        self.read(move |db| page(db, &query)).await
    }

    /// How many entries were first seen since then, and when the oldest and
    /// newest of them were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archive_extent(
        &self,
        since: Option<Timestamp>,
    ) -> Result<(u64, Option<Timestamp>, Option<Timestamp>), StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT count(*) AS entries, min(first_seen) AS oldest, max(first_seen) AS newest \
                 FROM entry WHERE first_seen >= ?",
                [since.map_or(i64::MIN, millis)],
                |row| {
                    let entries: i64 = row.get("entries")?;
                    let ends = (optional_time(row, "oldest")?, optional_time(row, "newest")?);
                    Ok((entries.unsigned_abs(), ends.0, ends.1))
                },
            )
        })
        .await
    }
}

fn page(db: &Connection, wanted: &ArchiveQuery) -> rusqlite::Result<Vec<Archived>> {
    let mut query = Query::new(
        "SELECT entry.id, story.uid, feed.name, entry.first_seen, guid, entry.url, entry.title, \
         coalesce(page.text, entry.text) AS text, authors, categories, \
         coalesce(entry.lang, page.lang) AS lang, published, updated, source_title, source_url \
         FROM entry LEFT JOIN page ON page.entry_id = entry.id JOIN story ON story.id = entry.story_id JOIN feed ON feed.id = entry.feed_id WHERE 1",
    );
    query.since("entry.first_seen", wanted.since);
    query.equals("story.uid", wanted.story.as_ref()).equals("entry.url", wanted.url.as_ref());
    query.condition(
        "(entry.id <= (SELECT unindexed_to FROM archive) \
         OR entry.id IN (SELECT rowid FROM entry_words WHERE entry_words MATCH ?))",
        wanted.words.clone(),
    );
    query.condition("entry.id < ?", wanted.before);
    query.run(db, "ORDER BY entry.id DESC", wanted.limit, archived)
}

fn archived(row: &Row<'_>) -> rusqlite::Result<Archived> {
    Ok(Archived {
        id: row.get("id")?,
        story: row.get("uid")?,
        feed: row.get("name")?,
        first_seen: time(row, "first_seen")?,
        entry: entry(row)?,
    })
}
