//! What the loops follow and a reload replaces: rules, feeds, policy.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use crate::alert::{DayTime, Policy};
use crate::model::{ChannelName, Feed, FeedName, NoticeKind, PageBudget};
use crate::rule::RuleSet;

/// The watched part of a configuration, swapped whole.
#[derive(Default)]
pub struct Live {
    /// Compiled rules.
    pub rules: RuleSet,
    /// What rules and channels want done with matches.
    pub policy: Policy,
    /// Stories that may still grow; handed on by a reload.
    pub stories: std::sync::Arc<crate::story::Memory>,
    /// Feeds by name.
    pub feeds: HashMap<FeedName, Feed>,
    /// What rules want of pages behind entries.
    pub wants: super::Wants,
    /// What each host is asked for at most in a day.
    pub page_budget: PageBudget,
    /// Pages read at the same time.
    pub pages_at_once: usize,
    /// The base of the addresses that hubs are given; none if they cannot reach us.
    pub callbacks: Option<url::Url>,
    /// Requests under way at once, all hosts together.
    pub concurrency: usize,
    /// How long a story is kept after it was last carried.
    pub retention: jiff::SignedDuration,
    /// Channels that are told of notices about feeds.
    pub notified: Vec<ChannelName>,
    /// Kinds of notices that are only listed.
    pub quiet_notices: Vec<NoticeKind>,
    /// When heartbeats are sent, in which zone.
    pub heartbeat: Option<(Vec<DayTime>, TimeZone)>,
    /// What is asked for while all is alive, and how often.
    pub ping: Option<super::Ping>,
}

/// How the loops see it: always the newest, never half of one.
pub type Watched = tokio::sync::watch::Receiver<std::sync::Arc<Live>>;
