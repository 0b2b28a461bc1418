//! `stories`, `alerts`, `deliveries`: rows with filters.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::{DeliveriesAction, DeliveriesArgs, ListArgs, StoryList};
use super::silences::user;
use super::{CliError, Context};
use crate::model::{ChannelName, Clock, DeliveryId, DeliveryState, Field, shown};
use crate::store::{AlertRow, DeliveryRow, FeedRow, Filter, OutletRow, Store, StoryRow};

pub(super) async fn stories(context: Context, args: StoryList) -> Result<ExitCode, CliError> {
    let rows = attach(&context)?.stories(filter(&args)?).await?;
    show(
        context,
        &rows,
        story_json,
        ["story", "first seen", "title", "outlets", "rules"],
        |story| {
            [
                story.id.clone(),
                short(story.first_seen),
                story.title.clone(),
                names(&story.outlets),
                story.rules.join(", "),
            ]
        },
    )
}

pub(super) async fn alerts(context: Context, args: ListArgs) -> Result<ExitCode, CliError> {
    check_state(&args)?;
    let rows = attach(&context)?.alerts(delivered(&args)?).await?;
    let header = ["alert", "raised", "rule", "title", "outlets", "told"];
    show(context, &rows, alert_json, header, |alert| {
        let told = alert.deliveries.iter().map(|(channel, recipient, state)| {
            let to = if recipient.is_empty() { channel } else { recipient };
            format!("{to}: {state}")
        });
        let told = told.collect::<Vec<_>>().join(", ");
        [
            alert.id.clone(),
            short(alert.created_at),
            alert.rule.clone(),
            alert.title.clone(),
            names(&alert.outlets),
            if told.is_empty() { "nobody".to_string() } else { told },
        ]
    })
}

/// A misspelt state would look like nothing there.
fn check_state(args: &ListArgs) -> Result<(), CliError> {
    let known = DeliveryState::ALL.map(DeliveryState::as_str);
    match &args.state {
        Some(state) if !known.contains(&state.as_str()) => Err(CliError::Failed(format!(
            "there is no state \"{state}\"; the states are: {}",
            known.join(", ")
        ))),
        _ => Ok(()),
    }
}

pub(super) async fn deliveries(
    context: Context,
    args: DeliveriesArgs,
) -> Result<ExitCode, CliError> {
    check_state(&args.list)?;
    let store = attach(&context)?;
    if let Some(action) = args.action {
        return act(context, &store, action).await;
    }
    let rows = store.deliveries(delivered(&args.list)?).await?;
    let header = ["delivery", "channel", "to", "state", "tries", "due", "title", "last answer"];
    show(context, &rows, delivery_json, header, |row| {
        [
            row.id.clone(),
            row.channel.clone(),
            row.recipient.clone(),
            row.state.clone(),
            row.attempts.to_string(),
            short(row.due_at),
            row.title.clone(),
            row.last_answer.clone().unwrap_or_default(),
        ]
    })
}

/// What is done with dead letters.
async fn act(
    context: Context,
    store: &Store,
    action: DeliveriesAction,
) -> Result<ExitCode, CliError> {
    let chosen = |ids: &[String], all: bool| {
        (!all).then(|| ids.iter().map(|id| DeliveryId::new(id.as_str())).collect())
    };
    let now = Clock::System.now();
    let (count, wanted, done) = match action {
        DeliveriesAction::Retry { mut ids, all, waiting } => {
            ids.sort();
            ids.dedup();
            let count = store.retry_deliveries(chosen(&ids, all), waiting, now).await?;
            (count, ids.len(), "will be sent again")
        }
        DeliveriesAction::Drop { mut ids, all, channel, waiting, comment } => {
            ids.sort();
            ids.dedup();
            let reason = dropped(comment.as_deref());
            let all = all || channel.is_some();
            let of = (channel.map(ChannelName::new), waiting);
            let count = store.drop_deliveries(chosen(&ids, all), of, reason, now).await?;
            (count, ids.len(), "laid aside")
        }
    };
    if count < wanted {
        let missing = wanted - count;
        return Err(CliError::Failed(format!(
            "{count} {done}; {missing} of the ids name no delivery that failed \
             (see `wirewatch deliveries --state failed`)"
        )));
    }
    let noun = if count == 1 { "delivery" } else { "deliveries" };
    say(context, format!("{count} {noun} {done}"))
}

fn dropped(comment: Option<&str>) -> String {
    let by = user();
    comment.map_or_else(
        || format!("dropped by {by} after it failed"),
        |comment| format!("dropped by {by} after it failed: {comment}"),
    )
}

pub(super) fn say(mut context: Context, line: String) -> Result<ExitCode, CliError> {
    context.out.line(line)?;
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn attach(context: &Context) -> Result<Store, CliError> {
    Ok(Store::attach(&context.load()?.store)?)
}

/// The time so long ago.
pub(super) fn since(span: Option<SignedDuration>) -> Result<Option<Timestamp>, CliError> {
    let since = span.map(|span| Clock::System.now().checked_sub(span));
    since.transpose().map_err(|_| CliError::Failed("--since is too long".into()))
}

fn filter(args: &StoryList) -> Result<Filter, CliError> {
    Ok(Filter {
        since: since(args.since)?,
        rule: args.rule.clone(),
        feed: args.feed.clone(),
        limit: args.limit,
        ..Filter::default()
    })
}

fn delivered(args: &ListArgs) -> Result<Filter, CliError> {
    let (channel, state) = (args.channel.clone(), args.state.clone());
    Ok(Filter { channel, state, ..filter(&args.stories)? })
}

pub(super) fn show<T, const N: usize>(
    mut context: Context,
    rows: &[T],
    as_json: impl Fn(&T) -> Value,
    header: [&str; N],
    as_cells: impl Fn(&T) -> [String; N],
) -> Result<ExitCode, CliError> {
    if context.json {
        for row in rows {
            context.out.json(&as_json(row))?;
        }
    } else if rows.is_empty() {
        context.out.line("none")?;
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(header);
        for row in rows {
            table.add_row(as_cells(row).map(|cell| crate::extract::one_line(&cell)));
        }
        context.out.line(table)?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// To the second, UTC.
pub(super) fn short(when: Timestamp) -> String {
    when.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn names(outlets: &[OutletRow]) -> String {
    outlets.iter().map(|outlet| outlet.name.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn time(when: Option<Timestamp>) -> Option<String> {
    when.map(|when| when.to_string())
}

pub(super) fn feed_json(feed: &FeedRow) -> Value {
    json!({
        "name": feed.name, "url": shown(&feed.url), "title": feed.title, "state": feed.health,
        "last_success": time(feed.last_success), "last_attempt": time(feed.last_attempt),
        "last_entry": time(feed.last_entry), "next_poll": time(Some(feed.next_due)),
        "failures": feed.failures, "error": feed.last_error, "entries": feed.entries,
        "state_since": time(feed.health_since), "moved_to": feed.moved_to, "guids": feed.guids,
    })
}

fn outlets_json(outlets: &[OutletRow]) -> Vec<Value> {
    let outlet = |outlet: &OutletRow| {
        json!({
            "feed": outlet.feed, "name": outlet.name, "url": outlet.url,
            "published": time(outlet.published), "first_seen": time(Some(outlet.first_seen)),
        })
    };
    outlets.iter().map(outlet).collect()
}

fn story_json(story: &StoryRow) -> Value {
    json!({
        "id": story.id, "title": story.title, "url": story.url,
        "first_seen": time(Some(story.first_seen)), "last_seen": time(Some(story.last_seen)),
        "rules": story.rules, "outlets": outlets_json(&story.outlets),
        "sources": crate::story::sources(&story.tellers),
    })
}

fn alert_json(alert: &AlertRow) -> Value {
    let spans = alert.spans.iter().map(|span| {
        let field = match span.field {
            Field::Title => alert.title.as_str(),
            Field::Text => alert.text.as_str(),
            // What else a story had when it matched is not kept.
            _ => "",
        };
        json!({
            "field": span.field.as_str(), "start": span.start, "end": span.end,
            "text": field.get(span.start..span.end).unwrap_or_default(),
        })
    });
    let deliveries = alert.deliveries.iter().map(|(channel, recipient, state)| {
        json!({ "channel": channel, "recipient": recipient, "state": state })
    });
    let updates = alert.updates.iter().map(|update| {
        json!({
            "id": update.id.as_str(), "kind": update.kind, "text": update.text,
            "at": time(Some(update.at)), "sources": update.sources, "title": update.title,
            "url": update.url, "outlet": update.outlet,
        })
    });
    json!({
        "id": alert.id, "rule": alert.rule, "rule_title": alert.rule_title,
        "severity": alert.severity, "story": alert.story, "title": alert.title,
        "url": alert.url, "created": time(Some(alert.created_at)),
        "spans": spans.collect::<Vec<_>>(), "capitals_only": alert.capitals_only,
        "outlets": outlets_json(&alert.outlets),
        "sources": crate::story::sources(&alert.tellers),
        "deliveries": deliveries.collect::<Vec<_>>(),
        "updates": updates.collect::<Vec<_>>(),
    })
}

fn delivery_json(row: &DeliveryRow) -> Value {
    json!({
        "id": row.id, "alert": row.alert, "update": row.update, "rule": row.rule, "title": row.title,
        "role": row.role, "reason": row.reason, "digest": row.digest,
        "channel": row.channel, "recipient": row.recipient, "state": row.state,
        "attempts": row.attempts, "created": time(Some(row.created_at)),
        "due": time(Some(row.due_at)), "finished": time(row.finished_at),
        "last_answer": row.last_answer,
    })
}
