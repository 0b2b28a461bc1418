//! How does a feed do, how does wirewatch, and when are people told? Pure: takes the state, what
//! the last visit saw and `now`, and gives the next state.
//!
//! Nothing here stops polling; only a 410 does, in `schedule`.

mod host;
mod sentence;
mod state;
mod system;
#[cfg(test)]
mod tests;

pub use host::host_notices;
pub use sentence::{Facts, Sentence, sentence};
pub use state::{Change, Seen, step};
pub use system::{AllQuiet, NOISY, STALLED, SystemFacts, damaged, heartbeat, system_notices};
