//! A table read by the key table: unknown keys, wrong types and values out of
//! range are reported here, and nowhere else.

use jiff::SignedDuration;
use toml::de::DeValue;

use super::headers::{self, Header};
use super::keys::{Key, Kind, Section};
use super::problem::{did_you_mean, quoted};
use super::source::{Entry, Findings, Item, Node, Place};
use super::{unknown, values};
use crate::model::{Backfill, Interval};

/// A text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) at: Place,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Texts(Vec<Text>),
    Flag(bool),
    Duration(SignedDuration),
    Size(u64),
    Integer(i64),
    Backfill(Backfill),
    Interval(Interval),
    Headers(Vec<Header>),
}

/// The values of one table. What the file does not give has its default.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) section: &'static Section,
    /// Where the table begins: its name or header.
    pub(super) at: Place,
    given: Vec<(&'static Key, Place, Option<Value>)>,
    /// Keys that unknown ones were probably meant to be.
    misspelt: Vec<&'static str>,
}

impl Fields {
    /// Reads a table. `label` names it in messages: `rule "mergers"`.
    pub(super) fn read(
        section: &'static Section,
        (at, entries): (&Place, &[Entry]),
        label: &str,
        findings: &mut Findings,
    ) -> Self {
        let (mut given, mut misspelt) = (Vec::new(), Vec::new());
        for entry in entries {
            match section.key(&entry.key) {
                Some(key) => {
                    let value = match value(key, &entry.value, findings) {
                        Ok(value) => value,
                        Err((at, message, hint)) => {
                            let key = quoted(key.name);
                            findings.error(&at, format!("{label}: {key} {message}"), hint);
                            None
                        }
                    };
                    given.push((key, entry.value.at.clone(), value));
                }
                None => misspelt.extend(unknown::report(section, entry, label, findings)),
            }
        }
        Self { section, at: at.clone(), given, misspelt }
    }

    /// Reports required keys that are not there.
    pub(super) fn require(&self, label: &str, findings: &mut Findings) {
        // After a syntax error the key may be there, only out of sight.
        if findings.incomplete {
            return;
        }
        for key in self.section.keys.iter().filter(|key| key.required) {
            if !self.is_meant(key.name) {
                let hint = format!("for example: {} = {}", key.name, key.example);
                findings.error(
                    &self.at,
                    format!("{label}: {} is missing", quoted(key.name)),
                    Some(hint),
                );
            }
        }
    }

    /// Whether the key stands in the file, right or wrong.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|(key, ..)| key.name == name)
    }

    /// Whether the key stands in the file, or one that was probably meant to be it.
    pub(super) fn is_meant(&self, name: &str) -> bool {
        self.is_given(name) || self.misspelt.contains(&name)
    }

    /// Whether the key stands in the file with a value that it takes.
    pub(super) fn is_read(&self, name: &str) -> bool {
        self.given.iter().any(|(key, _, value)| key.name == name && value.is_some())
    }

    /// Where the key's value stands, or else the table.
    pub(super) fn place(&self, name: &str) -> &Place {
        self.given.iter().find(|(key, ..)| key.name == name).map_or(&self.at, |(_, at, _)| at)
    }

    /// A text with its place.
    pub(super) fn text(&self, name: &str) -> Option<Text> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(Text { text, at: self.place(name).clone() }),
            _ => None,
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str) -> Vec<Text> {
        match self.get(name) {
            Some(Value::Texts(texts)) => texts,
            _ => Vec::new(),
        }
    }

    /// A yes or no; no when it was given wrongly.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Flag(true)))
    }

    /// A yes or no, unless it has no default and is not given.
    pub(super) fn choice(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Value::Flag(flag)) => Some(flag),
            _ => None,
        }
    }

    /// Time between polls, unless it has no default and is not given.
    pub(super) fn interval(&self, name: &str) -> Option<Interval> {
        match self.get(name) {
            Some(Value::Interval(interval)) => Some(interval),
            _ => None,
        }
    }

    /// Header fields with the places of their values.
    pub(super) fn headers(&self, name: &str) -> Vec<Header> {
        match self.get(name) {
            Some(Value::Headers(headers)) => headers,
            _ => Vec::new(),
        }
    }

    /// A length of time, unless it has no default and is not given.
    pub(super) fn duration(&self, name: &str) -> Option<SignedDuration> {
        match self.get(name) {
            Some(Value::Duration(duration)) => Some(duration),
            _ => None,
        }
    }

    /// A length of time that has a default, as the standard library's type.
    pub(super) fn timeout(&self, name: &str) -> std::time::Duration {
        self.duration(name).unwrap_or_default().unsigned_abs()
    }

    /// A number of bytes that has a default.
    pub(super) fn size(&self, name: &str) -> u64 {
        match self.get(name) {
            Some(Value::Size(size)) => size,
            _ => 0,
        }
    }

    /// A count that has a default.
    pub(super) fn count(&self, name: &str) -> usize {
        match self.get(name) {
            Some(Value::Integer(number)) => usize::try_from(number).unwrap_or_default(),
            _ => 0,
        }
    }

    /// What the first poll may alert, unless it has no default and is not given.
    pub(super) fn backfill(&self, name: &str) -> Option<Backfill> {
        match self.get(name) {
            Some(Value::Backfill(backfill)) => Some(backfill),
            _ => None,
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        let given = self.given.iter().find(|(key, ..)| key.name == name);
        if let Some((.., Some(value))) = given {
            return Some(value.clone());
        }
        let key = self.section.key(name)?;
        default_value(key)
    }
}

/// The default of a key, read as if it stood in a file.
fn default_value(key: &'static Key) -> Option<Value> {
    let parsed = DeValue::parse(key.default?).ok()?;
    let at = Place { file: 0, span: 0..0 };
    let node = match parsed.into_inner() {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Boolean(flag) => Node::Flag(flag),
        DeValue::Integer(number) => Node::Integer(number.as_str().parse().ok()?),
        // No list has a default other than the empty one.
        DeValue::Array(_) => Node::List(Vec::new()),
        _ => return None,
    };
    value(key, &Item { node, at }, &mut Findings::default()).ok().flatten()
}

type Wrong = (Place, String, Option<String>);

/// Reads a value as its key wants it. `None` for what was reported already.
fn value(key: &Key, item: &Item, findings: &mut Findings) -> Result<Option<Value>, Wrong> {
    let wrong = |message: String, hint: Option<&str>| {
        Err((item.at.clone(), message, hint.map(str::to_owned)))
    };
    match (key.kind, &item.node) {
        (_, Node::Broken) => Ok(None),
        (Kind::Flag, Node::Flag(flag)) => Ok(Some(Value::Flag(*flag))),
        (Kind::Integer { min, max }, Node::Integer(number)) => {
            if (min..=max).contains(number) {
                return Ok(Some(Value::Integer(*number)));
            }
            wrong(format!("must be between {min} and {max}"), None)
        }
        (Kind::Texts, Node::List(items)) => texts(key, items, findings).map(Some),
        (Kind::OneOrMore, Node::List(items)) => texts(key, items, findings).map(Some),
        (Kind::OneOrMore, Node::Text(text)) if !text.trim().is_empty() => {
            let only = Text { text: text.clone(), at: item.at.clone() };
            Ok(Some(Value::Texts(vec![only])))
        }
        (Kind::Headers, Node::Table(entries)) => {
            Ok(Some(Value::Headers(headers::read(entries, findings))))
        }
        (Kind::Flag | Kind::Integer { .. } | Kind::Texts | Kind::Headers, node) => {
            mismatch(key.kind, node, &item.at)
        }
        (kind, Node::Text(text)) if text.trim().is_empty() => {
            wrong(format!("is empty; it takes {}", takes(kind)), None)
        }
        (kind, Node::Text(text)) => match scalar(kind, text) {
            Ok(value) => Ok(Some(value)),
            Err((message, hint)) => wrong(message, hint.as_deref()),
        },
        (kind, node) => mismatch(kind, node, &item.at),
    }
}

/// Says that a value is of another type than its key.
fn mismatch(kind: Kind, node: &Node, at: &Place) -> Result<Option<Value>, Wrong> {
    let hint = match (kind, node) {
        (Kind::Texts, Node::Text(text)) => Some(format!("write [{}]", quoted(text))),
        (Kind::Flag, Node::Text(text)) if text == "true" || text == "false" => {
            Some(format!("write {text} without quotes"))
        }
        (Kind::Duration { min, max } | Kind::Interval { min, max }, Node::Integer(number)) => {
            Some(format!(
                "a number needs a unit and quotes: \"{}\"",
                values::with_unit(*number, min, max)
            ))
        }
        (Kind::Backfill, Node::Integer(number)) => {
            Some(format!("a number needs a unit and quotes: \"{number}h\""))
        }
        (Kind::Size { .. }, Node::Integer(_)) => {
            Some("a number needs a unit and quotes: \"10MiB\"".to_owned())
        }
        _ => None,
    };
    Err((at.clone(), format!("takes {}, not {}", takes(kind), kind_of(node)), hint))
}

fn texts(key: &Key, items: &[Item], findings: &mut Findings) -> Result<Value, Wrong> {
    let mut texts = Vec::new();
    for item in items {
        match &item.node {
            Node::Text(text) if !text.trim().is_empty() => {
                texts.push(Text { text: text.clone(), at: item.at.clone() });
            }
            Node::Text(_) => {
                let message = format!("{} contains an empty text", quoted(key.name));
                findings.error(&item.at, message, None);
            }
            Node::Broken => {}
            node => {
                let message = format!("takes texts only, not {}", kind_of(node));
                return Err((item.at.clone(), message, None));
            }
        }
    }
    Ok(Value::Texts(texts))
}

type Reason = (String, Option<String>);

fn scalar(kind: Kind, text: &str) -> Result<Value, Reason> {
    match kind {
        Kind::Duration { min, max } => duration(text, min, max).map(Value::Duration),
        Kind::Interval { .. } if text == "auto" => Ok(Value::Interval(Interval::Adaptive)),
        Kind::Interval { min, max } => {
            duration(text, min, max).map(|time| Value::Interval(Interval::Fixed(time)))
        }
        Kind::Size { min, max } => size(text, min, max),
        Kind::Word(words) => {
            if words.contains(&text) {
                return Ok(Value::Text(text.to_owned()));
            }
            let hint = did_you_mean(text, words.iter().copied());
            Err((format!("is {}: it takes {}", quoted(text), takes(kind)), hint))
        }
        Kind::Backfill => values::backfill(text).map(Value::Backfill).ok_or_else(|| {
            let hint = did_you_mean(text, ["none", "all"]);
            (format!("is {}: it takes {}", quoted(text), takes(kind)), hint)
        }),
        _ => Ok(Value::Text(text.to_owned())),
    }
}

fn duration(text: &str, min: i64, max: i64) -> Result<SignedDuration, Reason> {
    let Some(duration) = values::duration(text) else {
        let hint = "write it like \"90s\", \"15m\", \"1h 30m\" or \"2d\"".to_owned();
        return Err((format!("is {}: not a length of time", quoted(text)), Some(hint)));
    };
    if duration < SignedDuration::from_secs(min) {
        return Err((format!("must be at least {}", values::spell_seconds(min)), None));
    }
    if duration > SignedDuration::from_secs(max) {
        return Err((format!("must be at most {}", values::spell_seconds(max)), None));
    }
    Ok(duration)
}

fn size(text: &str, min: u64, max: u64) -> Result<Value, Reason> {
    let Some(size) = values::size(text) else {
        let hint = "write it like \"512KiB\" or \"10MiB\"".to_owned();
        return Err((format!("is {}: not a size", quoted(text)), Some(hint)));
    };
    if !(min..=max).contains(&size) {
        let (min, max) = (values::spell_size(min), values::spell_size(max));
        return Err((format!("must be between {min} and {max}"), None));
    }
    Ok(Value::Size(size))
}

/// What a kind takes, for messages.
pub(super) fn takes(kind: Kind) -> String {
    match kind {
        Kind::Text => "a text".to_owned(),
        Kind::Texts => "a list of texts".to_owned(),
        Kind::OneOrMore => "a text or a list of texts".to_owned(),
        Kind::Interval { .. } => "\"auto\" or a length of time such as \"15m\"".to_owned(),
        Kind::Headers => "a table such as { \"X-Api-Key\" = { file = \"api-key\" } }".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Duration { .. } => "a length of time such as \"15m\"".to_owned(),
        Kind::Size { .. } => "a size such as \"10MiB\"".to_owned(),
        Kind::Integer { .. } => "a whole number".to_owned(),
        Kind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            match words.split_last() {
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                None => String::new(),
            }
        }
        Kind::Backfill => "\"none\", \"all\" or a length of time such as \"24h\"".to_owned(),
    }
}

pub(super) fn kind_of(node: &Node) -> String {
    match node {
        Node::Text(_) => "a text".to_owned(),
        Node::Integer(_) => "a number".to_owned(),
        Node::Flag(flag) => format!("{flag}"),
        Node::List(_) => "a list".to_owned(),
        Node::Table(_) => "a table".to_owned(),
        Node::Other(name) if name.starts_with('i') => format!("an {name}"),
        Node::Other(name) => format!("a {name}"),
        Node::Broken => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn every_default_and_every_example_is_a_value_that_its_key_takes() {
        for section in keys::SECTIONS.iter().copied().chain([&keys::ROOT]) {
            for key in section.keys {
                let name = format!("{} {}", section.header(), key.name);
                assert_eq!(default_value(key).is_some(), key.default.is_some(), "{name}");
                let text = format!("{} = {}", key.name, key.example);
                toml::de::DeTable::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(!key.doc.is_empty(), "{name}");
            }
        }
    }
}
