//! Looking back: `search`, `explain`, `backtest`, `plan`, `rules`.

use std::path::Path;

use serde_json::json;

use super::cli::{lines, stderr, wirewatch};

const FEED: &str = "<rss version='2.0'><channel><title>Wire</title>\
    <item><guid>1</guid><title>Hotline to Beijing reopens</title><link>https://example.org/1</link>\
      <description>BEIJING (AP) — Officers of the U.S. Navy spoke with China’s army.</description></item>\
    <item><guid>2</guid><title>Harvest is late</title><link>https://example.org/2</link>\
      <description>Farmers in 中国 wait for rain.</description></item>\
    <item><guid>3</guid><title>China cabinet is formed</title><link>https://example.org/3</link>\
      <description>No word on the ministers.</description></item></channel></rss>";

const CONFIG: &str = "[store]\npath = 'w.db'\n[defaults]\nbackfill = 'all'\n\
    [feed.wire]\nurl = 'file:feed.xml'\n\
    [terms]\nus = 'US OR Pentagon'\nchina = '{China} OR 中国'\n\
    [rule.contact]\nname = 'Contact'\nmatch = '@us AND @china'\nchannels = []\n\
    matches = ['US talks to China']\nignores = ['tell us of China']\n\
    [rule.harvest]\nmatch = 'harvest~'\nchannels = []\n";

fn watched() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("feed.xml"), FEED).unwrap();
    std::fs::write(dir.path().join("wirewatch.toml"), CONFIG).unwrap();
    let once = wirewatch(dir.path(), &["once"], "");
    assert!(once.status.success(), "{}", stderr(&once));
    dir
}

fn text(dir: &Path, arguments: &[&str]) -> String {
    let output = wirewatch(dir, arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn search_finds_stored_entries_in_the_language_of_rules() {
    let dir = watched();
    let titles = |query: &str| -> Vec<String> {
        let output = wirewatch(dir.path(), &["search", query, "--json"], "");
        assert!(output.status.success(), "{query}: {}", stderr(&output));
        let title = |line: &serde_json::Value| line["title"].as_str().unwrap().to_owned();
        lines(&output).iter().map(title).collect()
    };
    let (hotline, harvest, cabinet) =
        ("Hotline to Beijing reopens", "Harvest is late", "China cabinet is formed");
    // Of one document the first item is the newest.
    assert_eq!(titles("@china"), [hotline, harvest, cabinet]);
    assert_eq!(titles("hotline US"), [hotline]);
    assert_eq!(titles("minister"), [cabinet]);
    assert_eq!(titles("farmer~ OR spoke"), [hotline, harvest]);
    assert_eq!(titles("国"), [harvest]);
    assert_eq!(titles("NOT china"), [harvest]);
    assert_eq!(titles("/Navy s/"), [hotline]);
    assert_eq!(titles("AP"), [""; 0]);
    assert_eq!(titles("site:example.org late"), [harvest]);
    assert_eq!(titles("zebra"), [""; 0]);
    let shown = text(dir.path(), &["search", "officers NEAR/5 US"]);
    assert!(shown.contains("[Officers] of the [U.S.] Navy"), "{shown}");
    assert_eq!(text(dir.path(), &["search", "zebra"]), "nothing found\n");
    let refused = wirewatch(dir.path(), &["search", "(harvest"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("this bracket is never closed\n  (harvest\n  ^"),
        "{}",
        stderr(&refused)
    );
    let old = text(dir.path(), &["search", "harvest", "--since", "0s"]);
    assert_eq!(old, "nothing found\n");
    let one = text(dir.path(), &["search", "@china", "--limit", "1"]);
    assert!(one.contains(hotline) && !one.contains(harvest), "{one}");
}

#[test]
fn explain_shows_the_evidence_or_what_came_closest() {
    let dir = watched();
    let held = text(dir.path(), &["explain", "contact", "https://example.org/1"]);
    assert!(held.contains("rule contact matches: Hotline to Beijing reopens in wire"), "{held}");
    assert!(held.contains("[U.S.] Navy spoke with [China]’s army"), "{held}");
    let not = text(dir.path(), &["explain", "contact", "https://example.org/3"]);
    assert!(not.contains("does not match"), "{not}");
    assert!(not.contains("it has @china; but no member of @us in title or text"), "{not}");
    let stories = wirewatch(dir.path(), &["stories", "--json"], "");
    let id = lines(&stories)[0]["id"].as_str().unwrap().to_owned();
    let of_story = wirewatch(dir.path(), &["explain", "harvest", &id, "--json"], "");
    assert_eq!(lines(&of_story)[0]["story"], json!(id));
    std::fs::write(dir.path().join("story.txt"), "Harvests fail\nin the south").unwrap();
    let file = text(dir.path(), &["explain", "harvest", "story.txt"]);
    assert!(file.contains("title: [Harvests] fail"), "{file}");
    let refused = wirewatch(dir.path(), &["explain", "contct", "story.txt"], "");
    assert!(stderr(&refused).contains("there is no rule \"contct\"; did you mean \"contact\"?"));
    let nothing = wirewatch(dir.path(), &["explain", "contact", "s0"], "");
    assert!(stderr(&nothing).contains("there is no story or file \"s0\""));
}

#[test]
fn backtest_and_plan_tell_what_rules_find_in_the_archive() {
    let dir = watched();
    let tested = wirewatch(dir.path(), &["backtest", "contact", "--json"], "");
    let found = &lines(&tested)[0];
    assert_eq!((&found["hits"], &found["stories"]), (&json!(1), &json!(1)), "{found}");
    assert_eq!(found["entries"], 3);
    assert_eq!(found["near_misses"], 2);
    assert_eq!(
        found["near_samples"][0]["reason"],
        "it has @china; but no member of @us in title or text"
    );
    assert_eq!(found["never_seen"], json!(["Pentagon"]));
    assert_eq!(found["words"]["US"], 1);
    let shown = text(dir.path(), &["backtest"]);
    assert!(shown.contains("rule harvest: 1 hits"), "{shown}");
    let edited = "[terms]\nus = 'US'\n[rule.contact]\nmatch = '{China}'\nchannels = []\n\
        [rule.rain]\nmatch = 'rain'\nchannels = []\n";
    std::fs::write(dir.path().join("edited.toml"), edited).unwrap();
    let planned = wirewatch(dir.path(), &["plan", "edited.toml", "--json"], "");
    let rows: Vec<_> = lines(&planned)
        .iter()
        .map(|row| {
            let count = |key: &str| row[key].as_array().unwrap().len();
            (row["rule"].clone(), row["is"].clone(), count("gained"), count("lost"))
        })
        .collect();
    assert_eq!(
        rows,
        [
            (json!("contact"), json!("kept"), 1, 0),
            (json!("harvest"), json!("removed"), 0, 1),
            (json!("rain"), json!("added"), 1, 0)
        ]
    );
    let shown = text(dir.path(), &["plan", "edited.toml"]);
    assert!(shown.contains("rule contact (kept): 1 stories before, 2 after, +1 -0"), "{shown}");
}

#[test]
fn rules_are_listed_shown_and_tested() {
    let dir = watched();
    assert_eq!(
        text(dir.path(), &["rules"]),
        "contact: Contact (normal, tells nobody)\nharvest: harvest (normal, tells nobody)\n"
    );
    let shown = text(dir.path(), &["rules", "show", "contact"]);
    assert!(shown.contains("  match: @us AND @china\n  @us: US OR Pentagon\n"), "{shown}");
    let tested = text(dir.path(), &["rules", "test"]);
    assert_eq!(tested, "contact: 1 matches and 1 ignores are good\nharvest: has no examples\n");
}

#[test]
fn match_explains_what_does_not_match_too() {
    let dir = watched();
    let items = "{\"id\": 1, \"title\": \"Harvesting\", \"source\": {\"title\": \"Reuters\"}}\n";
    let output = wirewatch(dir.path(), &["match", "--rules", "wirewatch.toml", "--explain"], items);
    let found = lines(&output);
    assert_eq!(found[0]["matches"], false);
    assert_eq!(found[0]["reason"], "no member of @us in title or text");
    assert_eq!(
        (&found[1]["matches"], &found[1]["spans"][0]["text"]),
        (&json!(true), &json!("Harvesting"))
    );
    std::fs::write(dir.path().join("s.toml"), "[rule.s]\nmatch = 'source:Reuters'\n").unwrap();
    let output = wirewatch(dir.path(), &["match", "--rules", "s.toml"], items);
    assert_eq!(
        lines(&output)[0]["spans"],
        json!([{ "field": "source", "start": 0, "end": 7, "text": "Reuters" }])
    );
}
