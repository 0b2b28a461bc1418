//! What can still be read of a damaged database, as a new one.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::backup::{CopyError, fault, fold, remove};
use super::birth::{beside, settle};
use super::opening::real;
use super::{StoreError, connect, lock, migrate, switch};

/// Rows read at a time.
const CHUNK: usize = 500;
/// A page holds no more rows than this by far; no readable one is stepped over.
const PAGE_ROWS: i64 = 64;
/// Tables that are made anew from others, and not read.
const DERIVED: &str = "entry_words";

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub table: String,
    /// Rows that are in the new database.
    pub rows: usize,
    /// Rows that could be read, but make no sense without others or by themselves.
    pub refused: usize,
    /// Stretches that could not be read.
    pub holes: usize,
}

/// Reads what can be read of a database, which stays as it is, and writes it to
/// a new file.
///
/// # Errors
/// When the target exists, nothing can be read at all, or a file fails.
pub fn recover(
    database: &Path,
    target: &Path,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Saved>, CopyError> {
    if target.exists() {
        return Err(CopyError::Exists(target.to_path_buf()));
    }
    let database = &real(database)?;
    // A daemon would change the file while it is copied.
    lock::Lock::probe(database)?;
    switch::refuse_unfinished(database)?;
    let (source, part) = (beside(target, ".source"), beside(target, ".part"));
    let saved = (|| {
        remove(&source)?;
        remove(&part)?;
        // A copy: reading takes the log in, and that would change the original.
        for piece in ["", "-wal"] {
            let from = beside(database, piece);
            if piece.is_empty() || from.exists() {
                std::fs::copy(&from, beside(&source, piece))
                    .map_err(|error| CopyError::File(from, error))?;
            }
        }
        let saved = fill(&source, &part, &mut progress)?;
        settle(&part, target).map_err(|error| CopyError::File(target.to_path_buf(), error))?;
        Ok(saved)
    })();
    remove(&source)?;
    remove(&part)?;
    saved
}

fn fill(
    source: &Path,
    part: &Path,
    progress: &mut impl FnMut(&str),
) -> Result<Vec<Saved>, CopyError> {
    let old = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Read what is there, whatever the schema's own table says of it.
    old.execute_batch("PRAGMA writable_schema = ON;")?;
    let version: i64 = old
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| StoreError::opening(source, &error))?;
    if version < 1 {
        let reason = "nothing in it is a wirewatch database's".to_owned();
        return Err(CopyError::Unsound(source.to_path_buf(), reason));
    }
    new_file(part)?;
    let mut new = connect(part)?;
    migrate::migrate_to(&mut new, part, version)?;
    new.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let mut saved = Vec::new();
    for table in tables(&new)? {
        progress(&table.name);
        saved.push(table.salvage(&old, &mut new)?);
    }
    drop_orphans(&mut new, &mut saved)?;
    if saved.iter().all(|table| table.rows == 0) {
        let reason = "no row of it can be read".to_owned();
        return Err(CopyError::Unsound(source.to_path_buf(), reason));
    }
    if version >= 5 {
        // Words are looked up anew: a search reads all entries up to this one.
        new.execute_batch(
            "DELETE FROM archive; INSERT INTO archive SELECT 1, coalesce(max(id), 0) FROM entry;",
        )?;
    }
    migrate::migrate(&mut new, part)?;
    if let Some(fault) = fault(&new)? {
        return Err(CopyError::Unsound(part.to_path_buf(), fault));
    }
    fold(&new)?;
    new.close().map_err(|(_, error)| error)?;
    Ok(saved)
}

fn new_file(path: &Path) -> Result<(), CopyError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let made = options.create_new(true).write(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| CopyError::File(path.to_path_buf(), error))
}

struct Table {
    name: String,
    columns: Vec<String>,
    has_rowid: bool,
    /// Its primary key's columns, in order; of a table without row ids.
    key: Vec<String>,
}

fn tables(new: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut names = new.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
         AND name NOT LIKE 'sqlite_%' AND name NOT LIKE ?1 || '%' ORDER BY name",
    )?;
    let names =
        names.query_map([DERIVED], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
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

impl Table {
    fn salvage(&self, old: &Connection, new: &mut Connection) -> rusqlite::Result<Saved> {
        let mut saved = Saved { table: self.name.clone(), rows: 0, refused: 0, holes: 0 };
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
        loop {
            let (rows, whole) = self.rows_after(old, after);
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
                let Some(next) = self.readable_after(old, after) else { return Ok(()) };
                after = next;
            }
        }
    }

    /// The rows behind a number up to the first that cannot be read, and whether
    /// there was none such.
    fn rows_after(&self, old: &Connection, after: i64) -> (Vec<(i64, Row)>, bool) {
        let sql = format!(
            "SELECT rowid, {} FROM \"{}\" WHERE rowid > ?1 ORDER BY rowid LIMIT {CHUNK}",
            self.list(),
            self.name
        );
        let (mut found, mut last) = (Vec::new(), after);
        let Ok(mut select) = old.prepare(&sql) else { return (found, false) };
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

    /// A number behind a hole from which on rows can be read again: further
    /// ahead by up to a page's rows at a time, then back to its edge.
    fn readable_after(&self, old: &Connection, hole: i64) -> Option<i64> {
        let reads = |after: i64| !self.rows_after(old, after).0.is_empty();
        let start = hole.max(0);
        let last = self.last(old).unwrap_or(i64::MAX);
        // Without an end in sight ever longer steps have one.
        let longest = if last == i64::MAX { i64::MAX } else { PAGE_ROWS };
        let mut step: i64 = 1;
        let mut unreadable = start;
        let readable = loop {
            let next = unreadable.checked_add(step).filter(|next| *next <= last)?;
            if reads(next) {
                break next;
            }
            unreadable = next;
            step = step.checked_mul(2)?.min(longest);
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

    /// The highest number, if it can be read.
    fn last(&self, old: &Connection) -> Option<i64> {
        let sql = format!("SELECT max(rowid) FROM \"{}\"", self.name);
        old.query_row(&sql, [], |row| row.get(0)).ok()?
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
fn is_refusal(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TypeMismatch))
}

/// Rows whose parents were lost go too, until none is left.
fn drop_orphans(connection: &mut Connection, saved: &mut [Saved]) -> rusqlite::Result<()> {
    let new = connection.transaction()?;
    while drop_some(&new, saved)? {}
    new.commit()
}

/// One round; whether it found any.
fn drop_some(new: &Connection, saved: &mut [Saved]) -> rusqlite::Result<bool> {
    let mut check = new.prepare("PRAGMA foreign_key_check")?;
    let orphans =
        check.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    let mut orphans = orphans.collect::<rusqlite::Result<Vec<_>>>()?;
    orphans.sort();
    orphans.dedup();
    if orphans.is_empty() {
        return Ok(false);
    }
    for (table, number) in orphans {
        let gone = match number {
            Some(number) => {
                let sql = format!("DELETE FROM \"{table}\" WHERE rowid = ?");
                new.execute(&sql, [number])?
            }
            None => orphans_without_number(new, &table)?,
        };
        if let Some(saved) = saved.iter_mut().find(|saved| saved.table == table) {
            saved.rows = saved.rows.saturating_sub(gone);
            saved.refused += gone;
        }
    }
    Ok(true)
}

/// Of a table without row ids the check says only that there are orphans.
fn orphans_without_number(new: &Connection, table: &str) -> rusqlite::Result<usize> {
    let mut keys =
        new.prepare("SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?)")?;
    let keys = keys.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let mut gone = 0;
    for key in keys.collect::<rusqlite::Result<Vec<_>>>()? {
        let (parent, from, to) = key;
        let to = to.unwrap_or_else(|| "id".to_owned());
        let sql = format!(
            "DELETE FROM \"{table}\" WHERE \"{from}\" IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM \"{parent}\" p WHERE p.\"{to}\" = \"{table}\".\"{from}\")"
        );
        gone += new.execute(&sql, [])?;
    }
    Ok(gone)
}
