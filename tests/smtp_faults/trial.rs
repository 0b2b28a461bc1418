//! One cell: mails are planned by a poll, tried as the schedule says, and what
//! was given up is sent again by command, until nothing is left to do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::app;
use wirewatch::config::Config;
use wirewatch::deliver;
use wirewatch::model::{ChannelName, DeliveryId};
use wirewatch::pipeline::{Dispatcher, Live, Meter, Pulse, Watcher};
use wirewatch::store::{DeliveryRow, Filter, Store};

use crate::cell::{Cell, Fault, MAILS};
use crate::relay::{Relay, Seen};
use crate::support::tls::TestCa;
use crate::world::{World, all, rss};

const RECIPIENTS: [&str; 2] = ["one@example.org", "two@example.org"];
/// What is due within so long is sent in one go.
const BATCH: SignedDuration = SignedDuration::from_secs(8);
/// More rounds than any cell needs.
const ROUNDS: usize = 200;

/// The channel's limit for an attempt: where it is waited for still much longer
/// than a busy machine needs for a good one.
pub fn limit(cell: Cell) -> Duration {
    Duration::from_secs(if cell.fault == Fault::Stall { 3 } else { 30 })
}

/// What a cell came to.
#[derive(Clone, Debug)]
pub struct Found {
    pub cell: Cell,
    /// The deliveries as they ended.
    pub rows: Vec<DeliveryRow>,
    pub seen: Seen,
    pub attempts: usize,
    /// Deliveries given up, each time they were.
    pub dead: usize,
    /// Whether another receiver was told of the first of them.
    pub told_elsewhere: bool,
    /// What the failed attempts say, and how often.
    pub answers: BTreeMap<String, usize>,
    /// Attempts before they were due.
    pub early: usize,
    pub problems: Vec<String>,
    pub took: Duration,
    pub memory_kib: u64,
}

/// Tries one cell.
pub async fn run(cell: Cell) -> Found {
    let start = Instant::now();
    let mut trial = Trial::begin(cell).await;
    trial.look().await;
    for _ in 0..ROUNDS {
        if let Some(due) = trial.next_due().await {
            trial.pass(due - SignedDuration::from_millis(1)).await;
            trial.pass(due + BATCH).await;
        } else if !trial.revive().await {
            return trial.close(start.elapsed()).await;
        }
    }
    trial.found.problems.push(format!("no end after {ROUNDS} rounds"));
    trial.close(start.elapsed()).await
}

struct Trial {
    world: World,
    relay: Relay,
    config: Config,
    store: Store,
    desk: Dispatcher,
    live: watch::Sender<Arc<Live>>,
    found: Found,
}

impl Trial {
    /// Plans all mails and makes the first attempts, as the program does it.
    async fn begin(cell: Cell) -> Self {
        let world = World::new().await;
        let ca = TestCa::new();
        ca.write_ca(world.dir.path());
        world.secret("smtp-password", "correct horse\n");
        world.feeds.serve("/a", "text/xml", news());
        let relay = Relay::start(cell, ca.acceptor());
        let config = world.config(&toml(&world, relay.port, limit(cell)));
        world.once(&config).await;
        // As a command beside the program, which may come again.
        let store = Store::attach(&config.store).unwrap();
        let name = ChannelName::new("desk");
        let channel = deliver::build(&name, &config.channels[&name], "wirewatch/test").unwrap();
        let recipients = BTreeMap::from([(name.clone(), channel.recipients())]);
        let decisions = app::decisions(&config.rules, recipients, SignedDuration::ZERO);
        let (live, watched) = watch::channel(Arc::new(decisions));
        let clock = world.clock.clone();
        let meter = Meter::default();
        let desk = Dispatcher { store: store.clone(), name, channel, live: watched, clock, meter };
        let found = Found::new(cell);
        Self { world, relay, config, store, desk, live, found }
    }

    /// What the first attempts came to.
    async fn look(&mut self) {
        let rows = self.rows().await;
        assert_eq!(rows.len(), MAILS, "{:?}", self.found.cell);
        self.compare(&HashMap::new(), &rows);
    }

    /// When the next is due, or may be tried after a pause.
    async fn next_due(&self) -> Option<Timestamp> {
        let due = self.store.next_delivery_due(self.desk.name.clone()).await.unwrap()?;
        let pauses = self.store.pauses(self.world.clock.now()).await.unwrap();
        let paused_until = pauses.first().map(|(_, pause)| pause.until);
        Some(paused_until.map_or(due, |until| due.max(until)))
    }

    /// Sends what is due at a time, and looks what was sent.
    async fn pass(&mut self, now: Timestamp) {
        self.world.clock.set(now);
        let before: HashMap<_, _> =
            self.rows().await.into_iter().map(|row| (row.id.clone(), row)).collect();
        self.desk.drain(&CancellationToken::new()).await.unwrap();
        let after = self.rows().await;
        self.compare(&before, &after);
    }

    /// What was due must have been tried, once; what was not, not at all.
    fn compare(&mut self, before: &HashMap<String, DeliveryRow>, after: &[DeliveryRow]) {
        let now = self.world.clock.now();
        for row in after {
            let was = before.get(&row.id);
            let due = was.is_none_or(|was| was.state == "waiting" && was.due_at <= now);
            let tries = row.attempts - was.map_or(0, |was| was.attempts);
            let count = usize::try_from(tries).unwrap_or_default();
            self.found.attempts += count;
            if !due {
                self.found.early += count;
            } else if tries != 1 && !(tries == 0 && self.found.cell.pauses()) {
                self.found.problems.push(format!("{} was due and tried {tries} times", row.id));
            }
            if tries > 0 && row.state != "sent" {
                self.found.note_failure(row, now);
            }
        }
    }

    /// Sends what was given up again, at first by name, then whatever there is.
    async fn revive(&mut self) -> bool {
        let mut dead = self.rows().await;
        dead.retain(|row| row.state == "failed");
        if dead.is_empty() {
            return false;
        }
        let first = self.found.dead == 0;
        self.found.dead += dead.len();
        if first {
            self.found.told_elsewhere = self.is_told(dead.len()).await;
        }
        let ids = dead.iter().map(|row| DeliveryId::new(row.id.as_str())).collect();
        let now = self.world.clock.now();
        let revived = self.store.retry_deliveries(first.then_some(ids), false, now).await.unwrap();
        if revived != dead.len() {
            self.found.problems.push(format!("{revived} of {} dead letters wait", dead.len()));
        }
        true
    }

    /// Whether the operators' channel hears of so many dead letters.
    async fn is_told(&self, dead: usize) -> bool {
        let watcher = Watcher {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            live: self.live.subscribe(),
            pulse: Pulse::default(),
            path: self.config.store.clone(),
        };
        let now = self.world.clock.now();
        watcher.look(now, now).await.unwrap();
        self.world.once(&self.config).await;
        let wanted = format!("channel \"desk\": {dead} deliveries were given up");
        let told = self.world.hook.accepted();
        told.iter().any(|told| told.json["data"]["title"] == wanted.as_str())
    }

    async fn rows(&self) -> Vec<DeliveryRow> {
        let filter = Filter { channel: Some("desk".to_owned()), ..all() };
        self.store.deliveries(filter).await.unwrap()
    }

    async fn close(mut self, took: Duration) -> Found {
        self.found.rows = self.rows().await;
        self.found.seen = self.relay.seen();
        self.found.took = took;
        self.found
    }
}

impl Found {
    fn new(cell: Cell) -> Self {
        Self {
            cell,
            rows: Vec::new(),
            seen: Seen::default(),
            attempts: 0,
            dead: 0,
            told_elsewhere: false,
            answers: BTreeMap::new(),
            early: 0,
            problems: Vec::new(),
            took: Duration::ZERO,
            memory_kib: 0,
        }
    }

    fn note_failure(&mut self, row: &DeliveryRow, now: Timestamp) {
        let answer = row.last_answer.clone().unwrap_or_default();
        *self.answers.entry(answer).or_default() += 1;
        if row.state == "failed" {
            return;
        }
        // Between 90 and 115 per cent of one minute, five, and a quarter of an hour.
        let usual = match row.attempts {
            1 => 60.0,
            2 => 300.0,
            _ => 900.0,
        };
        let wait = row.due_at.duration_since(now).as_secs_f64();
        if !(0.9 * usual..=1.15 * usual).contains(&wait) {
            let tries = row.attempts;
            self.problems.push(format!("{}: {wait} s to wait after {tries} tries", row.id));
        }
    }
}

/// Ten stories, of which each of two people is told. They have little in
/// common, or they would be one.
fn news() -> String {
    let titles = [
        "Patrol boats meet at a reef marker",
        "Genetic marker found in wild barley",
        "Court weighs inflation marker in pensions",
        "Volcano sensors show new marker gas",
        "Museum buys a grave marker of 1712",
        "Cyclists protest faded lane marker paint",
        "Chess prodigy passes rating marker early",
        "Drought lowers lake below its 1953 marker",
        "Startup prints a marker for counterfeit pills",
        "Choir tour ends at a border marker",
    ];
    assert_eq!(titles.len() * RECIPIENTS.len(), MAILS);
    let items: Vec<_> = titles.iter().map(|title| (&title[..6], *title, *title)).collect();
    rss(&items)
}

fn toml(world: &World, port: u16, limit: Duration) -> String {
    let desk = format!(
        "{}[operator]\nnotify = [\"hook\"]\n[channel.desk.email]\n\
         from = \"Watch <watch@example.org>\"\nto = {RECIPIENTS:?}\nsmtp = \"localhost:{port}\"\n\
         username = \"wirewatch\"\npassword_file = \"smtp-password\"\nca_file = \"ca.pem\"\n\
         timeout = \"{limit}s\"\naccept_timeout = \"{limit}s\"\n",
        world.feed("a"),
        limit = limit.as_secs()
    );
    world.toml(&desk).replace("channels = [\"hook\"]", "channels = [\"desk\"]")
}
