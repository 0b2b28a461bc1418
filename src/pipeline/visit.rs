//! One visit to one feed, from the request to the commit.

use std::sync::Arc;

use super::aftermath::Aftermath;
use super::poll::STORE_PAUSE;
use super::round::{VisitResult, Visited};
use super::{Arrived, Live, Poller, Seat, ingest, prepare};
use crate::fetch::{Body, FetchError, Fetched, Place, Request, RequestKind};
use crate::model::{Document, Feed, FeedAfter, Scope, ServerHints, Validators, Veil};
use crate::push;
use crate::schedule::{self, Rhythm};
use crate::store::{ClaimedFeed, CommitReport, EmptyVisit, StoreError};

/// Tries to store a document, within the lease.
const STORE_TRIES: usize = 120;

impl Poller {
    /// Visits a claimed feed and records what came of it.
    pub(super) async fn visit(&self, feed: Feed, claim: ClaimedFeed) -> Visited {
        let fetcher = self.fetcher.borrow().clone();
        let request = Request {
            url: &claim.url,
            home: &claim.configured,
            allow_private: feed.allow_private,
            validators: self.validators(&claim),
            options: &feed.request,
            kind: RequestKind::Document,
        };
        let fetched = fetcher.fetch(request, self.clock.now()).await;
        let result = match self.take_in(&feed, &claim, fetched).await {
            Ok(result) => result,
            Err(error) => {
                let name = &claim.name;
                tracing::error!(feed = %name, %error, "cannot store a visit; the feed stays due");
                if !error.is_damage() {
                    self.give_back(claim.id).await;
                }
                VisitResult::StoreFailed(error.to_string())
            }
        };
        self.meter.visited(match &result {
            VisitResult::NotModified => "not-modified",
            VisitResult::Stored(_) => "read",
            VisitResult::Failed(_) => "failed",
            VisitResult::StoreFailed(_) => "not-stored",
        });
        let rests = !feed.allow_private && claim.url.starts_with("http");
        Visited { feed: claim.name, host: claim.host, rests, result }
    }

    /// What to send along; now and then nothing, because a server that is
    /// stuck says "not modified" for ever.
    fn validators<'a>(&self, claim: &'a ClaimedFeed) -> Option<&'a Validators> {
        let memory = &claim.memory;
        let rhythm = Rhythm { arrivals: memory.arrivals.clone() };
        let now = self.clock.now();
        if schedule::full_fetch_due(now, memory.last_full, &rhythm, memory.unchanged_run) {
            tracing::debug!(feed = %claim.name, "asking for the whole document, to be sure");
            return None;
        }
        memory.validators.as_ref()
    }

    async fn take_in(
        &self,
        feed: &Feed,
        claim: &ClaimedFeed,
        fetched: Result<Fetched, FetchError>,
    ) -> Result<VisitResult, StoreError> {
        let after = |server: ServerHints, moved_to: Option<String>| Aftermath {
            feed: feed.clone(),
            claim: claim.clone(),
            server,
            moved_to,
            page: None,
            now: self.clock.now(),
        };
        match fetched {
            Err(error @ FetchError::Busy) => self.put_off(claim, &error).await,
            Err(error) => self.failed(&after(ServerHints::default(), None), &error).await,
            Ok(Fetched { body, validators, hints, moved_to, place }) => {
                let after = after(hints, moved_to);
                match body {
                    Body::NotModified => self.unchanged(&after, validators, false).await,
                    Body::Document { hash, .. }
                        if claim.memory.body_hash.as_ref() == Some(&hash) =>
                    {
                        self.unchanged(&after, validators, true).await
                    }
                    Body::Document { document, hash, partial } => {
                        self.document(after, document, (validators, hash, partial), place).await
                    }
                }
            }
        }
    }

    async fn document(
        &self,
        mut after: Aftermath,
        document: Document,
        (validators, body_hash, partial): (Option<Validators>, Vec<u8>, bool),
        place: Option<Place>,
    ) -> Result<VisitResult, StoreError> {
        // Parsing is hostile work: a panic costs one feed one poll.
        let reading = self.desk.read(move || {
            prepare(&document).map_err(|error| Box::new((error, push::in_page(&document))))
        });
        let (seat, prepared) = match reading.await {
            Ok((Ok(prepared), seat)) => (seat.filter(|_| prepared.is_long()), prepared),
            Ok((Err(refused), _)) => {
                let (error, page) = *refused;
                let place = push::find(&after.server, &page, &after.claim.url);
                after.page = place.filter(|_| after.feed.websub);
                let veil = Veil::of(&after.claim.url, &after.feed.request);
                let reason = veil.over(error.to_string());
                return self.failed(&after, &FetchError::Failed(reason)).await;
            }
            Err(_) => {
                let reason = "the parser failed on this document; please report it".to_string();
                return self.failed(&after, &FetchError::Failed(reason)).await;
            }
        };
        for warning in &prepared.warnings {
            tracing::debug!(feed = %after.claim.name, warning, "document is odd");
        }
        // What broke off must be asked for again, or a 304 would hide its end.
        let validators = validators.filter(|_| !prepared.cut);
        let partial = partial || prepared.cut;
        let arrived = Arrived {
            feed_row: after.claim.id,
            url: after.claim.configured.clone(),
            now: after.now,
            prepared,
            validators,
            body_hash,
            scope: if partial { Scope::Partial } else { Scope::Whole },
        };
        let live = self.live.borrow().clone();
        let after = Arc::new(after);
        let report = self.store_it(&live, &after, arrived, seat).await?;
        self.tell(&after.claim, &report);
        // Older pages may be large as well.
        drop(place);
        if let Some(url) = &report.older_pages {
            self.read_older_pages(&live, &after, url.clone()).await?;
        }
        Ok(VisitResult::Stored(report))
    }

    /// A document that cannot be stored, on a full disk say, is kept and tried
    /// again: by the time the feed is due once more it may have dropped entries.
    /// Meanwhile others are read at its place.
    async fn store_it(
        &self,
        live: &Arc<Live>,
        after: &Arc<Aftermath>,
        arrived: Arrived,
        mut seat: Option<Seat>,
    ) -> Result<CommitReport, StoreError> {
        let try_it =
            |arrived| ingest(&self.store, live, &after.feed, arrived, Some(Arc::clone(after)));
        for number in 1..STORE_TRIES {
            match try_it(arrived.clone()).await {
                Err(StoreError::Sqlite(error)) => {
                    drop(seat.take());
                    // Once a minute.
                    if number % 12 == 1 {
                        let feed = &after.claim.name;
                        tracing::error!(%feed, %error, "cannot store a document; trying again");
                    }
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                result => return result,
            }
        }
        try_it(arrived).await
    }

    /// A document that found no place here is no failure of its feed's, which
    /// is asked again in its interval.
    async fn put_off(
        &self,
        claim: &ClaimedFeed,
        why: &FetchError,
    ) -> Result<VisitResult, StoreError> {
        tracing::warn!(feed = %claim.name, reason = %why, "feed was not read to its end");
        self.store.end_visit(claim.id, why.to_string()).await?;
        Ok(VisitResult::Failed(why.to_string()))
    }

    /// What was not stored is asked for again as soon as something can be stored.
    async fn give_back(&self, feed: i64) {
        for _ in 0..STORE_TRIES {
            if self.store.give_back(feed, self.clock.now()).await.is_ok() {
                return;
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    pub(super) fn tell(&self, claim: &ClaimedFeed, report: &CommitReport) {
        let alerts = report.alerts();
        tracing::info!(
            feed = %claim.name,
            entries = report.entries.len(),
            stories = report.new_stories,
            matches = report.matches,
            alerts,
            baseline = report.baseline,
            "feed read"
        );
        if report.deliveries > 0 {
            self.planned.send_modify(|count| *count += 1);
        }
    }

    /// `whole` says that the document came, and was the same as last time.
    async fn unchanged(
        &self,
        after: &Aftermath,
        validators: Option<Validators>,
        whole: bool,
    ) -> Result<VisitResult, StoreError> {
        tracing::debug!(feed = %after.claim.name, "not modified");
        self.record(after, after.unchanged(validators, whole)).await?;
        Ok(VisitResult::NotModified)
    }

    async fn failed(
        &self,
        after: &Aftermath,
        error: &FetchError,
    ) -> Result<VisitResult, StoreError> {
        let left = after.failed(error);
        let failures = left.health.failures;
        tracing::warn!(feed = %after.claim.name, failures, reason = %error, "feed could not be read");
        self.record(after, left).await?;
        Ok(VisitResult::Failed(error.to_string()))
    }

    async fn record(&self, about: &Aftermath, after: FeedAfter) -> Result<(), StoreError> {
        let visit =
            EmptyVisit { feed: about.claim.id, configured: about.claim.configured.clone(), after };
        self.store.record_visit(visit, about.now).await
    }
}
