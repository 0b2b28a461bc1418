//! Links in canonical form: what is left when two URLs of one page are made
//! equal. The result is a key, not something to visit.

use url::Url;

/// Query parameters that say where a reader came from, never what is shown.
const TRACKING: [&str; 34] = [
    "_ga",
    "_hsenc",
    "_hsmi",
    "at_campaign",
    "at_custom1",
    "at_custom2",
    "at_custom3",
    "at_custom4",
    "at_medium",
    "cmp",
    "cmpid",
    "dclid",
    "fbclid",
    "ftag",
    "gbraid",
    "gclid",
    "gclsrc",
    "gi",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ncid",
    "ns_campaign",
    "ns_mchannel",
    "ns_source",
    "partner",
    "smid",
    "spm",
    "srnd",
    "wbraid",
    "xtor",
    "yclid",
];

/// The canonical form of an http(s) link, or `None` for anything else and for
/// links that show no single page: a bare host, with or without a fragment.
///
/// Scheme, `www.`, default port, user info, tracking parameters, fragment
/// (unless it routes: `#!`, `#/`), trailing slash and the order of query
/// parameters do not count. Other parameters do: `?id=7` is a page.
pub fn canonical_link(link: &str) -> Option<String> {
    let url = Url::parse(link.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let path = url.path().trim_end_matches('/');
    let query = canonical_query(&url);
    let route = url.fragment().filter(|f| f.starts_with('!') || f.starts_with('/'));
    if path.is_empty() && query.is_empty() && route.is_none() {
        return None;
    }
    let mut canonical = String::from(host);
    if let Some(port) = url.port() {
        canonical.push_str(&format!(":{port}"));
    }
    canonical.push_str(path);
    if !query.is_empty() {
        canonical.push('?');
        canonical.push_str(&query);
    }
    if let Some(route) = route {
        canonical.push('#');
        canonical.push_str(route);
    }
    Some(canonical)
}

fn canonical_query(url: &Url) -> String {
    let mut kept: Vec<&str> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            !pair.is_empty() && !is_tracking(&name)
        })
        .collect();
    kept.sort_unstable();
    kept.join("&")
}

fn is_tracking(name: &str) -> bool {
    name.starts_with("utm_") || TRACKING.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracking_list_is_sorted_so_that_it_can_be_searched() {
        assert!(TRACKING.is_sorted());
    }

    #[test]
    fn urls_of_one_page_get_one_canonical_form() {
        for (input, expected) in [
            ("https://www.example.org/a/", Some("example.org/a")),
            ("http://example.org:80/a?utm_source=x&UTM_medium=y", Some("example.org/a")),
            ("https://example.org/a?b=2&a=1&fbclid=z", Some("example.org/a?a=1&b=2")),
            ("https://example.org/a#top", Some("example.org/a")),
            ("https://example.org/#!/story/7", Some("example.org#!/story/7")),
            ("https://user:pw@Example.ORG./a", Some("example.org/a")),
            ("https://example.org:8443/a", Some("example.org:8443/a")),
            ("https://example.org/?p=7", Some("example.org?p=7")),
            ("https://example.org/", None),
            ("https://example.org/#news", None),
            ("mailto:a@example.org", None),
            ("not a url", None),
            ("/relative", None),
        ] {
            assert_eq!(canonical_link(input).as_deref(), expected, "{input:?}");
        }
    }
}
