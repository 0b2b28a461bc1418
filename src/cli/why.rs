//! `why`: the path of a story through every stage, with times; for rules that
//! matched and for those that did not.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::WhyArgs;
use super::lists::{attach, short, time};
use super::{CliError, Context, stories};
use crate::extract::one_line;
use crate::model::{PageRow, RuleName};
use crate::rule::{Item, RuleSet, Verdict};
use crate::store::{
    ArchiveQuery, Archived, Feedback, LedgerRow, Store, StoryMatch, TellingRow, Try,
};

/// Tellings that rules are asked about.
const ASKED: usize = 50;
/// Rules that did not match and are named, unless all are wanted.
const NAMED: usize = 20;

/// All that is known of a story.
struct Path {
    id: String,
    /// The story that its tellings are part of, if a user said so.
    merged_into: Option<String>,
    tellings: Vec<TellingRow>,
    matches: Vec<(StoryMatch, Vec<Feedback>)>,
    deliveries: Vec<LedgerRow>,
    /// Pages behind the tellings.
    pages: Vec<PageRow>,
    /// Rules that did not match, with the reason of the telling that came closest.
    others: Vec<(String, String)>,
}

pub(super) async fn run(mut context: Context, args: WhyArgs) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let store = attach(&context)?;
    let id = story_of(&store, &args.what).await?;
    let set = RuleSet::new(config.rules.iter().map(|rule| rule.rule.clone()).collect());
    let names: Vec<RuleName> = config.rules.iter().map(|rule| rule.rule.name.clone()).collect();
    let path = path(&store, id, (&set, &names)).await?;
    if context.json {
        context.out.json(&as_json(&path))?;
    } else {
        print(&mut context, &path, args.all)?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The story that is meant: by its id, that of an alert, or a link.
async fn story_of(store: &Store, what: &str) -> Result<String, CliError> {
    let mut query = ArchiveQuery { limit: 1, ..ArchiveQuery::default() };
    if what.contains("://") {
        query.url = Some(what.to_owned());
    } else {
        query.story = Some(what.to_owned());
    }
    if let Some(found) = store.archive(query).await?.into_iter().next() {
        return Ok(found.story);
    }
    if let Some(story) = store.story_of_alert(what.to_owned()).await? {
        return Ok(story);
    }
    let message = match store.merged_into(what.to_owned()).await? {
        Some(into) => format!("story {what} is part of {into} now: `wirewatch why {into}`"),
        None if what.contains("://") => format!(
            "no stored entry has the link \"{what}\": no feed showed it, or it is older than what \
             is kept; `wirewatch search` looks for words, `wirewatch feeds` shows which feeds fail"
        ),
        None => format!(
            "there is no story or alert \"{what}\"; `wirewatch stories` and `wirewatch alerts` list \
             what there is"
        ),
    };
    Err(CliError::Failed(message))
}

async fn path(
    store: &Store,
    id: String,
    (set, names): (&RuleSet, &[RuleName]),
) -> Result<Path, CliError> {
    let tellings = store.tellings(id.clone()).await?;
    let mut matches = Vec::new();
    for found in store.story_matches(id.clone()).await? {
        let said = match &found.alert {
            Some(alert) => store.feedback(alert.clone()).await?,
            None => Vec::new(),
        };
        matches.push((found, said));
    }
    let query = ArchiveQuery { story: Some(id.clone()), limit: ASKED, ..ArchiveQuery::default() };
    let stored = store.archive(query).await?;
    let unmatched =
        names.iter().filter(|name| !matches.iter().any(|(found, _)| found.rule == name.as_str()));
    let others: Vec<(String, String)> =
        unmatched.map(|name| (name.to_string(), closest(set, name, &stored))).collect();
    let deliveries = store.ledger(id.clone()).await?;
    let pages = store.story_pages(id.clone()).await?;
    let merged_into = if tellings.is_empty() { store.merged_into(id.clone()).await? } else { None };
    // Rules see tellings, and this story has none any more.
    let others = if merged_into.is_some() { Vec::new() } else { others };
    Ok(Path { id, merged_into, tellings, matches, deliveries, pages, others })
}

/// Why a rule did not match, by its own words about the first telling.
fn closest(set: &RuleSet, rule: &RuleName, stored: &[Archived]) -> String {
    let mut reasons = stored.iter().rev().filter_map(|archived| {
        let item = Item::of_entry(&archived.entry, &archived.feed);
        match set.explain(rule, &item)? {
            Verdict::Fails { reason, .. } => Some(reason),
            // The rule is younger than the story.
            Verdict::Holds(_) => Some(format!(
                "it would match now; the story was judged when it was new or revised ({})",
                short(archived.first_seen)
            )),
        }
    });
    let first = reasons.next().unwrap_or_default();
    reasons.find(|reason| reason.starts_with("it would")).unwrap_or(first)
}

fn print(context: &mut Context, path: &Path, all: bool) -> Result<(), CliError> {
    let title = path.tellings.first().map(|telling| one_line(&telling.title)).unwrap_or_default();
    match &path.merged_into {
        Some(into) => context.out.line(format!(
            "story {}: its tellings are part of {into} now; `wirewatch why {into}` shows them",
            path.id
        ))?,
        None => context.out.line(format!("story {}: {title}", path.id))?,
    }
    for telling in &path.tellings {
        let published = telling.published.map_or_else(String::new, |at| {
            format!(", published {}{}", short(at), after(at, telling.at))
        });
        let outlet = one_line(&telling.outlet);
        context.out.line(format!("  seen {} in {outlet}{published}", short(telling.at)))?;
        context.out.line(format!("    {}", stories::reason(telling)))?;
    }
    for page in &path.pages {
        context.out.line(page_line(page))?;
    }
    for (found, said) in &path.matches {
        context.out.line(format!("rule {}: {}", found.rule, stories::outcome(found)))?;
        let mine = path.deliveries.iter().filter(|row| row.rule == found.rule);
        let mine: Vec<&LedgerRow> = mine.collect();
        if found.alert.is_some() && mine.is_empty() {
            context.out.line("  recorded only: the rule has no channels")?;
        }
        for row in mine {
            print_delivery(context, row)?;
        }
        for said in said {
            context.out.line(format!("  {}", feedback(said)))?;
        }
    }
    let shown = if all { path.others.len() } else { NAMED };
    for (rule, reason) in path.others.iter().take(shown) {
        context.out.line(format!("rule {rule}: did not match: {}", one_line(reason)))?;
    }
    if path.others.len() > shown {
        let hidden = path.others.len() - shown;
        context
            .out
            .line(format!("and {hidden} rules more that did not match; --all names them"))?;
    }
    Ok(())
}

fn print_delivery(context: &mut Context, row: &LedgerRow) -> Result<(), CliError> {
    let to = if row.recipient.is_empty() { String::new() } else { format!(" {}", row.recipient) };
    let role = if row.role == "alert" { String::new() } else { format!("{} ", row.role) };
    context.out.line(format!("  {role}to {}{to}: {}", row.channel, said_of(row)))?;
    for (number, one) in row.tries.iter().enumerate() {
        let took = after(one.started_at, one.finished_at);
        let answer = one_line(&one.answer);
        let number = number + 1;
        let at = short(one.started_at);
        context.out.line(format!("    try {number} at {at}{took}: {}, {answer}", one.outcome))?;
    }
    Ok(())
}

/// The one end, or the present state, of a delivery.
fn ledger_word(row: &LedgerRow) -> &'static str {
    let state = row.digest.as_ref().map_or(row.state.as_str(), |(_, state)| state.as_str());
    match (state, &row.reason) {
        ("sent", _) => "delivered",
        ("suppressed", _) => "suppressed",
        ("failed", _) => "dead",
        (_, Some(_)) if row.digest.is_none() => "held",
        _ => "waiting",
    }
}

fn said_of(row: &LedgerRow) -> String {
    let reason = row.reason.as_deref().map(one_line).unwrap_or_default();
    let word = ledger_word(row);
    let by = row.digest.as_ref().map_or_else(String::new, |(id, _)| format!(" in digest {id}"));
    let end = row.finished_at.map_or_else(String::new, |at| format!(" {}", short(at)));
    match word {
        "suppressed" => format!("suppressed{end}: {reason}"),
        "held" => format!("held until {}: {reason}", short(row.due_at)),
        "waiting" => format!("waiting, due {}{by}", short(row.due_at)),
        _ => format!(
            "{word}{end}{by}{}",
            after(row.created_at, row.finished_at.unwrap_or(row.created_at))
        ),
    }
}

fn feedback(said: &Feedback) -> String {
    let until = said.until.map_or_else(String::new, |until| format!(" until {}", short(until)));
    let comment = match said.comment.as_str() {
        "" => String::new(),
        comment => format!(": {}", one_line(comment)),
    };
    format!("{}{until} by {} at {}{comment}", said.kind, one_line(&said.author), short(said.at))
}

/// " (after 2s)", where there is anything to say.
fn after(from: Timestamp, to: Timestamp) -> String {
    let took = to.duration_since(from);
    let took = SignedDuration::from_millis(took.as_millis() as i64);
    if took <= SignedDuration::ZERO { String::new() } else { format!(" (after {took:#})") }
}

fn as_json(path: &Path) -> Value {
    let telling = |row: &TellingRow| {
        json!({
            "feed": row.feed, "name": row.outlet, "title": row.title, "url": row.url,
            "published": time(row.published), "seen": time(Some(row.at)),
            "how": row.how, "reason": stories::reason(row),
        })
    };
    let rules = path.matches.iter().map(|(found, said)| {
        let mine = path.deliveries.iter().filter(|row| row.rule == found.rule);
        let said = said.iter().map(|said| {
            json!({
                "kind": said.kind, "at": time(Some(said.at)), "until": time(said.until),
                "author": said.author, "comment": said.comment,
            })
        });
        json!({
            "rule": found.rule, "matched": time(Some(found.at)), "state": found.state,
            "outcome": stories::outcome(found), "alert": found.alert,
            "deliveries": mine.map(delivery_json).collect::<Vec<_>>(),
            "updates": found.updates.iter().map(|update| json!({
                "id": update.id.as_str(), "kind": update.kind, "text": update.text,
                "at": time(Some(update.at)),
            })).collect::<Vec<_>>(),
            "feedback": said.collect::<Vec<_>>(),
        })
    });
    let others = path.others.iter().map(|(rule, reason)| json!({ "rule": rule, "reason": reason }));
    json!({
        "story": path.id, "merged_into": path.merged_into,
        "tellings": path.tellings.iter().map(telling).collect::<Vec<_>>(),
        "pages": path.pages.iter().map(page_json).collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "unmatched": others.collect::<Vec<_>>(),
    })
}

fn page_json(page: &PageRow) -> Value {
    json!({
        "entry": page.entry.0, "url": page.url, "state": page.state, "reason": page.reason,
        "at": time(page.at), "words": page.words,
    })
}

/// What became of a page behind a telling.
fn page_line(page: &PageRow) -> String {
    let what = match page.state.as_str() {
        "read" => format!("read, {} words", page.words),
        "waiting" => "waits to be read".to_owned(),
        "spared" => "not needed".to_owned(),
        _ => "gave no text, the feed's stands".to_owned(),
    };
    let reason = page.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("  page {}: {what}{reason}", page.url)
}

fn delivery_json(row: &LedgerRow) -> Value {
    let one = |one: &Try| {
        json!({
            "started": time(Some(one.started_at)), "finished": time(Some(one.finished_at)),
            "outcome": one.outcome, "answer": one.answer,
        })
    };
    json!({
        "id": row.id, "alert": row.alert, "role": row.role, "channel": row.channel,
        "recipient": row.recipient, "ledger": ledger_word(row), "state": row.state,
        "reason": row.reason, "created": time(Some(row.created_at)), "due": time(Some(row.due_at)),
        "finished": time(row.finished_at),
        "digest": row.digest.as_ref().map(|(id, _)| id),
        "attempts": row.tries.iter().map(one).collect::<Vec<_>>(),
    })
}
