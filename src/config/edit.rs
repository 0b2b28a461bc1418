//! Changes to configuration files that leave the rest of them as it is.
//! Nothing is written here: the caller has the result checked first.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Value};

use super::environment::Environment;
use super::include;
use super::source::Findings;
use super::values;

/// Texts that files would contain.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    files: Vec<Edit>,
}

#[derive(Clone, Debug)]
struct Edit {
    path: PathBuf,
    /// The same file, links followed.
    resolved: PathBuf,
    text: String,
}

impl Edits {
    /// Says what an absolute path would contain.
    pub fn set(&mut self, path: PathBuf, text: String) {
        let resolved = resolve(&path);
        self.files.retain(|edit| edit.resolved != resolved);
        self.files.push(Edit { path, resolved, text });
    }

    /// The files in the order in which they were set, with links followed.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|edit| (edit.resolved.as_path(), edit.text.as_str()))
    }

    /// What this file would contain, if it is one of them.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        if self.files.is_empty() {
            return None;
        }
        let resolved = resolve(path);
        let found = self.files.iter().find(|edit| edit.resolved == resolved);
        found.map(|edit| edit.text.as_str())
    }

    /// The paths as they were set.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().map(|edit| &edit.path)
    }
}

/// Follows links as far as the path exists.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = std::fs::canonicalize(path) {
        return real;
    }
    let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}

/// Why a file was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no TOML.
    #[error("the file is not valid TOML")]
    Syntax,
    /// Its `include` is no list.
    #[error("\"include\" is not a list")]
    Include,
    /// The feed stands there in a way that cannot be cut out safely.
    #[error("the feed is not written as a table [feed.NAME]; remove it by hand")]
    NotATable,
}

/// Whether a configuration reads this file, or would if it existed.
pub fn includes(path: &Path, env: &Environment, target: &Path) -> bool {
    let target = env.working_directory.join(target);
    let mut edits = Edits::default();
    if !target.exists() {
        edits.set(target.clone(), String::new());
    }
    let mut findings = Findings::with(edits);
    include::read_all(path, env, &mut findings);
    let wanted = resolve(&target);
    findings.paths().any(|path| resolve(path) == wanted)
}

/// A feed to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewFeed {
    /// Its key.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The outlet's name.
    pub title: Option<String>,
    /// Its folders.
    pub groups: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it may live on a private address.
    pub allow_private: bool,
    /// Its proxy, without credentials.
    pub proxy: Option<String>,
}

/// The text with tables for these feeds at its end.
pub fn add_feeds(text: &str, feeds: &[NewFeed]) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for feed in feeds {
        if !text.is_empty() {
            text.push('\n');
        }
        push_feed(&mut text, feed);
    }
    text
}

fn push_feed(text: &mut String, feed: &NewFeed) {
    let list = |texts: &[String]| Value::from(texts.iter().collect::<Array>());
    let mut lines: Vec<(&str, Value)> = vec![("url", feed.url.as_str().into())];
    lines.extend(feed.title.as_deref().map(|title| ("title", title.into())));
    match feed.groups.as_slice() {
        [] => {}
        [only] => lines.push(("group", only.as_str().into())),
        several => lines.push(("group", list(several))),
    }
    if !feed.tags.is_empty() {
        lines.push(("tags", list(&feed.tags)));
    }
    if feed.allow_private {
        lines.push(("allow_private", true.into()));
    }
    lines.extend(feed.proxy.as_deref().map(|proxy| ("proxy", proxy.into())));
    text.push_str(&format!("[feed.{}]\n", feed.name));
    for (key, value) in lines {
        text.push_str(&format!("{key} = {value}\n"));
    }
}

/// The text with one more file in its `include`.
///
/// # Errors
/// When it is no TOML, or `include` is no list.
pub fn include(text: &str, file: &str) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Syntax)?;
    let list = document.entry("include").or_insert_with(|| Item::Value(Array::new().into()));
    list.as_array_mut().ok_or(EditError::Include)?.push(file);
    Ok(document.to_string())
}

/// The text without a feed and the comment right above it; `None` when the
/// feed does not stand there.
///
/// # Errors
/// When it is no TOML, or the feed is not a table of its own.
pub fn remove_feed(text: &str, name: &str) -> Result<Option<String>, EditError> {
    let document = toml_edit::Document::parse(text).map_err(|_| EditError::Syntax)?;
    let Some(item) = document.get("feed").and_then(|feeds| feeds.get(name)) else {
        return Ok(None);
    };
    let table = item.as_table().ok_or(EditError::NotATable)?;
    let start = table.span().ok_or(EditError::NotATable)?.start;
    let has_header = text[start..].starts_with('[');
    let end = last_end(item).filter(|_| has_header).ok_or(EditError::NotATable)?;
    let end = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    let mut before = &text[..start];
    while let Some(line) = before.strip_suffix('\n').map(|rest| rest.rsplit('\n').next()) {
        let line = line.unwrap_or_default();
        if !line.trim_start().starts_with('#') {
            break;
        }
        before = &before[..before.len() - line.len() - 1];
    }
    let after = &text[end..];
    let after = if before.is_empty() || before.ends_with("\n\n") {
        after.strip_prefix('\n').unwrap_or(after)
    } else {
        after
    };
    Ok(Some(format!("{before}{after}")))
}

/// Where the last value inside an item ends.
fn last_end(item: &Item) -> Option<usize> {
    let own = item.span().map(|span| span.end);
    let inner = item.as_table_like().into_iter().flat_map(|table| table.iter());
    inner.filter_map(|(_, item)| last_end(item)).chain(own).max()
}

/// A name for a feed that nobody has yet, made of the first of these texts
/// that gives one.
pub fn feed_name(texts: &[&str], taken: &mut HashSet<String>) -> String {
    const LONGEST: usize = 40;
    let made = texts.iter().filter_map(|text| values::slug(text)).find(|name| name.len() > 2);
    let mut base = made.unwrap_or_else(|| "feed".to_owned());
    while base.contains("--") {
        base = base.replace("--", "-");
    }
    if base.len() > LONGEST {
        let cut = base[..LONGEST].rfind('-').filter(|at| *at > LONGEST / 2).unwrap_or(LONGEST);
        base.truncate(cut);
        base.truncate(base.trim_end_matches(['-', '_']).len());
    }
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}-{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# The desk's feeds.\n\n# World\n\n# the wire\n[feed.a]\nurl = 'https://a.example/' # first\n\
        headers = { X = 'y' }\n\n[feed.b]\nurl = 'https://b.example/'\n\n[rule.r]\nmatch = 'x'\n";

    #[test]
    fn a_feed_is_written_at_the_end_and_the_rest_left_as_it_is() {
        let feed = NewFeed {
            name: "c".to_owned(),
            url: "https://c.example/?q=\"1\"".to_owned(),
            title: Some("Größe \\ \u{1}".to_owned()),
            groups: vec!["news/asia".to_owned()],
            tags: vec!["wire".to_owned(), "x".to_owned()],
            allow_private: true,
            proxy: None,
        };
        let text = add_feeds(FILE, std::slice::from_ref(&feed));
        let added = text.strip_prefix(FILE).unwrap();
        assert!(added.starts_with("\n[feed.c]\nurl = "), "{added}");
        let table: toml::Table = text.parse().unwrap();
        let read = &table["feed"]["c"];
        assert_eq!(read["url"].as_str(), Some(feed.url.as_str()));
        assert_eq!(read["title"].as_str(), feed.title.as_deref());
        assert_eq!(read["group"].as_str(), Some("news/asia"));
        assert_eq!(read["tags"].as_array().unwrap().len(), 2);
        assert_eq!(read["allow_private"].as_bool(), Some(true));
    }

    #[test]
    fn a_feed_is_cut_out_with_its_own_comment_only() {
        let check = |name: &str, expected: &str| {
            assert_eq!(remove_feed(FILE, name).unwrap().as_deref(), Some(expected), "{name}");
        };
        check(
            "a",
            "# The desk's feeds.\n\n# World\n\n[feed.b]\nurl = 'https://b.example/'\n\n[rule.r]\nmatch = 'x'\n",
        );
        check("b", &FILE.replace("[feed.b]\nurl = 'https://b.example/'\n\n", ""));
        assert_eq!(remove_feed(FILE, "c"), Ok(None));
        assert_eq!(remove_feed("feed.a.url = 'x'", "a"), Err(EditError::NotATable));
        assert_eq!(remove_feed("feed = { a = { url = 'x' } }", "a"), Err(EditError::NotATable));
        assert_eq!(remove_feed("feed = [", "a"), Err(EditError::Syntax));
    }

    #[test]
    fn a_file_is_added_to_the_include_that_is_there_or_to_a_new_one() {
        let check = |text: &str, expected: Result<&str, EditError>| {
            assert_eq!(include(text, "f.toml").as_deref(), expected.as_deref(), "{text}");
        };
        check(
            "include = [\"a\"] # x\n[store]\n",
            Ok("include = [\"a\", \"f.toml\"] # x\n[store]\n"),
        );
        check("[store]\n", Ok("include = [\"f.toml\"]\n[store]\n"));
        check("include = 'a'", Err(EditError::Include));
        check("include = [", Err(EditError::Syntax));
    }

    #[test]
    fn names_are_made_of_what_there_is_and_never_twice() {
        let mut taken = HashSet::from(["bbc-news".to_owned()]);
        let mut check = |texts: &[&str], expected: &str| {
            assert_eq!(feed_name(texts, &mut taken), expected, "{texts:?}");
        };
        check(&["BBC News"], "bbc-news-2");
        check(&["BBC - News!"], "bbc-news-3");
        check(&["新华社", "www.news.cn"], "www-news-cn");
        check(&["新华社", ""], "feed");
        check(
            &["The quite long title of an outlet that does not know when to stop"],
            "the-quite-long-title-of-an-outlet-that",
        );
    }
}
