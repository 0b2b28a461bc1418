//! `rules`: the rules in force, and their own tests.

use std::process::ExitCode;

use serde_json::json;

use super::archive::unknown_rule;
use super::args::{RulesAction, RulesArgs};
use super::{CliError, Context};
use crate::config::RuleConfig;
use crate::model::RuleName;
use crate::rule::RuleSet;

pub(super) fn run(mut context: Context, args: RulesArgs) -> Result<ExitCode, CliError> {
    // Loading runs the examples: a rule that fails its own is refused there.
    let rules = context.load()?.rules;
    match args.action.unwrap_or(RulesAction::List) {
        RulesAction::List => list(&mut context, &rules)?,
        RulesAction::Show { name } => show(&mut context, chosen(&rules, Some(&name))?)?,
        RulesAction::Test { name } => test(&mut context, chosen(&rules, name.as_deref())?)?,
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn chosen<'a>(
    rules: &'a [RuleConfig],
    name: Option<&str>,
) -> Result<Vec<&'a RuleConfig>, CliError> {
    let Some(name) = name else { return Ok(rules.iter().collect()) };
    let found = rules.iter().find(|rule| rule.rule.name.as_str() == name);
    let names = || rules.iter().map(|rule| rule.rule.name.to_string()).collect::<Vec<_>>();
    let found = found.ok_or_else(|| unknown_rule(&RuleName::new(name), &names()))?;
    Ok(vec![found])
}

fn channels(rule: &RuleConfig) -> Vec<&str> {
    rule.channels.iter().map(|name| name.as_str()).collect()
}

fn list(context: &mut Context, rules: &[RuleConfig]) -> Result<(), CliError> {
    for rule in rules {
        if context.json {
            context.out.json(&as_json(rule))?;
            continue;
        }
        let told = channels(rule);
        let told = if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
        let severity = rule.severity.as_str();
        let line = format!("{}: {} ({severity}, tells {told})", rule.rule.name, rule.title);
        context.out.line(line)?;
    }
    if rules.is_empty() && !context.json {
        context.out.line("there are no rules; add a table [rule.NAME] with match and channels")?;
    }
    Ok(())
}

fn as_json(rule: &RuleConfig) -> serde_json::Value {
    let feeds = rule.rule.feeds.as_ref();
    json!({
        "rule": rule.rule.name.as_str(), "title": rule.title,
        "severity": rule.severity.as_str(), "channels": channels(rule),
        "feeds": feeds.map(|feeds| feeds.iter().map(|f| f.as_str()).collect::<Vec<_>>()),
        "languages": rule.rule.languages, "match": rule.rule.compiled.canonical(),
        "examples": { "matches": rule.matches, "ignores": rule.ignores },
    })
}

fn show(context: &mut Context, rules: Vec<&RuleConfig>) -> Result<(), CliError> {
    for rule in rules {
        if context.json {
            context.out.json(&as_json(rule))?;
            continue;
        }
        list(context, std::slice::from_ref(rule))?;
        context.out.line(format!("  match: {}", rule.rule.compiled.canonical()))?;
        for (list, body) in rule.rule.compiled.lists() {
            context.out.line(format!("  @{list}: {body}"))?;
        }
        if let Some(feeds) = &rule.rule.feeds {
            let feeds: Vec<&str> = feeds.iter().map(|feed| feed.as_str()).collect();
            context.out.line(format!("  feeds: {}", feeds.join(", ")))?;
        }
        if !rule.rule.languages.is_empty() {
            context.out.line(format!("  languages: {}", rule.rule.languages.join(", ")))?;
        }
        for (key, examples) in [("matches", &rule.matches), ("ignores", &rule.ignores)] {
            for example in examples {
                context.out.line(format!("  {key}: {example}"))?;
            }
        }
        if !RuleSet::new(vec![rule.rule.clone()]).unindexed().is_empty() {
            context
                .out
                .line("  no word must be there for it to hold, so it runs on every story")?;
        }
    }
    Ok(())
}

fn test(context: &mut Context, rules: Vec<&RuleConfig>) -> Result<(), CliError> {
    for rule in rules {
        let (matches, ignores) = (rule.matches.len(), rule.ignores.len());
        let name = &rule.rule.name;
        if context.json {
            context.out.json(&json!({
                "rule": name.as_str(), "passed": true, "matches": matches, "ignores": ignores,
            }))?;
        } else if matches + ignores == 0 {
            context.out.line(format!("{name}: has no examples"))?;
        } else {
            context
                .out
                .line(format!("{name}: {matches} matches and {ignores} ignores are good"))?;
        }
    }
    Ok(())
}
