//! A JSON schema for editors, written from the key table.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, ROOT, SECTIONS, Section};
use super::values::{spell_seconds, spell_size};

const NAME: &str = "^[a-z0-9][a-z0-9_-]*$";
/// Folders divided by slashes.
const GROUP: &str = "^[^/]+(/[^/]+)*$";

/// The schema (draft 2020-12) of a configuration file.
pub fn json_schema() -> Value {
    let mut top = Map::new();
    for key in ROOT.keys {
        top.insert(key.name.to_owned(), key_schema(key));
    }
    let mut kinds = Map::new();
    for section in SECTIONS {
        match section.path {
            [name] if section.keys.is_empty() => {
                let any = json!({ "type": "string" });
                top.insert((*name).to_owned(), by_name(NAME, any, section.doc));
            }
            [name] => {
                top.insert((*name).to_owned(), table(section));
            }
            [name, "*"] => {
                let pattern = if *name == "group" { GROUP } else { NAME };
                top.insert((*name).to_owned(), by_name(pattern, table(section), section.doc));
            }
            [_, _, kind] => {
                kinds.insert((*kind).to_owned(), table(section));
            }
            _ => {}
        }
    }
    let channel = json!({
        "type": "object",
        "properties": kinds,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    top.insert("channel".to_owned(), by_name(NAME, channel, "Ways to reach somebody."));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wirewatch configuration",
        "type": "object",
        "properties": top,
        "additionalProperties": false,
    })
}

/// A table whose keys are names of the user's.
fn by_name(pattern: &str, value: Value, doc: &str) -> Value {
    json!({
        "type": "object",
        "description": doc,
        "patternProperties": { pattern: value },
        "additionalProperties": false,
    })
}

fn table(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), key_schema(key));
    }
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn key_schema(key: &Key) -> Value {
    let mut schema = match key.kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Texts => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Kind::OneOrMore => json!({
            "type": ["string", "array"],
            "minLength": 1,
            "items": { "type": "string", "minLength": 1 },
        }),
        Kind::Headers => header_schema(),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Duration { .. } | Kind::Interval { .. } | Kind::Backfill => {
            json!({ "type": "string" })
        }
        Kind::Size { .. } => {
            json!({ "type": "string", "pattern": "^[0-9]+ *([KMG]iB|kB|MB|GB|B)$" })
        }
        Kind::Integer { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
    };
    let bounds = match key.kind {
        Kind::Duration { min, max } | Kind::Interval { min, max } => {
            Some((spell_seconds(min), spell_seconds(max)))
        }
        Kind::Size { min, max } => Some((spell_size(min), spell_size(max))),
        _ => None,
    };
    let bounds = bounds.map(|(min, max)| format!("\nFrom {min} to {max}."));
    let doc = format!("{}{}", key.doc, bounds.unwrap_or_default());
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), Value::String(doc));
        if let Some(default) = key.default.and_then(value_of) {
            object.insert("default".to_owned(), default);
        }
        if let Some(example) = value_of(key.example) {
            object.insert("examples".to_owned(), json!([example]));
        }
    }
    schema
}

fn header_schema() -> Value {
    let secret = |key: &str| {
        json!({
            "type": "object",
            "properties": { key: { "type": "string", "minLength": 1 } },
            "required": [key],
            "additionalProperties": false,
        })
    };
    let text = json!({ "type": "string", "minLength": 1 });
    let value = json!({ "oneOf": [text, secret("file"), secret("env")] });
    json!({ "type": "object", "additionalProperties": value })
}

/// A default or example of the key table, which is TOML, as JSON.
fn value_of(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
