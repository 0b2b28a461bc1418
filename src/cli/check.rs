//! `check`: what is wrong with the configuration, and what it would do.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{BAD_CONFIG, CliError, Context, output};
use crate::alert::{ChannelPolicy, DayTime, Hours};
use crate::config::{self, Config, Environment, Problem};
use crate::deliver::ChannelOptions;
use crate::model::{Fulltext, Interval, Severity, shown};
use crate::rule::RuleSet;

pub(super) async fn run(mut context: Context) -> Result<ExitCode, CliError> {
    let path = context.config_path()?;
    let loaded = config::load(&path, &Environment::from_process());
    if context.json {
        let (problems, valid): (Vec<Value>, bool) = match &loaded {
            Ok(config) => (config.warnings.iter().map(problem_json).collect(), true),
            Err(problems) => (problems.list.iter().map(problem_json).collect(), false),
        };
        let remarks = loaded.as_ref().map_or_else(|_| Vec::new(), lint);
        context.out.json(&json!({ "valid": valid, "problems": problems, "remarks": remarks }))?;
        context.out.flush()?;
        return Ok(ExitCode::from(if valid { 0 } else { BAD_CONFIG }));
    }
    let config = loaded.map_err(|problems| CliError::Config(Box::new(problems)))?;
    for warning in &config.warnings {
        output::remark(&warning.render(false));
    }
    for remark in lint(&config) {
        output::remark(&remark);
    }
    for line in plan(&config) {
        context.out.line(line)?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What is allowed, but probably not meant.
fn lint(config: &Config) -> Vec<String> {
    let used: BTreeSet<String> = config
        .rules
        .iter()
        .flat_map(|rule| rule.rule.compiled.lists())
        .map(|(name, _)| name)
        .collect();
    let unused = config.terms.iter().filter(|(name, _)| !used.contains(name));
    let mut remarks: Vec<String> =
        unused.map(|(name, _)| format!("warning: no rule uses the list @{name}")).collect();
    let rules = RuleSet::new(config.rules.iter().map(|rule| rule.rule.clone()).collect());
    remarks.extend(rules.unindexed().iter().map(|rule| {
        format!(
            "warning: rule \"{rule}\" runs on every story, because no word must be in one for it \
             to hold"
        )
    }));
    remarks
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.as_str(),
        "file": problem.file.display().to_string(),
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
    })
}

/// What the daemon would do, in a few lines.
fn plan(config: &Config) -> Vec<String> {
    let mut lines = vec![format!(
        "the configuration is good: {} feeds, {} rules, {} channels",
        config.feeds.len(),
        config.rules.len(),
        config.channels.len()
    )];
    lines.push(format!("store: {}", config.store.display()));
    for feed in &config.feeds {
        let often = match feed.interval {
            Interval::Fixed(interval) => format!("every {interval:#}"),
            Interval::Adaptive => "as often as it brings news".to_string(),
        };
        let pages = match feed.fulltext {
            Some(Fulltext::Auto) => "; pages are read where its texts are short",
            Some(Fulltext::Always) => "; the page of each entry is read",
            Some(Fulltext::Never) | None => "",
        };
        lines.push(format!("feed {}: {} {often}{pages}", feed.name, shown(&feed.url)));
    }
    lines.extend(config.paused.iter().map(|feed| format!("feed {}: paused", feed.name)));
    for rule in &config.rules {
        let channels: Vec<&str> = rule.channels.iter().map(|name| name.as_str()).collect();
        let tells = match channels.as_slice() {
            [] => "recorded, tells nobody".to_string(),
            names => format!("tells {}", names.join(", ")),
        };
        let canonical = rule.rule.compiled.canonical();
        lines.push(format!("rule {} ({}): {tells}", rule.rule.name, rule.severity.as_str()));
        lines.push(format!("  {canonical}"));
    }
    for (name, options) in &config.channels {
        lines.push(format!("channel {name}: {}", describe(options)));
        lines.extend(config.policies.get(name).and_then(spared));
    }
    lines
}

/// What a channel's receivers are spared, if anything.
fn spared(policy: &ChannelPolicy) -> Option<String> {
    let all = |times: Vec<String>| (!times.is_empty()).then(|| times.join(" and "));
    let texts = |hours: &[Hours]| hours.iter().map(Hours::to_string).collect::<Vec<_>>();
    let times = |times: &[DayTime]| times.iter().map(DayTime::to_string).collect::<Vec<_>>();
    let span = |span: SignedDuration| (!span.is_zero()).then(|| format!("{span:#}"));
    let low = (policy.min_severity != Severity::Low).then(|| policy.min_severity.as_str());
    let parts = [
        all(texts(&policy.quiet)).map(|hours| format!("quiet {hours}")),
        all(times(&policy.digest)).map(|times| format!("digests at {times}")),
        policy.max_per_hour.map(|most| format!("at most {most} messages an hour")),
        span(policy.group_wait).map(|wait| format!("alerts of a rule wait {wait} for others")),
        span(policy.group_interval).map(|gap| format!("{gap} between two messages of a rule")),
        low.map(|least| format!("nothing below {least}")),
        policy.urgent.map(|least| format!("{} or above at once", least.as_str())),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    let zone = policy.zone.iana_name().unwrap_or("UTC");
    (!said.is_empty()).then(|| format!("  {} ({zone})", said.join("; ")))
}

fn describe(options: &ChannelOptions) -> String {
    match options {
        ChannelOptions::Console(_) => "prints to this terminal".to_string(),
        ChannelOptions::Email(email) => {
            format!("mails {} by {}:{}", email.to.join(", "), email.host, email.port)
        }
        // A webhook's path and query may be its secret.
        ChannelOptions::Webhook(webhook) => {
            let origin = url::Url::parse(&webhook.url)
                .map(|url| url.origin().ascii_serialization())
                .unwrap_or_default();
            format!("posts to {origin}")
        }
        ChannelOptions::Chat(chat) => {
            format!("posts to {} at {}", chat.service.kind(), chat.service.origin())
        }
        ChannelOptions::Exec(exec) => {
            format!("runs {}", exec.command.first().map_or("", String::as_str))
        }
        ChannelOptions::File(file) => format!("appends to {}", file.path.display()),
        ChannelOptions::Feed(feed) => {
            format!("keeps {} entries in {}", feed.entries, feed.path.display())
        }
    }
}
