//! Names and ids as types, so that a rule's name cannot be passed for a feed's.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text that is already known to be such a name or id.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text as it stands in configuration, store and output.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The key of a `[feed.NAME]` table.
    FeedName
);
text_id!(
    /// The key of a `[rule.NAME]` table.
    RuleName
);
text_id!(
    /// The key of a `[channel.NAME.KIND]` table.
    ChannelName
);
text_id!(
    /// A story's public id: `s` and 16 hexadecimal digits, derived from the
    /// first entry that told it, so the same input gives the same id.
    StoryId
);
text_id!(
    /// An alert's public id: `a` and 16 hexadecimal digits, derived from rule
    /// and story.
    AlertId
);
text_id!(
    /// The public id of news that follow an alert: `u` and 16 hexadecimal
    /// digits, derived from the alert and what is new.
    UpdateId
);
text_id!(
    /// A delivery's public id: `d` and 32 hexadecimal digits, derived from
    /// alert, channel and recipient. It is the webhook's `webhook-id` and the
    /// mail's Message-ID, the same at every attempt.
    DeliveryId
);

/// The store's row number of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub i64);
