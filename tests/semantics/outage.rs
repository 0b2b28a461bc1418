//! A host with five hundred feeds fails and comes back. The real poll loop
//! visits them by its own schedule, one request at a time, while notices are
//! looked for as often as the daemon does it; only the clock is moved by hand.
//!
//! Hosts of private networks are not spaced, so the second that lies between
//! two requests to a public one passes on the test's clock instead: five
//! hundred visits take more than eight minutes of it, and operators must not
//! be told more because a failure is seen feed by feed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wirewatch::model::Clock;
use wirewatch::pipeline::{PollStatus, Pulse};

use crate::desk::Desk;
use crate::lives::Traffic;
use crate::news::{Item, rss};
use crate::random::Random;
use crate::support::http::{Handler, Reply, handler};
use crate::world::World;

pub(crate) const FEEDS: usize = 500;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Between two looks of the loops. Longer, and they would take it for a pause.
const LOOK: SignedDuration = SignedDuration::from_secs(30);
/// In a row of visits notices are looked for after so many.
const VISITS: usize = 10;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Kinds of notices in each message to operators, until the host was back,
    /// and after.
    pub(crate) while_down: Vec<Vec<String>>,
    pub(crate) after: Vec<Vec<String>>,
    /// Requests that failed, and those after the host was back.
    pub(crate) failed: usize,
    pub(crate) answered: usize,
}

struct Trial {
    desk: Desk,
    traffic: Arc<Traffic>,
    polling: watch::Receiver<PollStatus>,
}

pub(crate) async fn run(random: &mut Random) -> Found {
    let world = World::new().await;
    let (is_down, traffic) = (Arc::new(AtomicBool::new(false)), Arc::<Traffic>::default());
    for number in 0..FEEDS {
        let server = (Arc::clone(&is_down), Arc::clone(&traffic), world.clock.clone());
        world.feeds.route(&format!("/f{number:03}"), feed(number, server, random));
    }
    let feeds: String = (0..FEEDS).map(|number| world.feed(&format!("f{number:03}"))).collect();
    let toml = world.toml(&feeds.replace("interval = \"1s\"", "interval = \"1h\""));
    let desk = Desk::open(world, &toml).await;
    let (stop, mut loops) = (CancellationToken::new(), JoinSet::new());
    let (status, polling) = watch::channel(PollStatus { in_flight: 1, next: None });
    loops.spawn(desk.poller.clone().run(stop.clone(), Pulse::default(), status));
    let mut trial = Trial { desk, traffic, polling };
    let mut found = Found::default();
    let begin = trial.desk.now();
    trial.live_until(begin + HOUR / 2).await;
    is_down.store(true, Ordering::SeqCst);
    let before = trial.traffic.count();
    trial.live_until(begin + HOUR * 11).await;
    is_down.store(false, Ordering::SeqCst);
    found.while_down = trial.told();
    found.failed = trial.traffic.count() - before;
    trial.live_until(begin + HOUR * 20).await;
    found.answered = trial.traffic.count() - before - found.failed;
    found.after = trial.told().split_off(found.while_down.len());
    stop.cancel();
    while loops.join_next().await.is_some() {}
    found
}

/// A feed that fails in the way of its number while the host is down.
fn feed(
    number: usize,
    (is_down, traffic, clock): (Arc<AtomicBool>, Arc<Traffic>, Clock),
    random: &mut Random,
) -> Handler {
    let document = rss(&[Item::new(&format!("f{number}"), "", random)]);
    handler(move |_| {
        clock.set(clock.now() + SignedDuration::from_secs(1));
        traffic.arrives();
        match (is_down.load(Ordering::SeqCst), number % 3) {
            (false, _) => Reply::ok(document.clone()).header("Content-Type", "text/xml"),
            (true, 0) => Reply::status(502),
            (true, 1) => Reply::status(500),
            (true, _) => Reply::status(200).drop_connection(),
        }
    })
}

impl Trial {
    /// Lets time pass: to the next visit or the next look, whichever comes first.
    async fn live_until(&mut self, end: Timestamp) {
        loop {
            let next = self.idle().await;
            let now = self.desk.now();
            if now >= end {
                return;
            }
            self.desk.set(next.map_or(now + LOOK, |due| due.min(now + LOOK)).max(now));
            // Wakes the loop, which cannot know that time went by.
            self.desk.live.send_modify(|_| {});
        }
    }

    /// Waits until nothing is due, and looks for notices meanwhile; when the
    /// next visit is due.
    async fn idle(&mut self) -> Option<Timestamp> {
        let clock = self.desk.world.clock.clone();
        let mut traffic = self.traffic.watch();
        loop {
            let seen = *traffic.borrow_and_update();
            let is_idle = |status: &PollStatus| {
                let due = status.next.as_ref().map(|(due, _)| *due);
                status.in_flight == 0 && due.is_none_or(|due| due > clock.now())
            };
            let next = tokio::select! {
                status = self.polling.wait_for(is_idle) => {
                    Some(status.unwrap().next.as_ref().map(|(due, _)| *due))
                }
                more = traffic.wait_for(|count| *count >= seen + VISITS) => {
                    more.map(drop).unwrap();
                    None
                }
            };
            self.desk.notifier.tell(false).await.unwrap();
            self.desk.dispatch().await;
            if let Some(next) = next {
                return next;
            }
        }
    }

    /// The kinds of notices in each message that operators had.
    fn told(&self) -> Vec<Vec<String>> {
        let kinds = |message: Value| -> Vec<String> {
            let notices = message["data"]["notices"].as_array().unwrap().clone();
            notices.iter().map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect()
        };
        let told = self.desk.world.hook.accepted().into_iter().map(|told| told.json);
        told.filter(|message| message["type"] == "feed.notice").map(kinds).collect()
    }
}
