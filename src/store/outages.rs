//! Hosts none of whose feeds can be read: what is known of them, and which
//! notices about their feeds are part of the host's.

use rusqlite::{Connection, params};

use super::rows::optional_time;
use super::{Store, StoreError};
use crate::model::HostFlow;

/// Feeds that a notice names.
const NAMED: i64 = 5;
/// `told` of a notice that is part of a host's: in no message, but it may be
/// told yet.
const IN_HOST: i64 = 2;

/// Hosts whose last notice says that they are out.
const OUT: &str = "SELECT feed FROM (SELECT feed, kind, max(id) FROM notice \
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
                "WITH polled AS (SELECT * FROM feed WHERE active = 1 AND health <> 'gone'), \
                 read AS (SELECT host, count(*) AS feeds, max(last_success) AS ok, \
                     count(*) FILTER (WHERE health IN ('down', 'challenged')) AS down \
                     FROM polled GROUP BY host), \
                 hosts AS (SELECT host FROM read WHERE down > 0 UNION {OUT}) \
                 SELECT hosts.host, coalesce(feeds, 0) AS feeds, ok, coalesce(down, 0) AS down, \
                 hosts.host IN ({OUT}) AS told FROM hosts LEFT JOIN read ON read.host = hosts.host \
                 ORDER BY hosts.host"
            ))?;
            let rows = select.query_map([], |row| {
                Ok(HostFlow {
                    host: row.get("host")?,
                    feeds: row.get("feeds")?,
                    down: row.get("down")?,
                    last_success: optional_time(row, "ok")?,
                    told: row.get("told")?,
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

fn add_failing(db: &Connection, host: &mut HostFlow) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "SELECT name, last_error, count(*) OVER () AS failing FROM feed \
         WHERE active = 1 AND host = ?1 AND failures > 0 AND health <> 'gone' AND last_attempt > \
         coalesce((SELECT max(last_success) FROM feed WHERE active = 1 AND host = ?1), 0) \
         ORDER BY name LIMIT ?2",
    )?;
    let mut rows = select.query(params![host.host, NAMED])?;
    while let Some(row) = rows.next()? {
        host.some.push(row.get("name")?);
        host.failing = row.get("failing")?;
        host.error = host.error.take().or(row.get("last_error")?);
    }
    Ok(())
}

/// Keeps back notices about feeds that are part of their host's, and lets go
/// those whose feed still fails after the host is back.
pub(super) fn inhibit(db: &Connection) -> rusqlite::Result<()> {
    let feeds = "'down', 'challenged'";
    db.execute(
        &format!(
            "UPDATE notice SET told = ?1 WHERE told = 0 AND kind IN ({feeds}, 'recovered') \
             AND feed IN (SELECT name FROM feed WHERE active = 1 AND host IN ({OUT}))"
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
               WHERE active = 1 AND health IN ({feeds}) AND host NOT IN ({OUT}) \
               AND last_attempt > (SELECT max(at) FROM notice WHERE kind = 'host-up' AND feed = host))"
        ),
        [IN_HOST],
    )?;
    Ok(())
}
