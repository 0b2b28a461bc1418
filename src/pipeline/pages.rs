//! Reads the pages behind new entries, beside the polls and never in their
//! way: a bounded number at once, one request at a time for a host.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::complaint::Complaint;
use super::ingest::page_judge;
use super::{Desk, Live, Meter, Poller, Pulse, Watched};
use crate::article::{self, ArticleError};
use crate::fetch::{Body, FetchError, Fetcher, Request, RequestKind, host_of};
use crate::model::{ClaimedPage, Clock, Document, Feed, ReadPage, RequestOptions, UnreadPage};
use crate::store::{CommitReport, PageCommit, Store, StoreError};

/// More than the longest fetch and what follows.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// Between two requests for pages of one host that is not the user's own.
const HOST_REST: Duration = Duration::from_secs(2);
/// How often the store is asked for waiting pages.
const TURN: Duration = Duration::from_secs(1);
/// The same where no feed and no rule wants pages.
const IDLE: Duration = Duration::from_secs(10);
/// After the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// Before a page that could not be had is asked for again, by tries so far.
const AGAIN: [SignedDuration; 2] = [SignedDuration::from_secs(30), SignedDuration::from_mins(5)];
/// A busy server's rest where it names none.
const THROTTLED: SignedDuration = SignedDuration::from_mins(5);
/// The longest rest that a server gets.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);
/// Largest page after decoding, in bytes.
const MAX_PAGE: u64 = 4 << 20;

/// The loop and what it works with.
#[derive(Clone)]
pub struct PageReader {
    /// Which pages wait.
    pub store: Store,
    /// The way out, as configured now.
    pub fetcher: watch::Receiver<Fetcher>,
    /// Rules and feeds as of now.
    pub live: Watched,
    /// The time.
    pub clock: Clock,
    /// Counts commits that planned deliveries; dispatchers wait on it.
    pub planned: watch::Sender<u64>,
    /// One page is taken apart at a time: a hostile one may take hundreds of
    /// megabytes for a second.
    pub desk: Desk,
    /// Counters.
    pub meter: Meter,
}

/// What became of the pages that a round asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PagesReport {
    /// Pages that gave a text.
    pub read: usize,
    /// Pages that gave none: the feed's text stands.
    pub unread: usize,
    /// Pages whose text could not be stored; they are read again.
    pub not_stored: usize,
    /// Matches that their texts made.
    pub matches: usize,
    /// Alerts raised for them.
    pub alerts: usize,
}

/// A page that was dealt with, and whether its host rests.
struct Done {
    host: String,
    rests: bool,
    /// What came of its text, `None` if it gave none; or that could not be
    /// stored.
    read: Result<Option<CommitReport>, ()>,
}

#[derive(Default)]
struct Work {
    pages: JoinSet<Done>,
    asked: Vec<String>,
    resting: HashMap<String, Instant>,
    report: PagesReport,
}

impl Work {
    fn busy(&mut self) -> Vec<String> {
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        self.asked.iter().chain(self.resting.keys()).cloned().collect()
    }

    fn finish(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done {
            Ok(done) => {
                self.asked.retain(|host| *host != done.host);
                match done.read {
                    Ok(Some(read)) => {
                        self.report.read += 1;
                        self.report.matches += read.matches;
                        self.report.alerts += read.alerts();
                    }
                    Ok(None) => self.report.unread += 1,
                    Err(()) => self.report.not_stored += 1,
                }
                if done.rests {
                    self.resting.insert(done.host, Instant::now() + HOST_REST);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the reading of a page ended badly");
                self.asked.clear();
            }
        }
    }
}

impl PageReader {
    /// One that works with what a poller works with.
    pub fn beside(poller: &Poller) -> Self {
        Self {
            store: poller.store.clone(),
            fetcher: poller.fetcher.clone(),
            live: poller.live.clone(),
            clock: poller.clock.clone(),
            planned: poller.planned.clone(),
            desk: Desk::new(1),
            meter: poller.meter.clone(),
        }
    }

    /// Reads until stopped; then finishes the pages under way.
    pub async fn run(mut self, stop: CancellationToken, pulse: Pulse) {
        let beat = pulse.join("pages", self.clock.awake());
        let (mut work, mut complaint) = (Work::default(), Complaint::default());
        while !stop.is_cancelled() {
            beat.now(self.clock.awake());
            let wait = match self.start(&mut work, false).await {
                Ok(_) if self.is_idle(&work) => IDLE,
                Ok(_) => TURN,
                Err(error) => {
                    if complaint.is_due() {
                        tracing::error!(%error, "cannot claim pages; trying again");
                    }
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = work.pages.join_next() => work.finish(done),
                () = beat.rest(&self.clock, wait) => {}
                changed = self.live.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        while let Some(done) = work.pages.join_next().await {
            beat.now(self.clock.awake());
            work.finish(done);
        }
    }

    /// Reads every page that waits, once; a page that fails waits on.
    ///
    /// # Errors
    /// When pages cannot be claimed.
    pub async fn once(&self, stop: &CancellationToken) -> Result<PagesReport, StoreError> {
        let mut work = Work::default();
        loop {
            let started = if stop.is_cancelled() { 0 } else { self.start(&mut work, true).await? };
            if let Some(done) = work.pages.join_next().await {
                work.finish(done);
            } else if let Some(until) = work.resting.values().min().copied()
                && !stop.is_cancelled()
                && self.store.has_due_pages(self.clock.now()).await?
            {
                tokio::time::sleep_until(until).await;
                work.busy();
            } else if started == 0 {
                return Ok(work.report);
            }
        }
    }

    fn is_idle(&self, work: &Work) -> bool {
        let live = self.live.borrow();
        let wanted = live.wants.rules.iter().any(|wish| wish.mode.is_some())
            || live.feeds.values().any(|feed| feed.fulltext.is_some());
        !wanted && work.pages.is_empty()
    }

    async fn start(&self, work: &mut Work, hurry: bool) -> Result<usize, StoreError> {
        let live = self.live.borrow().clone();
        let free = live.pages_at_once.max(1).saturating_sub(work.pages.len());
        if free == 0 {
            return Ok(0);
        }
        let now = self.clock.now();
        let terms = (free, LEASE, hurry);
        let claimed = self.store.claim_pages(now, terms, work.busy(), live.page_budget).await?;
        let started = claimed.len();
        for claim in claimed {
            work.asked.push(claim.host.clone());
            let reader = self.clone();
            let live = Arc::clone(&live);
            work.pages.spawn(async move { reader.read(claim, live).await });
        }
        Ok(started)
    }

    async fn read(&self, claim: ClaimedPage, live: Arc<Live>) -> Done {
        let feed = live.feeds.get(&claim.feed).cloned();
        let own = |feed: &Feed| feed.allow_private && host_of(&feed.url) == claim.host;
        let rests = !feed.as_ref().is_some_and(own);
        let host = claim.host.clone();
        let url = claim.url.clone();
        let fetched = match &feed {
            None => Err(unwanted("its feed is no longer configured")),
            Some(feed) => self.fetch(&claim, feed, own(feed)).await.map(|page| (feed, page)),
        };
        let result = match fetched {
            Ok((feed, page)) => self.commit(claim, page, (feed, &live)).await.map(Some),
            Err(unread) => self.unread(claim, unread).await.map(|()| None),
        };
        self.meter.paged(match &result {
            Ok(Some(_)) => "read",
            Ok(None) => "unread",
            Err(_) => "not-stored",
        });
        let read = result.map_err(|error| {
            tracing::error!(url, %error, "cannot store what a page says; it is read again");
        });
        Done { host, rests, read }
    }

    async fn fetch(
        &self,
        claim: &ClaimedPage,
        feed: &Feed,
        allow_private: bool,
    ) -> Result<ReadPage, UnreadPage> {
        let fetcher = self.fetcher.borrow().clone();
        let options = RequestOptions {
            max_body: Some(feed.request.max_body.unwrap_or(MAX_PAGE).min(MAX_PAGE)),
            ..feed.request.clone()
        };
        let request = Request {
            url: &claim.url,
            home: &feed.url,
            allow_private,
            validators: None,
            options: &options,
            kind: RequestKind::Page,
        };
        let now = self.clock.now();
        let fetched = fetcher.fetch(request, now).await;
        let fetched = fetched.map_err(|error| refused(error, claim.attempts, now))?;
        let Body::Document { document, .. } = fetched.body else {
            return Err(unwanted("the server says \"not modified\" to a first request"));
        };
        let bytes = document.bytes.len() as u64;
        // Hostile work: a panic costs one page.
        let read = self.desk.read(move || extract(&document)).await.map(|(read, _)| read);
        let read = read.unwrap_or_else(|_| Err("the reader failed on this page".to_owned()));
        read.map(|page| ReadPage { bytes, ..page })
            .map_err(|reason| UnreadPage { bytes, ..unwanted(&reason) })
    }

    async fn commit(
        &self,
        claim: ClaimedPage,
        page: ReadPage,
        (feed, live): (&Feed, &Arc<Live>),
    ) -> Result<CommitReport, StoreError> {
        let (url, now) = (claim.url.clone(), self.clock.now());
        let judge = page_judge(live, feed, now);
        let report = self.store.commit_page(PageCommit { claim, page, now }, judge).await?;
        tracing::debug!(url, matches = report.matches, "read a page");
        if report.deliveries > 0 {
            self.planned.send_modify(|count| *count += 1);
        }
        Ok(report)
    }

    async fn unread(&self, claim: ClaimedPage, unread: UnreadPage) -> Result<(), StoreError> {
        tracing::info!(
            url = claim.url, reason = unread.reason, again = ?unread.again.map(|at| at.to_string()),
            "a page gave no text; the feed's text stands"
        );
        self.store.page_unread(claim, unread, self.clock.now()).await
    }
}

fn extract(document: &Document) -> Result<ReadPage, String> {
    let (kind, url) = (document.content_type.as_deref(), document.base_url.as_deref());
    let article = article::read_text(&document.bytes, kind, url)
        .map_err(|error: ArticleError| error.to_string())?;
    Ok(ReadPage { text: article.text, title: article.title, lang: article.lang, bytes: 0 })
}

fn unwanted(reason: &str) -> UnreadPage {
    UnreadPage { reason: reason.to_owned(), bytes: 0, again: None, host_rests: None }
}

/// What a refusal means: asking again helps against trouble of the moment.
fn refused(error: FetchError, attempts: u32, now: Timestamp) -> UnreadPage {
    let after = |wait: SignedDuration| now.saturating_add(wait).ok();
    let pause = AGAIN.get(attempts.saturating_sub(1) as usize).copied().unwrap_or(AGAIN[1]);
    let (again, host_rests) = match &error {
        FetchError::Throttled { until, .. } => {
            let latest = after(LONGEST_REST);
            let until = until.or_else(|| after(THROTTLED)).min(latest);
            (until, until)
        }
        FetchError::Failed(reason) if !is_final(reason) => (after(pause), None),
        _ => (None, None),
    };
    let reason = match error {
        FetchError::Gone => "HTTP 410: the page is gone".to_owned(),
        FetchError::Blocked(reason) => reason,
        other => other.to_string(),
    };
    UnreadPage { reason, bytes: 0, again, host_rests }
}

/// A client's fault (4xx) is the same the next time, and so is a page that is
/// too large; a server's (5xx) and the network's may pass.
fn is_final(reason: &str) -> bool {
    let status =
        |text: &str| text.strip_prefix("HTTP 4").is_some_and(|rest| !rest.starts_with("08"));
    status(reason) || reason.contains("too large") || reason.contains("more than")
}
