//! The program's own loops, taken one turn at a time: feeds are read when the
//! test says so, and what is due is sent when the test says so, at the time
//! that its clock shows. A single round (`once`) does both at one moment, and
//! what goes wrong between the two would not be seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::Config;
use wirewatch::deliver::{self, Channel};
use wirewatch::fetch::Fetcher;
use wirewatch::model::ChannelName;
use wirewatch::pipeline::{self, Dispatcher, Live, Meter, Notifier, Poller};
use wirewatch::store::Store;

use crate::world::World;

pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) poller: Poller,
    pub(crate) notifier: Notifier,
    pub(crate) live: watch::Sender<Arc<Live>>,
    dispatchers: Vec<Dispatcher>,
    _fetcher: watch::Sender<Fetcher>,
    _hurried: watch::Sender<u64>,
}

impl Desk {
    /// Reads the feeds once, which makes the database, and stops there.
    pub(crate) async fn open(world: World, toml: &str) -> Self {
        let config = world.config(toml);
        world.once(&config).await;
        // As a command beside the program, which may come again.
        let store = Store::attach(&config.store).unwrap();
        let channels = channels(&config);
        let (live, watched) = watch::channel(Arc::new(decisions(&config, &channels)));
        let fetcher = Fetcher::new(&app::fetch_options(&config)).unwrap();
        let (_fetcher, fetcher) = watch::channel(fetcher);
        let (planned, _) = watch::channel(0);
        let clock = world.clock.clone();
        let (meter, desk) = (Meter::default(), pipeline::Desk::new(1));
        let (_hurried, hurried) = watch::channel(0);
        let store_too = store.clone();
        let poller = Poller {
            store: store_too,
            fetcher,
            live: watched,
            clock,
            meter,
            desk,
            planned,
            hurried,
        };
        let notifier = Notifier::beside(&poller);
        let dispatcher = |(name, channel)| Dispatcher {
            store: store.clone(),
            name,
            channel,
            live: live.subscribe(),
            clock: world.clock.clone(),
            meter: Meter::default(),
        };
        let dispatchers = channels.into_iter().map(dispatcher).collect();
        Self { world, store, poller, notifier, live, dispatchers, _fetcher, _hurried }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.world.clock.set(now);
    }

    /// Sets the clock, as a person or NTP does, and moves the schedule along
    /// with it, as the poll loop does when it notices.
    pub(crate) async fn jump(&self, by: SignedDuration) {
        self.set(self.now() + by);
        self.store.shift_schedule(by).await.unwrap();
    }

    /// Reads every feed.
    pub(crate) async fn poll(&self) {
        let report = self.poller.once(&CancellationToken::new(), |_| {}).await.unwrap();
        assert!(report.failed.is_empty() && report.store_error.is_none(), "{report:?}");
    }

    /// Sends what is due: a turn of each channel's loop.
    pub(crate) async fn dispatch(&self) {
        for dispatcher in &self.dispatchers {
            dispatcher.drain(&CancellationToken::new()).await.unwrap();
        }
    }
}

fn channels(config: &Config) -> BTreeMap<ChannelName, Arc<dyn Channel>> {
    let build = |(name, options)| {
        let channel = deliver::build(name, options, "wirewatch/test").unwrap();
        (ChannelName::clone(name), channel)
    };
    config.channels.iter().map(build).collect()
}

/// What the loops follow, as the program makes it of a configuration.
fn decisions(config: &Config, channels: &BTreeMap<ChannelName, Arc<dyn Channel>>) -> Live {
    let recipients = channels.iter().map(|(name, channel)| (name.clone(), channel.recipients()));
    let mut live = Live {
        feeds: config.feeds.iter().map(|feed| (feed.name.clone(), feed.clone())).collect(),
        concurrency: config.fetch.concurrency,
        retention: config.retention,
        notified: config.operator.notify.clone(),
        ..app::decisions(&config.rules, recipients.collect(), config.gather)
    };
    live.policy.channels = config.policies.clone();
    live
}
