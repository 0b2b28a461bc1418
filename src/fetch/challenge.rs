//! Knows a bot check when it stands before a feed. Such a page answers with
//! any status, and asking again changes nothing: a person has to act.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, SERVER};

/// Bytes of a page that are looked at.
pub(super) const LOOKED_AT: usize = 64 << 10;

/// What to do about a bot check.
pub(super) const ADVICE: &str = "ask the publisher to let this User-Agent through, use another \
     address of the feed, or set user_agent or proxy for it";

/// Who sends such a page, and what gives it away.
struct Mark {
    name: &'static str,
    /// A header line of this name whose value contains one of these.
    header: Option<(&'static str, &'static [&'static str])>,
    /// Texts of the page in lower case, all of which must be there.
    page: &'static [&'static str],
    /// The page's texts stand in no other page, so that they tell even when
    /// the answer claims success.
    sure: bool,
}

const fn header(name: &'static str, key: &'static str, values: &'static [&'static str]) -> Mark {
    Mark { name, header: Some((key, values)), page: &[], sure: true }
}

const fn sure(name: &'static str, page: &'static [&'static str]) -> Mark {
    Mark { name, header: None, page, sure: true }
}

const fn likely(name: &'static str, page: &'static [&'static str]) -> Mark {
    Mark { name, header: None, page, sure: false }
}

const MARKS: &[Mark] = &[
    header("Cloudflare", "cf-mitigated", &["challenge"]),
    header("AWS WAF", "x-amzn-waf-action", &["challenge", "captcha"]),
    header("DataDome", "x-datadome", &["protected"]),
    sure("Cloudflare", &["/cdn-cgi/challenge-platform/"]),
    sure("Cloudflare", &["_cf_chl_opt"]),
    sure("Cloudflare", &["attention required! | cloudflare"]),
    sure("PerimeterX", &["px-captcha"]),
    sure("DataDome", &["captcha-delivery.com"]),
    sure("Imperva", &["_incapsula_resource"]),
    sure("Sucuri", &["sucuri website firewall"]),
    sure("Sucuri", &["sucuri_cloudproxy_js"]),
    sure("DDoS-Guard", &["/.well-known/ddos-guard/"]),
    sure("Anubis", &["making sure you", "re not a bot"]),
    sure("Anubis", &["/.within.website/x/cmd/anubis/"]),
    sure("AWS WAF", &["awswafcookiedomainlist"]),
    sure("AWS WAF", &["gokuprops", "challenge.js"]),
    likely("DDoS-Guard", &["ddos-guard"]),
    likely("Akamai", &["access denied", "reference&#32;&#35;"]),
    likely("Akamai", &["access denied", "reference #"]),
    likely("hCaptcha", &["hcaptcha.com/1/api.js"]),
    likely("Turnstile", &["challenges.cloudflare.com/turnstile/"]),
    likely("reCAPTCHA", &["google.com/recaptcha/api.js"]),
];

/// Server names that make a title telling.
const SERVERS: &[(&str, &str, &str)] = &[
    ("Cloudflare", "cloudflare", "just a moment"),
    ("Cloudflare", "cloudflare", "attention required"),
    ("DDoS-Guard", "ddos-guard", "<html"),
    ("Sucuri", "sucuri", "access denied"),
];

/// Whose bot check an answer is, if it is one. `page` is the beginning of its
/// body, decoded; a body that is no HTML page never is one when the answer
/// claims success.
pub(super) fn challenge(
    status: StatusCode,
    headers: &HeaderMap,
    page: &[u8],
) -> Option<&'static str> {
    let is_page = is_html(headers, page);
    if status == StatusCode::OK && !is_page {
        return None;
    }
    let page = page.get(..LOOKED_AT).unwrap_or(page);
    let page = String::from_utf8_lossy(page).to_ascii_lowercase();
    let refused = matches!(status.as_u16(), 401 | 403 | 405 | 406 | 429 | 503);
    let holds = |mark: &&Mark| match mark.header {
        Some((key, values)) => values.iter().any(|value| says(headers, key, value)),
        None => {
            is_page && (refused || mark.sure) && mark.page.iter().all(|text| page.contains(text))
        }
    };
    if let Some(mark) = MARKS.iter().find(holds) {
        return Some(mark.name);
    }
    let by_server = SERVERS.iter().find(|(_, server, title)| {
        refused && says(headers, SERVER.as_str(), server) && page.contains(title)
    });
    by_server.map(|(name, ..)| *name)
}

fn says(headers: &HeaderMap, key: &str, value: &str) -> bool {
    headers
        .get_all(key)
        .iter()
        .any(|line| String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase().contains(value))
}

fn is_html(headers: &HeaderMap, page: &[u8]) -> bool {
    let begin = page.trim_ascii_start();
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin).trim_ascii_start();
    let starts =
        |with: &[u8]| begin.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    // A feed under the type of a page is a feed all the same.
    if starts(b"<?xml") || starts(b"<rss") || starts(b"<feed") || starts(b"{") {
        return false;
    }
    starts(b"<!doctype html") || starts(b"<html") || says(headers, CONTENT_TYPE.as_str(), "html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    fn check(status: u16, lines: &str, page: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines.split('|').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let found = challenge(status, &headers, page.as_bytes());
        assert_eq!(found, expected, "{status} {lines} {page}");
    }

    fn html(body: &str) -> String {
        format!("<!DOCTYPE html><html><head></head><body>{body}</body></html>")
    }

    #[test]
    fn a_header_line_that_says_challenge_is_enough() {
        check(403, "cf-mitigated: challenge", "", Some("Cloudflare"));
        check(403, "CF-Mitigated: CHALLENGE|server: x", "", Some("Cloudflare"));
        check(202, "x-amzn-waf-action: challenge", "", Some("AWS WAF"));
        check(405, "x-amzn-waf-action: captcha", "", Some("AWS WAF"));
        check(403, "x-datadome: protected", "{\"url\":1}", Some("DataDome"));
        check(403, "cf-mitigated: no", "", None);
    }

    #[test]
    fn pages_are_known_by_what_only_they_contain() {
        for (name, page) in [
            ("Cloudflare", "<script src='/cdn-cgi/challenge-platform/h/b/x.js'>"),
            ("Cloudflare", "<script>window._cf_chl_opt={}</script>"),
            ("Cloudflare", "<title>Attention Required! | Cloudflare</title>"),
            ("PerimeterX", "<div id=\"px-captcha\">"),
            ("DataDome", "<script src='https://geo.captcha-delivery.com/c.js'>"),
            ("Imperva", "<iframe src=\"/_Incapsula_Resource?x=1\">"),
            ("Sucuri", "<h1>Access Denied - Sucuri Website Firewall</h1>"),
            ("DDoS-Guard", "<script src=/.well-known/ddos-guard/js-challenge/i.js>"),
            ("Anubis", "<title>Making sure you&#39;re not a bot!</title>"),
            ("AWS WAF", "<script>awsWafCookieDomainList=[]</script>"),
        ] {
            for status in [200, 403, 429, 503] {
                check(status, "content-type: text/html", &html(page), Some(name));
            }
            check(200, "content-type: text/xml", page, None);
        }
    }

    #[test]
    fn weak_marks_need_a_refusal() {
        for (name, lines, page) in [
            ("Cloudflare", "server: cloudflare", "<title>Just a moment...</title>"),
            ("Akamai", "", "<H1>Access Denied</H1> Reference&#32;&#35;18&#46;5"),
            ("Akamai", "", "<H1>Access Denied</H1> Reference #18.5"),
            ("DDoS-Guard", "server: ddos-guard", "checking"),
            ("hCaptcha", "", "<script src=https://js.hcaptcha.com/1/api.js>"),
            ("Turnstile", "", "<script src=https://challenges.cloudflare.com/turnstile/v0/api.js>"),
        ] {
            check(403, lines, &html(page), Some(name));
            check(200, lines, &html(page), None);
            check(404, lines, &html(page), None);
        }
    }

    #[test]
    fn ordinary_answers_are_no_challenge() {
        check(403, "", "Forbidden", None);
        check(403, "server: cloudflare", &html("Forbidden"), None);
        check(429, "retry-after: 60", "Too many requests. px-captcha", None);
        check(503, "", &html("Down for maintenance, just a moment"), None);
        check(200, "content-type: text/html", &html("A page about feeds"), None);
        let feed = "<?xml version='1.0'?><rss><title>px-captcha explained</title></rss>";
        check(200, "content-type: text/html", feed, None);
        check(200, "content-type: text/html", "<rss>_Incapsula_Resource</rss>", None);
        check(200, "cf-mitigated: challenge|content-type: text/xml", "<rss/>", None);
    }
}
