//! What a hub's question is answered (WebSub section 5.3), and a cloud's: yes
//! only to what we asked for.

use crate::model::{Callback, CallbackRole, HubQuestion, PushProtocol};

/// A longer challenge is none.
pub const MAX_CHALLENGE: usize = 1 << 10;

/// What a question comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what we asked for: subscribed.
    Confirm,
    /// It is what we do not want any more: unsubscribed.
    LetGo,
    /// The hub will bring nothing.
    Denied,
    /// We asked for no such thing.
    Unknown,
    /// The challenge is missing, or too long to be one.
    BadChallenge,
}

/// Decides by what is known of the callback that was asked at.
pub fn verify(callback: &Callback, question: &HubQuestion) -> Verdict {
    if callback.topic != question.topic {
        return Verdict::Unknown;
    }
    let verdict = match (callback.protocol, question.mode.as_str(), callback.role) {
        (PushProtocol::RssCloud, "", CallbackRole::Asked) => Verdict::Confirm,
        (PushProtocol::RssCloud, ..) => return Verdict::Unknown,
        (_, "subscribe", CallbackRole::Asked) => Verdict::Confirm,
        (_, "unsubscribe", CallbackRole::Retired) => Verdict::LetGo,
        (_, "denied", CallbackRole::Asked | CallbackRole::Held) => return Verdict::Denied,
        _ => return Verdict::Unknown,
    };
    let challenge = question.challenge.len();
    if challenge == 0 || challenge > MAX_CHALLENGE { Verdict::BadChallenge } else { verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FeedName, Secret};
    use jiff::Timestamp;

    const TOPIC: &str = "https://site.test/feed";

    fn callback(role: CallbackRole) -> Callback {
        Callback {
            protocol: PushProtocol::WebSub,
            key: [7; 32],
            url: Secret::new("https://us.test/push/x"),
            feed: 1,
            name: FeedName::new("wire"),
            role,
            hub: "https://hub.test/".to_owned(),
            topic: TOPIC.to_owned(),
            secret: None,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn check(role: CallbackRole, (mode, topic, challenge): (&str, &str, &str), expected: Verdict) {
        let question = HubQuestion {
            mode: mode.to_owned(),
            topic: topic.to_owned(),
            challenge: challenge.to_owned(),
            ..HubQuestion::default()
        };
        assert_eq!(verify(&callback(role), &question), expected, "{role:?} {question:?}");
    }

    #[test]
    fn only_what_was_asked_for_is_confirmed() {
        use CallbackRole::{Asked, Held, Retired};
        check(Asked, ("subscribe", TOPIC, "c"), Verdict::Confirm);
        check(Retired, ("unsubscribe", TOPIC, "c"), Verdict::LetGo);
        check(Asked, ("denied", TOPIC, ""), Verdict::Denied);
        check(Held, ("denied", TOPIC, ""), Verdict::Denied);
        for (role, mode) in [
            (Held, "subscribe"),
            (Retired, "subscribe"),
            (Asked, "unsubscribe"),
            (Held, "unsubscribe"),
            (Retired, "denied"),
            (Asked, ""),
            (Asked, "Subscribe"),
            (Asked, "subscribe "),
        ] {
            check(role, (mode, TOPIC, "c"), Verdict::Unknown);
        }
        for topic in
            ["", "https://site.test/feed2", "https://site.test/Feed", "https://site.test/feed/"]
        {
            check(Asked, ("subscribe", topic, "c"), Verdict::Unknown);
            check(Asked, ("denied", topic, "c"), Verdict::Unknown);
        }
    }

    #[test]
    fn a_cloud_asks_without_a_mode_and_once() {
        use CallbackRole::{Asked, Held, Retired};
        let check = |role, mode: &str, topic: &str, challenge: &str, expected| {
            let callback = Callback { protocol: PushProtocol::RssCloud, ..callback(role) };
            let question = HubQuestion {
                mode: mode.to_owned(),
                topic: topic.to_owned(),
                challenge: challenge.to_owned(),
                ..HubQuestion::default()
            };
            assert_eq!(verify(&callback, &question), expected, "{role:?} {question:?}");
        };
        check(Asked, "", TOPIC, "c", Verdict::Confirm);
        check(Asked, "", TOPIC, "", Verdict::BadChallenge);
        check(Asked, "", "https://site.test/feed2", "c", Verdict::Unknown);
        check(Held, "", TOPIC, "c", Verdict::Unknown);
        check(Retired, "", TOPIC, "c", Verdict::Unknown);
        for mode in ["subscribe", "unsubscribe", "denied"] {
            for role in [Asked, Held, Retired] {
                check(role, mode, TOPIC, "c", Verdict::Unknown);
            }
        }
    }

    #[test]
    fn a_challenge_is_short() {
        let check = |length: usize, expected| {
            check(CallbackRole::Asked, ("subscribe", TOPIC, &"x".repeat(length)), expected);
        };
        check(0, Verdict::BadChallenge);
        check(1, Verdict::Confirm);
        check(1_024, Verdict::Confirm);
        check(1_025, Verdict::BadChallenge);
    }
}
