//! Stories put right by their users: parted, and joined.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{json, millis};
use super::{Store, StoreError};
use crate::model::StoryId;

/// What became of a user's correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// So many tellings have another story now.
    Moved(usize),
    /// There is no such story.
    NoStory,
    /// One of the tellings is not the story's.
    NoTelling,
    /// Nothing would be left of the story.
    All,
}

impl Store {
    /// Takes tellings out of a story into one of their own, named `new`; what
    /// they matched and raised goes with them. Later entries choose between
    /// both by what they tell.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn split_story(
        &self,
        story: StoryId,
        entries: Vec<i64>,
        new: StoryId,
        now: Timestamp,
    ) -> Result<Edited, StoreError> {
        self.write(move |db| {
            let Some(from) = told_story(db, &story)? else { return Ok(Edited::NoStory) };
            let of_story = db.query_row(
                "SELECT count(*), count(*) FILTER (WHERE id IN (SELECT value FROM json_each(?2))) \
                 FROM entry WHERE story_id = ?1",
                params![from, json(&entries)],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )?;
            match of_story {
                (_, mine) if mine < entries.len() as i64 => return Ok(Edited::NoTelling),
                (all, mine) if mine == all => return Ok(Edited::All),
                _ => {}
            }
            let to: i64 = db.query_row(
                "INSERT INTO story (uid, first_seen, last_seen) \
                 SELECT ?1, min(first_seen), ?3 FROM entry \
                 WHERE id IN (SELECT value FROM json_each(?2)) \
                 ON CONFLICT (uid) DO UPDATE SET last_seen = excluded.last_seen, \
                 merged_into = NULL RETURNING id",
                params![new.as_str(), json(&entries), millis(now)],
                |row| row.get(0),
            )?;
            move_tellings(db, &entries, to, "split")?;
            db.execute(
                "UPDATE match SET story_id = ?2 \
                 WHERE entry_id IN (SELECT value FROM json_each(?1)) AND story_id = ?3",
                params![json(&entries), to, from],
            )?;
            remember(db, now, "split", (&story, &new), &entries)?;
            Ok(Edited::Moved(entries.len()))
        })
        .await
    }

    /// Makes the tellings of a story part of another one. Where both raised
    /// an alert of one rule, the alert of the first stays with its old id.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn merge_story(
        &self,
        story: StoryId,
        into: StoryId,
        now: Timestamp,
    ) -> Result<Edited, StoreError> {
        self.write(move |db| {
            let (Some(from), Some(to)) = (told_story(db, &story)?, told_story(db, &into)?) else {
                return Ok(Edited::NoStory);
            };
            if from == to {
                return Ok(Edited::All);
            }
            let mut select = db.prepare_cached("SELECT id FROM entry WHERE story_id = ?")?;
            let entries = select.query_map([from], |row| row.get(0))?;
            let entries = entries.collect::<rusqlite::Result<Vec<i64>>>()?;
            move_tellings(db, &entries, to, "merge")?;
            merge_matches(db, from, to)?;
            db.execute(
                "UPDATE delivery SET state = 'suppressed', reason = ?2, finished_at = ?3 \
                 WHERE state = 'waiting' AND first_try IS NULL AND alert_id IN (SELECT alert.id \
                 FROM alert JOIN match ON match.id = alert.match_id WHERE match.story_id = ?1)",
                params![from, format!("its story became part of {into}"), millis(now)],
            )?;
            db.execute(
                "UPDATE story SET merged_into = ?2 WHERE id = ?1",
                params![from, into.as_str()],
            )?;
            db.execute(
                "UPDATE story SET first_seen = min(first_seen, other.first), \
                 last_seen = max(last_seen, other.last) \
                 FROM (SELECT first_seen AS first, last_seen AS last FROM story WHERE id = ?2) \
                 AS other WHERE id = ?1",
                params![to, from],
            )?;
            remember(db, now, "merge", (&story, &into), &entries)?;
            Ok(Edited::Moved(entries.len()))
        })
        .await
    }

    /// The story that a story was made part of, if it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn merged_into(&self, story: String) -> Result<Option<String>, StoreError> {
        self.read(move |db| {
            let into = db
                .query_row("SELECT merged_into FROM story WHERE uid = ?", [story], |row| row.get(0))
                .optional()?;
            Ok(into.flatten())
        })
        .await
    }
}

/// A story that has tellings.
fn told_story(db: &Connection, story: &StoryId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM story WHERE uid = ?1 \
               AND EXISTS (SELECT 1 FROM entry WHERE story_id = story.id)";
    db.query_row(sql, [story.as_str()], |row| row.get(0)).optional()
}

/// The tellings and what leads to them; the first of them is there because a
/// user said so.
fn move_tellings(db: &Connection, entries: &[i64], to: i64, how: &str) -> rusqlite::Result<()> {
    let list = json(entries);
    db.execute(
        "UPDATE story_key SET story_id = ?2 WHERE story_id IN (SELECT story_id FROM entry \
           WHERE id IN (SELECT value FROM json_each(?1))) \
         AND substr(key, 1, 8) IN (SELECT key FROM entry_key WHERE entry_id IN (SELECT value FROM json_each(?1)))",
        params![list, to],
    )?;
    db.execute(
        "UPDATE entry SET story_id = ?2 WHERE id IN (SELECT value FROM json_each(?1))",
        params![list, to],
    )?;
    db.execute(
        "UPDATE telling SET how = ?2, score = NULL, shared = NULL, of_entry = NULL \
         WHERE entry_id IN (SELECT value FROM json_each(?1))",
        params![list, how],
    )?;
    Ok(())
}

/// One match of a rule stays with the story: the one that raised an alert.
fn merge_matches(db: &Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    // What waits for more sources is worth more than what was held back.
    db.execute(
        "DELETE FROM match WHERE story_id = ?2 AND state <> 'raised' AND rule IN \
         (SELECT rule FROM match other WHERE story_id = ?1 AND (state = 'raised' \
          OR (state = 'few-sources' AND match.state <> 'few-sources')))",
        [from, to],
    )?;
    db.execute(
        "UPDATE match SET story_id = ?2 WHERE story_id = ?1 \
         AND rule NOT IN (SELECT rule FROM match WHERE story_id = ?2)",
        [from, to],
    )?;
    Ok(())
}

fn remember(
    db: &Connection,
    now: Timestamp,
    kind: &str,
    (story, other): (&StoryId, &StoryId),
    entries: &[i64],
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO story_edit (at, kind, story, other, entries) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![millis(now), kind, story.as_str(), other.as_str(), json(entries)],
    )?;
    Ok(())
}
