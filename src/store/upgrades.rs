//! Alerts as they are raised, and the news that follow them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ingest::{CommitReport, Told, Visit};
use super::rows::{millis, time};
use super::{Store, StoreError};
use crate::model::{
    AlertState, PlannedAlert, PlannedDelivery, PlannedUpdate, StoryId, Teller, UpdateContent,
    UpdateId, Upgrade, Upgrades,
};

/// Stores an alert for a match, with its deliveries. Returns how many; `None`
/// when there is an alert of this id, which a correction of stories took
/// elsewhere.
pub(super) fn save_alert(
    db: &Connection,
    match_row: i64,
    alert: &PlannedAlert,
    now: Timestamp,
) -> rusqlite::Result<Option<usize>> {
    let row: Option<i64> = db
        .prepare_cached(
            "INSERT INTO alert (uid, match_id, rule_title, severity, created_at, sources) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (uid) DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                alert.id.as_str(),
                match_row,
                alert.rule_title,
                alert.severity.as_str(),
                millis(now),
                alert.sources
            ],
            |row| row.get(0),
        )
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    save_deliveries(db, (row, None), &alert.deliveries, now)?;
    Ok(Some(alert.deliveries.len()))
}

fn save_deliveries(
    db: &Connection,
    (alert, update): (i64, Option<i64>),
    deliveries: &[PlannedDelivery],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO delivery \
         (uid, alert_id, update_id, channel, recipient, created_at, due_at, role) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for delivery in deliveries {
        insert.execute(params![
            delivery.id.as_str(),
            alert,
            update,
            delivery.channel.as_str(),
            delivery.recipient,
            millis(now),
            millis(delivery.due_at),
            delivery.role.as_str()
        ])?;
    }
    Ok(())
}

/// Stores what a telling did to the matches that its story had.
pub(super) fn save_upgrades(
    db: &Connection,
    visit: &Visit,
    story: i64,
    upgrades: Upgrades,
    report: &mut CommitReport,
) -> rusqlite::Result<Told> {
    for (alert, sources) in upgrades.counted {
        db.prepare_cached("UPDATE alert SET sources = max(sources, ?2) WHERE uid = ?1")?
            .execute(params![alert.as_str(), sources])?;
    }
    let mut told = Told::default();
    for upgrade in upgrades.told {
        match upgrade {
            Upgrade::Raise(alert) => {
                let state = AlertState::Raised.as_str();
                let row = db
                    .prepare_cached(
                        "UPDATE match SET state = ?3 WHERE rule = ?1 AND story_id = ?2 RETURNING id",
                    )?
                    .query_row(params![alert.rule.as_str(), story, state], |row| row.get(0))?;
                if let Some(deliveries) = save_alert(db, row, &alert, visit.now)? {
                    report.deliveries += deliveries;
                    told.alerts.push((alert.rule, alert.id));
                }
            }
            Upgrade::Tell(update) => {
                if let Some(deliveries) = save_update(db, &update, visit.now)? {
                    report.deliveries += deliveries;
                    told.updates.push((update.rule, update.id));
                }
            }
        }
    }
    Ok(told)
}

/// The number of deliveries; `None` for the same news again, by whomever.
fn save_update(
    db: &Connection,
    update: &PlannedUpdate,
    now: Timestamp,
) -> rusqlite::Result<Option<usize>> {
    let saved: Option<(i64, i64)> = db
        .prepare_cached(
            "INSERT INTO alert_update (uid, alert_id, at, kind, text, sources, title, url, outlet) \
             SELECT ?1, alert.id, ?3, ?4, ?5, alert.sources, entry.title, entry.url, \
               coalesce(feed.title, feed.name) \
             FROM alert, entry JOIN feed ON feed.id = entry.feed_id \
             WHERE alert.uid = ?2 AND entry.id = ?6 \
             ON CONFLICT (uid) DO NOTHING RETURNING id, alert_id",
        )?
        .query_row(
            params![
                update.id.as_str(),
                update.alert.as_str(),
                millis(now),
                update.kind,
                update.text,
                update.entry.0
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((row, alert)) = saved else { return Ok(None) };
    save_deliveries(db, (alert, Some(row)), &update.deliveries, now)?;
    Ok(Some(update.deliveries.len()))
}

/// Who tells a story, for counting its sources, in order.
pub(super) fn tellers(db: &Connection, story: &StoryId) -> rusqlite::Result<Vec<Teller>> {
    let mut select = db.prepare_cached(
        "SELECT coalesce(telling.outlet, feed.name) AS outlet, agency, \
         coalesce(text_of, entry.id) AS text_of FROM entry \
         JOIN story ON story.id = entry.story_id JOIN feed ON feed.id = entry.feed_id \
         LEFT JOIN telling ON telling.entry_id = entry.id WHERE story.uid = ? ORDER BY entry.id",
    )?;
    select.query_map([story.as_str()], teller)?.collect()
}

pub(super) fn teller(row: &Row<'_>) -> rusqlite::Result<Teller> {
    Ok(Teller { outlet: row.get("outlet")?, agency: row.get("agency")?, text: row.get("text_of")? })
}

/// What followed an alert, in order.
pub(super) fn updates(db: &Connection, alert: i64) -> rusqlite::Result<Vec<UpdateContent>> {
    let mut select =
        db.prepare_cached("SELECT * FROM alert_update WHERE alert_id = ? ORDER BY id")?;
    select.query_map([alert], update)?.collect()
}

/// One of them by its row.
pub(super) fn update_by_row(db: &Connection, row: i64) -> rusqlite::Result<UpdateContent> {
    db.prepare_cached("SELECT * FROM alert_update WHERE id = ?")?.query_row([row], update)
}

fn update(row: &Row<'_>) -> rusqlite::Result<UpdateContent> {
    Ok(UpdateContent {
        id: UpdateId::new(row.get::<_, String>("uid")?),
        kind: row.get("kind")?,
        text: row.get("text")?,
        at: time(row, "at")?,
        sources: row.get("sources")?,
        title: row.get("title")?,
        url: row.get("url")?,
        outlet: row.get("outlet")?,
    })
}

/// What became of a rule that a story matched.
#[derive(Clone, Debug)]
pub struct StoryMatch {
    /// The rule.
    pub rule: String,
    /// See [`AlertState::as_str`].
    pub state: String,
    /// When it matched.
    pub at: Timestamp,
    /// The alert's id, if one was raised.
    pub alert: Option<String>,
    /// What followed it.
    pub updates: Vec<UpdateContent>,
}

impl Store {
    /// The rules that a story matched and what became of each, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn story_matches(&self, story: String) -> Result<Vec<StoryMatch>, StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT rule, state, matched_at, alert.id AS alert_row, alert.uid FROM match \
                 JOIN story ON story.id = match.story_id \
                 LEFT JOIN alert ON alert.match_id = match.id WHERE story.uid = ? ORDER BY match.id",
            )?;
            let rows = select.query_map([story], |row| {
                let alert: Option<i64> = row.get("alert_row")?;
                Ok(StoryMatch {
                    rule: row.get("rule")?,
                    state: row.get("state")?,
                    at: time(row, "matched_at")?,
                    alert: row.get("uid")?,
                    updates: alert.map_or(Ok(Vec::new()), |alert| updates(db, alert))?,
                })
            })?;
            rows.collect()
        })
        .await
    }
}
