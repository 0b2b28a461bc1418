//! `match`: rules tried on items.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use super::archive::spans_json;
use super::args::MatchArgs;
use super::{CliError, Context, items, output};
use crate::config::{self, Environment};
use crate::rule::{Item, RuleSet, Verdict};

#[derive(Serialize)]
struct MatchJson<'a> {
    id: &'a Value,
    rule: &'a str,
    spans: Vec<Value>,
    /// Told only when it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    capitals_only: bool,
}

pub(super) fn run(mut context: Context, args: MatchArgs) -> Result<ExitCode, CliError> {
    let config = config::load_rules(&args.rules, &Environment::from_process())
        .map_err(|problems| CliError::Config(Box::new(problems)))?;
    for warning in &config.warnings {
        output::remark(&warning.to_string());
    }
    let rules = RuleSet::new(config.rules.into_iter().map(|rule| rule.rule).collect());
    let bad = items::read(&args.input, |line| {
        let id = line.id.clone();
        let feed = line.feed.clone().unwrap_or_default();
        let entry = line.into_entry();
        let item = Item::of_entry(&entry, &feed);
        if args.explain {
            return explain(&mut context, &rules, &id, &item);
        }
        for found in rules.matches(&item) {
            let spans = spans_json(&item, &found.spans);
            let (rule, capitals_only) = (found.rule.as_str(), found.capitals_only);
            context.out.json(&MatchJson { id: &id, rule, spans, capitals_only })?;
        }
        Ok(())
    })?;
    context.out.flush()?;
    Ok(ExitCode::from(if bad > 0 { super::FAILED } else { 0 }))
}

/// A line for each rule, with the reason where it does not match.
fn explain(
    context: &mut Context,
    rules: &RuleSet,
    id: &Value,
    item: &Item<'_>,
) -> Result<(), CliError> {
    for rule in rules.names() {
        let (matches, spans, reason) = match rules.explain(rule, item) {
            Some(Verdict::Holds(found)) => (true, found.spans, None),
            Some(Verdict::Fails { reason, .. }) => (false, Vec::new(), Some(reason)),
            None => continue,
        };
        let spans = spans_json(item, &spans);
        context.out.json(&json!({
            "id": id, "rule": rule.as_str(), "matches": matches, "spans": spans, "reason": reason,
        }))?;
    }
    Ok(())
}
