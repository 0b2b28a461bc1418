//! `silence`, `mute`, `ack`, `snooze`, `false-positive`: what people say of
//! alerts, and want to be spared.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::args::{FeedbackArgs, MuteArgs, SilenceAction, SilenceArgs, SnoozeArgs, Spared};
use super::lists::{attach, say, short, show, time};
use super::{CliError, Context};
use crate::alert;
use crate::model::{AlertId, Clock, Silence};
use crate::store::{Feedback, Store};

pub(super) async fn run(context: Context, args: SilenceArgs) -> Result<ExitCode, CliError> {
    let now = Clock::System.now();
    match args.action {
        SilenceAction::Add { rule, story, feed, channel, r#for, spared } => {
            if [&rule, &story, &feed, &channel].iter().all(|filter| filter.is_none()) {
                return Err(CliError::Failed(
                    "say what is to be silent: --rule, --story, --feed or --channel".to_owned(),
                ));
            }
            check_names(&context, (&rule, &feed, &channel))?;
            if let Some(story) = &story {
                check_story(&attach(&context)?, story).await?;
            }
            let silence = Silence { rule, story, feed, channel, ..silence(spared, now) };
            let until = r#for.map(|span| now.checked_add(span)).transpose();
            let until = until.map_err(|_| CliError::Failed("--for is too long".into()))?;
            add(context, Silence { until, ..silence }).await
        }
        SilenceAction::List { all } => {
            let rows = attach(&context)?.silences(all, now).await?;
            let header = ["silence", "silent", "since", "until", "by", "comment"];
            show(context, &rows, as_json, header, |row| {
                let until = row.until.map_or_else(|| "for ever".to_owned(), short);
                let (author, comment) = (row.author.clone(), row.comment.clone());
                [row.id.clone(), what(row), short(row.since), until, author, comment]
            })
        }
        SilenceAction::End { id } => {
            if attach(&context)?.end_silence(id.clone(), now).await? {
                return say(context, format!("silence {id} has ended"));
            }
            Err(CliError::Failed(format!(
                "no silence \"{id}\" is in force; `wirewatch silence list` shows them"
            )))
        }
    }
}

/// A misspelt name would be a silence that never holds.
fn check_names(
    context: &Context,
    (rule, feed, channel): (&Option<String>, &Option<String>, &Option<String>),
) -> Result<(), CliError> {
    let config = context.load()?;
    let known = |kind: &str, name: &Option<String>, all: Vec<&str>| match name {
        Some(name) if !all.contains(&name.as_str()) => Err(CliError::Failed(format!(
            "no {kind} is named \"{name}\"; there are: {}",
            all.join(", ")
        ))),
        _ => Ok(()),
    };
    known("rule", rule, config.rules.iter().map(|rule| rule.rule.name.as_str()).collect())?;
    let feeds = config.feeds.iter().chain(&config.paused);
    known("feed", feed, feeds.map(|feed| feed.name.as_str()).collect())?;
    known("channel", channel, config.channels.keys().map(|name| name.as_str()).collect())
}

async fn check_story(store: &Store, story: &str) -> Result<(), CliError> {
    if store.tellings(story.to_owned()).await?.is_empty() {
        return Err(CliError::Failed(format!(
            "there is no story \"{story}\"; `wirewatch stories` lists what there is"
        )));
    }
    Ok(())
}

fn silence(spared: Spared, now: Timestamp) -> Silence {
    Silence {
        id: String::new(),
        rule: None,
        story: None,
        feed: None,
        channel: None,
        since: now,
        until: None,
        author: spared.author.unwrap_or_else(user),
        comment: spared.comment.unwrap_or_default(),
    }
}

/// Who runs this program.
pub(super) fn user() -> String {
    std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "unknown".to_owned())
}

async fn add(context: Context, mut silence: Silence) -> Result<ExitCode, CliError> {
    silence.id = id_of(&silence);
    let store = attach(&context)?;
    let (id, until) = (silence.id.clone(), silence.until);
    let (what, json) = (what(&silence), as_json(&silence));
    store.add_silence(silence).await?;
    if context.json {
        let mut context = context;
        context.out.json(&json)?;
        context.out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let until =
        until.map_or_else(|| "until it is ended".to_owned(), |at| format!("until {}", short(at)));
    say(context, format!("silence {id}: {what}, {until}; `wirewatch silence end {id}` ends it"))
}

fn id_of(silence: &Silence) -> String {
    let about = format!("{silence:?}{}", std::process::id());
    let hash = Sha256::digest(about.as_bytes());
    format!("x{}", hash[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn what(silence: &Silence) -> String {
    let parts = [
        ("rule", &silence.rule),
        ("story", &silence.story),
        ("feed", &silence.feed),
        ("channel", &silence.channel),
    ];
    let named = parts.iter().filter_map(|(kind, name)| Some(format!("{kind} {}", name.as_ref()?)));
    named.collect::<Vec<_>>().join(", ")
}

fn as_json(silence: &Silence) -> Value {
    json!({
        "id": silence.id, "rule": silence.rule, "story": silence.story, "feed": silence.feed,
        "channel": silence.channel, "since": time(Some(silence.since)),
        "until": time(silence.until), "author": silence.author, "comment": silence.comment,
    })
}

/// `mute STORY`: a silence of the story on all channels.
pub(super) async fn mute(context: Context, args: MuteArgs) -> Result<ExitCode, CliError> {
    check_story(&attach(&context)?, &args.story).await?;
    let silence = silence(args.spared, Clock::System.now());
    add(context, Silence { story: Some(args.story), ..silence }).await
}

/// `ack` and `false-positive`.
pub(super) async fn feedback(
    context: Context,
    args: FeedbackArgs,
    kind: &str,
) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    let spared = args.spared;
    for id in &args.alerts {
        let feedback = Feedback {
            kind: kind.to_owned(),
            at: Clock::System.now(),
            until: None,
            author: spared.author.clone().unwrap_or_else(user),
            comment: spared.comment.clone().unwrap_or_default(),
        };
        record(&store, id, feedback).await?;
    }
    say(context, format!("{kind}: {}", args.alerts.join(", ")))
}

/// `snooze ALERT`: quiet until then, and told again then.
pub(super) async fn snooze(context: Context, args: SnoozeArgs) -> Result<ExitCode, CliError> {
    if !args.r#for.is_positive() {
        return Err(CliError::Failed("--for must be longer than nothing".to_owned()));
    }
    let store = attach(&context)?;
    let now = Clock::System.now();
    let until = now
        .checked_add(args.r#for)
        .map_err(|_| CliError::Failed("--for is too long".to_owned()))?;
    let feedback = Feedback {
        kind: "snoozed".to_owned(),
        at: now,
        until: Some(until),
        author: args.spared.author.unwrap_or_else(user),
        comment: args.spared.comment.unwrap_or_default(),
    };
    record(&store, &args.alert, feedback).await?;
    say(context, format!("alert {} is told again at {}", args.alert, short(until)))
}

async fn record(store: &Store, alert: &str, feedback: Feedback) -> Result<(), CliError> {
    let reminder = Box::new(|delivery: &crate::model::DeliveryId, at: Timestamp| {
        alert::derived_id(&[delivery.as_str(), "reminder", &at.as_millisecond().to_string()])
    });
    if store.add_feedback(AlertId::new(alert), feedback, reminder).await? {
        return Ok(());
    }
    Err(CliError::Failed(format!(
        "there is no alert \"{alert}\"; `wirewatch alerts` lists what there is"
    )))
}
