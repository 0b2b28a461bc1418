//! Many short lives of the program over one database, some of which end in the
//! midst of their work.
//!
//! A life that is killed is dropped where it stands, when so much was asked of
//! the servers around it: a single round whose future is dropped, or the whole
//! daemon whose runtime is shut down. Neither is told to stop. The request that
//! it dies with has arrived, or it has not: then the server never saw it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::app::{self, App};
use wirewatch::config::Config;
use wirewatch::model::Clock;

use crate::random::Random;
use crate::support;
use crate::world::World;

/// Turns of the executor between the request and the kill, at most.
const TURNS: u64 = 30;

/// Counts everything that is asked of the servers of a trial.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    count: watch::Sender<usize>,
    /// The number of the request that does not arrive; 0 for none.
    lost: AtomicUsize,
}

impl Traffic {
    /// Counts a request; whether it arrives.
    pub(crate) fn arrives(&self) -> bool {
        let mut number = 0;
        self.count.send_modify(|count| {
            *count += 1;
            number = *count;
        });
        number != self.lost.load(Ordering::SeqCst)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }
}

/// When a life is to end: with which request, and how many turns of the
/// executor after it.
pub(crate) struct Fate {
    traffic: Arc<Traffic>,
    at: usize,
    turns: u64,
}

impl Fate {
    /// One of the next `most` requests. Every other time it does not arrive.
    pub(crate) fn draw(traffic: &Arc<Traffic>, most: usize, random: &mut Random) -> Self {
        let at = traffic.count() + 1 + random.below(most as u64) as usize;
        let lost = if random.below(2) == 0 { at } else { 0 };
        traffic.lost.store(lost, Ordering::SeqCst);
        Self { traffic: Arc::clone(traffic), at, turns: random.below(TURNS) }
    }

    async fn comes(&self) {
        self.traffic.watch().wait_for(|count| *count >= self.at).await.map(drop).unwrap();
        for _ in 0..self.turns {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Fate {
    /// Its life is over, one way or the other.
    fn drop(&mut self) {
        self.traffic.lost.store(0, Ordering::SeqCst);
    }
}

/// Polls and delivers once, unless fate comes first. Whether it did.
pub(crate) async fn round(world: &World, config: &Config, fate: Fate) -> bool {
    let stop = CancellationToken::new();
    let clock = world.clock.clone();
    tokio::select! {
        biased;
        () = fate.comes() => true,
        done = app::once(config, clock, &stop, |_| {}) => {
            done.unwrap();
            false
        }
    }
}

/// Starts the daemon with all its loops on a runtime of its own, and takes
/// that away when fate comes.
pub(crate) async fn daemon(world: &World, config: &Config, fate: Fate) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (config, clock): (Config, Clock) = (config.clone(), world.clock.clone());
    runtime.spawn(async move {
        let app = App::start(&config, clock).await.unwrap();
        let () = std::future::pending().await;
        drop(app);
    });
    support::timeout(fate.comes(), "the daemon asks for its feeds and tells what it finds").await;
    // Waits for the threads, so that the next life finds the database free.
    let end = move || runtime.shutdown_timeout(support::LIMIT);
    tokio::task::spawn_blocking(end).await.unwrap();
}

/// A life that nothing disturbs.
pub(crate) async fn undisturbed(world: &World, config: &Config, later: SignedDuration) {
    world.wait(later);
    app::once(config, world.clock.clone(), &CancellationToken::new(), |_| {}).await.unwrap();
}
