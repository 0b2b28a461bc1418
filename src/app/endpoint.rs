//! The HTTP endpoint: where it listens, and what it answers from.

use std::net::{SocketAddr, TcpListener as Inherited};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::HttpConfig;
use crate::model::Clock;
use crate::pipeline::{CallbackDesk, Meter, Pulse};
use crate::serve::{self, Condition, Daemon, Health};
use crate::store::{Gauges, Store, StoreError};

/// A loop silent for this long is stuck: all come round within ten seconds.
const STUCK: Duration = Duration::from_secs(45);
/// The database answers within this time, or something is wrong with it.
const DATABASE_TIME: Duration = Duration::from_secs(5);
/// What the disk refused is tried again every five seconds: after twice that it
/// was taken, or refused again.
const REFUSED: Duration = Duration::from_secs(12);
/// How often the daemon is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After an address could not be had: try again then. At first soon, because
/// after a reload it may be ours for a moment more.
const BIND_PAUSES: (u32, Duration, Duration) =
    (20, Duration::from_millis(100), Duration::from_secs(30));

/// What the daemon is judged by.
#[derive(Clone)]
pub(super) struct Vitality {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) pulse: Pulse,
    pub(super) meter: Meter,
    pub(super) seen: Arc<Mutex<Option<(Instant, Health)>>>,
}

/// What became of a write.
pub(super) enum Write {
    /// It is on the disk.
    Taken,
    /// The disk is full or read-only, which no restart would mend.
    Shut(StoreError),
    /// The database takes none for another reason.
    Refused(StoreError),
}

impl Vitality {
    /// Loops that are stuck.
    pub(super) fn stuck(&self) -> Vec<String> {
        self.pulse.silent(self.clock.awake(), STUCK)
    }

    /// Why the database takes no writes, or not all, if so.
    async fn database(&self) -> Option<String> {
        match tokio::time::timeout(DATABASE_TIME, self.store.ping()).await {
            Ok(Ok(())) => self.store.refused_write(REFUSED),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no write within {} s", DATABASE_TIME.as_secs())),
        }
    }

    /// Whether the database takes a write now.
    pub(super) async fn write(&self) -> Write {
        match self.store.ping().await {
            Ok(()) => Write::Taken,
            Err(error) if error.is_full() || self.store.lies_on_shut_disk().await => {
                Write::Shut(error)
            }
            Err(error) => Write::Refused(error),
        }
    }

    /// One look a second is enough for whoever asks, and however often: each
    /// is a write to the disk.
    async fn recent(&self) -> Health {
        let lock = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().clone();
        if let Some((at, health)) = known
            && at.elapsed() < LOOK_EVERY
        {
            return health;
        }
        let health = self.look().await;
        *lock() = Some((Instant::now(), health.clone()));
        health
    }

    async fn look(&self) -> Health {
        let stuck = self.stuck();
        let loops =
            (!stuck.is_empty()).then(|| format!("these do not come round: {}", stuck.join(", ")));
        Health {
            conditions: vec![
                Condition { name: "loops", problem: loops },
                Condition { name: "database", problem: self.database().await },
            ],
        }
    }
}

impl Daemon for Vitality {
    fn health(&self) -> BoxFuture<'_, Health> {
        Box::pin(self.recent())
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async {
            let gauges = self.store.gauges(self.clock.now());
            let gauges = tokio::time::timeout(DATABASE_TIME, gauges).await;
            let gauges = gauges.map_err(|_| StoreError::Closed).and_then(|gauges| gauges);
            let gauges = gauges.map_err(|error| error.to_string())?;
            let stuck = self.stuck().len();
            let registry = registry(&self.meter, &gauges, stuck);
            let mut text = String::new();
            prometheus_text::encode(&mut text, &registry).map_err(|error| error.to_string())?;
            Ok(text)
        })
    }
}

/// All figures, named and explained.
fn registry(meter: &Meter, gauges: &Gauges, stuck: usize) -> Registry {
    let mut registry = Registry::default();
    meter.register(&mut registry);
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("wirewatch_build", "What is running", build);
    by_label(&mut registry, "wirewatch_feeds", "Feeds of the configuration by health", {
        let rows = gauges.feeds.iter();
        rows.map(|(health, count)| ([("health", health.clone())], *count))
    });
    by_label(&mut registry, "wirewatch_subscriptions", "Subscriptions by state", {
        let rows = gauges.subscriptions.iter();
        rows.map(|(state, count)| ([("state", (*state).to_owned())], *count))
    });
    let mut one = |name: &str, help: &str, value: i64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    one("wirewatch_feeds_overdue", "Feeds overdue by more than five minutes", gauges.overdue);
    one("wirewatch_loops_stuck", "Loops that do not come round", i64::try_from(stuck).unwrap_or(0));
    one(
        "wirewatch_deliveries_failed",
        "Deliveries given up and neither retried nor dropped",
        gauges.failed,
    );
    one("wirewatch_database_bytes", "Size of the database file", gauges.bytes);
    one("wirewatch_database_free_bytes", "Of those, free for reuse", gauges.free_bytes);
    one("wirewatch_database_schema", "Number of the database's schema", gauges.schema);
    let success = gauges.last_success.map_or(0, jiff::Timestamp::as_second);
    one(
        "wirewatch_last_success_timestamp_seconds",
        "When a visit to any feed last went well; 0 for never",
        success,
    );
    for (what, count) in gauges.stored {
        let help = format!("Every one of the {what} ever stored, forgotten ones included");
        registry.register(
            format!("wirewatch_{what}"),
            help,
            ConstCounter::new(count.unsigned_abs()),
        );
    }
    by_label(&mut registry, "wirewatch_deliveries_waiting", "Deliveries that wait, by channel", {
        let rows = gauges.waiting.iter();
        rows.map(|(channel, count, _)| ([("channel", channel.clone())], *count))
    });
    by_label(
        &mut registry,
        "wirewatch_deliveries_oldest_timestamp_seconds",
        "Since when the oldest waiting delivery of a channel waits: its first try, or when it is due",
        gauges.waiting.iter().filter_map(|(channel, _, due)| {
            Some(([("channel", channel.clone())], due.as_ref()?.as_second()))
        }),
    );
    registry
}

fn by_label<'a>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    rows: impl Iterator<Item = ([(&'static str, String); 1], i64)> + 'a,
) {
    let family = Family::<[(&'static str, String); 1], Gauge>::default();
    for (labels, value) in rows {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}

/// Where it listens: sockets that systemd passed, and the configured address.
#[derive(Default)]
pub(super) struct Endpoint {
    inherited: Vec<Inherited>,
    following: Option<(HttpConfig, CancellationToken)>,
}

impl Endpoint {
    /// Takes the sockets that were passed to this process, if any
    /// (sd_listen_fds(3)).
    pub(super) fn inherit() -> Self {
        let mut passed = listenfd::ListenFd::from_env();
        let mut inherited = Vec::new();
        for index in 0..passed.len() {
            match passed.take_tcp_listener(index) {
                Ok(Some(socket)) => inherited.push(socket),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, index, "a passed socket cannot be used"),
            }
        }
        Self { inherited, following: None }
    }

    /// What is to be served, if it is not what is served already. What was, ends.
    pub(super) fn follow(
        &mut self,
        config: &HttpConfig,
        stop: &CancellationToken,
    ) -> Option<(Vec<Place>, CancellationToken)> {
        if self.following.as_ref().is_some_and(|(old, _)| old == config) {
            return None;
        }
        if let Some((_, running)) = self.following.take() {
            running.cancel();
        }
        let token = stop.child_token();
        self.following = Some((config.clone(), token.clone()));
        let guarded = config.token.is_some() && !config.hosts.is_empty();
        let passed = self.inherited.iter().filter(|socket| {
            let address = socket.local_addr();
            let open = address.is_ok_and(|address| !address.ip().is_loopback());
            if open && !guarded {
                tracing::error!(
                    "the passed socket can be reached from other machines: [http] needs \
                     token_file and hosts; it is not answered"
                );
            }
            guarded || !open
        });
        let passed = passed.filter_map(|socket| socket.try_clone().ok());
        let places = passed.map(Place::Passed).chain(config.listen.map(Place::Address));
        Some((places.collect(), token))
    }
}

/// One place to listen at.
pub(super) enum Place {
    Passed(Inherited),
    Address(SocketAddr),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Passed(_) => f.write_str("the socket that systemd passed"),
        }
    }
}

/// Serves at a place until stopped. An address that cannot be had is tried
/// again: watching news does not depend on being watched.
pub(super) async fn run(
    place: Place,
    options: serve::Options,
    (vitality, callbacks): (Vitality, CallbackDesk),
    stop: CancellationToken,
) {
    let (soon, short, long) = BIND_PAUSES;
    let mut tries = 0;
    let listener = loop {
        tries += 1;
        match listen(&place).await {
            Ok(listener) => break listener,
            Err(error) if tries == soon => {
                tracing::error!(
                    %place, %error,
                    "cannot listen for HTTP; trying again, and watching news meanwhile"
                );
            }
            Err(error) => tracing::debug!(%error, tries, "cannot listen for HTTP yet"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(if tries < soon { short } else { long }) => {}
        }
    };
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "answering HTTP");
    }
    serve::serve(listener, options, (Arc::new(vitality), Arc::new(callbacks)), stop).await;
}

async fn listen(place: &Place) -> std::io::Result<TcpListener> {
    match place {
        Place::Address(address) => TcpListener::bind(address).await,
        Place::Passed(socket) => {
            let socket = socket.try_clone()?;
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        }
    }
}
