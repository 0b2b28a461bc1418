//! `stories show`: who tells a story, how many independent sources that makes,
//! and why each telling is part of it.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::{StoriesAction, StoriesArgs};
use super::lists::{attach, short, time};
use super::{CliError, Context, lists};
use crate::model::Teller;
use crate::store::TellingRow;
use crate::story::{self, Wording, independent, material};

pub(super) async fn run(context: Context, args: StoriesArgs) -> Result<ExitCode, CliError> {
    match args.action {
        None => lists::stories(context, args.list).await,
        Some(StoriesAction::Show { id }) => show(context, &id).await,
    }
}

async fn show(mut context: Context, id: &str) -> Result<ExitCode, CliError> {
    let tellings = attach(&context)?.tellings(id.to_owned()).await?;
    if tellings.is_empty() {
        return Err(CliError::Failed(format!(
            "there is no story \"{id}\"; `wirewatch stories` lists what there is"
        )));
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
        for (row, source) in tellings.iter().zip(&sources) {
            print(&mut context, row, *source)?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn print(context: &mut Context, row: &TellingRow, source: usize) -> Result<(), CliError> {
    let agency = row.teller.agency.as_deref().map(|agency| format!(", credited to {agency}"));
    let outlet = crate::extract::one_line(&row.outlet);
    let agency = agency.unwrap_or_default();
    context.out.line(format!("\n{}  {outlet}{agency}  (source {})", short(row.at), source + 1))?;
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
fn reason(row: &TellingRow) -> String {
    let other = row.of.as_deref().unwrap_or("another telling");
    let share = row.score.unwrap_or_default();
    match row.how.as_str() {
        "first" => "first telling".to_owned(),
        "link" => "joined: it has the link of another telling".to_owned(),
        "words" => "joined: it has the very words of another telling".to_owned(),
        "copy" => {
            format!("joined: {:.0} % of the shorter text stand in that of {other}", share * 100.0)
        }
        "headline" => format!("joined: {other} has the same headline"),
        "event" => {
            format!("joined: the same event (score {share:.1}) by {}", row.shared.join(", "))
        }
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
