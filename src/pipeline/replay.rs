//! The whole decision path over given items, in time order, without network
//! and without a lasting database: what the daemon would have decided.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Arrived, Live, Prepared, ingest};
use crate::dedup;
use crate::model::{
    Backfill, Entry, EntryId, Feed, FeedName, Interval, Joined, Newness, RequestOptions, RuleName,
    Scope, StoryId,
};
use crate::rule::Item;
use crate::store::{Claim, Store, StoreError};

/// An item as if it had just been read from a feed.
#[derive(Clone, Debug)]
pub struct ReplayItem {
    /// The feed that brings it.
    pub feed: FeedName,
    /// When it is seen.
    pub seen: Timestamp,
    /// What it says.
    pub entry: Entry,
}

/// What was decided about an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayOutcome {
    /// New, known or revised.
    pub newness: Newness,
    /// Its row: the number of new items up to it.
    pub entry: EntryId,
    /// Its story.
    pub story: StoryId,
    /// Why a new item is part of it.
    pub joined: Option<Joined>,
    /// The item that has its text, headline or link, if that is why.
    pub of: Option<EntryId>,
    /// Rules that hold for it, told or not.
    pub rules: Vec<RuleName>,
    /// Rules whose alert it raised.
    pub alerts: Vec<RuleName>,
    /// Rules whose earlier alert it adds news to.
    pub updates: Vec<RuleName>,
}

/// A replay under way: items go in one by one, in time order.
pub struct Replay {
    store: Store,
    live: Arc<Live>,
    feeds: HashMap<FeedName, (i64, Feed)>,
}

impl Replay {
    /// Begins with nothing known. Every feed alerts from its first item.
    ///
    /// # Errors
    /// When SQLite cannot make a database in memory.
    pub fn new(live: Arc<Live>) -> Result<Self, StoreError> {
        Ok(Self { store: Store::in_memory()?, live, feeds: HashMap::new() })
    }

    /// Makes the feeds of all items known; to be called once, before them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepare(&mut self, feeds: BTreeSet<FeedName>) -> Result<(), StoreError> {
        let now = Timestamp::UNIX_EPOCH;
        let feeds: Vec<(Feed, String)> =
            feeds.into_iter().map(|name| (replayed(&name), name.to_string())).collect();
        let known: HashMap<FeedName, Feed> =
            feeds.iter().map(|(feed, _)| (feed.name.clone(), feed.clone())).collect();
        self.store.sync_feeds(feeds, |now, _, _| now, |due, _, _| due, now).await?;
        let claim = Claim {
            now,
            lease: SignedDuration::ZERO,
            limit: known.len(),
            busy_hosts: Vec::new(),
            untried_since: None,
        };
        for claimed in self.store.claim_feeds(claim).await? {
            if let Some(feed) = known.get(&claimed.name) {
                self.feeds.insert(claimed.name.clone(), (claimed.id, feed.clone()));
            }
        }
        Ok(())
    }

    /// Decides about the next item; `None` for an item of a feed that was not
    /// prepared.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn step(&mut self, item: ReplayItem) -> Result<Option<ReplayOutcome>, StoreError> {
        let Some((row, feed)) = self.feeds.get(&item.feed) else { return Ok(None) };
        let rules = self.rules(&item);
        let keys = dedup::entry_keys(std::slice::from_ref(&item.entry));
        let entries = std::iter::once(item.entry).zip(keys).collect();
        let arrived = Arrived {
            feed_row: *row,
            url: feed.url.clone(),
            now: item.seen,
            prepared: Prepared { entries, ..Prepared::default() },
            validators: None,
            body_hash: Vec::new(),
            scope: Scope::Older,
        };
        let report = ingest(&self.store, &self.live, feed, arrived, None).await?;
        Ok(report.entries.into_iter().next().and_then(|entry| {
            Some(ReplayOutcome {
                newness: entry.newness,
                entry: entry.id,
                story: entry.story?,
                joined: entry.joined,
                of: entry.of,
                rules,
                alerts: entry.told.alerts.into_iter().map(|(rule, _)| rule).collect(),
                updates: entry.told.updates.into_iter().map(|(rule, _)| rule).collect(),
            })
        }))
    }

    fn rules(&self, item: &ReplayItem) -> Vec<RuleName> {
        let matches = self.live.rules.matches(&Item::of_entry(&item.entry, item.feed.as_str()));
        matches.into_iter().map(|found| found.rule).collect()
    }
}

fn replayed(name: &FeedName) -> Feed {
    Feed {
        name: name.clone(),
        url: format!("replay:{name}"),
        title: None,
        interval: Interval::Adaptive,
        backfill: Backfill::All,
        allow_private: false,
        groups: Vec::new(),
        tags: Vec::new(),
        ignore_hints: false,
        fulltext: None,
        websub: false,
        request: RequestOptions::default(),
    }
}
