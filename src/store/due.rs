//! Deliveries of alerts that are due, and what deciding about them needs to know.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::rows::{millis, optional_time, time};
use crate::model::{
    AlertId, ChannelName, DeliveryId, Due, FeedName, Role, RuleName, Severity, StoryId,
};

/// Before the key of a digest whose members are decided about anew.
pub(super) const RELEASED: &str = "again:";

/// A delivery of an alert that is due.
pub(super) struct Found {
    pub(super) row: i64,
    pub(super) id: DeliveryId,
    /// Whether it was not tried before.
    pub(super) new: bool,
    pub(super) due: Due,
}

pub(super) fn found(channel: &ChannelName, row: &Row<'_>) -> rusqlite::Result<Found> {
    let (severity, role): (String, String) = (row.get("severity")?, row.get("role")?);
    let gathered: Option<String> = row.get("gather")?;
    Ok(Found {
        row: row.get("id")?,
        id: DeliveryId::new(row.get::<_, String>("uid")?),
        new: row.get::<_, Option<i64>>("first_try")?.is_none(),
        due: Due {
            channel: channel.clone(),
            recipient: row.get("recipient")?,
            rule: RuleName::new(row.get::<_, String>("rule")?),
            severity: Severity::from_word(&severity).unwrap_or_default(),
            role: Role::from_word(&role).unwrap_or_default(),
            story: StoryId::new(row.get::<_, String>("story_uid")?),
            alert: AlertId::new(row.get::<_, String>("alert_uid")?),
            feed: FeedName::new(row.get::<_, String>("feed")?),
            released: gathered.as_ref().is_some_and(|key| key.starts_with(RELEASED)),
            gathered,
            acknowledged: row.get("acknowledged")?,
            snoozed: optional_time(row, "snoozed")?,
            told: Vec::new(),
            told_of_rule: None,
            superseded: row.get("superseded")?,
        },
    })
}

/// When a receiver was first told each of the last things, the oldest first.
pub(super) fn told(
    db: &Connection,
    receiver: (&str, &str),
    limit: usize,
) -> rusqlite::Result<Vec<Timestamp>> {
    let mut select = db.prepare_cached(
        "SELECT first_try FROM delivery WHERE channel = ?1 AND recipient = ?2 \
         AND first_try IS NOT NULL AND role <> 'notice' AND state <> 'gathered' \
         ORDER BY first_try DESC LIMIT ?3",
    )?;
    let arguments = params![receiver.0, receiver.1, limit as i64];
    let rows = select.query_map(arguments, |row| time(row, "first_try"))?;
    let mut told = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    told.reverse();
    Ok(told)
}

/// When a receiver was last told of a rule, by a message of its own or a digest.
pub(super) fn told_of_rule(
    db: &Connection,
    receiver: (&str, &str),
    rule: &RuleName,
    since: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    db.prepare_cached(
        "SELECT max(first_try) AS told FROM delivery \
         JOIN alert ON alert.id = delivery.alert_id JOIN match ON match.id = alert.match_id \
         WHERE delivery.channel = ?1 AND recipient = ?2 AND first_try > ?4 AND rule = ?3",
    )?
    .query_row(params![receiver.0, receiver.1, rule.as_str(), millis(since)], |row| {
        optional_time(row, "told")
    })
}

/// Deliveries of alerts, and what deciding about them needs to know: ?1 is the
/// channel, ?2 the time.
const ALL: &str = "SELECT delivery.id, delivery.uid, delivery.recipient, delivery.role, \
     delivery.gather, delivery.first_try, alert.severity, match.rule, story.uid AS story_uid, \
     alert.uid AS alert_uid, feed.name AS feed, \
     (SELECT author FROM feedback WHERE alert_id = alert.id AND kind <> 'snoozed' \
       ORDER BY id LIMIT 1) AS acknowledged, \
     delivery.role = 'repeat' AND EXISTS (SELECT 1 FROM delivery other \
       WHERE other.alert_id = delivery.alert_id AND other.channel = delivery.channel \
       AND other.recipient = delivery.recipient AND other.state = 'waiting' \
       AND (other.role = 'alert' OR (other.role = 'repeat' AND other.due_at <= ?2 \
         AND other.id > delivery.id))) AS superseded, \
     (SELECT max(until) FROM feedback WHERE alert_id = alert.id AND kind = 'snoozed') AS snoozed \
     FROM delivery JOIN alert ON alert.id = delivery.alert_id \
     JOIN match ON match.id = alert.match_id JOIN story ON story.id = match.story_id \
     JOIN entry ON entry.id = match.entry_id JOIN feed ON feed.id = entry.feed_id";

/// Of those, what a channel has to send.
pub(super) fn due() -> String {
    format!(
        "{ALL} WHERE delivery.channel = ?1 AND delivery.state = 'waiting' \
         AND (delivery.leased_until IS NULL OR delivery.leased_until <= ?2)"
    )
}

/// What a digest told.
pub(super) fn gathered_in(
    db: &Connection,
    channel: &ChannelName,
    digest: i64,
    now: Timestamp,
) -> rusqlite::Result<Vec<Found>> {
    let mut select = db.prepare_cached(&format!(
        "{ALL} WHERE delivery.channel = ?1 AND delivery.gathered_in = ?3 ORDER BY delivery.id"
    ))?;
    let arguments = params![channel.as_str(), millis(now), digest];
    select.query_map(arguments, |row| found(channel, row))?.collect()
}
