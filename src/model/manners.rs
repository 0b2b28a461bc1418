//! How a way out wants to be treated by those who use it.

/// When a delivery is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// HTTP receivers, programs and files: about three days (Standard
    /// Webhooks' schedule).
    Webhook,
    /// SMTP: quick at first, then hourly, five days in all.
    Email,
    /// The terminal: every few seconds, for an hour.
    Console,
}

/// What a channel asks of the loop that feeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// When a delivery that failed is tried again.
    pub retry: RetryPolicy,
    /// Deliveries under way at the same time; order is kept where it is one.
    pub at_once: usize,
}

impl Manners {
    /// One at a time, in order.
    pub const fn in_order(retry: RetryPolicy) -> Self {
        Self { retry, at_once: 1 }
    }
}
