//! Where the time comes from. Loops read it; everything else takes `now`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The system's clock, or one that a test or a replay moves by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's real-time clock.
    System,
    /// Milliseconds since the Unix epoch, set from outside.
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is set.
    pub fn at(start: Timestamp) -> Self {
        Self::Virtual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The time now, to the millisecond.
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Self::System => Timestamp::now().as_millisecond(),
            Self::Virtual(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a virtual clock; the system's clock is left alone.
    pub fn set(&self, to: Timestamp) {
        if let Self::Virtual(millis) = self {
            millis.store(to.as_millisecond(), Ordering::SeqCst);
        }
    }
}
