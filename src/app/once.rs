//! A single round: for cron, for demonstrations, and for tests.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::parts::{build_channels, fetch_options, live, stories, ungrouped};
use super::{AppError, sync_feeds};
use crate::config::Config;
use crate::fetch::Fetcher;
use crate::model::Clock;
use crate::pipeline::{
    Desk, Dispatcher, Drained, Meter, Notifier, PageReader, PagesReport, Poller, RoundReport,
};
use crate::store::Store;

/// What a single round did.
#[derive(Clone, Debug, Default)]
pub struct OnceReport {
    /// The visits.
    pub round: RoundReport,
    /// The pages behind entries.
    pub pages: PagesReport,
    /// The deliveries.
    pub drained: Drained,
}

/// Polls every feed now, delivers what is due, and ends.
///
/// # Errors
/// When the database, a channel or a client cannot be made ready, or the
/// database fails.
pub async fn once(
    config: &Config,
    clock: Clock,
    stop: &CancellationToken,
    progress: impl FnMut(usize),
) -> Result<OnceReport, AppError> {
    let store = Store::open(&config.store)?;
    sync_feeds(&store, config, &clock).await?;
    store.release_held(ungrouped(config), clock.now()).await?;
    let channels = build_channels(config)?;
    let (_fetcher, fetcher) = watch::channel(Fetcher::new(&fetch_options(config))?);
    // Everything is polled before anything is told: no need to wait for outlets.
    let mut live = live(config, &channels, SignedDuration::ZERO);
    live.stories = stories(config);
    let (_live, live) = watch::channel(Arc::new(live));
    let (planned, _) = watch::channel(0);
    let watched = live.clone();
    let meter = Meter::default();
    let poller = Poller {
        store: store.clone(),
        fetcher,
        live,
        clock: clock.clone(),
        planned,
        meter: meter.clone(),
        desk: Desk::of_this_machine(),
        hurried: watch::channel(0).1,
    };
    let notifier = Notifier::beside(&poller);
    let pages = PageReader::beside(&poller);
    let mut report = OnceReport { round: poller.once(stop, progress).await?, ..Default::default() };
    report.pages = pages.once(stop).await?;
    notifier.tell(true).await?;
    for (name, (_, channel)) in channels {
        let (store, live, clock) = (store.clone(), watched.clone(), clock.clone());
        let meter = meter.clone();
        let dispatcher = Dispatcher { store, name, channel, live, clock, meter };
        let drained = dispatcher.drain(stop).await?;
        report.drained.sent += drained.sent;
        report.drained.waiting += drained.waiting;
        report.drained.failed += drained.failed;
    }
    // What was fetched could not be kept, and nobody would know.
    if report.round.store_error.is_some()
        && let Some(error) = store.damage()
    {
        return Err(error.into());
    }
    Ok(report)
}
