//! Did the feed itself change? When most of a known feed looks new at once, it
//! got new software, another address or its archive back: what looks old is
//! held back, and only then. A single entry is never held for its date.

use jiff::SignedDuration;

use crate::model::{EntryKeys, FeedPast, Identity};

/// Entries below which a document says nothing about its feed.
const ENTRIES: usize = 5;
/// Old-looking entries below which nothing is held.
const OLD: usize = 3;
/// A claimed date may be late or in another zone by so much and the entry
/// still count as later than the last document.
const SLACK: SignedDuration = SignedDuration::from_hours(6);
/// Dates before 1995 are no dates: feeds did not exist.
const FIRST_SANE_SECOND: i64 = 788_918_400;

/// Whether three in five entries look new to a feed that is known.
pub(super) fn is_suspicious(identities: &[Identity], past: &FeedPast) -> bool {
    past.baselined
        && identities.len() >= ENTRIES
        && new_ones(identities) * 5 >= identities.len() * 3
}

/// Which entries of a suspicious document are old ones in new clothes; none
/// if time explains what looks new. `titles` says whose title the feed had.
///
/// The claimed date counts only if it lies before the feed's last document and
/// is not later than all dates the feed had.
/// Without a date, and with a title that the feed never had, an entry is new.
pub fn old_in_new_clothes(
    keys: &[EntryKeys],
    identities: &[Identity],
    titles: &[bool],
    past: &FeedPast,
) -> Vec<bool> {
    let is_new = |at: usize| matches!(identities.get(at), Some(Identity::New(_)));
    let again = |at: usize| is_new(at) && titles.get(at) == Some(&true);
    let held: Vec<bool> = (0..keys.len())
        .map(|at| is_new(at) && (again(at) || is_dated_before(&keys[at], past)))
        .collect();
    let new = new_ones(identities);
    let old = held.iter().filter(|held| **held).count();
    let again = (0..keys.len()).filter(|at| again(*at)).count();
    // Equal titles are stronger evidence than dates, which feeds get wrong.
    // Dates alone count where nearly all agree: front pages bring up old items.
    let changed = old >= OLD && (old * 5 >= new * 4 || (again >= OLD && again * 4 >= new));
    if changed { held } else { vec![false; keys.len()] }
}

/// Which entries were on the feed from the first, although only its second
/// document shows them because the first broke off. `keys` are in order of
/// telling, the oldest first.
///
/// Those that stand below what the first document showed; without anything
/// known, all. An entry that is dated after the first document is new.
pub fn rest_of_the_first(
    keys: &[EntryKeys],
    identities: &[Identity],
    past: &FeedPast,
) -> Vec<bool> {
    let is_new = |identity: &Identity| matches!(identity, Identity::New(_));
    let top = identities.iter().rposition(|identity| !is_new(identity)).unwrap_or(keys.len());
    let later = |keys: &EntryKeys| {
        keys.published.zip(past.last_document).is_some_and(|(published, last)| published > last)
    };
    let was_there = |(at, (keys, identity)): (usize, (&EntryKeys, &Identity))| {
        past.unfinished && at < top && is_new(identity) && !later(keys)
    };
    keys.iter().zip(identities).enumerate().map(was_there).collect()
}

fn new_ones(identities: &[Identity]) -> usize {
    identities.iter().filter(|identity| matches!(identity, Identity::New(_))).count()
}

/// Whether an entry claims to be older than the last document, and than the
/// newest entry the feed had: the last document may have come from a stale
/// cache, and what is newer than all that was seen is news.
fn is_dated_before(keys: &EntryKeys, past: &FeedPast) -> bool {
    let Some((published, last)) = keys.published.zip(past.last_document) else { return false };
    let before = last.checked_sub(SLACK).unwrap_or(last);
    published.as_second() >= FIRST_SANE_SECOND
        && published < before
        && past.newest_date.is_none_or(|newest| published < newest)
}
