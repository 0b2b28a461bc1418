//! `[feed.*]` as values.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use url::Url;

use super::document::{Document, Named, label};
use super::environment::Environment;
use super::fields::{Fields, Text};
use super::problem::quoted;
use super::source::{Findings, Place};
use crate::model::{Backfill, Feed, FeedName, Interval, RequestOptions};
use crate::net;

/// Publishers pay for every request; below this we refuse.
const SHORTEST_PUBLIC: SignedDuration = SignedDuration::from_secs(60);
/// Below this we warn.
const POLITE_PUBLIC: SignedDuration = SignedDuration::from_secs(5 * 60);

const ALLOW_PRIVATE: &str = "if that is meant, add allow_private = true to this table";

/// The feeds, in the order of the files.
pub(super) fn feeds(document: &Document, env: &Environment, findings: &mut Findings) -> Vec<Feed> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut feeds = Vec::new();
    for named in &document.feeds {
        let Some(feed) = feed(named, &document.defaults, env, findings) else { continue };
        if let Some(first) = seen.get(&feed.url) {
            let message =
                format!("{}: the same URL as feed {}", label("feed", &named.name), quoted(first));
            let hint = "stories are kept once, but the server is asked twice".to_owned();
            findings.warn(named.fields.place("url"), message, Some(hint));
        } else {
            seen.insert(feed.url.clone(), named.name.clone());
        }
        feeds.push(feed);
    }
    if feeds.is_empty() && document.feeds.is_empty() && !findings.has_errors() {
        findings.warn_all("there are no feeds", "add a table [feed.NAME] with a url");
    }
    feeds
}

fn feed(
    named: &Named,
    defaults: &Fields,
    env: &Environment,
    findings: &mut Findings,
) -> Option<Feed> {
    let fields = &named.fields;
    let label = label("feed", &named.name);
    let allow_private = fields.flag("allow_private");
    let given = fields.text("url");
    let url = given.as_ref().and_then(|url| {
        if url.text.starts_with("file:") {
            file_url(&label, url, env, findings)
        } else {
            http_url(&label, url, allow_private, findings).map(String::from)
        }
    });
    let is_public = url.as_ref().is_some_and(|url| !url.starts_with("file:")) && !allow_private;
    let interval = interval(&label, fields, defaults, is_public, findings);
    Some(Feed {
        name: FeedName::new(named.name.clone()),
        url: url?,
        title: fields.text("title").map(|title| title.text),
        interval: Interval::Fixed(interval),
        backfill: fields
            .backfill("backfill")
            .or_else(|| defaults.backfill("backfill"))
            .unwrap_or(Backfill::None),
        allow_private,
        groups: Vec::new(),
        tags: Vec::new(),
        ignore_hints: false,
        request: RequestOptions::default(),
    })
}

fn interval(
    label: &str,
    fields: &Fields,
    defaults: &Fields,
    is_public: bool,
    findings: &mut Findings,
) -> SignedDuration {
    let own = fields.is_given("interval");
    let owner = if own { fields } else { defaults };
    let interval = fields.duration("interval").or_else(|| defaults.duration("interval"));
    let Some(interval) = interval else { return POLITE_PUBLIC };
    // One shared interval is one problem, however many feeds use it.
    let label = if own { label } else { "[defaults]" };
    if is_public && interval < SHORTEST_PUBLIC {
        let message = format!("{label}: \"interval\" must be at least 60s on public servers");
        findings.error(owner.place("interval"), message, None);
    } else if is_public && interval < POLITE_PUBLIC {
        let message = format!("{label}: an interval under 5m is impolite to public servers");
        let hint = "most news feeds change every 10 or 15 minutes".to_owned();
        findings.warn(owner.place("interval"), message, Some(hint));
    }
    interval
}

/// Checks an `http:` or `https:` URL as far as that goes without asking anybody.
pub(super) fn http_url(
    label: &str,
    given: &Text,
    allow_private: bool,
    findings: &mut Findings,
) -> Option<Url> {
    let wrong = |findings: &mut Findings, message: String, hint: Option<String>| {
        findings.error(&given.at, format!("{label}: {message}"), hint);
        None
    };
    let url = match Url::parse(&given.text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let hint = format!("did you mean {}?", quoted(&format!("https://{}", given.text)));
            return wrong(findings, "the URL does not begin with https://".to_owned(), Some(hint));
        }
        Err(error) => return wrong(findings, format!("not a URL: {error}"), None),
    };
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("cannot fetch {}", quoted(&format!("{}:", url.scheme())));
        return wrong(findings, message, Some("URLs begin with https:// or http://".to_owned()));
    }
    // URLs are logged and listed, so they cannot hold secrets.
    if !url.username().is_empty() || url.password().is_some() {
        let message = "a URL must not contain a user name or password".to_owned();
        return wrong(findings, message, Some("URLs are shown in logs and messages".to_owned()));
    }
    // The address behind a name is checked when it is asked; of this one we know it.
    if url.host_str() == Some("localhost") && !allow_private {
        let message = "the URL is refused: \"localhost\" is this machine".to_owned();
        return wrong(findings, message, Some(ALLOW_PRIVATE.to_owned()));
    }
    if let Err(reason) = net::check_url(&url, allow_private) {
        let could_be_allowed = !allow_private && net::check_url(&url, true).is_ok();
        let hint = could_be_allowed.then(|| ALLOW_PRIVATE.to_owned());
        return wrong(findings, format!("the URL is refused: {reason}"), hint);
    }
    Some(url)
}

/// `file:` and the absolute path. The file may come later, so that it is
/// missing is no error.
fn file_url(
    label: &str,
    given: &Text,
    env: &Environment,
    findings: &mut Findings,
) -> Option<String> {
    let rest = given.text.strip_prefix("file:").unwrap_or_default();
    let path = if rest.starts_with("//") {
        Url::parse(&given.text).ok().and_then(|url| url.to_file_path().ok())
    } else if rest.is_empty() {
        None
    } else {
        Some(findings.directory(&given.at).join(rest))
    };
    let Some(path) = path else {
        let hint = "write file:relative/path or file:///absolute/path".to_owned();
        findings.error(&given.at, format!("{label}: not a file: URL"), Some(hint));
        return None;
    };
    let path: PathBuf = env.working_directory.join(path).components().collect();
    report_state(label, &path, &given.at, findings);
    let Some(path) = path.to_str() else {
        findings.error(&given.at, format!("{label}: the file's path is not Unicode"), None);
        return None;
    };
    Some(format!("file:{path}"))
}

fn report_state(label: &str, path: &Path, at: &Place, findings: &mut Findings) {
    let shown = quoted(&path.display().to_string());
    if path.is_dir() {
        findings.error(at, format!("{label}: {shown} is a directory"), None);
    } else if !path.exists() {
        findings.warn(at, format!("{label}: there is no file {shown} yet"), None);
    }
}
