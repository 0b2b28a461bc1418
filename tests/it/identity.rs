//! Nothing is told twice because a feed changed, and nothing is missed for it:
//! whole documents through parser, identity, rules and store.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use wirewatch::model::{
    Backfill, Feed, FeedName, Guids, Interval, MassChange, Newness, RequestOptions, RuleName,
};
use wirewatch::pipeline::{Arrived, Live, ingest, prepare};
use wirewatch::rule::{Compiled, Lists, Rule, RuleSet};
use wirewatch::store::{CommitReport, Store, StoreError};
use wirewatch::story::{Memory, Paper, Sheet};

use crate::world::all;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One item of a document.
#[derive(Clone)]
struct Item {
    guid: String,
    link: String,
    title: String,
    text: String,
    date: Option<Timestamp>,
}

/// A store with one feed and a rule that every item matches.
struct Desk {
    store: Store,
    feed: Feed,
    live: Arc<Live>,
    now: Timestamp,
}

impl Desk {
    async fn open(path: Option<&Path>) -> Self {
        let store = path.map_or_else(Store::in_memory, Store::open).unwrap();
        let compiled = Compiled::new("marker", &Lists::default(), false).ok().unwrap().0;
        let name = RuleName::new("marked");
        let rule = Rule { name, compiled, feeds: None, languages: Vec::new() };
        let live = Live { rules: RuleSet::new(vec![rule]), ..Live::default() };
        let feed = Feed {
            name: FeedName::new("wire"),
            url: "https://wire.example/feed".to_string(),
            title: None,
            interval: Interval::Adaptive,
            backfill: Backfill::None,
            allow_private: false,
            groups: Vec::new(),
            tags: Vec::new(),
            ignore_hints: false,
            fulltext: None,
            websub: false,
            request: RequestOptions::default(),
        };
        let now = "2026-11-01T12:00:00Z".parse().unwrap();
        let mut desk = Self { store, feed, live: Arc::new(live), now };
        desk.configure("https://wire.example/feed").await;
        desk
    }

    async fn configure(&mut self, url: &str) {
        self.feed.url = url.to_string();
        let feeds = vec![(self.feed.clone(), "wire.example".to_string())];
        self.store.sync_feeds(feeds, |now, _, _| now, |due, _, _| due, self.now).await.unwrap();
    }

    fn wait(&mut self, span: SignedDuration) {
        self.now = self.now.checked_add(span).unwrap();
    }

    /// Takes in a document an hour after the last, newest item first.
    async fn show(&mut self, items: &[Item]) -> CommitReport {
        self.try_to_show(items).await.unwrap()
    }

    async fn try_to_show(&mut self, items: &[Item]) -> Result<CommitReport, StoreError> {
        self.wait(HOUR);
        let body: String = items.iter().rev().map(render).collect();
        let text =
            format!("<rss version=\"2.0\"><channel><title>Wire</title>{body}</channel></rss>");
        let document =
            wirewatch::model::Document { bytes: text.into_bytes(), ..Default::default() };
        let arrived = Arrived {
            feed_row: 1,
            url: self.feed.url.clone(),
            now: self.now,
            prepared: prepare(&document).unwrap(),
            validators: None,
            body_hash: Vec::new(),
            scope: wirewatch::model::Scope::Whole,
        };
        ingest(&self.store, &self.live, &self.feed, arrived, None).await
    }

    /// Sweeps as the daemon does, every hour of a day.
    async fn sweep(&mut self, retention: SignedDuration) -> usize {
        let mut gone = 0;
        for _ in 0..=24 {
            self.wait(HOUR);
            loop {
                let batch = self.store.sweep(self.now, retention, 1_000).await.unwrap();
                gone += batch;
                if batch == 0 {
                    break;
                }
            }
        }
        gone
    }

    async fn entries(&self) -> i64 {
        self.store.overview().await.unwrap().entries
    }
}

fn render(item: &Item) -> String {
    let date = item.date.map_or_else(String::new, |date| {
        format!("<pubDate>{}</pubDate>", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    });
    format!(
        "<item><guid isPermaLink=\"false\">{}</guid><link>{}</link><title>{}</title>\
         <description>{}</description>{date}</item>",
        item.guid, item.link, item.title, item.text
    )
}

/// Paper for the memory of stories that fails after so many uses.
#[derive(Clone, Debug)]
struct Failing {
    uses: Arc<AtomicUsize>,
    bytes: Vec<u8>,
}

impl Failing {
    fn is_used(&self) -> std::io::Result<()> {
        let left = |uses: usize| uses.checked_sub(1);
        let used = self.uses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        used.map(drop).map_err(|_| std::io::ErrorKind::StorageFull.into())
    }
}

impl Paper for Failing {
    fn sheet(&self) -> std::io::Result<Box<dyn Sheet>> {
        self.is_used()?;
        Ok(Box::new(self.clone()))
    }
}

impl Sheet for Failing {
    fn write(&mut self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.is_used()?;
        self.bytes.write(at, bytes)
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        self.is_used()?;
        self.bytes.read(at, bytes)
    }
}

/// Copies of what other hosts told, in one document with them.
#[tokio::test]
async fn a_memory_of_stories_that_fails_in_a_document_begins_no_story_twice() {
    let mut failures = 0;
    for uses in (0..230).step_by(9) {
        let mut desk = Desk::open(None).await;
        let (uses, bytes) = (Arc::new(AtomicUsize::new(uses)), Vec::new());
        let paper = Failing { uses: Arc::clone(&uses), bytes };
        let old = Arc::into_inner(std::mem::take(&mut desk.live)).unwrap();
        desk.live = Arc::new(Live { stories: Arc::new(Memory::on(Arc::new(paper))), ..old });
        desk.show(&items(0, 3, desk.now)).await;
        let told = items(3, 23, desk.now);
        let copy = |item: &Item| Item {
            guid: format!("other-{}", item.guid),
            link: item.link.replace("https://", "https://other-"),
            text: format!("{} Its office confirmed that.", item.text),
            ..item.clone()
        };
        let all: Vec<Item> = told.iter().flat_map(|item| [item.clone(), copy(item)]).collect();
        let report = desk.show(&all).await;
        assert_eq!((report.new_entries(), report.new_stories), (40, 20), "{report:?}");
        failures += usize::from(uses.load(Ordering::Relaxed) == 0);
    }
    assert!(failures > 10, "only {failures} failures");
}

/// Items `from..to` of a feed that brings one an hour, until `newest`.
fn items(from: usize, to: usize, newest: Timestamp) -> Vec<Item> {
    (from..to)
        .map(|n| Item {
            guid: format!("post-{n}"),
            link: format!("https://wire.example/{n}"),
            title: format!("Ferry number {n} has left the harbour"),
            text: format!("A marker stands in report {n} of the coast guard."),
            date: newest.checked_sub(HOUR * i32::try_from(to - 1 - n).unwrap()).ok(),
        })
        .collect()
}

fn change(items: &[Item], how: impl Fn(usize, Item) -> Item) -> Vec<Item> {
    items.iter().cloned().enumerate().map(|(n, item)| how(n, item)).collect()
}

fn alerts(report: &CommitReport) -> usize {
    report.entries.iter().map(|entry| entry.told.alerts.len()).sum()
}

fn count(report: &CommitReport, newness: Newness) -> usize {
    report.entries.iter().filter(|entry| entry.newness == newness).count()
}

fn new_guids(items: &[Item]) -> Vec<Item> {
    change(items, |_, item| Item { guid: format!("urn:cms:{}", item.guid), ..item })
}

fn new_domain(items: &[Item]) -> Vec<Item> {
    let link = |item: &Item| item.link.replace("wire.example", "www.coast.example/news");
    change(&new_guids(items), |_, item| Item { link: link(&item), ..item })
}

fn new_format(items: &[Item]) -> Vec<Item> {
    change(&new_domain(items), |n, item| Item { text: format!("Full marker text {n}."), ..item })
}

/// Shows a hundred entries, lets the feed change with five new ones beside the
/// old, and expects an alert for each of the five and for no other.
async fn check(what: &str, url: &str, changed: impl Fn(&[Item]) -> Vec<Item>) {
    let mut desk = Desk::open(None).await;
    let newest = desk.now;
    let old = items(0, 100, newest);
    assert_eq!(alerts(&desk.show(&old).await), 0, "{what}: the first document");
    desk.wait(5 * HOUR);
    desk.configure(url).await;
    let mut shown = changed(&old);
    shown.extend(changed(&items(100, 105, desk.now)));
    let report = desk.show(&shown).await;
    let told: Vec<usize> = report.entries.iter().map(|entry| entry.told.alerts.len()).collect();
    assert_eq!(told[..100].iter().sum::<usize>(), 0, "{what}: repeats");
    assert_eq!(told[100..].iter().sum::<usize>(), 5, "{what}: news");
    let again = desk.show(&shown).await;
    assert_eq!((alerts(&again), again.mass_change), (0, None), "{what}: once more");
    shown.extend(changed(&items(105, 106, desk.now)));
    assert_eq!(alerts(&desk.show(&shown).await), 1, "{what}: afterwards");
}

const SAME_URL: &str = "https://wire.example/feed";
const NEW_URL: &str = "https://coast.example/rss.xml";

#[tokio::test]
async fn a_changed_feed_repeats_nothing_and_still_brings_the_news() {
    check("nothing changes", SAME_URL, <[Item]>::to_vec).await;
    check("other GUIDs", SAME_URL, new_guids).await;
    check("other GUIDs and links", SAME_URL, new_domain).await;
    check("other GUIDs, links and texts", SAME_URL, new_format).await;
    check("another URL", NEW_URL, <[Item]>::to_vec).await;
    check("another URL, GUIDs and links", NEW_URL, new_domain).await;
    check("another URL, GUIDs, links and texts", NEW_URL, new_format).await;
    check("https in GUIDs", SAME_URL, |items| {
        change(items, |_, item| Item { guid: item.link.clone(), ..item })
    })
    .await;
}

#[tokio::test]
async fn a_change_of_everything_is_reported_once_with_its_figures() {
    let mut desk = Desk::open(None).await;
    let old = items(0, 100, desk.now);
    desk.show(&old).await;
    let report = desk.show(&new_format(&old)).await;
    let expected = MassChange { entries: 100, looked_new: 100, held: 100 };
    assert_eq!(report.mass_change, Some(expected));
    assert_eq!((alerts(&report), report.matches), (0, 0), "tellings of stories recorded before");
}

#[tokio::test]
async fn a_restored_backup_tells_what_came_meanwhile_and_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (path, backup) = (dir.path().join("watch.db"), dir.path().join("backup.db"));
    let mut desk = Desk::open(Some(&path)).await;
    let start = desk.now;
    desk.show(&items(0, 100, start)).await;
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("VACUUM INTO ?", [backup.to_str().unwrap()])
        .unwrap();
    desk.wait(7 * DAY);
    let window = items(30, 130, start + HOUR * 31);
    assert_eq!(alerts(&desk.show(&window).await), 30);
    let later = desk.now;
    let mut desk = Desk::open(Some(&backup)).await;
    desk.now = later;
    assert_eq!(alerts(&desk.show(&window).await), 30);
    // And a window that has moved on altogether.
    desk.wait(10 * DAY);
    let burst = items(200, 300, desk.now);
    let report = desk.show(&burst).await;
    assert_eq!((alerts(&report), report.mass_change), (100, None));
}

#[tokio::test]
async fn a_burst_that_fills_the_window_while_nobody_looked_is_told_in_full() {
    for dated in [true, false] {
        let mut desk = Desk::open(None).await;
        desk.show(&items(0, 25, desk.now)).await;
        desk.wait(SignedDuration::from_hours(30));
        let burst = change(&items(100, 125, desk.now), |_, item| Item {
            date: item.date.filter(|_| dated),
            ..item
        });
        assert_eq!(alerts(&desk.show(&burst).await), 25, "dated: {dated}");
    }
}

#[tokio::test]
async fn an_archive_tells_nothing_and_a_single_old_date_delays_nothing() {
    let mut desk = Desk::open(None).await;
    let window = items(1_000, 1_020, desk.now);
    desk.show(&window).await;
    let archive = items(0, 20, "2019-05-01T00:00:00Z".parse().unwrap());
    let report = desk.show(&archive).await;
    assert_eq!((alerts(&report), report.mass_change.unwrap().held), (0, 20));
    assert_eq!(alerts(&desk.show(&window).await), 0, "the usual window again");
    let mut late = window.clone();
    late.extend(items(500, 503, "1970-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(alerts(&desk.show(&late).await), 3);
}

#[tokio::test]
async fn random_guids_are_noticed_and_nothing_is_told_twice_meanwhile() {
    let mut desk = Desk::open(None).await;
    let mut window = items(0, 20, desk.now);
    let random = |poll: usize, items: &[Item]| {
        change(items, |n, item| Item { guid: format!("{poll}-{n}"), ..item })
    };
    desk.show(&random(0, &window)).await;
    let mut noticed = Vec::new();
    for poll in 1..=4 {
        window[3].title = format!("Ferry number 3 has left the harbour, edition {poll}");
        let report = desk.show(&random(poll, &window)).await;
        assert_eq!((count(&report, Newness::New), alerts(&report)), (0, 0), "poll {poll}");
        assert_eq!(count(&report, Newness::Revised), 1, "poll {poll}");
        noticed.extend(report.guids_changed.map(|guids| (poll, guids)));
    }
    assert_eq!(noticed, [(2, Guids::Random)]);
    let row = desk.store.feeds(all()).await.unwrap().remove(0);
    assert_eq!((row.guids.as_str(), row.guids_since.is_some()), ("random", true));
    window.extend(items(20, 21, desk.now));
    assert_eq!(alerts(&desk.show(&random(5, &window)).await), 1, "news is news");
    let stable = random(5, &window);
    for expected in [None, Some(Guids::Trusted)] {
        assert_eq!(desk.show(&stable).await.guids_changed, expected);
    }
}

#[tokio::test]
async fn empty_and_shrunken_documents_change_nothing() {
    let mut desk = Desk::open(None).await;
    let window = items(0, 50, desk.now);
    desk.show(&window).await;
    for part in [&window[..0], &window[..1], &window[40..]] {
        desk.show(part).await;
        let report = desk.show(&window).await;
        assert_eq!(count(&report, Newness::Known), 50);
    }
}

#[tokio::test]
async fn what_was_seen_is_known_for_a_year_after_its_texts_were_forgotten() {
    let mut desk = Desk::open(None).await;
    let (old, newer) = (items(0, 50, desk.now), items(50, 60, desk.now));
    desk.show(&old).await;
    desk.wait(2 * DAY);
    desk.show(&newer).await;
    assert_eq!(desk.sweep(DAY).await, 50);
    assert_eq!(desk.entries().await, 10);
    desk.wait(300 * DAY);
    desk.sweep(DAY).await;
    assert_eq!(desk.entries().await, 10, "what the feed still shows is kept");
    let edited = change(&old, |_, item| Item { title: format!("{} late", item.title), ..item });
    let report = desk.show(&edited).await;
    assert_eq!((count(&report, Newness::Known), alerts(&report)), (50, 0));
    assert_eq!(desk.entries().await, 10);
    // A year after that, they are strangers.
    desk.wait(366 * DAY);
    desk.show(&newer).await;
    assert_eq!(desk.sweep(DAY).await, 50 + 50, "their rows, and the segment of before");
    assert_eq!(count(&desk.show(&old).await, Newness::New), 50);
}

/// A feed that showed these items once, which by now are forgotten and packed, in
/// a file whose segments are counted.
async fn packed_desk(path: &Path, old: &[Item]) -> Desk {
    let mut desk = Desk::open(Some(path)).await;
    desk.show(old).await;
    desk.wait(2 * DAY);
    desk.show(&items(9_000, 9_001, desk.now)).await;
    desk.sweep(DAY).await;
    desk.wait(33 * DAY);
    desk.sweep(DAY).await;
    assert_eq!(rows(path, "segment"), 1);
    assert_eq!((rows(path, "tombstone"), rows(path, "entry")), (0, 1));
    desk
}

fn rows(path: &Path, table: &str) -> i64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_was_packed_is_known_by_each_of_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    let old = items(0, 50, "2026-11-01T12:00:00Z".parse().unwrap());
    let mut desk = packed_desk(&dir.path().join("watch.db"), &old).await;
    let other = |n: usize| format!("Something else that nobody has told of, number {n}");
    let by_guid = change(&old, |n, item| Item { link: String::new(), title: other(n), ..item });
    let by_link = change(&old, |n, item| Item { guid: format!("x-{n}"), text: other(n), ..item });
    let by_words =
        change(&old, |n, item| Item { guid: format!("y-{n}"), link: String::new(), ..item });
    // Each in another part of the segment: what is shown has rows again.
    for (window, part) in [(by_guid, 0..10), (by_link, 10..20), (by_words, 20..30)] {
        let report = desk.show(&window[part]).await;
        assert_eq!((count(&report, Newness::Known), alerts(&report)), (10, 0));
    }
    let report = desk.show(&items(8_000, 8_010, desk.now)).await;
    assert_eq!(alerts(&report), 10, "what is new is told");
}

#[tokio::test]
async fn what_is_shown_again_after_it_was_packed_is_known_for_a_year_from_then() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let old = items(0, 50, "2026-11-01T12:00:00Z".parse().unwrap());
    let mut desk = packed_desk(&path, &old).await;
    desk.wait(250 * DAY);
    desk.show(&old[..20]).await;
    assert_eq!(rows(&path, "tombstone"), 20);
    for _ in 0..2 {
        desk.wait(150 * DAY);
        desk.show(&items(9_000, 9_001, desk.now)).await;
        desk.sweep(DAY).await;
    }
    assert_eq!(rows(&path, "segment"), 1, "of what was shown again");
    let report = desk.show(&old).await;
    assert_eq!(count(&report, Newness::Known), 20);
    assert_eq!(count(&report, Newness::New), 30);
}

#[tokio::test]
async fn numbers_of_packed_entries_are_given_to_no_other_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let old = items(0, 50, "2026-11-01T12:00:00Z".parse().unwrap());
    let mut desk = packed_desk(&path, &old).await;
    let stored = async |desk: &Desk| desk.store.gauges(desk.now).await.unwrap().stored[0].1;
    assert_eq!(stored(&desk).await, 51);
    // The highest number of all is packed.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("UPDATE segment SET last_entry = 70").unwrap();
    desk.show(&items(8_000, 8_001, desk.now)).await;
    let highest: i64 = db.query_row("SELECT max(id) FROM entry", [], |row| row.get(0)).unwrap();
    assert_eq!((highest, stored(&desk).await), (71, 71));
    desk.wait(400 * DAY);
    desk.show(&items(9_000, 9_001, desk.now)).await;
    desk.sweep(DAY).await;
    assert_eq!((rows(&path, "segment"), stored(&desk).await), (0, 71));
}

#[tokio::test]
async fn guids_that_turned_out_random_do_not_count_for_what_was_packed() {
    for is_random in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let old = items(0, 50, "2026-11-01T12:00:00Z".parse().unwrap());
        let mut desk = packed_desk(&dir.path().join("watch.db"), &old).await;
        let window = items(8_000, 8_020, desk.now);
        for poll in 0..6 {
            let guids = |n, item| Item { guid: format!("{poll}-{n}"), ..item };
            desk.show(&if is_random { change(&window, guids) } else { window.clone() }).await;
        }
        // Nothing but its GUID is that of an old one.
        let mut shown = change(&window, |n, item| Item { guid: format!("z-{n}"), ..item });
        let mut late = Item { link: String::new(), ..items(7_000, 7_001, desk.now).remove(0) };
        late.guid.clone_from(&old[3].guid);
        shown.push(late);
        let report = desk.show(&shown).await;
        assert_eq!(count(&report, Newness::New), usize::from(is_random), "random: {is_random}");
    }
}

#[tokio::test]
async fn a_feed_that_comes_back_while_it_is_packed_tells_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let mut desk = Desk::open(Some(&path)).await;
    let undated = change(&items(0, 50, desk.now), |_, item| Item { date: None, ..item });
    desk.show(&undated[..40]).await;
    desk.store.sync_feeds(Vec::new(), |now, _, _| now, |due, _, _| due, desk.now).await.unwrap();
    desk.wait(2 * DAY);
    desk.sweep(DAY).await;
    desk.wait(33 * DAY);
    desk.sweep(DAY).await;
    let left = ["entry", "tombstone", "entry_key", "segment"].map(|table| rows(&path, table));
    assert_eq!(left, [0, 0, 0, 1]);
    desk.configure("https://wire.example/feed").await;
    assert_eq!(alerts(&desk.show(&undated).await), 10);
}

#[tokio::test]
async fn a_feed_that_comes_back_when_all_of_it_is_forgotten_begins_anew() {
    let mut desk = Desk::open(None).await;
    let undated = change(&items(0, 50, desk.now), |_, item| Item { date: None, ..item });
    desk.show(&undated[..40]).await;
    desk.store.sync_feeds(Vec::new(), |now, _, _| now, |due, _, _| due, desk.now).await.unwrap();
    desk.wait(2 * DAY);
    assert_eq!(desk.sweep(DAY).await, 40);
    desk.wait(366 * DAY);
    assert_eq!(desk.sweep(DAY).await, 40);
    desk.configure("https://wire.example/feed").await;
    assert_eq!(alerts(&desk.show(&undated[..40]).await), 0);
    assert_eq!(alerts(&desk.show(&undated).await), 10);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_forgets_nothing_for_a_day() {
    let mut desk = Desk::open(None).await;
    desk.show(&items(0, 50, desk.now)).await;
    desk.wait(2 * DAY);
    desk.show(&items(50, 60, desk.now)).await;
    desk.sweep(30 * DAY).await;
    let right = desk.now;
    desk.wait(400 * DAY);
    for _ in 0..20 {
        desk.wait(HOUR);
        assert_eq!(desk.store.sweep(desk.now, 30 * DAY, 1_000).await.unwrap(), 0);
    }
    desk.now = right;
    assert_eq!(desk.sweep(30 * DAY).await, 0);
    assert_eq!(desk.entries().await, 60);
}

/// Bytes of a database without free pages.
fn packed(path: &Path) -> i64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("VACUUM").unwrap();
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_is_remembered_of_an_entry_is_small() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let mut desk = Desk::open(Some(&path)).await;
    for batch in 0..2 {
        desk.show(&items(batch * 1_000, (batch + 1) * 1_000, desk.now)).await;
    }
    desk.wait(2 * DAY);
    desk.show(&items(9_000, 9_001, desk.now)).await;
    assert_eq!(desk.sweep(DAY).await, 2_000);
    desk.wait(33 * DAY);
    desk.sweep(DAY).await;
    assert_eq!((rows(&path, "segment"), rows(&path, "tombstone")), (1, 0));
    drop(desk);
    drop(Store::open(&dir.path().join("empty.db")).unwrap());
    let size = packed(&path) - packed(&dir.path().join("empty.db"));
    let each = size / 2_000;
    println!("{size} bytes for 2,000 remembered entries, {each} each");
    assert!(each < 60, "{each} bytes");
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_up_to_date_and_knows_its_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("watch.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(include_str!("../../src/store/schema/0001.sql")).unwrap();
    let item = Item {
        guid: "https://wire.example/7/".to_string(),
        ..items(7, 8, "2026-11-01T12:00:00Z".parse().unwrap()).remove(0)
    };
    let entry = wirewatch::model::Entry {
        guid: Some(item.guid.clone()),
        url: Some(item.link.clone()),
        title: item.title.clone(),
        text: item.text.clone(),
        ..Default::default()
    };
    let keys = wirewatch::dedup::entry_keys(&[entry]).remove(0);
    db.execute_batch(&format!(
        "INSERT INTO feed (id, name, url, host, interval_ms, next_due, baselined, last_document) \
           VALUES (1, 'wire', '{SAME_URL}', 'wire.example', 900000, 0, 1, 0);
         INSERT INTO story (id, uid, first_seen, last_seen) VALUES (1, 's1', 0, 0);
         INSERT INTO entry (id, feed_id, story_id, guid, url, title, text, authors, categories, \
           first_seen, last_seen, link_key, title_key, revision_key) \
           VALUES (1, 1, 1, '{}', '{}', '{}', '{}', '[]', '[]', 0, 0, x'00', x'00', x'00')",
        item.guid, item.link, item.title, item.text
    ))
    .unwrap();
    let guid = keys.stated_guid.unwrap();
    db.execute("INSERT INTO entry_key VALUES (1, 'guid', ?, 1)", [guid.0]).unwrap();
    db.execute("UPDATE entry SET link_key = ?", [keys.link.unwrap().0]).unwrap();
    db.pragma_update(None, "application_id", 0x5757_6174).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let mut desk = Desk::open(Some(&path)).await;
    let edited = Item { title: "Ferry number 7 came back".to_string(), ..item };
    let report = desk.show(&[edited]).await;
    assert_eq!(count(&report, Newness::Revised), 1);
}

/// What several outlets tell of a few events, as one feed brings it.
fn tellings() -> Vec<Item> {
    let titles = [
        "Strong quake strikes Aceh in Indonesia, killing 22",
        "Quake kills 22 in Aceh, officials in Indonesia say",
        "Ferry with sixty on board sinks off Puerto Alba in the Serrano strait",
        "Serrano strait: ferry sinks near Puerto Alba, sixty were on board",
        "Indonesia quake: rescuers in Aceh look for survivors after 22 die",
        "Puerto Alba mourns after ferry sinks in the Serrano strait",
    ];
    let item = |(n, title): (usize, &&str)| Item {
        guid: format!("t{n}"),
        link: format!("https://outlet{n}.example/{n}"),
        title: (*title).to_owned(),
        text: String::new(),
        date: None,
    };
    titles.iter().enumerate().map(item).collect()
}

#[tokio::test]
async fn a_transaction_that_was_undone_leaves_no_trace_in_the_choice_of_stories() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("undone.db");
    let (mut steady, mut undone) = (Desk::open(None).await, Desk::open(Some(&path)).await);
    let all = tellings();
    steady.show(&all[..2]).await;
    undone.show(&all[..2]).await;
    let expected = [steady.show(&all[2..4]).await, steady.show(&all[4..]).await];

    // The second entry of the document fails after the first has been chosen a
    // story for.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TRIGGER broken BEFORE INSERT ON entry WHEN new.guid = 't3' \
         BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    .unwrap();
    undone.try_to_show(&all[2..4]).await.unwrap_err();
    db.execute_batch("DROP TRIGGER broken").unwrap();
    undone.wait(HOUR * -1);
    let found = [undone.show(&all[2..4]).await, undone.show(&all[4..]).await];
    let stories = |reports: &[CommitReport; 2]| -> Vec<_> {
        let entries = reports.iter().flat_map(|report| report.entries.clone());
        entries.map(|entry| (entry.story, entry.joined)).collect()
    };
    assert_eq!(stories(&found), stories(&expected));
    assert_eq!(found[0].new_stories, 1, "the ferry is one story");
    assert_eq!(found[1].new_stories, 0, "both events are known");
}
