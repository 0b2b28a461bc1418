//! Links that lead to another link: redirectors, aggregators and AMP caches
//! whose target can be read from the link itself. Nobody is asked.
//!
//! Not readable, and kept as they are: shorteners (`t.co`, `bit.ly`), feed
//! proxies (`feedproxy.google.com`), Google News' newer ids.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// Links in links that are followed.
const DEEPEST: usize = 3;

/// Where the target stands: host (with its subdomains), beginning of the path,
/// parameters. Sorted by host.
const REDIRECTORS: [(&str, &str, &[&str]); 27] = [
    ("away.vk.com", "/away.php", &["to"]),
    ("bing.com", "/news/apiclick", &["url"]),
    ("click.linksynergy.com", "/", &["murl"]),
    ("disq.us", "/url", &["url"]),
    ("duckduckgo.com", "/l/", &["uddg"]),
    ("exit.sc", "/", &["url"]),
    ("facebook.com", "/l.php", &["u"]),
    ("getpocket.com", "/redirect", &["url"]),
    ("go.skimresources.com", "/", &["url"]),
    ("l.instagram.com", "/", &["u"]),
    ("l.threads.net", "/", &["u"]),
    ("link.csdn.net", "/", &["target"]),
    ("link.zhihu.com", "/", &["target"]),
    ("linkedin.com", "/redir/redirect", &["url"]),
    ("medium.com", "/r/", &["url"]),
    ("news.google.com", "/news/url", &["url"]),
    ("news.url.google.com", "/", &["url", "q"]),
    ("out.reddit.com", "/", &["url"]),
    ("plus.url.google.com", "/url", &["q", "url"]),
    ("redirect.viglink.com", "/", &["u"]),
    ("safelinks.protection.outlook.com", "/", &["url"]),
    ("slack-redir.net", "/link", &["url"]),
    ("steamcommunity.com", "/linkfilter", &["url", "u"]),
    ("t.umblr.com", "/redirect", &["z"]),
    ("vk.com", "/away.php", &["to"]),
    ("weibo.cn", "/sinaurl", &["u", "toasturl"]),
    ("youtube.com", "/redirect", &["q"]),
];

/// The http(s) link that a redirect link finally names, or `None` if it is
/// none or its target cannot be read.
pub fn unwrap_link(link: &str) -> Option<String> {
    let url = Url::parse(link.trim()).ok()?;
    target(&url).map(String::from)
}

/// The same for a parsed link.
pub(super) fn target(url: &Url) -> Option<Url> {
    let mut found = once(url)?;
    for _ in 1..DEEPEST {
        match once(&found) {
            Some(deeper) => found = deeper,
            None => break,
        }
    }
    Some(found)
}

fn once(url: &Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    by_parameter(url, host)
        .or_else(|| amp(url, host))
        .or_else(|| google_news(url, host))
        .or_else(|| yahoo(url, host))
}

fn by_parameter(url: &Url, host: &str) -> Option<Url> {
    let google = is_google(host) && matches!(url.path(), "/url" | "/imgres");
    let names: &[&str] = match google {
        true => &["url", "q"],
        false => {
            let (_, _, names) = REDIRECTORS
                .iter()
                .find(|(site, path, _)| is_of(host, site) && url.path().starts_with(path))?;
            names
        }
    };
    let value =
        |name: &&str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    names.iter().filter_map(value).find_map(|value| page(&value))
}

/// A host that is a site or a subdomain of it.
fn is_of(host: &str, site: &str) -> bool {
    host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `google.com`, `google.co.uk`; not `google.example.org`.
fn is_google(host: &str) -> bool {
    let Some(country) = host.strip_prefix("google.") else { return false };
    matches!(country.len(), 2 | 3)
        || (country.starts_with("co.") || country.starts_with("com.")) && country.len() <= 6
}

/// A text as a link to a page: http(s) with a host that has a dot.
fn page(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    (web && url.host_str()?.contains('.')).then_some(url)
}

/// `cdn.ampproject.org/c/s/example.org/story`, `google.com/amp/s/…`.
fn amp(url: &Url, host: &str) -> Option<Url> {
    let path = url.path();
    let rest = if is_of(host, "cdn.ampproject.org") {
        let (_, rest) = path.strip_prefix('/')?.split_once('/')?;
        rest
    } else if is_google(host) {
        path.strip_prefix("/amp/")?
    } else {
        return None;
    };
    let (scheme, rest) = match rest.strip_prefix("s/") {
        Some(rest) => ("https", rest),
        None => ("http", rest),
    };
    let rest = rest.strip_prefix("bc.marfeel.com/").unwrap_or(rest);
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    page(&format!("{scheme}://{rest}{query}"))
}

/// Google News' older article ids: base64 of a message that holds the link.
fn google_news(url: &Url, host: &str) -> Option<Url> {
    if host != "news.google.com" {
        return None;
    }
    let (_, id) = url.path().split_once("/articles/")?;
    let id = id.split('/').next()?.trim_end_matches('=');
    // Encoders leave bits in the last letter that strict decoders refuse.
    let id = &id[..id.len() - usize::from(id.len() % 4 == 1)];
    let bytes =
        URL_SAFE_NO_PAD.decode(id).or_else(|_| URL_SAFE_NO_PAD.decode(&id[..id.len() / 4 * 4]));
    let bytes = bytes.ok()?;
    let start = bytes.windows(4).position(|window| window == b"http")?;
    let length = match *bytes.get(..start)? {
        [.., low, high] if low >= 0x80 && high < 0x80 => {
            usize::from(low & 0x7f) | usize::from(high) << 7
        }
        [.., length] => usize::from(length),
        [] => return None,
    };
    page(std::str::from_utf8(bytes.get(start..start + length)?).ok()?)
}

/// `r.search.yahoo.com/…/RU=https%3a%2f%2f…/RK=…`.
fn yahoo(url: &Url, host: &str) -> Option<Url> {
    if !is_of(host, "search.yahoo.com") {
        return None;
    }
    let (_, rest) = url.path().split_once("/RU=")?;
    let encoded = rest.split("/RK=").next()?.split("/RS=").next()?;
    let decoded = url::form_urlencoded::parse(format!("u={encoded}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())?;
    page(&decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link: &str, expected: Option<&str>) {
        assert_eq!(unwrap_link(link).as_deref(), expected, "{link}");
    }

    #[test]
    fn a_target_that_can_be_read_is() {
        let target = Some("https://example.org/a?b=1");
        for link in [
            "https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1&usg=x",
            "https://www.google.co.uk/url?q=https://example.org/a?b%3D1",
            "https://news.google.com/news/url?sa=t&url=https://example.org/a?b%3D1",
            "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1&h=AT0",
            "https://t.umblr.com/redirect?z=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
            "https://out.reddit.com/t3_x?url=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1&token=y",
            "https://www.youtube.com/redirect?event=x&q=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
            "https://slack-redir.net/link?url=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
            "https://steamcommunity.com/linkfilter/?u=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
            "https://vk.com/away.php?to=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
            "http://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fexample.org%2fa%3fb%3d1",
            "https://r.search.yahoo.com/_ylt=x/RV=2/RU=https%3a%2f%2fexample.org%2fa%3fb%3d1/RK=2/RS=y-",
            "https://example-org.cdn.ampproject.org/c/s/example.org/a?b=1",
            "https://www.google.de/amp/s/example.org/a?b=1",
            "https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttps%253A%252F%252Fexample.org%252Fa%253Fb%253D1",
        ] {
            check(link, target);
        }
    }

    #[test]
    fn an_older_id_of_google_news_holds_its_link() {
        let article = |link: &str, more: &[u8]| {
            let length = link.len();
            let size = if length < 128 {
                vec![length as u8]
            } else {
                vec![length as u8 | 0x80, (length >> 7) as u8]
            };
            let message = [b"\x08\x13\x22", &size[..], link.as_bytes(), more].concat();
            let id = URL_SAFE_NO_PAD.encode(message);
            format!("https://news.google.com/rss/articles/{id}?oc=5")
        };
        let long = format!("https://example.org/{}", "a".repeat(150));
        for link in ["https://example.org/2026/11/a-story", &long] {
            check(&article(link, b"\xd2\x01\x00"), Some(link));
            check(&article(link, b"\xd2\x01\x18https://example.org/amp/"), Some(link));
        }
        check(&article("AU_yqLNxyz", b""), None);
        check("https://news.google.com/articles/%%%", None);
    }

    #[test]
    fn what_is_no_redirect_or_leads_nowhere_safe_is_left() {
        for link in [
            "https://example.org/a?url=https%3A%2F%2Fexample.com%2F",
            "https://google.evil.example/url?q=https://example.org/",
            "https://www.google.com/search?q=https://example.org/",
            "https://www.google.com/url?q=javascript:alert(1)",
            "https://www.google.com/url?q=file:///etc/passwd",
            "https://vk.com/away.php?to=localhost",
            "https://vk.com/away.php?to=http%3A%2F%2Flocalhost%2F",
            "https://example-org.cdn.ampproject.org/v/s/",
            "https://t.co/abc",
            "https://feedproxy.google.com/~r/example/~3/abc/",
            "mailto:a@example.org",
        ] {
            check(link, None);
        }
    }

    #[test]
    fn links_in_links_have_an_end() {
        let mut link = "https://example.org/".to_string();
        for _ in 0..5 {
            let encoded: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
            link = format!("https://vk.com/away.php?to={encoded}");
        }
        assert!(unwrap_link(&link).unwrap().starts_with("https://vk.com/"));
    }
}
