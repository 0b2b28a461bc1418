//! A visit's entries, what was decided about them, and the feed's validators:
//! one transaction. Decisions are made inside it, so that two feeds that bring
//! one story at the same time cannot both find it new.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::facts::facts_to_json;
use super::intake::Intake;
use super::lookup::{GUID, has_title, known_by_key};
use super::pushes::{newest_date, save_pushed};
use super::rows::{millis, optional_time};
use super::segments::forget_guids;
use super::tellings::{refresh_memory, save_knowledge, with_memory};
use super::visits::{is_still_at, save_after};
use super::{Store, StoreError};
use crate::model::{
    AlertId, AlertState, DocumentFacts, Entry, EntryId, EntryKeys, FeedAfter, FeedPast, Guids,
    Hold, Identity, Joined, KnownByKey, MassChange, Match, MemoryPosition, Newness, PlannedAlert,
    Recognised, RuleName, Scope, StoredMemory, StoriesByKey, StoryCandidate, StoryChoice, StoryId,
    Teller, UpdateId, Upgrades, Validators, WantedPage,
};

/// A document on its way into the store.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The feed's row.
    pub feed: i64,
    /// The URL that was visited, as configured then.
    pub url: String,
    /// When the document arrived.
    pub now: Timestamp,
    /// What the server said of this very document.
    pub validators: Option<Validators>,
    /// SHA-256 of the document.
    pub body_hash: Vec<u8>,
    /// How much of the feed it shows.
    pub scope: Scope,
    /// The document's own title, used where the configuration gives none.
    pub title: Option<String>,
    /// What the document says of itself.
    pub facts: DocumentFacts,
    /// In the order they are to be taken in: oldest first.
    pub entries: Vec<(Entry, EntryKeys)>,
}

/// What is known about an entry when it is judged.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// Its row.
    pub entry: EntryId,
    /// Whether it was seen before.
    pub newness: Newness,
    /// Its story.
    pub story: &'a StoryId,
    /// What is stored of that story, unless it is new.
    pub candidate: Option<&'a StoryCandidate>,
    /// Title and text that a revision replaces.
    pub previous: Option<(String, String)>,
    /// Why what it would tell is held back, if it is.
    pub held: Option<Hold>,
    /// Who tells the story, this entry among them; empty for a new story, and
    /// where [`Judge::counts_sources`] says no.
    pub tellers: Vec<Teller>,
}

/// A match and what it leads to.
#[derive(Clone, Debug)]
pub struct JudgedMatch {
    /// The match.
    pub found: Match,
    /// What becomes of it.
    pub state: AlertState,
    /// The alert, when one is raised.
    pub alert: Option<PlannedAlert>,
}

/// What an entry leads to.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Its own matches.
    pub matches: Vec<JudgedMatch>,
    /// What it does to matches that its story had.
    pub upgrades: Upgrades,
    /// The page that may hold more, if it is to be read.
    pub page: Option<WantedPage>,
}

/// Makes the decisions; the store only asks.
pub trait Judge: Send {
    /// Which stored entries a document shows again, given what is stored under
    /// the keys of each.
    fn recognise(
        &mut self,
        keys: &[EntryKeys],
        known: Vec<KnownByKey>,
        past: &FeedPast,
    ) -> Recognised;
    /// Which entries of a suspicious document are old ones in new clothes;
    /// `titles` says which have a title that the feed had before.
    fn old_in_new_clothes(
        &mut self,
        keys: &[EntryKeys],
        identities: &[Identity],
        titles: &[bool],
        past: &FeedPast,
    ) -> Vec<bool>;

    /// Which entries were there from the first, below where the first document
    /// broke off.
    fn rest_of_the_first(
        &mut self,
        keys: &[EntryKeys],
        identities: &[Identity],
        past: &FeedPast,
    ) -> Vec<bool>;
    /// How much of the store the judge's memory of stories reflects.
    fn position(&self) -> MemoryPosition;
    /// Fills that memory anew.
    fn remember(&mut self, stored: StoredMemory<'_>);
    /// Empties it: what it was filled with was not all there is.
    fn forget(&mut self);
    /// Which story a new entry belongs to. `alone`: it is known to tell of
    /// something else than those that are like it.
    fn choose(
        &mut self,
        entry: &Entry,
        keys: &EntryKeys,
        candidates: StoriesByKey,
        alone: bool,
    ) -> StoryChoice;
    /// The entry that was chosen a story for is stored.
    fn told(&mut self, entry: EntryId, story: &StoryId);
    /// What was learnt of words, when it is time to store it.
    fn knowledge(&mut self) -> Option<Vec<u8>>;
    /// Whether any rule asks how many sources a story has.
    fn counts_sources(&self) -> bool;
    /// Which rules a new or revised entry matches, and what follows.
    fn judge(&mut self, entry: &Entry, situation: &Situation<'_>) -> Judged;
    /// The words to find an entry by later.
    fn words(&mut self, entry: &Entry) -> String;
    /// What the visit leaves on its feed; `None` leaves the feed as it is.
    fn conclude(&mut self, visit: &Visit, report: &CommitReport) -> Option<FeedAfter>;
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryOutcome {
    /// Its row.
    pub id: EntryId,
    /// New, known or revised.
    pub newness: Newness,
    /// Its story; `None` for a known entry whose texts were forgotten.
    pub story: Option<StoryId>,
    /// Why a new entry is part of it.
    pub joined: Option<Joined>,
    /// The entry that has its text, headline or link, if that is why.
    pub of: Option<EntryId>,
    /// What was told because of it.
    pub told: Told,
}

/// What an entry made known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Alerts raised.
    pub alerts: Vec<(RuleName, AlertId)>,
    /// News that follow earlier alerts.
    pub updates: Vec<(RuleName, UpdateId)>,
}

/// What became of a visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitReport {
    /// In the order of [`Visit::entries`].
    pub entries: Vec<EntryOutcome>,
    /// Stories that began.
    pub new_stories: usize,
    /// Matches recorded, told or held back.
    pub matches: usize,
    /// Deliveries planned.
    pub deliveries: usize,
    /// Pages that are to be read.
    pub pages: usize,
    /// Whether this was the feed's first document.
    pub baseline: bool,
    /// Set when most of the feed looked new at once: once for each such event,
    /// as the entries are known from then on.
    pub mass_change: Option<MassChange>,
    /// Set when this document changed our mind about the feed's GUIDs.
    pub guids_changed: Option<Guids>,
    /// Older pages to be read now, because entries may have been missed.
    pub older_pages: Option<String>,
}

impl CommitReport {
    /// Entries never seen before.
    pub fn new_entries(&self) -> usize {
        self.entries.iter().filter(|entry| entry.newness == Newness::New).count()
    }

    /// Alerts raised.
    pub fn alerts(&self) -> usize {
        self.entries.iter().map(|entry| entry.told.alerts.len()).sum()
    }
}

impl Store {
    /// Takes in a document: identity, story, matches, alerts, deliveries and
    /// validators become durable together or not at all. A document of a URL
    /// that was edited away meanwhile is dropped.
    ///
    /// # Errors
    /// When the database fails; then nothing was stored and the feed is still
    /// to be visited.
    pub async fn commit(
        &self,
        visit: Visit,
        mut judge: Box<dyn Judge>,
    ) -> Result<CommitReport, StoreError> {
        self.write(move |db| {
            if !is_still_at(db, visit.feed, &visit.url)? {
                return Ok(CommitReport::default());
            }
            with_memory(db, judge.as_mut(), |judge| take_in(db, &visit, judge))
        })
        .await
    }
}

fn take_in(
    db: &Connection,
    visit: &Visit,
    judge: &mut dyn Judge,
) -> rusqlite::Result<CommitReport> {
    let keys: Vec<EntryKeys> = visit.entries.iter().map(|(_, keys)| keys.clone()).collect();
    let found = known_by_key(db, visit.feed, &keys)?;
    let past = past(db, visit, &keys, &found)?;
    let recognised = judge.recognise(&keys, found, &past);
    let baseline = !past.baselined;
    let held = held_entries(db, visit, judge, (&keys, &recognised, &past))?;
    let rest = judge.rest_of_the_first(&keys, &recognised.identities, &past);
    let mut report = CommitReport {
        baseline,
        mass_change: mass_change(&recognised, &held),
        guids_changed: Some(recognised.guids).filter(|guids| *guids != past.guids),
        ..CommitReport::default()
    };
    save_guids(db, visit, &past, &recognised)?;
    let held = held.into_iter().zip(rest).map(|(changed, rest)| match changed {
        _ if baseline || rest => Some(Hold::Baseline),
        true => Some(Hold::MassChange),
        false => None,
    });
    refresh_memory(db, visit.now, judge)?;
    let decided = recognised.identities.into_iter().zip(held);
    for ((entry, keys), (identity, held)) in visit.entries.iter().zip(decided) {
        let mut intake = Intake { db, visit, entry, keys, held };
        let outcome = intake.run(identity, judge, &mut report)?;
        report.entries.push(outcome);
    }
    save_knowledge(db, judge)?;
    save_feed(db, visit, &report)?;
    save_baseline(db, visit, baseline)?;
    if let Some(after) = judge.conclude(visit, &report) {
        save_after(db, visit.feed, &after, visit.now)?;
        report.older_pages = after.older_pages;
    }
    Ok(report)
}

/// What the feed's earlier documents taught. A feed's first document is its
/// baseline, unless it shows entries that are known: then the feed only moved
/// to another URL, perhaps with other GUIDs, links and texts.
fn past(
    db: &Connection,
    visit: &Visit,
    keys: &[EntryKeys],
    found: &[KnownByKey],
) -> rusqlite::Result<FeedPast> {
    let sql = "SELECT baselined, document IS NOT NULL AS visited, guids, guid_signs, \
               last_document, newest_date FROM feed WHERE id = ?";
    let mut past = db.prepare_cached(sql)?.query_row([visit.feed], |row| {
        Ok(FeedPast {
            baselined: row.get("baselined")?,
            unfinished: !row.get::<_, bool>("baselined")? && row.get("visited")?,
            guids: Guids::from_word(&row.get::<_, String>("guids")?),
            guid_signs: row.get("guid_signs")?,
            last_document: optional_time(row, "last_document")?,
            newest_date: optional_time(row, "newest_date")?,
        })
    })?;
    if past.unfinished {
        past.baselined = true;
    } else if !past.baselined {
        let known = found.iter().any(|known| !known.is_empty());
        past.baselined = known || {
            let titles = known_titles(db, visit.feed, keys)?;
            titles.iter().filter(|known| **known).count() * 2 > titles.len()
        };
    }
    Ok(past)
}

fn known_titles(db: &Connection, feed: i64, keys: &[EntryKeys]) -> rusqlite::Result<Vec<bool>> {
    keys.iter().map(|keys| has_title(db, feed, keys.title)).collect()
}

/// Which entries are held back because the feed itself changed.
fn held_entries(
    db: &Connection,
    visit: &Visit,
    judge: &mut dyn Judge,
    (keys, recognised, past): (&[EntryKeys], &Recognised, &FeedPast),
) -> rusqlite::Result<Vec<bool>> {
    // An older page is new to us by its nature.
    if !recognised.suspicious || past.unfinished || visit.scope == Scope::Older {
        return Ok(vec![false; keys.len()]);
    }
    let titles = known_titles(db, visit.feed, keys)?;
    Ok(judge.old_in_new_clothes(keys, &recognised.identities, &titles, past))
}

fn mass_change(recognised: &Recognised, held: &[bool]) -> Option<MassChange> {
    let identities = &recognised.identities;
    let held = held.iter().filter(|held| **held).count();
    let is_new = |identity: &&Identity| matches!(identity, Identity::New(_));
    (held > 0).then(|| MassChange {
        entries: identities.len(),
        looked_new: identities.iter().filter(is_new).count(),
        held,
    })
}

/// Remembers what the GUIDs are worth. Random ones are kept from one document
/// to the next only, to notice if they become stable.
fn save_guids(
    db: &Connection,
    visit: &Visit,
    past: &FeedPast,
    recognised: &Recognised,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE feed SET guid_signs = ?2, guids = ?3, \
         guids_since = CASE WHEN guids <> ?3 THEN ?4 ELSE guids_since END WHERE id = ?1",
    )?
    .execute(params![
        visit.feed,
        recognised.guid_signs,
        recognised.guids.as_str(),
        millis(visit.now)
    ])?;
    if past.guids == Guids::Random && recognised.guids == Guids::Random {
        db.prepare_cached("DELETE FROM entry_key WHERE feed_id = ?1 AND kind = ?2")?
            .execute(params![visit.feed, GUID])?;
        forget_guids(db, visit.feed)?;
    }
    Ok(())
}

fn save_feed(db: &Connection, visit: &Visit, report: &CommitReport) -> rusqlite::Result<()> {
    let news = report.new_entries() > 0;
    match visit.scope {
        Scope::Older => return Ok(()),
        Scope::Pushed => return save_pushed(db, visit, news),
        Scope::Whole | Scope::Partial => {}
    }
    // Part of a document is not what the next whole one is compared with.
    let hash = (visit.scope == Scope::Whole).then_some(&visit.body_hash);
    db.prepare_cached(
        "UPDATE feed SET body_hash = coalesce(?2, body_hash), title = coalesce(title, ?3), \
         last_document = ?4, document = ?5, \
         last_entry = CASE WHEN ?6 THEN ?4 ELSE last_entry END, \
         newest_date = coalesce(max(newest_date, ?7), newest_date, ?7) WHERE id = ?1",
    )?
    .execute(params![
        visit.feed,
        hash,
        visit.title,
        millis(visit.now),
        facts_to_json(&visit.facts),
        news,
        newest_date(visit).map(millis)
    ])?;
    Ok(())
}

/// A first document that breaks off leaves the baseline open, for the next
/// one only: a feed that always breaks off must not stay silent for ever.
fn save_baseline(db: &Connection, visit: &Visit, first: bool) -> rusqlite::Result<()> {
    let open = first && visit.scope == Scope::Partial;
    if !open && !matches!(visit.scope, Scope::Older | Scope::Pushed) {
        db.prepare_cached("UPDATE feed SET baselined = 1 WHERE id = ? AND baselined = 0")?
            .execute([visit.feed])?;
    }
    Ok(())
}
