//! `feeds list`, `feeds show` and `feeds revive`.

use std::collections::HashMap;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::ListArgs;
use super::is_in;
use super::known::{self, Fact};
use crate::cli::lists::{attach, feed_json, say, short, show as show_rows};
use crate::cli::{CliError, Context};
use crate::config::Config;
use crate::model::{Auth, Backfill, Clock, Feed, FeedName, Interval, shown};
use crate::store::{FeedDetail, FeedRow, Filter, Store};

/// A feed as configured, and what the store has of it.
struct Row {
    feed: Feed,
    state: Option<FeedRow>,
    paused: bool,
}

impl Row {
    fn health(&self) -> &str {
        match &self.state {
            _ if self.paused => "paused",
            Some(state) => &state.health,
            None => "new",
        }
    }
}

pub(super) async fn list(context: Context, args: ListArgs) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let store = Store::attach(&config.store)?;
    let since = args.since.map(|span| Clock::System.now().checked_sub(span)).transpose();
    let since = since.map_err(|_| CliError::Failed("--since is too long".into()))?;
    let mut rows = rows(&config, &store).await?;
    rows.retain(|row| {
        args.group.as_ref().is_none_or(|group| is_in(&row.feed, group))
            && args.tag.as_ref().is_none_or(|tag| row.feed.tags.contains(tag))
            && args.health.as_ref().is_none_or(|health| row.health() == health)
            && args.feed.as_ref().is_none_or(|name| row.feed.name.as_str() == name)
            && since.is_none_or(|since| {
                row.state.as_ref().and_then(|state| state.last_entry).is_some_and(|at| at >= since)
            })
    });
    rows.truncate(args.limit);
    let header = ["feed", "state", "group", "entries", "last success", "next poll", "last error"];
    show_rows(context, &rows, row_json, header, |row| {
        let state = row.state.as_ref();
        [
            row.feed.name.to_string(),
            row.health().to_string(),
            row.feed.groups.join(", "),
            state.map_or(0, |state| state.entries).to_string(),
            state.and_then(|state| state.last_success).map(short).unwrap_or_default(),
            next_poll(row),
            state.and_then(|state| state.last_error.clone()).unwrap_or_default(),
        ]
    })
}

fn next_poll(row: &Row) -> String {
    match (&row.state, row.health()) {
        (_, "gone" | "paused") => "never".to_string(),
        (Some(state), _) => short(state.next_due),
        (None, _) => String::new(),
    }
}

fn row_json(row: &Row) -> Value {
    let feed = &row.feed;
    let mut value = match &row.state {
        Some(state) => feed_json(state),
        None => json!({ "name": feed.name.as_str(), "url": shown(&feed.url), "title": feed.title }),
    };
    value["state"] = json!(row.health());
    value["groups"] = json!(feed.groups);
    value["tags"] = json!(feed.tags);
    value
}

/// All feeds of the configuration by name, the paused ones among them.
async fn rows(config: &Config, store: &Store) -> Result<Vec<Row>, CliError> {
    let states = store.feeds(Filter { limit: 1_000_000, ..Filter::default() }).await?;
    let mut states: HashMap<String, FeedRow> =
        states.into_iter().map(|state| (state.name.clone(), state)).collect();
    let active = config.feeds.iter().map(|feed| (feed, false));
    let all = active.chain(config.paused.iter().map(|feed| (feed, true)));
    let mut rows: Vec<Row> = all
        .map(|(feed, paused)| Row {
            feed: feed.clone(),
            state: states.remove(feed.name.as_str()),
            paused,
        })
        .collect();
    rows.sort_by(|a, b| a.feed.name.cmp(&b.feed.name));
    Ok(rows)
}

pub(super) async fn show(mut context: Context, name: &str) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    // A feed can be looked at before the daemon has ever run.
    let (rows, detail) = match Store::attach(&config.store) {
        Ok(store) => (rows(&config, &store).await?, store.feed_detail(FeedName::new(name)).await?),
        Err(_) => (configured(&config), None),
    };
    let row = rows.into_iter().find(|row| row.feed.name.as_str() == name);
    let row = row.ok_or_else(|| CliError::Failed(format!("no feed is named \"{name}\"")))?;
    let facts = facts(&row, detail.as_ref());
    if context.json {
        let object: serde_json::Map<String, Value> =
            facts.into_iter().map(|(key, value)| (key.replace(' ', "_"), value)).collect();
        context.out.json(&object)?;
    } else {
        for (key, value) in facts {
            if let Some(text) = spell(&value) {
                context.out.line(format!("{key:14} {}", crate::extract::one_line(&text)))?;
            }
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn configured(config: &Config) -> Vec<Row> {
    let active = config.feeds.iter().map(|feed| (feed, false));
    let all = active.chain(config.paused.iter().map(|feed| (feed, true)));
    all.map(|(feed, paused)| Row { feed: feed.clone(), state: None, paused }).collect()
}

/// Everything known of a feed, in the order of showing. What the store
/// knows is in `known`.
fn facts(row: &Row, detail: Option<&FeedDetail>) -> Vec<Fact> {
    let (feed, request) = (&row.feed, &row.feed.request);
    let interval = match feed.interval {
        Interval::Fixed(interval) => format!("{interval:#}"),
        Interval::Adaptive => "auto".to_string(),
    };
    let backfill = match feed.backfill {
        Backfill::None => "none".to_string(),
        Backfill::All => "all".to_string(),
        Backfill::Within(span) => format!("{span:#}"),
    };
    let login = request.auth.as_ref().map(|auth| match auth {
        Auth::Basic { user, .. } => format!("basic, as {user}"),
        Auth::Bearer(_) => "bearer".to_string(),
    });
    let headers: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    let mut facts = vec![
        ("name", json!(feed.name.as_str())),
        ("url", json!(shown(&feed.url))),
        ("title", json!(feed.title)),
        ("groups", json!(feed.groups)),
        ("tags", json!(feed.tags)),
        ("interval", json!(interval)),
        ("backfill", json!(backfill)),
        ("ignore hints", json!(feed.ignore_hints)),
        ("allow private", json!(feed.allow_private)),
        ("user agent", json!(request.user_agent)),
        ("headers", json!(headers)),
        ("login", json!(login)),
        ("proxy", json!(request.proxy.as_ref().map(|proxy| without_login(proxy.expose())))),
        ("max body", json!(request.max_body)),
        ("args", json!(request.args)),
        ("state", json!(row.health())),
    ];
    if let Some(state) = &row.state {
        let never = matches!(row.health(), "gone" | "paused");
        facts.extend(known::facts(state, detail, never));
    }
    facts
}

/// A proxy's URL without what must not be seen.
fn without_login(proxy: &str) -> String {
    url::Url::parse(proxy).map_or_else(
        |_| "[secret]".to_string(),
        |url| {
            let port = url.port_or_known_default().unwrap_or(1080);
            format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default())
        },
    )
}

/// A fact as text; nothing for what is not known or not set.
fn spell(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some("yes".to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => Some(list.iter().filter_map(spell).collect::<Vec<_>>().join(", ")),
        Value::Object(object) if object.is_empty() => None,
        Value::Object(object) => {
            let part = |(key, value): (&String, &Value)| {
                Some(format!("{} {}", key.replace('_', " "), spell(value)?))
            };
            Some(object.iter().filter_map(part).collect::<Vec<_>>().join("; "))
        }
        Value::Number(number) if number.as_u64() == Some(0) => None,
        other => Some(other.to_string()),
    }
}

pub(super) async fn revive(context: Context, name: &str) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    if !store.revive_feed(FeedName::new(name), Clock::System.now()).await? {
        return Err(CliError::Failed(format!("no feed is named \"{name}\"")));
    }
    say(context, format!("feed \"{name}\" is due now"))
}
