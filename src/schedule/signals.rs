//! When is a feed that did well visited again? Its own interval, unless the
//! server or the document asks for more patience.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::jitter::{MAX_SERVER_WAIT, later, mixed, stretched};
use crate::model::{FeedHints, ServerHints};

const HOUR_MILLIS: i64 = 3_600_000;
/// All hours of a day, as bits.
const ALL_HOURS: u32 = (1 << 24) - 1;
/// All days of a week, as bits.
const ALL_DAYS: u8 = (1 << 7) - 1;

/// What the server and the document ask for. A wish is a floor: it makes the
/// next poll later, never sooner.
#[derive(Clone, Copy, Debug)]
pub struct Wishes<'a> {
    /// From the answer's header.
    pub server: &'a ServerHints,
    /// From the last document that was read; a 304 does not change it.
    pub feed: &'a FeedHints,
    /// The user's word that only `Retry-After` counts.
    pub ignore_hints: bool,
}

/// The next poll after one that went well: the interval and up to 10 % more,
/// or what the wishes say if that is later, at most 31 days ahead. An interval
/// of more than 31 days is kept.
///
/// Wishes that are zero or negative say nothing; those beyond 31 days count as
/// 31 days. The result is moved out of `skipHours` and `skipDays`, which are
/// ignored when they leave no hour or no day at all.
pub fn after_success(
    now: Timestamp,
    interval: SignedDuration,
    wishes: &Wishes,
    seed: u64,
) -> Timestamp {
    let own = stretched(interval, 100, 110, seed);
    let latest = later(now, own.max(MAX_SERVER_WAIT));
    let mut wait = own.max(capped(wishes.server.retry_after));
    if wishes.ignore_hints {
        return later(now, wait);
    }
    wait = wait.max(capped(wishes.server.fresh_for)).max(capped(wishes.feed.ttl));
    let next = later(now, wait).max(next_update(now, wishes.feed, seed));
    outside_skips(next, wishes.feed, seed).min(latest)
}

fn capped(wish: Option<SignedDuration>) -> SignedDuration {
    wish.unwrap_or_default().clamp(SignedDuration::ZERO, MAX_SERVER_WAIT)
}

/// The document's next update by its own schedule (`sy:*`): a period from now,
/// or with an `updateBase` the next whole period counted from there.
fn next_update(now: Timestamp, feed: &FeedHints, seed: u64) -> Timestamp {
    let period = capped(feed.update_period);
    if period.is_zero() {
        return now;
    }
    let Some(base) = feed.update_base else { return later(now, period) };
    let millis = period.as_millis();
    let since_base = now.duration_since(base).as_millis();
    let until = millis - since_base.rem_euclid(millis.max(1));
    // The publisher is seldom done on the second, and everybody else comes then.
    // One per cent keeps two visits a period apart.
    let delay = i128::from(mixed(seed) % 11) * millis / 1_000;
    later(now, SignedDuration::from_millis(i64::try_from(until + delay).unwrap_or(i64::MAX)))
}

/// The first time from `next` on whose hour and day (UTC) are not to be
/// skipped; up to six minutes into it, so that not everybody comes at once.
fn outside_skips(next: Timestamp, feed: &FeedHints, seed: u64) -> Timestamp {
    let hours = feed.skip_hours & ALL_HOURS;
    let days = feed.skip_days & ALL_DAYS;
    let hours = if hours == ALL_HOURS { 0 } else { hours };
    let days = if days == ALL_DAYS { 0 } else { days };
    let skipped = |at: Timestamp| {
        let at = TimeZone::UTC.to_datetime(at);
        let day = at.weekday().to_monday_zero_offset();
        hours >> at.hour() & 1 == 1 || days >> day & 1 == 1
    };
    if !skipped(next) {
        return next;
    }
    let into_hour = next.as_millisecond().rem_euclid(HOUR_MILLIS);
    let mut at = later(next, SignedDuration::from_millis(HOUR_MILLIS - into_hour));
    // One hour of one day is free, so that a week always ends the search.
    for _ in 0..24 * 7 {
        if !skipped(at) {
            break;
        }
        at = later(at, SignedDuration::from_hours(1));
    }
    later(at, SignedDuration::from_millis(i64::from(mixed(seed) as u32) % (HOUR_MILLIS / 10)))
}
