//! Real lists of feeds, taken over whole and quickly. They are no part of the
//! repository; without them this says so and passes.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::PathBuf;
use std::process::Command;

use wirewatch::opml;

fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WIREWATCH_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = root.join("data/feed_lists").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: there is no {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn a_list_of_thousands_of_news_feeds_is_imported_whole() {
    let Some(list) = shared("news_feeds.opml") else { return };
    let opml = opml::read(&std::fs::read(&list).unwrap(), 10_000).unwrap();
    assert_eq!((opml.total, opml.bad), (3_051, 0));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("wirewatch.toml"), "include = ['feeds.d/*.toml']\n").unwrap();
    let wirewatch = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.args(arguments).current_dir(dir.path()).env_remove("WIREWATCH_CONFIG");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = list.to_str().unwrap();
    let first = wirewatch(&["feeds", "import", list, "--yes", "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&first).unwrap();
    let count = |key: &str| summary[key].as_u64().unwrap();
    assert_eq!(count("new") + count("repeated") + count("bad"), 3_051, "{first}");
    assert!(count("new") > 2_900, "{first}");
    let exported = wirewatch(&["feeds", "export"]);
    assert_eq!(exported.matches("xmlUrl=").count() as u64, count("new"));
}
