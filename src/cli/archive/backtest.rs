//! `backtest`: what rules would have found in the stored archive.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::super::args::BacktestArgs;
use super::super::{CliError, Context};
use super::{Go, each_entry, find_rule, highlight, item, since};
use crate::config::{self, Environment};
use crate::model::RuleName;
use crate::rule::{Rule, RuleSet, Verdict};
use crate::store::{ArchiveQuery, Archived, Store};

/// Samples shown of hits and of near misses.
const SAMPLES: usize = 5;
const DAY: f64 = 86_400.0;
/// A word in more than this share of all entries, in percent, says little.
const MOST_SHARE: f64 = 20.0;

/// What a rule found.
#[derive(Default)]
struct Tally {
    hits: u64,
    stories: BTreeSet<String>,
    /// The newest hit of each of the first stories, with its evidence.
    samples: Vec<(String, String, Vec<String>)>,
    /// What only exclusions kept out.
    excluded: u64,
    near: u64,
    /// Title and reason.
    near_samples: Vec<(String, String)>,
    /// The rule's words, and how many entries have each.
    words: Vec<String>,
    occurred: Vec<u64>,
}

pub(in super::super) async fn run(
    mut context: Context,
    args: BacktestArgs,
) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let rules = match &args.rules {
        Some(path) => {
            config::load_rules(path, &Environment::from_process())
                .map_err(|problems| CliError::Config(Box::new(problems)))?
                .rules
        }
        None => config.rules,
    };
    let rules: Vec<Rule> = match &args.rule {
        Some(name) => vec![find_rule(rules, name)?],
        None => rules.into_iter().map(|rule| rule.rule).collect(),
    };
    let names: Vec<RuleName> = rules.iter().map(|rule| rule.name.clone()).collect();
    let set = RuleSet::new(rules);
    let store = Store::attach(&config.store)?;
    let from = since(args.since)?;
    let (entries, oldest, newest) = store.archive_extent(from).await?;
    let mut tallies: HashMap<RuleName, Tally> = HashMap::new();
    for name in &names {
        let words = set.words(name);
        let occurred = vec![0; words.len()];
        tallies.insert(name.clone(), Tally { words, occurred, ..Tally::default() });
    }
    let query = ArchiveQuery { since: from, ..ArchiveQuery::default() };
    each_entry(&store, query, |archived| {
        count(&set, &names, archived, &mut tallies);
        Ok(Go::On)
    })
    .await?;
    let days = days(oldest, newest);
    if !context.json {
        let line = match days {
            1.0 => format!("{entries} entries of a day or less: rates are the least there will be"),
            days => format!("{entries} entries of {days:.1} days"),
        };
        context.out.line(line)?;
    }
    for name in &names {
        let tally = tallies.remove(name).unwrap_or_default();
        if context.json {
            print_json(&mut context, name, &tally, entries, days)?;
        } else {
            print(&mut context, name, &tally, entries, days)?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The time that the archive covers; a day at least, for what came in an hour
/// says nothing of a day.
fn days(oldest: Option<Timestamp>, newest: Option<Timestamp>) -> f64 {
    let seconds = match (oldest, newest) {
        (Some(oldest), Some(newest)) => newest.duration_since(oldest).as_secs_f64(),
        _ => 0.0,
    };
    (seconds / DAY).max(1.0)
}

fn count(
    set: &RuleSet,
    names: &[RuleName],
    archived: &Archived,
    tallies: &mut HashMap<RuleName, Tally>,
) {
    let item = item(archived);
    let title = || archived.entry.title.clone();
    let matches = set.matches(&item);
    for found in &matches {
        let tally = tallies.entry(found.rule.clone()).or_default();
        tally.hits += 1;
        if tally.stories.insert(archived.story.clone()) && tally.samples.len() < SAMPLES {
            let evidence = highlight::lines(&item, &found.spans);
            tally.samples.push((archived.story.clone(), title(), evidence));
        }
    }
    for (name, tally) in tallies.iter_mut() {
        let Some(anatomy) = set.dissect(name, &tally.words, &item) else { continue };
        tally.excluded += u64::from(anatomy.but_for_exclusions);
        for (count, occurs) in tally.occurred.iter_mut().zip(anatomy.words) {
            *count += u64::from(occurs);
        }
    }
    for name in names.iter().filter(|name| !matches.iter().any(|found| found.rule == **name)) {
        if let Some(Verdict::Fails { reason, nearly: true }) = set.explain(name, &item) {
            let tally = tallies.entry(name.clone()).or_default();
            tally.near += 1;
            let known = tally.near_samples.iter().any(|(known, _)| *known == archived.entry.title);
            if tally.near_samples.len() < SAMPLES && !known {
                tally.near_samples.push((title(), reason));
            }
        }
    }
}

fn print(
    context: &mut Context,
    name: &RuleName,
    tally: &Tally,
    entries: u64,
    days: f64,
) -> Result<(), CliError> {
    let (hits, stories) = (tally.hits, tally.stories.len());
    context.out.line(format!(
        "rule {name}: {hits} hits, {:.2} a day; {stories} stories, so about {:.2} alerts a day",
        hits as f64 / days,
        stories as f64 / days
    ))?;
    for (story, title, evidence) in &tally.samples {
        context.out.line(format!("  {story}  {title}"))?;
        for line in evidence {
            context.out.painted(&format!("  {line}"))?;
        }
    }
    for line in lint(tally, entries) {
        context.out.line(format!("  {line}"))?;
    }
    if tally.near > 0 {
        context.out.line(format!("  near misses: {}", tally.near))?;
    }
    for (title, reason) in &tally.near_samples {
        context.out.line(format!("    {title}"))?;
        context.out.line(format!("      {reason}"))?;
    }
    Ok(())
}

/// The commonest words of the rule with their share of all entries, what
/// never occurred, and what exclusions removed.
fn lint(tally: &Tally, entries: u64) -> Vec<String> {
    let mut lines = Vec::new();
    let share = |count: u64| 100.0 * count as f64 / entries.max(1) as f64;
    let mut common: Vec<(u64, &String)> =
        tally.occurred.iter().copied().zip(&tally.words).filter(|(count, _)| *count > 0).collect();
    common.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    if !common.is_empty() {
        let shown: Vec<String> = common
            .iter()
            .take(SAMPLES)
            .map(|(count, word)| format!("{word} {:.1} %", share(*count)))
            .collect();
        lines.push(format!("commonest words: {}", shown.join(", ")));
    }
    for (count, word) in common.iter().filter(|(count, _)| share(*count) > MOST_SHARE) {
        let share = share(*count);
        lines.push(format!("warning: {word} is in {share:.0} % of all entries and says little"));
    }
    let never: Vec<&String> = absent(tally).collect();
    if !never.is_empty() && entries > 0 {
        let shown: Vec<&str> = never.iter().take(12).map(|word| word.as_str()).collect();
        let more = if never.len() > 12 { ", …" } else { "" };
        lines.push(format!("never seen ({}): {}{more}", never.len(), shown.join(", ")));
    }
    if tally.excluded > 0 {
        lines.push(format!("kept out by NOT alone: {}", tally.excluded));
    }
    lines
}

/// Words of the rule that no entry has.
fn absent(tally: &Tally) -> impl Iterator<Item = &String> {
    tally.occurred.iter().zip(&tally.words).filter(|(count, _)| **count == 0).map(|(_, word)| word)
}

fn print_json(
    context: &mut Context,
    name: &RuleName,
    tally: &Tally,
    entries: u64,
    days: f64,
) -> Result<(), CliError> {
    let samples =
        tally.samples.iter().map(|(story, title, _)| json!({ "story": story, "title": title }));
    let near = tally.near_samples.iter();
    let near = near.map(|(title, reason)| json!({ "title": title, "reason": reason }));
    let rate = |count: usize| (count as f64 / days * 1_000.0).round() / 1_000.0;
    context.out.json(&json!({
        "rule": name.as_str(), "entries": entries, "days": (days * 1_000.0).round() / 1_000.0,
        "hits": tally.hits, "hits_per_day": rate(tally.hits as usize),
        "stories": tally.stories.len(), "alerts_per_day": rate(tally.stories.len()),
        "samples": samples.collect::<Vec<_>>(),
        "words": tally.words.iter().zip(&tally.occurred).collect::<BTreeMap<_, _>>(),
        "never_seen": absent(tally).collect::<Vec<_>>(), "excluded": tally.excluded,
        "near_misses": tally.near, "near_samples": near.collect::<Vec<_>>(),
    }))?;
    Ok(())
}
