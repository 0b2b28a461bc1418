//! Rows for people: what the listing commands show.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::deliveries::{outlets, story_row};
use super::query::Query;
use super::rows::{optional_time, spans_from_json, time};
use super::upgrades::{tellers, updates};
use super::{Store, StoreError};
use crate::model::{Outlet, Span, StoryId, Teller, UpdateContent};

/// Which rows are wanted; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this feed.
    pub feed: Option<String>,
    /// Of this channel.
    pub channel: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// A feed as `feeds` and `status` show it.
#[derive(Clone, Debug)]
pub struct FeedRow {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The outlet's name.
    pub title: Option<String>,
    /// new, ok, degraded, failing, down, challenged, silent or gone.
    pub health: String,
    /// Since when it is so.
    pub health_since: Option<Timestamp>,
    /// Where it moved to, if it is polled there.
    pub moved_to: Option<String>,
    /// Last visit that went well.
    pub last_success: Option<Timestamp>,
    /// Last request that left.
    pub last_attempt: Option<Timestamp>,
    /// Last time it brought something new.
    pub last_entry: Option<Timestamp>,
    /// Next visit.
    pub next_due: Timestamp,
    /// Failed visits in a row.
    pub failures: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Entries stored.
    pub entries: i64,
    /// trusted, or random: then its GUIDs are ignored.
    pub guids: String,
    /// Since when, if that ever changed.
    pub guids_since: Option<Timestamp>,
}

/// A story as `stories` shows it.
#[derive(Clone, Debug)]
pub struct StoryRow {
    /// Its id.
    pub id: String,
    /// Headline of its latest entry.
    pub title: String,
    /// Link of that entry.
    pub url: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it last changed or was carried anew.
    pub last_seen: Timestamp,
    /// Rules it matched.
    pub rules: Vec<String>,
    /// Who carries it.
    pub outlets: Vec<OutletRow>,
    /// Who tells it, for counting its sources.
    pub tellers: Vec<Teller>,
}

/// An outlet, as the lists show it.
pub type OutletRow = Outlet;

/// An alert as `alerts` shows it.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// The rule's key.
    pub rule: String,
    /// The rule's name for people.
    pub rule_title: String,
    /// How urgent.
    pub severity: String,
    /// The story's id.
    pub story: String,
    /// Headline that matched.
    pub title: String,
    /// Text that matched.
    pub text: String,
    /// Its link.
    pub url: Option<String>,
    /// Evidence.
    pub spans: Vec<Span>,
    /// Whether it hangs on capitals in a headline that has nothing else.
    pub capitals_only: bool,
    /// When it was raised.
    pub created_at: Timestamp,
    /// Who carries the story by now.
    pub outlets: Vec<OutletRow>,
    /// Who tells it, for counting its sources.
    pub tellers: Vec<Teller>,
    /// Channel, recipient and state of each of its own deliveries.
    pub deliveries: Vec<(String, String, String)>,
    /// What followed it.
    pub updates: Vec<UpdateContent>,
}

/// A delivery as `deliveries` shows it.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its id.
    pub id: String,
    /// The alert's id.
    pub alert: String,
    /// The id of the news that follow the alert, if it tells those.
    pub update: Option<String>,
    /// The rule's key.
    pub rule: String,
    /// Headline.
    pub title: String,
    /// The channel.
    pub channel: String,
    /// The address, or empty.
    pub recipient: String,
    /// alert, update, repeat, escalation, reminder, digest or notice.
    pub role: String,
    /// Why it waits, or is not told.
    pub reason: Option<String>,
    /// The digest that it tells, or that told it.
    pub digest: Option<String>,
    /// waiting, sent, failed, suppressed or gathered.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it is or was due.
    pub due_at: Timestamp,
    /// When it was sent or given up.
    pub finished_at: Option<Timestamp>,
    /// What the receiver said last.
    pub last_answer: Option<String>,
}

impl Store {
    /// Feeds of the configuration, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feeds(&self, filter: Filter) -> Result<Vec<FeedRow>, StoreError> {
        self.read(move |db| {
            let mut query = Query::new(
                "SELECT name, url, title, health, health_since, moved_url, last_success, last_attempt, last_entry, \
                 max(next_due, coalesce(blocked_until, 0)) AS due, failures, last_error, guids, guids_since, \
                 (SELECT count(*) FROM entry WHERE feed_id = feed.id) AS entries \
                 FROM feed WHERE active = 1",
            );
            query.equals("name", filter.feed.as_ref()).equals("health", filter.state.as_ref());
            query.since("last_entry", filter.since);
            query.run(db, "ORDER BY name", filter.limit, feed_row)
        })
        .await
    }

    /// Stories, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stories(&self, filter: Filter) -> Result<Vec<StoryRow>, StoreError> {
        self.read(move |db| {
            let mut query = Query::new(
                "SELECT uid, first_seen, last_seen, \
                 (SELECT title FROM entry WHERE story_id = story.id ORDER BY id DESC LIMIT 1) AS title, \
                 (SELECT url FROM entry WHERE story_id = story.id ORDER BY id DESC LIMIT 1) AS url \
                 FROM story WHERE EXISTS (SELECT 1 FROM entry WHERE story_id = story.id)",
            );
            query.since("first_seen", filter.since);
            query.exists("match WHERE story_id = story.id AND rule", filter.rule.as_ref());
            query.exists(
                "entry JOIN feed ON feed.id = feed_id WHERE story_id = story.id AND feed.name",
                filter.feed.as_ref(),
            );
            let mut rows =
                query.run(db, "ORDER BY first_seen DESC, id DESC", filter.limit, story)?;
            for row in &mut rows {
                let id = story_row(db, &row.id)?.unwrap_or_default();
                row.outlets = outlets(db, id)?;
                row.tellers = tellers(db, &StoryId::new(row.id.as_str()))?;
                row.rules = strings(db, "SELECT rule FROM match WHERE story_id = ?", id)?;
            }
            Ok(rows)
        })
        .await
    }

    /// Alerts, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alerts(&self, filter: Filter) -> Result<Vec<AlertRow>, StoreError> {
        self.read(move |db| {
            let mut query = Query::new(
                "SELECT alert.id, alert.uid, rule, rule_title, severity, story.uid AS story, \
                 match.title, match.text, entry.url, spans, capitals_only, alert.created_at, match.story_id \
                 FROM alert JOIN match ON match.id = alert.match_id \
                 JOIN story ON story.id = match.story_id JOIN entry ON entry.id = match.entry_id \
                 WHERE 1",
            );
            query.since("alert.created_at", filter.since).equals("rule", filter.rule.as_ref());
            query.exists(
                "delivery WHERE alert_id = alert.id AND delivery.state",
                filter.state.as_ref(),
            );
            query.exists(
                "delivery WHERE alert_id = alert.id AND delivery.channel",
                filter.channel.as_ref(),
            );
            query.exists(
                "entry e JOIN feed ON feed.id = e.feed_id \
                 WHERE e.story_id = match.story_id AND feed.name",
                filter.feed.as_ref(),
            );
            let rows = query.run(
                db,
                "ORDER BY alert.created_at DESC, alert.id DESC",
                filter.limit,
                |row| Ok((row.get::<_, i64>("id")?, row.get::<_, i64>("story_id")?, alert(row)?)),
            )?;
            rows.into_iter()
                .map(|(id, story, mut row)| {
                    row.outlets = outlets(db, story)?;
                    row.tellers = tellers(db, &StoryId::new(row.story.as_str()))?;
                    row.deliveries = alert_deliveries(db, id)?;
                    row.updates = updates(db, id)?;
                    Ok(row)
                })
                .collect()
        })
        .await
    }

    /// Deliveries, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, filter: Filter) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(move |db| {
            let mut query = Query::new(
                "SELECT delivery.uid, coalesce(alert.uid, message.uid, digest.uid) AS alert, delivery.role, delivery.reason, \
                 coalesce(digest.uid, (SELECT uid FROM digest WHERE id = gathered_in)) AS digest, \
                 (SELECT uid FROM alert_update WHERE id = update_id) AS update_uid, \
                 coalesce(rule, 'wirewatch') AS rule, coalesce(match.title, \
                   (SELECT subject FROM notice WHERE message_id = message.id LIMIT 1), \
                   CASE WHEN delivery.digest_id IS NOT NULL THEN (SELECT count(*) FROM delivery d \
                     WHERE d.gathered_in = delivery.digest_id) || ' alerts' END, \
                   'notices') AS title, channel, recipient, \
                 delivery.state, attempts, delivery.created_at, due_at, finished_at, last_answer \
                 FROM delivery LEFT JOIN alert ON alert.id = delivery.alert_id \
                 LEFT JOIN match ON match.id = alert.match_id \
                 LEFT JOIN notice_message message ON message.id = notice_message_id \
                 LEFT JOIN digest ON digest.id = delivery.digest_id WHERE 1",
            );
            query.since("delivery.created_at", filter.since).equals("rule", filter.rule.as_ref());
            query.equals("delivery.state", filter.state.as_ref());
            query.equals("channel", filter.channel.as_ref());
            query.exists(
                "entry JOIN feed ON feed.id = entry.feed_id \
                 WHERE entry.story_id = match.story_id AND feed.name",
                filter.feed.as_ref(),
            );
            query.run(
                db,
                "ORDER BY delivery.created_at DESC, delivery.id DESC",
                filter.limit,
                delivery,
            )
        })
        .await
    }
}

fn feed_row(row: &Row<'_>) -> rusqlite::Result<FeedRow> {
    Ok(FeedRow {
        name: row.get("name")?,
        url: row.get("url")?,
        title: row.get("title")?,
        health: row.get("health")?,
        health_since: optional_time(row, "health_since")?,
        moved_to: row.get("moved_url")?,
        last_success: optional_time(row, "last_success")?,
        last_attempt: optional_time(row, "last_attempt")?,
        last_entry: optional_time(row, "last_entry")?,
        next_due: time(row, "due")?,
        failures: row.get("failures")?,
        last_error: row.get("last_error")?,
        entries: row.get("entries")?,
        guids: row.get("guids")?,
        guids_since: optional_time(row, "guids_since")?,
    })
}

fn story(row: &Row<'_>) -> rusqlite::Result<StoryRow> {
    Ok(StoryRow {
        id: row.get("uid")?,
        title: row.get::<_, Option<String>>("title")?.unwrap_or_default(),
        url: row.get("url")?,
        first_seen: time(row, "first_seen")?,
        last_seen: time(row, "last_seen")?,
        rules: Vec::new(),
        outlets: Vec::new(),
        tellers: Vec::new(),
    })
}

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    Ok(AlertRow {
        id: row.get("uid")?,
        rule: row.get("rule")?,
        rule_title: row.get("rule_title")?,
        severity: row.get("severity")?,
        story: row.get("story")?,
        title: row.get("title")?,
        text: row.get("text")?,
        url: row.get("url")?,
        spans: spans_from_json(&row.get::<_, String>("spans")?),
        capitals_only: row.get("capitals_only")?,
        created_at: time(row, "created_at")?,
        outlets: Vec::new(),
        tellers: Vec::new(),
        deliveries: Vec::new(),
        updates: Vec::new(),
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get("uid")?,
        alert: row.get("alert")?,
        update: row.get("update_uid")?,
        rule: row.get("rule")?,
        title: row.get("title")?,
        channel: row.get("channel")?,
        recipient: row.get("recipient")?,
        role: row.get("role")?,
        reason: row.get("reason")?,
        digest: row.get("digest")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        created_at: time(row, "created_at")?,
        due_at: time(row, "due_at")?,
        finished_at: optional_time(row, "finished_at")?,
        last_answer: row.get("last_answer")?,
    })
}

fn alert_deliveries(
    db: &Connection,
    alert: i64,
) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut select = db.prepare_cached(
        "SELECT channel, recipient, state FROM delivery \
         WHERE alert_id = ? AND role = 'alert' ORDER BY id",
    )?;
    let rows = select.query_map([alert], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn strings(db: &Connection, sql: &str, id: i64) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(sql)?.query_map([id], |row| row.get(0))?.collect()
}
