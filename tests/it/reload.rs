//! A changed configuration is followed; a wrong one changes nothing.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use wirewatch::config::{self, Environment};

use crate::support::collector::Delivery;
use crate::support::http::{Reply, handler};
use crate::support::{Changes, timeout};
use crate::world::{World, own_words, rss};

#[tokio::test]
async fn a_reload_follows_feeds_rules_and_channels_and_leaves_the_rest_alone() {
    let world = World::new().await;
    let quiet = Reply::ok(rss(&[("1", "Nothing", "x")]));
    world.feeds.script("/a", vec![quiet]);
    world.feeds.serve("/b", "text/xml", rss(&[("2", "A token", "y")]));
    let slow = world.feed("a").replace("\"1s\"", "\"1h\"");
    let mut app = world.start(&world.config(&world.toml(&slow))).await;
    world.feeds.wait_for("/a", 1).await;
    let more =
        format!("{slow}{}[rule.second]\nmatch = 'token'\nchannels = [\"hook\"]\n", world.feed("b"));
    let reloaded = app.reload(&world.config(&world.toml(&more))).await.unwrap();
    assert_eq!(reloaded.feeds.added.len(), 1);
    assert!(reloaded.feeds.changed.is_empty() && reloaded.channels_started.is_empty());
    let told = world.hook.wait_for(1).await;
    assert_eq!(told[0].json["data"]["rule"], "second");
    assert_eq!(world.feeds.count("/a"), 1, "its timer went on");
    assert!(timeout(app.stop(), "a clean stop").await);
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_as_a_whole() {
    let world = World::new().await;
    let wrong =
        world.toml("[feed.a]\nurl = \"htps://x\"\n[rule.b]\nmatch = 'x AND'\nchannels = []\n");
    let path = world.write("wrong.toml", &wrong);
    let problems = config::load(&path, &Environment::from_process()).unwrap_err();
    assert_eq!(problems.list.len(), 2, "{}", problems.render(false));
}

#[tokio::test]
async fn a_removed_feed_is_polled_no_more_and_a_removed_channel_stops() {
    let world = World::new().await;
    world.feeds.serve("/a", "text/xml", rss(&[("1", "Nothing", "x")]));
    let mut app = world.start(&world.config(&world.toml(&world.feed("a")))).await;
    world.feeds.wait_for("/a", 1).await;
    let bare = format!("[store]\npath = \"{}/watch.db\"\n", world.dir.path().display());
    let reloaded = app.reload(&world.config(&bare)).await.unwrap();
    assert_eq!((reloaded.feeds.removed.len(), reloaded.channels_stopped.len()), (1, 1));
    assert!(timeout(app.stop(), "a clean stop").await);
}

/// A feed that has one more entry at each visit, as long as it is told to, and its last entries.
struct Press {
    printed: Arc<AtomicUsize>,
    changes: Arc<Changes>,
    stopped: Arc<AtomicBool>,
}

impl Press {
    fn start(world: &World, feeds: usize) -> Self {
        let printed = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let changes = Arc::new(Changes::default());
        for feed in 0..feeds {
            let (printed, stopped) = (printed.clone(), stopped.clone());
            let changes = changes.clone();
            let own = Mutex::new(Vec::new());
            let answer = handler(move |_| {
                let mut own = own.lock().unwrap();
                if !stopped.load(Ordering::SeqCst) {
                    own.push(printed.fetch_add(1, Ordering::SeqCst));
                    changes.announce();
                }
                let titles: Vec<String> = own.iter().map(|number| own_words(*number)).collect();
                let items: Vec<_> =
                    titles.iter().map(|title| (title.as_str(), title.as_str(), "x")).collect();
                Reply::ok(rss(&items))
            });
            world.feeds.route(&format!("/f{feed}"), answer);
        }
        Self { printed, changes, stopped }
    }

    async fn until_more_than(&self, count: usize) {
        let more = || (self.printed.load(Ordering::SeqCst) > count).then_some(());
        self.changes.wait(more, || format!("no story after {count}")).await;
    }
}

/// What is told twice, and what never.
fn amiss(told: &[Delivery], printed: usize) -> (Vec<String>, Vec<String>) {
    let mut counts: HashMap<String, usize> =
        (0..printed).map(|number| (own_words(number), 0)).collect();
    for delivery in told.iter().filter(|delivery| delivery.json["data"]["title"].is_string()) {
        let title = delivery.json["data"]["title"].as_str().unwrap();
        *counts.entry(title.to_owned()).or_default() += 1;
    }
    let with = |wanted: fn(usize) -> bool| {
        let found = counts.iter().filter(|(_, count)| wanted(**count));
        found.map(|(title, count)| format!("{title}: {count}")).collect()
    };
    (with(|count| count > 1), with(|count| count == 0))
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_reloads_of_good_and_bad_files_under_load_lose_and_repeat_nothing() {
    const FEEDS: usize = 8;
    let world = World::new().await;
    let press = Press::start(&world, FEEDS);
    let feeds: String = (0..FEEDS).map(|feed| world.feed(&format!("f{feed}"))).collect();
    // What changes from one good file to the next: a rule, a channel, the defaults, a feed.
    let good = |round: usize| {
        let toml = world.toml(&feeds).replace("'marker'", &format!("'marker OR x{round}'"));
        let toml = toml.replace("[rule.marked]", &format!("[rule.marked]\nname = 'Round {round}'"));
        let toml = toml.replace("\"0s\"", &format!("\"{}s\"", round / 2 % 2));
        let pace = format!("allow_private = true\ntimeout = \"{}s\"\n", 10 + round);
        let toml = toml.replacen("allow_private = true\n", &pace, 1);
        format!("{toml}[feed.extra{round}]\nurl = 'file:none.xml'\n")
    };
    let bad = |round: usize| match round % 4 {
        0 => good(round).replace("match =", "mtach ="),
        1 => good(round).replace("[rule.marked]", "[rule.marked"),
        2 => good(round).replace("[\"hook\"]", "[\"hok\"]"),
        _ => String::from("\u{0}"),
    };
    world.config(&good(0));
    let mut daemon = daemon(&world);
    let mut log = BufReader::new(daemon.stderr.take().unwrap()).lines();
    heard(&mut log, "watching").await;
    let pid = daemon.id().unwrap().to_string();
    for round in 1..=50 {
        let (text, word) = match round % 2 {
            0 => (good(round), "configuration reloaded"),
            _ => (bad(round / 2), "the old one stays in force"),
        };
        world.write("watch.toml", &text);
        let so_far = press.printed.load(Ordering::SeqCst);
        assert!(Command::new("kill").args(["-HUP", &pid]).status().await.unwrap().success());
        heard(&mut log, word).await;
        press.until_more_than(so_far).await;
    }
    press.stopped.store(true, Ordering::SeqCst);
    let printed = press.printed.load(Ordering::SeqCst);
    let told = timeout(
        async {
            loop {
                let told = world.hook.accepted();
                if amiss(&told, printed).1.is_empty() {
                    break told;
                }
                world.hook.wait_for(told.len() + 1).await;
            }
        },
        "every story told",
    );
    let told = told.await;
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(timeout(daemon.wait(), "a clean stop").await.unwrap().success());
    assert_eq!(amiss(&world.hook.accepted(), printed), (Vec::new(), Vec::new()));
    assert!(printed >= 50, "{printed} stories were there, {} told", told.len());
}

fn daemon(world: &World) -> Child {
    Command::new(env!("CARGO_BIN_EXE_wirewatch"))
        .args(["--config", "watch.toml", "run"])
        .current_dir(world.dir.path())
        .env("WIREWATCH_LOG", "info")
        .env_remove("STATE_DIRECTORY")
        .env_remove("JOURNAL_STREAM")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Reads the log up to a line that has these words.
async fn heard(log: &mut Lines<BufReader<ChildStderr>>, words: &str) {
    let found = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains(words) {
                return;
            }
        }
        panic!("the log ended without \"{words}\"");
    };
    timeout(found, words).await;
}
