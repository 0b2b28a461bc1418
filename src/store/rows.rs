//! How model values become columns and come back.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::model::{Entry, Field, Key, Mark, Outlet, Source, Span};

/// Milliseconds since 1970.
pub(super) fn millis(when: Timestamp) -> i64 {
    when.as_millisecond()
}

/// A time column; a value out of range reads as 1970.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Ok(from_millis(row.get(column)?))
}

/// A time column that may be NULL.
pub(super) fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(from_millis))
}

pub(super) fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A key column that may be NULL; a blob of another length reads as zeros, which
/// match nothing.
pub(super) fn optional_key(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Key>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    Ok(bytes.map(|bytes| Key(bytes.try_into().unwrap_or_default())))
}

/// The first half of a key column, of which no more may be left.
pub(super) fn mark(row: &Row<'_>, column: &str) -> rusqlite::Result<Mark> {
    Ok(optional_mark(row, column)?.unwrap_or_default())
}

/// The same of a column that may be NULL.
pub(super) fn optional_mark(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Mark>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    Ok(bytes.map(|bytes| bytes.first_chunk().copied().map(Mark).unwrap_or_default()))
}

#[derive(Serialize, Deserialize)]
struct SpanRow(String, usize, usize);

/// An entry, from a row with all of its columns.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let strings = |column: &str| -> rusqlite::Result<Vec<String>> {
        Ok(serde_json::from_str(&row.get::<_, String>(column)?).unwrap_or_default())
    };
    let source = Source { title: row.get("source_title")?, url: row.get("source_url")? };
    Ok(Entry {
        guid: row.get("guid")?,
        url: row.get("url")?,
        title: row.get("title")?,
        text: row.get("text")?,
        published: optional_time(row, "published")?,
        updated: optional_time(row, "updated")?,
        authors: strings("authors")?,
        categories: strings("categories")?,
        lang: row.get("lang")?,
        source: (source != Source::default()).then_some(source),
    })
}

/// Evidence as a JSON column.
pub(super) fn spans_to_json(spans: &[Span]) -> String {
    let rows: Vec<SpanRow> =
        spans.iter().map(|s| SpanRow(s.field.as_str().to_string(), s.start, s.end)).collect();
    json(&rows)
}

/// Reads [`spans_to_json`]; what cannot be read is left out.
pub(super) fn spans_from_json(text: &str) -> Vec<Span> {
    let rows: Vec<SpanRow> = serde_json::from_str(text).unwrap_or_default();
    rows.into_iter()
        .filter_map(|SpanRow(field, start, end)| {
            Some(Span { field: Field::from_word(&field)?, start, end })
        })
        .collect()
}

#[derive(Serialize, Deserialize)]
struct OutletJson {
    feed: String,
    name: String,
    url: Option<String>,
    published: Option<i64>,
    first_seen: i64,
}

/// Outlets as a JSON column.
pub(super) fn outlets_to_json(outlets: &[Outlet]) -> String {
    let rows: Vec<OutletJson> = outlets
        .iter()
        .map(|outlet| OutletJson {
            feed: outlet.feed.clone(),
            name: outlet.name.clone(),
            url: outlet.url.clone(),
            published: outlet.published.map(millis),
            first_seen: millis(outlet.first_seen),
        })
        .collect();
    json(&rows)
}

/// Reads [`outlets_to_json`].
pub(super) fn outlets_from_json(text: &str) -> Vec<Outlet> {
    let rows: Vec<OutletJson> = serde_json::from_str(text).unwrap_or_default();
    rows.into_iter()
        .map(|row| Outlet {
            feed: row.feed,
            name: row.name,
            url: row.url,
            published: row.published.map(from_millis),
            first_seen: from_millis(row.first_seen),
        })
        .collect()
}

/// JSON of a value that always has one; an empty array otherwise.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "[]".to_string())
}
