//! Clouds that tell of news (rssCloud): asked, tested, pinged, asked again.

use jiff::SignedDuration;
use url::Url;
use wirewatch::app::App;

use super::cloud::{Cloud, Test, ping, say};
use super::hub::get;
use super::scene::{Scene, until};
use super::support::http::{Reply, handler};
use super::world::rss;

/// A daemon on a clock of the test's, a publisher and its cloud.
struct Sky {
    scene: Scene,
    cloud: Cloud,
}

impl Sky {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let cloud = Cloud::start(scene.world.clock.clone()).await;
        Self { scene, cloud }
    }

    fn feed(&self) -> String {
        self.scene.world.feeds.url("/a")
    }

    /// A feed at /a that names the cloud, and itself.
    fn document(&self, items: &[(&str, &str, &str)]) -> String {
        let own = format!(
            "<channel>{}<link xmlns=\"http://www.w3.org/2005/Atom\" rel=\"self\" href=\"{}\"/>",
            self.cloud.element(),
            self.feed()
        );
        rss(items).replace("<channel>", &own)
    }

    fn publish(&self, items: &[(&str, &str, &str)]) {
        self.scene.world.feeds.script("/a", vec![Reply::ok(self.document(items))]);
    }

    async fn start(&self) -> App {
        self.start_at("auto").await
    }

    async fn start_at(&self, interval: &str) -> App {
        let config = self.scene.config(interval);
        let app = App::start(&config, self.scene.world.clock.clone()).await.unwrap();
        let open = async || tokio::net::TcpStream::connect(self.scene.address).await.is_ok();
        until("an open port", open).await;
        app
    }

    /// Started, and registered for the first time.
    async fn registered(&self) -> App {
        self.publish(&[("0", "Quiet", "x")]);
        let app = self.start().await;
        self.cloud.wait_known(1).await;
        self.rests().await;
        app
    }

    /// Waits until no visit is due or under way.
    async fn rests(&self) {
        until("no visit is due", async || self.due() == 0).await;
    }

    fn due(&self) -> i64 {
        let now = self.scene.world.clock.now().as_millisecond();
        let due = "SELECT count(*) FROM feed WHERE leased_until IS NOT NULL OR next_due <=";
        self.scene.count(&format!("{due} {now}"))
    }

    fn polls(&self) -> usize {
        self.scene.world.feeds.count("/a")
    }

    fn wait(&self, seconds: i64) {
        self.scene.world.wait(SignedDuration::from_secs(seconds));
    }

    async fn state(&self) -> &'static str {
        self.scene.subscription().await.state.as_str()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_is_asked_in_its_own_words() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    let asked = sky.cloud.asked().remove(0);
    let known = sky.cloud.listeners().remove(0);
    let token = known.callback.path().strip_prefix("/push/").unwrap();
    assert!(token.len() >= 43, "{token}");
    let expected = [
        ("domain", "127.0.0.1"),
        ("notifyProcedure", ""),
        ("path", known.callback.path()),
        ("port", &sky.scene.address.port().to_string()),
        ("protocol", "http-post"),
        ("url1", &sky.feed()),
    ];
    let asked: Vec<(&str, &str)> = asked.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(asked, expected);
    let answer = sky.cloud.tested().remove(0);
    assert!(answer.head.contains("content-type: text/plain"), "{answer:?}");
    assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
    let (one, now) = (sky.scene.subscription().await, sky.scene.world.clock.now());
    let left = |at: Option<jiff::Timestamp>| at.unwrap().duration_since(now).as_hours();
    assert_eq!((one.state.as_str(), one.protocol.as_str()), ("active", "rsscloud"));
    assert_eq!((left(one.lease_until), left(one.next_try)), (25, 24));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_pings_are_one_poll_for_each_floor() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    assert_eq!(sky.polls(), 1);
    // At once: the feed was looked at a moment ago.
    for _ in 0..100 {
        assert_eq!(sky.cloud.ping(&sky.feed()).await, [202]);
    }
    sky.rests().await;
    assert_eq!(sky.polls(), 1, "polled before the floor");
    // One each 30 seconds, for 50 minutes; the floor is 5 minutes.
    let (mut last, mut gaps) = (0, Vec::new());
    for n in 1..=100 {
        sky.wait(30);
        let before = sky.polls();
        assert_eq!(sky.cloud.ping(&sky.feed()).await, [202]);
        sky.rests().await;
        if sky.polls() > before {
            assert_eq!(sky.polls(), before + 1);
            gaps.push((n - last) * 30);
            last = n;
        }
    }
    super::say(&format!("100 pings in 3000 s: polls after {gaps:?} s"));
    assert!(gaps.iter().all(|gap| *gap >= 300), "{gaps:?}");
    assert!((9..=10).contains(&gaps.len()), "{gaps:?}");
    let one = sky.scene.subscription().await;
    assert_eq!((one.pushes, one.last_error), (200, None));
    assert_eq!(sky.scene.count("SELECT count(*) FROM feed WHERE pushed_until IS NOT NULL"), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_interval_and_the_servers_wishes_hold_against_pings() {
    for (interval, age) in [("1h", "0"), ("auto", "3600")] {
        let sky = Sky::new().await;
        let reply = Reply::ok(sky.document(&[("0", "Quiet", "x")]));
        let reply = reply.header("Cache-Control", format!("max-age={age}"));
        sky.scene.world.feeds.script("/a", vec![reply]);
        let app = sky.start_at(interval).await;
        sky.cloud.wait_known(1).await;
        sky.rests().await;
        for _ in 0..20 {
            sky.wait(150);
            sky.cloud.ping(&sky.feed()).await;
            sky.rests().await;
            assert_eq!(sky.polls(), 1, "{interval}, max-age={age}");
        }
        sky.wait(1_200);
        sky.cloud.ping(&sky.feed()).await;
        until("a poll", async || sky.polls() == 2).await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_brings_its_news() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    sky.wait(400);
    sky.publish(&[("1", "A marker", "new"), ("0", "Quiet", "x")]);
    let begun = std::time::Instant::now();
    sky.cloud.ping(&sky.feed()).await;
    let told = sky.scene.world.hook.wait_for(1).await;
    super::say(&format!("ping to alert: {} ms", (told[0].at - begun).as_millis()));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_during_a_visit_is_not_forgotten() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    sky.wait(400);
    let known = sky.cloud.listeners().remove(0);
    let (clock, feed) = (sky.scene.world.clock.clone(), sky.feed());
    let quiet = sky.document(&[("0", "Quiet", "x")]);
    let during = handler(move |_| {
        // The entry comes after the look, and so does the ping.
        let later = clock.now().checked_add(SignedDuration::from_secs(1)).unwrap();
        clock.set(later);
        let pinged = ping(&known.callback, &feed);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(pinged));
        Reply::ok(quiet.clone())
    });
    sky.scene.world.feeds.route("/a", during);
    sky.cloud.ping(&sky.feed()).await;
    until("a second look", async || sky.polls() == 2).await;
    sky.rests().await;
    sky.publish(&[("1", "A marker", "new"), ("0", "Quiet", "x")]);
    let now = sky.scene.world.clock.now().as_millisecond();
    let soon = format!("SELECT count(*) FROM feed WHERE next_due <= {}", now + 330_000);
    assert_eq!(sky.scene.count(&soon), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_pings_and_questions_change_nothing() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    sky.wait(600);
    let known = sky.cloud.listeners().remove(0).callback;
    let picture = || {
        let counts = [
            "SELECT sum(next_due) FROM feed",
            "SELECT sum(pushes) FROM subscription",
            "SELECT count(*) FROM callback WHERE role = 'held'",
            "SELECT count(*) FROM callback",
            "SELECT count(*) FROM push",
        ];
        counts.map(|sql| sky.scene.count(sql))
    };
    let before = picture();
    // Of other feeds, or of none.
    for feed in ["https://elsewhere.test/feed", "", &format!("{}/", sky.feed())] {
        assert_eq!(ping(&known, feed).await.status, 202, "{feed}");
    }
    for body in ["", "feed=x", "<methodCall/>", "URL=x", "%", "url"] {
        assert_eq!(say(&known, body.as_bytes()).await.status, 202, "{body}");
    }
    assert_eq!(say(&known, &vec![b'x'; 8_193]).await.status, 413);
    // At addresses that nobody was given.
    let token = known.path().strip_prefix("/push/").unwrap();
    for other in ["A".repeat(43), token.to_lowercase(), format!("{token}x"), token[1..].to_owned()]
    {
        let forged: Url = known.join(&format!("/push/{other}")).unwrap();
        assert_eq!(ping(&forged, &sky.feed()).await.status, 404, "{other}");
    }
    // Questions: nothing is asked for now, and a hub's are not a cloud's.
    let feed = sky.feed();
    for query in [
        vec![("url", &*feed), ("challenge", "x")],
        vec![("hub.mode", "subscribe"), ("hub.topic", &feed), ("hub.challenge", "x")],
        vec![("hub.mode", "denied"), ("hub.topic", &feed)],
        vec![("hub.mode", "unsubscribe"), ("hub.topic", &feed), ("hub.challenge", "x")],
    ] {
        let mut url = known.clone();
        url.query_pairs_mut().extend_pairs(&query);
        assert_eq!(get(&url).await.status, 404, "{query:?}");
    }
    assert_eq!(picture(), before);
    assert_eq!(sky.polls(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_tests_wrongly_or_refuses_is_not_relied_on() {
    for (test, expected, error) in [
        (Test::OtherFeed, "wanted", Some("the cloud says no: The call failed")),
        (Test::OtherPing, "wanted", Some("the cloud says no: The call failed")),
        (Test::Refused, "wanted", Some("the cloud says no: The feed cannot be read.")),
        (Test::Never, "pending", None),
    ] {
        let sky = Sky::new().await;
        sky.cloud.behave(test);
        sky.publish(&[("0", "Quiet", "x")]);
        let app = sky.start().await;
        sky.cloud.wait_asked(1).await;
        let is_so = async || sky.state().await == expected;
        until(&format!("{test:?} leaves it {expected}"), is_so).await;
        let one = sky.scene.subscription().await;
        match (&one.last_error, error) {
            (Some(said), Some(error)) => assert!(said.starts_with(error), "{said}"),
            (said, error) => assert_eq!(said.as_deref(), error),
        }
        if matches!(test, Test::OtherFeed | Test::OtherPing) {
            assert_eq!(sky.cloud.tested().remove(0).status, 404);
        }
        assert!(one.lease_until.is_none(), "{one:?}");
        // It is asked again, less and less often, and taken back when it is well.
        sky.cloud.behave(Test::Honest);
        sky.wait(3_600);
        sky.cloud.wait_known(1).await;
        until("active", async || sky.state().await == "active").await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_of_the_feed_is_a_test_too() {
    let sky = Sky::new().await;
    sky.cloud.behave(Test::Ping);
    let app = sky.registered().await;
    assert_eq!(sky.cloud.tested().remove(0).status, 202);
    until("active", async || sky.state().await == "active").await;
    let (one, now) = (sky.scene.subscription().await, sky.scene.world.clock.now());
    let left = |at: Option<jiff::Timestamp>| at.unwrap().duration_since(now).as_hours();
    assert_eq!((left(one.lease_until), left(one.next_try)), (25, 24));
    assert_eq!(sky.polls(), 1, "polled before the floor");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_tests_nothing_is_relied_on_from_its_first_ping() {
    let sky = Sky::new().await;
    sky.cloud.behave(Test::Never);
    let app = sky.registered().await;
    assert_eq!(sky.state().await, "pending");
    let asked_at = sky.scene.world.clock.now();
    let known = sky.cloud.listeners().remove(0).callback;
    assert_eq!(ping(&known, "https://elsewhere.test/feed").await.status, 404);
    assert_eq!(say(&known, &vec![b'x'; 8_193]).await.status, 413);
    assert_eq!(sky.state().await, "pending");
    sky.wait(400);
    sky.publish(&[("1", "A marker", "new"), ("0", "Quiet", "x")]);
    assert_eq!(sky.cloud.ping(&sky.feed()).await, [202]);
    sky.scene.world.hook.wait_for(1).await;
    let one = sky.scene.subscription().await;
    assert_eq!((one.state.as_str(), one.pushes), ("active", 1));
    // The cloud counts from the day it was asked.
    assert_eq!(one.lease_until.unwrap().duration_since(asked_at).as_hours(), 25);
    // A day later the new address is in use from its first ping on.
    sky.wait(24 * 3_600);
    let again = sky.cloud.wait_known(2).await.callback;
    assert_eq!(ping(&again, &sky.feed()).await.status, 202);
    assert_eq!(sky.state().await, "active");
    sky.wait(601);
    assert_eq!(ping(&known, &sky.feed()).await.status, 410);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_again_every_day_and_a_dead_cloud_is_done_without() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    let mut known = sky.cloud.listeners().remove(0).callback;
    for day in 2..=4 {
        sky.wait(24 * 3_600 - 1);
        let next = sky.scene.subscription().await.next_try.unwrap();
        assert!(next > sky.scene.world.clock.now(), "asked too soon");
        sky.wait(1);
        let again = sky.cloud.wait_known(day).await.callback;
        assert_ne!(again, known);
        // For an hour the cloud still knows the old address.
        until("the old one is retired", async || {
            sky.scene.count("SELECT count(*) FROM callback WHERE role = 'held'") == 1
        })
        .await;
        sky.wait(601);
        assert_eq!(ping(&known, &sky.feed()).await.status, 410);
        assert_eq!(ping(&again, &sky.feed()).await.status, 202);
        sky.wait(-601);
        known = again;
    }
    assert_eq!(sky.cloud.asked().len(), 4, "asked more than once a day");
    assert_eq!(sky.scene.count("SELECT count(*) FROM callback WHERE next_try IS NOT NULL"), 0);
    // From now on it says no; after 25 hours it has forgotten us, and is not waited for.
    sky.cloud.behave(Test::Refused);
    sky.wait(24 * 3_600);
    sky.cloud.wait_asked(5).await;
    until("refused", async || sky.scene.subscription().await.last_error.is_some()).await;
    assert_eq!(sky.state().await, "active");
    sky.wait(3_601);
    until("it ran out", async || sky.scene.subscription().await.lease_until.is_none()).await;
    assert!(sky.cloud.listeners().is_empty());
    let interval = sky.scene.count("SELECT next_due - last_attempt FROM feed");
    assert!(interval <= 3_600_000 * 14, "{interval}");
    sky.cloud.behave(Test::Honest);
    sky.wait(24 * 3_600);
    sky.cloud.wait_known(5).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_outlives_a_restart_and_is_renewed_after_a_day_off() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    app.stop().await;
    sky.wait(3_600);
    let app = sky.start().await;
    assert_eq!(sky.cloud.ping(&sky.feed()).await, [202]);
    until("it is looked at", async || sky.polls() == 2).await;
    assert_eq!(sky.cloud.asked().len(), 1, "asked again at the start");
    sky.rests().await;
    app.stop().await;
    sky.wait(30 * 3_600);
    let app = sky.start().await;
    sky.cloud.wait_known(2).await;
    until("active", async || sky.state().await == "active").await;
    assert_eq!(sky.cloud.ping(&sky.feed()).await.len(), 1);
    assert_eq!(sky.cloud.asked().len(), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_wants_none_or_has_a_hub_asks_no_cloud() {
    let mut sky = Sky::new().await;
    sky.scene.more = "websub = false\n".to_owned();
    sky.publish(&[("0", "Quiet", "x")]);
    let app = sky.start().await;
    until("a visit", async || sky.polls() == 1).await;
    sky.rests().await;
    assert_eq!(sky.scene.count("SELECT count(*) FROM subscription"), 0);
    app.stop().await;

    let sky = Sky::new().await;
    let link = format!("<{}>; rel=hub", sky.scene.hub.url());
    let both = Reply::ok(sky.document(&[("0", "Quiet", "x")])).header("Link", link);
    sky.scene.world.feeds.script("/a", vec![both]);
    let app = sky.start().await;
    sky.scene.hub.wait_held(1).await;
    assert!(sky.cloud.asked().is_empty());
    // The hub goes, the cloud stays.
    sky.publish(&[("1", "Quiet", "y")]);
    sky.wait(12 * 3_600);
    sky.cloud.wait_known(1).await;
    assert_eq!(sky.scene.subscription().await.protocol.as_str(), "rsscloud");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_how_a_cloud_does() {
    let sky = Sky::new().await;
    let app = sky.registered().await;
    sky.cloud.ping(&sky.feed()).await;
    app.stop().await;
    let shown = |arguments: &[&str]| {
        let config = sky.scene.world.dir.path().join("watch.toml");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        let output = command.arg("--config").arg(config).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let status = shown(&["status"]);
    assert!(status.contains("clouds: 1 active; last ping "), "{status}");
    let status = shown(&["status", "--json"]);
    assert!(status.contains("\"protocol\":\"rsscloud\""), "{status}");
    let feed = shown(&["feeds", "show", "a"]);
    for words in ["rsscloud", "/pleaseNotify", "active"] {
        assert!(feed.contains(words), "{feed}");
    }
}
