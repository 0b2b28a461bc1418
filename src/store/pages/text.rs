//! A page's text on its way in: the entry is judged anew.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::PageCommit;
use super::hosts::answered;
use crate::model::{DocumentFacts, Entry, EntryId, Newness, Scope, whole_text};
use crate::store::ingest::{CommitReport, EntryOutcome, Judge, Situation, Visit};
use crate::store::lookup::candidate;
use crate::store::matches::Finder;
use crate::store::rows::{self, millis};
use crate::store::upgrades::tellers;

pub(super) fn take_in(
    db: &Connection,
    commit: &PageCommit,
    judge: &mut dyn Judge,
) -> rusqlite::Result<CommitReport> {
    let mut report = CommitReport::default();
    let id = commit.claim.entry;
    answered(db, &commit.claim.host, (Ok(()), commit.page.bytes), commit.now)?;
    // It may have been forgotten meanwhile.
    let Some((mut entry, feed, story_row)) = entry(db, id)? else { return Ok(report) };
    entry.text = whole_text(&entry, &commit.page.text);
    entry.lang = entry.lang.or_else(|| commit.page.lang.clone());
    db.prepare_cached(
        "UPDATE page SET state = 'read', finished_at = ?2, leased_until = NULL, reason = NULL, \
         bytes = ?3, title = ?4, lang = ?5, text = ?6 WHERE entry_id = ?1",
    )?
    .execute(params![
        id.0,
        millis(commit.now),
        commit.page.bytes as i64,
        commit.page.title,
        commit.page.lang,
        entry.text
    ])?;
    db.prepare_cached("INSERT OR REPLACE INTO entry_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![id.0, judge.words(&entry)])?;
    let Some(known) = candidate(db, story_row)? else { return Ok(report) };
    let tellers = if judge.counts_sources() { tellers(db, &known.id)? } else { Vec::new() };
    let situation = Situation {
        entry: id,
        newness: Newness::New,
        story: &known.id,
        candidate: Some(&known),
        previous: None,
        held: None,
        tellers,
    };
    let judged = judge.judge(&entry, &situation);
    let visit = visit(feed, commit.now);
    let finder = Finder { db, visit: &visit, entry: &entry };
    let told = finder.save_matches(story_row, id, judged, &mut report)?;
    report.entries.push(EntryOutcome {
        id,
        newness: Newness::Known,
        story: Some(known.id.clone()),
        joined: None,
        of: None,
        told,
    });
    Ok(report)
}

/// A visit that brings no document, to say when something was found.
fn visit(feed: i64, now: Timestamp) -> Visit {
    Visit {
        feed,
        url: String::new(),
        now,
        validators: None,
        body_hash: Vec::new(),
        scope: Scope::Partial,
        title: None,
        facts: DocumentFacts::default(),
        entries: Vec::new(),
    }
}

fn entry(db: &Connection, id: EntryId) -> rusqlite::Result<Option<(Entry, i64, i64)>> {
    db.prepare_cached("SELECT * FROM entry WHERE id = ?")?
        .query_row([id.0], |row| Ok((rows::entry(row)?, row.get("feed_id")?, row.get("story_id")?)))
        .optional()
}
