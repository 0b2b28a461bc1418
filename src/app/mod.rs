//! Turns a configuration into running loops, and stops them.

mod callback;
mod endpoint;
mod guard;
mod once;
mod parts;
mod scratch;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, HttpConfig};
use crate::deliver::{BuildError, Channel, ChannelOptions};
use crate::fetch::{self, Fetcher, host_of};
use crate::model::{ChannelName, Clock, Feed};
use crate::net::NetError;
use crate::pipeline::{
    Desk, Dispatcher, Inspector, Live, Meter, Notifier, PageReader, PollStatus, Poller, Pulse,
    Sweeper, Watcher,
};
use crate::schedule;
use crate::serve;
use crate::store::{Store, StoreError, SyncReport};

use endpoint::{Endpoint, Vitality};
pub use guard::Guard;
pub use once::{OnceReport, once};
use parts::{BuiltChannels, build_channels, live, stories, ungrouped};
pub use parts::{decisions, fetch_options};
pub use scratch::ScratchFiles;

/// How long stopping waits for requests and sends under way.
const GRACE: Duration = Duration::from_secs(8);

/// Why the daemon cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A channel cannot be built from its options.
    #[error("channel \"{0}\": {1}")]
    Channel(ChannelName, BuildError),
    /// HTTP clients cannot be built.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A loop ended by itself, which none should.
    #[error("an internal loop ended unexpectedly; see the log")]
    LoopEnded,
}

/// What a reload changed, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Feeds added, changed, removed.
    pub feeds: SyncReport,
    /// Channels that are new or other than before.
    pub channels_started: Vec<ChannelName>,
    /// Channels that are no more, or made anew.
    pub channels_stopped: Vec<ChannelName>,
    /// Channels whose receivers are spared otherwise than before.
    pub policies_changed: Vec<ChannelName>,
}

/// The running daemon.
pub struct App {
    store: Store,
    clock: Clock,
    live: watch::Sender<Arc<Live>>,
    fetcher: watch::Sender<Fetcher>,
    fetch_options: fetch::Options,
    planned: watch::Sender<u64>,
    /// Counts what hubs brought.
    arrived: watch::Sender<u64>,
    /// Counts feeds that fell due out of turn.
    hurried: watch::Sender<u64>,
    polling: watch::Receiver<PollStatus>,
    channels: HashMap<ChannelName, RunningChannel>,
    pulse: Pulse,
    meter: Meter,
    endpoint: Endpoint,
    tracker: TaskTracker,
    stop: CancellationToken,
    /// Ends even what does not heed `stop`, after the grace period.
    abandon: CancellationToken,
    ended: CancellationToken,
}

struct RunningChannel {
    options: ChannelOptions,
    channel: Arc<dyn Channel>,
    stop: CancellationToken,
}

impl App {
    /// Opens the store, follows the configuration and starts all loops.
    ///
    /// # Errors
    /// When the database, a channel or a client cannot be made ready.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self, AppError> {
        let store = Store::open(&config.store)?;
        sync_feeds(&store, config, &clock).await?;
        warn_of_orphans(&store, config).await;
        store.release_held(ungrouped(config), clock.now()).await?;
        let channels = build_channels(config)?;
        let fetch_options = fetch_options(config);
        let (fetcher, _) = watch::channel(Fetcher::new(&fetch_options)?);
        let mut live = live(config, &channels, config.gather);
        live.stories = stories(config);
        let (live, _) = watch::channel(Arc::new(live));
        let (planned, _) = watch::channel(0);
        let (status, polling) = watch::channel(PollStatus { in_flight: 1, next: None });
        let mut app = Self {
            store,
            clock,
            live,
            fetcher,
            fetch_options,
            planned,
            arrived: watch::Sender::new(0),
            hurried: watch::Sender::new(0),
            polling,
            channels: HashMap::new(),
            pulse: guard::pulse(),
            meter: Meter::default(),
            endpoint: Endpoint::inherit(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            ended: CancellationToken::new(),
        };
        for (name, (options, channel)) in channels {
            app.start_channel(name, options, channel);
        }
        app.start_loops(config, status);
        app.follow_endpoint(&config.http);
        Ok(app)
    }

    /// Starts the loops that there is one of.
    fn start_loops(&self, config: &Config, status: watch::Sender<PollStatus>) {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let poller = Poller {
            store: store.clone(),
            fetcher: self.fetcher.subscribe(),
            live: self.live.subscribe(),
            clock: clock.clone(),
            planned: self.planned.clone(),
            meter: self.meter.clone(),
            desk: Desk::of_this_machine(),
            hurried: self.hurried.subscribe(),
        };
        let pages = PageReader::beside(&poller);
        self.own_loop(|stop, pulse| poller.run(stop, pulse, status));
        self.own_loop(|stop, pulse| pages.run(stop, pulse));
        let subscriber = self.subscriber();
        self.own_loop(|stop, pulse| subscriber.run(stop, pulse));
        let notifier = Notifier {
            store: store.clone(),
            clock: clock.clone(),
            live: self.live.subscribe(),
            planned: self.planned.clone(),
        };
        self.own_loop(|stop, pulse| notifier.run(stop, pulse));
        let watcher = Watcher {
            store: store.clone(),
            clock: clock.clone(),
            live: self.live.subscribe(),
            pulse: self.pulse.clone(),
            path: config.store.clone(),
        };
        self.own_loop(|stop, pulse| watcher.run(stop, pulse));
        let live = self.live.subscribe();
        let sweeper = Sweeper { store: store.clone(), clock: clock.clone(), live };
        self.own_loop(|stop, pulse| sweeper.run(stop, pulse));
        let inspector = Inspector { store, clock };
        self.own(self.stop.clone(), inspector.run(self.stop.clone()));
    }

    /// Follows another configuration. What did not change keeps going: timers,
    /// connections, channels. The store's path cannot change while running.
    ///
    /// # Errors
    /// When a channel or client cannot be built or the store fails; then the
    /// old configuration stays in force.
    pub async fn reload(&mut self, config: &Config) -> Result<Reloaded, AppError> {
        let mut built = build_channels(config)?;
        let options = fetch_options(config);
        let is_same = options == self.fetch_options;
        let fetcher = if is_same { None } else { Some(self.fetcher.borrow().renewed(&options)?) };
        for (name, running) in &self.channels {
            if let Some((options, channel)) = built.get_mut(name)
                && *options == running.options
            {
                *channel = Arc::clone(&running.channel);
            }
        }
        // Before the rows: a feed that is claimed must be found here.
        let mut new = live(config, &built, config.gather);
        new.stories = Arc::clone(&self.live.borrow().stories);
        let old = self.live.send_replace(Arc::new(new));
        let feeds = match sync_feeds(&self.store, config, &self.clock).await {
            Ok(feeds) => feeds,
            Err(error) => {
                self.live.send_replace(old);
                return Err(error.into());
            }
        };
        let mut reloaded = Reloaded { feeds, ..Reloaded::default() };
        if let Some(fetcher) = fetcher {
            self.fetcher.send_replace(fetcher);
            self.fetch_options = options;
        }
        self.follow_channels(built, &mut reloaded);
        self.store.end_set_up_pauses(reloaded.channels_started.clone()).await?;
        self.follow_endpoint(&config.http);
        reloaded.policies_changed = changed(&old.policy.channels, &config.policies);
        if !reloaded.policies_changed.is_empty() {
            self.store.release_held(ungrouped(config), self.clock.now()).await?;
        }
        warn_of_orphans(&self.store, config).await;
        self.planned.send_modify(|count| *count += 1);
        Ok(reloaded)
    }

    fn follow_channels(&mut self, built: BuiltChannels, reloaded: &mut Reloaded) {
        let kept = |name: &ChannelName, running: &RunningChannel| {
            built.get(name).is_some_and(|(options, _)| *options == running.options)
        };
        let stopped: Vec<ChannelName> = self
            .channels
            .iter()
            .filter(|(name, running)| !kept(name, running))
            .map(|(name, _)| name.clone())
            .collect();
        for name in stopped {
            if let Some(running) = self.channels.remove(&name) {
                running.stop.cancel();
            }
            reloaded.channels_stopped.push(name);
        }
        for (name, (options, channel)) in built {
            if !self.channels.contains_key(&name) {
                reloaded.channels_started.push(name.clone());
                self.start_channel(name, options, channel);
            }
        }
    }

    fn start_channel(
        &mut self,
        name: ChannelName,
        options: ChannelOptions,
        channel: Arc<dyn Channel>,
    ) {
        let stop = self.stop.child_token();
        let dispatcher = Dispatcher {
            store: self.store.clone(),
            name: name.clone(),
            channel: Arc::clone(&channel),
            live: self.live.subscribe(),
            clock: self.clock.clone(),
            meter: self.meter.clone(),
        };
        let work = dispatcher.run(stop.clone(), self.pulse.clone(), self.planned.subscribe());
        self.own(stop.clone(), work);
        self.channels.insert(name, RunningChannel { options, channel, stop });
    }

    /// Runs one of the loops that end with the daemon.
    fn own_loop<F>(&self, run: impl FnOnce(CancellationToken, Pulse) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.own(self.stop.clone(), run(self.stop.clone(), self.pulse.clone()));
    }

    /// Runs a loop as ours. One that ends, or panics, while nobody stopped it
    /// ends the daemon: a half-alive watcher would look like no news.
    fn own(&self, stop: CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
        let (ended, abandon) = (self.ended.clone(), self.abandon.clone());
        let task = self.tracker.spawn(async move {
            tokio::select! {
                () = work => {}
                () = abandon.cancelled() => {}
            }
        });
        self.tracker.spawn(async move {
            let _ = task.await;
            if !stop.is_cancelled() {
                ended.cancel();
            }
        });
    }

    /// Completes when a loop has ended by itself, or the database was found to
    /// be damaged: a watcher that can store nothing looks like no news.
    pub async fn failed(&self) -> AppError {
        tokio::select! {
            () = self.ended.cancelled() => AppError::LoopEnded,
            error = self.store.damaged() => error.into(),
        }
    }

    fn follow_endpoint(&mut self, config: &HttpConfig) {
        let Some((places, stop)) = self.endpoint.follow(config, &self.stop) else { return };
        for place in places {
            let public = config.public_url.as_ref().and_then(|url| url.host_str());
            let options = serve::Options {
                hosts: config.hosts.clone(),
                token: config.token.clone(),
                public_host: public.map(str::to_owned),
            };
            let desks = (self.vitality(), self.callbacks());
            let work = endpoint::run(place, options, desks, stop.clone());
            self.own(stop.clone(), work);
        }
    }

    fn vitality(&self) -> Vitality {
        Vitality {
            store: self.store.clone(),
            clock: self.clock.clone(),
            pulse: self.pulse.clone(),
            meter: self.meter.clone(),
            seen: Arc::default(),
        }
    }

    /// Who gives signs of life to a watchdog that bites after `limit` without.
    pub fn guard(&self, limit: Duration) -> Guard {
        Guard::new(self.vitality(), limit)
    }

    /// What the poll loop is about.
    pub fn polling(&self) -> watch::Receiver<PollStatus> {
        self.polling.clone()
    }

    /// The database, to look at.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops all loops: nothing new is begun, what is under way may finish
    /// within the grace period. What does not is sent again after the next
    /// start, with the same id. Whether everything finished in time.
    pub async fn stop(self) -> bool {
        self.stop.cancel();
        self.tracker.close();
        let in_time = tokio::time::timeout(GRACE, self.tracker.wait()).await.is_ok();
        self.abandon.cancel();
        self.tracker.wait().await;
        in_time
    }
}

/// The names under which two tables differ.
fn changed<T: PartialEq>(
    old: &BTreeMap<ChannelName, T>,
    new: &BTreeMap<ChannelName, T>,
) -> Vec<ChannelName> {
    let names: BTreeSet<&ChannelName> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

async fn sync_feeds(
    store: &Store,
    config: &Config,
    clock: &Clock,
) -> Result<SyncReport, StoreError> {
    let feeds: Vec<(Feed, String)> =
        config.feeds.iter().map(|feed| (feed.clone(), host_of(&feed.url))).collect();
    store.sync_feeds(feeds, schedule::first_poll, schedule::rescheduled, clock.now()).await
}

/// Deliveries whose channel is gone wait for it to come back; somebody must know.
async fn warn_of_orphans(store: &Store, config: &Config) {
    for (channel, deliveries) in store.waiting_before(Timestamp::MAX).await.unwrap_or_default() {
        if !config.channels.contains_key(&channel) {
            tracing::warn!(%channel, deliveries, "deliveries wait for a channel that is not configured");
        }
    }
}
