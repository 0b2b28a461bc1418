//! What the header lines of an answer say about the next request: RFC 9110
//! (`Retry-After`, `Date`) and RFC 9111 (freshness), read by a private cache.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, RETRY_AFTER};

use crate::model::ServerHints;
use crate::net::{delta_seconds, http_date};

/// No wish of a server reaches further than this.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Reads the wishes in an answer's header lines. Values that make no sense are
/// as good as absent, and a wish of nothing is none.
///
/// Dates count from the server's own `Date` where there is one, so that a
/// clock that is wrong there or here does not matter.
pub(super) fn hints(headers: &HeaderMap, now: Timestamp) -> ServerHints {
    let sent = text(headers, DATE).and_then(|date| http_date(&date)).unwrap_or(now);
    ServerHints {
        fresh_for: fresh_for(headers, sent),
        retry_after: retry_after(headers, sent),
        ..ServerHints::default()
    }
}

fn retry_after(headers: &HeaderMap, sent: Timestamp) -> Option<SignedDuration> {
    let value = text(headers, RETRY_AFTER)?;
    wish(delta_seconds(&value).or_else(|| Some(http_date(&value)?.duration_since(sent)))?)
}

fn fresh_for(headers: &HeaderMap, sent: Timestamp) -> Option<SignedDuration> {
    let control = Control::of(headers);
    if control.never {
        return None;
    }
    let lifetime = match control.max_age {
        Some(max_age) => max_age,
        None => http_date(&text(headers, EXPIRES)?)?.duration_since(sent),
    };
    let age = text(headers, AGE).and_then(|age| delta_seconds(&age)).unwrap_or_default();
    wish(lifetime.saturating_sub(age))
}

fn wish(span: SignedDuration) -> Option<SignedDuration> {
    span.is_positive().then(|| span.min(LONGEST))
}

/// The first line of that name, without the space around it.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.trim().to_string())
}

/// What `Cache-Control` says to a cache of one user.
#[derive(Default)]
struct Control {
    /// `no-cache` or `no-store`: whatever else is said, it is stale at once.
    never: bool,
    max_age: Option<SignedDuration>,
}

impl Control {
    fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            for directive in directives(&String::from_utf8_lossy(line.as_bytes())) {
                let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
                let value = value.trim().trim_matches('"').trim();
                match name.trim().to_ascii_lowercase().as_str() {
                    // With a value it is about the fields named there.
                    "no-cache" if value.is_empty() => control.never = true,
                    "no-store" => control.never = true,
                    // Of several the first counts (RFC 9111 section 4.2.1).
                    "max-age" => control.max_age = control.max_age.or_else(|| delta_seconds(value)),
                    _ => {}
                }
            }
        }
        control
    }
}

/// Splits at commas that stand outside quotes.
fn directives(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        quoted ^= c == '"';
        match found.last_mut() {
            Some(last) if c != ',' || quoted => last.push(c),
            _ => found.push(String::new()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";
    const DAY: i64 = 24 * 3600;

    /// Header lines, then how long the answer is fresh and when to come again, in seconds.
    fn check(lines: &str, fresh_for: Option<i64>, retry_after: Option<i64>) {
        let mut headers = HeaderMap::new();
        for line in lines.split('|').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let expected = ServerHints {
            hubs: Vec::new(),
            self_link: None,
            fresh_for: fresh_for.map(SignedDuration::from_secs),
            retry_after: retry_after.map(SignedDuration::from_secs),
        };
        assert_eq!(hints(&headers, NOW.parse().unwrap()), expected, "{lines}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_own_clock() {
        check("", None, None);
        check("Retry-After: 120", None, Some(120));
        check("Retry-After: 0", None, None);
        check("Retry-After: -120", None, None);
        check("Retry-After: soon", None, None);
        check("Retry-After: 12.5", None, None);
        check("Retry-After: 2672400", None, Some(2_672_400));
        check("Retry-After: 2684400", None, Some(31 * DAY));
        check("Retry-After: 1000000000000000000000000000000", None, Some(31 * DAY));
        check("Retry-After: Sun, 01 Mar 2026 13:00:00 GMT", None, Some(3600));
        check("Retry-After: Sun, 01 Mar 2026 15:00:00 +0200", None, Some(3600));
        check("Retry-After: Sun, 01 Mar 2026 13:00:00", None, Some(3600));
        check("Retry-After: Sunday, 01-Mar-26 13:00:00 GMT", None, Some(3600));
        check("Retry-After: Sun, 01 Mar 2026 11:00:00 GMT", None, None);
        let one_hour = "Retry-After: Sun, 01 Mar 2026 16:00:00 GMT|Date: ";
        check(&format!("{one_hour}Sun, 01 Mar 2026 15:00:00 GMT"), None, Some(3600));
        check(
            "Retry-After: Sun, 01 Mar 2026 10:00:00 GMT|Date: Sun, 01 Mar 2026 09:00:00 GMT",
            None,
            Some(3600),
        );
        check(&format!("{one_hour}yesterday"), None, Some(4 * 3600));
        check("Retry-After: 60|Date: Sun, 01 Mar 2026 09:00:00 GMT", None, Some(60));
    }

    #[test]
    fn freshness_is_max_age() {
        check("Cache-Control: max-age=600", Some(600), None);
        check("Cache-Control: MAX-AGE=600", Some(600), None);
        check("Cache-Control: max-age=\"60\"", Some(60), None);
        check("Cache-Control: public, max-age=600, must-revalidate", Some(600), None);
        check("Cache-Control: public|Cache-Control: max-age=600", Some(600), None);
        check("Cache-Control: max-age=600|Cache-Control: no-cache", None, None);
        check("Cache-Control: no-store, max-age=600", None, None);
        check("Cache-Control: no-cache=\"set-cookie, x\", max-age=600", Some(600), None);
        check("Cache-Control: ext=\"a, max-age=5\", max-age=600", Some(600), None);
        check("Cache-Control: max-age=600, max-age=5", Some(600), None);
        check("Cache-Control: max-age=0", None, None);
        check("Cache-Control: max-age=-1", None, None);
        check("Cache-Control: max-age=ten", None, None);
        check("Cache-Control: max-age", None, None);
        check("Cache-Control: s-maxage=600", None, None);
        check("Cache-Control: s-maxage=5, max-age=600", Some(600), None);
        check("Cache-Control: max-age=2678401", Some(31 * DAY), None);
        check("Cache-Control: max-age=1000000000000000000000000000000", Some(31 * DAY), None);
        check("Cache-Control: max-age=600|Age: 100", Some(500), None);
        check("Cache-Control: max-age=600|Age: 700", None, None);
        check("Cache-Control: max-age=600|Age: old", Some(600), None);
    }

    #[test]
    fn freshness_is_else_the_time_from_date_to_expires() {
        let at = |hour: u32| format!("Sun, 01 Mar 2026 {hour:02}:00:00 GMT");
        check(&format!("Expires: {}", at(13)), Some(3600), None);
        check(&format!("Expires: {}|Date: {}", at(16), at(15)), Some(3600), None);
        check(&format!("Expires: {}|Date: {}", at(10), at(9)), Some(3600), None);
        check(&format!("Expires: {}|Date: {}|Age: 600", at(10), at(9)), Some(3000), None);
        check(&format!("Expires: {}", at(11)), None, None);
        check("Expires: 0", None, None);
        check("Expires: -1", None, None);
        check("Expires: Thu, 01 Jan 1970 00:00:00 GMT", None, None);
        check("Expires: Sun, 01 Mar 2036 12:00:00 GMT", Some(31 * DAY), None);
        check(&format!("Expires: {}|Cache-Control: max-age=60", at(13)), Some(60), None);
        check(&format!("Expires: {}|Cache-Control: max-age=0", at(13)), None, None);
        check(&format!("Expires: {}|Cache-Control: no-cache", at(13)), None, None);
        check(&format!("Expires: {}|Cache-Control: max-age=x", at(13)), Some(3600), None);
        check(&format!("Expires: {}|Retry-After: 60", at(13)), Some(3600), Some(60));
    }
}
