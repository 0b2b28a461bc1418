//! `replay`: the whole decision path over items.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::ReplayArgs;
use super::items::{self, ItemLine};
use super::{CliError, Context};
use crate::app::{self, ScratchFiles};
use crate::config::{self, Config, Environment};
use crate::model::{EntryId, FeedName, Joined};
use crate::pipeline::{Replay, ReplayItem, ReplayOutcome};
use crate::story::Memory;

/// The feed of items that name none.
const NAMELESS: &str = "replay";

pub(super) async fn run(mut context: Context, args: ReplayArgs) -> Result<ExitCode, CliError> {
    let rules = rules(&context, &args)?.rules;
    let mut lines: Vec<(Timestamp, ItemLine)> = Vec::new();
    let mut last = Timestamp::UNIX_EPOCH;
    let bad = items::read(&args.input, |line| {
        // An item without a time comes after the one before it.
        last = line.seen().unwrap_or(last);
        lines.push((last, line));
        Ok(())
    })?;
    lines.sort_by_key(|(seen, _)| *seen);
    // Nobody is told in a replay, so channels have no recipients.
    let mut live = app::decisions(&rules, std::collections::BTreeMap::new(), SignedDuration::ZERO);
    live.stories = Arc::new(Memory::on(Arc::new(ScratchFiles::temporary())));
    let mut replay = Replay::new(Arc::new(live))?;
    let feeds: BTreeSet<FeedName> = lines.iter().map(|(_, line)| feed_of(line)).collect();
    replay.prepare(feeds).await?;
    let mut ids: HashMap<EntryId, Value> = HashMap::new();
    for (seen, line) in lines {
        let id = line.id.clone();
        let feed = feed_of(&line);
        let item = ReplayItem { feed, seen, entry: items::cleaned(line.into_entry()) };
        if let Some(outcome) = replay.step(item).await? {
            ids.entry(outcome.entry).or_insert_with(|| id.clone());
            context.out.json(&as_json(id, &outcome, &ids))?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::from(if bad > 0 { super::FAILED } else { 0 }))
}

fn rules(context: &Context, args: &ReplayArgs) -> Result<Config, CliError> {
    let path = match &args.rules {
        Some(path) => path.clone(),
        None => context.config_path()?,
    };
    config::load_rules(&path, &Environment::from_process())
        .map_err(|problems| CliError::Config(Box::new(problems)))
}

fn feed_of(line: &ItemLine) -> FeedName {
    FeedName::new(line.feed.as_deref().unwrap_or(NAMELESS))
}

fn as_json(id: Value, outcome: &ReplayOutcome, ids: &HashMap<EntryId, Value>) -> Value {
    let names = |names: &[crate::model::RuleName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    json!({
        "id": id,
        "entry": outcome.newness.as_str(),
        "story": outcome.story.as_str(),
        "joined": joined_json(outcome, ids),
        "rules": names(&outcome.rules),
        "alerts": names(&outcome.alerts),
        "updates": names(&outcome.updates),
    })
}

/// Why an item is part of its story: the word, the item whose text, headline
/// or link it has, how much alike, and the words in common. One that was seen
/// before is that item again.
fn joined_json(outcome: &ReplayOutcome, ids: &HashMap<EntryId, Value>) -> Value {
    let Some(joined) = &outcome.joined else {
        return json!({ "how": "again", "of": ids.get(&outcome.entry) });
    };
    let (score, shared) = match joined {
        Joined::First | Joined::Link | Joined::Words | Joined::Headline { .. } => (None, None),
        Joined::Copy { share, .. } => (Some(*share), None),
        Joined::Event { score, shared } => (Some(*score), Some(shared)),
    };
    let of = outcome.of.and_then(|of| ids.get(&of));
    json!({ "how": joined.as_str(), "of": of, "score": score, "shared": shared })
}
