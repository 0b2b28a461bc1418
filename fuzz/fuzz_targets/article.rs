//! Any page, as any server may state it: no panic, no hang, the same answer twice, and nothing in it
//! that a terminal or a mail could take for orders.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::article::read;

/// What the length of a page chooses from, so that seeds stay plain pages.
const TYPES: [Option<&str>; 4] = [
    None,
    Some("text/html; charset=utf-8"),
    Some("text/html; charset=windows-1251"),
    Some("text/html; charset=\"shift_jis\""),
];

fuzz_target!(|page: &[u8]| {
    let kind = TYPES[page.len() % TYPES.len()];
    let url = Some("https://news.example/2026/story.html");
    let found = read(page, kind, url);
    if let Ok(article) = &found {
        assert!(article.text.lines().all(|line| !line.trim().is_empty()), "an empty line");
        let shown = [&article.title, &article.site, &article.lang, &article.canonical];
        let shown = shown.into_iter().flatten().chain(&article.authors);
        assert!(!shown.into_iter().any(|text| text.contains(char::is_control)), "a control character");
        assert!(!article.text.replace('\n', "").contains(char::is_control), "a control character");
    }
    assert_eq!(read(page, kind, url), found, "the same page is read in two ways");
});
