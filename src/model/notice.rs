//! What operators are told of feeds, apart from alerts.

use super::Severity;

/// Why operators are told of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Its documents are broken, and used not to be.
    Degraded,
    /// It could not be read for some time.
    Down,
    /// Its server wants to see a browser or a person.
    Challenged,
    /// It brings nothing for much longer than it used to.
    Silent,
    /// The server said 410.
    Gone,
    /// It does well again, after operators had been told that it did not.
    Recovered,
    /// Most of what it shows looked new at once, and was not alerted.
    MassChange,
    /// Its GUIDs are new at every fetch, and are no longer believed.
    RandomGuids,
    /// Entries may have come and gone between two visits.
    Gap,
    /// It lives at another address now.
    Moved,
}

impl NoticeKind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Degraded,
        Self::Down,
        Self::Challenged,
        Self::Silent,
        Self::Gone,
        Self::Recovered,
        Self::MassChange,
        Self::RandomGuids,
        Self::Gap,
        Self::Moved,
    ];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Challenged => "challenged",
            Self::Silent => "silent",
            Self::Gone => "gone",
            Self::Recovered => "recovered",
            Self::MassChange => "mass-change",
            Self::RandomGuids => "random-guids",
            Self::Gap => "gap",
            Self::Moved => "moved",
        }
    }

    /// Reads [`NoticeKind::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// High where news are being missed now, low where nobody needs to act.
    pub fn severity(self) -> Severity {
        match self {
            Self::Down | Self::Challenged | Self::Gone | Self::Gap => Severity::High,
            Self::Silent | Self::MassChange | Self::RandomGuids => Severity::Normal,
            Self::Degraded | Self::Recovered | Self::Moved => Severity::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(NoticeKind::from_word("fine"), None);
    }
}
