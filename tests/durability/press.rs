//! Feeds that show everything they ever had: a program that has forgotten what it told would tell
//! all of it again.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::daemon::run_of;
use super::random::Random;
use super::support::http::{FeedServer, Reply, Request, handler};

/// What headlines and texts are made of, besides a number. None of it matches the rule.
const SYLLABLES: [&str; 24] = [
    "ba", "co", "di", "fu", "ga", "ho", "ju", "ka", "lo", "mi", "nu", "pa", "qui", "ro", "sa",
    "te", "vu", "wa", "xi", "yo", "ze", "bri", "cla", "dro",
];

/// One story as its feed tells it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) token: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Item {
    /// A story whose words no other story has, so that no two are taken for one.
    pub(crate) fn write(number: usize, random: &mut Random) -> Self {
        let token = format!("{number:06}");
        let title = format!("marker story {token} {}", words(5, random));
        Self { title, text: format!("{}, as {token} says.", words(60, random)), token }
    }

    pub(crate) fn guid(&self) -> String {
        format!("story-{}", self.token)
    }

    pub(crate) fn link(&self) -> String {
        format!("https://example.org/story/{}", self.token)
    }

    fn render(&self, into: &mut String) {
        writeln!(
            into,
            "<item><title>{}</title><link>{}</link><guid isPermaLink=\"false\">{}</guid>\
             <description>{}</description></item>",
            self.title,
            self.link(),
            self.guid(),
            self.text
        )
        .unwrap();
    }
}

/// Made-up words: of four syllables there are a third of a million.
pub(crate) fn words(count: usize, random: &mut Random) -> String {
    let mut word = || (0..4).map(|_| random.choose(&SYLLABLES)).collect::<String>();
    let words: Vec<String> = (0..count).map(|_| word()).collect();
    words.join(" ")
}

/// A document of these items, the last one first.
pub(crate) fn document(items: &[Item]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\
         <title>Wire</title><link>https://example.org/wire</link>\
         <description>Published for a test</description>\n",
    );
    items.iter().rev().for_each(|item| item.render(&mut text));
    text + "</channel></rss>\n"
}

/// The feed server.
pub(crate) struct Press {
    server: FeedServer,
    feeds: Arc<Vec<Mutex<Vec<Item>>>>,
    random: Mutex<Random>,
    /// Before the first number it gives.
    numbers: Mutex<usize>,
}

impl Press {
    /// With so many feeds, whose stories are numbered from `first` on.
    pub(crate) async fn start(feeds: usize, first: usize, random: Random) -> Self {
        let server = FeedServer::start().await;
        let feeds: Arc<Vec<Mutex<Vec<Item>>>> =
            Arc::new((0..feeds).map(|_| Mutex::default()).collect());
        for number in 0..feeds.len() {
            let feeds = feeds.clone();
            let answer = move |request: &Request| answer(&feeds[number].lock().unwrap(), request);
            server.route(&path(number), handler(answer));
        }
        Self { server, feeds, random: Mutex::new(random), numbers: Mutex::new(first) }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        (0..self.feeds.len()).map(|number| self.server.url(&path(number))).collect()
    }

    /// Adds so many stories to each feed, and returns their tokens.
    pub(crate) fn publish(&self, count: usize) -> Vec<String> {
        let mut tokens = Vec::new();
        for feed in self.feeds.iter() {
            for _ in 0..count {
                let mut number = self.numbers.lock().unwrap();
                let item = Item::write(*number, &mut self.random.lock().unwrap());
                *number += 1;
                tokens.push(item.token.clone());
                feed.lock().unwrap().push(item);
            }
        }
        tokens
    }

    /// Whether that process has asked for any feed.
    pub(crate) fn was_asked_by(&self, run: usize) -> bool {
        self.server.all_requests().iter().any(|request| run_of(request) == run)
    }

    /// Everything that a feed shows.
    pub(crate) fn items(&self, feed: usize) -> Vec<Item> {
        self.feeds[feed].lock().unwrap().clone()
    }
}

fn answer(items: &[Item], request: &Request) -> Reply {
    let etag = format!("\"{}\"", items.len());
    let reply = match request.header("If-None-Match") {
        Some(has) if has == etag => Reply::status(304),
        _ => Reply::ok(document(items)).header("Content-Type", "application/rss+xml"),
    };
    reply.header("ETag", etag)
}

fn path(feed: usize) -> String {
    format!("/press/{feed}.xml")
}
