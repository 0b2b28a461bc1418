//! What the loops have done since the start, for whoever draws curves of it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds: from "at once" to "after a night".
const LATENCIES: [f64; 12] =
    [0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0];

/// How a visit or an attempt ended; few words, so that there are few curves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Visit {
    result: &'static str,
}

/// A channel's attempts by how they ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Try {
    channel: String,
    result: &'static str,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Channel {
    channel: String,
}

/// Counters that all loops share.
#[derive(Clone, Debug)]
pub struct Meter {
    visits: Family<Visit, Counter>,
    attempts: Family<Try, Counter>,
    latency: Family<Channel, Histogram, fn() -> Histogram>,
    pushes: Family<Visit, Counter>,
    pages: Family<Visit, Counter>,
}

impl Default for Meter {
    fn default() -> Self {
        let latency: fn() -> Histogram = || Histogram::new(LATENCIES);
        Self {
            visits: Family::default(),
            attempts: Family::default(),
            latency: Family::new_with_constructor(latency),
            pushes: Family::default(),
            pages: Family::default(),
        }
    }
}

impl Meter {
    /// Counts a visit to a feed.
    pub(super) fn visited(&self, result: &'static str) {
        self.visits.get_or_create(&Visit { result }).inc();
    }

    /// Counts a document that a hub brought.
    pub(super) fn pushed(&self, result: &'static str) {
        self.pushes.get_or_create(&Visit { result }).inc();
    }

    /// Counts a page behind an entry that was asked for.
    pub(super) fn paged(&self, result: &'static str) {
        self.pages.get_or_create(&Visit { result }).inc();
    }

    /// Counts a try to deliver.
    pub(super) fn tried(&self, channel: &str, result: &'static str) {
        self.attempts.get_or_create(&Try { channel: channel.to_owned(), result }).inc();
    }

    /// Notes how long a delivery took, in seconds from its decision to its
    /// acceptance.
    pub(super) fn delivered(&self, channel: &str, seconds: f64) {
        let channel = Channel { channel: channel.to_owned() };
        self.latency.get_or_create(&channel).observe(seconds.max(0.0));
    }

    /// Has them shown.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "wirewatch_feed_visits",
            "Visits to feeds since the start, by result",
            self.visits.clone(),
        );
        registry.register(
            "wirewatch_pushes",
            "Documents that hubs brought and pings of clouds since the start, by result",
            self.pushes.clone(),
        );
        registry.register(
            "wirewatch_pages",
            "Pages behind entries that were asked for since the start, by result",
            self.pages.clone(),
        );
        registry.register(
            "wirewatch_delivery_attempts",
            "Tries to deliver since the start, by channel and result",
            self.attempts.clone(),
        );
        registry.register(
            "wirewatch_delivery_latency_seconds",
            "From the decision to tell to the receiver's acceptance; of a digest from when it was made",
            self.latency.clone(),
        );
    }
}
