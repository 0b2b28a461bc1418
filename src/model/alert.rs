//! The decision to tell somebody something, and how that goes.

use jiff::Timestamp;

use super::{AlertId, ChannelName, Content, DeliveryId, RuleName, Span, StoryId};

/// How urgent a rule's alerts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Severity {
    /// For the record.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Wants eyes soon.
    High,
}

impl Severity {
    /// The word used in configuration, output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// Reads [`Severity::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Low, Self::Normal, Self::High].into_iter().find(|s| s.as_str() == word)
    }
}

/// Why what an entry would tell is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It stood in the feed's first document.
    Baseline,
    /// Most of the feed looked new at once, and this entry old.
    MassChange,
}

/// What became of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// An alert was raised.
    Raised,
    /// Held back: the entry was part of a feed's first poll.
    Baseline,
    /// Held back for [`Hold::MassChange`].
    MassChange,
    /// Held back: a revision of an old entry, whose earlier text already matched.
    OldNews,
}

impl AlertState {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Baseline => "baseline",
            Self::MassChange => "mass-change",
            Self::OldNews => "old-news",
        }
    }
}

/// An alert that was decided and is to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAlert {
    /// The same for the same rule and story, always.
    pub id: AlertId,
    /// The rule that matched.
    pub rule: RuleName,
    /// The rule's name for people.
    pub rule_title: String,
    /// Severity of the rule when it matched.
    pub severity: Severity,
    /// Who is to be told.
    pub deliveries: Vec<PlannedDelivery>,
}

/// One recipient of a planned alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedDelivery {
    /// The same for the same alert, channel and recipient, always.
    pub id: DeliveryId,
    /// The channel.
    pub channel: ChannelName,
    /// An address where the channel has several, else empty.
    pub recipient: String,
    /// Not to be sent before.
    pub due_at: Timestamp,
}

/// A stored alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Public id.
    pub id: AlertId,
    /// The rule's key.
    pub rule: RuleName,
    /// The story it tells of.
    pub story: StoryId,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// An outlet that carries a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// The feed's key.
    pub feed: String,
    /// The outlet's name for people.
    pub name: String,
    /// Its own page on the story.
    pub url: Option<String>,
    /// When the outlet claims to have published it.
    pub published: Option<Timestamp>,
    /// When we first saw it there.
    pub first_seen: Timestamp,
}

/// All that a message about an alert may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertContent {
    /// The alert's id.
    pub alert: AlertId,
    /// The rule's key.
    pub rule: RuleName,
    /// The rule's name for people.
    pub rule_title: String,
    /// Severity.
    pub severity: Severity,
    /// The story's id.
    pub story: StoryId,
    /// Headline of the entry that matched.
    pub title: String,
    /// Body of the entry that matched.
    pub text: String,
    /// Link of the entry that matched.
    pub url: Option<String>,
    /// When that entry was published, as claimed.
    pub published: Option<Timestamp>,
    /// When the alert was decided.
    pub created_at: Timestamp,
    /// Evidence in that entry.
    pub spans: Vec<Span>,
    /// Whether the match hangs on capitals in a headline that has nothing
    /// else.
    pub capitals_only: bool,
    /// Who carries the story, in the order we saw them.
    pub outlets: Vec<Outlet>,
}

/// An alert on its way to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Public id, constant over attempts.
    pub id: DeliveryId,
    /// The channel.
    pub channel: ChannelName,
    /// An address, or empty.
    pub recipient: String,
    /// Attempts made before this one.
    pub attempts: u32,
    /// When the delivery was decided.
    pub created_at: Timestamp,
    /// What to tell; frozen at the first attempt.
    pub content: Content,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent, now or later.
    Waiting,
    /// Accepted by the receiver.
    Sent,
    /// Given up; kept, and may be retried by command.
    Failed,
}

impl DeliveryState {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// What a channel says of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver accepted it; its answer in short.
    Sent(String),
    /// Try again, not before `not_before` if the receiver named a time.
    TryAgain {
        /// Why, for people.
        reason: String,
        /// The receiver's own wish.
        not_before: Option<Timestamp>,
    },
    /// The receiver understood and declined: a few more tries, then give up.
    Refused(String),
    /// Trying again cannot help.
    GiveUp(String),
}

/// One try, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What the channel said.
    pub outcome: Outcome,
}
