//! Asks one hub for one feed's news, or to bring it no more.

use std::sync::Arc;

use url::Url;

use super::Live;
use crate::fetch::{FetchError, Fetcher, HubRequest, Request, RequestKind, host_of};
use crate::model::{Callback, CallbackRole, Clock, Feed, PushProtocol, Secret, SubscriptionDue};
use crate::push;
use crate::store::{Store, StoreError};

/// Who asks, and for whom.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) store: Store,
    pub(super) fetcher: Fetcher,
    pub(super) live: Arc<Live>,
    pub(super) clock: Clock,
}

/// A request whose address is on the disk.
pub(super) struct Prepared {
    feed: Feed,
    due: SubscriptionDue,
    asked: Callback,
}

impl Asker {
    /// Makes an address for a hub and keeps it: hubs ask back before they
    /// answer. `None` when the feed wants no hub any more.
    pub(super) async fn prepare(
        &self,
        due: SubscriptionDue,
    ) -> Result<Option<Prepared>, StoreError> {
        let Some(feed) = self.live.feeds.get(&due.name).filter(|feed| feed.websub) else {
            return Ok(None);
        };
        // A hub that is not asked in secret would make the secret known; a
        // cloud is given none, and its feed says how it is asked.
        let is_open = feed.allow_private || due.protocol == PushProtocol::RssCloud;
        let hub = if is_open { due.hub.clone() } else { secure(&due.hub) };
        let asked = self.give_address(feed, &due, hub).await?;
        Ok(asked.map(|asked| Prepared { feed: feed.clone(), due, asked }))
    }

    async fn give_address(
        &self,
        feed: &Feed,
        due: &SubscriptionDue,
        hub: String,
    ) -> Result<Option<Callback>, StoreError> {
        let Some(base) = &self.live.callbacks else { return Ok(None) };
        let (Ok(token), Ok(secret)) = (push::token(), push::secret()) else {
            tracing::error!("the system gives no random bytes; no hub is asked");
            return Ok(None);
        };
        let Some(key) = push::key(token.expose()) else { return Ok(None) };
        let now = self.clock.now();
        let is_private = hub.starts_with("https:") || feed.allow_private;
        let signs = due.protocol == PushProtocol::WebSub && is_private;
        let asked = Callback {
            protocol: due.protocol,
            key,
            url: Secret::new(format!("{base}push/{}", token.expose())),
            feed: due.feed,
            name: due.name.clone(),
            role: CallbackRole::Asked,
            hub,
            topic: due.topic.clone(),
            secret: signs.then_some(secret),
            since: now,
        };
        // A hub that takes the request and never asks back is asked again then.
        let next = push::retry(now, due.attempts + 4, due.left);
        self.store.ask_hub(asked.clone(), due.hub.clone(), next).await?;
        Ok(Some(asked))
    }

    /// Asks the hub, by TLS first.
    pub(super) async fn subscribe(&self, prepared: Prepared) {
        let Prepared { feed, due, asked } = prepared;
        let mut asked = asked;
        let mut answer = self.post(&feed, &asked, "subscribe").await;
        if answer.is_err() && asked.hub != due.hub {
            match self.give_address(&feed, &due, due.hub.clone()).await {
                Ok(Some(again)) => asked = again,
                Ok(None) => return,
                Err(error) => return tracing::error!(%error, "cannot keep what a hub is asked"),
            }
            answer = self.post(&feed, &asked, "subscribe").await;
        }
        let hub = host_of(&due.hub);
        match answer {
            Ok(()) => tracing::info!(feed = %due.name, hub, "asked a hub to bring its news"),
            Err(error) => {
                let reason = error.to_string();
                tracing::warn!(feed = %due.name, hub, reason, "a hub does not take a request");
                let next = push::retry(self.clock.now(), due.attempts + 1, due.left);
                let failed = self.store.subscription_failed((due.feed, asked.key), reason, next);
                if let Err(error) = failed.await {
                    tracing::error!(%error, "cannot keep what a hub answers");
                }
            }
        }
    }

    /// Tells the hub that an address is not used any more. Whether it listens
    /// is its own affair: what it brings there is refused.
    pub(super) async fn unsubscribe(&self, retired: Callback) {
        let Some(feed) = self.live.feeds.get(&retired.name) else { return };
        if let Err(error) = self.post(feed, &retired, "unsubscribe").await {
            tracing::debug!(feed = %retired.name, %error, "a hub does not let go");
        }
    }

    async fn post(&self, feed: &Feed, asked: &Callback, mode: &str) -> Result<(), FetchError> {
        // Only a feed of the user's own network may name a hub there.
        let way = Request {
            url: &asked.hub,
            home: &feed.url,
            allow_private: feed.allow_private,
            validators: None,
            options: &feed.request,
            kind: RequestKind::Document,
        };
        if asked.protocol == PushProtocol::WebSub {
            return self.fetcher.ask_hub(HubRequest { way, form: &form(asked, mode) }).await;
        }
        let Some(form) = push::registration(asked.url.expose(), &asked.topic) else {
            return Err(FetchError::Failed("\"public_url\" is no address for clouds".to_owned()));
        };
        let said = self.fetcher.ask_cloud(HubRequest { way, form: &form }).await?;
        match push::cloud_refusal(&said) {
            Some(why) => {
                let why = push::said(&why, &asked.url);
                Err(FetchError::Failed(format!("the cloud says no: {why}")))
            }
            None => Ok(()),
        }
    }
}

/// What a hub is asked (WebSub section 5.1).
fn form(asked: &Callback, mode: &str) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("hub.mode", mode.to_owned()),
        ("hub.topic", asked.topic.clone()),
        ("hub.callback", asked.url.expose().to_owned()),
    ];
    if mode == "subscribe" {
        form.push(("hub.lease_seconds", push::LEASE.as_secs().to_string()));
        form.extend(asked.secret.as_ref().map(|s| ("hub.secret", s.expose().to_owned())));
    }
    form
}

/// The same hub by TLS, where it is at its usual place.
fn secure(hub: &str) -> String {
    let Ok(mut url) = Url::parse(hub) else { return hub.to_owned() };
    let usual = url.scheme() == "http" && url.port().is_none();
    if usual && url.set_scheme("https").is_ok() { url.into() } else { hub.to_owned() }
}
