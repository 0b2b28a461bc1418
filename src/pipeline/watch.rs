//! Watches wirewatch itself: tells operators when deliveries stall, and sends
//! the heartbeat while all is alive.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::complaint::Complaint;
use super::{Pulse, Watched};
use crate::alert;
use crate::health::{self, AllQuiet, NOISY, STALLED, SystemFacts};
use crate::model::{Clock, NoticeKind, Secret};
use crate::net::{self, ClientOptions};
use crate::store::{Store, StoreError};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// A loop that has not come round for so long is not alive.
const STUCK: Duration = Duration::from_secs(45);
/// For a whole ping.
const PING_TIMEOUT: Duration = Duration::from_secs(15);
/// A feed that is overdue by so much is not polled.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);

/// The loop and what it works with.
pub struct Watcher {
    /// What is looked at.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// When heartbeats are due, and whom to ping.
    pub live: Watched,
    /// Of all loops.
    pub pulse: Pulse,
    /// Where the database is.
    pub path: PathBuf,
}

impl Watcher {
    /// Watches until stopped.
    pub async fn run(self, stop: CancellationToken, pulse: Pulse) {
        let beat = pulse.join("watch", self.clock.awake());
        let began = self.clock.now();
        let (mut pinged, mut complaint) = (None, Complaint::default());
        loop {
            beat.now(self.clock.awake());
            if let Err(error) = self.look(began, self.clock.now()).await
                && complaint.is_due()
            {
                tracing::error!(%error, "cannot look after deliveries; trying again");
            }
            beat.now(self.clock.awake());
            self.ping(&mut pinged).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = beat.rest(&self.clock, EVERY) => {}
            }
        }
    }

    /// One look: writes down what operators should know, and the heartbeat if
    /// one was due since the last one, or since we `began`. One that was due
    /// while not all was alive is late then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(&self, began: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let vitals = self.store.vitals(now, STALLED, NOISY).await?;
        let configured = self.live.borrow().clone();
        let is_configured = |name: &str| {
            configured.policy.recipients.keys().any(|channel| channel.as_str() == name)
        };
        let mine = vitals.channels.into_iter().filter(|channel| is_configured(&channel.name));
        let facts = SystemFacts {
            channels: mine.collect(),
            noisy: vitals.noisy,
            free: free_room(&self.path),
            told: vitals.told,
        };
        let mut notices = health::system_notices(&facts, now);
        let told = facts.told.iter().filter(|(kind, ..)| *kind == NoticeKind::Heartbeat);
        let last = told.map(|(_, _, at)| *at).max().filter(|at| *at <= now).unwrap_or(began);
        if self.heartbeat_is_due(last, now) {
            match self.quiet(now).await {
                Ok(quiet) => notices.push(health::heartbeat(&quiet, now)),
                Err(reason) => tracing::error!(reason, "no heartbeat: not all is alive"),
            }
        }
        if notices.is_empty() { Ok(()) } else { self.store.add_notices(notices).await }
    }

    fn heartbeat_is_due(&self, last: Timestamp, now: Timestamp) -> bool {
        let live = self.live.borrow().clone();
        let Some((times, zone)) = &live.heartbeat else { return false };
        alert::next_time(times, zone, last).is_some_and(|due| due <= now)
    }

    /// What a heartbeat may say; the reason if not all is alive.
    async fn quiet(&self, now: Timestamp) -> Result<AllQuiet, String> {
        let silent = self.pulse.silent(self.clock.awake(), STUCK);
        if !silent.is_empty() {
            return Err(format!("stuck: {}", silent.join(", ")));
        }
        self.store.ping().await.map_err(|error| format!("the database: {error}"))?;
        let failed = |error: StoreError| format!("the database: {error}");
        let vitals = self.store.vitals(now, STALLED, NOISY).await.map_err(failed)?;
        let live = self.live.borrow().clone();
        let stalled = vitals.channels.iter().find(|channel| {
            let name = channel.name.as_str();
            channel.since.is_some()
                && live.policy.recipients.keys().any(|known| known.as_str() == name)
        });
        if let Some(channel) = stalled {
            return Err(format!("channel \"{}\" does not deliver", channel.name));
        }
        let calm = self.store.calm(now).await.map_err(failed)?;
        if calm.feeds > 0 && calm.healthy == 0 {
            return Err("no feed can be read".to_owned());
        }
        if calm.most_overdue.is_some_and(|due| now.duration_since(due) > OVERDUE) {
            return Err("feeds are not polled when they are due".to_owned());
        }
        let (feeds, healthy) = (calm.feeds, calm.healthy);
        let (oldest_poll, alerts, held) = (calm.oldest_poll, calm.alerts, calm.held);
        Ok(AllQuiet { feeds, healthy, oldest_poll, alerts, held })
    }

    /// Asks for the ping's URL, when it is time and all is alive.
    async fn ping(&self, last: &mut Option<Duration>) {
        let Some(ping) = self.live.borrow().ping.clone() else { return };
        let awake = self.clock.awake();
        if last.is_some_and(|last| awake.saturating_sub(last) < ping.every) {
            return;
        }
        // A ping that was lost is tried again with the next look.
        if let Err(reason) = self.quiet(self.clock.now()).await {
            tracing::error!(reason, "no ping: not all is alive");
        } else if let Err(reason) = ping.send().await {
            tracing::warn!(reason, "the ping was not accepted");
        } else {
            *last = Some(awake);
        }
    }
}

/// What is asked for while all is alive, as a dead man's switch.
#[derive(Clone, Debug)]
pub struct Ping {
    /// Whom to ask; the path is a secret.
    pub url: Secret,
    /// How often.
    pub every: Duration,
    /// Whether it may live on a private address.
    pub allow_private: bool,
    /// Who asks.
    pub user_agent: String,
}

impl Ping {
    async fn send(&self) -> Result<(), String> {
        let url = Url::parse(self.url.expose()).map_err(|_| "the URL cannot be read".to_owned())?;
        net::check_url(&url, self.allow_private).map_err(|blocked| blocked.to_string())?;
        let client = net::client(&ClientOptions {
            user_agent: self.user_agent.clone(),
            allow_private: self.allow_private,
            ca_file: None,
            connect_timeout: PING_TIMEOUT,
            timeout: PING_TIMEOUT,
        });
        let client = client.map_err(|error| error.to_string())?;
        let answer = client.get(url).send().await.map_err(|error| net::short_error(&error))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("HTTP {}", answer.status())) }
    }
}

/// Bytes that are free where a file is.
fn free_room(path: &std::path::Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
