//! One entry on its way into the database, inside its visit's transaction.

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, params};

use super::ingest::{CommitReport, EntryOutcome, Judge, Situation, Told, Visit};
use super::lookup::{candidate, entry_keys};
use super::matches::Finder;
use super::pages::want_page;
use super::rows::{json, millis};
use super::tellings::save_telling;
use super::upgrades::tellers;
use crate::model::{
    Entry, EntryId, EntryKeys, Hold, Identity, Key, KnownEntry, Newness, StoriesByKey, StoryId,
    StoryRef, Teller, Telling,
};

/// Equal words are one story within this time; after it they are told anew.
const CONTENT_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Earlier wordings kept of an entry.
const KEPT_VERSIONS: i64 = 20;
/// How stale "last seen" may get, so that an unchanged window writes nothing.
const TOUCH: SignedDuration = SignedDuration::from_hours(24);

/// One entry on its way in.
pub(super) struct Intake<'a> {
    pub(super) db: &'a Connection,
    pub(super) visit: &'a Visit,
    pub(super) entry: &'a Entry,
    pub(super) keys: &'a EntryKeys,
    pub(super) held: Option<Hold>,
}

impl Intake<'_> {
    /// Stores what is new about the entry, and has it judged.
    pub(super) fn run(
        &mut self,
        identity: Identity,
        judge: &mut dyn Judge,
        report: &mut CommitReport,
    ) -> rusqlite::Result<EntryOutcome> {
        let (id, story, newness) = match identity {
            Identity::New(telling) => return self.add(judge, telling, report),
            Identity::Same(known, _) if known.story.is_none() => {
                self.save_keys(known.id)?;
                self.remember(&known)?;
                return Ok(Self::as_known(known.id, None));
            }
            Identity::Same(known, newness) => (known.id, known.story, newness),
            Identity::Twin(first, newness) => match report.entries.get(first) {
                Some(twin) => (twin.id, twin.story.clone(), newness),
                None => return self.add(judge, Telling { link: true, content: true }, report),
            },
        };
        self.save_keys(id)?;
        if let (Newness::Revised, Some(story)) = (newness, &story)
            && !self.is_earlier_version(id)?
        {
            return self.revise(judge, (id, story.clone()), report);
        }
        self.touch(id)?;
        Ok(Self::as_known(id, story))
    }

    fn as_known(id: EntryId, story: Option<StoryId>) -> EntryOutcome {
        let told = Told::default();
        EntryOutcome { id, newness: Newness::Known, story, joined: None, of: None, told }
    }

    fn finder(&self) -> Finder<'_> {
        Finder { db: self.db, visit: self.visit, entry: self.entry }
    }

    fn add(
        &mut self,
        judge: &mut dyn Judge,
        telling: Telling,
        report: &mut CommitReport,
    ) -> rusqlite::Result<EntryOutcome> {
        let candidates = self.stories_by_key(telling)?;
        let choice = judge.choose(self.entry, self.keys, candidates, !telling.content);
        let story = choice.story.clone();
        let (story_row, known) = match &story {
            StoryRef::Known(uid) => {
                // A memory may know a story that was just forgotten.
                let row = match self.touch_story(uid)? {
                    Some(row) => row,
                    None => self.insert_story(uid)?,
                };
                (row, candidate(self.db, row)?)
            }
            StoryRef::New(uid) => {
                report.new_stories += 1;
                let row = self.insert_story(uid)?;
                // The same id again, after its keys were forgotten: it may
                // have been told.
                let known = candidate(self.db, row)?;
                (row, known.filter(|story| !story.matched.is_empty() || story.edits > 0))
            }
        };
        let id = self.insert_entry(story_row)?;
        self.save_words(id, judge)?;
        self.save_keys(id)?;
        self.save_story_keys(story_row)?;
        let of = save_telling(self.db, (id, story_row), &choice, self.visit.now)?;
        judge.told(id, story.id());
        let situation = Situation {
            entry: id,
            newness: Newness::New,
            story: story.id(),
            candidate: known.as_ref(),
            previous: None,
            held: self.held,
            tellers: self.tellers(judge, story.id(), known.is_some())?,
        };
        let judged = judge.judge(self.entry, &situation);
        let page = judged.page.clone();
        let told = self.finder().save_matches(story_row, id, judged, report)?;
        if let Some(page) = page {
            want_page(self.db, id, &page, self.visit.now)?;
            report.pages += 1;
        }
        let story = Some(story.id().clone());
        Ok(EntryOutcome { id, newness: Newness::New, story, joined: Some(choice.joined), of, told })
    }

    fn revise(
        &mut self,
        judge: &mut dyn Judge,
        (id, story): (EntryId, StoryId),
        report: &mut CommitReport,
    ) -> rusqlite::Result<EntryOutcome> {
        let (story_row, previous) = self.replace_entry(id)?;
        self.save_words(id, judge)?;
        let candidate = candidate(self.db, story_row)?;
        let situation = Situation {
            entry: id,
            newness: Newness::Revised,
            story: &story,
            candidate: candidate.as_ref(),
            previous: Some(previous),
            held: self.held,
            tellers: self.tellers(judge, &story, true)?,
        };
        let judged = judge.judge(self.entry, &situation);
        let told = self.finder().save_matches(story_row, id, judged, report)?;
        let story = Some(story);
        Ok(EntryOutcome { id, newness: Newness::Revised, story, joined: None, of: None, told })
    }

    /// Who tells the story by now, where a rule asks.
    fn tellers(
        &self,
        judge: &dyn Judge,
        story: &StoryId,
        known: bool,
    ) -> rusqlite::Result<Vec<Teller>> {
        if known && judge.counts_sources() { tellers(self.db, story) } else { Ok(Vec::new()) }
    }

    /// A wording that was replaced comes back when a cache answers for the
    /// server, or when a document shows an entry twice: no news, no version.
    fn is_earlier_version(&self, id: EntryId) -> rusqlite::Result<bool> {
        self.db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM entry_version \
                 WHERE entry_id = ?1 AND title = ?2 AND text = ?3)",
            )?
            .query_row(params![id.0, self.entry.title, self.entry.text], |row| row.get(0))
    }

    fn touch(&self, id: EntryId) -> rusqlite::Result<()> {
        let now = millis(self.visit.now);
        let stale = now - TOUCH.as_millis() as i64;
        let touched = self
            .db
            .prepare_cached("UPDATE entry SET last_seen = ?2 WHERE id = ?1 AND last_seen < ?3")?
            .execute(params![id.0, now, stale])?;
        if touched > 0 {
            self.db
                .prepare_cached(
                    "UPDATE story SET last_seen = max(last_seen, ?2) \
                     WHERE id = (SELECT story_id FROM entry WHERE id = ?1)",
                )?
                .execute(params![id.0, now])?;
        }
        Ok(())
    }

    /// An entry whose texts were forgotten is shown again: it is known for a year
    /// from now, though the segment that it was found in is forgotten sooner.
    fn remember(&self, known: &KnownEntry) -> rusqlite::Result<()> {
        let now = millis(self.visit.now);
        self.db
            .prepare_cached(
                "INSERT INTO tombstone \
                 (id, feed_id, last_seen, published, has_guid, link_key, title_key) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                 ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen \
                 WHERE last_seen < ?8",
            )?
            .execute(params![
                known.id.0,
                self.visit.feed,
                now,
                known.published.map(millis),
                known.has_guid,
                known.link.map(|link| link.0),
                known.title.0,
                now - TOUCH.as_millis() as i64
            ])?;
        Ok(())
    }

    fn touch_story(&self, uid: &StoryId) -> rusqlite::Result<Option<i64>> {
        self.db
            .prepare_cached(
                "UPDATE story SET last_seen = max(last_seen, ?2) WHERE uid = ?1 RETURNING id",
            )?
            .query_row(params![uid.as_str(), millis(self.visit.now)], |row| row.get(0))
            .optional()
    }

    fn insert_story(&self, uid: &StoryId) -> rusqlite::Result<i64> {
        // The same id can come again when a feed re-uses GUID and title after
        // the keys of the first were forgotten: that is the same story.
        self.db
            .prepare_cached(
                "INSERT INTO story (uid, first_seen, last_seen) VALUES (?1, ?2, ?2) \
                 ON CONFLICT (uid) DO UPDATE SET last_seen = excluded.last_seen, \
                 merged_into = NULL RETURNING id",
            )?
            .query_row(params![uid.as_str(), millis(self.visit.now)], |row| row.get(0))
    }

    fn insert_entry(&self, story: i64) -> rusqlite::Result<EntryId> {
        let (entry, now) = (self.entry, millis(self.visit.now));
        self.db
            .prepare_cached(
                "INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories, \
                 lang, published, updated, first_seen, last_seen, link_key, title_key, revision_key, \
                 source_title, source_url) \
                 VALUES (1 + max((SELECT coalesce(max(id), 0) FROM entry), \
                                 (SELECT coalesce(max(id), 0) FROM tombstone), \
                                 (SELECT coalesce(max(last_entry), 0) FROM segment)), \
                 ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(params![
                self.visit.feed,
                story,
                entry.guid,
                entry.url,
                entry.title,
                entry.text,
                json(&entry.authors),
                json(&entry.categories),
                entry.lang,
                entry.published.map(millis),
                entry.updated.map(millis),
                now,
                self.keys.link.map(|key| key.0),
                self.keys.title.0,
                self.keys.revision.0,
                entry.source.as_ref().and_then(|source| source.title.as_ref()),
                entry.source.as_ref().and_then(|source| source.url.as_ref())
            ])?;
        Ok(EntryId(self.db.last_insert_rowid()))
    }

    /// What a search finds the entry by.
    fn save_words(&self, id: EntryId, judge: &mut dyn Judge) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO entry_words (rowid, words) VALUES (?1, ?2)")?
            .execute(params![id.0, judge.words(self.entry)])?;
        Ok(())
    }

    /// Keeps the old wording as a version and puts the new one in its place.
    fn replace_entry(&self, id: EntryId) -> rusqlite::Result<(i64, (String, String))> {
        let now = millis(self.visit.now);
        self.db.execute(
            "INSERT INTO entry_version (entry_id, version, title, text, replaced_at) \
             SELECT id, version, title, text, ?2 FROM entry WHERE id = ?1",
            params![id.0, now],
        )?;
        // A page that is edited all day must not fill the disk.
        self.db.execute(
            "DELETE FROM entry_version WHERE entry_id = ?1 \
             AND version <= (SELECT version FROM entry WHERE id = ?1) - ?2",
            params![id.0, KEPT_VERSIONS],
        )?;
        let old = self.db.query_row(
            "SELECT story_id, title, text FROM entry WHERE id = ?",
            [id.0],
            |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
        )?;
        self.db.execute(
            "UPDATE entry SET title = ?2, text = ?3, url = coalesce(?4, url), updated = ?5, \
             last_seen = ?6, version = version + 1, link_key = coalesce(?7, link_key), \
             title_key = ?8, revision_key = ?9 WHERE id = ?1",
            params![
                id.0,
                self.entry.title,
                self.entry.text,
                self.entry.url,
                self.entry.updated.map(millis),
                now,
                self.keys.link.map(|key| key.0),
                self.keys.title.0,
                self.keys.revision.0
            ],
        )?;
        Ok(old)
    }

    fn save_keys(&self, id: EntryId) -> rusqlite::Result<()> {
        let mut save = self.db.prepare_cached(
            "INSERT INTO entry_key (feed_id, kind, key, entry_id) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET entry_id = excluded.entry_id \
             WHERE entry_id <> excluded.entry_id",
        )?;
        for (kind, key) in entry_keys(self.keys) {
            save.execute(params![self.visit.feed, kind, key.mark().0, id.0])?;
        }
        Ok(())
    }

    fn save_story_keys(&self, story: i64) -> rusqlite::Result<()> {
        let mut save = self.db.prepare_cached(
            "INSERT INTO story_key (kind, key, story_id, seen_at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET story_id = excluded.story_id, seen_at = excluded.seen_at",
        )?;
        for (kind, key) in [("link", self.keys.link), ("content", self.keys.content)] {
            if let Some(key) = key {
                save.execute(params![kind, key.0, story, millis(self.visit.now)])?;
            }
        }
        Ok(())
    }

    fn stories_by_key(&self, telling: Telling) -> rusqlite::Result<StoriesByKey> {
        let recent = millis(self.visit.now) - CONTENT_WINDOW.as_millis() as i64;
        let link = self.keys.link.filter(|_| telling.link);
        let content = self.keys.content.filter(|_| telling.content);
        Ok(StoriesByKey {
            link: self.story_by_key("link", link, i64::MIN)?,
            content: self.story_by_key("content", content, recent)?,
        })
    }

    fn story_by_key(
        &self,
        kind: &str,
        key: Option<Key>,
        since: i64,
    ) -> rusqlite::Result<Option<StoryId>> {
        let Some(key) = key else { return Ok(None) };
        self.db
            .prepare_cached(
                "SELECT uid FROM story_key JOIN story ON story.id = story_id \
                 WHERE kind = ?1 AND key = ?2 AND seen_at >= ?3",
            )?
            .query_row(params![kind, key.0, since], |row| row.get::<_, String>(0).map(StoryId::new))
            .optional()
    }
}
