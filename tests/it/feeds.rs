//! The `feeds` commands from outside: what they ask for, print and write.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::json;

use crate::cli::{lines, stderr, wirewatch};
use crate::support::http::FeedServer;

const RSS: &str = "<rss version='2.0'><channel><title>The Desk: World</title><ttl>30</ttl>\
    <item><title>Storm at sea</title><link>https://example.org/1</link>\
    <pubDate>Sun, 22 Nov 2026 11:00:00 GMT</pubDate></item>\
    <item><title>Calm</title><link>https://example.org/2</link></item></channel></rss>";

const PAGE: &str = "<html><head><title>The Desk</title>\
    <link rel='alternate' type='application/rss+xml' title='Comments' href='/comments'>\
    <link rel='alternate' type='application/rss+xml' title='World' href='world.xml'></head></html>";

const MAIN: &str = "# The desk's own.\ninclude = [\"feeds.d/*.toml\"] # more\n\n\
    [rule.storms]\nmatch = 'storm'\nchannels = []\n";

/// A folder with a main file.
fn folder(main: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("wirewatch.toml"), main).unwrap();
    dir
}

/// Runs the program while the test's servers go on.
pub(super) async fn run(dir: &Path, arguments: &[&str]) -> Output {
    let dir = dir.to_path_buf();
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        wirewatch(&dir, &arguments, "")
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

async fn site() -> FeedServer {
    let server = FeedServer::start().await;
    server.serve("/", "text/html", PAGE);
    server.serve("/world.xml", "application/rss+xml", RSS);
    server
}

#[tokio::test]
async fn the_feed_behind_a_page_is_found_tested_and_written() {
    let server = site().await;
    let dir = folder(MAIN);
    let url = server.url("/");
    let add = ["feeds", "add", &url, "--allow-private", "--group", "news/asia", "--tag", "wire"];
    let asked = run(dir.path(), &add).await;
    assert_eq!(asked.status.code(), Some(1), "nobody was there to say yes");
    assert!(stderr(&asked).contains("--yes"), "{}", stderr(&asked));
    assert!(!dir.path().join("feeds.d").exists());

    let add = [&add[..], &["--yes"]].concat();
    let added = run(dir.path(), &add).await;
    assert!(added.status.success(), "{}", stderr(&added));
    for part in ["world.xml (declared)", "entries   2", "storms matches 1", "Storm at sea"] {
        assert!(stdout(&added).contains(part), "{part}: {}", stdout(&added));
    }
    assert_eq!(server.count("/comments"), 0);
    assert_eq!(read(dir.path(), "wirewatch.toml"), MAIN);
    let written: toml::Table = read(dir.path(), "feeds.d/added.toml").parse().unwrap();
    let feed = &written["feed"]["the-desk-world"];
    assert_eq!(feed["url"].as_str().unwrap(), server.url("/world.xml"));
    assert_eq!(feed["title"].as_str(), Some("The Desk: World"));
    assert_eq!(feed["group"].as_str(), Some("news/asia"));
    assert_eq!(feed["allow_private"].as_bool(), Some(true));

    let again = run(dir.path(), &add).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("\"the-desk-world\" has this URL"), "{}", stderr(&again));
}

#[tokio::test]
async fn a_page_that_names_no_feed_is_asked_in_few_usual_places_and_slowly() {
    let server = FeedServer::start().await;
    server.serve("/", "text/html", "<html><p>Welcome</html>");
    server.serve("/rss.xml", "text/xml", RSS);
    let dir = folder(MAIN);
    let url = server.url("/");
    let tested = run(dir.path(), &["feeds", "test", &url, "--allow-private", "--json"]).await;
    assert!(tested.status.success(), "{}", stderr(&tested));
    let report = lines(&tested).remove(0);
    assert_eq!(report["url"], json!(server.url("/rss.xml")));
    assert_eq!((&report["found"], &report["entries"]), (&json!("customary"), &json!(2)));
    let requests = server.all_requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/", "/feed", "/rss", "/rss.xml"]);
    for pair in requests.windows(2) {
        let gap = pair[1].at.duration_since(pair[0].at);
        assert!(gap > Duration::from_millis(900), "{gap:?} between two requests");
    }
}

#[tokio::test]
async fn a_test_reports_what_is_understood_and_stores_nothing() {
    let server = site().await;
    let dir = folder(MAIN);
    let url = server.url("/world.xml");
    let tested = run(dir.path(), &["feeds", "test", &url, "--allow-private", "--json"]).await;
    let report = lines(&tested).remove(0);
    assert_eq!(report["ok"], json!(true));
    assert_eq!(report["title"], json!("The Desk: World"));
    assert_eq!(report["newest"][0]["published"], json!("2026-11-22T11:00:00Z"));
    assert_eq!(
        report["rules"],
        json!([{ "rule": "storms", "entries": 1, "example": "Storm at sea" }])
    );
    assert!(!dir.path().join("wirewatch-data").exists());

    let guarded = run(dir.path(), &["feeds", "test", &url]).await;
    assert_eq!(guarded.status.code(), Some(1));
    assert!(stderr(&guarded).contains("--allow-private"), "{}", stderr(&guarded));
    let missing = server.url("/nowhere");
    let missing = run(dir.path(), &["feeds", "test", &missing, "--allow-private", "--json"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(lines(&missing)[0]["ok"], json!(false));
}

#[tokio::test]
async fn what_is_meant_for_one_site_is_not_sent_to_another() {
    let (site, other) = (FeedServer::start().await, FeedServer::start().await);
    let link = |url: String| format!("<link rel=alternate type=text/xml href='{url}'>");
    let page = format!("<html>{}{}", link(site.url("/gone")), link(other.url("/rss")));
    site.serve("/", "text/html", page);
    other.serve("/rss", "text/xml", RSS);
    let url = site.url("/");
    let dir = folder(&format!(
        "[feed.desk]\nurl = '{url}'\nallow_private = true\nheaders = {{ X-Key = 'sesame' }}\n"
    ));
    let tested = run(dir.path(), &["feeds", "test", "desk", "--json"]).await;
    assert_eq!(lines(&tested)[0]["url"], json!(other.url("/rss")));
    assert_eq!(site.count("/gone"), 1);
    assert_eq!(other.requests("/rss")[0].header("X-Key"), None);
}

#[tokio::test]
async fn the_main_file_keeps_its_text_and_mode_and_is_not_broken() {
    let server = site().await;
    let main = "[rule.storms]\nmatch = 'storm'\nchannels = [] # nobody";
    let dir = folder(main);
    let path = dir.path().join("wirewatch.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let url = server.url("/world.xml");
    let bad = ["feeds", "add", &url, "--allow-private", "--yes", "--name", "Not A Name"];
    let refused = run(dir.path(), &bad).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("nothing is written"), "{}", stderr(&refused));
    assert_eq!(read(dir.path(), "wirewatch.toml"), main);

    let good = ["feeds", "add", &url, "--allow-private", "--yes", "--name", "desk"];
    let added = run(dir.path(), &good).await;
    assert!(added.status.success(), "{}", stderr(&added));
    let text = read(dir.path(), "wirewatch.toml");
    assert!(text.starts_with(&format!("{main}\n\n[feed.desk]\nurl = ")), "{text}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");

    let removed = run(dir.path(), &["feeds", "remove", "desk", "--yes"]).await;
    assert!(removed.status.success(), "{}", stderr(&removed));
    assert_eq!(read(dir.path(), "wirewatch.toml").trim_end(), main);
}

const LIST: &str = "<opml version='2.0'><body>\
    <outline text='News'><outline text='Asia'><outline text='A' xmlUrl='https://a.example/rss'/>\n\
    <outline text='A again' xmlUrl='http://www.a.example/rss/'/></outline></outline>\n\
    <outline text='B' category='wire' xmlUrl='https://b.example/rss'/>\n\
    <outline text='C' xmlUrl='https://c.example/rss'/>\n\
    <outline text='evil' xmlUrl='exec:/bin/sh'/><outline text='p' xmlUrl='http://127.0.0.1/rss'/>\n\
    <outline text='l' xmlUrl='https://u:p@d.example/'/><outline text='none'/></body></opml>";

#[test]
fn a_list_is_taken_over_without_repeats_and_without_what_is_dangerous() {
    let dir = folder("[feed.c]\nurl = 'https://c.example/rss'\n");
    std::fs::write(dir.path().join("list.opml"), LIST).unwrap();
    let import = |more: &[&str]| {
        let arguments = [&["feeds", "import", "list.opml"], more].concat();
        wirewatch(dir.path(), &arguments, "")
    };
    let dry = import(&["--dry-run", "--json"]);
    assert!(dry.status.success(), "{}", stderr(&dry));
    let summary = lines(&dry).remove(0);
    assert_eq!((&summary["new"], &summary["known"]), (&json!(2), &json!(1)));
    assert_eq!((&summary["repeated"], &summary["bad"]), (&json!(1), &json!(4)));
    assert_eq!(summary["problems"][0]["line"], json!(5));
    assert!(!dir.path().join("feeds.d").exists());
    assert_eq!(import(&[]).status.code(), Some(1), "nobody was there to say yes");
    assert_eq!(import(&["--limit", "3", "--yes"]).status.code(), Some(1), "too many feeds");
    assert!(!dir.path().join("feeds.d").exists());

    let done = import(&["--yes"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let main = read(dir.path(), "wirewatch.toml");
    assert!(main.contains("include = [\"feeds.d/imported.toml\"]"), "{main}");
    let written: toml::Table = read(dir.path(), "feeds.d/imported.toml").parse().unwrap();
    assert_eq!(written["feed"]["a-example"]["group"].as_str(), Some("News/Asia"));
    let again = lines(&import(&["--yes", "--json"])).remove(0);
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(4)));
}

#[test]
fn what_is_exported_is_imported_as_the_same_feeds() {
    let main = "[feed.a]\nurl = 'https://a.example/rss?x=1&y=2'\ntitle = 'A & \"B\" <é>'\n\
        group = ['News/Asia', 'World']\ntags = ['wire']\n[feed.b]\nurl = 'https://b.example/'\n\
        enabled = false\n[feed.c]\nurl = 'file:c.xml'\n";
    let from = folder(main);
    let exported = wirewatch(from.path(), &["feeds", "export"], "");
    assert!(stderr(&exported).contains("1 feeds are left out"), "{}", stderr(&exported));
    let to = folder("include = ['feeds.d/*.toml']\n");
    let list = stdout(&exported);
    let imported = wirewatch(to.path(), &["feeds", "import", "-", "--yes"], &list);
    assert!(imported.status.success(), "{}", stderr(&imported));
    assert_eq!(stdout(&wirewatch(to.path(), &["feeds", "export"], "")), list);
    let only = wirewatch(from.path(), &["feeds", "export", "--group", "News"], "");
    assert_eq!(stdout(&only).matches("xmlUrl").count(), 1);
}

#[test]
fn feeds_are_listed_by_group_tag_and_health_and_shown_whole() {
    let dir = folder(
        "[feed.a]\nurl = 'file:a.xml'\ngroup = 'news/asia'\ntags = ['wire']\ninterval = '20m'\n\
         [feed.b]\nurl = 'file:b.xml'\ngroup = 'newsletters'\n\
         [feed.c]\nurl = 'https://c.example/'\nenabled = false\n",
    );
    std::fs::write(dir.path().join("a.xml"), RSS).unwrap();
    assert!(wirewatch(dir.path(), &["once"], "").status.success());
    let check = |filter: &[&str], expected: &[&str]| {
        let output = wirewatch(dir.path(), &[&["feeds", "list", "--json"], filter].concat(), "");
        let rows = lines(&output);
        let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{filter:?} {}", stderr(&output));
    };
    check(&[], &["a", "b", "c"]);
    check(&["--group", "news"], &["a"]);
    check(&["--tag", "wire"], &["a"]);
    check(&["--health", "failing"], &["b"]);
    check(&["--state", "paused"], &["c"]);
    check(&["--limit", "1"], &["a"]);
    let shown = lines(&wirewatch(dir.path(), &["feeds", "show", "a", "--json"], "")).remove(0);
    assert_eq!((&shown["interval"], &shown["entries"]), (&json!("20m"), &json!(2)));
    assert_eq!(shown["groups"], json!(["news/asia"]));
    let text = stdout(&wirewatch(dir.path(), &["feeds", "show", "b"], ""));
    assert!(text.contains("state          failing") && text.contains("last error"), "{text}");
    assert_eq!(wirewatch(dir.path(), &["feeds", "show", "x"], "").status.code(), Some(1));
}
