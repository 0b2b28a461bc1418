//! The schema and its history. Migrations are appended, never edited.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// "WWat": says that a file is ours.
const APPLICATION_ID: i64 = 0x5757_6174;

const MIGRATIONS: [&str; 16] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
    include_str!("schema/0009.sql"),
    include_str!("schema/0010.sql"),
    include_str!("schema/0011.sql"),
    include_str!("schema/0012.sql"),
    include_str!("schema/0013.sql"),
    include_str!("schema/0014.sql"),
    include_str!("schema/0015.sql"),
    include_str!("schema/0016.sql"),
];

/// The number of the newest schema.
pub(super) fn newest() -> i64 {
    MIGRATIONS.len() as i64
}

/// The schema of a database that is older than this program, and not empty.
pub(super) fn outdated(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let found = version(connection)?;
    Ok((0 < found && found < newest()).then_some(found))
}

/// Brings the database to the newest schema, or leaves it as it is.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_to(connection, path, newest())
}

/// The same up to a schema that is not newer than ours; all steps or none.
pub(super) fn migrate_to(
    connection: &mut Connection,
    path: &Path,
    version_wanted: i64,
) -> Result<(), StoreError> {
    refuse_newer(version_wanted, path)?;
    let found = version(connection).map_err(|error| StoreError::opening(path, &error))?;
    refuse_newer(found, path)?;
    let wanted = usize::try_from(version_wanted).unwrap_or(0);
    let steps = MIGRATIONS.iter().enumerate().take(wanted);
    let steps: Vec<_> = steps.skip(usize::try_from(found).unwrap_or(0)).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (index, sql) in steps {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a file that is damaged or another program's, before anything is
/// written to it. An empty one will be ours.
pub(super) fn require_ours(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let opening = |error: rusqlite::Error| StoreError::opening(path, &error);
    let (application, tables) = owner(connection).map_err(opening)?;
    if tables > 0 && application != APPLICATION_ID {
        let reason = "it belongs to another program".to_string();
        return Err(StoreError::Damaged { path: path.to_path_buf(), reason });
    }
    refuse_newer(version(connection).map_err(opening)?, path)
}

/// Refuses a database that is not at the newest schema.
pub(super) fn require_current(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(connection)?;
    refuse_newer(found, path)?;
    if found < MIGRATIONS.len() as i64 {
        return Err(StoreError::Open {
            path: path.to_path_buf(),
            reason: "it is of an older version; start the daemon once to bring it up to date"
                .to_string(),
        });
    }
    Ok(())
}

fn refuse_newer(found: i64, path: &Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::TooNew { path: path.to_path_buf(), found, known });
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn owner(connection: &Connection) -> Result<(i64, i64), rusqlite::Error> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, tables))
}
