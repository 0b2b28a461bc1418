//! All that is kept, as JSON: for other programs, and for archives that outlive
//! this one. The objects are put together by SQLite, a chunk at a time.

use serde_json::Value;

use super::{Store, StoreError};

/// Rows read at a time.
const CHUNK: i64 = 500;

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// Stories with the entries that tell them.
    Stories,
    /// Matches with their evidence and alert.
    Matches,
    /// Deliveries with each try.
    Deliveries,
}

impl Exported {
    fn sql(self) -> String {
        let sql = match self {
            Self::Stories => STORIES,
            Self::Matches => MATCHES,
            Self::Deliveries => DELIVERIES,
        };
        // RFC 3339 in UTC, to the millisecond; null stays null.
        let mut text = String::new();
        for (index, part) in sql.split('@').enumerate() {
            match part.split_once('!').filter(|_| index > 0) {
                Some((column, rest)) => {
                    text +=
                        &format!("strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch')");
                    text += rest;
                }
                None => text += part,
            }
        }
        text
    }
}

impl Store {
    /// The next objects behind row `after` (0 at first) and not before `since`, and
    /// the row to go on behind; none when there are no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(
        &self,
        what: Exported,
        after: i64,
        since: i64,
    ) -> Result<(Vec<Value>, Option<i64>), StoreError> {
        self.read(move |db| {
            let mut select = db.prepare_cached(&what.sql())?;
            let rows = select.query_map([after, since, CHUNK], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut objects = Vec::new();
            let mut last = None;
            for row in rows {
                let (id, text) = row?;
                last = Some(id);
                let object = serde_json::from_str(&text).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(
                        1,
                        rusqlite::types::Type::Text,
                        Box::new(error),
                    )
                })?;
                objects.push(object);
            }
            Ok((objects, last))
        })
        .await
    }
}

/// `@column!` stands for a time.
const STORIES: &str = "SELECT story.id, json_object('type', 'story', 'id', story.uid, \
     'first_seen', @story.first_seen!, 'last_seen', @story.last_seen!, \
     'entries', json((SELECT json_group_array(json_object('feed', feed.name, 'guid', entry.guid, \
       'url', entry.url, 'title', entry.title, 'text', entry.text, \
       'authors', json(entry.authors), 'categories', json(entry.categories), 'lang', entry.lang, \
       'published', @entry.published!, 'updated', @entry.updated!, \
       'first_seen', @entry.first_seen!, 'last_seen', @entry.last_seen!, \
       'version', entry.version)) \
       FROM entry JOIN feed ON feed.id = entry.feed_id WHERE entry.story_id = story.id))) \
     FROM story WHERE story.id > ?1 AND story.last_seen >= ?2 ORDER BY story.id LIMIT ?3";

const MATCHES: &str = "SELECT match.id, json_object('type', 'match', 'rule', match.rule, \
     'story', story.uid, 'feed', feed.name, 'url', entry.url, 'matched_at', @match.matched_at!, \
     'state', match.state, 'title', match.title, 'text', match.text, 'spans', json(match.spans), \
     'alert', json((SELECT json_object('id', alert.uid, 'severity', alert.severity, \
       'created_at', @alert.created_at!) FROM alert WHERE alert.match_id = match.id))) \
     FROM match JOIN story ON story.id = match.story_id JOIN entry ON entry.id = match.entry_id \
     JOIN feed ON feed.id = entry.feed_id \
     WHERE match.id > ?1 AND match.matched_at >= ?2 ORDER BY match.id LIMIT ?3";

const DELIVERIES: &str = "SELECT delivery.id, json_object('type', 'delivery', 'id', delivery.uid, \
     'role', delivery.role, 'channel', delivery.channel, 'recipient', delivery.recipient, \
     'alert', (SELECT uid FROM alert WHERE id = delivery.alert_id), \
     'digest', (SELECT uid FROM digest WHERE id = coalesce(delivery.digest_id, delivery.gathered_in)), \
     'state', delivery.state, 'reason', delivery.reason, \
     'created_at', @delivery.created_at!, 'due_at', @delivery.due_at!, \
     'finished_at', @delivery.finished_at!, 'last_answer', delivery.last_answer, \
     'attempts', json((SELECT json_group_array(json_object('started_at', @attempt.started_at!, \
       'finished_at', @attempt.finished_at!, 'outcome', attempt.outcome, 'answer', attempt.answer)) \
       FROM attempt WHERE attempt.delivery_id = delivery.id))) \
     FROM delivery WHERE delivery.id > ?1 AND delivery.created_at >= ?2 \
     ORDER BY delivery.id LIMIT ?3";
