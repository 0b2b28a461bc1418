//! Which hub brings a feed's news, and under which name (WebSub section 4); or
//! which cloud tells of them.

use url::Url;

use crate::model::{FeedHints, HubPlace, PushProtocol, ServerHints};

/// Hubs that are kept; one is asked, the others when it does not answer.
const MAX_HUBS: usize = 5;
/// A longer URL is none that a hub takes.
const LONGEST_URL: usize = 2_000;

/// What the header says goes before what the document says. A feed that names
/// a hub and not itself is known to it by the URL that it came from, `at`. A
/// cloud counts where no hub is named: it says less.
pub fn find(header: &ServerHints, document: &FeedHints, at: &str) -> Option<HubPlace> {
    let hubs = usable(&header.hubs);
    let hubs = if hubs.is_empty() { usable(&document.hubs) } else { hubs };
    let named = header.self_link.iter().chain(&document.self_link);
    let topic = named.map(String::as_str).find(|url| is_usable(url)).unwrap_or(at);
    let (protocol, hubs) = if hubs.is_empty() {
        (PushProtocol::RssCloud, usable(document.cloud.as_slice()))
    } else {
        (PushProtocol::WebSub, hubs)
    };
    let topic = topic.to_owned();
    (!hubs.is_empty() && is_usable(&topic)).then_some(HubPlace { protocol, topic, hubs })
}

fn usable(hubs: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for hub in hubs.iter().filter(|hub| is_usable(hub)) {
        if kept.len() < MAX_HUBS && !kept.contains(hub) {
            kept.push(hub.clone());
        }
    }
    kept
}

fn is_usable(url: &str) -> bool {
    url.len() <= LONGEST_URL
        && Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "https://site.test/feed";

    fn check(header: (&[&str], Option<&str>), document: (&[&str], Option<&str>), expected: &str) {
        let owned = |hubs: &[&str]| hubs.iter().map(|hub| (*hub).to_owned()).collect();
        let header = ServerHints {
            hubs: owned(header.0),
            self_link: header.1.map(str::to_owned),
            ..ServerHints::default()
        };
        let document = FeedHints {
            hubs: owned(document.0),
            self_link: document.1.map(str::to_owned),
            ..FeedHints::default()
        };
        let found = find(&header, &document, AT);
        let found = found.map(|place| format!("{} at {}", place.topic, place.hubs.join(" ")));
        assert_eq!(found.unwrap_or_default(), expected);
    }

    #[test]
    fn the_header_goes_before_the_document() {
        let (h1, h2) = ("https://one.test/", "https://two.test/");
        let (s1, s2) = ("https://site.test/one", "https://site.test/two");
        check((&[h1], Some(s1)), (&[], None), "https://site.test/one at https://one.test/");
        check((&[], None), (&[h2], Some(s2)), "https://site.test/two at https://two.test/");
        check((&[h1], Some(s1)), (&[h2], Some(s2)), "https://site.test/one at https://one.test/");
        check((&[h1], None), (&[h2], Some(s2)), "https://site.test/two at https://one.test/");
        check((&[], Some(s1)), (&[h2], Some(s2)), "https://site.test/one at https://two.test/");
        check(
            (&[h1, h1, h2], Some(s1)),
            (&[], None),
            "https://site.test/one at https://one.test/ https://two.test/",
        );
    }

    #[test]
    fn a_cloud_counts_where_no_hub_is_named() {
        let cloud = Some("http://rpc.test:5337/pleaseNotify".to_owned());
        let own = Some("https://site.test/own".to_owned());
        let mut document = FeedHints { cloud, self_link: own, ..FeedHints::default() };
        let found = find(&ServerHints::default(), &document, AT).unwrap();
        assert_eq!(found.protocol, PushProtocol::RssCloud);
        assert_eq!(found.topic, "https://site.test/own");
        assert_eq!(found.hubs, ["http://rpc.test:5337/pleaseNotify"]);
        document.hubs = vec!["https://one.test/".to_owned()];
        let found = find(&ServerHints::default(), &document, AT).unwrap();
        assert_eq!(found.protocol, PushProtocol::WebSub);
        document.cloud = Some("http://u:p@rpc.test/".to_owned());
        document.hubs.clear();
        assert_eq!(find(&ServerHints::default(), &document, AT), None);
    }

    #[test]
    fn without_a_hub_there_is_nothing_and_without_a_name_the_place_is_the_name() {
        check((&[], Some("https://site.test/one")), (&[], None), "");
        check(
            (&[], None),
            (&["https://one.test/"], None),
            "https://site.test/feed at https://one.test/",
        );
        for bad in ["mailto:hub@one.test", "file:///etc/passwd", "hub", "https://u:p@one.test/"] {
            check((&[], None), (&[bad], Some("https://site.test/one")), "");
        }
        let long = format!("https://one.test/{}", "x".repeat(2_000));
        check((&[], None), (&[&long], None), "");
    }
}
