//! Many leases of every shape, renewed in time; restarts, a day off, kills.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tokio::task::JoinSet;
use wirewatch::app::App;

use super::hub::{Asked, push};
use super::kill;
use super::scene::{Scene, until};
use super::support::http::{FeedServer, Reply};
use super::world::rss;
use super::{count, say};

const DAY: i64 = 86_400;

/// What the hub states by turns, and for how many seconds it is believed.
const SHAPES: [(Option<&str>, i64); 8] = [
    (Some("15"), 15),
    (None, 300),
    (Some("0"), 300),
    (Some("-864000"), 300),
    (Some("ten days"), 300),
    (Some("90000"), 90_000),
    (Some("864000"), 864_000),
    (Some("1000000000000"), 2_592_000),
];

/// Feeds on hosts of their own: a host is asked one thing a second.
struct Fleet {
    scene: Scene,
    server: FeedServer,
    size: usize,
}

impl Fleet {
    async fn new(size: usize, interval: &str) -> Self {
        let mut scene = Scene::new().await;
        let server = FeedServer::start_at(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).await;
        let port = server.addr().port();
        for n in 0..size {
            scene.more.push_str(&format!(
                "[feed.f{n}]\nurl = \"{}\"\ninterval = \"{interval}\"\nallow_private = true\n",
                topic(n, port)
            ));
        }
        let fleet = Self { scene, server, size };
        for n in 0..size {
            fleet.publish(n, &["first".to_owned()]);
        }
        fleet.scene.world.feeds.script("/a", vec![Reply::ok(rss(&[]))]);
        fleet
    }

    fn topic(&self, n: usize) -> String {
        topic(n, self.server.addr().port())
    }

    fn publish(&self, n: usize, guids: &[String]) {
        let items: Vec<(&str, &str, &str)> = guids.iter().map(|g| (&**g, &**g, "x")).collect();
        let link =
            format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", self.scene.hub.url(), self.topic(n));
        self.server.script(&format!("/f{n}"), vec![Reply::ok(rss(&items)).header("Link", link)]);
    }

    async fn start(&self) -> App {
        let config = self.scene.config("1h");
        let app = App::start(&config, self.scene.world.clock.clone()).await.unwrap();
        let open = async || tokio::net::TcpStream::connect(self.scene.address).await.is_ok();
        until("an open port", open).await;
        app
    }

    fn wait(&self, seconds: i64) {
        self.scene.world.wait(SignedDuration::from_secs(seconds));
    }

    fn of_shape(&self, shape: usize) -> impl Iterator<Item = usize> {
        (0..self.size).filter(move |n| n % SHAPES.len() == shape)
    }

    /// The addresses that are in use, by feed.
    fn held(&self) -> BTreeMap<usize, Asked> {
        (0..self.size).filter_map(|n| Some((n, self.scene.hub.held_for(&self.topic(n))?))).collect()
    }

    async fn all_active(&self) {
        let now = self.scene.world.clock.now().as_millisecond();
        let active = format!(
            "SELECT count(*) FROM subscription WHERE state = 'active' AND lease_until > {now} \
             AND next_try > {now} AND NOT EXISTS (SELECT 1 FROM callback WHERE role = 'asked')"
        );
        let size = i64::try_from(self.size).unwrap();
        until("all leases run", async || self.scene.count(&active) == size).await;
    }

    /// What was agreed for each feed: the lease in milliseconds, and the part of it after which it
    /// is renewed, in thousandths.
    fn agreed(&self) -> BTreeMap<usize, (i64, i64)> {
        let path = self.scene.world.dir.path().join("watch.db");
        let db = rusqlite::Connection::open(path).unwrap();
        let sql = "SELECT f.name, s.lease_until - c.since, s.next_try - c.since \
                   FROM subscription s JOIN feed f ON f.id = s.feed_id \
                   JOIN callback c ON c.feed_id = f.id AND c.role = 'held'";
        let mut select = db.prepare(sql).unwrap();
        let rows = select.query_map([], |row| {
            let (name, lease, renewal): (String, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((name[1..].parse().unwrap(), (lease, renewal * 1_000 / lease)))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// One story to each address in use, and that all of them are there.
    async fn bring(&self, round: &str) {
        for (n, held) in self.held() {
            let guid = format!("{round}-{n}");
            let answer = push(&held, &rss(&[(&guid, &guid, "x")])).await;
            assert_eq!(answer.status, 202, "{guid}");
        }
        let count = format!("SELECT count(*) FROM entry WHERE guid LIKE '{round}-%'");
        let size = i64::try_from(self.size).unwrap();
        until("all are there", async || self.scene.count(&count) == size).await;
    }
}

fn topic(n: usize, port: u16) -> String {
    format!("http://127.0.{}.{}:{port}/f{n}", 1 + n / 200, 1 + n % 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_leases_of_every_shape_are_renewed_in_time() {
    let fleet = Fleet::new(200, "1s").await;
    let shape = |topic: &str| {
        let n: usize = topic.rsplit("/f").next().unwrap().parse().unwrap();
        SHAPES[n % SHAPES.len()].0.map(str::to_owned)
    };
    fleet.scene.hub.lend(shape);
    let app = fleet.start().await;
    // First visits are spread, ten in a second at the most.
    let named = async || {
        fleet.wait(1);
        fleet.scene.count("SELECT count(*) FROM subscription") == 200
    };
    until("all feeds have named their hub", named).await;
    fleet.all_active().await;
    let agreed = fleet.agreed();
    assert_eq!(agreed.len(), fleet.size);
    let mut parts = Vec::new();
    for (n, (lease, part)) in &agreed {
        let (stated, seconds) = SHAPES[n % SHAPES.len()];
        assert_eq!(*lease, seconds * 1_000, "{stated:?}");
        assert!((600..=800).contains(part), "{stated:?}: {part}");
        parts.push(*part);
    }
    parts.sort_unstable();
    say(&format!("200 leases: renewed after {:?} to {:?} thousandths", parts[0], parts[199]));
    assert!(parts[199] - parts[0] > 100, "they fall due together");
    fleet.bring("first").await;
    // Each shape in its turn, the shortest first.
    for (seconds, shapes) in [
        (15, vec![0]),
        (300, vec![1, 2, 3, 4]),
        (90_000, vec![5]),
        (864_000, vec![6]),
        (2_592_000, vec![7]),
    ] {
        let before = fleet.held();
        let begun = fleet.scene.world.clock.now();
        let times = fleet.scene.store().subscriptions().await.unwrap();
        let of_it = |name: &str| {
            let n: usize = name[1..].parse().unwrap();
            shapes.contains(&(n % SHAPES.len()))
        };
        let last = times.iter().filter(|one| of_it(one.feed.as_str()));
        let last = last.filter_map(|one| one.next_try).max().unwrap();
        let left = last.duration_since(begun);
        assert!(left <= SignedDuration::from_secs(seconds * 8 / 10), "{left}");
        fleet.scene.world.wait(left.max(SignedDuration::ZERO));
        let renewed = async || {
            let now = fleet.held();
            let members = shapes.iter().flat_map(|shape| fleet.of_shape(*shape));
            members.into_iter().all(|n| now[&n].callback != before[&n].callback)
        };
        until(&format!("leases of {seconds} s are renewed"), renewed).await;
        fleet.all_active().await;
    }
    fleet.bring("renewed").await;
    after_a_restart_and_a_day_off(&fleet, app).await;
}

async fn after_a_restart_and_a_day_off(fleet: &Fleet, app: App) {
    let asked = fleet.scene.hub.asked("subscribe").len();
    app.stop().await;
    let app = fleet.start().await;
    fleet.bring("restarted").await;
    assert_eq!(fleet.scene.hub.asked("subscribe").len(), asked, "asked again at the start");
    app.stop().await;
    let before = fleet.held();
    fleet.wait(DAY);
    let app = fleet.start().await;
    fleet.all_active().await;
    let after = fleet.held();
    let (mut kept, mut anew) = (0, 0);
    for n in 0..fleet.size {
        let is_kept = before[&n].callback == after[&n].callback;
        let long = SHAPES[n % SHAPES.len()].1 > DAY;
        assert!(
            is_kept || !long || SHAPES[n % SHAPES.len()].1 == 90_000,
            "feed {n} asked too soon"
        );
        assert!(!is_kept || long, "feed {n} has no lease");
        if is_kept { kept += 1 } else { anew += 1 }
    }
    say(&format!("a day off: {kept} leases kept, {anew} made anew"));
    fleet.bring("day").await;
    // Nothing is put off for more than a day, and what is late not for more than its spread.
    let now = fleet.scene.world.clock.now().as_millisecond();
    let slow = format!(
        "SELECT count(*) FROM feed WHERE next_due > max({now}, last_attempt + 86400000 * 1.1) + 300000"
    );
    assert_eq!(fleet.scene.count(&slow), 0);
    app.stop().await;
}

/// Feeds that neither a lease covers nor the poll that is due in time.
fn uncovered(fleet: &Fleet, interval_ms: i64) -> i64 {
    let now = wirewatch::model::Clock::System.now().as_millisecond();
    fleet.scene.count(&format!(
        "SELECT count(*) FROM feed f LEFT JOIN subscription s ON s.feed_id = f.id \
         WHERE f.name <> 'a' AND coalesce(s.lease_until, 0) < {now} - 5000 \
         AND f.next_due > max({now}, coalesce(f.last_attempt, 0)) + {interval_ms} * 1.2"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_15_seconds_lose_nothing_through_kills() {
    let size = count("WIREWATCH_LEASES", 20);
    let kills = (size / 20).max(2);
    let fleet = Fleet::new(size, "5s").await;
    fleet.scene.hub.behave(Some("15"), true);
    drop(fleet.scene.config("1h"));
    let mut process = kill::start(&fleet.scene);
    let first = Instant::now();
    while fleet.held().len() < size {
        assert!(first.elapsed() < Duration::from_secs(180), "{} of {size}", fleet.held().len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut stories: Vec<Vec<String>> = vec![vec!["first".to_owned()]; size];
    let (brought, mut looked, mut bare) = (AtomicUsize::new(0), 0, 0);
    for round in 0..kills * 2 {
        for (n, stories) in stories.iter_mut().enumerate() {
            stories.insert(0, format!("s{round}-{n}"));
            fleet.publish(n, stories);
        }
        let mut bringing = JoinSet::new();
        for (n, held) in fleet.held() {
            let guid = stories[n][0].clone();
            bringing.spawn(async move { push(&held, &rss(&[(&guid, &guid, "x")])).await.status });
            if bringing.len() >= 8 {
                note(&brought, bringing.join_next().await.unwrap().unwrap());
            }
        }
        bringing.join_all().await.into_iter().for_each(|status| note(&brought, status));
        // Half a lease, so that each life renews; every other round ends with a kill.
        for _ in 0..15 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            looked += 1;
            bare += uncovered(&fleet, 5_000);
        }
        if round % 2 == 1 {
            process.kill().await.unwrap();
            process = kill::start(&fleet.scene);
            let open = async || tokio::net::TcpStream::connect(fleet.scene.address).await.is_ok();
            until("an open port", open).await;
        }
    }
    let published: i64 = stories.iter().map(|of_feed| of_feed.len() as i64).sum();
    let there = async || fleet.scene.count("SELECT count(*) FROM entry") == published;
    until("all stories are there", there).await;
    process.kill().await.unwrap();
    let (asked, held) = (fleet.scene.hub.asked("subscribe").len(), fleet.scene.hub.held().len());
    say(&format!(
        "{size} leases of 15 s, {kills} kills in {:?}: asked {asked} times, {held} confirmed; \
         {published} stories, {} thanked, 0 lost; uncovered {bare} of {} looks",
        first.elapsed(),
        brought.load(Ordering::SeqCst),
        looked * size
    ));
    assert_eq!(bare, 0);
}

fn note(brought: &AtomicUsize, status: u16) {
    // 410 is a thank-you as well: the address was replaced a moment ago.
    if matches!(status, 202 | 410) {
        brought.fetch_add(1, Ordering::SeqCst);
    }
}
