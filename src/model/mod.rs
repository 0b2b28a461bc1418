//! The nouns: what the stages hand to each other. No behaviour beyond keeping
//! themselves valid, and no knowledge of SQL, JSON or TOML.

mod alert;
mod clock;
mod document;
mod entry;
mod feed;
mod health;
mod hints;
mod identity;
mod ids;
mod manners;
mod matching;
mod notice;
mod page;
mod push;
mod routing;
mod secret;
mod story;
mod veil;
mod visit;

pub use alert::{
    Alert, AlertContent, AlertState, Attempt, Delivery, DeliveryState, Hold, OnUpdate, Outcome,
    Outlet, PlannedAlert, PlannedDelivery, PlannedUpdate, Severity, UpdateContent, Upgrade,
    Upgrades,
};
pub use clock::Clock;
pub use document::Document;
pub use entry::{Backfill, Entry, EntryKeys, Key, Mark, Source};
pub use feed::{Auth, Feed, FeedHealth, Interval, RequestOptions, Validators, VisitFailure};
pub use health::{HealthState, HealthWarning};
pub use hints::{Decoding, FeedHints, ServerHints};
pub use identity::{
    FeedPast, Guids, Identity, KnownByKey, KnownEntry, MassChange, Newness, Recognised, Telling,
};
pub use ids::{AlertId, ChannelName, DeliveryId, EntryId, FeedName, RuleName, StoryId, UpdateId};
pub use manners::{Manners, RetryPolicy};
pub use matching::{Field, Match, Span};
pub use notice::{
    ChannelFlow, Content, DigestContent, HostFlow, Notice, NoticeAbout, NoticeContent, NoticeKind,
};
pub use page::{
    ClaimedPage, Fulltext, PageBudget, PageRow, ReadPage, UnreadPage, WantedPage, whole_text,
};
pub use push::{
    Callback, CallbackRole, Delivered, HubAnswer, HubPlace, HubQuestion, HubSeen, PushProtocol,
    Receipt, Subscription, SubscriptionDue, SubscriptionState,
};
pub use routing::{Due, Role, Route, Silence};
pub use secret::Secret;
pub use story::{
    Joined, MemoryPosition, PastMatch, StoredMemory, StoredTelling, StoriesByKey, StoryCandidate,
    StoryChoice, StoryRef, Teller,
};
pub use veil::{Veil, secret_parts, shown};
pub use visit::{DocumentFacts, FeedAfter, FeedMemory, Gap, Move, Scope, Sighting};
