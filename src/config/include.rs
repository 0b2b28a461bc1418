//! Which files belong to the configuration.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::problem::quoted;
use super::source::{Entry, Findings, Item, Node};

/// Reads a file and all that it includes, directly or not. A file that is
/// named twice is read once, so circles do no harm.
pub(super) fn read_all(path: &Path, env: &Environment, findings: &mut Findings) -> Vec<Entry> {
    let mut seen = HashSet::new();
    let mut waiting = vec![(path.to_path_buf(), env.working_directory.join(path))];
    let mut entries = Vec::new();
    while let Some((shown, real)) = waiting.pop() {
        if !seen.insert(std::fs::canonicalize(&real).unwrap_or_else(|_| real.clone())) {
            continue;
        }
        let (_, found) = findings.read(shown.clone(), &real);
        let mut included = Vec::new();
        for entry in found.iter().filter(|entry| entry.key == "include") {
            included = matches(&entry.value, &shown, findings);
        }
        // The last in the list is read first; files keep the order of their names.
        included.reverse();
        waiting.extend(included);
        entries.extend(found);
    }
    entries
}

/// The files that a list of patterns stands for. What is no list of texts is
/// reported with the other keys.
fn matches(list: &Item, shown: &Path, findings: &mut Findings) -> Vec<(PathBuf, PathBuf)> {
    let mut files: Vec<PathBuf> = Vec::new();
    let directory = findings.directory(&list.at);
    let Node::List(patterns) = &list.node else { return Vec::new() };
    for item in patterns {
        if let Node::Text(pattern) = &item.node {
            files.extend(expand(pattern, &directory, item, findings));
        }
    }
    files.sort();
    files.dedup();
    let shown_directory = shown.parent().unwrap_or(Path::new(""));
    files
        .into_iter()
        .map(|real| {
            let inside = real.strip_prefix(&directory).map(|rest| shown_directory.join(rest));
            (inside.unwrap_or_else(|_| real.clone()), real)
        })
        .collect()
}

fn expand(pattern: &str, directory: &Path, item: &Item, findings: &mut Findings) -> Vec<PathBuf> {
    let label = format!("include {}", quoted(pattern));
    if !pattern.contains(['*', '?', '[']) {
        let path = directory.join(pattern);
        if path.exists() || findings.edits().text(&path).is_some() {
            return vec![path];
        }
        findings.incomplete = true;
        findings.error(&item.at, format!("{label}: there is no such file"), None);
        return Vec::new();
    }
    let escaped = glob::Pattern::escape(&directory.to_string_lossy());
    let whole = Path::new(&escaped).join(pattern);
    // Editors leave hidden copies beside the file.
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        require_literal_separator: true,
        ..glob::MatchOptions::new()
    };
    match glob::glob_with(&whole.to_string_lossy(), options) {
        Ok(paths) => {
            let fixed: PathBuf = Path::new(pattern)
                .components()
                .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
                .collect();
            let pattern = glob::Pattern::new(&whole.to_string_lossy());
            let is_new = |path: &&PathBuf| {
                let matches = |pattern: &glob::Pattern| pattern.matches_path_with(path, options);
                !path.exists() && pattern.as_ref().is_ok_and(matches)
            };
            let new: Vec<PathBuf> = findings.edits().paths().filter(is_new).cloned().collect();
            if !directory.join(&fixed).is_dir() && new.is_empty() {
                let name = quoted(&fixed.to_string_lossy());
                findings.warn(&item.at, format!("{label}: there is no directory {name}"), None);
            }
            paths.flatten().filter(|path| path.is_file()).chain(new).collect()
        }
        Err(error) => {
            findings.error(&item.at, format!("{label}: {}", error.msg), None);
            Vec::new()
        }
    }
}
