//! What must not be seen in what is shown: secrets inside URLs, and secrets
//! that a server repeats.

use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Auth, RequestOptions};

/// Ends of the names of query keys whose values are secrets.
const NAMES: [&str; 14] = [
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "signature",
    "sig",
    "credential",
    "credentials",
    "session",
    "sid",
    "jwt",
];
/// A shorter text may stand anywhere, and says little.
const SHORTEST: usize = 4;
/// In place of a secret.
const VEIL: &str = "[secret]";

/// A URL as it may be logged and printed: without user name and password, and
/// without the values of query keys that are named like secrets.
pub fn shown(url: &str) -> String {
    let mut shown = url.to_owned();
    for span in secret_parts(url).into_iter().rev() {
        shown.replace_range(span, "***");
    }
    shown
}

/// Where secrets stand in a URL, in order. It need not be a correct one.
pub fn secret_parts(url: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    if let Some(at) = url[start..end].rfind('@') {
        parts.push(start..start + at);
    }
    let Some(query) = url.find('?') else { return parts };
    let end = url[query..].find('#').map_or(url.len(), |at| query + at);
    let mut at = query + 1;
    for pair in url[at..end].split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && !value.is_empty()
            && names_secret(name)
        {
            let from = at + name.len() + 1;
            parts.push(from..from + value.len());
        }
        at += pair.len() + 1;
    }
    parts
}

fn names_secret(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    NAMES.iter().any(|known| plain.ends_with(known))
}

/// What a request carries that no answer to it may bring into logs, messages
/// or the database.
#[derive(Clone, Default)]
pub struct Veil {
    /// The longest first: one may be part of another.
    secrets: Vec<String>,
}

impl Veil {
    /// All that is secret in a request for a URL.
    pub fn of(url: &str, options: &RequestOptions) -> Self {
        let mut secrets: Vec<String> =
            secret_parts(url).into_iter().map(|span| url[span].to_owned()).collect();
        match &options.auth {
            Some(Auth::Basic { user, password }) => {
                add_login(&mut secrets, user, password.expose());
            }
            Some(Auth::Bearer(token)) => secrets.push(token.expose().to_owned()),
            None => {}
        }
        secrets.extend(options.headers.iter().map(|(_, value)| value.expose().to_owned()));
        let login = options.proxy.as_ref().and_then(|proxy| {
            let part = secret_parts(proxy.expose()).into_iter().next()?;
            let (user, password) = proxy.expose()[part].split_once(':')?;
            Some((user.to_owned(), password.to_owned()))
        });
        if let Some((user, password)) = login {
            add_login(&mut secrets, &user, &password);
        }
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// A text of the server's without them.
    pub fn over(&self, text: String) -> String {
        let clean = |text: String, secret: &String| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), VEIL),
            false => text,
        };
        self.secrets.iter().fold(text, clean)
    }

    /// Whether a text of the server's repeats one.
    pub fn is_broken_by(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.as_str()))
    }
}

fn add_login(secrets: &mut Vec<String>, user: &str, password: &str) {
    secrets.push(BASE64_STANDARD.encode(format!("{user}:{password}")));
    secrets.push(BASE64_STANDARD.encode(password));
    secrets.push(password.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    #[test]
    fn urls_are_shown_without_logins_and_keys() {
        let check = |url: &str, expected: &str| assert_eq!(shown(url), expected);
        check("https://example.org/rss?page=2#top", "https://example.org/rss?page=2#top");
        check("https://u:p@ss@example.org/a@b", "https://***@example.org/a@b");
        check("https://u@example.org?a", "https://***@example.org?a");
        check(
            "https://example.org/f?q=x&api_key=abc&token=d%20e&key=&Access-Token=z#token=f",
            "https://example.org/f?q=x&api_key=***&token=***&key=&Access-Token=***#token=f",
        );
        check("https://example.org/f?sig=é&n=1", "https://example.org/f?sig=***&n=1");
        check("exec:/bin/feed", "exec:/bin/feed");
        check("?token=x", "?token=***");
        check("", "");
    }

    #[test]
    fn what_a_server_repeats_of_a_request_is_veiled() {
        let options = RequestOptions {
            auth: Some(Auth::Basic { user: "desk".to_owned(), password: Secret::new("hunter2") }),
            headers: vec![
                ("x-api-key".to_owned(), Secret::new("hunter2-too")),
                ("accept-language".to_owned(), Secret::new("fr")),
            ],
            proxy: Some(Secret::new("http://us:swordfish@proxy.example.org:3128")),
            ..RequestOptions::default()
        };
        let veil = Veil::of("https://example.org/?token=opensesame&n=1234", &options);
        let said = "fr 1234 hunter2 hunter2-too ZGVzazpodW50ZXIy swordfish opensesame";
        let expected = "fr 1234 [secret] [secret] [secret] [secret] [secret]";
        assert_eq!(veil.over(said.to_owned()), expected);
        assert!(veil.is_broken_by("/again?p=hunter2") && !veil.is_broken_by("/again?p=fr"));
    }
}
