//! `stories split` and `stories merge`: users put stories right.

use std::process::ExitCode;

use serde_json::json;

use super::super::lists::attach;
use super::super::{CliError, Context};
use super::{plural, unknown};
use crate::dedup;
use crate::model::{Clock, StoryId};
use crate::store::{Edited, TellingRow};

pub(super) async fn split(
    mut context: Context,
    id: &str,
    wanted: &[String],
) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    let tellings = store.tellings(id.to_owned()).await?;
    if tellings.is_empty() {
        return Err(unknown(&store, id).await);
    }
    let mut entries = Vec::new();
    for wanted in wanted {
        for entry in find(&tellings, id, wanted)? {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    entries.sort_unstable();
    let old = StoryId::new(id);
    let new = dedup::split_story_id(&old, &entries);
    let now = Clock::System.now();
    match store.split_story(old, entries.clone(), new.clone(), now).await? {
        Edited::Moved(count) => {
            if context.json {
                context
                    .out
                    .json(&json!({ "story": id, "new": new.as_str(), "tellings": count }))?;
            } else {
                let count = plural(count, "telling");
                context.out.line(format!("story {new} was taken out of {id}, with {count}"))?;
            }
            context.out.flush()?;
            Ok(ExitCode::SUCCESS)
        }
        Edited::All => Err(CliError::Failed(format!(
            "these are all tellings of {id}: name those that tell of something else"
        ))),
        Edited::NoStory | Edited::NoTelling => Err(CliError::Failed(format!(
            "story {id} changed meanwhile: look again with `wirewatch stories show {id}`"
        ))),
    }
}

/// The rows of a telling by its number, or of those with a link.
fn find(tellings: &[TellingRow], id: &str, wanted: &str) -> Result<Vec<i64>, CliError> {
    let found: Vec<i64> = match wanted.trim_start_matches('#').parse::<usize>() {
        Ok(number) => {
            let telling = number.checked_sub(1).and_then(|at| tellings.get(at));
            telling.map(|row| row.entry).into_iter().collect()
        }
        Err(_) => {
            let linked = tellings.iter().filter(|row| row.url.as_deref() == Some(wanted));
            linked.map(|row| row.entry).collect()
        }
    };
    if found.is_empty() {
        return Err(CliError::Failed(format!(
            "story {id} has no telling \"{wanted}\": give a number from 1 to {}, or its link, as \
             `wirewatch stories show {id}` prints them",
            tellings.len()
        )));
    }
    Ok(found)
}

pub(super) async fn merge(
    mut context: Context,
    id: &str,
    others: &[String],
) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    let into = StoryId::new(id);
    // Nothing is moved when one of the ids is wrong.
    for story in std::iter::once(id).chain(others.iter().map(String::as_str)) {
        if store.tellings(story.to_owned()).await?.is_empty() {
            return Err(unknown(&store, story).await);
        }
    }
    if others.iter().any(|other| other == id) {
        return Err(CliError::Failed(format!("story {id} cannot become part of itself")));
    }
    for other in others {
        let now = Clock::System.now();
        match store.merge_story(StoryId::new(other.as_str()), into.clone(), now).await? {
            Edited::Moved(count) if context.json => {
                context.out.json(&json!({ "story": id, "merged": other, "tellings": count }))?;
            }
            Edited::Moved(count) => {
                let count = plural(count, "telling");
                context.out.line(format!("story {other} is part of {id} now, with {count}"))?;
            }
            _ => return Err(unknown(&store, other).await),
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}
