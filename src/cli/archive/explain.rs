//! `explain`: why a rule holds for a story, or why not.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::super::args::ExplainArgs;
use super::super::{CliError, Context, items, stories};
use super::{find_rule, highlight};
use crate::config::{self, Environment};
use crate::model::{Entry, RuleName};
use crate::rule::{Item, RuleSet, Verdict};
use crate::store::{ArchiveQuery, Archived, Store};

/// Versions of a story looked at.
const MOST_ENTRIES: usize = 50;

/// An entry and the feed that has it.
struct Subject {
    entry: Entry,
    feed: String,
    stored: Option<Stored>,
}

/// What is known of an entry that is stored.
struct Stored {
    story: String,
    /// Why it is part of that story.
    joined: String,
    /// What became of the rule's match, if the story matched it.
    outcome: Option<String>,
}

pub(in super::super) async fn run(
    mut context: Context,
    args: ExplainArgs,
) -> Result<ExitCode, CliError> {
    let rules = match &args.rules {
        Some(path) => {
            config::load_rules(path, &Environment::from_process())
                .map_err(|problems| CliError::Config(Box::new(problems)))?
                .rules
        }
        None => context.load()?.rules,
    };
    let rule = find_rule(rules, &args.rule)?;
    let name = rule.name.clone();
    let set = RuleSet::new(vec![rule]);
    for subject in subjects(&context, &args).await? {
        let item = Item::of_entry(&subject.entry, &subject.feed);
        let Some(verdict) = set.explain(&name, &item) else { continue };
        if context.json {
            print_json(&mut context, &name, &subject, &item, &verdict)?;
        } else {
            print(&mut context, &name, &subject, &item, &verdict)?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn print(
    context: &mut Context,
    rule: &RuleName,
    subject: &Subject,
    item: &Item<'_>,
    verdict: &Verdict,
) -> Result<(), CliError> {
    let title = subject.entry.title.replace(char::is_control, " ");
    let from = if subject.feed.is_empty() { "" } else { " in " };
    let which = format!("{title}{from}{}", subject.feed);
    match verdict {
        Verdict::Holds(found) => {
            context.out.line(format!("rule {rule} matches: {which}"))?;
            for line in highlight::lines(item, &found.spans) {
                context.out.painted(&line)?;
            }
            if found.spans.is_empty() {
                context.out.line("  nothing that it forbids is there")?;
            }
        }
        Verdict::Fails { reason, .. } => {
            context.out.line(format!("rule {rule} does not match: {which}"))?;
            context.out.line(format!("  {reason}"))?;
        }
    }
    if let Some(stored) = &subject.stored {
        context.out.line(format!("  in story {}: {}", stored.story, stored.joined))?;
        if let Some(outcome) = &stored.outcome {
            context.out.line(format!("  the story {outcome}"))?;
        }
    }
    Ok(())
}

fn print_json(
    context: &mut Context,
    rule: &RuleName,
    subject: &Subject,
    item: &Item<'_>,
    verdict: &Verdict,
) -> Result<(), CliError> {
    let (matches, spans, reason) = match verdict {
        Verdict::Holds(found) => (true, highlight::spans_json(item, &found.spans), None),
        Verdict::Fails { reason, .. } => (false, Vec::new(), Some(reason)),
    };
    context.out.json(&json!({
        "rule": rule.as_str(), "feed": subject.feed,
        "story": subject.stored.as_ref().map(|stored| &stored.story),
        "joined": subject.stored.as_ref().map(|stored| &stored.joined),
        "outcome": subject.stored.as_ref().and_then(|stored| stored.outcome.as_ref()),
        "title": subject.entry.title, "url": subject.entry.url,
        "matches": matches, "spans": spans, "reason": reason,
    }))?;
    Ok(())
}

/// What is meant: a file, a story's id, or a link.
async fn subjects(context: &Context, args: &ExplainArgs) -> Result<Vec<Subject>, CliError> {
    let what = args.what.as_str();
    let path = Path::new(what);
    if what == "-" || path.is_file() {
        return of_file(path);
    }
    let is_url = what.contains("://");
    let mut query = ArchiveQuery { limit: MOST_ENTRIES, ..ArchiveQuery::default() };
    if is_url {
        query.url = Some(what.to_owned());
    } else {
        query.story = Some(what.to_owned());
    }
    let store = Store::attach(&context.load()?.store)?;
    let stored = store.archive(query).await?;
    if stored.is_empty() {
        let kind =
            if is_url { "no stored entry has the link" } else { "there is no story or file" };
        return Err(CliError::Failed(format!(
            "{kind} \"{what}\"; `wirewatch stories` and `wirewatch search` list what there is"
        )));
    }
    let mut subjects = Vec::new();
    for archived in stored {
        let stored = stored_as(&store, &archived, &args.rule).await?;
        subjects.push(Subject { entry: archived.entry, feed: archived.feed, stored: Some(stored) });
    }
    Ok(subjects)
}

async fn stored_as(store: &Store, archived: &Archived, rule: &str) -> Result<Stored, CliError> {
    let tellings = store.tellings(archived.story.clone()).await?;
    let telling = tellings.iter().find(|row| row.entry == archived.id);
    let matches = store.story_matches(archived.story.clone()).await?;
    Ok(Stored {
        story: archived.story.clone(),
        joined: telling.map(stories::reason).unwrap_or_default(),
        outcome: matches.iter().find(|found| found.rule == rule).map(stories::outcome),
    })
}

/// Items as JSON lines, or a plain text whose first line is the title.
fn of_file(path: &Path) -> Result<Vec<Subject>, CliError> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| {
        CliError::Failed(format!("cannot read \"{}\": {error}", path.display()))
    })?;
    if !text.trim_start().starts_with('{') {
        let (title, rest) = text.trim_start().split_once('\n').unwrap_or((text.trim(), ""));
        let entry = Entry {
            title: title.trim().to_owned(),
            text: rest.trim().to_owned(),
            ..Entry::default()
        };
        return Ok(vec![Subject { entry, feed: String::new(), stored: None }]);
    }
    let mut found = Vec::new();
    items::read_from(&PathBuf::from(path), &mut text.as_bytes(), &mut |line| {
        let feed = line.feed.clone().unwrap_or_default();
        found.push(Subject { entry: line.into_entry(), feed, stored: None });
        Ok(())
    })?;
    Ok(found)
}
