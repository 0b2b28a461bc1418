//! Lists of feeds from strangers: what is no feed on the web is left out, and nobody is asked.

use crate::cli::{lines, stderr};
use crate::feeds::run;
use crate::support::http::FeedServer;

/// What a list may try to have read: this machine, its network, other schemes.
const REFUSED: [&str; 24] = [
    "file:///etc/passwd",
    "exec:/bin/sh -c id",
    "exec:/bin/sh",
    "gopher://a.example/",
    "ftp://a.example/rss",
    "javascript:alert(1)",
    "data:text/xml,x",
    "//a.example/rss",
    "/etc/passwd",
    "http://localhost/rss",
    "http://127.0.0.1/rss",
    "http://2130706433/rss",
    "http://0x7f.1/rss",
    "http://017700000001/rss",
    "http://[::1]/rss",
    "http://[::ffff:10.0.0.1]/rss",
    "http://10.1.1.1/rss",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://a.example:25/rss",
    "http://user:word@a.example/rss",
    "feed:file:///etc/passwd",
    "http://",
    "&file;&lol;",
];

fn folder(list: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("wirewatch.toml"), "").unwrap();
    std::fs::write(dir.path().join("list.opml"), list).unwrap();
    dir
}

fn outlines(urls: impl IntoIterator<Item = String>) -> String {
    urls.into_iter().map(|url| format!("<outline xmlUrl='{url}'/>\n")).collect()
}

#[tokio::test]
async fn a_list_from_a_stranger_opens_no_file_runs_nothing_and_asks_nobody() {
    let server = FeedServer::start().await;
    server.serve("/rss", "text/xml", "<rss/>");
    let own = ["/rss", "/list.opml", "/dtd"].map(|path| server.url(path));
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY lol{n} '{}'>", format!("&lol{};", n - 1).repeat(10)))
        .collect();
    let list = format!(
        "<?xml version='1.0'?><?xml-stylesheet href='{1}'?><!DOCTYPE opml SYSTEM '{2}' [\
         <!ENTITY lol0 'ha'>{laughs}<!ENTITY lol '&lol9;'><!ENTITY file SYSTEM 'file:///etc/passwd'>\
         <!ENTITY % remote SYSTEM '{2}'>%remote;]><opml><body>{refused}\
         <outline type='include' url='{1}'/><outline text='&lol;&file;' xmlUrl='{0}'/>\
         <xi:include href='file:///etc/passwd'/>{good}</body></opml>",
        own[0],
        own[1],
        own[2],
        refused = outlines(REFUSED.map(str::to_owned)),
        good = outlines(["https://b.example/rss".to_owned()]),
    );
    let dir = folder(&list);
    for more in [&["--dry-run"][..], &[], &["--yes"]] {
        let arguments = [&["feeds", "import", "list.opml", "--json"], more].concat();
        let output = run(dir.path(), &arguments).await;
        let summary = lines(&output).remove(0);
        // Those, the list within the list, and this machine's server.
        assert_eq!(summary["bad"], REFUSED.len() + 2, "{summary} {}", stderr(&output));
        assert_eq!(summary["new"], 1, "{summary}");
        let is_written = dir.path().join("feeds.d/imported.toml").exists();
        assert_eq!(is_written, more == ["--yes"], "{more:?}");
    }
    assert_eq!(server.all_requests().len(), 0);
    let written = std::fs::read_to_string(dir.path().join("feeds.d/imported.toml")).unwrap();
    assert!(!written.contains("root:") && !written.contains("hahaha"), "{written}");
}

#[tokio::test]
async fn more_than_ten_thousand_feeds_are_taken_only_when_that_is_said() {
    let many = (0..10_001).map(|number| format!("https://a{number}.example/rss"));
    let dir = folder(&format!("<opml>{}</opml>", outlines(many)));
    let refused = run(dir.path(), &["feeds", "import", "list.opml", "--yes"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("lists 10001 feeds"), "{}", stderr(&refused));
    assert!(!dir.path().join("feeds.d").exists());
}
