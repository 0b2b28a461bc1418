//! What a visit leaves on its feed: when it is next due, how it does, where
//! it lives, what operators should know. Decisions are `schedule`'s and
//! `health`'s; this is where they meet.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::fetch::{FetchError, host_of};
use crate::health::{self, Change, Facts, Seen, Sentence};
use crate::model::{
    Feed, FeedAfter, FeedHealth, FeedHints, Gap, Guids, HealthState, HubPlace, HubSeen, Interval,
    Move, Newness, Notice, NoticeKind, Scope, ServerHints, Sighting, Validators, VisitFailure,
};
use crate::push;
use crate::schedule::{self, Rhythm, Wishes};
use crate::store::{ClaimedFeed, CommitReport, Visit};

/// Sightings of a permanent redirect before it is believed.
const SIGHTINGS: u32 = 3;
/// Time over which they must be spread.
const SIGHTED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Failures in a row after which a feed that moved is asked at home again.
const FAILURES_AWAY: u32 = 3;
/// Shortest interval, also after a gap.
const SOONEST: SignedDuration = SignedDuration::from_mins(5);
/// Time between two visits to a feed whose hub brings the news.
const PUSHED_PACE: SignedDuration = SignedDuration::from_hours(24);
/// Entries a document must have before one that shares nothing with it means a gap.
const WINDOW: usize = 3;

/// A visit that is over, and all that is known about it.
#[derive(Clone, Debug)]
pub struct Aftermath {
    /// The feed as configured.
    pub feed: Feed,
    /// The feed as claimed, with what the visits before left.
    pub claim: ClaimedFeed,
    /// What the server's header said.
    pub server: ServerHints,
    /// Where permanent redirects led.
    pub moved_to: Option<String>,
    /// Where a page that is no feed says that its news can be had.
    pub page: Option<HubPlace>,
    /// When it ended.
    pub now: Timestamp,
}

impl Aftermath {
    /// After a document was taken in.
    pub(super) fn document(&self, visit: &Visit, report: &CommitReport) -> FeedAfter {
        let memory = &self.claim.memory;
        let mut rhythm = self.rhythm();
        rhythm.remember(new_dates(visit, report), memory.last_success, self.now);
        let new = report.new_entries();
        let gap = self.gap(visit, report);
        let news = new + usize::from(self.brought_news());
        let seen = Seen::Document { new_entries: news, repaired: !visit.facts.repairs.is_empty() };
        let mut after = self.well(seen, &rhythm, visit.validators.as_ref(), &visit.facts.hints);
        after.hub = self.hub_of(visit);
        after.missed = new > 0 && self.is_pushed();
        if after.missed {
            after.next_due = after.plain_due;
        }
        if gap.is_some() {
            after.next_due = Some(self.sooner(&after, &visit.facts.hints));
        }
        after.last_full =
            if visit.scope == Scope::Whole { Some(self.now) } else { memory.last_full };
        let older = gap.and_then(|_| visit.facts.hints.older.clone());
        after.older_pages = older.or_else(|| memory.older_pages.clone());
        self.tell_of_document(report, gap, &mut after.notices);
        after.gap = gap;
        after
    }

    /// After "not modified", or the same document as last time.
    pub(super) fn unchanged(&self, validators: Option<Validators>, whole: bool) -> FeedAfter {
        let memory = &self.claim.memory;
        let hints = memory.facts.as_ref().map(|facts| facts.hints.clone()).unwrap_or_default();
        let validators = if whole { validators } else { validators.or(memory.validators.clone()) };
        let rhythm = self.rhythm();
        let seen = if self.brought_news() { Seen::Brought } else { Seen::NotModified };
        let mut after = self.well(seen, &rhythm, validators.as_ref(), &hints);
        after.hub = match push::find(&self.server, &hints, &self.claim.url) {
            _ if !self.feed.websub => HubSeen::Nowhere,
            Some(place) if whole => HubSeen::Named(place),
            Some(place) => HubSeen::Remembered(place),
            None => HubSeen::Unknown,
        };
        after.last_full = if whole { Some(self.now) } else { memory.last_full };
        after.unchanged_run = if whole { 0 } else { memory.unchanged_run.saturating_add(1) };
        after.older_pages = memory.older_pages.clone();
        after
    }

    /// After a visit that brought nothing.
    pub(super) fn failed(&self, error: &FetchError) -> FeedAfter {
        let memory = &self.claim.memory;
        let failure = error.failure(self.now);
        let away = memory.moved && matches!(error, FetchError::Gone);
        let failure = if away { VisitFailure::Failed } else { failure };
        let rhythm = self.rhythm();
        let interval = self.interval(&rhythm, memory.validators.is_some());
        let (state, change) =
            health::step(memory.health, Seen::Failure(&failure), rhythm.usual_gap(), self.now);
        let next =
            schedule::after_failure(self.now, interval, state.failures, &failure, self.seed());
        let home = memory.moved && (away || state.failures >= FAILURES_AWAY);
        FeedAfter {
            next_due: next,
            interval,
            blocked_until: schedule::host_pause(self.now, state.failures, &failure),
            error: Some(error.to_string()),
            validators: memory.validators.clone(),
            arrivals: rhythm.arrivals,
            last_full: memory.last_full,
            unchanged_run: memory.unchanged_run,
            sighting: memory.sighting.clone(),
            moves: home.then(|| Move::Back { host: host_of(&self.claim.configured) }),
            gap: None,
            older_pages: memory.older_pages.clone(),
            notices: self.change_notice(change, &state, Some(&error.to_string())),
            health: state,
            plain_due: next,
            soon_due: next,
            hub: self.page.clone().map_or(HubSeen::Unknown, HubSeen::Remembered),
            missed: false,
        }
    }

    /// What every visit that went well has in common.
    fn well(
        &self,
        seen: Seen<'_>,
        rhythm: &Rhythm,
        validators: Option<&Validators>,
        hints: &FeedHints,
    ) -> FeedAfter {
        let memory = &self.claim.memory;
        let interval = self.interval(rhythm, validators.is_some());
        let (state, change) = health::step(memory.health, seen, rhythm.usual_gap(), self.now);
        let (sighting, moves) = self.sighting();
        let mut notices = self.change_notice(change, &state, None);
        if let Some(Move::To { url, .. }) = &moves {
            let facts = Facts { new_url: Some(url), ..self.about() };
            notices.push(self.notice(NoticeKind::Moved, &facts));
        }
        FeedAfter {
            next_due: Some(self.next(self.pace(interval), hints)),
            plain_due: Some(self.next(interval, hints)),
            soon_due: Some(self.next(self.shortest(interval), hints)),
            interval,
            validators: validators.cloned(),
            arrivals: rhythm.arrivals.clone(),
            sighting,
            moves,
            notices,
            health: state,
            ..FeedAfter::default()
        }
    }

    fn rhythm(&self) -> Rhythm {
        Rhythm { arrivals: self.claim.memory.arrivals.clone() }
    }

    fn interval(&self, rhythm: &Rhythm, has_validator: bool) -> SignedDuration {
        match self.feed.interval {
            Interval::Fixed(interval) => interval,
            Interval::Adaptive => schedule::interval(rhythm, self.now, has_validator),
        }
    }

    fn next(&self, interval: SignedDuration, hints: &FeedHints) -> Timestamp {
        let wishes =
            Wishes { server: &self.server, feed: hints, ignore_hints: self.feed.ignore_hints };
        schedule::after_success(self.now, interval, &wishes, self.seed())
    }

    /// Whether a hub that has proved itself brings the feed's news.
    fn is_pushed(&self) -> bool {
        self.claim.memory.pushed_until.is_some_and(|until| until > self.now)
    }

    /// Whether a hub brought something since the last visit.
    fn brought_news(&self) -> bool {
        let memory = &self.claim.memory;
        memory.pushed_at.is_some_and(|at| memory.last_success.is_none_or(|last| last <= at))
    }

    /// While a hub brings the news the feed is looked at once a day, and when
    /// the lease ends: push is never trusted alone.
    fn pace(&self, interval: SignedDuration) -> SignedDuration {
        let until = self.claim.memory.pushed_until.filter(|_| self.is_pushed());
        let left = until.map(|until| until.duration_since(self.now).min(PUSHED_PACE));
        left.map_or(interval, |left| interval.max(left))
    }

    /// The hub that a document names. One that breaks off, or shows a part
    /// only, may have named it where it is cut.
    fn hub_of(&self, visit: &Visit) -> HubSeen {
        if !self.feed.websub {
            return HubSeen::Nowhere;
        }
        let whole = visit.scope == Scope::Whole;
        match push::find(&self.server, &visit.facts.hints, &self.claim.url) {
            Some(place) if whole => HubSeen::Named(place),
            Some(place) => HubSeen::Remembered(place),
            None if whole => HubSeen::Nowhere,
            None => HubSeen::Unknown,
        }
    }

    /// How soon the feed may be asked again when there is a reason to.
    fn shortest(&self, interval: SignedDuration) -> SignedDuration {
        match self.feed.interval {
            Interval::Fixed(interval) => interval,
            Interval::Adaptive => interval.min(SOONEST),
        }
    }

    /// After a gap an adaptive feed is visited twice as soon.
    fn sooner(&self, after: &FeedAfter, hints: &FeedHints) -> Timestamp {
        match self.feed.interval {
            Interval::Fixed(interval) => self.next(interval, hints),
            Interval::Adaptive => self.next((after.interval / 2).max(SOONEST), hints),
        }
    }

    /// A whole document that shares nothing with what was there before: the
    /// feed may have shown entries, and dropped them, while nobody looked.
    fn gap(&self, visit: &Visit, report: &CommitReport) -> Option<Gap> {
        let since = self.claim.memory.last_document?;
        let whole = visit.scope == Scope::Whole && !report.baseline && report.mass_change.is_none();
        let all_new =
            report.entries.len() >= WINDOW && report.new_entries() == report.entries.len();
        (whole && all_new).then_some(Gap { since, until: self.now })
    }

    /// Counts sightings of one permanent redirect; enough of them move the feed.
    fn sighting(&self) -> (Option<Sighting>, Option<Move>) {
        let Some(url) = self.moved_to.clone().filter(|url| *url != self.claim.url) else {
            return (None, None);
        };
        let seen = match &self.claim.memory.sighting {
            Some(seen) if seen.url == url => Sighting { count: seen.count + 1, ..seen.clone() },
            _ => Sighting { url, since: self.now, count: 1 },
        };
        let long = self.now.duration_since(seen.since) >= SIGHTED_FOR;
        let worse = self.claim.url.starts_with("https:") && !seen.url.starts_with("https:");
        if seen.count >= SIGHTINGS && long && !worse {
            let host = host_of(&seen.url);
            return (None, Some(Move::To { url: seen.url, host }));
        }
        (Some(seen), None)
    }

    fn tell_of_document(&self, report: &CommitReport, gap: Option<Gap>, notices: &mut Vec<Notice>) {
        if let Some(gap) = gap {
            let facts = Facts { since: Some(gap.since), ..self.about() };
            notices.push(self.notice(NoticeKind::Gap, &facts));
        }
        if let Some(change) = report.mass_change {
            let facts = Facts { count: Some(change.held as u64), ..self.about() };
            notices.push(self.notice(NoticeKind::MassChange, &facts));
        }
        if report.guids_changed == Some(Guids::Random) {
            notices.push(self.notice(NoticeKind::RandomGuids, &self.about()));
        }
    }

    /// The words for a change of health, if operators are to hear of it.
    fn change_notice(
        &self,
        change: Option<Change>,
        state: &HealthState,
        reason: Option<&str>,
    ) -> Vec<Notice> {
        let Some((change, kind)) = change.and_then(|c| Some((c, c.notice?))) else {
            return Vec::new();
        };
        let before = self.claim.memory.health;
        // A recovery tells when the trouble began, everything else since when it is so.
        let since = match change.to {
            FeedHealth::Ok => before.failing_since.unwrap_or(before.since),
            _ => state.failing_since.or(state.quiet_since).unwrap_or(state.since),
        };
        let facts = Facts {
            since: Some(since),
            reason,
            count: Some(u64::from(state.failures)).filter(|count| *count > 0),
            usual_gap: self.rhythm().usual_gap(),
            ..self.about()
        };
        vec![self.notice(kind, &facts)]
    }

    fn about(&self) -> Facts<'_> {
        Facts { url: &self.claim.url, now: Some(self.now), ..Facts::default() }
    }

    fn notice(&self, kind: NoticeKind, facts: &Facts<'_>) -> Notice {
        let Sentence { subject, text } = health::sentence(kind, self.feed.name.as_str(), facts);
        Notice { kind, feed: self.feed.name.clone(), subject, text, at: self.now }
    }

    /// Jitter that differs from feed to feed and from poll to poll, and is the
    /// same when a poll is computed again.
    fn seed(&self) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.claim.name.as_str());
        hasher.update(self.now.as_second().to_le_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hasher.finalize()[..8]);
        u64::from_le_bytes(bytes)
    }
}

/// The dates that a visit's new entries claim.
fn new_dates<'a>(
    visit: &'a Visit,
    report: &'a CommitReport,
) -> impl Iterator<Item = Option<Timestamp>> + 'a {
    let outcomes = visit.entries.iter().zip(&report.entries);
    outcomes
        .filter(|(_, outcome)| outcome.newness == Newness::New)
        .map(|((entry, _), _)| entry.published.or(entry.updated))
}
