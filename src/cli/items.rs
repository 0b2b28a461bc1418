//! JSON lines that stand for entries: the input of `match` and `replay`.

use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{CliError, output};
use crate::extract::{one_line, paragraphs};
use crate::model::{Entry, Source};
use crate::parse::parse_date;

/// An item as a line gives it. Keys that are not known are ignored, so that
/// items may carry what other programs need.
#[derive(Debug, Deserialize)]
pub(super) struct ItemLine {
    #[serde(default)]
    pub(super) id: Value,
    guid: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default, alias = "summary", alias = "description")]
    text: Option<String>,
    #[serde(default, alias = "link")]
    url: Option<String>,
    #[serde(default)]
    pub(super) feed: Option<String>,
    #[serde(default)]
    author: Option<Value>,
    #[serde(default)]
    authors: Option<Value>,
    #[serde(default)]
    categories: Option<Value>,
    /// Name of the outlet, or an object with `title` and `url`.
    #[serde(default)]
    source: Option<Value>,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    published: Option<Value>,
    #[serde(default)]
    updated: Option<Value>,
    #[serde(default)]
    seen: Option<Value>,
}

impl ItemLine {
    /// When the item is to be taken as seen, if it says.
    pub(super) fn seen(&self) -> Option<Timestamp> {
        date(self.seen.as_ref()).or_else(|| date(self.published.as_ref()))
    }

    /// The item as an entry. Offsets in the answer are into title and text as
    /// given, so `match` must not clean them; `replay` may.
    pub(super) fn into_entry(self) -> Entry {
        Entry {
            guid: self.guid.or_else(|| match self.id {
                Value::String(id) => Some(id),
                Value::Number(id) => Some(id.to_string()),
                _ => None,
            }),
            url: self.url,
            title: self.title.unwrap_or_default(),
            text: self.text.unwrap_or_default(),
            published: date(self.published.as_ref()),
            updated: date(self.updated.as_ref()),
            authors: texts(self.author).chain(texts(self.authors)).collect(),
            categories: texts(self.categories).collect(),
            lang: self.lang.filter(|lang| !lang.is_empty()),
            source: self.source.as_ref().and_then(source),
        }
    }
}

fn source(value: &Value) -> Option<Source> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let source = match value {
        Value::String(title) => Source { title: Some(title.clone()), url: None },
        other => Source { title: text(other.get("title")), url: text(other.get("url")) },
    };
    (source != Source::default()).then_some(source)
}

/// One text or several; nothing and null are none.
fn texts(value: Option<Value>) -> impl Iterator<Item = String> {
    let values = match value {
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
        None => Vec::new(),
    };
    values.into_iter().filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Title and text made even, as the daemon stores them.
pub(super) fn cleaned(mut entry: Entry) -> Entry {
    entry.title = one_line(&entry.title);
    entry.text = paragraphs(&entry.text.replace('\n', "\n\n"));
    entry
}

fn date(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::String(text) => parse_date(text),
        Value::Number(number) => parse_date(&number.to_string()),
        _ => None,
    }
}

/// Column and reason, without the library's own line and type names.
fn why(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    let reason = if error.is_data() && reason.contains("ItemLine") {
        "not an item: each line must be one JSON object like {\"id\": 1, \"title\": \"...\"}"
    } else {
        reason
    };
    format!("{}: {reason}; the line is skipped", error.column())
}

/// Reads items line by line. A line that cannot be read is told with its
/// number and skipped; the count of such lines comes back.
pub(super) fn read(
    input: &Path,
    mut each: impl FnMut(ItemLine) -> Result<(), CliError>,
) -> Result<usize, CliError> {
    let mut reader: Box<dyn BufRead> = if input == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(input).map_err(|error| unreadable(input, &error))?;
        Box::new(BufReader::new(file))
    };
    read_from(input, &mut reader, &mut each)
}

fn unreadable(input: &Path, error: &std::io::Error) -> CliError {
    CliError::Failed(format!("cannot read \"{}\": {error}", input.display()))
}

/// The same from a reader that is open already; `input` is its name.
pub(super) fn read_from(
    input: &Path,
    reader: &mut dyn BufRead,
    each: &mut dyn FnMut(ItemLine) -> Result<(), CliError>,
) -> Result<usize, CliError> {
    let (mut number, mut bad, mut line) = (0_usize, 0_usize, Vec::new());
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|error| unreadable(input, &error))? == 0 {
            return Ok(bad);
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(item) => each(item)?,
            Err(error) => {
                bad += 1;
                output::complain(&format!("{}:{number}:{}", input.display(), why(&error)));
            }
        }
    }
}
