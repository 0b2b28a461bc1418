//! `match`: rules tried on items.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::args::MatchArgs;
use super::{CliError, Context, items, output};
use crate::config::{self, Environment};
use crate::model::{Entry, Field, Span};
use crate::rule::{Item, RuleSet};

#[derive(Serialize)]
struct MatchJson<'a> {
    id: &'a Value,
    rule: &'a str,
    spans: Vec<SpanJson<'a>>,
}

#[derive(Serialize)]
struct SpanJson<'a> {
    field: &'static str,
    start: usize,
    end: usize,
    text: &'a str,
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
        let item = Item {
            title: &entry.title,
            text: &entry.text,
            feed: &feed,
            lang: entry.lang.as_deref(),
        };
        for found in rules.matches(&item) {
            let spans = found.spans.iter().map(|span| span_json(span, &entry, &feed)).collect();
            context.out.json(&MatchJson { id: &id, rule: found.rule.as_str(), spans })?;
        }
        Ok(())
    })?;
    context.out.flush()?;
    Ok(ExitCode::from(if bad > 0 { super::FAILED } else { 0 }))
}

fn span_json<'a>(span: &Span, entry: &'a Entry, feed: &'a str) -> SpanJson<'a> {
    let field = match span.field {
        Field::Title => entry.title.as_str(),
        Field::Text => entry.text.as_str(),
        Field::Feed => feed,
        Field::Lang => entry.lang.as_deref().unwrap_or_default(),
    };
    let text = field.get(span.start..span.end).unwrap_or_default();
    SpanJson { field: span.field.as_str(), start: span.start, end: span.end, text }
}
