//! Links in canonical form: what is left when two URLs of one page are made
//! equal. The result is a key, not something to visit.

mod rules;
mod unwrap;

use url::Url;

pub use unwrap::unwrap_link;

/// Names of a folder's own page, which need not be said.
const INDEX: [&str; 9] = [
    "default.asp",
    "default.aspx",
    "index.asp",
    "index.aspx",
    "index.htm",
    "index.html",
    "index.php",
    "index.shtml",
    "index.xhtml",
];

/// Passes until a form is taken as final; real links need one, and one to see it.
const MOST_PASSES: usize = 16;

/// The canonical form of an http(s) link, or `None` for anything else and for
/// links that show no single page: a bare host, with or without a fragment.
///
/// Redirects whose target can be read are followed ([`unwrap_link`]). Scheme,
/// `www.`, mobile and AMP forms, default port, user info, session ids, index
/// pages, tracking parameters, fragment (unless it routes: `#!`, `#/`),
/// trailing slash and the order of query parameters do not count. Other
/// parameters do: `?id=7` is a page.
///
/// The form is final: as a link it is its own canonical form.
pub fn canonical_link(link: &str) -> Option<String> {
    let mut canonical = simplified(link.trim())?;
    for _ in 1..MOST_PASSES {
        let again = simplified(&format!("https://{canonical}"))?;
        if again == canonical {
            break;
        }
        canonical = again;
    }
    Some(canonical)
}

/// One pass; what it takes away may bare what another pass takes away.
fn simplified(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    let url = unwrap::target(&url).unwrap_or(url);
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = host(url.host_str()?.trim_matches('.'));
    if host.is_empty() {
        return None;
    }
    let path = path(&host, url.path());
    let query = query(&host, url.query().unwrap_or_default());
    let route = url.fragment().filter(|f| f.len() > 1 && f.starts_with(['!', '/']));
    let route = route.and_then(|route| route.split(":~:").next());
    if path.is_empty() && query.is_empty() && route.is_none() {
        return None;
    }
    let mut canonical = host;
    if let Some(port) = url.port() {
        canonical.push_str(&format!(":{port}"));
    }
    canonical.push_str(&path);
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

/// The host without the labels that choose a form of the same page.
fn host(host: &str) -> String {
    let host = host.strip_prefix("www.").unwrap_or(host);
    for label in ["m.", "mobile.", "amp.", "touch."] {
        if let Some(rest) = host.strip_prefix(label).filter(|rest| is_site(rest)) {
            return rest.strip_prefix("www.").unwrap_or(rest).to_string();
        }
    }
    // `en.m.wikipedia.org`: the language stands before the form.
    match host.split_once(".m.") {
        Some((language, site)) if language.len() <= 3 && is_site(site) => {
            format!("{language}.{site}")
        }
        _ => host.to_string(),
    }
}

/// Whether what follows a label is a site of its own, not `co.uk`.
fn is_site(host: &str) -> bool {
    match host.rsplit_once('.') {
        Some((name, country)) => {
            let shared = matches!(name, "ac" | "co" | "com" | "edu" | "gov" | "net" | "org");
            !(country.len() == 2 && shared)
        }
        None => false,
    }
}

fn path(host: &str, path: &str) -> String {
    let lower = path.to_ascii_lowercase();
    let session = lower.find(";jsessionid=").map(|at| {
        let end = lower[at..].find('/').map_or(path.len(), |length| at + length);
        (at, end)
    });
    let mut path = match session {
        Some((at, end)) => format!("{}{}", &path[..at], &path[end..]),
        None => path.to_string(),
    };
    if is_amazon(host)
        && let Some(at) = path.find("/ref=")
    {
        path.truncate(at);
    }
    if host == "news.google.com" {
        path = path.replace("/rss/articles/", "/articles/");
    }
    let mut short = path.trim_end_matches('/');
    if let Some((folder, page)) = short.rsplit_once('/')
        && INDEX.contains(&page.to_ascii_lowercase().as_str())
    {
        short = folder.trim_end_matches('/');
    }
    // `/amp` alone is a page's name; under a page it is its form.
    for form in ["/amp", ".amp"] {
        short = match short.strip_suffix(form) {
            Some(page) if page.rfind('/').is_some_and(|at| at + 1 < page.len()) => page,
            _ => short,
        };
    }
    even_escapes(short.trim_end_matches('/'))
}

fn is_amazon(host: &str) -> bool {
    host.starts_with("amazon.") || host.contains(".amazon.")
}

/// The parameters that count, in order.
fn query(host: &str, query: &str) -> String {
    let counts = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.to_ascii_lowercase();
        let amp = matches!((&*name, value), ("amp", "" | "1" | "true") | ("outputtype", "amp"));
        !pair.is_empty() && !amp && !rules::is_tracking(host, &name, value)
    };
    // A question mark for an ampersand is a common slip of link builders.
    let pairs = query.split(['&', '?']).map(|pair| pair.strip_prefix("amp;").unwrap_or(pair));
    let mut kept: Vec<String> = pairs.filter(counts).map(even_escapes).collect();
    kept.iter_mut().for_each(|pair| *pair = pair.replace('+', "%20"));
    kept.sort_unstable();
    kept.join("&")
}

/// Escapes of letters and digits resolved, the others in upper case (RFC 3986
/// section 6.2.2).
fn even_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let byte =
            rest.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(b) if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') => {
                out.push(char::from(b));
            }
            Some(b) => out.push_str(&format!("%{b:02X}")),
            None => {
                out.push('%');
                rest = &rest[at + 1..];
                continue;
            }
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, Option<&str>)]) {
        for (input, expected) in cases {
            assert_eq!(canonical_link(input).as_deref(), *expected, "{input:?}");
        }
    }

    #[test]
    fn urls_of_one_page_get_one_canonical_form() {
        check(&[
            ("https://www.example.org/a/", Some("example.org/a")),
            ("http://example.org:80/a?utm_source=x&UTM_medium=y", Some("example.org/a")),
            ("https://example.org/a?b=2&a=1&fbclid=z", Some("example.org/a?a=1&b=2")),
            ("https://example.org/a#top", Some("example.org/a")),
            ("https://example.org/a#:~:text=x", Some("example.org/a")),
            ("https://example.org/#!/story/7", Some("example.org#!/story/7")),
            ("https://user:pw@Example.ORG./a", Some("example.org/a")),
            ("https://example.org:8443/a", Some("example.org:8443/a")),
            ("https://example.org/?p=7", Some("example.org?p=7")),
            ("https://example.org/a;jsessionid=0A1B?id=7", Some("example.org/a?id=7")),
            ("https://example.org/a/index.html", Some("example.org/a")),
            ("https://example.org/index.php?id=7", Some("example.org?id=7")),
            ("https://example.org/%7eann/%c3%a9", Some("example.org/~ann/%C3%A9")),
            ("https://example.org/~ann/é", Some("example.org/~ann/%C3%A9")),
            ("https://example.org/a?q=x+y", Some("example.org/a?q=x%20y")),
            ("https://example.org/a?id=7&amp;x=1", Some("example.org/a?id=7&x=1")),
            ("https://example.org/a?id=7?utm_source=x", Some("example.org/a?id=7")),
            ("https://bücher.example/a", Some("xn--bcher-kva.example/a")),
            ("https://example.org/100%", Some("example.org/100%")),
        ]);
    }

    #[test]
    fn forms_of_a_page_are_one_page() {
        check(&[
            ("https://m.example.org/a", Some("example.org/a")),
            ("https://en.m.wikipedia.org/wiki/A", Some("en.wikipedia.org/wiki/A")),
            ("https://amp.example.org/a", Some("example.org/a")),
            ("https://example.org/news/a/amp/", Some("example.org/news/a")),
            ("https://example.org/news/a.amp", Some("example.org/news/a")),
            ("https://example.org/news/a?outputType=amp", Some("example.org/news/a")),
            ("https://example.org/news/a?amp", Some("example.org/news/a")),
            ("https://example.org/amp", Some("example.org/amp")),
            ("https://example.org/news/a/amp/amp", Some("example.org/news/a")),
            ("https://example.org/%%41b", Some("example.org/%AB")),
            ("https://m.co.uk/a", Some("m.co.uk/a")),
            ("https://m.org/a", Some("m.org/a")),
            (
                "https://news.google.com/rss/articles/CBMiX?oc=5",
                Some("news.google.com/articles/CBMiX"),
            ),
            (
                "https://vk.com/away.php?to=https%3A%2F%2Fwww.example.org%2Fa%3Futm_x%3D1",
                Some("example.org/a"),
            ),
        ]);
    }

    #[test]
    fn a_site_has_parameters_of_its_own() {
        check(&[
            ("https://www.wsj.com/a?mod=hp", Some("wsj.com/a")),
            ("https://example.org/a?mod=hp", Some("example.org/a?mod=hp")),
            ("https://www.bbc.co.uk/news/1?at_medium=RSS&at_x=y", Some("bbc.co.uk/news/1")),
            ("https://fakty.tvn24.pl/a,1?source=rss", Some("fakty.tvn24.pl/a,1")),
            ("https://youtube.com/watch?v=x&si=y&feature=share", Some("youtube.com/watch?v=x")),
            ("https://www.amazon.co.uk/dp/B0/ref=sr_1?tag=x", Some("amazon.co.uk/dp/B0")),
            ("https://example.org/a?source=rss", Some("example.org/a")),
            ("https://example.org/a?source=7", Some("example.org/a?source=7")),
            ("https://example.org/a?ref=blog.example.com", Some("example.org/a")),
            ("https://example.org/login?ref=/a/b.html", Some("example.org/login?ref=/a/b.html")),
        ]);
    }

    #[test]
    fn what_shows_no_single_page_has_none() {
        check(&[
            ("https://example.org/", None),
            ("https://example.org/index.html", None),
            ("https://example.org/?utm_source=x", None),
            ("https://example.org/#news", None),
            ("mailto:a@example.org", None),
            ("not a url", None),
            ("/relative", None),
            ("https:./www.example.org/a", None),
            ("https://example.org/index.html/index.html", None),
        ]);
    }

    proptest::proptest! {
        #[test]
        fn the_canonical_form_is_its_own(
            path in "[a-zA-Z0-9%é./;=-]{0,24}",
            query in "[a-z0-9%+=&?_.]{0,24}",
            host in "(www\\.|m\\.)?(example\\.org|bbc\\.co\\.uk|amazon\\.de)",
        ) {
            if let Some(once) = canonical_link(&format!("https://{host}/{path}?{query}")) {
                let again = canonical_link(&format!("https://{once}"));
                proptest::prop_assert_eq!(again.as_deref(), Some(once.as_str()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(https?://)?\\PC{0,60}") {
            let _ = canonical_link(&text);
            let _ = unwrap_link(&text);
        }
    }
}
