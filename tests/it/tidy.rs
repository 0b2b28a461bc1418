//! The house's rules that a compiler does not know: who may import whom, how
//! long files and functions may be, where printing and clocks are allowed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The table of ARCHITECTURE.md: what each module may use of ours.
const MAY_IMPORT: [(&str, &[&str]); 28] = [
    ("model", &[]),
    ("schedule", &["model"]),
    ("health", &["model"]),
    ("markup", &[]),
    ("extract", &["model", "markup"]),
    ("alert", &["model"]),
    ("text", &[]),
    ("story", &["model", "text"]),
    ("rule", &["model", "text"]),
    ("parse", &["model", "extract"]),
    ("discover", &["markup"]),
    ("article", &["parse", "markup"]),
    ("opml", &["markup"]),
    ("dedup", &["model", "extract"]),
    ("push", &["model", "markup"]),
    ("net", &["model"]),
    ("program", &[]),
    ("fetch", &["model", "net", "program"]),
    ("deliver", &["model", "net", "program"]),
    ("wedge", &[]),
    ("store", &["model", "wedge"]),
    ("serve", &["model"]),
    (
        "pipeline",
        &[
            "model", "schedule", "health", "extract", "article", "parse", "dedup", "story", "rule",
            "alert", "net", "fetch", "deliver", "store", "push", "wedge",
        ],
    ),
    ("config", &["model", "rule", "alert", "deliver", "net"]),
    (
        "app",
        &[
            "model", "schedule", "health", "extract", "article", "parse", "dedup", "story", "rule",
            "alert", "net", "fetch", "deliver", "store", "pipeline", "serve", "config", "push",
        ],
    ),
    (
        "cli",
        &[
            "model", "schedule", "health", "extract", "article", "parse", "dedup", "story", "rule",
            "alert", "net", "fetch", "deliver", "store", "pipeline", "serve", "config", "app",
            "discover", "opml", "push", "text",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Lines of a file before its tests.
const LONGEST_FILE: usize = 400;
/// Lines of a function.
const LONGEST_FUNCTION: usize = 60;

struct Source {
    path: PathBuf,
    /// The part before inline tests.
    code: String,
}

impl Source {
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap().as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_string()
    }

    fn is_test(&self) -> bool {
        let name = self.path.file_stem().unwrap().to_string_lossy();
        matches!(&*name, "tests" | "naive")
            || self.path.components().any(|c| c.as_os_str() == "tests")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("\n#[cfg(test)]").next().unwrap().to_string();
                found.push(Source { path: path.strip_prefix(&root).unwrap().to_path_buf(), code });
            }
        }
    }
    found.retain(|source| !source.is_test());
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// Names after every `crate::`, except in comments.
fn imports(code: &str) -> Vec<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let joined = lines.collect::<Vec<_>>().join("\n");
    joined
        .match_indices("crate::")
        .map(|(at, found)| {
            let rest = &joined[at + found.len()..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        })
        .collect()
}

#[test]
fn nobody_imports_what_the_table_does_not_allow() {
    let table: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut broken = Vec::new();
    for source in sources() {
        let module = source.module();
        let allowed = table.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no row"));
        for import in imports(&source.code) {
            if import != module && !allowed.contains(&import.as_str()) {
                broken.push(format!("{} imports {import}", source.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn files_and_functions_stay_readable() {
    let mut long = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.code.lines().collect();
        if lines.len() > LONGEST_FILE {
            long.push(format!("{}: {} lines", source.path.display(), lines.len()));
        }
        for (at, length) in functions(&lines) {
            if length > LONGEST_FUNCTION {
                long.push(format!("{}:{}: {length} lines", source.path.display(), at + 1));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// First line and length of each function; formatted code closes a function
/// with a brace under its first letter.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let head = text.trim_start_matches("pub ").trim_start_matches("pub(super) ");
        let head = head.trim_start_matches("pub(crate) ").trim_start_matches("async ");
        if !head.starts_with("fn ") {
            continue;
        }
        // A trait's method without a body.
        let signature = lines[at..].iter().find(|line| line.ends_with([';', '{', '}']));
        if signature.is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(line.len() - text.len()));
        if let Some(length) = lines[at..].iter().position(|line| *line == closing) {
            found.push((at, length + 1));
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources() {
        assert!(source.code.starts_with("//!"), "{} has no header", source.path.display());
    }
}

#[test]
fn only_the_command_line_prints_and_only_the_clock_reads_the_time() {
    for source in sources() {
        for forbidden in ["println!", "eprintln!", "print!(", "dbg!"] {
            let found = source.code.contains(forbidden);
            assert!(!found, "{} has {forbidden}", source.path.display());
        }
        if !source.path.starts_with("model/clock.rs") {
            let found =
                source.code.contains("Timestamp::now") || source.code.contains("SystemTime::now");
            assert!(!found, "{} reads the clock", source.path.display());
        }
    }
}

#[test]
fn sql_sockets_and_processes_stay_where_they_belong() {
    for source in sources() {
        let module = source.module();
        if module != "store" {
            assert!(!source.code.contains("rusqlite"), "{} has SQL", source.path.display());
        }
        if !matches!(module.as_str(), "net" | "fetch" | "deliver" | "serve") {
            let found = source.code.contains("reqwest") || source.code.contains("TcpStream");
            assert!(!found, "{} has a socket", source.path.display());
        }
        // One replaces the program by itself.
        if module != "program" && !source.path.ends_with("cli/arenas.rs") {
            let found = ["tokio::process", "std::process::Command", "process::{Command"];
            let found = found.iter().any(|text| source.code.contains(text));
            assert!(!found, "{} starts a process", source.path.display());
        }
    }
}
