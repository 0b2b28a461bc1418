//! Documents and what is understood of them.

use super::*;

fn parse(body: &str) -> ParsedFeed {
    let document = Document {
        bytes: body.as_bytes().to_vec(),
        content_type: None,
        base_url: Some("https://example.org/feeds/world.xml".to_string()),
    };
    parse_feed(&document).unwrap()
}

fn rss(item: &str) -> Entry {
    let feed = format!(
        "<rss version='2.0'><channel><title>T</title><language>en-gb</language>\
         <item>{item}</item></channel></rss>"
    );
    parse(&feed).entries.remove(0)
}

#[test]
fn an_rss_title_is_decoded_once_and_its_tags_go() {
    for (title, expected) in [
        ("A &lt;b&gt;bold&lt;/b&gt; &amp;amp; title", "A bold & title"),
        ("<![CDATA[Fish &amp; chips]]>", "Fish & chips"),
        ("Caf&eacute;&nbsp;d&#x27;or &mdash; ouvert", "Café d'or — ouvert"),
        ("two\n   lines", "two lines"),
    ] {
        assert_eq!(rss(&format!("<title>{title}</title>")).title, expected);
    }
}

#[test]
fn an_item_keeps_guid_link_and_claimed_date() {
    let entry = rss(
        "<title>x</title><guid isPermaLink='false'> tag:1 </guid><link>/story?a=1&amp;b=2</link>\
         <pubDate>Tue, 03 Nov 2026 10:00:00 GMT</pubDate><category>World</category>",
    );
    assert_eq!(entry.guid.as_deref(), Some("tag:1"));
    assert_eq!(entry.url.as_deref(), Some("https://example.org/story?a=1&b=2"));
    assert_eq!(entry.published, parse_date("2026-11-03T10:00:00Z"));
    assert_eq!(entry.updated, None);
    assert_eq!(entry.categories, ["World"]);
    assert_eq!(entry.lang.as_deref(), Some("en-gb"));
}

#[test]
fn a_permalink_guid_is_the_link_when_there_is_none() {
    let entry = rss("<title>x</title><guid>https://example.org/7</guid>");
    assert_eq!(entry.url.as_deref(), Some("https://example.org/7"));
}

#[test]
fn an_item_without_guid_has_none_instead_of_an_invented_one() {
    assert_eq!(rss("<title>x</title>").guid, None);
    assert_eq!(rss("<title>x</title><link>https://example.org/1</link>").guid, None);
}

#[test]
fn content_and_summary_are_both_searchable() {
    let both = "<description>The deck.</description>\
        <content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>\
        <![CDATA[<p>First.</p><p>Second &amp; last.</p>]]></content:encoded>";
    assert_eq!(rss(both).text, "The deck.\nFirst.\nSecond & last.");
    let teaser = both.replace("The deck.", "First…");
    assert_eq!(rss(&teaser).text, "First.\nSecond & last.");
}

#[test]
fn atom_text_is_taken_at_its_declared_type() {
    let feed = parse(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><title>T</title><id>f</id>\
         <entry><id> urn:1 </id><title type='text'>a &lt;b&gt; c</title>\
         <link href='https://example.org/1'/><updated>2026-11-03T10:00:00Z</updated>\
         <summary type='html'>&lt;p&gt;x &amp;amp; y&lt;/p&gt;</summary></entry></feed>",
    );
    let entry = &feed.entries[0];
    assert_eq!(entry.title, "a <b> c");
    assert_eq!(entry.text, "x & y");
    assert_eq!(entry.guid.as_deref(), Some("urn:1"));
    assert_eq!(entry.updated, parse_date("2026-11-03T10:00:00Z"));
}

#[test]
fn json_feed_and_rdf_are_read() {
    let json = parse(
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"J\",\"items\":[{\"id\":\"1\",\
         \"url\":\"https://example.org/1\",\"title\":\"t\",\"content_text\":\"a\\n\\nb\"}]}",
    );
    assert_eq!(json.entries[0].text, "a\nb");
    let rdf = parse(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\
         <channel rdf:about='https://example.org/'><title>R</title></channel>\
         <item rdf:about='https://example.org/1'><title>t</title><link>https://example.org/1</link>\
         <dc:date>2026-11-03T10:00:00Z</dc:date></item></rdf:RDF>",
    );
    assert_eq!(rdf.entries[0].url.as_deref(), Some("https://example.org/1"));
    assert_eq!(rdf.entries[0].published, parse_date("2026-11-03T10:00:00Z"));
}

#[test]
fn what_is_no_feed_is_named() {
    let error = |body: &str| {
        let document = Document { bytes: body.as_bytes().to_vec(), ..Document::default() };
        parse_feed(&document).unwrap_err().to_string()
    };
    assert_eq!(error("  \n"), "the document is empty");
    assert_eq!(
        error("<!DOCTYPE html><html><head><title>503 Busy</title>"),
        "this is a web page, not a feed (its title is \"503 Busy\")"
    );
    assert!(error("<opml version='2.0'/>").starts_with("not a feed"));
    assert!(error("<opml version='2.0'/>").contains("wirewatch feeds import"));
    assert!(error("<kml><Document/></kml>").contains("\"kml\""));
    assert!(error("<rss version='2.0'><channel><item>").starts_with("the feed is malformed"));
    assert!(error("hello").contains("neither XML nor JSON"));
}

/// A document that needs mending: what its entries are, and what was mended.
fn check_mended(body: &str, titles: &[&str], repairs: &[&str]) {
    let feed = parse(body);
    let read: Vec<&str> = feed.entries.iter().map(|entry| entry.title.as_str()).collect();
    assert_eq!(read, titles, "{body}");
    assert_eq!(feed.repairs, repairs, "{body}");
}

#[test]
fn a_broken_rss_feed_gives_every_complete_item() {
    let rss = |inner: &str| format!("<rss version='2.0'><channel>{inner}</channel></rss>");
    for (inner, titles, repair) in [
        ("<item><title>A & B</title></item>", ["A & B"].as_slice(), "a bare \"&\""),
        ("<item><title>1 < 2</title></item>", &["1 < 2"], "a bare \"<\""),
        ("<item><title>caf&eacute;</title></item>", &["café"], "an entity that XML does not know"),
        (
            "<item><title>A<link>http://example.org/</link></item><item><title>B</title></item>",
            &["A", "B"],
            "an element without its end tag",
        ),
        (
            "<item><title>A</title><item><title>B</title></item>",
            &["A", "B"],
            "an item that is not closed",
        ),
        (
            "<item><title>A</title><description>x</p></description></item><item><title>B</title></item>",
            &["A", "B"],
            "an end tag without its element",
        ),
        ("<item><title>A</title>", &["A"], "an item that is not closed"),
        (
            "<item><title>A</title><dc:date>2026</dc:date></item>",
            &["A"],
            "an undeclared namespace prefix",
        ),
        ("<item><title>A</title><link href=x /></item>", &["A"], "a malformed attribute"),
    ] {
        check_mended(&rss(inner), titles, &[repair]);
    }
}

#[test]
fn junk_around_a_feed_and_odd_roots_cost_nothing() {
    let item = "<item><title>A</title></item>";
    let channel = format!("<channel>{item}</channel>");
    for (body, repairs) in [
        (
            format!(
                "<br />\n<b>Warning</b>: no <i>x</i>\n<?xml version='1.0'?><rss version='2.0'>{channel}</rss>"
            ),
            ["something stands before the feed"].as_slice(),
        ),
        (
            format!(
                "<html><body>Error</body></html><?xml version='1.0'?><rss version='2.0'>{channel}</rss>"
            ),
            &["something stands before the feed"],
        ),
        (
            format!("<!DOCTYPE html><html><body><rss version='2.0'>{channel}</rss></body></html>"),
            &["something stands before the feed", "2 end tags without their element"],
        ),
        (
            format!("<rss version='2.0'>{channel}</rss><script>x</script>"),
            &["something stands after the feed"],
        ),
        (format!("<rss>{channel}</rss>"), &["the rss element states no version"]),
        (format!("<rss version='7'>{channel}</rss>"), &["the version of the format is unknown"]),
        (format!("<RSS VERSION='2.0'>{}</RSS>", channel.to_uppercase()), &[]),
        (format!("<rss version='2.0'>{channel}"), &["the document breaks off"]),
        (
            format!("<rss version='2.0'><channel>{item}<item><title>B</ti"),
            &["the document breaks off", "the item in which it breaks off was left out"],
        ),
    ] {
        check_mended(&body, &["A"], repairs);
    }
}

#[test]
fn a_feed_that_breaks_for_a_day_keeps_its_entries() {
    let sound = "<rss version='2.0'><channel><item><title>Fish &amp; chips</title>\
        <description>&lt;p&gt;a &amp;amp; b&lt;/p&gt;</description><guid>1</guid></item>\
        </channel></rss>";
    let broken = sound.replace("<channel>", "<channel><title>R & D</title><p>");
    assert_eq!(parse(sound).entries, parse(&broken).entries);
    assert!(parse(sound).repairs.is_empty() && !parse(&broken).repairs.is_empty());
}

#[test]
fn an_entry_within_the_source_of_another_is_no_item() {
    let feed = parse(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><source><entry/></source>\
         <title>A</title></entry></feed>",
    );
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(feed.entries[0].title, "A");
}

#[test]
fn the_page_of_an_item_is_told_from_its_other_links() {
    for (links, expected) in [
        ("<guid>http://example.org/g</guid>", Some("http://example.org/g")),
        ("<guid isPermaLink='false'>http://example.org/g</guid>", None),
        ("<atom:link rel='self' href='http://example.org/s'/>", None),
        ("<enclosure url='http://example.org/a.mp3'/>", None),
        ("<comments>http://example.org/c</comments>", None),
        (
            "<link>http://p.example/1</link><feedburner:origLink>http://example.org/1</feedburner:origLink>",
            Some("http://example.org/1"),
        ),
        ("<a10:link rel='alternate' href='http://example.org/a'/>", Some("http://example.org/a")),
        ("<link xml:base='http://other.example/d/'>x</link>", Some("http://other.example/d/x")),
    ] {
        assert_eq!(rss(&format!("<title>x</title>{links}")).url.as_deref(), expected, "{links}");
    }
}

#[test]
fn a_cloud_has_an_address_if_it_speaks_http() {
    for (attributes, expected) in [
        ("domain='r.test' port='80' path='/p' protocol='http-post'", Some("http://r.test/p")),
        ("domain='r.test' port='443' path='p' protocol='http-post'", Some("https://r.test/p")),
        (
            "domain='r.test' port='5338' path='/p' protocol='https-post'",
            Some("https://r.test:5338/p"),
        ),
        ("domain=' r.test ' path='/p?a=1' protocol='HTTP-POST'", Some("http://r.test/p?a=1")),
        ("domain='r.test' port='80' path='/RPC2' protocol='xml-rpc'", None),
        ("domain='r.test' port='80' path='/s' protocol='soap'", None),
        ("domain='' port='80' path='/p' protocol='http-post'", None),
        ("port='80' path='/p' protocol='http-post'", None),
    ] {
        let feed = format!("<rss version='2.0'><channel><cloud {attributes}/></channel></rss>");
        assert_eq!(parse(&feed).hints.cloud.as_deref(), expected, "{attributes}");
    }
}

#[test]
fn hints_of_a_channel_are_understood_or_left_out() {
    let feed = parse(
        "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' \
         xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>T</title><language>de</language>\
         <link>https://example.org/</link><ttl>60</ttl><skipHours><hour>0</hour><hour>24</hour><hour>5</hour>\
         <hour>99</hour></skipHours><skipDays><day>Sunday</day></skipDays>\
         <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>\
         <cloud domain='rpc.example.org' port='5337' path='/rsscloud' protocol='http-post'/>\
         <atom:link rel='hub' href='https://hub.example.org/'/><atom:link rel='self' href='/feed'/>\
         <atom:link rel='next' href='/feed?page=2'/></channel></rss>",
    );
    let hints = feed.hints;
    assert_eq!(hints.ttl, Some(jiff::SignedDuration::from_hours(1)));
    assert_eq!((hints.skip_hours, hints.skip_days), (0b10_0001, 0b100_0000));
    assert_eq!(hints.update_period, Some(jiff::SignedDuration::from_hours(6)));
    assert_eq!(hints.cloud.as_deref(), Some("http://rpc.example.org:5337/rsscloud"));
    assert_eq!(hints.hubs, ["https://hub.example.org/"]);
    assert_eq!(hints.self_link.as_deref(), Some("https://example.org/feed"));
    assert_eq!(hints.older.as_deref(), Some("https://example.org/feed?page=2"));
    assert_eq!(hints.site.as_deref(), Some("https://example.org/"));
    assert_eq!(hints.lang.as_deref(), Some("de"));
    assert_eq!(parse("<rss version='2.0'><channel><ttl>-5</ttl></channel></rss>").hints.ttl, None);
}

#[test]
fn old_and_rare_formats_are_read_and_named() {
    for (body, format) in [
        (
            "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title mode='escaped' \
          type='text/html'>&lt;b&gt;A&lt;/b&gt;</title></entry></feed>",
            "Atom 0.3",
        ),
        (
            "<CHANNEL HREF='http://example.org/'><ITEM HREF='/1'><TITLE>A</TITLE></ITEM></CHANNEL>",
            "CDF",
        ),
        (
            "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' \
          xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'><url><loc>http://example.org/1</loc>\
          <news:news><news:publication><news:name>N</news:name></news:publication>\
          <news:title>A</news:title></news:news></url></urlset>",
            "news sitemap",
        ),
        (
            "<Channel xmlns='http://purl.org/net/rss1.1#'><items><item><title>A</title></item></items>\
          </Channel>",
            "RSS 1.1",
        ),
        ("<rss version='0.91'><channel><item><title>A</title></item></channel></rss>", "RSS 0.91"),
    ] {
        let feed = parse(body);
        assert_eq!((feed.format.as_str(), feed.entries[0].title.as_str()), (format, "A"), "{body}");
        assert!(feed.repairs.is_empty(), "{:?}", feed.repairs);
    }
}

#[test]
fn json_of_the_wrong_types_or_cut_off_gives_its_complete_items() {
    let feed = |items: &str| {
        format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{items}]}}")
    };
    check_mended(
        &feed("{\"id\":7,\"title\":\"A\"}, 5"),
        &["A"],
        &["an item that is no item was left out", "a value of the wrong type"],
    );
    check_mended(&feed("{\"id\":\"1\",\"title\":\"A\"},"), &["A"], &["broken JSON"]);
    check_mended(&feed("{\"id\":\"1\",\"title\":\"A\\ud800\"}"), &["A\u{fffd}"], &["broken JSON"]);
    let whole = feed("{\"id\":\"1\",\"title\":\"A\"},{\"id\":\"2\",\"title\":\"B\"}");
    check_mended(
        &whole[..whole.len() - 8],
        &["A"],
        &["the document breaks off", "the item in which it breaks off was left out", "broken JSON"],
    );
    assert_eq!(parse(&feed("{\"id\":7,\"title\":\"A\"}")).entries[0].guid.as_deref(), Some("7"));
}

#[test]
fn documents_of_a_million_nothings_are_given_to_no_reader_that_keeps_them() {
    let empty =
        format!("<rss version='2.0'><channel>{}</channel></rss>", "<item/>".repeat(300_000));
    assert!(parse(&empty).entries.is_empty());
    for value in ["{}", "[]", "{\"a\":{\"b\":0}}", "0"] {
        let values = vec![value; 1_100_000].join(",");
        let text =
            format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{values}]}}");
        let document = Document { bytes: text.into_bytes(), ..Document::default() };
        // Whatever it is taken for, no more is kept than of any feed.
        assert!(parse_feed(&document).map_or(0, |parsed| parsed.entries.len()) <= 5_000);
    }
}

#[test]
fn json_of_very_many_values_gives_its_items_one_by_one() {
    let item = |number: usize| {
        let rest = "{\"a\":0},".repeat(9) + "0";
        format!("{{\"id\":\"{number}\",\"title\":\"Title {number}\",\"more\":[{rest}]}}")
    };
    let feed = |items: usize, huge: &str| {
        let items: Vec<String> = (0..items).map(item).collect();
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{huge}{}]}}",
            items.join(",")
        )
    };
    assert_eq!(parse(&feed(3_000, "")).entries.len(), 3_000);
    assert_eq!(parse(&feed(8_000, "")).entries.len(), 5_000);
    let huge = format!("{{\"id\":\"huge\",\"a\":[{}0]}},", "0,".repeat(600_000));
    assert_eq!(parse(&feed(9, &huge)).entries.len(), 9);
}

#[test]
fn documents_without_end_or_measure_exhaust_nothing() {
    let item = "<item><title>A</title></item>";
    let around = |inner: &str| format!("<rss version='2.0'><channel>{item}{inner}</channel></rss>");
    let attributes: String = (0..100_000).map(|n| format!(" xmlns:a{n}='u'")).collect();
    for inner in [
        "<a>".repeat(300_000),
        format!("<item><description>{}</description></item>", "<b>".repeat(300_000)),
        format!("<x{attributes}/>"),
        format!("<item><description><![CDATA[\0<p{attributes}>]]></description></item>"),
        format!("<x a='{}'/>", "y".repeat(3_000_000)),
        format!("<item><title>{}</title></item>", "t ".repeat(500_000)),
        "<![CDATA[</item>".repeat(100_000),
        "<x a=\"".repeat(100_000),
        "<!--".repeat(100_000),
        "</x".repeat(100_000),
        "&".repeat(300_000),
        "<".repeat(300_000),
        item.repeat(20_000),
    ] {
        let feed = parse(&around(&inner));
        assert_eq!(feed.entries[0].title, "A");
        assert!(feed.entries.len() <= MAX_ENTRIES);
        assert!(feed.entries.iter().all(|entry| entry.title.len() <= MAX_TITLE));
    }
}

/// Sound feeds of the main formats with three items, and where each item ends.
fn sound() -> Vec<(String, Vec<usize>)> {
    let make = |head: &str, item: &dyn Fn(usize) -> String, between: &str, tail: &str| {
        let (mut text, mut ends) = (head.to_string(), Vec::new());
        for n in 1..=3 {
            if n > 1 {
                text.push_str(between);
            }
            text.push_str(&item(n));
            ends.push(text.len());
        }
        text.push_str(tail);
        (text, ends)
    };
    vec![
        make(
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>T</title>",
            &|n| {
                format!(
                    "<item><title>T{n} &amp; é</title><description><![CDATA[<p>a</p>]]></description>\
                <!-- c --><guid isPermaLink=\"false\">{n}</guid></item>"
                )
            },
            "\n",
            "</channel></rss>",
        ),
        make(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title>",
            &|n| {
                format!(
                    "<entry><id>{n}</id><title type=\"html\">T{n}</title><link href=\"http://example.org/{n}\"/>\
                <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><br/>x</div></content></entry>"
                )
            },
            "",
            "</feed>",
        ),
        make(
            "{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"T\", \"items\": [",
            &|n| {
                format!("{{\"id\": \"{n}\", \"title\": \"T]}}{n}\", \"content_text\": \"a\\\"é\"}}")
            },
            ", ",
            "]}",
        ),
    ]
}

#[test]
fn a_feed_cut_anywhere_gives_exactly_the_items_before_the_cut() {
    for (text, ends) in sound() {
        let whole = parse(&text);
        assert_eq!(whole.entries.len(), 3);
        assert!(whole.repairs.is_empty() && !whole.cut, "{:?}", whole.repairs);
        for cut in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let complete = ends.iter().filter(|end| **end <= cut).count();
            let document = Document {
                bytes: text.as_bytes()[..cut].to_vec(),
                base_url: Some("https://example.org/feeds/world.xml".to_string()),
                ..Document::default()
            };
            let read = parse_feed(&document).map_or_else(|_| Vec::new(), |feed| feed.entries);
            let is_marked = parse_feed(&document).is_ok_and(|feed| feed.cut);
            assert!(is_marked || complete == 0 || complete == 3, "cut at {cut} is not marked");
            assert_eq!(read, whole.entries[..complete], "cut at {cut}: {}", &text[..cut]);
        }
    }
}

proptest::proptest! {
    #[test]
    fn a_feed_with_changed_bytes_is_read_without_panic_and_always_alike(
        which in 0_usize..3,
        changes in proptest::collection::vec((0_usize..1_000, "[<>/&;'\"\\[\\]!{},:= a-c]{0,6}"), 1..6),
    ) {
        let (mut text, _) = sound().swap_remove(which);
        for (at, change) in changes {
            let at = text.floor_char_boundary(at % text.len());
            let end = text.floor_char_boundary((at + 3).min(text.len())).max(at);
            text.replace_range(at..end, &change);
        }
        let document = Document { bytes: text.into_bytes(), ..Document::default() };
        let first = parse_feed(&document);
        proptest::prop_assert!(!matches!(&first, Err(ParseError::Malformed(m)) if m.contains("failed")));
        proptest::prop_assert_eq!(first, parse_feed(&document));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
        let _ = parse_feed(&Document { bytes, ..Document::default() });
    }

    #[test]
    fn no_rss_like_text_makes_the_parser_panic(inner in "[<>/a-z&;#x0-9 \"'=!\\[\\]-]{0,200}") {
        let body = format!("<rss version='2.0'><channel><item>{inner}</item></channel></rss>");
        let _ = parse_feed(&Document { bytes: body.into_bytes(), ..Document::default() });
    }
}
