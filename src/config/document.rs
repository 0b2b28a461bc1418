//! The files' trees sorted into sections, with everything checked that can be
//! checked without knowing what the sections mean.

use std::collections::HashMap;

use super::fields::{Fields, Text, kind_of};
use super::keys::{self, CHANNEL_KINDS, Section};
use super::problem::{did_you_mean, quoted};
use super::source::{Entry, Findings, Item, Node, Place};
use super::values;

/// A table with a name of the user's.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) fields: Fields,
}

/// All sections of all files.
pub(super) struct Document {
    pub(super) store: Fields,
    pub(super) defaults: Fields,
    pub(super) fetch: Fields,
    pub(super) operator: Fields,
    pub(super) http: Fields,
    pub(super) fulltext: Fields,
    pub(super) groups: Vec<Named>,
    pub(super) feeds: Vec<Named>,
    pub(super) terms: Vec<(String, Text)>,
    pub(super) rules: Vec<Named>,
    /// Of any kind: `fields.section` says which.
    pub(super) channels: Vec<Named>,
    /// Of channels that have one: what stands beside the kind.
    pub(super) policies: Vec<Named>,
    /// Of all channels, also of those that are too wrong to be read.
    pub(super) channel_names: Vec<String>,
}

/// Which sections are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    Everything,
    /// `[terms]` and `[rule.*]`; others are known, but not read.
    Rules,
}

/// The names that may stand at the top of a file.
const TOP: [&str; 12] = [
    "include", "store", "defaults", "fetch", "group", "feed", "terms", "rule", "operator",
    "channel", "http", "fulltext",
];

/// Sorts the entries of all files.
pub(super) fn gather(root: &[Entry], scope: Scope, findings: &mut Findings) -> Document {
    let everything = scope == Scope::Everything;
    top_level(root, findings);
    let empty: Vec<Entry> = Vec::new();
    let settings = |section: &'static Section, findings: &mut Findings| {
        let name = section.path[0];
        let entries =
            if everything { tables(root, name, section, findings) } else { empty.clone() };
        let entries = unique(entries, &format!("[{name}]"), findings);
        let at = entries.first().map_or(Place { file: 0, span: 0..0 }, |entry| entry.at.clone());
        Fields::read(section, (&at, &entries), &format!("[{name}]"), findings)
    };
    let store = settings(&keys::STORE, findings);
    let defaults = settings(&keys::DEFAULTS, findings);
    let fetch = settings(&keys::FETCH, findings);
    let operator = settings(&keys::OPERATOR, findings);
    let http = settings(&keys::HTTP, findings);
    let fulltext = settings(&keys::FULLTEXT, findings);
    let groups = if everything { named(root, &keys::GROUP, findings) } else { Vec::new() };
    let feeds = if everything { named(root, &keys::FEED, findings) } else { Vec::new() };
    let rules = named(root, &keys::RULE, findings);
    let terms = terms(root, findings);
    let (channels, policies, channel_names) =
        if everything { channels(root, findings) } else { Default::default() };
    for feed in &feeds {
        feed.fields.require(&label("feed", &feed.name), findings);
    }
    for channel in &channels {
        channel.fields.require(&label("channel", &channel.name), findings);
    }
    Document {
        store,
        defaults,
        fetch,
        operator,
        http,
        fulltext,
        groups,
        feeds,
        terms,
        rules,
        channels,
        policies,
        channel_names,
    }
}

/// `feed "bbc-world"`.
pub(super) fn label(kind: &str, name: &str) -> String {
    format!("{kind} {}", quoted(name))
}

fn top_level(root: &[Entry], findings: &mut Findings) {
    for entry in root {
        if !TOP.contains(&entry.key.as_str()) {
            let what = match entry.value.node {
                Node::Table(_) | Node::List(_) => "table",
                _ => "key",
            };
            let belongs = keys::SECTIONS.iter().find(|section| section.key(&entry.key).is_some());
            let hint = match (did_you_mean(&entry.key, TOP), belongs) {
                (Some(hint), _) => hint,
                (None, Some(section)) => {
                    format!("{} belongs in {}", quoted(&entry.key), section.header())
                }
                (None, None) => format!("known here: {}", TOP.join(", ")),
            };
            let message = format!("unknown {what} {}", quoted(&entry.key));
            findings.error(&entry.at, message, Some(hint));
        } else if entry.key == "include" {
            let single = std::slice::from_ref(entry);
            Fields::read(&keys::ROOT, (&entry.at, single), "the configuration", findings);
        }
    }
}

/// The entries of all tables of this name, in all files.
fn tables(root: &[Entry], name: &str, section: &Section, findings: &mut Findings) -> Vec<Entry> {
    let mut found = Vec::new();
    for entry in root.iter().filter(|entry| entry.key == name) {
        match &entry.value.node {
            Node::Table(entries) => found.extend(entries.iter().cloned()),
            node => not_a_table(&entry.value, node, &section.header(), findings),
        }
    }
    found
}

fn not_a_table(item: &Item, node: &Node, header: &str, findings: &mut Findings) {
    if !matches!(node, Node::Broken) {
        let message = format!("{header} is a table, not {}", kind_of(node));
        let hint = matches!(node, Node::List(_))
            .then(|| format!("write {header} with single brackets and a name"));
        findings.error(&item.at, message, hint.filter(|_| header.contains("NAME")));
    }
}

/// Drops and reports what another file gave before. Repeats in one file are
/// syntax errors.
fn unique(entries: Vec<Entry>, label: &str, findings: &mut Findings) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    // An imported list has thousands of feeds.
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        match places.get(&entry.key) {
            Some(first) => {
                let message = format!("{label}: {} is given twice", quoted(&entry.key));
                let hint = format!("the other is at {}", findings.name_place(&kept[*first].at));
                findings.error(&entry.at, message, Some(hint));
            }
            None => {
                places.insert(entry.key.clone(), kept.len());
                kept.push(entry);
            }
        }
    }
    kept
}

/// The tables `[feed.NAME]`, `[group.NAME]` or `[rule.NAME]`.
fn named(root: &[Entry], section: &'static Section, findings: &mut Findings) -> Vec<Named> {
    let kind = section.path[0];
    let entries = tables(root, kind, section, findings);
    let mut all = Vec::new();
    for entry in unique(entries, &format!("[{kind}.NAME]"), findings) {
        match &entry.value.node {
            Node::Table(entries) => {
                check_name(kind, &entry, findings);
                let label = label(kind, &entry.key);
                let fields = Fields::read(section, (&entry.at, entries), &label, findings);
                all.push(Named { name: entry.key.clone(), fields });
            }
            node => without_name(kind, &entry, node, findings),
        }
    }
    all
}

fn without_name(kind: &str, entry: &Entry, node: &Node, findings: &mut Findings) {
    if matches!(node, Node::Broken) {
        return;
    }
    let key = quoted(&entry.key);
    let message = format!("{key} stands in [{kind}] itself: a {kind} has a name");
    let hint = if kind == "channel" { "[channel.NAME.KIND]" } else { &format!("[{kind}.NAME]") };
    findings.error(&entry.at, message, Some(format!("write {hint}")));
}

fn check_name(kind: &str, entry: &Entry, findings: &mut Findings) {
    if kind == "group" {
        if let Err(message) = values::check_group(&entry.key) {
            findings.error(&entry.at, format!("{}: {message}", label(kind, &entry.key)), None);
        }
    } else if !values::is_name(&entry.key) {
        let message = format!(
            "{}: a name has only a-z, 0-9, - and _, and begins with a letter or digit",
            label(kind, &entry.key)
        );
        findings.error(&entry.at, message, values::suggest_name(&entry.key));
    }
}

fn terms(root: &[Entry], findings: &mut Findings) -> Vec<(String, Text)> {
    let entries = tables(root, "terms", &keys::TERMS, findings);
    let mut all = Vec::new();
    for entry in unique(entries, "[terms]", findings) {
        check_name("list", &entry, findings);
        match &entry.value.node {
            Node::Text(text) => {
                let at = entry.value.at.clone();
                all.push((entry.key, Text { text: text.clone(), at }));
            }
            Node::Broken => {}
            node => {
                let label = label("list", &entry.key);
                let message = format!("{label}: takes a text, not {}", kind_of(node));
                let hint = "put OR between the words: 'US OR \"United States\"'".to_owned();
                findings.error(&entry.value.at, message, Some(hint));
            }
        }
    }
    all
}

/// The tables `[channel.NAME.KIND]`.
fn channels(root: &[Entry], findings: &mut Findings) -> (Vec<Named>, Vec<Named>, Vec<String>) {
    let (mut all, mut policies) = (Vec::new(), Vec::new());
    let mut names = Vec::new();
    let mut places: Vec<Entry> = Vec::new();
    for entry in root.iter().filter(|entry| entry.key == "channel") {
        match &entry.value.node {
            Node::Table(entries) => places.extend(entries.iter().cloned()),
            node => not_a_table(&entry.value, node, "[channel.NAME.KIND]", findings),
        }
    }
    for entry in unique(places, "[channel.NAME.KIND]", findings) {
        names.push(entry.key.clone());
        match &entry.value.node {
            Node::Table(kinds) => {
                check_name("channel", &entry, findings);
                let is_policy = |kind: &&Entry| kind.key == keys::POLICY.path[2];
                let policy = kinds.iter().find(is_policy);
                policies.extend(policy.and_then(|policy| beside(&entry, policy, findings)));
                let kinds: Vec<Entry> =
                    kinds.iter().filter(|kind| !is_policy(kind)).cloned().collect();
                all.extend(channel(&entry, &kinds, findings));
            }
            node => without_name("channel", &entry, node, findings),
        }
    }
    (all, policies, names)
}

/// The table `[channel.NAME.policy]`.
fn beside(entry: &Entry, policy: &Entry, findings: &mut Findings) -> Option<Named> {
    match &policy.value.node {
        Node::Table(entries) => {
            let label = label("channel", &entry.key);
            let fields = Fields::read(&keys::POLICY, (&policy.at, entries), &label, findings);
            Some(Named { name: entry.key.clone(), fields })
        }
        node => {
            not_a_table(&policy.value, node, &keys::POLICY.header(), findings);
            None
        }
    }
}

fn channel(entry: &Entry, kinds: &[Entry], findings: &mut Findings) -> Option<Named> {
    let label = label("channel", &entry.key);
    if kinds.is_empty() {
        let kinds = CHANNEL_KINDS.map(|section| section.path[2]).join(", ");
        let hint = format!("write [channel.{}.KIND]; kinds: {kinds}", entry.key);
        findings.error(&entry.at, format!("{label}: no kind is given"), Some(hint));
    }
    let mut found: Option<Named> = None;
    for kind in kinds {
        let section = CHANNEL_KINDS.into_iter().find(|section| section.path[2] == kind.key);
        match (section, &kind.value.node) {
            (Some(section), Node::Table(entries)) => {
                let fields = Fields::read(section, (&kind.at, entries), &label, findings);
                if found.is_some() {
                    let hint = "give the second a name of its own".to_owned();
                    findings.error(&kind.at, format!("{label}: has two kinds"), Some(hint));
                } else {
                    found = Some(Named { name: entry.key.clone(), fields });
                }
            }
            (_, Node::Broken) => {}
            (Some(section), node) => not_a_table(&kind.value, node, &section.header(), findings),
            (None, node) => unknown_kind(&label, entry, kind, node, findings),
        }
    }
    found
}

fn unknown_kind(label: &str, entry: &Entry, kind: &Entry, node: &Node, findings: &mut Findings) {
    let names = CHANNEL_KINDS.map(|section| section.path[2]);
    let key = quoted(&kind.key);
    if matches!(node, Node::Table(_)) {
        let hint = did_you_mean(&kind.key, names)
            .unwrap_or_else(|| format!("kinds: {}", names.join(", ")));
        let message = format!("{label}: no kind of channel is named {key}");
        return findings.error(&kind.at, message, Some(hint));
    }
    let owner = CHANNEL_KINDS.into_iter().find(|section| section.key(&kind.key).is_some());
    let kind_name = owner.map_or("email", |section| section.path[2]);
    let hint = format!("write [channel.{}.{kind_name}]", entry.key);
    findings.error(&kind.at, format!("{label}: {key} stands above the channel's kind"), Some(hint));
}
