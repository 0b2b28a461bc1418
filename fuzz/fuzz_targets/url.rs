//! Links as feeds write them: no panic, and what is canonical stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::extract::canonical_link;

const BASE: &str = "https://news.example/world/feed.xml?edition=2#top";

fuzz_target!(|link: &str| {
    let base = url::Url::parse(BASE).expect("the base is a URL");
    // A link, a relative link, and a link that took the base's place.
    let joined = base.join(link).map(String::from);
    for link in [Some(link.to_string()), joined.ok()].into_iter().flatten() {
        if let Some(canonical) = canonical_link(&link) {
            // The canonical form has no scheme; as a link it has one.
            let again = canonical_link(&format!("https://{canonical}"));
            assert_eq!(again.as_deref(), Some(canonical.as_str()), "canonical is not final");
        }
    }
});
