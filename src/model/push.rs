//! News that a hub brings (WebSub) or a cloud tells of (rssCloud): what a feed
//! names, what is asked and answered, and how a subscription stands.

use jiff::{SignedDuration, Timestamp};

use super::{FeedName, Secret};

/// How a hub is asked, and what it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PushProtocol {
    /// WebSub: a hub brings signed documents.
    #[default]
    WebSub,
    /// rssCloud: a cloud says that there is something new, and not what.
    RssCloud,
}

impl PushProtocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::WebSub, Self::RssCloud];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSub => "websub",
            Self::RssCloud => "rsscloud",
        }
    }

    /// Reads [`PushProtocol::as_str`] back; anything else is `WebSub`.
    pub fn from_word(word: &str) -> Self {
        if word == Self::RssCloud.as_str() { Self::RssCloud } else { Self::WebSub }
    }
}

/// Where a feed's news can be had by subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubPlace {
    /// How.
    pub protocol: PushProtocol,
    /// What to subscribe to: the feed's own word on its address.
    pub topic: String,
    /// Who may be asked for it; never empty.
    pub hubs: Vec<String>,
}

/// What a visit saw of a feed's hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HubSeen {
    /// It tells nothing of that.
    #[default]
    Unknown,
    /// An earlier document named it: counts where nothing is known.
    Remembered(HubPlace),
    /// The document names it.
    Named(HubPlace),
    /// The document names none, or none is wanted.
    Nowhere,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SubscriptionState {
    /// To be asked for.
    #[default]
    Wanted,
    /// Asked for; the hub has not asked back yet.
    Pending,
    /// The hub confirmed it and its lease runs.
    Active,
    /// The hub said no.
    Denied,
    /// Asked for several times in vain; it is tried again, seldom.
    Failed,
}

impl SubscriptionState {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Wanted, Self::Pending, Self::Active, Self::Denied, Self::Failed];

    /// The word used in output and store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// Reads [`SubscriptionState::as_str`] back; anything else is `Wanted`.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Wanted)
    }
}

/// The part that an address given to a hub plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackRole {
    /// The hub was asked to use it and has not confirmed.
    Asked,
    /// In use.
    Held,
    /// Replaced, or not wanted any more.
    Retired,
}

impl CallbackRole {
    /// The word used in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Held => "held",
            Self::Retired => "retired",
        }
    }

    /// Reads [`CallbackRole::as_str`] back; anything else is `Retired`.
    pub fn from_word(word: &str) -> Self {
        [Self::Asked, Self::Held].into_iter().find(|r| r.as_str() == word).unwrap_or(Self::Retired)
    }
}

/// An address that was given to a hub, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// What is spoken there.
    pub protocol: PushProtocol,
    /// SHA-256 of the token in it.
    pub key: [u8; 32],
    /// The address as the hub knows it.
    pub url: Secret,
    /// The feed's row.
    pub feed: i64,
    /// The feed's name.
    pub name: FeedName,
    /// Its part.
    pub role: CallbackRole,
    /// The hub that was given it.
    pub hub: String,
    /// What was subscribed to.
    pub topic: String,
    /// What the hub signs with; none if the way to it is not secret.
    pub secret: Option<Secret>,
    /// Since when it has this part.
    pub since: Timestamp,
}

/// What is asked at a callback (WebSub section 5.3). Nothing of it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubQuestion {
    /// `hub.mode`; empty in the question of a cloud.
    pub mode: String,
    /// `hub.topic`; a cloud says `url`.
    pub topic: String,
    /// `hub.challenge`; a cloud says `challenge`.
    pub challenge: String,
    /// `hub.lease_seconds`.
    pub lease_seconds: Option<String>,
    /// `hub.reason` of a denial.
    pub reason: Option<String>,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubAnswer {
    /// Yes: the challenge, exactly.
    Echo(String),
    /// Noted; there is nothing to repeat.
    Noted,
    /// A challenge that is none.
    BadChallenge,
    /// Not asked for.
    Unknown,
    /// The database cannot keep it: ask again.
    NotNow,
}

/// What a hub brings to a callback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// `X-Hub-Signature`, each line of it.
    pub signatures: Vec<Vec<u8>>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The document.
    pub body: Vec<u8>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on the disk, or it says nothing that is believed: the hub has
    /// done its part.
    Taken,
    /// The callback is not in use any more.
    Gone,
    /// There is no such callback.
    Unknown,
    /// Too much waits already, or the disk does not take it: bring it again.
    NotNow,
}

/// How pushing does for one feed, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The feed.
    pub feed: FeedName,
    /// Whether a hub brings its news or a cloud tells of it.
    pub protocol: PushProtocol,
    /// How it stands.
    pub state: SubscriptionState,
    /// What is subscribed to.
    pub topic: String,
    /// Where.
    pub hub: String,
    /// When the hub ends it by itself.
    pub lease_until: Option<Timestamp>,
    /// When the hub is asked next.
    pub next_try: Option<Timestamp>,
    /// The last document that came.
    pub last_push: Option<Timestamp>,
    /// Documents taken in since it last began; of a cloud, pings.
    pub pushes: u64,
    /// It missed something: the feed is polled as ever until then.
    pub distrust_until: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A subscription that is due to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionDue {
    /// The feed's row.
    pub feed: i64,
    /// The feed.
    pub name: FeedName,
    /// How the hub is asked.
    pub protocol: PushProtocol,
    /// What to subscribe to.
    pub topic: String,
    /// The hub to ask now.
    pub hub: String,
    /// Times it was asked since it last confirmed.
    pub attempts: u32,
    /// What is left of the lease, if there is one.
    pub left: Option<SignedDuration>,
}
