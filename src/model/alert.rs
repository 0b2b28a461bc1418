//! The decision to tell somebody something, and how that goes.

use jiff::Timestamp;

use super::{
    AlertId, ChannelName, Content, DeliveryId, EntryId, Role, RuleName, Span, StoryId, UpdateId,
};

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

/// What of a story that was told is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnUpdate {
    /// Nothing: one alert for each story.
    #[default]
    Never,
    /// That more independent sources have it.
    Sources,
    /// What changes it: a number, a correction, a headline, a withdrawal.
    Material,
    /// Both.
    All,
}

impl OnUpdate {
    /// The words used in configuration, in the order of [`OnUpdate`].
    pub const WORDS: [&'static str; 4] = ["never", "sources", "material", "all"];

    /// Reads one of [`OnUpdate::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Never, Self::Sources, Self::Material, Self::All];
        Self::WORDS.into_iter().zip(all).find(|(name, _)| *name == word).map(|(_, found)| found)
    }

    /// Whether further sources are told of.
    pub fn sources(self) -> bool {
        matches!(self, Self::Sources | Self::All)
    }

    /// Whether changes are told of.
    pub fn material(self) -> bool {
        matches!(self, Self::Material | Self::All)
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
    /// Waits until enough independent sources have the story.
    FewSources,
}

impl AlertState {
    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Baseline => "baseline",
            Self::MassChange => "mass-change",
            Self::OldNews => "old-news",
            Self::FewSources => "few-sources",
        }
    }

    /// Reads [`AlertState::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Raised, Self::Baseline, Self::MassChange, Self::OldNews, Self::FewSources];
        all.into_iter().find(|state| state.as_str() == word)
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
    /// Independent sources of the story when it was raised; 1 where no rule
    /// asks.
    pub sources: u32,
    /// Who is to be told.
    pub deliveries: Vec<PlannedDelivery>,
}

/// What is new of a story that was told, and is told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedUpdate {
    /// The same for the same alert and news, always.
    pub id: UpdateId,
    /// The alert that it follows.
    pub alert: AlertId,
    /// That alert's rule.
    pub rule: RuleName,
    /// `sources`, `number`, `correction`, `withdrawn` or `headline`.
    pub kind: &'static str,
    /// What is new, for people.
    pub text: String,
    /// The entry that made the difference.
    pub entry: EntryId,
    /// Who is to be told.
    pub deliveries: Vec<PlannedDelivery>,
}

/// What another telling, or a revision, does to a match of its story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The match waited for more sources; now it is told.
    Raise(PlannedAlert),
    /// An alert is followed up.
    Tell(PlannedUpdate),
}

/// What a story's telling did to a rule that the story had matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrades {
    /// To be told.
    pub told: Vec<Upgrade>,
    /// Alerts for which so many sources now count as told of.
    pub counted: Vec<(AlertId, u32)>,
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
    /// What it is for.
    pub role: Role,
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
    /// What the delivery is for.
    pub role: Role,
    /// What is new, if this follows an alert that was told.
    pub update: Option<UpdateContent>,
}

/// What is new of a story that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateContent {
    /// Its id.
    pub id: UpdateId,
    /// See [`PlannedUpdate::kind`].
    pub kind: String,
    /// For people.
    pub text: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Independent sources of the story then.
    pub sources: u32,
    /// Headline of the entry that made the difference.
    pub title: String,
    /// Its page.
    pub url: Option<String>,
    /// Whose it is.
    pub outlet: String,
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
    /// Not told, for a reason that is kept.
    Suppressed,
    /// Told by a digest.
    Gathered,
}

impl DeliveryState {
    /// Every state there is.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Sent, Self::Failed, Self::Suppressed, Self::Gathered];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Gathered => "gathered",
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
    /// It does not let us in: a person must mend the set-up, and all else that
    /// waits for it would fare no better meanwhile.
    Unknown(String),
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
