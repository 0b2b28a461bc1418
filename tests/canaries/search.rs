//! Looking for secrets in whatever may be read.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// In every secret, and nowhere else.
pub(crate) const STEM: &str = "Kanarie7";

/// What was searched and what was found.
#[derive(Default)]
pub(crate) struct Search {
    searched: usize,
    places: usize,
    found: BTreeSet<String>,
}

/// How the stem looks in base64, wherever in a text it begins.
fn in_base64() -> Vec<String> {
    (0..3)
        .map(|before| {
            let text = format!("{}{STEM}", "x".repeat(before));
            let coded = BASE64_STANDARD.encode(text);
            let coded = coded.trim_end_matches('=');
            // The first and last characters hold bits of what stands beside.
            let first = (before * 4).div_ceil(3);
            coded[first..coded.len() - 1].to_owned()
        })
        .collect()
}

impl Search {
    /// Looks through what is called `place`.
    pub(crate) fn text(&mut self, place: &str, text: &[u8]) {
        self.searched += text.len();
        self.places += 1;
        let text = String::from_utf8_lossy(text);
        let mut stems = in_base64();
        stems.push(STEM.to_owned());
        for stem in &stems {
            for (at, _) in text.match_indices(stem.as_str()) {
                let start = text[..at].char_indices().rev().nth(100).map_or(0, |(at, _)| at);
                let end = text[at..].char_indices().nth(60).map_or(text.len(), |(n, _)| at + n);
                // What differs in numbers only is found once.
                let found: String =
                    text[start..end].chars().filter(|c| !c.is_ascii_digit() || *c == '7').collect();
                self.found.insert(format!("{place}: {found:?}"));
            }
        }
    }

    /// What everybody may see of a process.
    pub(crate) fn process(&mut self, id: u32) {
        for file in ["environ", "cmdline"] {
            let text = fs::read(format!("/proc/{id}/{file}")).unwrap();
            assert!(!text.is_empty(), "{file} can be read");
            self.text(file, &text);
        }
    }

    pub(crate) fn conclude(self) {
        // Past the harness, which keeps back what the macros print unless the test fails.
        let figures = format!("searched {} places, {} KiB\n", self.places, self.searched >> 10);
        std::io::stderr().write_all(figures.as_bytes()).unwrap();
        let found: Vec<String> = self.found.iter().take(100).cloned().collect();
        assert!(found.is_empty(), "{} places:\n{}", self.found.len(), found.join("\n"));
    }
}

#[test]
fn the_stem_is_found_encoded_too() {
    for secret in [STEM.to_owned(), format!("desk:{STEM}"), format!("\0u\0{STEM}and more")] {
        let mut search = Search::default();
        search.text("here", BASE64_STANDARD.encode(secret).as_bytes());
        assert!(!search.found.is_empty());
    }
}
