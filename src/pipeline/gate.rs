//! Routes deliveries that are due, for one channel, inside the claim.

use std::sync::Arc;

use jiff::Timestamp;

use super::Live;
use crate::alert::{self, ChannelPolicy};
use crate::model::{ChannelName, DeliveryId, Due, Route, Silence};
use crate::store::{DigestIds, Gate};

/// A channel's policy as it is now.
pub(super) struct ChannelGate {
    policy: ChannelPolicy,
    now: Timestamp,
}

impl ChannelGate {
    pub(super) fn new(live: &Arc<Live>, channel: &ChannelName, now: Timestamp) -> Self {
        Self { policy: live.policy.channels.get(channel).cloned().unwrap_or_default(), now }
    }
}

impl Gate for ChannelGate {
    fn budget(&self) -> usize {
        self.policy.max_per_hour.map_or(0, |most| most as usize)
    }

    fn groups_since(&self) -> Option<Timestamp> {
        let interval = self.policy.group_interval;
        if interval.is_zero() { None } else { self.now.checked_sub(interval).ok() }
    }

    fn route(&self, due: &Due, silences: &[Silence]) -> Route {
        alert::route(&self.policy, due, silences, self.now)
    }

    fn digest(&self, channel: &ChannelName, recipient: &str, members: &[DeliveryId]) -> DigestIds {
        // From its members alone, so that a repetition has the same ids.
        let mut about = vec!["digest", channel.as_str(), recipient];
        about.extend(members.iter().map(DeliveryId::as_str));
        DigestIds { digest: alert::digest_id(&about), delivery: alert::derived_id(&about) }
    }
}
