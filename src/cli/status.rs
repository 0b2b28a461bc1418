//! `status`: what is healthy and what is not.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::StatusArgs;
use super::latency::{Stage, latency, latency_json, latency_line};
use super::{CliError, Context, FAILED};
use crate::config::Config;
use crate::model::{ChannelName, Clock, PushProtocol, Subscription, SubscriptionState};
use crate::store::{FeedRow, Filter, Overview, PageHost, PageTally, Pause, Store};

/// A delivery that waits longer than this is a symptom.
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// A feed that has not been tried for this long after it was due, likewise.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);

/// Deliveries of so long are what latencies are taken from.
const MEASURED: SignedDuration = SignedDuration::from_hours(24);

/// Hosts of pages that are named.
const HOSTS: usize = 10;

struct State {
    latency: Vec<Stage>,
    running: bool,
    overview: Overview,
    feeds: Vec<FeedRow>,
    subscriptions: Vec<Subscription>,
    paused: Vec<(ChannelName, Pause)>,
    problems: Vec<String>,
    pages: PageTally,
}

pub(super) async fn run(mut context: Context, args: StatusArgs) -> Result<ExitCode, CliError> {
    let config = match context.load() {
        Ok(config) => config,
        Err(CliError::Config(_)) if args.quiet => return Ok(ExitCode::from(FAILED)),
        Err(error) => return Err(error),
    };
    let state = look(&config).await;
    if args.quiet {
        let healthy = state.is_ok_and(|state| state.problems.is_empty());
        return Ok(ExitCode::from(if healthy { 0 } else { FAILED }));
    }
    let state = state?;
    if context.json {
        context.out.json(&as_json(&state))?;
    } else {
        for line in as_text(&state) {
            context.out.line(line)?;
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn look(config: &Config) -> Result<State, CliError> {
    let path = config.store.as_path();
    let store = Store::attach(path)?;
    let overview = store.overview().await?;
    let feeds = store.feeds(Filter { limit: 100_000, ..Filter::default() }).await?;
    let subscriptions = store.subscriptions().await?;
    let running = Store::is_served(path);
    let now = Clock::System.now();
    let since = now.checked_sub(MEASURED).unwrap_or(now);
    let latency = latency(&store.passages(since).await?);
    let mut problems = problems(running, &overview, &feeds, now);
    for (channel, count) in store.waiting_before(jiff::Timestamp::MAX).await? {
        if !config.channels.contains_key(&channel) {
            problems.push(format!(
                "{count} deliveries wait for \"{channel}\", which is not configured"
            ));
        }
    }
    let mut paused = store.pauses(now).await?;
    paused.retain(|(channel, _)| config.channels.contains_key(channel));
    let locked = paused.iter().filter(|(_, pause)| pause.until_start);
    problems.extend(
        locked.map(|(channel, pause)| {
            format!("channel \"{channel}\" is not let in: {}", pause.reason)
        }),
    );
    let pages = store.page_tally(now, HOSTS).await?;
    Ok(State { pages, latency, running, overview, feeds, subscriptions, paused, problems })
}

/// What is wrong, worst first. A single failing feed is not: the world is.
fn problems(running: bool, overview: &Overview, feeds: &[FeedRow], now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    if !running {
        found.push("the daemon is not running".to_string());
    }
    if let Some(oldest) = overview.oldest_waiting
        && now.duration_since(oldest) > LATE
    {
        found.push(format!("a delivery has been waiting since {oldest}"));
    }
    if overview.feeds > 0 && overview.feeds_unread() == overview.feeds {
        found.push("no feed can be read".to_string());
    }
    let overdue = feeds
        .iter()
        .filter(|feed| feed.health != "gone" && now.duration_since(feed.next_due) > OVERDUE);
    match overdue.count() {
        0 => {}
        count if running => found.push(format!("{count} feeds are overdue")),
        _ => {}
    }
    found
}

fn as_json(state: &State) -> Value {
    let overview = &state.overview;
    let feeds: Vec<Value> = state.feeds.iter().map(super::lists::feed_json).collect();
    let paused = state.paused.iter().map(|(channel, pause)| {
        json!({ "channel": channel.as_str(), "until": pause.until.to_string(), "reason": pause.reason })
    });
    json!({
        "healthy": state.problems.is_empty(),
        "problems": state.problems,
        "running": state.running,
        "feeds": {
            "total": overview.feeds, "ok": overview.feeds_ok, "new": overview.feeds_new,
            "degraded": overview.feeds_degraded, "silent": overview.feeds_silent,
            "failing": overview.feeds_failing, "down": overview.feeds_down,
            "challenged": overview.feeds_challenged, "gone": overview.feeds_gone, "list": feeds,
        },
        "subscriptions": state.subscriptions.iter().map(subscription_json).collect::<Vec<_>>(),
        "entries": overview.entries,
        "stories": overview.stories,
        "matches": overview.matches,
        "alerts": overview.alerts,
        "deliveries": {
            "sent": overview.sent, "waiting": overview.waiting, "failed": overview.failed,
            "held": overview.held, "suppressed": overview.suppressed,
            "oldest_waiting": overview.oldest_waiting.map(|when| when.to_string()),
        },
        "paused": paused.collect::<Vec<_>>(),
        "pages": pages_json(&state.pages),
        "latency": latency_json(&state.latency),
        "last_success": overview.last_success.map(|when| when.to_string()),
    })
}

fn pages_json(pages: &PageTally) -> Value {
    let hosts = pages.hosts.iter().map(|host| {
        json!({
            "host": host.host, "pages_today": host.pages, "bytes_today": host.bytes,
            "read": host.good, "unread": host.bad, "last_error": host.last_error,
            "rests_until": host.rests_until.map(|until| until.to_string()),
        })
    });
    json!({
        "waiting": pages.waiting, "put_off": pages.put_off, "read": pages.read, "unread": pages.unread,
        "spared": pages.spared, "hosts": hosts.collect::<Vec<_>>(),
    })
}

/// The pages behind entries, where any were wanted.
fn page_lines(pages: &PageTally) -> Vec<String> {
    if pages.waiting + pages.read + pages.unread + pages.spared == 0 {
        return Vec::new();
    }
    let put_off = match pages.put_off {
        0 => String::new(),
        pages => format!(" ({pages} until their host's budget has room)"),
    };
    let mut lines = vec![format!(
        "pages: {} read, {} waiting{put_off}, {} without a text, {} not needed",
        pages.read, pages.waiting, pages.unread, pages.spared
    )];
    lines.extend(pages.hosts.iter().filter(|host| host.bad > 0).map(host_line));
    lines
}

fn host_line(host: &PageHost) -> String {
    let rests = host.rests_until.map_or_else(String::new, |until| format!(", rests until {until}"));
    format!(
        "  {}: {} read, {} without a text{rests}; last: {}",
        host.host,
        host.good,
        host.bad,
        host.last_error.as_deref().unwrap_or("-")
    )
}

fn as_text(state: &State) -> Vec<String> {
    let overview = &state.overview;
    let mut lines =
        vec![format!("daemon: {}", if state.running { "running" } else { "not running" })];
    lines.push(feeds_line(overview));
    lines.extend(pushed_lines(&state.subscriptions));
    lines.push(format!(
        "kept: {} entries, {} stories, {} matches, {} alerts",
        overview.entries, overview.stories, overview.matches, overview.alerts
    ));
    let oldest = overview.oldest_waiting.map_or_else(String::new, |w| format!(", oldest from {w}"));
    lines.push(format!(
        "deliveries: {} sent, {} waiting ({} held), {} failed, {} suppressed{oldest}",
        overview.sent, overview.waiting, overview.held, overview.failed, overview.suppressed
    ));
    lines.extend(page_lines(&state.pages));
    lines.extend(latency_line(&state.latency));
    for feed in state.feeds.iter().filter(|feed| !matches!(&*feed.health, "ok" | "new")) {
        let reason = feed
            .last_error
            .as_ref()
            .map_or_else(String::new, |error| format!(" ({} failures): {error}", feed.failures));
        lines.push(format!(
            "feed \"{}\" is {}{}{reason}; next poll {}",
            feed.name,
            feed.health,
            feed.health_since.map_or_else(String::new, |since| format!(" since {since}")),
            if feed.health == "gone" { "never".to_string() } else { feed.next_due.to_string() }
        ));
    }
    lines.extend(state.paused.iter().map(|(channel, pause)| {
        let reason = &pause.reason;
        format!("channel \"{channel}\" sends nothing until {}: {reason}", pause.until)
    }));
    if overview.failed > 0 {
        lines.push(
            "see `wirewatch deliveries --state failed`; `deliveries retry --all` sends them again"
                .to_string(),
        );
    }
    match state.problems.as_slice() {
        [] => lines.push("healthy".to_string()),
        problems => lines.extend(problems.iter().map(|problem| format!("problem: {problem}"))),
    }
    lines
}

fn subscription_json(subscription: &Subscription) -> Value {
    let time = |when: Option<Timestamp>| when.map(|when| when.to_string());
    json!({
        "feed": subscription.feed.as_str(), "state": subscription.state.as_str(),
        "protocol": subscription.protocol.as_str(),
        "hub": subscription.hub, "lease_until": time(subscription.lease_until),
        "last_push": time(subscription.last_push), "pushes": subscription.pushes,
        "not_relied_on_until": time(subscription.distrust_until),
        "error": subscription.last_error,
    })
}

/// How many subscriptions there are in each state at hubs, and at clouds;
/// nothing where there are none.
fn pushed_lines(subscriptions: &[Subscription]) -> impl Iterator<Item = String> {
    PushProtocol::ALL.into_iter().filter_map(|protocol| {
        let of_it = || subscriptions.iter().filter(move |one| one.protocol == protocol);
        let counted = SubscriptionState::ALL.map(|state| {
            let count = of_it().filter(|one| one.state == state).count();
            (count > 0).then(|| format!("{count} {}", state.as_str()))
        });
        let parts: Vec<String> = counted.into_iter().flatten().collect();
        let (place, what) = match protocol {
            PushProtocol::WebSub => ("hubs", "push"),
            PushProtocol::RssCloud => ("clouds", "ping"),
        };
        let last = of_it().filter_map(|one| one.last_push).max();
        let last = last.map_or_else(String::new, |last| format!("; last {what} {last}"));
        (!parts.is_empty()).then(|| format!("{place}: {}{last}", parts.join(", ")))
    })
}

/// How many feeds there are in each state that any is in.
fn feeds_line(overview: &Overview) -> String {
    let states = [
        (overview.feeds_ok, "ok"),
        (overview.feeds_new, "new"),
        (overview.feeds_degraded, "degraded"),
        (overview.feeds_silent, "silent"),
        (overview.feeds_failing, "failing"),
        (overview.feeds_down, "down"),
        (overview.feeds_challenged, "challenged"),
        (overview.feeds_gone, "gone"),
    ];
    let shown = states.iter().filter(|(count, state)| *count > 0 || *state == "ok");
    let parts: Vec<String> = shown.map(|(count, state)| format!("{count} {state}")).collect();
    format!("feeds: {}, {}", overview.feeds, parts.join(", "))
}
