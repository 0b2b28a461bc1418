//! Every rule in the cookbook and in the shipped examples passes its own tests.

#![expect(clippy::expect_used, reason = "a test may stop where it cannot go on")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Refused rules, and rules whose examples fail, make `match` fail.
fn check(rules: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_wirewatch"))
        .args(["match", "--rules"])
        .arg(rules)
        .stdin(Stdio::null())
        .output()
        .expect("wirewatch runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", rules.display());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn shipped_rules_pass_their_own_tests() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("config/examples/rules")).expect("a directory") {
        check(&entry.expect("an entry").path());
        seen += 1;
    }
    assert!(seen > 0, "no shipped rules");
}

#[test]
fn cookbook_rules_pass_their_own_tests() {
    let book = fs::read_to_string(root().join("docs/cookbook.md")).expect("the cookbook");
    let blocks: Vec<&str> =
        book.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "no rules in the cookbook");
    for (number, block) in blocks.iter().enumerate() {
        let name = format!("cookbook-{}-{number}.toml", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, block).expect("a file");
        check(&file);
        fs::remove_file(&file).expect("removed");
    }
}

#[test]
fn every_command_stands_in_the_manual() {
    let manual = fs::read_to_string(root().join("docs/commands.md")).expect("the manual");
    let headings: Vec<&str> = manual.lines().filter(|line| line.starts_with("## ")).collect();
    let help = Command::new(env!("CARGO_BIN_EXE_wirewatch")).arg("--help").output();
    let help = String::from_utf8(help.expect("wirewatch runs").stdout).expect("text");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    // Further lines of a description are indented more.
    let commands = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<&str> = commands.filter(|one| !one.is_empty() && *one != "help").collect();
    assert!(commands.len() > 20, "{help}");
    let is_word = |line: &&str, word: &str| {
        line.split(|one: char| one != '-' && !one.is_alphanumeric()).any(|one| one == word)
    };
    let stands = |word: &&str| {
        headings.iter().any(|line| is_word(line, word)) || manual.contains(&format!("\n`{word} "))
    };
    let missing: Vec<&str> = commands.into_iter().filter(|word| !stands(word)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
