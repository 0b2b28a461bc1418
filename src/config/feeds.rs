//! `[feed.*]` as values.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::address::{http_url, local_url};
use super::document::{Document, Named, label};
use super::environment::Environment;
use super::fulltext;
use super::groups::{Groups, Levels};
use super::problem::quoted;
use super::request;
use super::source::Findings;
use super::values;
use crate::model::{Backfill, Feed, FeedName, Interval};

/// Publishers pay for every request; below this we refuse.
const SHORTEST_PUBLIC: SignedDuration = SignedDuration::from_secs(60);
/// Below this we warn.
const POLITE_PUBLIC: SignedDuration = SignedDuration::from_secs(5 * 60);

/// The feeds, in the order of the files, and those that are paused.
pub(super) fn feeds(
    document: &Document,
    env: &Environment,
    findings: &mut Findings,
) -> (Vec<Feed>, Vec<Feed>) {
    let mut seen: HashMap<String, String> = HashMap::new();
    let (mut feeds, mut paused) = (Vec::new(), Vec::new());
    let mut groups = Groups::new(document);
    for named in &document.feeds {
        let Some(feed) = feed(named, &mut groups, env, findings) else { continue };
        if !named.fields.flag("enabled") {
            paused.push(feed);
            continue;
        }
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
    groups.report_unused(findings);
    if document.feeds.is_empty() && !findings.has_errors() {
        findings.warn_all("there are no feeds", "add a table [feed.NAME] with a url");
    }
    (feeds, paused)
}

fn feed<'a>(
    named: &'a Named,
    groups: &mut Groups<'a>,
    env: &Environment,
    findings: &mut Findings,
) -> Option<Feed> {
    let fields = &named.fields;
    let label = label("feed", &named.name);
    let allow_private = fields.flag("allow_private");
    let given = fields.text("url");
    let url = given.as_ref().and_then(|url| {
        let scheme = ["file:", "exec:"].into_iter().find(|scheme| url.text.starts_with(scheme));
        match scheme {
            Some(scheme) => local_url(&label, (scheme, url), env, findings),
            None => http_url(&label, url, allow_private, findings).map(String::from),
        }
    });
    let own_groups: Vec<String> = fields.texts("group").into_iter().map(|text| text.text).collect();
    for text in fields.texts("group") {
        if let Err(reason) = values::check_group(&text.text) {
            let message = format!("{label}: group {}: {reason}", quoted(&text.text));
            findings.error(&text.at, message, None);
        }
    }
    let levels = groups.levels(label, fields, &own_groups);
    let is_http = url.as_ref().is_some_and(|url| url.starts_with("http"));
    let interval = interval(&levels, is_http && !allow_private, findings);
    let request = request::options(&levels, url.as_deref(), env, findings);
    let websub = is_http && groups.has_callbacks() && levels.find("websub").flag("websub");
    Some(Feed {
        name: FeedName::new(named.name.clone()),
        url: url?,
        title: fields.text("title").map(|title| title.text),
        interval,
        backfill: levels.find("backfill").backfill("backfill").unwrap_or(Backfill::None),
        allow_private,
        tags: levels.tags(),
        ignore_hints: levels.find("ignore_hints").choice("ignore_hints").unwrap_or(false),
        websub,
        groups: own_groups,
        fulltext: fulltext::mode(levels.find("fulltext")),
        request,
    })
}

fn interval(levels: &Levels<'_>, is_public: bool, findings: &mut Findings) -> Interval {
    let owner = levels.find("interval");
    let Some(Interval::Fixed(interval)) = owner.interval("interval") else {
        return Interval::Adaptive;
    };
    // One shared interval is one problem, however many feeds use it.
    let label = levels.label_of("interval");
    if is_public && interval < SHORTEST_PUBLIC {
        let message = format!("{label}: \"interval\" must be at least 60s on public servers");
        findings.error(owner.place("interval"), message, None);
    } else if is_public && interval < POLITE_PUBLIC {
        let message = format!("{label}: an interval under 5m is impolite to public servers");
        let hint = "most news feeds change every 10 or 15 minutes".to_owned();
        findings.warn(owner.place("interval"), message, Some(hint));
    }
    Interval::Fixed(interval)
}
