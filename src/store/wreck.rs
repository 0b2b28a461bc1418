//! One table of a damaged database: its rows are read around what cannot be.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::indexes;
use super::salvage::Saved;

/// Rows read at a time.
const CHUNK: usize = 500;
/// Tables that are made anew from others, and not read.
const DERIVED: [&str; 2] = ["entry_words", "archive"];

/// A table of a damaged database.
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<String>,
    has_rowid: bool,
    /// Its primary key's columns, in order; of a table without row ids.
    key: Vec<String>,
}

/// All tables that are read, as the new database has them.
pub(super) fn tables(new: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut names = new.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
         AND name NOT LIKE 'sqlite_%' AND name NOT LIKE ?1 || '%' AND name <> ?2 ORDER BY name",
    )?;
    let names =
        names.query_map(DERIVED, |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
    let table = |(name, without_rowid): (String, bool)| {
        let mut select = new.prepare("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid")?;
        let columns = select.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let columns = columns.collect::<rusqlite::Result<Vec<(String, i64)>>>()?;
        let mut key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        Ok(Table {
            key: key.into_iter().map(|(name, _)| name.clone()).collect(),
            columns: columns.into_iter().map(|(name, _)| name).collect(),
            has_rowid: !without_rowid,
            name,
        })
    };
    names.into_iter().map(table).collect()
}

type Row = Vec<Value>;

/// What is known of a table's highest row number.
#[derive(Clone, Copy)]
struct Last {
    at_least: i64,
    at_most: i64,
}

impl Table {
    /// Takes over what can be read of it.
    pub(super) fn salvage(
        &self,
        old: &Connection,
        new: &mut Connection,
    ) -> rusqlite::Result<Saved> {
        let known = indexes::count(old, new, &self.name)?;
        let mut saved = Saved { table: self.name.clone(), known, ..Saved::default() };
        let transaction = new.transaction()?;
        if self.has_rowid {
            self.by_number(old, &transaction, &mut saved)?;
        } else {
            self.both_ways(old, &transaction, &mut saved)?;
        }
        transaction.commit()?;
        Ok(saved)
    }

    /// By row numbers, stepping over what cannot be read.
    fn by_number(
        &self,
        old: &Connection,
        new: &Connection,
        saved: &mut Saved,
    ) -> rusqlite::Result<()> {
        let mut after = i64::MIN;
        // Found out with the first hole: the highest number of all.
        let mut last = None;
        loop {
            let (rows, whole) = self.rows_after(old, after, CHUNK);
            let read = rows.len();
            for (number, row) in rows {
                after = number;
                self.insert(new, &row, saved)?;
            }
            if whole && read < CHUNK {
                return Ok(());
            }
            if !whole {
                saved.holes += 1;
                let last = *last.get_or_insert_with(|| self.last(old, new));
                let Some(next) = self.readable_after(old, after, last) else { return Ok(()) };
                after = next;
            }
        }
    }

    /// The rows behind a number up to the first that cannot be read, and whether
    /// there was none such.
    fn rows_after(&self, old: &Connection, after: i64, most: usize) -> (Vec<(i64, Row)>, bool) {
        let sql = format!(
            "SELECT rowid, {} FROM \"{}\" WHERE rowid > ?1 ORDER BY rowid LIMIT {most}",
            self.list(),
            self.name
        );
        let (mut found, mut last) = (Vec::new(), after);
        let Ok(mut select) = old.prepare_cached(&sql) else { return (found, false) };
        let Ok(mut rows) = select.query([after]) else { return (found, false) };
        loop {
            match rows.next() {
                Ok(Some(row)) => match (row.get(0), self.read(row, 1)) {
                    // Numbers that do not rise come from a page that lies.
                    (Ok(number), Ok(values)) if number > last => {
                        last = number;
                        found.push((number, values));
                    }
                    _ => return (found, false),
                },
                Ok(None) => return (found, true),
                Err(_) => return (found, false),
            }
        }
    }

    /// A number behind a hole from which on rows can be read again. Up to the
    /// highest number that is known each one is tried: between two pages that
    /// were lost there may be one with a single row.
    fn readable_after(&self, old: &Connection, hole: i64, last: Last) -> Option<i64> {
        let reads = |after: i64| !self.rows_after(old, after, 1).0.is_empty();
        let mut step: i64 = 1;
        let mut unreadable = hole.max(0);
        let readable = loop {
            let next = unreadable.checked_add(step).filter(|next| *next <= last.at_most)?;
            if reads(next) {
                break next;
            }
            unreadable = next;
            // Behind it ever longer steps have an end.
            step = if next < last.at_least { 1 } else { step.checked_mul(2)? };
        };
        let (mut low, mut high) = (unreadable, readable);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if reads(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high)
    }

    /// The highest number as the table says, or what its indexes know of it.
    fn last(&self, old: &Connection, new: &Connection) -> Last {
        let sql = format!("SELECT max(rowid) FROM \"{}\"", self.name);
        let found = old.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0));
        match found {
            Ok(Some(last)) => Last { at_least: last, at_most: last },
            _ => Last { at_least: indexes::highest(old, new, &self.name), at_most: i64::MAX },
        }
    }

    /// Without row numbers: forwards to the first fault, then backwards to it.
    fn both_ways(
        &self,
        old: &Connection,
        new: &Connection,
        saved: &mut Saved,
    ) -> rusqlite::Result<()> {
        for order in ["ASC", "DESC"] {
            let key: Vec<String> =
                self.key.iter().map(|key| format!("\"{key}\" {order}")).collect();
            let sql = format!(
                "SELECT {} FROM \"{}\" ORDER BY {}",
                self.list(),
                self.name,
                key.join(", ")
            );
            let Ok(mut select) = old.prepare(&sql) else { continue };
            let Ok(mut rows) = select.query([]) else { continue };
            let whole = loop {
                match rows.next() {
                    Ok(Some(row)) => match self.read(row, 0) {
                        Ok(values) => self.insert(new, &values, saved)?,
                        Err(_) => break false,
                    },
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            if whole {
                return Ok(());
            }
        }
        saved.holes += 1;
        Ok(())
    }

    fn list(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }

    fn read(&self, row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Row> {
        (first..first + self.columns.len()).map(|index| row.get(index)).collect()
    }

    /// A row that is there already, or makes no sense, is left out.
    fn insert(&self, new: &Connection, row: &Row, saved: &mut Saved) -> rusqlite::Result<()> {
        let marks = vec!["?"; self.columns.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({marks})", self.name, self.list());
        match new.prepare_cached(&sql)?.execute(params_from_iter(row)) {
            Ok(_) => saved.rows += 1,
            Err(error) if is_refusal(&error) => {
                if self.has_rowid {
                    saved.refused += 1;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether it is the row's fault and not the new file's.
pub(super) fn is_refusal(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TypeMismatch))
}
