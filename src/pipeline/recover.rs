//! After a gap: reads the feed's older pages (RFC 5005), for entries that came
//! and went while nobody looked.

use std::sync::Arc;

use super::aftermath::Aftermath;
use super::round::HOST_REST;
use super::{Arrived, Live, Poller, Prepared, Seat, ingest, prepare};
use crate::fetch::{Body, FetchError, Place, Request, RequestKind};
use crate::model::Scope;
use crate::store::StoreError;

/// Pages read for one gap.
const PAGES: usize = 5;

/// What a page keeps until it is stored.
type Places = (Option<Seat>, Option<Place>);

/// Why an older page was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missed {
    /// There was no place for it.
    Busy,
    /// It cannot be had, or is no feed.
    Unreadable,
}

impl Poller {
    /// Reads older pages from `url` on until one shows a known entry. A page
    /// that cannot be read is tried once more at the feed's next visit.
    pub(super) async fn read_older_pages(
        &self,
        live: &Arc<Live>,
        about: &Aftermath,
        url: String,
    ) -> Result<(), StoreError> {
        let name = &about.claim.name;
        let (mut next, mut found) = (Some(url), 0);
        for _ in 0..PAGES {
            let Some(url) = next.take() else { break };
            let (prepared, _places) = match self.older_page(about, &url).await {
                Ok(read) => read,
                Err(missed) => {
                    let is_first = about.claim.memory.older_pages.is_none();
                    let again = (missed == Missed::Busy || is_first).then_some(url);
                    let retry = again.is_some();
                    tracing::warn!(feed = %name, retry, "an older page cannot be read");
                    return self.store.finish_gap(about.claim.id, found, again).await;
                }
            };
            let older = prepared.facts.hints.older.clone().filter(|older| *older != url);
            let arrived = Arrived {
                feed_row: about.claim.id,
                url: about.claim.configured.clone(),
                now: self.clock.now(),
                prepared,
                validators: None,
                body_hash: Vec::new(),
                scope: Scope::Older,
            };
            let report = ingest(&self.store, live, &about.feed, arrived, None).await?;
            self.tell(&about.claim, &report);
            found += report.new_entries();
            // A known entry is where the gap ends.
            if report.new_entries() == report.entries.len() {
                next = older;
            }
        }
        tracing::info!(feed = %name, found, "older pages read after a gap");
        self.store.finish_gap(about.claim.id, found, None).await
    }

    async fn older_page(&self, about: &Aftermath, url: &str) -> Result<(Prepared, Places), Missed> {
        if !about.feed.allow_private {
            tokio::time::sleep(HOST_REST).await;
        }
        let fetcher = self.fetcher.borrow().clone();
        let request = Request {
            url,
            home: &about.claim.configured,
            allow_private: about.feed.allow_private,
            validators: None,
            options: &about.feed.request,
            kind: RequestKind::Document,
        };
        let fetched =
            fetcher.fetch(request, self.clock.now()).await.map_err(|error| match error {
                FetchError::Busy => Missed::Busy,
                _ => Missed::Unreadable,
            })?;
        let Body::Document { document, .. } = fetched.body else { return Err(Missed::Unreadable) };
        let read = self.desk.read(move || prepare(&document)).await;
        let (prepared, seat) = read.map_err(|_| Missed::Unreadable)?;
        let prepared = prepared.map_err(|_| Missed::Unreadable)?;
        let seat = seat.filter(|_| prepared.is_long());
        Ok((prepared, (seat, fetched.place)))
    }
}
