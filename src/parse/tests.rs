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
    assert!(error("hello").contains("neither XML nor JSON"));
}

proptest::proptest! {
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
