//! What is answered to hubs at the addresses that they were given. Nothing is
//! believed that was not asked for or is not signed, and what is taken is on
//! the disk before the hub is thanked.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{Meter, Watched};
use crate::model::{
    Callback, CallbackRole, Clock, Delivered, HubAnswer, HubQuestion, PushProtocol, Receipt, Secret,
};
use crate::push::{self, Verdict};
use crate::store::{Kept, NewPush, PushLimits, Store, StoreError};

/// Documents that wait to be read, at most; a hub brings the next one again.
const LIMITS: PushLimits = PushLimits { count: 1_000, bytes: 64 << 20 };
/// Bytes of a document of a feed that has no limit of its own.
const MAX_BODY: u64 = 5 << 20;
/// Bytes of a cloud's ping.
const MAX_PING: u64 = 8 << 10;
/// What comes to an address just after it was replaced was on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(10);

/// Answers hubs.
#[derive(Clone)]
pub struct CallbackDesk {
    /// Subscriptions and what waits to be read.
    pub store: Store,
    /// The feeds as of now.
    pub live: Watched,
    /// The time.
    pub clock: Clock,
    /// Counts what comes.
    pub meter: Meter,
    /// Counts what waits to be read; the loop that reads waits on it.
    pub arrived: watch::Sender<u64>,
    /// Counts feeds that fell due out of turn; the loop that polls waits on it.
    pub hurried: watch::Sender<u64>,
}

impl CallbackDesk {
    /// A hub asks whether we meant it.
    pub async fn verify(&self, token: &str, question: HubQuestion) -> HubAnswer {
        match self.answer(token, question).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "cannot keep what a hub says");
                HubAnswer::NotNow
            }
        }
    }

    async fn answer(&self, token: &str, question: HubQuestion) -> Result<HubAnswer, StoreError> {
        let Some(callback) = self.find(token).await? else { return Ok(HubAnswer::Unknown) };
        let (feed, now) = (&callback.name, self.clock.now());
        match push::verify(&callback, &question) {
            Verdict::Unknown => return Ok(HubAnswer::Unknown),
            Verdict::BadChallenge => return Ok(HubAnswer::BadChallenge),
            Verdict::Denied => {
                let reason = reason(question.reason.as_deref(), &callback.url);
                tracing::warn!(%feed, reason, "the hub will not bring its news; it is polled");
                self.store.deny(callback.feed, reason, now).await?;
                return Ok(HubAnswer::Noted);
            }
            Verdict::LetGo => self.store.let_go(callback.key).await?,
            Verdict::Confirm => {
                let (until, renewal) = terms(&callback, &question, now);
                if !self.store.confirm(callback.key, until, renewal, now).await? {
                    return Ok(HubAnswer::Unknown);
                }
                tracing::info!(%feed, %until, "a hub brings its news");
            }
        }
        Ok(HubAnswer::Echo(question.challenge))
    }

    /// How large a document may be that is brought to this address; an answer
    /// if none is wanted.
    pub async fn admits(&self, token: &str) -> Result<u64, Receipt> {
        let callback = match self.find(token).await {
            Ok(found) => found.ok_or(Receipt::Unknown)?,
            Err(_) => return Err(Receipt::NotNow),
        };
        match callback.role {
            CallbackRole::Asked if callback.protocol == PushProtocol::RssCloud => {}
            CallbackRole::Asked => return Err(Receipt::Unknown),
            CallbackRole::Retired if !self.was_on_its_way(&callback) => return Err(Receipt::Gone),
            CallbackRole::Retired | CallbackRole::Held => {}
        }
        if callback.protocol == PushProtocol::RssCloud {
            return Ok(MAX_PING);
        }
        let live = self.live.borrow();
        let own = live.feeds.get(&callback.name).and_then(|feed| feed.request.max_body);
        Ok(own.unwrap_or(MAX_BODY))
    }

    /// A hub brings a document.
    pub async fn receive(&self, token: &str, delivered: Delivered) -> Receipt {
        match self.take(token, delivered).await {
            Ok(receipt) => receipt,
            Err(error) => {
                self.meter.pushed("not-stored");
                tracing::error!(%error, "cannot store what a hub brought; it will bring it again");
                Receipt::NotNow
            }
        }
    }

    async fn take(&self, token: &str, delivered: Delivered) -> Result<Receipt, StoreError> {
        let Some(callback) = self.find(token).await? else { return Ok(Receipt::Unknown) };
        let done = match callback.role {
            CallbackRole::Asked if !self.proves(&callback, &delivered).await? => {
                return Ok(Receipt::Unknown);
            }
            CallbackRole::Asked => Receipt::Taken,
            CallbackRole::Held => Receipt::Taken,
            CallbackRole::Retired if self.was_on_its_way(&callback) => Receipt::Gone,
            CallbackRole::Retired => return Ok(Receipt::Gone),
        };
        let (feed, now) = (&callback.name, self.clock.now());
        if callback.protocol == PushProtocol::RssCloud {
            // A word of its own feed's news, whoever says it: a reason to look, no more.
            let is_ours = push::pinged(&delivered.body).is_some_and(|url| url == callback.topic);
            self.meter.pushed(if is_ours { "pinged" } else { "forged" });
            if is_ours && self.store.pinged(callback.feed, now).await? {
                self.hurried.send_modify(|count| *count += 1);
            }
            return Ok(done);
        }
        let Some(secret) = &callback.secret else {
            // Anybody on the way could have written it: a reason to look, no more.
            self.meter.pushed("unsigned");
            if self.store.poll_soon(callback.feed, now).await? {
                self.hurried.send_modify(|count| *count += 1);
            }
            return Ok(done);
        };
        let Delivered { signatures, content_type, body } = delivered;
        if !push::is_signed(&signatures, secret.expose(), &body) {
            self.meter.pushed("forged");
            tracing::debug!(%feed, "not signed by the hub; ignored");
            return Ok(done);
        }
        let hash = Sha256::digest(&body).to_vec();
        let topic = callback.topic.clone();
        let push = NewPush { feed: callback.feed, topic, content_type, body, hash };
        match self.store.keep_push(push, LIMITS, now).await? {
            Kept::Queued => self.arrived.send_modify(|count| *count += 1),
            Kept::Known => self.meter.pushed("repeated"),
            Kept::Full => {
                self.meter.pushed("refused");
                tracing::warn!(%feed, "too much waits to be read; its hub is asked to come again");
                return Ok(Receipt::NotNow);
            }
        }
        Ok(done)
    }

    /// Whether a cloud that was asked shows by a ping that it knows the address
    /// and what it was given for. That is how it tests one without a challenge;
    /// and one that tests nothing has said yes, and pings. It counts from when
    /// it was asked.
    async fn proves(&self, asked: &Callback, delivered: &Delivered) -> Result<bool, StoreError> {
        let of = push::pinged(&delivered.body);
        if asked.protocol != PushProtocol::RssCloud || of.as_ref() != Some(&asked.topic) {
            return Ok(false);
        }
        let (until, renewal) = push::cloud_terms(asked.since);
        let is_new = self.store.confirm(asked.key, until, renewal, self.clock.now()).await?;
        if is_new {
            tracing::info!(feed = %asked.name, %until, "a cloud tells of its news");
        }
        // Another ping may have proved it at the same moment.
        let held = |now: Callback| now.role == CallbackRole::Held;
        Ok(is_new || self.store.callback(asked.key).await?.is_some_and(held))
    }

    async fn find(&self, token: &str) -> Result<Option<Callback>, StoreError> {
        let Some(key) = push::key(token) else { return Ok(None) };
        self.store.callback(key).await
    }

    /// Whether what comes to a retired address may have left before it was
    /// replaced: it is thanked with "gone", and read all the same.
    fn was_on_its_way(&self, callback: &Callback) -> bool {
        self.clock.now().duration_since(callback.since) < ON_ITS_WAY
    }
}

/// Until when what is confirmed holds, and when it is asked for again.
fn terms(callback: &Callback, question: &HubQuestion, now: Timestamp) -> (Timestamp, Timestamp) {
    if callback.protocol == PushProtocol::RssCloud {
        return push::cloud_terms(now);
    }
    let lease = push::lease(question.lease_seconds.as_deref());
    let seed = u64::from_le_bytes(callback.key[..8].try_into().unwrap_or_default());
    (now.checked_add(lease).unwrap_or(now), push::renewal(now, lease, seed))
}

/// A hub's words, as far as they are fit to be shown.
fn reason(given: Option<&str>, address: &Secret) -> String {
    let given = push::said(given.unwrap_or_default(), address);
    if given.is_empty() {
        "the hub says no".to_owned()
    } else {
        format!("the hub says no: {given}")
    }
}
