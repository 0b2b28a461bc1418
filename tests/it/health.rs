//! What visits leave on a feed, through the whole daemon: what operators are
//! told, where the feed is asked, what is read again after a gap or a break.

use jiff::SignedDuration;
use serde_json::Value;
use wirewatch::config::Config;
use wirewatch::store::FeedDetail;
use wirewatch::store::Store;

use crate::support::collector::Answer;
use crate::support::http::{Reply, Request, handler};
use crate::support::smtp::SmtpSink;
use crate::world::{World, rss};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A document of the items numbered so, the newest first.
fn items(numbers: impl Iterator<Item = u32>) -> String {
    let items: Vec<(String, String)> =
        numbers.map(|n| (n.to_string(), format!("Marker number {n} of the day"))).collect();
    let items: Vec<(&str, &str, &str)> = items.iter().map(|(a, b)| (&**a, &**b, &**b)).collect();
    rss(&items)
}

/// The messages about feeds that the webhook was sent.
fn told(world: &World) -> Vec<Value> {
    let notices = |delivery: &Value| delivery["type"] == "feed.notice";
    world.hook.attempts().into_iter().map(|a| a.json).filter(notices).collect()
}

/// The kinds of notices in all messages, in order.
fn kinds(world: &World) -> Vec<String> {
    told(world)
        .iter()
        .flat_map(|message| message["data"]["notices"].as_array().unwrap().clone())
        .map(|notice| notice["kind"].as_str().unwrap().to_string())
        .collect()
}

async fn detail(config: &Config, name: &str) -> FeedDetail {
    let store = Store::attach(&config.store).unwrap();
    store.feed_detail(wirewatch::model::FeedName::new(name)).await.unwrap().unwrap()
}

/// Polls `times`, each time after a pause.
async fn polls(world: &World, config: &Config, times: usize, pause: SignedDuration) {
    for _ in 0..times {
        world.wait(pause);
        world.once(config).await;
    }
}

#[tokio::test]
async fn an_outage_is_told_once_and_its_end_once() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", items(1..4));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    world.feeds.route("/a", handler(|_| Reply::status(500)));
    polls(&world, &config, 8, HOUR).await;
    assert_eq!(kinds(&world), ["down"]);
    world.feeds.serve("/a", "text/xml", items(1..5));
    polls(&world, &config, 3, HOUR).await;
    assert_eq!(kinds(&world), ["down", "recovered"]);
    let alerts = world.alerts(&config).await;
    assert_eq!(alerts.len(), 4, "what came after the outage is alerted");
}

#[tokio::test]
async fn notices_that_were_sent_are_forgotten_with_time_and_what_waits_is_not() {
    for (answer, left) in [(Answer::Status(200), 0), (Answer::Status(500), 1)] {
        let world = World::new().await;
        world.hook.answer(vec![answer]);
        world.feeds.route("/a", handler(|_| Reply::status(410)));
        let config = world.config(&world.toml(&world.feed("a")));
        world.once(&config).await;
        let store = Store::open(&config.store).unwrap();
        assert_eq!(store.notices(None, None, 10).await.unwrap().len(), 1);
        let mut now = world.clock.now();
        for _ in 0..72 {
            now += HOUR;
            store.sweep(now, HOUR * 24, 100).await.unwrap();
        }
        assert_eq!(store.notices(None, None, 10).await.unwrap().len(), left);
        assert_eq!(world.deliveries(&config).await.len(), left);
    }
}

#[tokio::test]
async fn the_outages_of_two_feeds_are_one_message() {
    let world = World::new().await;
    let names = ["a", "b"];
    for name in names {
        world.feeds.route(&format!("/{name}"), handler(|_| Reply::status(500)));
    }
    let feeds: String = names.iter().map(|name| world.feed(name)).collect();
    let config = world.config(&world.toml(&feeds));
    polls(&world, &config, 8, HOUR).await;
    let messages = told(&world);
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert_eq!(kinds(&world), ["down", "down"]);
}

#[tokio::test]
async fn operators_choose_where_and_what_they_are_told() {
    let world = World::new().await;
    let smtp = SmtpSink::start().await;
    world.feeds.route("/a", handler(|_| Reply::status(500)));
    world.feeds.route("/gone", handler(|_| Reply::status(410)));
    let operator = format!(
        "{}{}[operator]\nnotify = [\"ops\"]\nquiet = [\"gone\"]\n[channel.ops.email]\n\
         from = \"watch@example.org\"\nto = [\"ops@example.org\"]\nsmtp = \"127.0.0.1:{}\"\n\
         tls = \"none\"\n",
        world.feed("a"),
        world.feed("gone"),
        smtp.port()
    );
    let config = world.config(&world.toml(&operator));
    polls(&world, &config, 6, HOUR).await;
    assert!(told(&world).is_empty(), "the webhook is not the operators'");
    let mails = smtp.wait_for(1).await;
    assert_eq!(mails.len(), 1);
    let mail = String::from_utf8(mails[0].data.clone()).unwrap();
    assert!(mail.contains("\"a\"") && !mail.contains("\"gone\""), "{mail}");
    assert_eq!(detail(&config, "gone").await.memory.health.health.as_str(), "gone");
}

#[tokio::test]
async fn nobody_is_told_where_nobody_wants_to_be() {
    let world = World::new().await;
    world.feeds.route("/a", handler(|_| Reply::status(500)));
    let config =
        world.config(&world.toml(&format!("{}[operator]\nnotify = []\n", world.feed("a"))));
    polls(&world, &config, 6, HOUR).await;
    assert!(world.hook.attempts().is_empty());
    let store = Store::attach(&config.store).unwrap();
    assert_eq!(store.notices(None, None, 10).await.unwrap().len(), 1, "it stays on record");
}

#[tokio::test]
async fn entries_that_rolled_out_are_found_in_older_pages() {
    let world = World::new().await;
    // Ten entries a page, each page linked to the older one (RFC 5005).
    let page = |newest: u32, path: &str| {
        let next = path.trim_start_matches("/a").parse::<u32>().unwrap_or(0) + 1;
        let link = format!(
            "<atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"prev-archive\" \
             href=\"/a{next}\"/>"
        );
        items((newest - 9..=newest).rev()).replace("<title>News", &format!("{link}<title>News"))
    };
    world.feeds.serve("/a", "text/xml", page(10, "/a"));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 10);
    // While nobody looked 25 appeared: the window shows the last ten.
    for (path, newest) in [("/a", 35), ("/a1", 25), ("/a2", 15), ("/a3", 5)] {
        let newest = newest.max(10);
        world.feeds.serve(path, "text/xml", page(newest, path));
    }
    polls(&world, &config, 2, HOUR).await;
    assert_eq!(world.alerts(&config).await.len(), 35, "25 of 25 are alerted");
    let pages: usize = ["/a1", "/a2", "/a3"].iter().map(|path| world.feeds.count(path)).sum();
    assert_eq!(pages, 2, "no more than it takes to reach what is known");
    let detail = detail(&config, "a").await;
    assert_eq!(detail.gaps.len(), 1);
    assert_eq!(detail.gaps[0].1, 15, "found in older pages");
    assert_eq!(kinds(&world), ["gap"]);
}

#[tokio::test]
async fn older_pages_are_neither_files_nor_programs_and_others_get_no_credentials() {
    let world = World::new().await;
    let other = crate::support::http::FeedServer::start().await;
    other.serve("/older", "text/xml", items(20..26));
    let (script, ran) = (world.dir.path().join("run.sh"), world.dir.path().join("ran"));
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let file = world.write("older.xml", &items(11..20));
    world.secret("feed-token", "t0ken-value\n");
    let feed = format!("{}bearer_token_file = \"feed-token\"\n", world.feed("a"));
    let config = world.config(&world.toml(&feed));
    world.feeds.serve("/a", "text/xml", items((1..=10).rev()));
    world.once(&config).await;
    let links = [
        format!("exec:{}", script.display()),
        format!("file:{}", file.display()),
        other.url("/older"),
    ];
    for (n, link) in (1..).zip(links) {
        let link = format!(
            "<atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"prev-archive\" \
             href=\"{link}\"/>"
        );
        let newest = 100 * n;
        let page = items((newest - 9..=newest).rev());
        let page = page.replace("<title>News", &format!("{link}<title>News"));
        world.feeds.serve("/a", "text/xml", page);
        polls(&world, &config, 2, HOUR).await;
    }
    assert!(!ran.exists(), "a feed ran a program");
    let told = world.alerts(&config).await;
    assert!(told.len() == 10 + 3 * 10 + 6, "{}", told.len());
    assert!(!format!("{:?}", other.all_requests()).contains("t0ken"));
}

#[tokio::test]
async fn a_gap_that_nothing_fills_is_kept_with_its_times() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", items((1..=10).rev()));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    let before = world.clock.now();
    world.feeds.serve("/a", "text/xml", items((26..=35).rev()));
    polls(&world, &config, 2, HOUR).await;
    let detail = detail(&config, "a").await;
    let (gap, found) = detail.gaps[0];
    assert_eq!((detail.gaps.len(), found), (1, 0));
    assert!(gap.since <= before && gap.until > before, "{gap:?}");
    assert_eq!(kinds(&world), ["gap"]);
}

#[tokio::test]
async fn a_move_is_believed_after_a_day_and_undone_when_the_new_place_fails() {
    let world = World::new().await;
    let new = world.feeds.url("/new");
    world.feeds.route("/a", handler(move |_| Reply::status(301).header("Location", new.clone())));
    world.feeds.serve("/new", "text/xml", items(1..4));
    let config = world.config(&world.toml(&world.feed("a")));
    polls(&world, &config, 5, HOUR).await;
    assert_eq!(world.feeds.count("/a"), 5, "five sightings in five hours are too few");
    polls(&world, &config, 3, HOUR * 12).await;
    let (home, moved) = (world.feeds.count("/a"), detail(&config, "a").await.moved_to);
    assert_eq!(moved, Some(world.feeds.url("/new")));
    polls(&world, &config, 2, HOUR).await;
    assert_eq!(world.feeds.count("/a"), home, "asked at its new place only");
    assert_eq!(kinds(&world), ["moved"]);
    world.feeds.route("/new", handler(|_| Reply::status(404)));
    world.feeds.serve("/a", "text/xml", items(1..6));
    polls(&world, &config, 4, HOUR).await;
    assert!(world.feeds.count("/a") > home);
    assert_eq!(detail(&config, "a").await.moved_to, None);
    assert_eq!(world.alerts(&config).await.len(), 5);
}

#[tokio::test]
async fn damaged_documents_under_the_etag_of_the_whole_one_lose_nothing() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", items(1..3));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    let whole = items((3..=20).rev());
    let answer = |body: Vec<u8>| {
        handler(move |request: &Request| match request.header("if-none-match") {
            Some("\"e\"") => Reply::status(304),
            _ => Reply::ok(body.clone()).header("ETag", "\"e\""),
        })
    };
    for part in 1..=8 {
        let cut = whole.len() * part / 9;
        world.feeds.route("/a", answer(whole.as_bytes()[..cut].to_vec()));
        world.once(&config).await;
    }
    world.feeds.route("/a", answer(whole.clone().into_bytes()));
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 20);
    let before = world.feeds.count("/a");
    world.once(&config).await;
    let last = world.feeds.requests("/a").pop().unwrap();
    assert_eq!(world.feeds.count("/a"), before + 1);
    assert_eq!(last.request.header("if-none-match"), Some("\"e\""));
}

#[tokio::test]
async fn a_first_document_that_breaks_off_neither_floods_nor_silences_a_feed() {
    let world = World::new().await;
    let first = items((11..=30).rev());
    let cut = first.len() / 2;
    world.feeds.serve("/a", "text/xml", &first.as_bytes()[..cut]);
    let toml = world.toml(&world.feed("a")).replace("backfill = \"all\"", "backfill = \"none\"");
    let config = world.config(&toml);
    world.once(&config).await;
    // Whole now, with one more entry on top.
    world.feeds.serve("/a", "text/xml", items((11..=31).rev()));
    world.once(&config).await;
    let alerts = world.alerts(&config).await;
    let titles: Vec<&str> = alerts.iter().map(|alert| alert.title.as_str()).collect();
    assert_eq!(titles, ["Marker number 31 of the day"]);
    // A feed that always breaks off is read all the same.
    let third = items((11..=33).rev());
    world.feeds.serve("/a", "text/xml", &third.as_bytes()[..third.len() - 40]);
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 3);
}

#[tokio::test]
async fn a_broken_feed_alerts_and_is_degraded_not_down() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", items(1..4));
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    for last in 4..9 {
        let broken = items(1..last + 1).replace("<title>News", "<title>News & Views &nbsp");
        world.feeds.serve("/a", "text/xml", broken);
        polls(&world, &config, 1, HOUR).await;
    }
    assert_eq!(world.alerts(&config).await.len(), 8);
    assert_eq!(kinds(&world), ["degraded"]);
    let row = world.feed_row(&config, "a").await;
    assert_eq!((row.health.as_str(), row.failures), ("degraded", 0));
    let facts = detail(&config, "a").await.memory.facts.unwrap();
    assert!(facts.repairs.iter().any(|repair| repair.contains('&')), "{facts:?}");
    let shown: Value = serde_json::from_str(&wirewatch(&world, &["--json"])).unwrap();
    assert_eq!(shown["state"], "degraded");
    assert_eq!(shown["format"], "RSS 2.0");
    assert_eq!((&shown["encoding"], &shown["decided_by"]), (&"UTF-8".into(), &"utf-8".into()));
    assert_eq!(shown["guids"], "trusted");
    assert!(shown["state_since"].is_string() && shown["polled_every"].is_string(), "{shown}");
    assert_eq!(shown["repairs"].as_array().unwrap().len(), facts.repairs.len());
    let text = wirewatch(&world, &[]);
    assert!(text.contains("bare \"&\"") && !text.contains("moved to"), "{text}");
}

/// What `feeds show a` prints.
fn wirewatch(world: &World, more: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wirewatch"))
        .args(["feeds", "show", "a", "--config"])
        .arg(world.dir.path().join("watch.toml"))
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_bot_check_that_names_a_time_is_left_alone_until_then() {
    let world = World::new().await;
    let page = "<html><head><title>Just a moment...</title></head><body>\
                <div id=\"cf-challenge-running\"></div></body></html>";
    let check = handler(move |_| {
        Reply::status(403)
            .header("cf-mitigated", "challenge")
            .header("Content-Type", "text/html")
            .header("Retry-After", "10800")
            .body(page)
    });
    world.feeds.route("/a", check);
    let config = world.config(&world.toml(&world.feed("a")));
    world.once(&config).await;
    let left = detail(&config, "a").await;
    let pause = left.blocked_until.unwrap().duration_since(world.clock.now());
    assert!(pause > HOUR * 2, "{pause:?}");
    world.wait(HOUR * 2);
    world.once(&config).await;
    assert_eq!(world.feeds.count("/a"), 1);
    polls(&world, &config, 4, HOUR * 4).await;
    assert_eq!(world.feed_row(&config, "a").await.health, "challenged");
    assert_eq!(kinds(&world), ["challenged"]);
}

#[tokio::test]
async fn a_feed_in_new_clothes_is_told_to_operators_and_its_news_still_alert() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", items((1..=12).rev()));
    let config = world.config(&world.toml(&world.feed("a")));
    polls(&world, &config, 1, HOUR).await;
    // Other GUIDs and links, the same headlines, and two more on top.
    let moved = items((1..=14).rev())
        .replace("isPermaLink=\"false\">", "isPermaLink=\"false\">new-")
        .replace("news.example.org/", "news.example.org/2026/")
        .replace("</description>", " Now with more words.</description>");
    world.feeds.serve("/a", "text/xml", moved);
    polls(&world, &config, 2, HOUR).await;
    assert_eq!(world.alerts(&config).await.len(), 14);
    assert_eq!(kinds(&world).iter().filter(|kind| *kind == "gap").count(), 0);
}

#[tokio::test]
async fn guids_that_change_with_every_poll_are_told_once() {
    let world = World::new().await;
    let config = world.config(&world.toml(&world.feed("a")));
    for poll in 0..6 {
        let random = items((1..=10 + poll).rev()).replace(
            "isPermaLink=\"false\">",
            &format!("isPermaLink=\"false\">{}-", 7_919 * (poll + 3)),
        );
        world.feeds.serve("/a", "text/xml", random);
        polls(&world, &config, 1, HOUR).await;
    }
    assert_eq!(world.alerts(&config).await.len(), 15);
    assert_eq!(kinds(&world), ["random-guids"]);
    assert_eq!(world.feed_row(&config, "a").await.guids, "random");
}

#[tokio::test]
async fn a_programs_output_is_a_feed() {
    let world = World::new().await;
    world.write("feed.xml", &items(1..4));
    let toml = format!(
        "[feed.tool]\nurl = \"exec:/bin/cat\"\nargs = [\"{0}/feed.xml\"]\ninterval = \"1s\"\n\
         [feed.broken]\nurl = \"exec:/bin/false\"\ninterval = \"1s\"\n",
        world.dir.path().display()
    );
    let config = world.config(&world.toml(&toml));
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 3);
    assert_eq!(world.feed_row(&config, "broken").await.health, "failing");
    world.wait(MINUTE);
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 3);
}

#[tokio::test]
async fn each_answer_leaves_its_feed_as_the_table_says() {
    let html = "<!DOCTYPE html><html><head><title>Oops</title></head><body>Error</body></html>";
    let whole = items(1..4);
    // What the server answers; the feed's state then; whether its host is left alone.
    let table: [(&str, Reply, &str, bool); 14] = [
        ("fine", Reply::ok(whole.clone()), "ok", false),
        ("e400", Reply::status(400), "failing", false),
        ("e401", Reply::status(401), "failing", false),
        ("e403", Reply::status(403), "failing", false),
        ("e404", Reply::status(404), "failing", false),
        ("e406", Reply::status(406), "failing", false),
        ("e410", Reply::status(410), "gone", false),
        ("e429", Reply::status(429), "failing", true),
        ("e500", Reply::status(500), "failing", false),
        ("e503", Reply::status(503).header("Retry-After", "7200"), "failing", true),
        ("html", Reply::ok(html).header("Content-Type", "text/html"), "failing", false),
        ("empty", Reply::ok(""), "failing", false),
        ("cut", Reply::ok(whole.clone()).truncate_at(whole.len() / 2), "failing", false),
        ("gone-away", Reply::ok(whole).drop_connection(), "failing", false),
    ];
    let mut found = Vec::new();
    for (name, reply, health, pause) in table {
        // A host of its own each: one that asks for a pause gets it for all its feeds.
        let world = World::new().await;
        world.feeds.route("/a", handler(move |_| reply.clone()));
        let config = world.config(&world.toml(&world.feed("a")));
        world.once(&config).await;
        let detail = detail(&config, "a").await;
        let seen = (detail.memory.health.health.as_str(), detail.blocked_until.is_some());
        let alerts = world.alerts(&config).await.len();
        if seen != (health, pause) || alerts != if name == "fine" { 3 } else { 0 } {
            found.push(format!("{name}: {seen:?}, {alerts} alerts"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn a_stalled_channel_is_told_through_another_and_stops_the_heartbeat() {
    let world = World::new().await;
    let ops = crate::support::collector::Collector::start(crate::world::SECRET).await;
    let toml = world.toml(&format!(
        "{}[channel.ops.webhook]\nurl = '{}'\nsecret_file = 'hook-secret'\nallow_private = true\n\
         [operator]\nnotify = ['ops']\nheartbeat = ['00:00', '06:00', '12:00', '18:00']\n",
        world.feed("a"),
        ops.url()
    ));
    let config = world.config(&toml);
    let told = || -> Vec<String> {
        let subject = |told: &crate::support::collector::Delivery| {
            told.json["data"]["title"].as_str().unwrap_or_default().to_owned()
        };
        ops.accepted().iter().map(subject).collect()
    };
    let look = async |hours: i64| {
        let before = world.clock.now();
        world.wait(SignedDuration::from_hours(hours));
        world.once(&config).await;
        let store = Store::open(&config.store).unwrap();
        let mut live = wirewatch::pipeline::Live {
            heartbeat: config.operator.heartbeat.clone(),
            ..wirewatch::pipeline::Live::default()
        };
        let hook = wirewatch::model::ChannelName::new("hook");
        live.policy.recipients.insert(hook, vec![String::new()]);
        let (_keep, live) = tokio::sync::watch::channel(std::sync::Arc::new(live));
        let watcher = wirewatch::pipeline::Watcher {
            store,
            clock: world.clock.clone(),
            live,
            pulse: wirewatch::pipeline::Pulse::default(),
            path: config.store.clone(),
        };
        watcher.look(before, world.clock.now()).await.unwrap();
        drop(watcher);
        world.once(&config).await;
    };
    world.feeds.serve("/a", "text/xml", rss(&[("1", "A marker buoy", "x")]));
    world.hook.answer(vec![Answer::Status(500); 3]);
    world.once(&config).await;
    look(7).await;
    assert_eq!(told().len(), 1, "{:?}", told());
    assert!(told()[0].starts_with("channel \"hook\" does not deliver: 1 waiting"), "{:?}", told());
    look(7).await;
    assert_eq!(told().len(), 1, "told once, and no heartbeat: {:?}", told());
    for _ in 0..6 {
        look(7).await;
    }
    assert!(told().iter().any(|subject| subject.contains("1 delivery-resumed")), "{:?}", told());
    assert!(
        told().iter().any(|subject| subject.starts_with("all quiet: 1 of 1 feeds")),
        "{:?}",
        told()
    );
}

#[tokio::test]
async fn the_dead_mans_switch_is_asked_for_while_all_is_alive() {
    let world = World::new().await;
    let toml = world.toml(&format!(
        "[operator]\nping_url = '{}'\nping_every = '30s'\nallow_private = true\n",
        world.feeds.url("/ping")
    ));
    world.feeds.serve("/ping", "text/plain", "ok");
    let app = world.start(&world.config(&toml)).await;
    world.feeds.wait_for("/ping", 1).await;
    assert!(app.stop().await);
}

#[tokio::test]
async fn a_hosts_outage_is_one_notice_and_so_is_its_end() {
    let world = World::new().await;
    let names: Vec<String> = (0..12).map(|n| format!("f{n:02}")).collect();
    let path = |name: &String| format!("/{name}");
    for name in &names {
        world.feeds.serve(&path(name), "text/xml", items(1..2));
    }
    let feeds: String = names.iter().map(|name| world.feed(name)).collect();
    let config = world.config(&world.toml(&feeds));
    world.once(&config).await;
    for name in &names {
        world.feeds.route(&path(name), handler(|_| Reply::status(502)));
    }
    polls(&world, &config, 10, HOUR).await;
    assert_eq!(kinds(&world), ["host-down"]);
    let text = told(&world)[0]["data"]["notices"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("\"f00\"") && text.contains("and 7 more"), "{text}");
    // It comes back, but for one feed, which is told of by itself then.
    for name in &names[1..] {
        world.feeds.serve(&path(name), "text/xml", items(1..3));
    }
    polls(&world, &config, 30, HOUR).await;
    assert_eq!(kinds(&world), ["host-down", "host-up", "down"]);
    world.feeds.serve(&path(&names[0]), "text/xml", items(1..3));
    polls(&world, &config, 30, HOUR).await;
    assert_eq!(kinds(&world), ["host-down", "host-up", "down", "recovered"]);
}
