//! `stories`: lists them; shows who tells one, how many independent sources that
//! makes and why each telling is part of it; and lets users correct them.

mod edit;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::{StoriesAction, StoriesArgs};
use super::lists::{attach, short, time};
use super::{CliError, Context, lists};
use crate::model::{AlertState, Teller};
use crate::store::{Store, StoryMatch, TellingRow};
use crate::story::{self, Wording, independent, material};

pub(super) async fn run(context: Context, args: StoriesArgs) -> Result<ExitCode, CliError> {
    match args.action {
        None => lists::stories(context, args.list).await,
        Some(StoriesAction::Show { id }) => show(context, &id).await,
        Some(StoriesAction::Split { id, tellings }) => edit::split(context, &id, &tellings).await,
        Some(StoriesAction::Merge { id, others }) => edit::merge(context, &id, &others).await,
    }
}

async fn show(mut context: Context, id: &str) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    let tellings = store.tellings(id.to_owned()).await?;
    if tellings.is_empty() {
        return Err(unknown(&store, id).await);
    }
    let tellers: Vec<Teller> = tellings.iter().map(|row| row.teller.clone()).collect();
    let sources = independent(&tellers);
    if context.json {
        for (row, source) in tellings.iter().zip(&sources) {
            context.out.json(&as_json(id, row, *source))?;
        }
    } else {
        let count = story::sources(&tellers);
        let tellings_said = plural(tellings.len(), "telling");
        context.out.line(format!(
            "story {id}: {tellings_said}, {}",
            plural(count, "independent source")
        ))?;
        for found in store.story_matches(id.to_owned()).await? {
            context.out.line(format!("rule {}: {}", found.rule, outcome(&found)))?;
            for update in &found.updates {
                let text = crate::extract::one_line(&update.text);
                context.out.line(format!("  {}  update: {text}", short(update.at)))?;
            }
        }
        for (at, (row, source)) in tellings.iter().zip(&sources).enumerate() {
            print(&mut context, (at + 1, row), *source)?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Why there is nothing to show under an id.
async fn unknown(store: &Store, id: &str) -> CliError {
    match store.merged_into(id.to_owned()).await {
        Ok(Some(into)) => CliError::Failed(format!("story {id} is part of {into} now")),
        _ => CliError::Failed(format!(
            "there is no story \"{id}\"; `wirewatch stories` lists what there is"
        )),
    }
}

/// What became of a match, in a sentence.
pub(super) fn outcome(found: &StoryMatch) -> String {
    let at = short(found.at);
    match (&found.alert, AlertState::from_word(&found.state)) {
        (Some(alert), _) => format!("raised alert {alert} (matched {at})"),
        (None, Some(AlertState::FewSources)) => {
            format!("matched {at}; waits for more independent sources (min_sources)")
        }
        (None, Some(AlertState::Baseline)) => {
            format!("matched {at}; not told: it stood in its feed's first document (backfill)")
        }
        (None, Some(AlertState::MassChange)) => {
            format!("matched {at}; not told: the whole feed looked new at once, and this is old")
        }
        (None, Some(AlertState::OldNews)) => {
            format!("matched {at}; not told: a revision of what had matched before")
        }
        (None, _) => format!("matched {at}; not told: {}", found.state),
    }
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn print(
    context: &mut Context,
    (number, row): (usize, &TellingRow),
    source: usize,
) -> Result<(), CliError> {
    let agency = row.teller.agency.as_deref().map(|agency| format!(", credited to {agency}"));
    let outlet = crate::extract::one_line(&row.outlet);
    let agency = agency.unwrap_or_default();
    let at = short(row.at);
    context.out.line(format!("\n#{number}  {at}  {outlet}{agency}  (source {})", source + 1))?;
    context.out.line(format!("  {}", crate::extract::one_line(&row.title)))?;
    if let Some(url) = &row.url {
        context.out.line(format!("  {}", crate::extract::one_line(url)))?;
    }
    context.out.line(format!("  {}", reason(row)))?;
    for change in changes(row) {
        context.out.line(format!("  revised: {change}"))?;
    }
    Ok(())
}

/// Why it is part of the story, in a sentence.
pub(super) fn reason(row: &TellingRow) -> String {
    let other = row.of.as_deref().unwrap_or("another telling");
    let share = row.score.unwrap_or_default();
    match row.how.as_str() {
        "first" => "first telling".to_owned(),
        "link" => format!("joined: it has the link of {other}"),
        "words" => format!("joined: it has the very words of {other}"),
        "copy" => {
            format!("joined: {:.0} % of the shorter text stand in that of {other}", share * 100.0)
        }
        "headline" => format!("joined: {other} has the same headline"),
        "event" => {
            format!("joined: the same event (score {share:.1}) by {}", row.shared.join(", "))
        }
        "split" => "a user took it out of another story".to_owned(),
        "merge" => "a user made its story part of this one".to_owned(),
        // An entry of an earlier version.
        _ => "joined before reasons were kept".to_owned(),
    }
}

/// What its revisions changed.
fn changes(row: &TellingRow) -> Vec<String> {
    let wordings = row.wordings.windows(2);
    wordings
        .filter_map(|pair| {
            let wording = |at: usize| {
                let (title, text) = pair.get(at)?;
                Some(Wording { title, text })
            };
            Some(material(wording(0)?, wording(1)?)?.sentence())
        })
        .collect()
}

fn as_json(story: &str, row: &TellingRow, source: usize) -> Value {
    json!({
        "story": story, "at": time(Some(row.at)), "feed": row.feed, "name": row.outlet,
        "title": row.title, "url": row.url, "published": time(row.published),
        "source": source + 1, "outlet": row.teller.outlet, "agency": row.teller.agency,
        "how": row.how, "of": row.of, "score": row.score, "shared": row.shared,
        "reason": reason(row), "changes": changes(row),
    })
}
