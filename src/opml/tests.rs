//! Lists that are read whole, lists that are broken, and lists that mean harm.

use proptest::prelude::*;

use super::*;

/// `url | title | groups | tags` for each feed.
fn lines(opml: &Opml) -> Vec<String> {
    let feeds = opml.feeds.iter().map(|feed| {
        let title = feed.title.as_deref().unwrap_or("-");
        format!("{} | {title} | {} | {}", feed.url, feed.groups.join(";"), feed.tags.join(";"))
    });
    feeds.collect()
}

fn check(text: &str, expected: &[&str]) {
    let opml = read(text.as_bytes(), 100).unwrap();
    assert_eq!(lines(&opml), expected, "{text}");
}

#[test]
fn folders_become_groups_and_categories_tags() {
    check(
        "<?xml version='1.0'?><opml version='2.0'><head><title>x</title></head><body>\n\
         <outline text='News'><outline text='Asia'>\
         <outline type='rss' text='T' title='Title' xmlUrl=' https://a.example/f ' htmlUrl='https://a.example/'\
          category='wire,/World/Asia,wire'/></outline>\
         <outline text='B' xmlUrl='https://b.example/?a=1&amp;b=2'/></outline>\
         <outline text='C' xmlUrl='https://c.example/'></outline>\
         <outline text='D' url='https://d.example/'/></body></opml>",
        &[
            "https://a.example/f | Title | News/Asia;World/Asia | wire",
            "https://b.example/?a=1&b=2 | B | News | ",
            "https://c.example/ | C |  | ",
            "https://d.example/ | D |  | ",
        ],
    );
}

#[test]
fn any_case_and_old_files_are_read() {
    check(
        "<OPML version='1.0'><body><Outline TEXT='A' XMLURL='https://a.example/'/></body></OPML>",
        &["https://a.example/ | A |  | "],
    );
    check("<outline xmlurl=https://a.example/ text=a>", &["https://a.example/ | a |  | "]);
}

#[test]
fn a_url_for_a_title_and_a_remark_behind_a_url_are_left_out() {
    let stated = "https://a.example/f?id=1 # The A https://a.example/";
    check(
        &format!("<opml><outline text='{stated}' xmlUrl='{stated}'/></opml>"),
        &["https://a.example/f?id=1 | - |  | "],
    );
}

#[test]
fn what_is_broken_costs_itself_only() {
    check(
        "<opml><body><outline text='A & B <i>' xmlUrl='https://a.example/?x&y=1'/>\n\
         <outline text=\"q\" xmlUrl=\"https://b.example/\" <outline text='c' xmlUrl='https://c.example/'/>\n\
         <outline text='d' xmlUrl='https://d.example/'/></outline></outline><outline text='e' xmlUrl='https://e.ex",
        &[
            "https://a.example/?x&y=1 | A & B <i> |  | ",
            "https://b.example/ | q |  | ",
            "https://d.example/ | d |  | ",
        ],
    );
}

#[test]
fn an_outline_that_gives_no_feed_is_named_with_its_line() {
    let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
    let text = format!(
        "<opml><body>\n<outline text='a'/>\n<outline xmlUrl=''/>\n<outline xmlUrl='a b'/>\n\
         <outline type='link' url='https://a.example/'/>\n<outline xmlUrl='{long}'/>\n</body></opml>"
    );
    let opml = read(text.as_bytes(), 10).unwrap();
    let complaints: Vec<(u64, &str)> = opml.complaints.iter().map(|c| (c.line, c.reason)).collect();
    assert_eq!(
        complaints,
        [
            (2, "an outline without xmlUrl"),
            (3, "an empty xmlUrl"),
            (4, "a URL with white space in it"),
            (5, "a link to a page or to another list"),
            (6, "a URL of more than 4,096 bytes"),
        ]
    );
    assert_eq!((opml.feeds.len(), opml.bad), (0, 5));
}

#[test]
fn something_else_is_refused() {
    for text in ["", "<rss><channel/></rss>", "{}", "<html><body>outline</body></html>"] {
        assert_eq!(read(text.as_bytes(), 10), Err(OpmlError::NotOpml), "{text}");
    }
}

#[test]
fn entities_of_the_files_own_are_not_expanded() {
    let mut text = String::from("<?xml version='1.0'?><!DOCTYPE opml [<!ENTITY a 'aaaaaaaaaa'>");
    for (name, inner) in [("b", "a"), ("c", "b"), ("d", "c")] {
        text.push_str(&format!("<!ENTITY {name} '{}'>", format!("&{inner};").repeat(10)));
    }
    text.push_str("<!ENTITY x SYSTEM 'file:///etc/passwd'>]><opml><body>");
    text.push_str("<outline text='&d;&x;' xmlUrl='https://a.example/'/></body></opml>");
    check(&text, &["https://a.example/ | &d;&x; |  | "]);
}

#[test]
fn folders_without_end_are_cut() {
    let mut text = String::from("<opml><body>");
    for number in 0..100_000 {
        text.push_str(&format!("<outline text='{number}'>"));
        if number == 62 {
            text.push_str("<outline text='in' xmlUrl='https://in.example/'/>");
        }
    }
    text.push_str("<outline text='deep' xmlUrl='https://deep.example/'/>");
    text.push_str(&"</outline>".repeat(100_000));
    text.push_str("<outline text='after' xmlUrl='https://after.example/'/>");
    let opml = read(text.as_bytes(), 10).unwrap();
    let urls: Vec<&str> = opml.feeds.iter().map(|feed| feed.url.as_str()).collect();
    assert_eq!(urls, ["https://in.example/", "https://after.example/"]);
    assert_eq!(opml.feeds[0].groups[0].split('/').count(), 63);
    assert_eq!(opml.complaints[0].reason, "folders lie more than 64 deep");
}

#[test]
fn attributes_without_number_and_without_end_cost_little() {
    let many: String = (0..100_000).map(|n| format!(" a{n}='x'")).collect();
    let long = "x".repeat(3_000_000);
    let text = format!(
        "<opml><outline xmlUrl='https://a.example/'/><outline text='{long}' category='{long}' \
         xmlUrl='https://b.example/'/><outline xmlUrl='https://{long}/'/>\
         <outline{many} xmlUrl='https://c.example/'/></opml>"
    );
    let opml = read(text.as_bytes(), 10).unwrap();
    let urls: Vec<&str> = opml.feeds.iter().map(|feed| feed.url.as_str()).collect();
    assert_eq!((urls, opml.bad), (vec!["https://a.example/", "https://b.example/"], 1));
    assert!(opml.feeds[1].tags.iter().all(|tag| tag.len() <= MAX_TITLE));
}

#[test]
fn more_feeds_than_wanted_are_counted_and_not_kept() {
    let mut text = String::from("<opml><body>");
    for number in 0..100_000 {
        text.push_str(&format!(
            "<outline xmlUrl='https://x.example/{number}'/><outline text='t'/>"
        ));
    }
    let opml = read(text.as_bytes(), 10_000).unwrap();
    assert_eq!((opml.feeds.len(), opml.total), (10_000, 100_000));
    assert_eq!((opml.complaints.len(), opml.bad), (MAX_COMPLAINTS, 100_000));
}

#[test]
fn the_encoding_is_that_of_the_mark_or_the_declaration_or_the_bytes() {
    let check = |bytes: &[u8], expected: &str| {
        let opml = read(bytes, 10).unwrap();
        assert_eq!(opml.feeds[0].title.as_deref(), Some(expected), "{bytes:?}");
    };
    let of = |encoding: &str, title: &[u8]| {
        let head = format!("<?xml version='1.0' encoding='{encoding}'?><opml><outline text='");
        [head.as_bytes(), title, b"' xmlUrl='https://a.example/'/></opml>"].concat()
    };
    check(&of("UTF-8", "新闻".as_bytes()), "新闻");
    check(&of("windows-1251", b"\xcd\xee\xe2\xee\xf1\xf2\xe8"), "Новости");
    check(&of("utf-8", b"caf\xe9"), "caf\u{fffd}");
    check(&of("no-such", b"caf\xe9"), "café");
    check(b"<opml><outline text='caf\xe9' xmlUrl='https://a.example/'/></opml>", "café");
    let text = "<opml><outline text='é' xmlUrl='https://a.example/'/></opml>";
    let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
    check(&[0xff, 0xfe].into_iter().chain(wide).collect::<Vec<u8>>(), "é");
}

fn word() -> impl Strategy<Value = String> {
    // Any text that needs escaping, except what divides folders and categories.
    proptest::string::string_regex("[a-zA-Z0-9é新'\"<>&;.#]{1,8}( [a-z&<\"]{1,5})?").unwrap()
}

fn feed() -> impl Strategy<Value = Outline> {
    let path = proptest::collection::vec(word(), 1..4).prop_map(|folders| folders.join("/"));
    let folder = proptest::collection::vec(word(), 1..4).prop_map(|folders| folders.join("/"));
    let groups = (proptest::option::of(path), proptest::option::of(folder));
    let url = "https://[a-z]{1,8}\\.example/[a-z0-9?=&%;'-]{0,12}";
    (url, proptest::option::of(word()), groups, proptest::collection::btree_set(word(), 0..3))
        .prop_map(|(url, title, (place, other), tags)| Outline {
            title,
            url,
            groups: match (place, other) {
                (None, _) => Vec::new(),
                (Some(place), Some(other)) if other != place => vec![place, other],
                (Some(place), _) => vec![place],
            },
            tags: tags.into_iter().collect(),
            line: 0,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_feeds(feeds in proptest::collection::vec(feed(), 0..12)) {
        let text = write("list", &feeds);
        let opml = read(text.as_bytes(), 100).unwrap();
        let mut found: Vec<Outline> =
            opml.feeds.into_iter().map(|feed| Outline { line: 0, ..feed }).collect();
        let mut expected = feeds;
        let key = |feed: &Outline| format!("{feed:?}");
        found.sort_by_key(key);
        expected.sort_by_key(key);
        prop_assert_eq!(found, expected);
        prop_assert_eq!(opml.bad, 0);
    }

    #[test]
    fn no_bytes_whatever_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, 10);
    }
}
