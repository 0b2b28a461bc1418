//! Queries with conditions that may be left out.

use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql};

use super::rows::millis;

/// A SELECT that grows by the conditions that were asked for.
pub(super) struct Query {
    sql: String,
    arguments: Vec<Box<dyn ToSql>>,
}

impl Query {
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_string(), arguments: Vec::new() }
    }

    /// A condition with one `?` that stands for the value.
    pub(super) fn condition(
        &mut self,
        condition: &str,
        value: Option<impl ToSql + 'static>,
    ) -> &mut Self {
        if let Some(value) = value {
            self.sql.push_str(&format!(" AND {condition}"));
            self.arguments.push(Box::new(value));
        }
        self
    }

    pub(super) fn since(&mut self, column: &str, when: Option<Timestamp>) -> &mut Self {
        self.condition(&format!("{column} >= ?"), when.map(millis))
    }

    pub(super) fn equals(&mut self, column: &str, value: Option<&String>) -> &mut Self {
        self.condition(&format!("{column} = ?"), value.cloned())
    }

    /// `from` ends with the column that must be the value.
    pub(super) fn exists(&mut self, from: &str, value: Option<&String>) -> &mut Self {
        self.condition(&format!("EXISTS (SELECT 1 FROM {from} = ?)"), value.cloned())
    }

    pub(super) fn run<T>(
        self,
        db: &Connection,
        order: &str,
        limit: usize,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut select = db.prepare(&format!("{} {order} LIMIT {limit}", self.sql))?;
        let arguments: Vec<&dyn ToSql> = self.arguments.iter().map(AsRef::as_ref).collect();
        select.query_map(arguments.as_slice(), read)?.collect()
    }
}
