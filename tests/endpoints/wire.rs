//! A feed in which more stories come with every poll.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::random::Random;
use super::support::http::{FeedServer, Reply, handler};

const PATH: &str = "/wire.xml";
/// Stories that come with one document.
const BATCH: usize = 25;
/// Batches that a document shows: what an answer that got lost has brought is in the next one.
const SHOWN: usize = 4;
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo",
];

/// The feed's server, and when each story was first shown.
pub(crate) struct Wire {
    server: FeedServer,
    shown_at: Arc<Mutex<Vec<Instant>>>,
}

impl Wire {
    /// Shows so many stories, the oldest first, a batch with each document.
    pub(crate) async fn start(stories: usize, mut random: Random) -> Self {
        let begun = SystemTime::now() - Duration::from_secs(stories as u64);
        let items: Vec<String> =
            (0..stories).map(|number| item(number, begun, &mut random)).collect();
        let server = FeedServer::start().await;
        let shown_at = Arc::default();
        let notes: Arc<Mutex<Vec<Instant>>> = Arc::clone(&shown_at);
        server.route(
            PATH,
            handler(move |_| {
                let mut shown_at = notes.lock().unwrap();
                let end = items.len().min(shown_at.len() + BATCH);
                shown_at.resize(end, Instant::now());
                let shown = &items[end.saturating_sub(SHOWN * BATCH)..end];
                Reply::ok(document(shown)).header("Content-Type", "application/rss+xml")
            }),
        );
        Self { server, shown_at }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(PATH)
    }

    /// When each story was first sent to whoever asked: it cannot have been stored before.
    pub(crate) fn shown_at(&self) -> Vec<Instant> {
        self.shown_at.lock().unwrap().clone()
    }
}

/// How a story is called in its headline.
pub(crate) fn token(number: usize) -> String {
    format!("{number:06}")
}

fn document(items: &[String]) -> String {
    let items: String = items.iter().rev().map(String::as_str).collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Wire</title><link>https://example.org/</link>\
         {items}</channel></rss>"
    )
}

fn item(number: usize, begun: SystemTime, random: &mut Random) -> String {
    let (token, title, text) = (token(number), words(6, random), words(40, random));
    let published = httpdate::fmt_http_date(begun + Duration::from_secs(number as u64));
    format!(
        "<item><title>marker story {token} {title}</title>\
         <link>https://example.org/story/{token}</link>\
         <guid isPermaLink=\"false\">story-{token}</guid><pubDate>{published}</pubDate>\
         <description>{text}</description></item>\n"
    )
}

/// Words of their own for each story: none is to be taken for another.
fn words(count: usize, random: &mut Random) -> String {
    let word =
        |random: &mut Random| -> String { (0..4).map(|_| random.choose(&SYLLABLES)).collect() };
    let words: Vec<String> = (0..count).map(|_| word(random)).collect();
    words.join(" ")
}
