//! Rows whose parents were lost: a stub takes the parent's place, with what the
//! indexes know of it, so that one lost row does not take a thousand others along.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::indexes::{self, Known};
use super::salvage::Saved;
use super::segments::mend;
use super::wreck::is_refusal;

/// A delivery hangs on an alert, that on a match, that on an entry, that on a
/// feed: parents of parents are found within so many rounds.
const ROUNDS: usize = 12;
/// What stands for a text that was lost.
const LOST: &str = "(lost)";

/// A column of a table that has to have a value.
struct Column {
    name: String,
    kind: String,
    /// The table that it refers to.
    parent: Option<String>,
}

/// Puts stubs in the place of lost parents; children whose parents cannot even
/// have those are dropped.
pub(super) fn settle(
    old: &Connection,
    new: &mut Connection,
    saved: &mut [Saved],
    now: i64,
) -> rusqlite::Result<()> {
    let transaction = new.transaction()?;
    let work = Stubs { old, new: &transaction, now };
    for _ in 0..ROUNDS {
        if work.round(saved)? == 0 {
            break;
        }
    }
    drop_orphans(&transaction, saved)?;
    settle_keys(&transaction, saved, now)?;
    transaction.commit()
}

struct Stubs<'a> {
    old: &'a Connection,
    new: &'a Connection,
    /// Stands for times that were lost: old ones would be swept away.
    now: i64,
}

impl Stubs<'_> {
    /// One stub for each parent that is missing now; how many were made.
    fn round(&self, saved: &mut [Saved]) -> rusqlite::Result<usize> {
        let mut all = 0;
        for (table, wanted) in self.missing()? {
            let known = indexes::known(self.old, self.new, &table, &wanted)?;
            let columns = self.required(&table)?;
            let mut made = 0;
            for id in &wanted {
                let known = known.get(id).cloned().unwrap_or_default();
                made += usize::from(self.insert(&table, *id, &columns, known)?);
            }
            match table.as_str() {
                "story" => self.date_stories(&wanted)?,
                "entry" => self.forget_words(&wanted, saved)?,
                _ => {}
            }
            if let Some(saved) = saved.iter_mut().find(|saved| saved.table == table) {
                saved.stubs += made;
            }
            all += made;
        }
        Ok(all)
    }

    /// The rows that others refer to and that are not there, by table.
    fn missing(&self) -> rusqlite::Result<BTreeMap<String, BTreeSet<i64>>> {
        let mut missing: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for (child, column, parent) in self.references()? {
            let sql = format!(
                "SELECT DISTINCT \"{column}\" FROM \"{child}\" WHERE \"{column}\" IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM \"{parent}\" p WHERE p.id = \"{child}\".\"{column}\")"
            );
            let mut select = self.new.prepare(&sql)?;
            let ids = select.query_map([], |row| row.get(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
            if !ids.is_empty() {
                missing.entry(parent).or_default().extend(ids);
            }
        }
        Ok(missing)
    }

    /// Table, column, and the table whose `id` is in it.
    fn references(&self) -> rusqlite::Result<Vec<(String, String, String)>> {
        let mut select = self.new.prepare(
            "SELECT t.name, f.\"from\", f.\"table\" FROM pragma_table_list t \
             JOIN pragma_foreign_key_list(t.name) f WHERE t.schema = 'main' ORDER BY 1, 2",
        )?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }

    /// The columns that a row cannot be without, and those whose usual value
    /// would be wrong here.
    fn required(&self, table: &str) -> rusqlite::Result<Vec<Column>> {
        let references = self.references()?;
        let mut select = self.new.prepare(
            "SELECT name, type FROM pragma_table_info(?1) WHERE pk = 0 AND \"notnull\" = 1 \
             AND (dflt_value IS NULL OR name IN ('active', 'baselined', 'state')) ORDER BY cid",
        )?;
        let rows = select.query_map([table], |row| {
            let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
            let parent = references.iter().find(|(of, from, _)| of == table && *from == name);
            Ok(Column { parent: parent.map(|(_, _, parent)| parent.clone()), name, kind })
        })?;
        rows.collect()
    }

    fn insert(
        &self,
        table: &str,
        id: i64,
        columns: &[Column],
        mut row: Known,
    ) -> rusqlite::Result<bool> {
        for column in
            columns.iter().filter(|column| !row_has(&row, &column.name)).collect::<Vec<_>>()
        {
            let value = match &column.parent {
                Some(parent) => Value::Integer(self.fresh(parent)?),
                None => filler((table, &column.name), &column.kind, id, self.now),
            };
            row.insert(column.name.clone(), value);
        }
        row.insert("id".to_owned(), Value::Integer(id));
        let names: Vec<String> = row.keys().map(|name| format!("\"{name}\"")).collect();
        let marks = vec!["?"; row.len()].join(", ");
        let sql = format!("INSERT INTO \"{table}\" ({}) VALUES ({marks})", names.join(", "));
        match self.new.prepare_cached(&sql)?.execute(params_from_iter(row.values())) {
            Ok(_) => Ok(true),
            Err(error) if is_refusal(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A number for a parent of which nothing at all is known: nobody else means
    /// it. One feed stands for all such feeds.
    fn fresh(&self, parent: &str) -> rusqlite::Result<i64> {
        if parent == "feed" {
            let sql = "SELECT id FROM feed WHERE name = 'lost-feed'";
            let mut select = self.new.prepare_cached(sql)?;
            let mut rows = select.query([])?;
            if let Some(row) = rows.next()? {
                return row.get(0);
            }
        }
        let mut last: i64 = 0;
        let own = [(parent.to_owned(), "id".to_owned(), parent.to_owned())];
        for (child, column, of) in self.references()?.into_iter().chain(own) {
            if of == parent {
                let sql = format!("SELECT coalesce(max(\"{column}\"), 0) FROM \"{child}\"");
                last = last.max(self.new.query_row(&sql, [], |row| row.get(0))?);
            }
        }
        let id = last.saturating_add(1);
        if parent == "feed" {
            let name = Value::Text("lost-feed".to_owned());
            let row = Known::from([("name".to_owned(), name)]);
            self.insert("feed", id, &self.required("feed")?, row)?;
        }
        Ok(id)
    }

    /// The memory of stories goes by words. News that is taken for the news of an
    /// entry whose words were lost would not be told; the other way round it is
    /// told twice.
    fn forget_words(&self, entries: &BTreeSet<i64>, saved: &mut [Saved]) -> rusqlite::Result<()> {
        let Some(saved) = saved.iter_mut().find(|saved| saved.table == "telling") else {
            return Ok(());
        };
        let mut delete = self.new.prepare("DELETE FROM telling WHERE entry_id = ?")?;
        for entry in entries {
            let gone = delete.execute([entry])?;
            saved.rows = saved.rows.saturating_sub(gone);
            saved.refused += gone;
        }
        Ok(())
    }

    /// A story is as old as what tells it.
    fn date_stories(&self, stories: &BTreeSet<i64>) -> rusqlite::Result<()> {
        let mut update = self.new.prepare(
            "UPDATE story SET first_seen = e.first, last_seen = e.last FROM \
             (SELECT min(first_seen) AS first, max(last_seen) AS last FROM entry \
              WHERE story_id = ?1) e WHERE id = ?1 AND e.last IS NOT NULL",
        )?;
        stories.iter().try_for_each(|story| update.execute([story]).map(drop))
    }
}

fn row_has(row: &Known, column: &str) -> bool {
    row.get(column).is_some_and(|value| *value != Value::Null)
}

/// What stands in a column of a stub that no index knows.
fn filler(column: (&str, &str), kind: &str, id: i64, now: i64) -> Value {
    let (table, _) = column;
    let text = match column {
        // Under its real name the next start would take it for a configured one.
        ("feed", "name") => format!("lost-feed-{id}"),
        (_, "uid") => format!("lost-{table}-{id}"),
        ("match", "rule") => format!("lost-{id}"),
        ("match", "state") => "raised".to_owned(),
        // Whom it was for is lost, so that it cannot be tried again.
        ("delivery", "state") => "failed".to_owned(),
        ("alert", "severity") => "normal".to_owned(),
        ("alert_update", "kind") => "sources".to_owned(),
        (_, "authors" | "categories" | "spans") => "[]".to_owned(),
        _ => LOST.to_owned(),
    };
    match (column, kind) {
        // Until the configuration names it again.
        (("feed", "active"), _) => Value::Integer(0),
        // What comes now is news, not the first that is seen.
        (("feed", "baselined") | ("alert_update", "sources"), _) => Value::Integer(1),
        (("feed", "interval_ms"), _) => Value::Integer(900_000),
        (_, "INTEGER") => Value::Integer(now),
        (_, "REAL") => Value::Real(0.0),
        // A key that nothing else has.
        (_, "BLOB") => Value::Blob(vec![0; 16]),
        _ => Value::Text(text),
    }
}

/// What an entry was recognised by outlives it in a table that no key guards. A
/// key must not lead to nothing: the number would be given to another entry, and
/// news would be taken for it. Where nothing of what matched was lost, the
/// entry stays known; otherwise it is news again.
fn settle_keys(new: &Connection, saved: &[Saved], now: i64) -> rusqlite::Result<()> {
    let has = |table: &str| {
        let sql = "SELECT count(*) FROM pragma_table_list WHERE name = ?";
        new.query_row(sql, [table], |row| row.get::<_, bool>(0))
    };
    if !has("tombstone")? {
        return Ok(());
    }
    let told = ["match", "alert", "delivery"];
    let is_whole = saved.iter().all(|saved| saved.is_whole() || !told.contains(&&*saved.table));
    let lost =
        "entry_id NOT IN (SELECT id FROM entry) AND entry_id NOT IN (SELECT id FROM tombstone)";
    if is_whole {
        new.execute(
            &format!(
                "INSERT INTO tombstone (id, feed_id, last_seen, has_guid, title_key) \
                 SELECT entry_id, min(feed_id), ?1, max(kind = 1), zeroblob(8) FROM entry_key \
                 WHERE {lost} GROUP BY entry_id"
            ),
            [now],
        )?;
    } else {
        new.execute(&format!("DELETE FROM entry_key WHERE {lost}"), [])?;
    }
    if has("segment")? { mend(new, is_whole) } else { Ok(()) }
}

/// Rows whose parents were lost go too, until none is left.
fn drop_orphans(new: &Connection, saved: &mut [Saved]) -> rusqlite::Result<()> {
    while drop_some(new, saved)? {}
    Ok(())
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
