//! The table of docs/push.md that answers the implementation report of the
//! WebSub Recommendation: whole, and every test that it names is there.

use std::path::Path;

/// The questions, in the report's order.
const QUESTIONS: [&str; 19] = [
    "100", "101", "102", "103", "104", "1xx", "200", "201", "202", "203", "204", "205", "1xx",
    "1xx", "1xx", "300", "1xx", "301", "302",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands between back quotes and names a test.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('`').filter_map(|words| words.split_once("::"))
}

#[test]
fn every_question_of_the_report_is_answered_by_tests_that_exist() {
    let page = read("docs/push.md");
    let (_, section) = page.split_once("## The Recommendation, point by point").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    let asked: Vec<&str> = rows.iter().filter_map(|row| row.split(" | ").next()).collect();
    let asked: Vec<&str> = asked.iter().map(|number| number.trim_start_matches("| ")).collect();
    assert_eq!(asked, QUESTIONS);
    for row in rows {
        assert!(named(row).next().is_some(), "{row} names no test");
    }
    for (module, test) in named(section) {
        let source = read(&format!("tests/websub/{module}.rs"));
        assert!(source.contains(&format!("async fn {test}(")), "{module}::{test} is missing");
    }
}
