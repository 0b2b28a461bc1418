//! Where the time comes from. Loops read it; everything else takes `now`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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

    /// Time since some moment in the past that nobody sets, suspend included:
    /// what the time now is compared with, to notice that it was set. A
    /// virtual clock is never set, only moved on.
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::System => {
                let elapsed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                Duration::new(
                    elapsed.tv_sec.unsigned_abs(),
                    u32::try_from(elapsed.tv_nsec).unwrap_or(0),
                )
            }
            Self::Virtual(millis) => {
                Duration::from_millis(millis.load(Ordering::SeqCst).unsigned_abs())
            }
        }
    }

    /// Time since some moment in the past that nobody sets, without the time
    /// the machine slept: what loops are alive by. As `CLOCK_MONOTONIC`, which
    /// systemd's watchdog goes by too.
    pub fn awake(&self) -> Duration {
        match self {
            Self::System => {
                let awake = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                Duration::new(
                    awake.tv_sec.unsigned_abs(),
                    u32::try_from(awake.tv_nsec).unwrap_or(0),
                )
            }
            Self::Virtual(_) => self.elapsed(),
        }
    }

    /// Moves a virtual clock; the system's clock is left alone.
    pub fn set(&self, to: Timestamp) {
        if let Self::Virtual(millis) = self {
            millis.store(to.as_millisecond(), Ordering::SeqCst);
        }
    }
}
