//! `[group.*]`: what the feeds of a folder have in common.

use std::collections::{HashMap, HashSet};

use super::document::{Document, label};
use super::fields::Fields;
use super::source::Findings;

/// The tables of groups, and those behind them.
pub(super) struct Groups<'a> {
    tables: HashMap<&'a str, &'a Fields>,
    used: HashSet<String>,
    defaults: &'a Fields,
    fetch: &'a Fields,
    http: &'a Fields,
}

impl<'a> Groups<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let tables = document.groups.iter().map(|named| (named.name.as_str(), &named.fields));
        Self {
            tables: tables.collect(),
            used: HashSet::new(),
            defaults: &document.defaults,
            fetch: &document.fetch,
            http: &document.http,
        }
    }

    /// Whether hubs can reach us.
    pub(super) fn has_callbacks(&self) -> bool {
        self.http.is_read("public_url")
    }

    /// The tables that speak for a feed: its own, those of its groups from the
    /// innermost outwards, and the general ones.
    pub(super) fn levels(
        &mut self,
        own_label: String,
        own: &'a Fields,
        groups: &[String],
    ) -> Levels<'a> {
        let mut tables = vec![(own_label, own)];
        for group in groups {
            let mut folder = Some(group.as_str());
            while let Some(name) = folder {
                if let Some(fields) = self.tables.get(name) {
                    self.used.insert(name.to_owned());
                    let label = label("group", name);
                    if !tables.iter().any(|(other, _)| *other == label) {
                        tables.push((label, fields));
                    }
                }
                folder = name.rsplit_once('/').map(|(outer, _)| outer);
            }
        }
        Levels { tables, defaults: self.defaults, fetch: self.fetch }
    }

    /// Warns of tables whose group has no feed.
    pub(super) fn report_unused(&self, findings: &mut Findings) {
        if findings.has_errors() {
            return;
        }
        let mut unused: Vec<_> =
            self.tables.iter().filter(|(name, _)| !self.used.contains(**name)).collect();
        unused.sort_by_key(|(name, _)| **name);
        for (name, fields) in unused {
            let message = format!("{}: no feed stands in it", label("group", name));
            let hint = format!("write group = \"{name}\" in the table of a feed");
            findings.warn(&fields.at, message, Some(hint));
        }
    }
}

/// The tables that speak for one feed, the nearest first.
pub(super) struct Levels<'a> {
    tables: Vec<(String, &'a Fields)>,
    defaults: &'a Fields,
    fetch: &'a Fields,
}

impl<'a> Levels<'a> {
    /// The feed's own table.
    pub(super) fn own(&self) -> &'a Fields {
        self.tables[0].1
    }

    /// The feed as messages name it.
    pub(super) fn label(&self) -> &str {
        &self.tables[0].0
    }

    /// The table whose word on a key counts; the general one when none has it.
    pub(super) fn find(&self, key: &str) -> &'a Fields {
        self.nearest(&[key]).1
    }

    /// That table as messages name it.
    pub(super) fn label_of(&self, key: &str) -> String {
        self.nearest(&[key]).0
    }

    /// The nearest table that has any of these keys, and its name.
    pub(super) fn nearest(&self, keys: &[&str]) -> (String, &'a Fields) {
        let gives = |fields: &Fields| keys.iter().any(|key| fields.is_given(key));
        if let Some((label, fields)) = self.tables.iter().find(|(_, fields)| gives(fields)) {
            return (label.clone(), fields);
        }
        if keys.iter().any(|key| self.defaults.section.key(key).is_some()) {
            return ("[defaults]".to_owned(), self.defaults);
        }
        ("[fetch]".to_owned(), self.fetch)
    }

    /// The tags of the feed and of its groups, each once.
    pub(super) fn tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for tag in self.tables.iter().flat_map(|(_, fields)| fields.texts("tags")) {
            if !tags.contains(&tag.text) {
                tags.push(tag.text);
            }
        }
        tags
    }
}
