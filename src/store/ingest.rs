//! A visit's entries, what was decided about them, and the feed's validators:
//! one transaction. Decisions are made inside it, so that two feeds that bring
//! one story at the same time cannot both find it new.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::facts::facts_to_json;
use super::intake::Intake;
use super::lookup::known_by_key;
use super::rows::millis;
use super::visits::{is_still_at, save_after};
use super::{Store, StoreError};
use crate::model::{
    AlertId, AlertState, DocumentFacts, Entry, EntryKeys, FeedAfter, Identity, KnownByKey, Match,
    Newness, PlannedAlert, RuleName, Scope, StoriesByKey, StoryCandidate, StoryId, StoryRef,
    Validators,
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
    /// Whether it was seen before.
    pub newness: Newness,
    /// Its story.
    pub story: &'a StoryId,
    /// What is stored of that story, unless it is new.
    pub candidate: Option<&'a StoryCandidate>,
    /// Title and text that a revision replaces.
    pub previous: Option<(String, String)>,
    /// Whether this is the feed's first document.
    pub baseline: bool,
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

/// Makes the decisions; the store only asks.
pub trait Judge: Send {
    /// Which stored entry this is.
    fn identify(&mut self, keys: &EntryKeys, known: KnownByKey) -> Identity;
    /// Which story a new entry belongs to.
    fn story(
        &mut self,
        keys: &EntryKeys,
        candidates: StoriesByKey,
    ) -> (StoryRef, Option<StoryCandidate>);
    /// Which rules a new or revised entry matches, and what follows.
    fn judge(&mut self, entry: &Entry, situation: &Situation<'_>) -> Vec<JudgedMatch>;
    /// What the visit leaves on its feed; `None` leaves the feed as it is.
    fn conclude(&mut self, visit: &Visit, report: &CommitReport) -> Option<FeedAfter>;
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryOutcome {
    /// New, known or revised.
    pub newness: Newness,
    /// Its story.
    pub story: StoryId,
    /// Alerts raised because of it.
    pub alerts: Vec<(RuleName, AlertId)>,
}

/// Placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassChange {
    /// x
    pub held: usize,
}

/// What became of a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// In the order of [`Visit::entries`].
    pub entries: Vec<EntryOutcome>,
    /// Stories that began.
    pub new_stories: usize,
    /// Matches recorded, told or held back.
    pub matches: usize,
    /// Deliveries planned.
    pub deliveries: usize,
    /// Whether this was the feed's first document.
    pub baseline: bool,
    /// Most of the feed looked new at once, and not because time went by.
    pub mass_change: Option<MassChange>,
    /// Older pages to be read now, because entries may have been missed.
    pub older_pages: Option<String>,
}

impl CommitReport {
    /// Entries never seen before.
    pub fn new_entries(&self) -> usize {
        self.entries.iter().filter(|entry| entry.newness == Newness::New).count()
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
            let baseline = is_baseline(db, &visit)?;
            let mut report = CommitReport { baseline, ..CommitReport::default() };
            for (entry, keys) in &visit.entries {
                let mut intake = Intake { db, visit: &visit, entry, keys, baseline };
                let outcome = intake.run(judge.as_mut(), &mut report)?;
                report.entries.push(outcome);
            }
            save_feed(db, &visit, &report)?;
            if let Some(after) = judge.conclude(&visit, &report) {
                save_after(db, visit.feed, &after, visit.now)?;
                report.older_pages = after.older_pages;
            }
            Ok(report)
        })
        .await
    }
}

/// A feed's first document is its baseline, unless it shows entries that are
/// known: then the feed only moved to another URL.
fn is_baseline(db: &Connection, visit: &Visit) -> rusqlite::Result<bool> {
    let baselined: bool =
        db.query_row("SELECT baselined FROM feed WHERE id = ?", [visit.feed], |row| row.get(0))?;
    if baselined {
        return Ok(false);
    }
    for (_, keys) in &visit.entries {
        let known = known_by_key(db, visit.feed, keys)?;
        if known.guid.is_some() || known.link.is_some() || known.content.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn save_feed(db: &Connection, visit: &Visit, report: &CommitReport) -> rusqlite::Result<()> {
    let news = report.new_entries() > 0;
    if visit.scope == Scope::Older {
        return Ok(());
    }
    // Part of a document is not what the next whole one is compared with.
    let hash = (visit.scope == Scope::Whole).then_some(&visit.body_hash);
    db.prepare_cached(
        "UPDATE feed SET body_hash = coalesce(?2, body_hash), title = coalesce(title, ?3), \
         baselined = 1, last_document = ?4, document = ?5, \
         last_entry = CASE WHEN ?6 THEN ?4 ELSE last_entry END WHERE id = ?1",
    )?
    .execute(params![
        visit.feed,
        hash,
        visit.title,
        millis(visit.now),
        facts_to_json(&visit.facts),
        news
    ])?;
    Ok(())
}
