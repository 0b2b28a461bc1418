//! A visit's entries, what was decided about them, and the feed's validators:
//! one transaction. Decisions are made inside it, so that two feeds that bring
//! one story at the same time cannot both find it new.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::feeds::save_validators;
use super::intake::Intake;
use super::lookup::known_by_key;
use super::rows::millis;
use super::{Store, StoreError};
use crate::model::{
    AlertId, AlertState, Entry, EntryKeys, FeedHealth, Identity, KnownByKey, Match, Newness,
    PlannedAlert, RuleName, StoriesByKey, StoryCandidate, StoryId, StoryRef, Validators,
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
    /// The document's own title, used where the configuration gives none.
    pub title: Option<String>,
    /// When the feed is next due.
    pub next_due: Timestamp,
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
            if !super::feeds::is_still_at(db, visit.feed, &visit.url)? {
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
    let news = report.entries.iter().any(|entry| entry.newness == Newness::New);
    db.execute(
        "UPDATE feed SET health = ?2, body_hash = ?3, title = coalesce(title, ?4), next_due = ?5, \
         baselined = 1, failures = 0, last_document = ?6, last_error = NULL, last_success = ?6, leased_until = NULL, \
         last_entry = CASE WHEN ?7 THEN ?6 ELSE last_entry END WHERE id = ?1",
        params![
            visit.feed,
            FeedHealth::Ok.as_str(),
            visit.body_hash,
            visit.title,
            millis(visit.next_due),
            millis(visit.now),
            news
        ],
    )?;
    save_validators(db, visit.feed, visit.validators.as_ref())
}
