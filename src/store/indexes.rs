//! What the indexes of a damaged database know of the rows in it: a row whose
//! page was lost still stands in them, in part.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::types::Value;

/// Columns and what is in them.
pub(super) type Known = BTreeMap<String, Value>;

/// An index that names every row of its table.
struct Index {
    name: String,
    columns: Vec<String>,
}

/// How many rows a table has by that of its indexes that has most; `None` if
/// none can be read to its end.
pub(super) fn count(
    old: &Connection,
    new: &Connection,
    table: &str,
) -> rusqlite::Result<Option<usize>> {
    let counts = of(new, table)?.into_iter().filter_map(|index| {
        let sql = format!("SELECT count(*) FROM \"{table}\" INDEXED BY \"{}\"", index.name);
        let count: i64 = old.query_row(&sql, [], |row| row.get(0)).ok()?;
        usize::try_from(count).ok()
    });
    Ok(counts.max())
}

/// The highest row number that an index names before its first fault; 0 if none
/// does.
pub(super) fn highest(old: &Connection, new: &Connection, table: &str) -> i64 {
    let mut highest = 0;
    for index in of(new, table).unwrap_or_default() {
        each(old, table, &Index { columns: Vec::new(), ..index }, |number, _| {
            highest = highest.max(number);
        });
    }
    highest
}

/// What indexes know of these rows.
pub(super) fn known(
    old: &Connection,
    new: &Connection,
    table: &str,
    wanted: &BTreeSet<i64>,
) -> rusqlite::Result<BTreeMap<i64, Known>> {
    let mut known: BTreeMap<i64, Known> = BTreeMap::new();
    for index in of(new, table)? {
        each(old, table, &index, |number, values| {
            if wanted.contains(&number) {
                let columns = index.columns.iter().cloned();
                known.entry(number).or_default().extend(columns.zip(values));
            }
        });
    }
    Ok(known)
}

/// The schema is taken from the new database, which has the same and is sound.
fn of(new: &Connection, table: &str) -> rusqlite::Result<Vec<Index>> {
    // The primary key of a table without row ids is the table itself.
    let mut names = new.prepare(
        "SELECT name FROM pragma_index_list(?) WHERE partial = 0 AND origin <> 'pk' ORDER BY name",
    )?;
    let names = names.query_map([table], |row| row.get::<_, String>(0))?;
    let mut columns = new.prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno")?;
    names
        .map(|name| {
            let name = name?;
            let columns = columns.query_map([&name], |row| row.get(0))?;
            Ok(Index { columns: columns.collect::<rusqlite::Result<_>>()?, name })
        })
        .collect()
}

/// Goes through an index to its first fault, then backwards to its last one.
fn each(old: &Connection, table: &str, index: &Index, mut found: impl FnMut(i64, Vec<Value>)) {
    let quoted = index.columns.iter().map(|column| format!(", \"{column}\""));
    let columns = quoted.collect::<String>();
    for order in ["ASC", "DESC"] {
        // In the index's own order, and from nothing but the index.
        let by = index.columns.iter().map(|column| format!("\"{column}\" {order}"));
        let by = by.collect::<Vec<_>>().join(", ");
        let by = if by.is_empty() { String::new() } else { format!(" ORDER BY {by}") };
        let sql =
            format!("SELECT rowid{columns} FROM \"{table}\" INDEXED BY \"{}\"{by}", index.name);
        let Ok(mut select) = old.prepare(&sql) else { return };
        let Ok(mut rows) = select.query([]) else { return };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return,
                Err(_) => break,
            };
            let values = (1..=index.columns.len()).map(|at| row.get(at));
            match (row.get(0), values.collect::<rusqlite::Result<Vec<Value>>>()) {
                (Ok(number), Ok(values)) => found(number, values),
                _ => break,
            }
        }
    }
}
