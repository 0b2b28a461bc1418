//! Any bytes, as any server may state them: no panic, every limit kept, the same answer twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::dedup::entry_keys;
use wirewatch::model::Document;
use wirewatch::parse::{MAX_ENTRIES, MAX_LINK, MAX_TEXT, MAX_TITLE, parse_feed};

/// What the length of a document chooses from, so that seeds stay plain documents.
const TYPES: [Option<&str>; 4] = [
    None,
    Some("text/xml; charset=windows-1251"),
    Some("application/feed+json"),
    Some("text/html; charset=\"shift_jis\""),
];

fuzz_target!(|data: &[u8]| {
    let document = Document {
        bytes: data.to_vec(),
        content_type: TYPES[data.len() % TYPES.len()].map(str::to_string),
        base_url: Some("https://feeds.example/dir/feed.xml".to_string()),
    };
    let Ok(feed) = parse_feed(&document) else { return };
    assert!(feed.entries.len() <= MAX_ENTRIES);
    for entry in &feed.entries {
        assert!(entry.title.len() <= MAX_TITLE);
        assert!(entry.text.len() <= MAX_TEXT);
        assert!(entry.url.as_ref().is_none_or(|url| url.len() <= MAX_LINK));
        assert!(entry.guid.as_ref().is_none_or(|guid| guid.len() <= MAX_LINK));
    }
    let keys = entry_keys(&feed.entries);
    assert_eq!(keys.len(), feed.entries.len());
    let again = parse_feed(&document).expect("it was read before");
    assert_eq!(again, feed, "the same bytes are read in two ways");
});
