//! When is something next due? Pure: takes `now`, the past and a seed for
//! jitter, gives a time.

mod backoff;
mod jitter;
mod jump;
mod retry;
mod rhythm;
mod signals;
mod spread;

pub use backoff::{after_failure, host_pause};
pub use jump::{Moment, at_start, clock_jump, paused, shifted};
pub use retry::{FailedTry, next_try};
pub use rhythm::{Rhythm, full_fetch_due, interval};
pub use signals::{Wishes, after_success};
pub use spread::{Overdue, first_poll, phase, rescheduled, spread_overdue, spread_overdue_feeds};
