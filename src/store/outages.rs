//! Hosts none of whose feeds can be read: what is known of them, and which
//! notices about their feeds are part of the host's.

use rusqlite::{Connection, params};

use super::rows::{millis, optional_time};
use super::{Store, StoreError};
use crate::model::{HostFlow, NoticeKind};

/// So many feeds of a host must fail for it to be looked at.
const SEVERAL: i64 = 3;
/// Feeds that a notice names.
const NAMED: i64 = 5;
/// `told` of a notice that is part of a host's: in no message, but it may be
/// told yet.
const IN_HOST: i64 = 2;

/// Hosts whose last notice says that they are out.
const OUT: &str = "SELECT feed, at FROM (SELECT feed, at, kind, max(id) FROM notice \
     WHERE kind IN ('host-down', 'host-up') GROUP BY feed) WHERE kind = 'host-down'";

impl Store {
    /// How hosts do of which several feeds fail, or whose last notice said
    /// that they are out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hosts(&self) -> Result<Vec<HostFlow>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached(&format!(
                "WITH out AS ({OUT}), hosts AS (SELECT host FROM feed WHERE active = 1 \
                   AND failures > 0 AND health <> 'gone' GROUP BY host HAVING count(*) >= ?1 \
                   UNION SELECT feed FROM out) \
                 SELECT hosts.host, count(feed.id) AS feeds, max(last_success) AS ok, \
                 count(*) FILTER (WHERE health IN ('down', 'challenged')) AS down, \
                 (SELECT out.at FROM out WHERE out.feed = hosts.host) AS told FROM hosts \
                 LEFT JOIN feed ON feed.host = hosts.host AND active = 1 AND health <> 'gone' \
                 GROUP BY hosts.host ORDER BY hosts.host"
            ))?;
            let rows = select.query_map([SEVERAL], |row| {
                Ok(HostFlow {
                    host: row.get("host")?,
                    feeds: row.get("feeds")?,
                    down: row.get("down")?,
                    last_success: optional_time(row, "ok")?,
                    told: optional_time(row, "told")?,
                    ..HostFlow::default()
                })
            })?;
            let mut hosts = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            for host in &mut hosts {
                add_failing(db, host)?;
            }
            Ok(hosts)
        })
        .await
    }
}

/// A feed that was dead before its host was last read says nothing about it.
fn add_failing(db: &Connection, host: &mut HostFlow) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "SELECT name, last_error, count(*) OVER () AS failing FROM feed \
         WHERE active = 1 AND host = ?1 AND failures > 0 AND health <> 'gone' \
         AND json_extract(health_state, '$.failing_since') > ?2 ORDER BY name LIMIT ?3",
    )?;
    let mut rows = select.query(params![host.host, host.last_success.map_or(0, millis), NAMED])?;
    while let Some(row) = rows.next()? {
        host.some.push(row.get("name")?);
        host.failing = row.get("failing")?;
        host.error = host.error.take().or(row.get("last_error")?);
    }
    Ok(())
}

/// Keeps back notices about feeds that are part of their host's, and lets go
/// those whose feed still fails after the host is back.
/// Not if nobody wants to hear of hosts: then feeds speak for themselves.
pub(super) fn inhibit(db: &Connection, quiet: &[NoticeKind]) -> rusqlite::Result<()> {
    let feeds = "'down', 'challenged'";
    if quiet.contains(&NoticeKind::HostDown) {
        return db.execute("UPDATE notice SET told = 0 WHERE told = ?1", [IN_HOST]).map(drop);
    }
    db.execute(
        &format!(
            "UPDATE notice SET told = ?1 WHERE told = 0 AND kind IN ({feeds}) \
             AND feed IN (SELECT name FROM feed WHERE active = 1 AND host IN (SELECT feed FROM ({OUT})))"
        ),
        [IN_HOST],
    )?;
    // The recovery of a feed whose failure was not told by itself.
    db.execute(
        &format!(
            "UPDATE notice SET told = ?1 WHERE told = 0 AND kind = 'recovered' AND ?1 = \
             (SELECT told FROM notice before WHERE before.feed = notice.feed \
               AND before.kind IN ({feeds}) AND before.id < notice.id ORDER BY before.id DESC)"
        ),
        [IN_HOST],
    )?;
    db.execute(
        &format!(
            "UPDATE notice SET told = 0 WHERE told = ?1 AND kind IN ({feeds}) AND id IN \
             (SELECT (SELECT max(id) FROM notice WHERE feed = name AND kind IN ({feeds})) FROM feed \
               WHERE active = 1 AND health IN ({feeds}) AND host NOT IN (SELECT feed FROM ({OUT})) \
               AND last_attempt > coalesce((SELECT max(at) FROM notice WHERE kind = 'host-up' \
                 AND feed = host), 0))"
        ),
        [IN_HOST],
    )?;
    // The rest is over: its feed does well, or was told of later.
    db.execute(
        &format!(
            "UPDATE notice SET told = 1 WHERE told = ?1 AND NOT (kind IN ({feeds}) AND EXISTS \
             (SELECT 1 FROM feed WHERE name = notice.feed AND health IN ({feeds})))"
        ),
        [IN_HOST],
    )?;
    Ok(())
}
