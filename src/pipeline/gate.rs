//! Routes deliveries that are due, for one channel, inside the claim.

use jiff::Timestamp;

use super::Watched;
use crate::alert::{self, ChannelPolicy};
use crate::model::{ChannelName, DeliveryId, Due, Route, Silence};
use crate::store::{DigestIds, Gate};

/// A channel's policy, the newest at every question: a claim may take many
/// transactions, and what a reload releases meanwhile must meet the new one.
pub(super) struct ChannelGate {
    live: Watched,
    channel: ChannelName,
    now: Timestamp,
}

impl ChannelGate {
    pub(super) fn new(live: &Watched, channel: &ChannelName, now: Timestamp) -> Self {
        Self { live: live.clone(), channel: channel.clone(), now }
    }

    fn policy(&self) -> ChannelPolicy {
        self.live.borrow().policy.channels.get(&self.channel).cloned().unwrap_or_default()
    }
}

impl Gate for ChannelGate {
    fn budget(&self) -> usize {
        self.policy().max_per_hour.map_or(0, |most| most as usize)
    }

    fn groups_since(&self) -> Option<Timestamp> {
        let interval = self.policy().group_interval;
        if interval.is_zero() { None } else { self.now.checked_sub(interval).ok() }
    }

    fn route(&self, due: &Due, silences: &[Silence]) -> Route {
        alert::route(&self.policy(), due, silences, self.now)
    }

    fn suppressed(&self, due: &Due, silences: &[Silence]) -> Option<String> {
        alert::suppressed(&self.policy(), due, silences, self.now)
    }

    fn group(&self, due: &Due) -> Option<String> {
        alert::group_key(&self.policy(), due)
    }

    fn digest(&self, channel: &ChannelName, recipient: &str, members: &[DeliveryId]) -> DigestIds {
        // From its members alone, so that a repetition has the same ids.
        let mut about = vec!["digest", channel.as_str(), recipient];
        about.extend(members.iter().map(DeliveryId::as_str));
        DigestIds { digest: alert::digest_id(&about), delivery: alert::derived_id(&about) }
    }
}
