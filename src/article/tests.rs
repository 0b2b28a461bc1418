use super::*;

/// A page as outlets build them, with a story in it.
fn page(paragraphs: &[&str]) -> String {
    let body: String = paragraphs.iter().map(|text| format!("<p>{text}</p>\n")).collect();
    format!(
        r#"<!doctype html><html lang="en-GB"><head><title>Envoys end visit | Harbour Post</title>
<link rel="canonical" href="/2026/envoys"><meta property="og:site_name" content="Harbour Post">
<meta property="article:published_time" content="2026-03-02T08:30:00Z">
<meta name="author" content="Ida Berg"></head><body>
<nav><a href="/">Home</a> <a href="/world">World</a> <a href="/sport">Sport</a></nav>
<article><h1>Envoys end visit</h1><div class="tools"><span>Listen 4 min</span>
<span>Gift Article</span></div>{body}<div class="ad">Advertisement</div>
<p>Sign up for our daily newsletter</p></article>
<aside><h3>Most read</h3><ul><li><a href="/a">Rain expected in the north</a></li></ul></aside>
<footer>© 2026 Harbour Post. All rights reserved.</footer></body></html>"#
    )
}

fn long(count: usize) -> Vec<String> {
    let tell = |at: usize| {
        format!(
            "Paragraph {at} tells how the delegations met in the old harbour hall, what they said \
             to each other over lunch, and why nobody expected much of the afternoon's talks."
        )
    };
    (1..=count).map(tell).collect()
}

#[test]
fn an_article_is_its_text_and_nothing_else() {
    let mut paragraphs = long(13);
    paragraphs.push("The military-to-military channels stay closed.".to_owned());
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    let html = page(&paragraphs);
    let url = Some("https://www.harbourpost.example/2026/envoys?utm=1");
    let article = read(html.as_bytes(), Some("text/html; charset=utf-8"), url).unwrap();
    assert_eq!(article.text, paragraphs.join("\n"));
    assert_eq!(article.title.as_deref(), Some("Envoys end visit"));
    assert_eq!(article.authors, ["Ida Berg"]);
    assert_eq!(article.published.unwrap().to_string(), "2026-03-02T08:30:00Z");
    assert_eq!(article.site.as_deref(), Some("Harbour Post"));
    assert_eq!(article.lang.as_deref(), Some("en-gb"));
    let canonical = article.canonical.as_deref();
    assert_eq!(canonical, Some("https://www.harbourpost.example/2026/envoys"));
}

#[test]
fn paragraphs_of_a_short_article_stay_apart() {
    let html = "<html><head><title>Visit ends early</title></head><body><article>\
                <h1>Visit ends early</h1><p>The ministers did not meet on Monday.</p>\
                <p>Channels stay closed, an official said after lunch.</p>\
                <p>An unsafe interaction took place in the strait.</p></article></body></html>";
    let text = read(html.as_bytes(), None, None).unwrap().text;
    let expected = "The ministers did not meet on Monday.\n\
                    Channels stay closed, an official said after lunch.\n\
                    An unsafe interaction took place in the strait.";
    assert_eq!(text, expected);
}

#[test]
fn walls_are_known() {
    let check = |body: &str, expected: &str| {
        let html = format!("<html><head><title>A page</title></head><body>{body}</body></html>");
        let found = read(html.as_bytes(), None, None);
        assert_eq!(found.unwrap_err().as_str(), expected, "{body}");
    };
    let teaser = "<p>The ministers met on Monday for the first time in three years, officials said, \
                  in a hall by the harbour that had been closed for repairs since the spring.</p>";
    check(&format!("<article>{teaser}<p>Subscribe to continue reading</p></article>"), "paywall");
    check(
        &format!(
            "<script type='application/ld+json'>{{\"@type\": \"NewsArticle\", \
             \"isAccessibleForFree\": false}}</script><article>{teaser}</article>"
        ),
        "paywall",
    );
    check("<p>Checking your browser before you go on.</p>", "bot-check");
    check("<form><p>We value your privacy</p><button>Accept</button></form>", "consent");
    check("", "no-article");
    check("<p>Too short.</p>", "no-article");
}

#[test]
fn an_article_that_speaks_of_walls_is_read() {
    let mut paragraphs = long(12);
    paragraphs
        .push("What most see there, he said, is: \"Subscribe to continue reading\".".to_owned());
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    let html = page(&paragraphs);
    assert_eq!(read(html.as_bytes(), None, None).unwrap().text, paragraphs.join("\n"));
}

#[test]
fn hostile_pages_cost_nothing_but_themselves() {
    let run = || {
        for tag in ["div", "table", "blockquote", "b", "ul"] {
            let nested = format!("{}<p>x</p>", format!("<{tag}>").repeat(200_000));
            assert!(read(nested.as_bytes(), None, None).is_err(), "{tag}");
        }
        let junk: Vec<u8> =
            (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
        let _ = read(&junk, Some("text/html"), None);
        let deep = format!("<script type='application/ld+json'>{}", "[".repeat(100_000));
        assert!(read(deep.as_bytes(), None, None).is_err());
        let nested = "<div>".repeat(100_000);
        let body = format!(
            "<script type='application/ld+json'>{{\"articleBody\": \"{nested}\"}}</script>"
        );
        assert!(read(body.as_bytes(), None, None).is_err());
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
    thread.join().unwrap();
}

mod any_bytes {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let _ = super::read(&bytes, Some("text/html"), None);
        }

        #[test]
        fn nor_do_tags(html in "(<[a-z]{1,6}( [a-z]{1,3}=[a-z\"']{0,4})?/?>|</[a-z]{1,6}>|[a-z .&;]{0,9}|<!--|-->|\\PC){0,200}") {
            let _ = super::read(html.as_bytes(), None, None);
        }
    }
}
