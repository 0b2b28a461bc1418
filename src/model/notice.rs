//! What operators are told of the feeds and of wirewatch itself: not news, but
//! whether news can still arrive.

use jiff::Timestamp;

use super::{AlertContent, FeedName, Severity};

/// What happened to a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Its documents became broken; complete entries are still read.
    Degraded,
    /// It has failed for some time.
    Down,
    /// A bot check stands before it.
    Challenged,
    /// It answers, but brings nothing for much longer than it used to.
    Silent,
    /// 410: it is not polled any more.
    Gone,
    /// It does well again.
    Recovered,
    /// Most of it looked new at once; what looked old was held back.
    MassChange,
    /// Its GUIDs change with every fetch and are not used any more.
    RandomGuids,
    /// Entries may have come and gone between two fetches.
    Gap,
    /// It moved for good, and is polled at its new address.
    Moved,
    /// No feed of a host can be read; the host's name stands for the feed.
    HostDown,
    /// A feed of that host was read again.
    HostUp,
    /// A channel's deliveries have waited for long.
    DeliveryStalled,
    /// They go out again.
    DeliveryResumed,
    /// Deliveries of a channel were given up.
    DeadLetter,
    /// A rule raises very many alerts.
    NoisyRule,
    /// There is little room where the database is.
    DiskLow,
    /// The database has faults.
    DatabaseDamaged,
    /// All is alive.
    Heartbeat,
}

/// What a notice names where most name their feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeAbout {
    /// A feed, or the host of several.
    Feed,
    /// A channel.
    Channel,
    /// A rule.
    Rule,
    /// wirewatch itself.
    Daemon,
}

impl NoticeKind {
    /// Every kind there is.
    pub const ALL: [Self; 19] = [
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
        Self::HostDown,
        Self::HostUp,
        Self::DeliveryStalled,
        Self::DeliveryResumed,
        Self::DeadLetter,
        Self::NoisyRule,
        Self::DiskLow,
        Self::DatabaseDamaged,
        Self::Heartbeat,
    ];

    /// The word used in configuration, output and store.
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
            Self::HostDown => "host-down",
            Self::HostUp => "host-up",
            Self::DeliveryStalled => "delivery-stalled",
            Self::DeliveryResumed => "delivery-resumed",
            Self::DeadLetter => "dead-letter",
            Self::NoisyRule => "noisy-rule",
            Self::DiskLow => "disk-low",
            Self::DatabaseDamaged => "database-damaged",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// What a notice of this kind names.
    pub fn about(self) -> NoticeAbout {
        match self {
            Self::DeliveryStalled | Self::DeliveryResumed | Self::DeadLetter => {
                NoticeAbout::Channel
            }
            Self::NoisyRule => NoticeAbout::Rule,
            Self::DiskLow | Self::DatabaseDamaged | Self::Heartbeat => NoticeAbout::Daemon,
            _ => NoticeAbout::Feed,
        }
    }

    /// Reads [`NoticeKind::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How urgent it is: whether news may be missed from now on.
    pub fn severity(self) -> Severity {
        match self {
            Self::Down | Self::Challenged | Self::Gone | Self::Gap => Severity::High,
            Self::HostDown => Severity::High,
            Self::DeliveryStalled | Self::DeadLetter | Self::DiskLow => Severity::High,
            Self::DatabaseDamaged => Severity::High,
            Self::Silent | Self::MassChange | Self::RandomGuids => Severity::Normal,
            Self::NoisyRule => Severity::Normal,
            Self::Degraded | Self::Recovered | Self::Moved => Severity::Low,
            Self::HostUp | Self::DeliveryResumed | Self::Heartbeat => Severity::Low,
        }
    }
}

/// How the deliveries of a channel do, where that is worth a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelFlow {
    /// The channel.
    pub name: String,
    /// Deliveries that have waited for too long.
    pub stalled: i64,
    /// Since when the oldest of them waits, if nothing got through since.
    pub since: Option<Timestamp>,
    /// Deliveries given up since such a notice was last written.
    pub dead: i64,
    /// What a receiver said last.
    pub answer: Option<String>,
}

/// How the feeds of one host do, where several fail or their host was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFlow {
    /// The host.
    pub host: String,
    /// Feeds of it that are polled.
    pub feeds: i64,
    /// Those that began to fail after any of the host's feeds was last read.
    pub failing: i64,
    /// Those that count as down or challenged.
    pub down: i64,
    /// When any of them was last read.
    pub last_success: Option<Timestamp>,
    /// Names of some that fail.
    pub some: Vec<String>,
    /// What went wrong with one of them.
    pub error: Option<String>,
    /// When its last notice said that it is down, if that was the last.
    pub told: Option<Timestamp>,
}

/// Something operators should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// To which feed.
    pub feed: FeedName,
    /// One line.
    pub subject: String,
    /// What happened, what wirewatch does now, what people can do.
    pub text: String,
    /// When it was noticed.
    pub at: Timestamp,
}

/// A message of one or more notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeContent {
    /// Public id of the message.
    pub id: String,
    /// In order of time; never empty.
    pub notices: Vec<Notice>,
    /// When it was put together.
    pub created_at: Timestamp,
}

/// Several alerts that were kept back and are told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestContent {
    /// Public id of the digest.
    pub id: String,
    /// What they were gathered by: `digest`, `quiet`, `storm` or `rule:NAME`.
    pub key: String,
    /// Why they were, for people.
    pub reason: String,
    /// When it was put together.
    pub created_at: Timestamp,
    /// Alerts in it.
    pub total: usize,
    /// The first of them, in order of time.
    pub alerts: Vec<AlertContent>,
}

/// What a delivery carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// News.
    Alert(Box<AlertContent>),
    /// Word about feeds.
    Notices(NoticeContent),
    /// Several alerts at once.
    Digest(Box<DigestContent>),
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
