//! rssCloud, the reader's side: how a cloud is asked to tell of a feed's news,
//! what its answer means, and for how long. A cloud brings no documents; it
//! says that there is a new one.

use jiff::{SignedDuration, Timestamp};
use url::Url;

/// Clouds forget who does not ask again for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(25);
/// They are asked again after so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// When a registration that is made now ends, and when it is made anew.
pub fn cloud_terms(now: Timestamp) -> (Timestamp, Timestamp) {
    let after = |span| now.checked_add(span).unwrap_or(now);
    (after(KEPT), after(AGAIN))
}

/// The form that has a cloud tell of `topic` at `callback`; none if that is no
/// URL with a host.
///
/// Clouds make a URL of the parts. Those that know no `https-post` speak TLS
/// where the port is 443, so `http-post` is said there, too.
pub fn registration(callback: &str, topic: &str) -> Option<Vec<(&'static str, String)>> {
    let url = Url::parse(callback).ok()?;
    let port = url.port_or_known_default()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let protocol = if url.scheme() == "https" && port != 443 { "https-post" } else { "http-post" };
    Some(vec![
        ("notifyProcedure", String::new()),
        ("domain", host.to_owned()),
        ("port", port.to_string()),
        ("path", url.path().to_owned()),
        ("protocol", protocol.to_owned()),
        ("url1", topic.to_owned()),
    ])
}

/// Why a cloud refuses a registration, in its own words, if its answer says
/// that it does: clouds do so with status 200, as XML or JSON.
pub fn cloud_refusal(answer: &str) -> Option<String> {
    let squeezed: String = answer.chars().filter(|c| !c.is_whitespace()).collect();
    let refused = ["success=\"false\"", "success='false'", "\"success\":false"];
    if !refused.iter().any(|sign| squeezed.contains(sign)) {
        return None;
    }
    let words = ["msg=\"", "msg='", "\"msg\":\"", "\"msg\": \""]
        .iter()
        .find_map(|sign| {
            let (_, rest) = answer.split_once(sign)?;
            rest.split_once(if sign.ends_with('\'') { '\'' } else { '"' })
        })
        .map_or("", |(words, _)| words);
    Some(words.to_owned())
}

/// What a ping says has changed: the first `url` of the form.
pub fn pinged(body: &[u8]) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(body);
    fields.find(|(name, _)| name == "url").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_made_of_the_callbacks_parts() {
        let check = |callback: &str, expected: &str| {
            let form = registration(callback, "https://site.test/feed?a=1");
            let form = form.map(|form| {
                let fields = form.iter().map(|(name, value)| format!("{name}={value}"));
                fields.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(form.as_deref().unwrap_or_default(), expected, "{callback}");
        };
        check(
            "https://us.test/push/x",
            "notifyProcedure= domain=us.test port=443 path=/push/x protocol=http-post \
             url1=https://site.test/feed?a=1",
        );
        check(
            "http://us.test:8466/under/push/x",
            "notifyProcedure= domain=us.test port=8466 path=/under/push/x protocol=http-post \
             url1=https://site.test/feed?a=1",
        );
        check(
            "https://[2001:db8::7]:8443/push/x",
            "notifyProcedure= domain=2001:db8::7 port=8443 path=/push/x protocol=https-post \
             url1=https://site.test/feed?a=1",
        );
        check("push/x", "");
    }

    #[test]
    fn a_cloud_that_says_no_is_understood() {
        let check = |answer: &str, expected: Option<&str>| {
            assert_eq!(cloud_refusal(answer).as_deref(), expected, "{answer}");
        };
        check("<?xml version=\"1.0\"?>\n<notifyResult success=\"true\" msg=\"Thanks.\"/>", None);
        check("{\"success\":true,\"msg\":\"Thanks.\"}", None);
        check("", None);
        check("OK", None);
        check("<notifyResult success=\"false\" msg=\"No\r such feed.\"/>", Some("No\r such feed."));
        check("<notifyResult success = 'false' msg='It said \"no\".'/>", Some("It said \"no\"."));
        check("{ \"success\": false, \"msg\": \"Not read.\" }", Some("Not read."));
        check("<notifyResult success=\"false\"/>", Some(""));
    }

    #[test]
    fn a_ping_names_one_url() {
        let check = |body: &str, expected: Option<&str>| {
            assert_eq!(pinged(body.as_bytes()).as_deref(), expected, "{body}");
        };
        check("url=https%3A%2F%2Fsite.test%2Ff%3Fa%3D1", Some("https://site.test/f?a=1"));
        check("x=1&url=a&url=b", Some("a"));
        check("", None);
        check("URL=a", None);
        check("<methodCall/>", None);
    }

    #[test]
    fn a_registration_is_made_anew_an_hour_before_it_ends() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let (until, again) = cloud_terms(now);
        assert_eq!(until.duration_since(now), SignedDuration::from_hours(25));
        assert_eq!(until.duration_since(again), SignedDuration::from_hours(1));
        assert_eq!(cloud_terms(Timestamp::MAX), (Timestamp::MAX, Timestamp::MAX));
    }
}
