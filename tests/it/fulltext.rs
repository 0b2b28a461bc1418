//! The pages behind entries, through the whole daemon: what only a page says
//! is told once, and no page can do harm.

use crate::support::http::{FeedServer, Reply, handler};
use crate::world::World;

const FILLER: &str = "The delegations spent the morning in the old harbour hall, where officials of \
                      both sides read out prepared statements about trade, fisheries and visas.";

/// A page as outlets build them, whose last paragraph is `last`.
fn page(last: &str) -> String {
    let body: String = (1..14).map(|n| format!("<p>{FILLER} That was part {n}.</p>")).collect();
    format!(
        "<html lang=en><head><title>A page</title></head><body><nav><a href=/>Home</a></nav>\
         <article><h1>A page</h1>{body}<p>{last}</p><p>Advertisement</p></article></body></html>"
    )
}

/// A feed whose entries link to the server's own pages.
fn feed(server: &FeedServer, entries: &[(&str, &str, &str)]) -> String {
    let items: String = entries
        .iter()
        .map(|(path, title, text)| {
            let link = server.url(path);
            format!(
                "<item><guid>{path}</guid><link>{link}</link><title>{title}</title>\
                 <description>{text}</description></item>"
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>Harbour Post</title>{items}</channel></rss>")
}

fn html(server: &FeedServer, path: &str, body: &str) {
    server.serve(path, "text/html; charset=utf-8", body);
}

const LAST: &str = "Asked about the marker, the spokesman said that the channels stay closed.";

#[tokio::test]
async fn what_only_the_fourteenth_paragraph_says_is_told_once() {
    let world = World::new().await;
    let entries =
        [("/p", "Envoys end a long visit", "Both sides spoke of progress in most fields.")];
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &entries));
    html(&world.feeds, "/p", &page(LAST));
    let config = world.config(&world.toml(&format!("{}fulltext = \"auto\"\n", world.feed("a"))));
    let report = world.once(&config).await;
    assert_eq!((report.pages.read, report.pages.unread), (1, 0));
    assert_eq!((report.pages.matches, report.pages.alerts), (1, 1));
    let report = world.once(&config).await;
    assert_eq!((report.pages.read, report.pages.alerts), (0, 0));
    let alerts = world.alerts(&config).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(world.feeds.count("/p"), 1);
    let told = world.hook.accepted();
    assert_eq!(told.len(), 1);
    let text = told[0].json.to_string();
    assert!(text.contains("Asked about the "), "the evidence is of the page: {text}");
    assert!(!text.contains("Advertisement"));
}

#[tokio::test]
async fn a_page_is_read_only_where_it_can_matter() {
    let check =
        async |key: &str, rule: &str, entry: (&str, &str, &str), expected: (usize, usize)| {
            let world = World::new().await;
            world.feeds.serve("/a", "text/xml", feed(&world.feeds, &[entry]));
            html(&world.feeds, "/p", &page(LAST));
            let toml = world.toml(&format!("{}{key}", world.feed("a")));
            let toml = toml.replace("match = 'marker'\n", &format!("match = 'marker'\n{rule}"));
            let config = world.config(&toml);
            world.once(&config).await;
            let found = (world.feeds.count("/p"), world.alerts(&config).await.len());
            assert_eq!(found, expected, "{key} {rule} {entry:?}");
        };
    let short = ("/p", "Envoys end a long visit", "Both sides spoke of progress.");
    let decided = ("/p", "Envoys end a long visit", "They spoke of the marker.");
    let long = FILLER.repeat(12);
    let long = ("/p", "Envoys end a long visit", long.as_str());
    let (auto, always, never) =
        ("fulltext = \"auto\"\n", "fulltext = \"always\"\n", "fulltext = \"never\"\n");
    check("", "", short, (0, 0)).await;
    check(never, "", short, (0, 0)).await;
    check(auto, "", short, (1, 1)).await;
    check(auto, "", decided, (0, 1)).await;
    check(auto, "", long, (0, 0)).await;
    check(always, "", long, (1, 1)).await;
    check(always, "", decided, (1, 1)).await;
    // A rule may want what its feed does not mention, but not what it forbids.
    check("", auto, short, (1, 1)).await;
    check(never, auto, short, (0, 0)).await;
    check(auto, never, short, (0, 0)).await;
    check(auto, "fulltext_if = 'envoy'\n", short, (1, 1)).await;
    check(auto, "fulltext_if = 'volcano'\n", short, (0, 0)).await;
    // An entry that says nothing of its language may be in any.
    check(auto, "languages = [\"fr\"]\n", short, (1, 0)).await;
}

#[tokio::test]
async fn no_page_is_read_for_a_rule_that_does_not_read_its_language() {
    for (language, expected) in [("fr", (0, 0)), ("en", (1, 1))] {
        let world = World::new().await;
        let short = ("/p", "Envoys end a long visit", "Both sides spoke of progress.");
        let stated = "<channel><language>en-GB</language>";
        let document = feed(&world.feeds, &[short]).replace("<channel>", stated);
        world.feeds.serve("/a", "text/xml", document);
        html(&world.feeds, "/p", &page(LAST));
        let toml = world.toml(&format!("{}fulltext = \"auto\"\n", world.feed("a")));
        let rule = format!("match = 'marker'\nlanguages = [{language:?}]\n");
        let config = world.config(&toml.replace("match = 'marker'\n", &rule));
        world.once(&config).await;
        let found = (world.feeds.count("/p"), world.alerts(&config).await.len());
        assert_eq!(found, expected, "{language}");
    }
}

#[tokio::test]
async fn pages_that_give_nothing_cost_only_themselves() {
    let world = World::new().await;
    let secret = FeedServer::start_at("127.0.0.2".parse().unwrap()).await;
    secret.serve("/inside", "text/html", page(LAST));
    let entries = [
        ("/good", "Envoys end a long visit", "Progress in most fields."),
        ("/paywall", "Volcano wakes after decades", "Ash over the island."),
        ("/forbidden", "Striker signs for rivals", "A record fee."),
        ("/consent", "Bakery wins bread prize", "Sourdough from the north."),
        ("/endless", "Satellite lost in orbit", "Engineers search for a cause."),
        ("/private", "Choir sings at dawn", "Thousands came to listen."),
        ("/nested", "Potato harvest disappoints", "Too much rain in May."),
        ("/pdf", "Museum opens new wing", "Glass and steel."),
    ];
    let site = &world.feeds;
    site.serve("/a", "text/xml", feed(site, &entries));
    html(site, "/good", &page(LAST));
    html(
        site,
        "/paywall",
        "<article><p>Ash fell on the harbour as the marker of a new age.</p>\
                            <p>Subscribe to continue reading</p></article>",
    );
    site.route("/forbidden", handler(|_| Reply::status(403)));
    html(site, "/consent", "<form><p>We value your privacy. The marker.</p></form>");
    html(site, "/endless", &format!("<p>{}</p>", "marker and more. ".repeat(500_000)));
    let inside = secret.url("/inside");
    site.route("/private", handler(move |_| Reply::status(302).header("Location", inside.clone())));
    html(site, "/nested", &format!("{}marker", "<div>".repeat(200_000)));
    site.serve("/pdf", "application/pdf", "%PDF marker");
    let config = world.config(&world.toml(&format!("{}fulltext = \"auto\"\n", world.feed("a"))));
    world.once(&config).await;
    let alerts = world.alerts(&config).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0].title, "Envoys end a long visit");
    assert_eq!(secret.all_requests().len(), 0, "nobody was led into the network");
    for (path, ..) in entries {
        assert_eq!(world.feeds.count(path), 1, "{path}");
    }
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    let tally = store.page_tally(world.clock.now(), 10).await.unwrap();
    assert_eq!((tally.read, tally.unread, tally.waiting), (1, 7, 0), "{tally:?}");
}

#[tokio::test]
async fn copies_are_read_once_and_another_outlet_steps_in() {
    let world = World::new().await;
    let second = FeedServer::start_at("127.0.0.3".parse().unwrap()).await;
    let text = "Both sides spoke of progress in most fields but one, which nobody would name.";
    let title = "Envoys end a long visit to the northern capital";
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &[("/p", title, text)]));
    second.serve("/b", "text/xml", feed(&second, &[("/q", title, text)]));
    world.feeds.route("/p", handler(|_| Reply::status(403)));
    html(&second, "/q", &page(LAST));
    let other = format!(
        "[feed.b]\nurl = \"{}\"\ninterval = \"1s\"\nallow_private = true\n",
        second.url("/b")
    );
    let more = format!("{}fulltext = \"auto\"\n{other}fulltext = \"auto\"\n", world.feed("a"));
    let config = world.config(&world.toml(&more));
    world.once(&config).await;
    assert_eq!(world.alerts(&config).await.len(), 1);
    assert_eq!(second.count("/q"), 1);
    assert!(world.feeds.count("/p") <= 1);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let world = World::new().await;
    let entries = [("/p", "Envoys end a long visit", "Progress in most fields.")];
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &entries));
    let busy = Reply::status(503).header("Retry-After", "600");
    let good = Reply::ok(page(LAST)).header("Content-Type", "text/html");
    world.feeds.script("/p", vec![busy, good]);
    let config = world.config(&world.toml(&format!("{}fulltext = \"auto\"\n", world.feed("a"))));
    world.once(&config).await;
    world.wait(jiff::SignedDuration::from_mins(5));
    world.once(&config).await;
    assert_eq!((world.feeds.count("/p"), world.alerts(&config).await.len()), (1, 0));
    world.wait(jiff::SignedDuration::from_mins(6));
    world.once(&config).await;
    assert_eq!((world.feeds.count("/p"), world.alerts(&config).await.len()), (2, 1));
}

/// Puts the clock on this hour of today (UTC).
fn at_hour(world: &World, hour: i64) {
    let today = world.clock.now().as_second().div_euclid(86_400) * 86_400;
    world.clock.set(jiff::Timestamp::from_second(today + hour * 3_600).unwrap());
}

async fn tally(world: &World, config: &wirewatch::config::Config) -> [u64; 4] {
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    let tally = store.page_tally(world.clock.now(), 10).await.unwrap();
    [tally.read, tally.waiting, tally.put_off, tally.unread]
}

const FIVE: [(&str, &str, &str); 5] = [
    ("/1", "Envoys end a long visit", "Progress in most fields."),
    ("/2", "Volcano wakes after decades", "Ash over the island."),
    ("/3", "Striker signs for rivals", "A record fee."),
    ("/4", "Bakery wins bread prize", "Sourdough from the north."),
    ("/5", "Choir sings at dawn", "Thousands came to listen."),
];

#[tokio::test]
async fn pages_over_a_hosts_budget_wait_for_the_next_day() {
    let world = World::new().await;
    at_hour(&world, 9);
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &FIVE));
    for (path, ..) in FIVE {
        html(&world.feeds, path, &page(LAST));
    }
    let more = format!("{}fulltext = \"auto\"\n[fulltext]\npages_per_host = 2\n", world.feed("a"));
    let config = world.config(&world.toml(&more));
    let asked = || FIVE.iter().map(|(path, ..)| world.feeds.count(path)).sum::<usize>();
    // Each round is a start of the daemon of its own.
    for (hours, expected) in [(0, 2), (3, 2), (8, 2), (13, 4), (2, 4), (24, 5), (24, 5)] {
        world.wait(jiff::SignedDuration::from_hours(hours));
        world.once(&config).await;
        let alerts = world.alerts(&config).await.len();
        assert_eq!((asked(), alerts), (expected, expected), "{}", world.clock.now());
        let waiting = 5 - expected as u64;
        assert_eq!(tally(&world, &config).await, [expected as u64, waiting, waiting, 0]);
    }
    let rules: std::collections::HashSet<_> =
        world.alerts(&config).await.into_iter().map(|alert| alert.title).collect();
    assert_eq!(rules.len(), 5, "each is told once");
}

#[tokio::test]
async fn a_page_that_found_no_room_for_two_days_is_given_up_and_says_so() {
    let world = World::new().await;
    at_hour(&world, 9);
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &FIVE[..3]));
    for (path, ..) in FIVE {
        html(&world.feeds, path, &page(LAST));
    }
    let more = format!("{}fulltext = \"auto\"\n[fulltext]\npages_per_host = 1\n", world.feed("a"));
    let config = world.config(&world.toml(&more));
    world.once(&config).await;
    assert_eq!(tally(&world, &config).await, [1, 2, 2, 0]);
    // The next day brings two of its own: the newest are read first.
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &FIVE));
    for _ in 0..2 {
        world.wait(jiff::SignedDuration::from_hours(20));
        world.once(&config).await;
    }
    assert_eq!(world.feeds.count("/4") + world.feeds.count("/5"), 2);
    assert_eq!(tally(&world, &config).await, [3, 2, 2, 0]);
    world.wait(jiff::SignedDuration::from_hours(8));
    world.once(&config).await;
    assert_eq!(tally(&world, &config).await, [3, 0, 0, 2]);
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    let told = world.alerts(&config).await;
    assert_eq!(told.len(), 3);
    let mut reasons = Vec::new();
    for story in store.stories(crate::world::all()).await.unwrap() {
        for page in store.story_pages(story.id.to_string()).await.unwrap() {
            reasons.extend(page.reason);
        }
    }
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert_eq!(reasons, ["no room in the budget of 127.0.0.1 for 48 hours"; 2]);
}

#[tokio::test]
async fn a_page_that_waited_tells_no_story_again() {
    let world = World::new().await;
    at_hour(&world, 9);
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &FIVE[..2]));
    for (path, ..) in FIVE {
        html(&world.feeds, path, &page(LAST));
    }
    let more = format!("{}fulltext = \"auto\"\n[fulltext]\npages_per_host = 1\n", world.feed("a"));
    let config = world.config(&world.toml(&more));
    world.once(&config).await;
    // The feed itself says of both, meanwhile, what their pages say.
    let said = FIVE[..2].iter().map(|(path, title, _)| (*path, *title, LAST)).collect::<Vec<_>>();
    world.feeds.serve("/a", "text/xml", feed(&world.feeds, &said));
    world.once(&config).await;
    let before = world.alerts(&config).await.len();
    assert_eq!(before, 2);
    world.wait(jiff::SignedDuration::from_hours(24));
    world.once(&config).await;
    assert_eq!(world.feeds.count("/1") + world.feeds.count("/2"), 2);
    assert_eq!(world.alerts(&config).await.len(), 2);
    assert_eq!(world.deliveries(&config).await.len(), 2);
}
