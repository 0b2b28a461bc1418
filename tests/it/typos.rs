//! Hundreds of slips in one configuration that is good: each is refused, with its place.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::cli::{lines, stderr, wirewatch};
use crate::world::SECRET;

/// One key a line, of every section.
const GOOD: &str = r#"include = []
[store]
path = "watch.db"
retention = "365d"
[defaults]
interval = "auto"
backfill = "none"
gather = "2s"
websub = true
[fetch]
contact = "https://example.org/bot"
timeout = "60s"
max_body = "10MiB"
concurrency = 8
[fulltext]
pages_per_host = 500
bytes_per_host = "200MiB"
[http]
listen = "127.0.0.1:8466"
hosts = ["watch.example.org"]
token_file = "token"
[operator]
notify = ["ops"]
heartbeat = ["09:00"]
time_zone = "Europe/Berlin"
ping_every = "5m"
[group."news/asia"]
interval = "10m"
tags = ["wire"]
[feed.wire]
url = "https://example.org/wire"
title = "Wire"
enabled = true
group = "news/asia"
interval = "5m"
allow_private = false
ignore_hints = true
username = "desk"
password_file = "token"
[terms]
us = 'US OR USA'
[rule.storms]
name = "Storms"
match = '@us AND storm'
severity = "high"
channels = ["ops", "desk", "phone"]
min_sources = 1
on_update = "never"
feeds = ["wire"]
languages = ["en"]
matches = ["US storm"]
[channel.terminal.console]
[channel.ops.webhook]
url = "https://ops.example.org/hook"
secret_file = "secret"
format = "standard"
timeout = "15s"
[channel.desk.email]
from = "watch@example.org"
to = ["desk@example.org"]
smtp = "smtp.example.org:587"
tls = "starttls"
hello_name = "watch.example.org"
accept_timeout = "5m"
[channel.phone.telegram]
chat = "-1001234567890"
topic = 7
token_file = "token"
[channel.log.file]
path = "alerts.jsonl"
[channel.run.exec]
command = ["/bin/true"]
"#;

/// Names that people give are no keys, and what stands under `terms` is one of them.
const NAMES: [&str; 1] = ["us"];

/// A text, and the lines of it that may be named.
type Slip = (String, Vec<usize>);

/// The good text with line `at` replaced by others.
fn with(at: usize, by: &[&str]) -> Slip {
    let mut lines: Vec<&str> = GOOD.lines().collect();
    lines.splice(at..=at, by.iter().copied());
    (lines.join("\n") + "\n", (at + 1..=at + by.len().max(1)).collect())
}

/// Slips of the finger: a letter that is missing, double, or in its neighbour's place.
fn slips_of(word: &str) -> Vec<String> {
    let mut swapped: Vec<char> = word.chars().collect();
    swapped.swap(0, 1);
    let last = word.chars().last().unwrap_or_default();
    let slips = [
        word[..1].to_owned() + &word[2..],
        format!("{word}{last}"),
        String::from_iter(swapped),
        word.to_uppercase(),
    ];
    slips.into_iter().filter(|slip| slip != word).collect()
}

fn slips() -> Vec<Slip> {
    let mut slips = Vec::new();
    for (at, line) in GOOD.lines().enumerate() {
        if let Some((key, value)) = line.split_once(" = ") {
            if !NAMES.contains(&key) {
                slips.extend(
                    slips_of(key).iter().map(|key| with(at, &[&format!("{key} = {value}")])),
                );
            }
            // No key takes a date, nor a list in a list.
            for wrong in ["1979-05-27", "[[]]"] {
                slips.push(with(at, &[&format!("{key} = {wrong}")]));
            }
            let cut = value.strip_suffix(['"', '\'', ']']).unwrap_or("");
            // A list may go on in the next line.
            let (text, mut places) = with(at, &[&format!("{key} = {cut}")]);
            places.extend(value.ends_with(']').then_some(at + 2));
            slips.push((text, places));
            slips.push(with(at, &[&format!("{key} {value}")]));
            slips.push(with(at, &[line, line]));
        } else {
            let name = line.trim_matches(['[', ']']);
            let (table, rest) = name.split_once('.').map_or((name, ""), |(a, b)| (a, b));
            let dot = if rest.is_empty() { "" } else { "." };
            let other = |table: &String| with(at, &[&format!("[{table}{dot}{rest}]")]);
            slips.extend(slips_of(table).iter().map(other));
            slips.push(with(at, &[line.trim_end_matches(']')]));
        }
    }
    slips
}

fn check(dir: &Path, text: &str) -> (Option<i32>, Value) {
    std::fs::write(dir.join("watch.toml"), text).unwrap();
    let output = wirewatch(dir, &["--config", "watch.toml", "check", "--json"], "");
    let report = lines(&output).pop();
    (output.status.code(), report.unwrap_or_else(|| panic!("{text}\n{}", stderr(&output))))
}

/// What is wrong with the answer to a slip, if anything.
fn fault(code: Option<i32>, report: &Value, at: &[usize]) -> Option<String> {
    let problems = report["problems"].as_array().cloned().unwrap_or_default();
    let is_there = |problem: &Value| {
        let line = problem["line"].as_u64().and_then(|line| usize::try_from(line).ok());
        problem["severity"] == "error"
            && problem["column"].as_u64().is_some_and(|column| column > 0)
            && line.is_some_and(|line| at.contains(&line))
    };
    let is_named = problems.iter().any(is_there);
    (code != Some(78) || report["valid"] != false || !is_named)
        .then(|| format!("exit {code:?}, expected a problem in {at:?}: {problems:?}"))
}

#[test]
fn no_slip_in_a_configuration_is_accepted_and_each_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("token", "open sesame\n"), ("secret", SECRET)] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let (code, report) = check(dir.path(), GOOD);
    assert_eq!(code, Some(0), "{report}");
    let slips = slips();
    assert!(slips.len() > 300, "{}", slips.len());
    let faults: Vec<String> = slips
        .iter()
        .filter_map(|(text, at)| {
            let (code, report) = check(dir.path(), text);
            let line = text.lines().nth(at[0] - 1).unwrap_or_default();
            fault(code, &report, at).map(|fault| format!("{line}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), slips.len(), faults.join("\n"));
}
