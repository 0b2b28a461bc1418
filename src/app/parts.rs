//! A configuration as the parts that loops are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::{AppError, ScratchFiles};
use crate::alert::{Policy, RulePolicy};
use crate::config::{Config, RuleConfig};
use crate::deliver::{self, Channel, ChannelOptions};
use crate::fetch;
use crate::model::ChannelName;
use crate::pipeline::{Live, Ping, Wants, Wish};
use crate::rule::{Rule, RuleSet};
use crate::story::Memory;

/// Channels by name, with the options they were made of.
pub(super) type BuiltChannels = BTreeMap<ChannelName, (ChannelOptions, Arc<dyn Channel>)>;

pub(super) fn build_channels(config: &Config) -> Result<BuiltChannels, AppError> {
    let agent = user_agent(config);
    let built = config.channels.iter().map(|(name, options)| {
        let channel = deliver::build(name, options, &agent)
            .map_err(|error| AppError::Channel(name.clone(), error))?;
        Ok((name.clone(), (options.clone(), channel)))
    });
    built.collect()
}

/// The part of a configuration that the loops follow.
pub(super) fn live(config: &Config, channels: &BuiltChannels, gather: SignedDuration) -> Live {
    let recipients =
        channels.iter().map(|(name, (_, channel))| (name.clone(), channel.recipients()));
    let mut live = Live {
        feeds: config.feeds.iter().map(|feed| (feed.name.clone(), feed.clone())).collect(),
        callbacks: config.http.public_url.clone(),
        concurrency: config.fetch.concurrency,
        page_budget: config.fulltext.budget,
        pages_at_once: config.fulltext.concurrency,
        retention: config.retention,
        notified: config.operator.notify.clone(),
        quiet_notices: config.operator.quiet_kinds(),
        heartbeat: config.operator.heartbeat.clone(),
        ping: config.operator.ping.clone().map(|(url, every, allow_private)| Ping {
            url,
            every,
            allow_private,
            user_agent: user_agent(config),
        }),
        ..decisions(&config.rules, recipients.collect(), gather)
    };
    live.policy.channels = config.policies.clone();
    live
}

/// The memory of stories, which writes beside the database.
pub(super) fn stories(config: &Config) -> Arc<Memory> {
    Arc::new(Memory::on(Arc::new(ScratchFiles::beside(&config.store))))
}

/// Rules and policy alone: what a replay needs.
pub fn decisions(
    rules: &[RuleConfig],
    recipients: BTreeMap<ChannelName, Vec<String>>,
    gather: SignedDuration,
) -> Live {
    let policies = rules.iter().map(|rule| {
        let policy = RulePolicy {
            title: rule.title.clone(),
            severity: rule.severity,
            channels: rule.channels.clone(),
            min_sources: rule.min_sources,
            on_update: rule.on_update,
            repeat: rule.repeat,
            escalate: rule.escalate.clone(),
        };
        (rule.rule.name.clone(), policy)
    });
    Live {
        policy: Policy { rules: policies.collect(), recipients, gather, channels: BTreeMap::new() },
        rules: RuleSet::new(rules.iter().map(|rule| rule.rule.clone()).collect()),
        wants: wants(rules),
        ..Live::default()
    }
}

fn wants(rules: &[RuleConfig]) -> Wants {
    let wishes = rules.iter().map(|rule| Wish {
        rule: rule.rule.name.clone(),
        mode: rule.fulltext,
        feeds: rule.rule.feeds.clone(),
        languages: rule.rule.languages.clone(),
        gated: rule.fulltext_if.is_some(),
    });
    let gates = rules
        .iter()
        .filter_map(|rule| Some(Rule { compiled: rule.fulltext_if.clone()?, ..rule.rule.clone() }));
    Wants { rules: wishes.collect(), gates: RuleSet::new(gates.collect()) }
}

/// How a configuration wants feeds to be fetched.
pub fn fetch_options(config: &Config) -> fetch::Options {
    fetch::Options {
        user_agent: user_agent(config),
        connect_timeout: config.fetch.connect_timeout,
        timeout: config.fetch.timeout,
        max_body: config.fetch.max_body,
        ca_file: config.fetch.ca_file.clone(),
        limits: fetch::Limits {
            headers: config.fetch.header_timeout,
            idle: config.fetch.idle_timeout,
            ..fetch::Limits::default()
        },
    }
}

fn user_agent(config: &Config) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match &config.contact {
        Some(contact) => format!("wirewatch/{version} (+{contact})"),
        None => format!("wirewatch/{version} (news feed monitor)"),
    }
}

/// Channels that group alerts of a rule no more, or never did.
pub(super) fn ungrouped(config: &Config) -> Vec<ChannelName> {
    let groups = |name: &ChannelName| {
        config
            .policies
            .get(name)
            .is_some_and(|policy| !policy.group_wait.is_zero() || !policy.group_interval.is_zero())
    };
    config.channels.keys().filter(|name| !groups(name)).cloned().collect()
}
