//! Who tells a story and why each entry is part of it; what the memory of
//! stories begins with.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ingest::Judge;
use super::rows::{json, millis, optional_time, time};
use super::upgrades::teller;
use super::{Store, StoreError};
use crate::model::{
    EntryId, FeedName, Joined, MemoryPosition, StoredMemory, StoredTelling, StoryChoice, StoryId,
    Teller,
};

/// Stories told within this time are remembered; longer than any may grow.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Stores why a new entry is part of its story. Gives the telling that has its
/// text, headline or link, if that is why.
pub(super) fn save_telling(
    db: &Connection,
    (id, story): (EntryId, i64),
    choice: &StoryChoice,
    now: Timestamp,
) -> rusqlite::Result<Option<EntryId>> {
    let (of, score, shared) = match &choice.joined {
        Joined::First => (None, None, None),
        Joined::Link => (first_with(db, "link_key", (id, story))?, None, None),
        Joined::Words => (first_with(db, "title_key", (id, story))?, None, None),
        Joined::Copy { of, share } => (Some(of.0), Some(*share), None),
        Joined::Headline { of } => (Some(of.0), None, None),
        Joined::Event { score, shared } => (None, Some(*score), Some(json(shared))),
    };
    let text_of: Option<i64> = db
        .prepare_cached("SELECT text_of FROM telling WHERE entry_id = ?")?
        .query_row([of], |row| row.get(0))
        .optional()?;
    db.prepare_cached(
        "INSERT INTO telling (entry_id, at, how, of_entry, score, shared, text_of, outlet, agency, \
         features) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        id.0,
        millis(now),
        choice.joined.as_str(),
        of,
        score,
        shared,
        text_of.unwrap_or(id.0),
        choice.outlet,
        choice.agency,
        choice.features
    ])?;
    Ok(of.map(EntryId))
}

/// The first telling of the story that has the entry's key of this kind.
fn first_with(
    db: &Connection,
    column: &str,
    (id, story): (EntryId, i64),
) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(&format!(
        "SELECT id FROM entry WHERE story_id = ?2 AND id < ?1 \
         AND {column} = (SELECT {column} FROM entry WHERE id = ?1) ORDER BY id LIMIT 1"
    ))?
    .query_row(params![id.0, story], |row| row.get(0))
    .optional()
}

/// A telling as `stories show` shows it.
#[derive(Clone, Debug)]
pub struct TellingRow {
    /// Its row.
    pub entry: i64,
    /// The feed's key.
    pub feed: String,
    /// The outlet's name for people.
    pub outlet: String,
    /// Headline as it is now.
    pub title: String,
    /// Its page.
    pub url: Option<String>,
    /// When the outlet claims to have published it.
    pub published: Option<Timestamp>,
    /// When we first saw it.
    pub at: Timestamp,
    /// Who speaks, for counting sources.
    pub teller: Teller,
    /// See [`Joined::as_str`], or `split` or `merge` where a user moved it;
    /// empty for entries of earlier versions.
    pub how: String,
    /// The outlet whose text or headline it has.
    pub of: Option<String>,
    /// How much alike.
    pub score: Option<f64>,
    /// Words in common.
    pub shared: Vec<String>,
    /// Title and text of all its versions, the oldest first.
    pub wordings: Vec<(String, String)>,
}

impl Store {
    /// The tellings of a story in order of time; none for an unknown id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tellings(&self, story: String) -> Result<Vec<TellingRow>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT entry.id, feed.name, coalesce(feed.title, feed.name) AS shown, \
                 entry.title, entry.text, entry.url, entry.published, entry.first_seen, \
                 coalesce(telling.outlet, feed.name) AS outlet, agency, \
                 coalesce(text_of, entry.id) AS text_of, coalesce(how, '') AS how, score, shared, \
                 (SELECT coalesce(f.title, f.name) FROM entry e JOIN feed f ON f.id = e.feed_id \
                  WHERE e.id = of_entry) AS of_outlet FROM entry \
                 JOIN story ON story.id = entry.story_id JOIN feed ON feed.id = entry.feed_id \
                 LEFT JOIN telling ON telling.entry_id = entry.id \
                 WHERE story.uid = ? ORDER BY entry.id",
            )?;
            let rows = select.query_map([story], |row| telling_row(db, row))?;
            rows.collect()
        })
        .await
    }
}

fn telling_row(db: &Connection, row: &Row<'_>) -> rusqlite::Result<TellingRow> {
    let shared: Option<String> = row.get("shared")?;
    let mut versions = db.prepare_cached(
        "SELECT title, text FROM entry_version WHERE entry_id = ? ORDER BY version",
    )?;
    let id: i64 = row.get("id")?;
    let wordings = versions.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut wordings = wordings.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    wordings.push((row.get("title")?, row.get("text")?));
    Ok(TellingRow {
        entry: id,
        feed: row.get("name")?,
        outlet: row.get("shown")?,
        title: row.get("title")?,
        url: row.get("url")?,
        published: optional_time(row, "published")?,
        at: time(row, "first_seen")?,
        teller: teller(row)?,
        how: row.get("how")?,
        of: row.get("of_outlet")?,
        score: row.get("score")?,
        shared: shared.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        wordings,
    })
}

/// Takes something in, and once more from the beginning if the memory of stories
/// failed in the middle of it: what came then was compared with nothing.
pub(super) fn with_memory<T>(
    db: &Connection,
    judge: &mut dyn Judge,
    take_in: impl Fn(&mut dyn Judge) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let step = |sql: &str| db.prepare_cached(sql)?.execute([]).map(drop);
    step("SAVEPOINT document")?;
    let mut taken = take_in(judge)?;
    if judge.position().last < 0 {
        step("ROLLBACK TO document")?;
        taken = take_in(judge)?;
    }
    step("RELEASE document")?;
    Ok(taken)
}

/// Fills the judge's memory of stories anew where it is not that of the store.
pub(super) fn refresh_memory(
    db: &Connection,
    now: Timestamp,
    judge: &mut dyn Judge,
) -> rusqlite::Result<()> {
    let position = position(db)?;
    if judge.position() == position {
        return Ok(());
    }
    let mut filled = fill(db, position, now, judge);
    if filled.is_ok() && judge.position() != position {
        // What it is written on failed; it makes do without that now.
        filled = fill(db, position, now, judge);
    }
    if filled.is_err() {
        judge.forget();
    }
    filled
}

fn position(db: &Connection) -> rusqlite::Result<MemoryPosition> {
    let position = "SELECT (SELECT coalesce(max(entry_id), 0) FROM telling), \
                    (SELECT coalesce(max(id), 0) FROM story_edit)";
    db.prepare_cached(position)?
        .query_row([], |row| Ok(MemoryPosition { last: row.get(0)?, edits: row.get(1)? }))
}

fn fill(
    db: &Connection,
    position: MemoryPosition,
    now: Timestamp,
    judge: &mut dyn Judge,
) -> rusqlite::Result<()> {
    let learned = db
        .prepare_cached("SELECT upto, knowledge FROM learned WHERE id = 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    let (upto, knowledge) = learned.map_or((0, None), |(upto, bytes)| (upto, Some(bytes)));
    let since = millis(now) - REMEMBERED.as_millis() as i64;
    let mut select = db.prepare_cached(
        "SELECT entry_id, story.uid, feed.name, entry.url, telling.at, features FROM telling \
         JOIN entry ON entry.id = entry_id JOIN story ON story.id = entry.story_id \
         JOIN feed ON feed.id = entry.feed_id \
         WHERE entry_id IN (SELECT entry_id FROM telling WHERE entry_id > ?1 UNION \
           SELECT entry.id FROM entry JOIN story ON story.id = entry.story_id \
           WHERE story.last_seen >= ?2) ORDER BY entry_id",
    )?;
    let tellings = select.query_map([upto, since], |row| {
        Ok(StoredTelling {
            entry: EntryId(row.get("entry_id")?),
            story: StoryId::new(row.get::<_, String>("uid")?),
            feed: FeedName::new(row.get::<_, String>("name")?),
            url: row.get("url")?,
            at: time(row, "at")?,
            features: row.get("features")?,
        })
    })?;
    let mut failed = Ok(());
    let mut tellings =
        tellings.map_while(|telling| telling.map_err(|error| failed = Err(error)).ok());
    judge.remember(StoredMemory { knowledge, upto, tellings: &mut tellings, position });
    drop(tellings);
    failed
}

/// Stores what was learnt of words, when it is time.
pub(super) fn save_knowledge(db: &Connection, judge: &mut dyn Judge) -> rusqlite::Result<()> {
    let Some(knowledge) = judge.knowledge() else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO learned (id, upto, knowledge) \
         VALUES (1, (SELECT coalesce(max(entry_id), 0) FROM telling), ?1) \
         ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, knowledge = excluded.knowledge",
    )?
    .execute([knowledge])?;
    Ok(())
}
