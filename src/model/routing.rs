//! What stands between a decided alert and the try to deliver it.

use jiff::Timestamp;

use super::{AlertId, ChannelName, FeedName, RuleName, Severity, StoryId};

/// What a delivery is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Role {
    /// It tells an alert.
    #[default]
    Alert,
    /// It tells what is new of a story that was told.
    Update,
    /// It tells an alert again, because nobody acknowledged it.
    Repeat,
    /// It tells others, because nobody acknowledged it.
    Escalation,
    /// It tells an alert again, because somebody asked for that.
    Reminder,
    /// It tells several alerts at once.
    Digest,
    /// It tells of wirewatch itself.
    Notice,
}

impl Role {
    const ALL: [Self; 7] = [
        Self::Alert,
        Self::Update,
        Self::Repeat,
        Self::Escalation,
        Self::Reminder,
        Self::Digest,
        Self::Notice,
    ];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Update => "update",
            Self::Repeat => "repeat",
            Self::Escalation => "escalation",
            Self::Reminder => "reminder",
            Self::Digest => "digest",
            Self::Notice => "notice",
        }
    }

    /// Reads [`Role::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether it is needless once somebody acknowledged the alert.
    pub fn ends_with_acknowledgement(self) -> bool {
        matches!(self, Self::Repeat | Self::Escalation | Self::Reminder)
    }
}

/// A time in which nobody is told of some alerts. All that is named must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its public id: `x` and 16 hexadecimal digits.
    pub id: String,
    /// Only alerts of this rule.
    pub rule: Option<String>,
    /// Only alerts of this story.
    pub story: Option<String>,
    /// Only what this feed brought.
    pub feed: Option<String>,
    /// Only on this channel.
    pub channel: Option<String>,
    /// From when on.
    pub since: Timestamp,
    /// Until when; for ever without.
    pub until: Option<Timestamp>,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// A delivery that is due and was not tried yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its channel.
    pub channel: ChannelName,
    /// Its address, or empty.
    pub recipient: String,
    /// The alert's rule.
    pub rule: RuleName,
    /// How urgent.
    pub severity: Severity,
    /// What it is for.
    pub role: Role,
    /// The story.
    pub story: StoryId,
    /// The alert.
    pub alert: AlertId,
    /// The feed whose entry matched.
    pub feed: FeedName,
    /// For which digest it was kept back until now.
    pub gathered: Option<String>,
    /// Its wait was cut short, because the policy may be another: it is
    /// decided about as if it were new.
    pub released: bool,
    /// Who acknowledged the alert.
    pub acknowledged: Option<String>,
    /// Until when somebody does not want to hear of it.
    pub snoozed: Option<Timestamp>,
    /// When this receiver was first told each of the last things, as many as
    /// the budget allows, the oldest first.
    pub told: Vec<Timestamp>,
    /// When this receiver was last told of the rule.
    pub told_of_rule: Option<Timestamp>,
    /// A repeat of which a later one is due, or that comes before its alert.
    pub superseded: bool,
}

/// What becomes of a delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// It goes out.
    Send,
    /// It goes out later, by itself.
    Hold {
        /// Not before.
        until: Timestamp,
        /// Why, for people.
        reason: String,
    },
    /// It goes out later, with all that is kept back under the same key.
    Gather {
        /// When.
        at: Timestamp,
        /// What it is gathered with.
        key: String,
        /// Why, for people.
        reason: String,
    },
    /// It does not go out.
    Suppress(String),
}
