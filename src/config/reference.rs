//! `reference.toml`, written from the key table.

use std::fmt::Write as _;

use super::keys::{Key, ROOT, SECTIONS, Section};

const HEAD: &str = "\
# Every key with its default. A key without a default stands behind a # with an example.
# This file is made from the program's own table of keys: do not edit it, copy from it.
# Lengths of time: \"90s\", \"15m\", \"1h 30m\", \"2d\". Sizes: \"512KiB\", \"10MiB\".
# Names (after the dot in [feed.NAME] and the like): a-z, 0-9, - and _.
";

/// The text of `config/reference.toml`.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for key in ROOT.keys {
        push_key(&mut text, key);
    }
    for section in SECTIONS {
        push_section(&mut text, section);
    }
    text
}

fn push_section(text: &mut String, section: &Section) {
    text.push_str("\n\n");
    push_comment(text, section.doc);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "[{}]", section.path.join(".").replace('*', section.sample));
    for key in section.keys {
        push_key(text, key);
    }
}

fn push_key(text: &mut String, key: &Key) {
    text.push('\n');
    push_comment(text, key.doc);
    let mark = if key.required || key.default.is_some() { "" } else { "# " };
    let value = key.default.unwrap_or(key.example);
    let required = if key.required { "    # required" } else { "" };
    let _ = writeln!(text, "{mark}{} = {value}{required}", key.name);
}

fn push_comment(text: &mut String, comment: &str) {
    for line in comment.lines() {
        let _ = writeln!(text, "# {line}");
    }
}
