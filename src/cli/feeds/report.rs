//! `feeds test`: what is understood of a feed before it is used.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::TestArgs;
use super::identity;
use super::probe::{Found, Prober};
use crate::cli::{CliError, Context, FAILED};
use crate::config::{self, Config, Edits, Environment};
use crate::model::{Entry, Feed, FeedHints, Secret, shown};
use crate::rule::{Item, RuleSet};

pub(super) async fn test(mut context: Context, args: TestArgs) -> Result<ExitCode, CliError> {
    let config = load_or_default(&context)?;
    let known = known(&config, &args.url);
    let url = match known {
        Some(feed) => feed.url.clone(),
        None => absolute(&args.url)?,
    };
    let mut options = known.map_or(&config.general, |feed| &feed.request).clone();
    if let Some(proxy) = args.proxy {
        options.proxy = (proxy != "none").then(|| Secret::new(proxy));
    }
    let allow_private = args.allow_private || known.is_some_and(|feed| feed.allow_private);
    let mut prober = Prober::new(&config, options, allow_private)?;
    let found = prober.find(&url).await;
    let name = known.map_or("", |feed| feed.name.as_str());
    let rules = found.as_ref().map(|found| rules(&config, name, found)).unwrap_or_default();
    if context.json {
        let value = match &found {
            Ok(found) => as_json(&url, found, &rules),
            Err(reason) => json!({ "asked": shown(&url), "ok": false, "error": reason }),
        };
        context.out.json(&value)?;
        context.out.flush()?;
        return Ok(ExitCode::from(if found.is_ok() { 0 } else { FAILED }));
    }
    let found = found.map_err(|reason| CliError::Failed(format!("{}: {reason}", shown(&url))))?;
    for line in as_text(&url, &found, &rules) {
        context.out.line(line)?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Without a configuration, a feed is tested with the defaults.
fn load_or_default(context: &Context) -> Result<Config, CliError> {
    match context.load() {
        Err(CliError::NoConfig(_)) => {
            let env = Environment::from_process();
            let path = env.working_directory.join("wirewatch.toml");
            let mut edits = Edits::default();
            edits.set(path.clone(), String::new());
            config::load_edited(&path, &env, &edits)
                .map_err(|problems| CliError::Config(Box::new(problems)))
        }
        other => other,
    }
}

/// The configured feed of this name or URL.
fn known<'a>(config: &'a Config, text: &str) -> Option<&'a Feed> {
    let mut feeds = config.feeds.iter().chain(&config.paused);
    feeds.find(|feed| feed.name.as_str() == text || identity(&feed.url) == identity(text))
}

/// A URL as people write it, made whole.
pub(super) fn absolute(text: &str) -> Result<String, CliError> {
    let text = text.trim();
    let text = match text.strip_prefix("feed:") {
        Some(rest) if rest.starts_with("//") => format!("http:{rest}"),
        Some(rest) => rest.to_string(),
        None => text.to_string(),
    };
    let text = if text.contains("://") || text.starts_with("file:") {
        text
    } else {
        format!("https://{text}")
    };
    let wrong = |reason: &str| Err(CliError::Failed(format!("\"{text}\": {reason}")));
    match url::Url::parse(&text) {
        Err(error) => wrong(&format!("not a URL: {error}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https" | "file") => {
            wrong("only http:, https: and file: can be tested")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => wrong(
            "a URL must not contain a user name or password; write username and password_file",
        ),
        Ok(url) if url.scheme() == "file" => Ok(format!("file:{}", url.path())),
        Ok(url) => Ok(url.into()),
    }
}

/// A rule that holds for entries of the document.
pub(super) struct Hit {
    rule: String,
    entries: usize,
    example: String,
}

pub(super) fn rules(config: &Config, feed: &str, found: &Found) -> Vec<Hit> {
    let set = RuleSet::new(config.rules.iter().map(|rule| rule.rule.clone()).collect());
    let mut hits: Vec<Hit> = Vec::new();
    for entry in &found.feed.entries {
        let title = &entry.title;
        for found in set.matches(&Item::of_entry(entry, feed)) {
            match hits.iter_mut().find(|hit| hit.rule == found.rule.as_str()) {
                Some(hit) => hit.entries += 1,
                None => hits.push(Hit {
                    rule: found.rule.to_string(),
                    entries: 1,
                    example: title.clone(),
                }),
            }
        }
    }
    hits
}

/// The entries with the latest dates.
fn newest(entries: &[Entry]) -> Vec<(&Entry, Timestamp)> {
    let date = |entry: &Entry| entry.published.or(entry.updated);
    let mut dated: Vec<_> =
        entries.iter().filter_map(|entry| Some((entry, date(entry)?))).collect();
    dated.sort_by_key(|(_, when)| std::cmp::Reverse(*when));
    dated.truncate(3);
    dated
}

fn as_json(asked: &str, found: &Found, rules: &[Hit]) -> Value {
    let feed = &found.feed;
    let newest = newest(&feed.entries).into_iter().map(|(entry, when)| {
        json!({ "published": when.to_string(), "title": entry.title, "url": entry.url })
    });
    let rules = rules
        .iter()
        .map(|hit| json!({ "rule": hit.rule, "entries": hit.entries, "example": hit.example }));
    let hints: serde_json::Map<String, Value> =
        hints(&feed.hints).into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    let others: Vec<String> = found.others.iter().map(|other| shown(&other.url)).collect();
    json!({
        "asked": shown(asked), "ok": true, "url": shown(&found.url), "found": found.by, "title": feed.title,
        "type": found.content_type, "bytes": found.size, "format": feed.format,
        "encoding": feed.decoding.encoding, "encoding_by": feed.decoding.decided_by,
        "lossy": feed.decoding.lossy, "entries": feed.entries.len(),
        "newest": newest.collect::<Vec<_>>(), "repairs": feed.repairs,
        "warnings": feed.warnings, "hints": hints, "rules": rules.collect::<Vec<_>>(),
        "other_feeds": others, "error": null,
    })
}

/// What is understood, for people.
pub(super) fn as_text(asked: &str, found: &Found, rules: &[Hit]) -> Vec<String> {
    let feed = &found.feed;
    let mut lines = vec![match found.by {
        "given" if found.url == asked => format!("feed      {}", shown(&found.url)),
        "given" => format!("feed      {} (moved there for good)", shown(&found.url)),
        by => format!("feed      {} ({by})", shown(&found.url)),
    }];
    let mut add = |key: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{key:9} {}", crate::extract::one_line(&value)));
        }
    };
    add("title", feed.title.clone().unwrap_or_default());
    let kind = found.content_type.as_deref().unwrap_or("none stated");
    add("type", format!("{kind}, {} bytes", found.size));
    add("format", feed.format.clone());
    let decoding = &feed.decoding;
    if !decoding.encoding.is_empty() {
        let lossy = if decoding.lossy { ", some bytes are wrong" } else { "" };
        add("encoding", format!("{} (by {}){lossy}", decoding.encoding, decoding.decided_by));
    }
    add("entries", feed.entries.len().to_string());
    for (entry, when) in newest(&feed.entries) {
        add("newest", format!("{when}  {}", entry.title));
    }
    for repair in &feed.repairs {
        add("repaired", repair.clone());
    }
    for warning in &feed.warnings {
        add("warning", warning.clone());
    }
    for (key, value) in hints(&feed.hints) {
        add("says", format!("{key} {}", value.to_string().trim_matches('"')));
    }
    for hit in rules {
        add("rule", format!("{} matches {} entries: {}", hit.rule, hit.entries, hit.example));
    }
    for other in found.others.iter().take(10) {
        let title = other.title.as_ref().map_or_else(String::new, |title| format!("  {title}"));
        add("also", format!("{}{title}", shown(&other.url)));
    }
    lines
}

/// What the feed says of itself, as far as it says anything.
fn hints(hints: &FeedHints) -> Vec<(&'static str, Value)> {
    let set = |bits: u32| (0..32).filter(|bit| bits >> bit & 1 == 1).collect::<Vec<u32>>();
    let span = |span: Option<jiff::SignedDuration>| span.map(|span| json!(format!("{span:#}")));
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    let list = |list: Vec<Value>| (!list.is_empty()).then(|| json!(list));
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let skip_days = set(u32::from(hints.skip_days) & 0x7f);
    let all = [
        ("ttl", span(hints.ttl)),
        ("skip_hours", list(set(hints.skip_hours).into_iter().map(Value::from).collect())),
        ("skip_days", list(skip_days.into_iter().map(|day| json!(days[day as usize])).collect())),
        ("update_period", span(hints.update_period)),
        ("update_base", hints.update_base.map(|when| json!(when.to_string()))),
        ("hubs", list(hints.hubs.iter().map(|hub| json!(hub)).collect())),
        ("self", text(&hints.self_link)),
        ("cloud", text(&hints.cloud)),
        ("older", text(&hints.older)),
        ("lang", text(&hints.lang)),
        ("site", text(&hints.site)),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}
