//! What the requests of one feed carry: proxy, credentials, header fields.

use url::Url;

use super::environment::Environment;
use super::fields::Fields;
use super::groups::Levels;
use super::headers::{self, HeaderValue};
use super::problem::quoted;
use super::secrets;
use super::source::Findings;
use crate::model::{Auth, RequestOptions, Secret};

/// Keys that mean nothing to files and programs.
const HTTP_ONLY: [&str; 12] = [
    "allow_private",
    "user_agent",
    "headers",
    "username",
    "password_file",
    "password_env",
    "bearer_token_file",
    "bearer_token_env",
    "proxy",
    "proxy_file",
    "proxy_env",
    "ignore_hints",
];

const PASSWORD: (&str, &str) = ("password_file", "password_env");
const BEARER: (&str, &str) = ("bearer_token_file", "bearer_token_env");
const PROXY: [&str; 3] = ["proxy", "proxy_file", "proxy_env"];

/// Reads them. `url` is `None` when it is wrong; then all keys may stand.
pub(super) fn options(
    levels: &Levels<'_>,
    url: Option<&str>,
    env: &Environment,
    findings: &mut Findings,
) -> RequestOptions {
    let (own, label) = (levels.own(), levels.label());
    misplaced(levels, url, findings);
    let mut options = RequestOptions {
        max_body: own.is_read("max_body").then(|| own.size("max_body")),
        args: own.texts("args").into_iter().map(|text| text.text).collect(),
        ..RequestOptions::default()
    };
    if url.is_some_and(|url| !url.starts_with("http")) {
        return options;
    }
    options.auth = auth((own, label), env, findings);
    options.headers = header_fields((own, label), env, findings);
    options.user_agent = user_agent(levels, findings);
    options.proxy = proxy(levels, env, findings);
    let is_public = !own.flag("allow_private");
    if is_public && options.auth.is_some() && url.is_some_and(|url| url.starts_with("http:")) {
        let message = format!("{label}: credentials over http: can be read on the way");
        findings.warn(own.place("url"), message, Some("use https: if the server can".to_owned()));
    }
    options
}

fn misplaced(levels: &Levels<'_>, url: Option<&str>, findings: &mut Findings) {
    let (own, label) = (levels.own(), levels.label());
    let Some(url) = url else { return };
    if !url.starts_with("exec:") && own.is_given("args") {
        let message = format!("{label}: \"args\" is for exec: only");
        findings.error(own.place("args"), message, None);
    }
    if url.starts_with("http") {
        return;
    }
    // These two do no harm, and appear when a URL is changed for a moment.
    let harmless = ["allow_private", "ignore_hints"];
    for key in HTTP_ONLY.iter().filter(|key| !harmless.contains(key) && own.is_given(key)) {
        let message = format!("{label}: {} is for http: and https: only", quoted(key));
        findings.error(own.place(key), message, None);
    }
}

fn user_agent(levels: &Levels<'_>, findings: &mut Findings) -> Option<String> {
    let (owner, fields) = levels.nearest(&["user_agent"]);
    let given = fields.text("user_agent")?;
    if let Err(reason) = headers::check_value(&given.text) {
        findings.error(&given.at, format!("{owner}: \"user_agent\": {reason}"), None);
    }
    Some(given.text)
}

fn auth((own, label): (&Fields, &str), env: &Environment, findings: &mut Findings) -> Option<Auth> {
    let given = |keys: (&str, &str)| own.is_given(keys.0) || own.is_given(keys.1);
    let user = own.text("username");
    let (basic, bearer) = (own.is_given("username") || given(PASSWORD), given(BEARER));
    if basic && bearer {
        let message = format!("{label}: both a login and a bearer token are given");
        findings.error(&own.at, message, Some("remove one of them".to_owned()));
        return None;
    }
    if bearer {
        let token = secrets::secret((own, label), BEARER, env, findings)?;
        return check_secret((own, label), BEARER, token, findings).map(Auth::Bearer);
    }
    match (user, given(PASSWORD)) {
        (Some(user), true) => {
            // The colon divides name and password (RFC 7617).
            if user.text.contains(':') || user.text.chars().any(char::is_control) {
                let message =
                    format!("{label}: \"username\" has characters that a login cannot carry");
                findings.error(&user.at, message, None);
            }
            let password = secrets::secret((own, label), PASSWORD, env, findings)?;
            Some(Auth::Basic { user: user.text, password })
        }
        (Some(user), false) if ![PASSWORD.0, PASSWORD.1].iter().any(|key| own.is_meant(key)) => {
            let hint = "add password_file".to_owned();
            let message = format!("{label}: a username without a password");
            findings.error(&user.at, message, Some(hint));
            None
        }
        (None, true) if !own.is_meant("username") => {
            let key = if own.is_given(PASSWORD.0) { PASSWORD.0 } else { PASSWORD.1 };
            let message = format!("{label}: a password without a username");
            findings.error(own.place(key), message, Some("add username".to_owned()));
            None
        }
        _ => None,
    }
}

/// A secret that a header must be able to carry.
pub(super) fn check_secret(
    (own, label): (&Fields, &str),
    keys: (&str, &str),
    secret: Secret,
    findings: &mut Findings,
) -> Option<Secret> {
    let text = secret.expose();
    let edges = (text.trim() != text).then_some("the value begins or ends with a space");
    let wrong = headers::check_value(text).err().or(edges);
    if let Some(reason) = wrong {
        let key = if own.is_given(keys.0) { keys.0 } else { keys.1 };
        let hint = "write it on one line, in ASCII, without spaces around it".to_owned();
        let message = format!("{label}: {}: {reason}", quoted(key));
        findings.error(own.place(key), message, Some(hint));
        return None;
    }
    Some(secret)
}

fn header_fields(
    (own, label): (&Fields, &str),
    env: &Environment,
    findings: &mut Findings,
) -> Vec<(String, Secret)> {
    let mut all = Vec::new();
    for header in own.headers("headers") {
        let label = format!("{label}: header {}", quoted(&header.name));
        let value = match &header.value {
            HeaderValue::Plain(text) => Some(Secret::new(text.text.clone())),
            HeaderValue::Secret(keeper) => secrets::fetch(&label, keeper, env, findings),
        };
        let Some(value) = value else { continue };
        match headers::check_value(value.expose()) {
            Ok(()) => all.push((header.name, value)),
            Err(reason) => findings.error(&header.at, format!("{label}: {reason}"), None),
        }
    }
    all
}

/// The proxy that speaks for the feed: of the nearest table that has a word on it.
fn proxy(levels: &Levels<'_>, env: &Environment, findings: &mut Findings) -> Option<Secret> {
    let (owner, fields) = levels.nearest(&PROXY);
    let key = PROXY.into_iter().find(|key| fields.is_given(key))?;
    let at = fields.place(key).clone();
    if key == "proxy" && (fields.is_given(PROXY[1]) || fields.is_given(PROXY[2])) {
        let message = format!("{owner}: both proxy and proxy_file or proxy_env are given");
        findings.error(&at, message, Some("remove one of them".to_owned()));
        return None;
    }
    let secret = match fields.text("proxy") {
        Some(text) if text.text == "none" => return None,
        Some(text) => Secret::new(text.text),
        None => secrets::secret((fields, &owner), (PROXY[1], PROXY[2]), env, findings)?,
    };
    match check_proxy(secret.expose(), key == "proxy") {
        Ok(looks_names_up) => {
            if looks_names_up {
                let message = format!("{owner}: the proxy looks names up itself");
                let hint = "a name that leads to a private address is then not noticed; \
                            socks5: leaves the lookup to us";
                findings.warn(&at, message, Some(hint.to_owned()));
            }
            Some(secret)
        }
        Err((reason, hint)) => {
            findings.error(&at, format!("{owner}: the proxy: {reason}"), Some(hint.to_owned()));
            None
        }
    }
}

/// Whether a proxy's URL is sound, and whether that proxy resolves names.
fn check_proxy(text: &str, is_shown: bool) -> Result<bool, (&'static str, &'static str)> {
    const FORM: &str =
        "write it like \"socks5://127.0.0.1:1080\" or \"http://proxy.example.org:3128\"";
    let url = Url::parse(text).map_err(|_| ("not a URL", FORM))?;
    let looks_names_up = match url.scheme() {
        "http" | "https" | "socks5h" => true,
        "socks5" => false,
        _ => return Err(("not a kind of proxy that is known", FORM)),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(("it names no host", FORM));
    }
    if is_shown && (!url.username().is_empty() || url.password().is_some()) {
        return Err(("a password stands in the configuration", "put the URL into a proxy_file"));
    }
    Ok(looks_names_up)
}
