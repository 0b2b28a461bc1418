//! `plan`: what an edit of the rules would change, over the stored archive.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::json;

use super::super::args::PlanArgs;
use super::super::{CliError, Context};
use super::{Go, each_entry, item, since};
use crate::config::{self, Environment};
use crate::rule::RuleSet;
use crate::store::{ArchiveQuery, Store};

/// Stories shown of each kind and rule.
const SAMPLES: usize = 10;

/// Stories of one rule, by id, with a title.
type Stories = BTreeMap<String, String>;

pub(in super::super) async fn run(
    mut context: Context,
    args: PlanArgs,
) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let edited = config::load_rules(&args.rules, &Environment::from_process())
        .map_err(|problems| CliError::Config(Box::new(problems)))?;
    let set = |rules: Vec<config::RuleConfig>| {
        RuleSet::new(rules.into_iter().map(|rule| rule.rule).collect())
    };
    let (old, new) = (set(config.rules), set(edited.rules));
    let store = Store::attach(&config.store)?;
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    let query = ArchiveQuery { since: since(args.since)?, ..ArchiveQuery::default() };
    let entries = each_entry(&store, query, |archived| {
        for (set, found) in [(&old, &mut before), (&new, &mut after)] {
            for matched in set.matches(&item(archived)) {
                let stories: &mut Stories = found.entry(matched.rule.to_string()).or_default();
                let title = || archived.entry.title.clone();
                stories.entry(archived.story.clone()).or_insert_with(title);
            }
        }
        Ok(Go::On)
    })
    .await?;
    let names: BTreeSet<String> = old.names().chain(new.names()).map(ToString::to_string).collect();
    if !context.json {
        context.out.line(format!("{entries} entries compared"))?;
    }
    let known = |set: &RuleSet, name: &str| set.names().any(|other| other.as_str() == name);
    for name in names {
        let is = match (known(&old, &name), known(&new, &name)) {
            (true, true) => "kept",
            (true, false) => "removed",
            _ => "added",
        };
        let of = |found: &BTreeMap<String, Stories>| found.get(&name).cloned().unwrap_or_default();
        report(&mut context, &name, is, &of(&before), &of(&after))?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn report(
    context: &mut Context,
    name: &str,
    is: &str,
    before: &Stories,
    after: &Stories,
) -> Result<(), CliError> {
    let without = |these: &Stories, those: &Stories| -> Vec<(String, String)> {
        let rest = these.iter().filter(|(story, _)| !those.contains_key(*story));
        rest.map(|(story, title)| (story.clone(), title.clone())).collect()
    };
    let (gained, lost) = (without(after, before), without(before, after));
    let (from, to) = (before.len(), after.len());
    if context.json {
        let list = |stories: &[(String, String)]| {
            let object =
                |(story, title): &(String, String)| json!({ "story": story, "title": title });
            stories.iter().map(object).collect::<Vec<_>>()
        };
        context.out.json(&json!({
            "rule": name, "is": is, "before": from, "after": to,
            "gained": list(&gained), "lost": list(&lost),
        }))?;
        return Ok(());
    }
    let (more, fewer) = (gained.len(), lost.len());
    let line = format!("rule {name} ({is}): {from} stories before, {to} after, +{more} -{fewer}");
    context.out.line(line)?;
    for (sign, stories) in [('+', &gained), ('-', &lost)] {
        for (story, title) in stories.iter().take(SAMPLES) {
            context.out.line(format!("  {sign} {story}  {title}"))?;
        }
        if stories.len() > SAMPLES {
            context.out.line(format!("  {sign} {} more", stories.len() - SAMPLES))?;
        }
    }
    Ok(())
}
