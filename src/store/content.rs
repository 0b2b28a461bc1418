//! What a delivery carries, read for its try: an alert, notices, or a digest.

use rusqlite::{Connection, Row, params};

use super::deliveries::outlets;
use super::notices::message;
use super::rows::{optional_time, outlets_from_json, outlets_to_json, spans_from_json, time};
use super::upgrades::update_by_row;
use crate::model::{
    AlertContent, AlertId, ChannelName, Content, Delivery, DeliveryId, DigestContent, Role,
    RuleName, Severity, StoryId,
};

/// Alerts whose content a digest carries; the others are counted.
const SHOWN: i64 = 200;

const ALERT: &str = "SELECT alert.uid AS alert_uid, alert.rule_title, alert.severity, \
     alert.created_at AS alerted_at, match.rule, match.title, match.text, match.spans, \
     match.capitals_only, match.story_id, story.uid AS story_uid, entry.url, entry.published \
     FROM alert JOIN match ON match.id = alert.match_id JOIN story ON story.id = match.story_id \
     JOIN entry ON entry.id = match.entry_id WHERE alert.id = ?";

/// A delivery with what it carries. The first call fixes who carries the story.
pub(super) fn delivery(db: &Connection, row: i64) -> rusqlite::Result<Delivery> {
    let mut select = db.prepare_cached(
        "SELECT uid, alert_id, notice_message_id, digest_id, update_id, role, channel, recipient, \
         attempts, created_at, outlets FROM delivery WHERE id = ?",
    )?;
    select.query_row([row], |found| {
        let alert: Option<i64> = found.get("alert_id")?;
        let digest: Option<i64> = found.get("digest_id")?;
        let content = match (alert, digest) {
            (Some(alert), _) => Content::Alert(Box::new(alert_of(db, row, alert, found)?)),
            (None, Some(digest)) => Content::Digest(Box::new(digest_of(db, digest)?)),
            (None, None) => Content::Notices(message(db, found.get("notice_message_id")?)?),
        };
        Ok(Delivery {
            id: DeliveryId::new(found.get::<_, String>("uid")?),
            channel: ChannelName::new(found.get::<_, String>("channel")?),
            recipient: found.get("recipient")?,
            attempts: found.get("attempts")?,
            created_at: time(found, "created_at")?,
            content,
        })
    })
}

/// An alert as one of its deliveries tells it; the first one fixes who carries
/// the story.
fn alert_of(
    db: &Connection,
    row: i64,
    alert: i64,
    delivery: &Row<'_>,
) -> rusqlite::Result<AlertContent> {
    let role: String = delivery.get("role")?;
    let mut content = alert_content(db, alert)?;
    content.role = Role::from_word(&role).unwrap_or_default();
    if let Some(update) = delivery.get("update_id")? {
        content.update = Some(update_by_row(db, update)?);
    }
    match delivery.get::<_, Option<String>>("outlets")? {
        Some(frozen) => content.outlets = outlets_from_json(&frozen),
        None => {
            db.prepare_cached("UPDATE delivery SET outlets = ?2 WHERE id = ?1")?
                .execute(params![row, outlets_to_json(&content.outlets)])?;
        }
    }
    Ok(content)
}

fn alert_content(db: &Connection, alert: i64) -> rusqlite::Result<AlertContent> {
    db.prepare_cached(ALERT)?.query_row([alert], |row| {
        let severity: String = row.get("severity")?;
        Ok(AlertContent {
            alert: AlertId::new(row.get::<_, String>("alert_uid")?),
            rule: RuleName::new(row.get::<_, String>("rule")?),
            rule_title: row.get("rule_title")?,
            severity: Severity::from_word(&severity).unwrap_or_default(),
            story: StoryId::new(row.get::<_, String>("story_uid")?),
            title: row.get("title")?,
            text: row.get("text")?,
            url: row.get("url")?,
            published: optional_time(row, "published")?,
            created_at: time(row, "alerted_at")?,
            spans: spans_from_json(&row.get::<_, String>("spans")?),
            capitals_only: row.get("capitals_only")?,
            outlets: outlets(db, row.get("story_id")?)?,
            role: Role::Alert,
            update: None,
        })
    })
}

/// The most urgent alerts of a digest, each as its first try told it.
fn digest_of(db: &Connection, digest: i64) -> rusqlite::Result<DigestContent> {
    let mut select = db.prepare_cached(
        "SELECT delivery.id, alert_id, update_id, role, outlets FROM delivery \
         JOIN alert ON alert.id = alert_id WHERE gathered_in = ?1 \
         ORDER BY CASE severity WHEN 'high' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, delivery.id \
         LIMIT ?2",
    )?;
    let alerts = select.query_map(params![digest, SHOWN], |row| {
        alert_of(db, row.get("id")?, row.get("alert_id")?, row)
    })?;
    let alerts = alerts.collect::<rusqlite::Result<Vec<_>>>()?;
    let total: i64 = db
        .prepare_cached("SELECT count(*) FROM delivery WHERE gathered_in = ?")?
        .query_row([digest], |row| row.get(0))?;
    db.prepare_cached("SELECT uid, created_at, key, reason FROM digest WHERE id = ?")?.query_row(
        [digest],
        |row| {
            Ok(DigestContent {
                id: row.get("uid")?,
                key: row.get("key")?,
                reason: row.get("reason")?,
                created_at: time(row, "created_at")?,
                total: usize::try_from(total).unwrap_or_default(),
                alerts,
            })
        },
    )
}
