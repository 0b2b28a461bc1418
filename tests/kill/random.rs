//! Random choices that a seed repeats.

use std::env;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// SplitMix64: small, and good enough to choose delays and faults.
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each part of the test, so that the choices of one do not depend on
    /// how often another has chosen.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(seed ^ stream.wrapping_mul(0xa076_1d64_78bd_642f))
    }

    /// A number from 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// One of these.
    pub(crate) fn choose<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// The seed given in the environment, or else a new one.
pub(crate) fn seed() -> u64 {
    match env::var("WIREWATCH_SEED") {
        Ok(seed) => seed.parse().expect("WIREWATCH_SEED is a number"),
        // The standard library has no other source of randomness. Short, to be typed again.
        Err(_) => RandomState::new().build_hasher().finish() % 1_000_000,
    }
}
