//! `search`: the archive, asked in the language of rules.

use std::process::ExitCode;

use serde_json::json;

use super::super::args::SearchArgs;
use super::super::{CliError, Context};
use super::{Go, each_entry, highlight, item, since};
use crate::model::RuleName;
use crate::rule::{Compiled, Lists, Rule, RuleSet, SyntaxError};
use crate::store::{ArchiveQuery, Store};

pub(in super::super) async fn run(
    mut context: Context,
    args: SearchArgs,
) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let (lists, _) = Lists::parse(&config.terms);
    let (compiled, warnings) = Compiled::search(&args.query, &lists)
        .map_err(|errors| CliError::Failed(problems(&args.query, &errors)))?;
    if !warnings.is_empty() {
        super::super::output::remark(&problems(&args.query, &warnings));
    }
    let rule = Rule { name: RuleName::new("search"), compiled, feeds: None, languages: Vec::new() };
    let rules = RuleSet::new(vec![rule]);
    let store = Store::attach(&config.store)?;
    let query = ArchiveQuery {
        since: since(args.since)?,
        words: rules.narrowing(),
        ..ArchiveQuery::default()
    };
    let mut left = args.limit;
    each_entry(&store, query, |archived| {
        if left == 0 {
            return Ok(Go::Stop);
        }
        let item = item(archived);
        let Some(found) = rules.matches(&item).into_iter().next() else { return Ok(Go::On) };
        left -= 1;
        if context.json {
            context.out.json(&json!({
                "story": archived.story, "feed": archived.feed,
                "first_seen": archived.first_seen.to_string(),
                "published": archived.entry.published.map(|at| at.to_string()),
                "title": archived.entry.title, "url": archived.entry.url,
                "spans": highlight::spans_json(&item, &found.spans),
            }))?;
        } else {
            let when = archived.first_seen.strftime("%Y-%m-%d %H:%M");
            let head = format!("{when}  {}  {}", archived.story, archived.feed);
            context.out.line(head)?;
            context.out.line(format!("  {}", archived.entry.title))?;
            for line in highlight::lines(&item, &found.spans) {
                context.out.painted(&line)?;
            }
        }
        Ok(Go::On)
    })
    .await?;
    if !context.json && left == args.limit {
        context.out.line("nothing found")?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Each problem under the query, with a caret.
fn problems(query: &str, errors: &[SyntaxError]) -> String {
    let mut text = String::new();
    for error in errors {
        let before = query.get(..error.span.start).unwrap_or_default().chars().count();
        let marked = query.get(error.span.clone()).unwrap_or_default().chars().count().max(1);
        let one_line = query.replace('\n', " ");
        text.push_str(&format!("{}\n  {one_line}\n", error.message));
        text.push_str(&format!("  {}{}", " ".repeat(before), "^".repeat(marked)));
        if let Some(hint) = &error.hint {
            text.push_str(&format!(" {hint}"));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}
