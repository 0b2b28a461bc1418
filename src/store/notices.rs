//! Notices about feeds: written with what they tell of, gathered into
//! messages later, so that a network that fails is one message and not one
//! for each feed.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, params};

use super::outages::inhibit;
use super::rows::{json, millis, time};
use super::{Store, StoreError};
use crate::model::{FeedName, Notice, NoticeAbout, NoticeContent, NoticeKind, PlannedDelivery};

/// How long a notice waits for others before it is told.
const SETTLE: SignedDuration = SignedDuration::from_mins(1);
/// Shortest time between two messages.
const PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// The deliveries of a message, by the message's id.
pub type PlanDeliveries = Box<dyn Fn(&str) -> Vec<PlannedDelivery> + Send>;

/// Who is told of notices, and of which not.
pub struct NoticePlan {
    /// Kinds that nobody wants to hear of; they are listed all the same.
    pub quiet: Vec<NoticeKind>,
    /// The deliveries of a message, by the message's id.
    pub deliveries: PlanDeliveries,
    /// Whether to tell at once instead of gathering.
    pub at_once: bool,
}

/// A notice as `notices` shows it.
#[derive(Clone, Debug)]
pub struct NoticeRow {
    /// The notice.
    pub notice: Notice,
    /// The message it went into, if any.
    pub message: Option<String>,
}

impl Store {
    /// Puts notices into a message with its deliveries, when it is time.
    /// Returns how many deliveries were planned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_notices(
        &self,
        plan: NoticePlan,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        // Most looks find nothing: they need not wait for the writer.
        if !self.read(untold).await? {
            return Ok(0);
        }
        self.write(move |db| {
            for kind in &plan.quiet {
                db.execute(
                    "UPDATE notice SET told = 1 WHERE told = 0 AND kind = ?",
                    [kind.as_str()],
                )?;
            }
            inhibit(db, &plan.quiet)?;
            if !plan.at_once && !is_time(db, now)? {
                return Ok(0);
            }
            let mut select =
                db.prepare_cached("SELECT id, at FROM notice WHERE told = 0 ORDER BY id")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let untold: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
            let (Some(first), Some(last)) = (untold.first(), untold.last()) else { return Ok(0) };
            // From the notices alone, so that a repetition has the same id.
            let uid = format!("n{:08x}{:08x}{:012x}", first.0, last.0, first.1);
            let deliveries = (plan.deliveries)(&uid);
            if deliveries.is_empty() {
                db.execute("UPDATE notice SET told = 1 WHERE told = 0", [])?;
                return Ok(0);
            }
            save_message(db, &uid, &deliveries, now)
        })
        .await
    }

    /// Notices, the latest first; only those about what `about` names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(
        &self,
        about: Option<(NoticeAbout, String)>,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        let kinds = about.as_ref().map(|(about, _)| {
            let kinds = NoticeKind::ALL.into_iter().filter(|kind| kind.about() == *about);
            json(&kinds.map(NoticeKind::as_str).collect::<Vec<_>>())
        });
        let name = about.map(|(_, name)| name);
        self.read(move |db| {
            let mut select = db.prepare(
                "SELECT kind, feed, subject, text, at, notice_message.uid AS message FROM notice \
                 LEFT JOIN notice_message ON notice_message.id = message_id \
                 WHERE (?1 IS NULL OR feed = ?1) AND (?2 IS NULL OR at >= ?2) \
                 AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4))) \
                 ORDER BY notice.id DESC LIMIT ?3",
            )?;
            let arguments = params![name, since.map(millis), limit as i64, kinds];
            let rows = select.query_map(arguments, |row| {
                Ok(NoticeRow { notice: notice(row)?, message: row.get("message")? })
            })?;
            rows.collect()
        })
        .await
    }
}

/// Writes notices down, to be told later. Part of the transaction that
/// records what they are about.
pub(super) fn save_notices(db: &Connection, notices: &[Notice]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO notice (kind, feed, subject, text, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for notice in notices {
        insert.execute(params![
            notice.kind.as_str(),
            notice.feed.as_str(),
            notice.subject,
            notice.text,
            millis(notice.at)
        ])?;
    }
    Ok(())
}

/// What the message of a delivery says.
pub(super) fn message(db: &Connection, id: i64) -> rusqlite::Result<NoticeContent> {
    let mut select = db.prepare_cached(
        "SELECT kind, feed, subject, text, at FROM notice WHERE message_id = ? ORDER BY id",
    )?;
    let notices = select.query_map([id], notice)?.collect::<Result<_, _>>()?;
    db.prepare_cached("SELECT uid, created_at FROM notice_message WHERE id = ?")?.query_row(
        [id],
        |row| {
            Ok(NoticeContent { id: row.get("uid")?, notices, created_at: time(row, "created_at")? })
        },
    )
}

fn untold(db: &Connection) -> rusqlite::Result<bool> {
    // 2: part of a host's notice, which may be over now.
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM notice WHERE told <> 1)")?
        .query_row([], |row| row.get(0))
}

fn is_time(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let (oldest, last): (Option<i64>, Option<i64>) = db.query_row(
        "SELECT (SELECT min(at) FROM notice WHERE told = 0), \
                (SELECT max(created_at) FROM notice_message)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    // What lies in the future was written before the clock was set back.
    let passed = |since: i64, wait: SignedDuration| {
        let age = millis(now) - since;
        age < 0 || age >= wait.as_millis() as i64
    };
    Ok(oldest.is_some_and(|at| passed(at, SETTLE)) && last.is_none_or(|at| passed(at, PAUSE)))
}

fn save_message(
    db: &Connection,
    uid: &str,
    deliveries: &[PlannedDelivery],
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let message: i64 = db.query_row(
        "INSERT INTO notice_message (uid, created_at) VALUES (?1, ?2) RETURNING id",
        params![uid, millis(now)],
        |row| row.get(0),
    )?;
    db.execute("UPDATE notice SET told = 1, message_id = ? WHERE told = 0", [message])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO delivery (uid, notice_message_id, role, channel, recipient, created_at, due_at) \
         VALUES (?1, ?2, 'notice', ?3, ?4, ?5, ?6)",
    )?;
    for delivery in deliveries {
        insert.execute(params![
            delivery.id.as_str(),
            message,
            delivery.channel.as_str(),
            delivery.recipient,
            millis(now),
            millis(delivery.due_at)
        ])?;
    }
    Ok(deliveries.len())
}

fn notice(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let kind: String = row.get("kind")?;
    Ok(Notice {
        // An unknown word is a newer version's; it still needs to be told.
        kind: NoticeKind::from_word(&kind).unwrap_or(NoticeKind::Degraded),
        feed: FeedName::new(row.get::<_, String>("feed")?),
        subject: row.get("subject")?,
        text: row.get("text")?,
        at: time(row, "at")?,
    })
}
