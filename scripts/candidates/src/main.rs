//! `candidates NAME FILE…`: the text that a library finds on each page, as one line of JSON with
//! `page` and `text`. `candidates` alone lists the names.

use std::panic::catch_unwind;

/// Pages do not say where they were; some libraries insist.
const PLACE: &str = "https://example.org/";

/// A name and what it does.
type Candidate = (&'static str, fn(&str) -> Option<String>);

const CANDIDATES: [Candidate; 8] = [
    ("dom_smoothie", dom_smoothie),
    ("legible", |html| Some(legible::parse(html, Some(PLACE), None).ok()?.text_content)),
    ("libreadability", |html| Some(libreadability::extract(html, Some(PLACE)).ok()?.text_content)),
    ("readability", readability),
    ("readabilityrs", readabilityrs),
    ("rs-trafilatura", |html| {
        let options = rs_trafilatura::Options::default();
        Some(rs_trafilatura::extract_with_options(html, &options).ok()?.content_text)
    }),
    ("trafilatura", |html| trafilatura(html, trafilatura::Options::default())),
    ("trafilatura-recall", |html| {
        let focus = trafilatura::ExtractionFocus::FavorRecall;
        trafilatura(html, trafilatura::Options::default().with_focus(focus))
    }),
];

fn dom_smoothie(html: &str) -> Option<String> {
    let config = dom_smoothie::Config {
        text_mode: dom_smoothie::TextMode::Formatted,
        ..dom_smoothie::Config::default()
    };
    let mut reader = dom_smoothie::Readability::new(html, None, Some(config)).ok()?;
    Some(reader.parse().ok()?.text_content.to_string())
}

fn readability(html: &str) -> Option<String> {
    let url = url::Url::parse(PLACE).ok()?;
    let found = readability::extractor::extract(&mut html.as_bytes(), &url).ok()?;
    // Its own text has no space between paragraphs.
    let tree = scraper::Html::parse_document(&found.content);
    Some(tree.root_element().text().collect::<Vec<_>>().join(" "))
}

fn readabilityrs(html: &str) -> Option<String> {
    let reader = readabilityrs::Readability::new(html, Some(PLACE), None).ok()?;
    reader.parse()?.text_content
}

fn trafilatura(html: &str, options: trafilatura::Options) -> Option<String> {
    Some(trafilatura::extract(html, &options.with_fallback(true)).ok()?.content_text)
}

fn main() {
    let mut words = std::env::args().skip(1);
    let Some(wanted) = words.next() else {
        CANDIDATES.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let Some((_, find)) = CANDIDATES.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("no candidate is called {wanted:?}");
        std::process::exit(2);
    };
    for page in words {
        let bytes = std::fs::read(&page).unwrap_or_else(|error| panic!("{page}: {error}"));
        // What is no UTF-8 is mostly of the West.
        let html = String::from_utf8(bytes).unwrap_or_else(|error| {
            error.as_bytes().iter().map(|byte| char::from(*byte)).collect()
        });
        let text = catch_unwind(|| find(&html)).ok().flatten().unwrap_or_default();
        println!("{}", serde_json::json!({ "page": page, "text": text }));
    }
}
