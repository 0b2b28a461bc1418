//! The program from outside: what it prints and how it exits.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

pub(super) fn wirewatch(dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirewatch"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("WIREWATCH_CONFIG")
        .env_remove("STATE_DIRECTORY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends early closes its end; that is not this test's matter.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub(super) fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(super) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const RULES: &str = "[terms]\nus = 'US OR Pentagon'\n\
    [rule.contact]\nmatch = '@us AND {China}'\nchannels = []\n";

#[test]
fn parse_prints_an_object_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let feed = "<rss version='2.0'><channel><title>T</title><item><title>A &amp;amp; B</title>\
        <link>/1</link><pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item></channel></rss>";
    let output =
        wirewatch(dir.path(), &["parse", "-", "--base-url", "https://example.org/f"], feed);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        lines(&output)[0],
        json!({
            "id": "https://example.org/1", "url": "https://example.org/1", "title": "A & B",
            "text": "", "published": "2026-11-22T11:00:00Z", "updated": null,
            "authors": [], "categories": [], "lang": null, "source": null
        })
    );
    let refused = wirewatch(dir.path(), &["parse", "-"], "<html><title>no</title>");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("this is a web page"));
}

#[test]
fn parse_tells_of_the_feed_and_of_what_it_mended() {
    let dir = tempfile::tempdir().unwrap();
    let feed = "<rss version='2.0'><channel><title>R & D</title><ttl>30</ttl>\
        <item><title>A</title></item></channel></rss>";
    let output = wirewatch(dir.path(), &["parse", "-", "--feed"], feed);
    assert!(output.status.success(), "{}", stderr(&output));
    let about = &lines(&output)[0]["feed"];
    assert_eq!(about["title"], "R & D");
    assert_eq!(about["format"], "RSS 2.0");
    assert_eq!(about["encoding"], "UTF-8");
    assert_eq!(about["degraded"], true);
    assert_eq!(about["repairs"], json!(["a bare \"&\""]));
    assert_eq!(about["hints"]["ttl"], 1_800);
    assert_eq!(lines(&output)[1]["title"], "A");
    assert!(stderr(&output).contains("degraded: a bare \"&\""));
}

#[test]
fn match_prints_a_line_for_each_match_with_spans_in_bytes() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    let items = "{\"id\": 7, \"title\": \"Café: US talks\", \"text\": \"to China’s envoy\"}\n\
        {\"id\": \"b\", \"title\": \"tell us\", \"text\": \"about China\", \"authors\": null}\n\n\
        not json\n";
    let output = wirewatch(dir.path(), &["match", "--rules", "rules.toml"], items);
    assert_eq!(output.status.code(), Some(1), "a bad line is an error after the good ones");
    assert!(stderr(&output).contains("-:4:"), "{}", stderr(&output));
    assert_eq!(
        lines(&output),
        [json!({
            "id": 7, "rule": "contact", "spans": [
                { "field": "title", "start": 7, "end": 9, "text": "US" },
                { "field": "text", "start": 3, "end": 8, "text": "China" },
            ]
        })]
    );
}

#[test]
fn replay_decides_in_time_order_and_the_same_way_each_time() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    let item = |id: &str, feed: &str, seen: &str, url: &str, title: &str| {
        json!({ "id": id, "feed": feed, "seen": seen, "url": url, "title": title, "text": "x" })
            .to_string()
    };
    let items = [
        item(
            "2",
            "b",
            "2026-11-22T11:00:00Z",
            "https://example.org/1?utm_source=b",
            "US, China talk",
        ),
        item("1", "a", "2026-11-22T10:00:00Z", "https://example.org/1", "US and China talk"),
        item("1", "a", "2026-11-22T12:00:00Z", "https://example.org/1", "US and China talked"),
        item("1", "a", "2026-11-22T13:00:00Z", "https://example.org/1", "US and China talked"),
    ]
    .join("\n");
    let run = || wirewatch(dir.path(), &["replay", "--rules", "rules.toml"], &items);
    let (first, second) = (run(), run());
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(first.stdout, second.stdout);
    let rows = lines(&first);
    let column = |key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("id"), ["1", "2", "1", "1"]);
    assert_eq!(column("entry"), ["new", "new", "revised", "known"]);
    assert!(column("story").iter().all(|story| *story == rows[0]["story"]));
    assert_eq!(rows[0]["alerts"], json!(["contact"]));
    assert!(rows[1..].iter().all(|row| row["alerts"] == json!([])));
    assert!(rows.iter().all(|row| row["rules"] == json!(["contact"])));
}

#[test]
fn a_wrong_configuration_exits_78_with_every_problem_and_wrong_usage_2() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = "[feed.a]\nurll = \"https://example.org/rss\"\n\
        [rule.r]\nmatch = 'talks AND'\nchannels = [\"desk\"]\n";
    std::fs::write(dir.path().join("watch.toml"), wrong).unwrap();
    for command in ["check", "run", "once", "status"] {
        let output = wirewatch(dir.path(), &["--config", "watch.toml", command], "");
        assert_eq!(output.status.code(), Some(78), "{command}: {}", stderr(&output));
        for part in ["watch.toml:2:1", "urll", "watch.toml:4:", "no channel is named \"desk\""] {
            assert!(stderr(&output).contains(part), "{command} lacks {part}: {}", stderr(&output));
        }
    }
    assert_eq!(wirewatch(dir.path(), &["no-such-command"], "").status.code(), Some(2));
    let nowhere = wirewatch(dir.path(), &["check"], "");
    assert_eq!(nowhere.status.code(), Some(78), "{}", stderr(&nowhere));
}

fn sample(dir: &Path) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &dir.join("config"));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_bundled_sample_tells_each_story_once_and_lists_it() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let first = wirewatch(dir.path(), &["once", "--json"], "");
    assert!(first.status.success(), "{}", stderr(&first));
    let summary = lines(&first).remove(0);
    assert!(stderr(&first).contains("Harbour Wire"), "{}", stderr(&first));
    assert_eq!(summary["feeds"], 8);
    assert_eq!(summary["alerts"], 9);
    assert_eq!(summary["deliveries"], json!({ "sent": 9, "waiting": 0, "failed": 0 }));
    let second = lines(&wirewatch(dir.path(), &["once", "--json"], ""));
    assert_eq!((&second[0]["alerts"], &second[0]["deliveries"]["sent"]), (&json!(0), &json!(0)));

    let alerts = lines(&wirewatch(dir.path(), &["alerts", "--json", "--rule", "sanctions"], ""));
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().any(|alert| alert["outlets"].as_array().unwrap().len() == 3));
    let status = lines(&wirewatch(dir.path(), &["status", "--json"], ""));
    assert_eq!((&status[0]["alerts"], &status[0]["feeds"]["ok"]), (&json!(9), &json!(8)));
    assert_eq!(wirewatch(dir.path(), &["status", "--quiet"], "").status.code(), Some(1));
    for list in ["feeds", "stories", "deliveries"] {
        let rows = lines(&wirewatch(dir.path(), &[list, "--json", "--limit", "5"], ""));
        assert_eq!(rows.len(), 5, "{list}");
        let table = wirewatch(dir.path(), &[list, "--since", "2h"], "");
        assert!(table.status.success() && !table.stdout.is_empty(), "{list}");
    }
}

#[test]
fn completions_man_pages_schema_and_reference_are_made() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = wirewatch(dir.path(), &["generate", "completions", shell], "");
        assert!(output.stdout.len() > 1_000, "{shell}");
    }
    let output = wirewatch(dir.path(), &["generate", "man", "--dir", "man"], "");
    assert!(output.status.success() && dir.path().join("man/wirewatch-once.1").exists());
    let schema = wirewatch(dir.path(), &["generate", "schema"], "");
    assert!(serde_json::from_slice::<Value>(&schema.stdout).unwrap().is_object());
    let reference = wirewatch(dir.path(), &["generate", "reference"], "");
    assert!(String::from_utf8(reference.stdout).unwrap().contains("[defaults]"));
}

/// The daemon as a process of its own, killed when dropped.
struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_wirewatch"))
            .current_dir(dir)
            .env_remove("WIREWATCH_CONFIG")
            .env_remove("STATE_DIRECTORY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Reads standard output up to the line that begins with `start`.
    fn read_until(&mut self, start: &str) -> String {
        use std::io::{BufRead, BufReader};
        let stdout = BufReader::new(self.0.stdout.as_mut().unwrap());
        let mut heard = String::new();
        for line in stdout.lines() {
            let line = line.unwrap();
            heard.push_str(&line);
            heard.push('\n');
            if line.starts_with(start) {
                return heard;
            }
        }
        panic!("ended without \"{start}\": {heard}");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

#[test]
fn the_daemon_prints_alerts_then_what_it_watches_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let mut daemon = Daemon::start(dir.path());
    let heard = daemon.read_until("watching 8 feeds with 4 rules");
    assert_eq!(heard.matches("US–China military contact").count(), 3, "{heard}");
    assert!(heard.contains("next poll at"), "{heard}");
    assert!(wirewatch(dir.path(), &["status", "--quiet"], "").status.success());
    let second = wirewatch(dir.path(), &["run"], "");
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("in use by another wirewatch"), "{}", stderr(&second));
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());

    let mut again = Daemon::start(dir.path());
    let heard = again.read_until("watching 8 feeds with 4 rules");
    assert_eq!(heard.lines().count(), 1, "{heard}");
    again.signal("INT");
    assert!(again.0.wait().unwrap().success());
}

#[test]
fn hangup_with_a_wrong_file_keeps_the_daemon_and_says_so() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let mut daemon = Daemon::start(dir.path());
    daemon.read_until("watching 8 feeds");
    let rules = dir.path().join("config/rules.d/sample-rules.toml");
    let good = std::fs::read_to_string(&rules).unwrap();
    let log = BufReader::new(daemon.0.stderr.take().unwrap());
    let mut log = log.lines().map(Result::unwrap);
    std::fs::write(&rules, good.replace("@warship AND", "@warshp AND")).unwrap();
    daemon.signal("HUP");
    assert!(log.any(|line| line.contains("the old one stays in force")));
    std::fs::write(&rules, good).unwrap();
    daemon.signal("HUP");
    assert!(log.any(|line| line.contains("configuration reloaded")));
    daemon.signal("TERM");
    assert!(daemon.0.wait().unwrap().success());
}
