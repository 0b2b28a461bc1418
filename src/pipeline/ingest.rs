//! A document becomes stories, matches and alerts.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Live;
use super::aftermath::Aftermath;
use crate::alert::{self, Circumstances, Novelty, Telling};
use crate::dedup;
use crate::model::{
    Document, DocumentFacts, Entry, EntryId, EntryKeys, Feed, FeedAfter, FeedPast, Hold, Identity,
    Joined, KnownByKey, MemoryPosition, Newness, PastMatch, Recognised, RuleName, Scope,
    StoredMemory, StoriesByKey, StoryChoice, StoryId, StoryRef, Upgrades, Validators, WantedPage,
};
use crate::parse::{self, ParseError};
use crate::rule::{Item, search_words};
use crate::store::{CommitReport, Judge, Judged, JudgedMatch, Situation, Store, StoreError, Visit};
use crate::story::{self, Change, Features, Join, Wording};

/// Entries of an ordinary document. An entry takes a kilobyte and what it
/// says, and twice that while it is stored.
const MANY_ENTRIES: usize = 500;

/// A document read and its entries' keys worked out; nothing decided yet.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// The document's own title.
    pub title: Option<String>,
    /// Oldest first, so that of two versions in one document the newer wins.
    pub entries: Vec<(Entry, EntryKeys)>,
    /// What was odd.
    pub warnings: Vec<String>,
    /// What the document says of itself.
    pub facts: DocumentFacts,
    /// Whether it breaks off.
    pub cut: bool,
}

impl Prepared {
    /// Whether it has so many entries that it is held in few copies only: it
    /// keeps its place at the desk until it is stored.
    pub(super) fn is_long(&self) -> bool {
        self.entries.len() > MANY_ENTRIES
    }
}

/// Reads a document: the part that needs no store and takes the time.
///
/// # Errors
/// When the document is no feed.
pub fn prepare(document: &Document) -> Result<Prepared, ParseError> {
    let mut parsed = parse::parse_feed(document)?;
    // Feeds put the newest first; the order of telling is the other way round.
    parsed.entries.reverse();
    let keys = dedup::entry_keys(&parsed.entries);
    let entries = parsed.entries.into_iter().zip(keys).collect();
    let facts = DocumentFacts {
        format: parsed.format,
        decoding: parsed.decoding,
        repairs: parsed.repairs,
        hints: parsed.hints,
    };
    Ok(Prepared { title: parsed.title, entries, warnings: parsed.warnings, facts, cut: parsed.cut })
}

/// Decides about a prepared document and makes it durable, with what the visit
/// leaves on its feed; without `after` the feed's schedule and health stay.
///
/// # Errors
/// When the store fails; then nothing happened.
pub async fn ingest(
    store: &Store,
    live: &Arc<Live>,
    feed: &Feed,
    arrived: Arrived,
    after: Option<Arc<Aftermath>>,
) -> Result<CommitReport, StoreError> {
    let visit = Visit {
        feed: arrived.feed_row,
        url: arrived.url,
        now: arrived.now,
        validators: arrived.validators,
        body_hash: arrived.body_hash,
        scope: arrived.scope,
        title: arrived.prepared.title,
        facts: arrived.prepared.facts,
        entries: arrived.prepared.entries,
    };
    let judge = RuleJudge {
        live: Arc::clone(live),
        feed: feed.clone(),
        now: arrived.now,
        after,
        considered: Default::default(),
        page: false,
    };
    store.commit(visit, Box::new(judge)).await
}

/// What decides about an entry once its page was read.
pub(super) fn page_judge(live: &Arc<Live>, feed: &Feed, now: Timestamp) -> Box<dyn Judge> {
    let (live, feed) = (Arc::clone(live), feed.clone());
    Box::new(RuleJudge { live, feed, now, after: None, considered: Default::default(), page: true })
}

/// A prepared document with the circumstances of its arrival.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The feed's row.
    pub feed_row: i64,
    /// The URL that was visited, as configured then.
    pub url: String,
    /// When it arrived.
    pub now: Timestamp,
    /// What it says.
    pub prepared: Prepared,
    /// Validators of this very document.
    pub validators: Option<Validators>,
    /// Its SHA-256.
    pub body_hash: Vec<u8>,
    /// How much of the feed it shows.
    pub scope: Scope,
}

/// The stages' decisions, for one feed's document.
struct RuleJudge {
    live: Arc<Live>,
    feed: Feed,
    now: Timestamp,
    after: Option<Arc<Aftermath>>,
    /// Of the entry whose story was chosen last, and its page.
    considered: (Features, Option<String>),
    /// Whether entries come with the text of their page.
    page: bool,
}

impl Judge for RuleJudge {
    fn recognise(
        &mut self,
        keys: &[EntryKeys],
        known: Vec<KnownByKey>,
        past: &FeedPast,
    ) -> Recognised {
        dedup::recognise(keys, known, past)
    }

    fn old_in_new_clothes(
        &mut self,
        keys: &[EntryKeys],
        identities: &[Identity],
        titles: &[bool],
        past: &FeedPast,
    ) -> Vec<bool> {
        dedup::old_in_new_clothes(keys, identities, titles, past)
    }

    fn rest_of_the_first(
        &mut self,
        keys: &[EntryKeys],
        identities: &[Identity],
        past: &FeedPast,
    ) -> Vec<bool> {
        dedup::rest_of_the_first(keys, identities, past)
    }

    fn position(&self) -> MemoryPosition {
        self.live.stories.position()
    }

    fn remember(&mut self, stored: StoredMemory<'_>) {
        self.live.stories.restore(stored);
    }

    fn forget(&mut self) {
        self.live.stories.forget();
    }

    fn choose(
        &mut self,
        entry: &Entry,
        keys: &EntryKeys,
        candidates: StoriesByKey,
        alone: bool,
    ) -> StoryChoice {
        let mut features = Features::of(&entry.title, &entry.text, entry.lang.as_deref());
        let by_key = dedup::choose_story(candidates);
        let join = by_key.is_none().then_some(if alone { Join::Copies } else { Join::Event });
        let (feed, stories) = (&self.feed.name, &self.live.stories);
        let page = (feed, entry.url.as_deref());
        let found = stories.consider(page, self.now, &mut features, join);
        let (story, joined) = match by_key.or(found) {
            Some((story, joined)) => (StoryRef::Known(story), joined),
            None => (StoryRef::New(dedup::story_id(feed, keys)), Joined::First),
        };
        let origin = self.origin(entry);
        let choice = StoryChoice {
            story,
            joined,
            outlet: origin.outlet,
            agency: origin.agency.map(str::to_owned),
            features: features.to_bytes(),
        };
        self.considered = (features, entry.url.clone());
        choice
    }

    fn told(&mut self, entry: EntryId, story: &StoryId) {
        let (features, url) = std::mem::take(&mut self.considered);
        let page = (&self.feed.name, url.as_deref());
        self.live.stories.keep((entry, story.clone()), page, self.now, features);
    }

    fn knowledge(&mut self) -> Option<Vec<u8>> {
        self.live.stories.to_store()
    }

    fn counts_sources(&self) -> bool {
        self.live.policy.counts_sources()
    }

    fn judge(&mut self, entry: &Entry, situation: &Situation<'_>) -> Judged {
        let sources = story::sources(&situation.tellers).max(1) as u32;
        let matches = self.judge_matches(entry, situation, sources);
        if self.page {
            return Judged { matches, ..Judged::default() };
        }
        let upgrades = self.upgrades(entry, situation, sources, &matches);
        let page = self.page(entry, situation, &matches);
        Judged { matches, upgrades, page }
    }

    fn words(&mut self, entry: &Entry) -> String {
        search_words(&entry.title, &entry.text)
    }

    fn conclude(&mut self, visit: &Visit, report: &CommitReport) -> Option<FeedAfter> {
        Some(self.after.as_ref()?.document(visit, report))
    }
}

impl RuleJudge {
    fn judge_matches(
        &self,
        entry: &Entry,
        situation: &Situation<'_>,
        sources: u32,
    ) -> Vec<JudgedMatch> {
        let mut matches = self.live.rules.matches(&self.item(entry, &entry.title, &entry.text));
        if self.page {
            matches.retain(|found| self.live.wants.allows(&found.rule, &self.feed));
        }
        if matches.is_empty() {
            return Vec::new();
        }
        let before = self.rules_before(entry, situation);
        let held = self.held(entry, situation);
        let judged = matches.into_iter().filter_map(|found| {
            let about = Circumstances {
                rule: &found.rule,
                story: situation.story,
                candidate: situation.candidate,
                newness: situation.newness,
                matched_before: before.contains(&found.rule),
                held,
                sources,
            };
            let (state, alert) = alert::decide(&self.live.policy, about, self.now)?;
            Some(JudgedMatch { found, state, alert })
        });
        judged.collect()
    }

    /// Why what an entry would tell is held back. What a first document may
    /// tell is for the configuration to say.
    fn held(&self, entry: &Entry, situation: &Situation<'_>) -> Option<Hold> {
        situation.held.filter(|hold| {
            *hold != Hold::Baseline || alert::held_by_backfill(self.feed.backfill, entry, self.now)
        })
    }

    /// What the entry does to matches that its story had, but for those that
    /// are decided anew because the entry matches itself.
    fn upgrades(
        &self,
        entry: &Entry,
        situation: &Situation<'_>,
        sources: u32,
        matches: &[JudgedMatch],
    ) -> Upgrades {
        let Some(candidate) = situation.candidate else { return Upgrades::default() };
        let anew = |rule: &RuleName| matches.iter().any(|judged| judged.found.rule == *rule);
        let past = candidate.matched.iter().filter(|past| !anew(&past.rule));
        let past = past.map(|past| {
            let policy = self.live.policy.rules.get(&past.rule);
            let asks = policy.is_some_and(|rule| rule.on_update.material());
            let tells = asks && past.alert.is_some();
            (past, if tells { novelty(entry, situation, past) } else { None })
        });
        let telling = Telling {
            story: situation.story,
            edits: candidate.edits,
            entry: situation.entry,
            sources,
            held: situation.held.is_some(),
        };
        alert::upgrades(&self.live.policy, telling, past.collect(), self.now)
    }

    /// The page of a new entry, if it may tell a rule more than the feed does.
    fn page(
        &self,
        entry: &Entry,
        situation: &Situation<'_>,
        matches: &[JudgedMatch],
    ) -> Option<WantedPage> {
        if situation.newness != Newness::New || self.held(entry, situation).is_some() {
            return None;
        }
        let past = situation.candidate.iter().flat_map(|story| &story.matched);
        let told = past.filter(|past| past.alert.is_some()).map(|past| past.rule.clone());
        let decided = matches.iter().map(|judged| judged.found.rule.clone()).chain(told).collect();
        let item = self.item(entry, &entry.title, &entry.text);
        self.live.wants.page(&self.feed, &item, entry, &decided)
    }

    fn origin(&self, entry: &Entry) -> story::Origin {
        let source = entry.source.as_ref();
        story::origin(&story::About {
            feed: self.feed.name.as_str(),
            feed_url: &self.feed.url,
            link: entry.url.as_deref(),
            source_url: source.and_then(|source| source.url.as_deref()),
            source_title: source.and_then(|source| source.title.as_deref()),
            authors: &entry.authors,
            text: &entry.text,
        })
    }

    fn item<'a>(&'a self, entry: &'a Entry, title: &'a str, text: &'a str) -> Item<'a> {
        Item { title, text, ..Item::of_entry(entry, self.feed.name.as_str()) }
    }

    /// Rules that the wording before this revision satisfied already: under
    /// them the revision tells nothing new.
    fn rules_before(&self, entry: &Entry, situation: &Situation<'_>) -> HashSet<RuleName> {
        let Some((title, text)) = &situation.previous else { return HashSet::new() };
        let matches = self.live.rules.matches(&self.item(entry, title, text));
        matches.into_iter().map(|found| found.rule).collect()
    }
}

/// What the entry changes for those who were told of its story. A revision is
/// compared with what it replaces, another telling with the headline that was
/// told: other headlines are no news then, other numbers in them are.
fn novelty(entry: &Entry, situation: &Situation<'_>, past: &PastMatch) -> Option<Novelty> {
    let after = Wording { title: &entry.title, text: &entry.text };
    let change = match &situation.previous {
        Some((title, text)) => story::material(Wording { title, text }, after)?,
        None => {
            let told = Wording { title: &past.title, text: "" };
            story::material(told, Wording { text: "", ..after })?
        }
    };
    let key = match &change {
        Change::Number { before, after } => format!("{before} {after}"),
        Change::Headline { .. }
            if situation.previous.is_none() || situation.entry != past.entry =>
        {
            return None;
        }
        _ => entry.title.to_lowercase(),
    };
    Some(Novelty { kind: change.as_str(), text: change.sentence(), key })
}
