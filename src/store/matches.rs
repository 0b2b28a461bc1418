//! What rules found in an entry, and the alerts that follow.

use rusqlite::{Connection, params};

use super::ingest::{CommitReport, Judged, JudgedMatch, Told, Visit};
use super::rows::{millis, spans_to_json};
use super::upgrades::{save_alert, save_upgrades};
use crate::model::{Entry, EntryId};

/// An entry whose matches are recorded.
pub(super) struct Finder<'a> {
    pub(super) db: &'a Connection,
    pub(super) visit: &'a Visit,
    pub(super) entry: &'a Entry,
}

impl Finder<'_> {
    pub(super) fn save_matches(
        &self,
        story: i64,
        entry: EntryId,
        judged: Judged,
        report: &mut CommitReport,
    ) -> rusqlite::Result<Told> {
        let mut told = save_upgrades(self.db, self.visit, story, judged.upgrades, report)?;
        for judged in judged.matches {
            let row = self.save_match(story, entry, &judged)?;
            report.matches += 1;
            if let Some(alert) = judged.alert
                && let Some(deliveries) = save_alert(self.db, row, &alert, self.visit.now)?
            {
                report.deliveries += deliveries;
                told.alerts.push((alert.rule, alert.id));
            }
        }
        Ok(told)
    }

    /// A match that was held back and now is told takes over the row: state
    /// and evidence are those of the entry that made the difference.
    fn save_match(
        &self,
        story: i64,
        entry: EntryId,
        judged: &JudgedMatch,
    ) -> rusqlite::Result<i64> {
        self.db
            .prepare_cached(
                "INSERT INTO match (rule, story_id, entry_id, matched_at, state, title, text, spans, \
                 capitals_only) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT (rule, story_id) DO UPDATE SET entry_id = excluded.entry_id, \
                 matched_at = excluded.matched_at, state = excluded.state, \
                 title = excluded.title, text = excluded.text, spans = excluded.spans, \
                 capitals_only = excluded.capitals_only \
                 RETURNING id",
            )?
            .query_row(
                params![
                    judged.found.rule.as_str(),
                    story,
                    entry.0,
                    millis(self.visit.now),
                    judged.state.as_str(),
                    self.entry.title,
                    self.entry.text,
                    spans_to_json(&judged.found.spans),
                    judged.found.capitals_only
                ],
                |row| row.get(0),
            )
    }
}
