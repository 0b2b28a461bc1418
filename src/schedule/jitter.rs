//! Jitter and other small matters of time that the rules share.

use jiff::{SignedDuration, Timestamp};

/// Longest wait that a server may ask for.
pub(super) const MAX_SERVER_WAIT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The duration times `from` to `to` per cent, by the seed.
pub(super) fn stretched(duration: SignedDuration, from: u64, to: u64, seed: u64) -> SignedDuration {
    let promille = from * 10 + mixed(seed) % ((to - from) * 10 + 1);
    let millis = duration.as_millis() * i128::from(promille) / 1_000;
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// SplitMix64's finisher: one multiplication-xor chain is enough to spread polls.
pub(super) fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn later(from: Timestamp, wait: SignedDuration) -> Timestamp {
    from.checked_add(wait).unwrap_or(Timestamp::MAX)
}
