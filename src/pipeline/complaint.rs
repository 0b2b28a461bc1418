//! The same trouble over and over is told once a minute: a full disk shall not
//! fill the log, too.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// When it was last told.
#[derive(Debug, Default)]
pub struct Complaint {
    told: Option<Instant>,
}

impl Complaint {
    /// Whether it is to be told now; counts as told then.
    pub fn is_due(&mut self) -> bool {
        let is_due = self.told.is_none_or(|told| told.elapsed() >= EVERY);
        if is_due {
            self.told = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_then_not_for_a_while() {
        let mut complaint = Complaint::default();
        assert!(complaint.is_due());
        assert!(!complaint.is_due());
        complaint.told = Instant::now().checked_sub(EVERY);
        assert!(complaint.is_due());
    }
}
