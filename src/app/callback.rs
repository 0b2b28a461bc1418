//! Hubs: the loop that asks them, and what answers them at the endpoint.

use futures_util::future::BoxFuture;

use super::App;
use crate::model::{Delivered, HubAnswer, HubQuestion, Receipt};
use crate::pipeline::{CallbackDesk, Subscriber};
use crate::serve::Callbacks;

impl App {
    pub(super) fn subscriber(&self) -> Subscriber {
        Subscriber {
            store: self.store.clone(),
            fetcher: self.fetcher.subscribe(),
            live: self.live.subscribe(),
            clock: self.clock.clone(),
            planned: self.planned.clone(),
            meter: self.meter.clone(),
            arrived: self.arrived.subscribe(),
        }
    }

    pub(super) fn callbacks(&self) -> CallbackDesk {
        CallbackDesk {
            store: self.store.clone(),
            live: self.live.subscribe(),
            clock: self.clock.clone(),
            meter: self.meter.clone(),
            arrived: self.arrived.clone(),
            hurried: self.hurried.clone(),
        }
    }
}

impl Callbacks for CallbackDesk {
    fn verify(&self, token: String, question: HubQuestion) -> BoxFuture<'_, HubAnswer> {
        Box::pin(async move { self.verify(&token, question).await })
    }

    fn admits(&self, token: String) -> BoxFuture<'_, Result<u64, Receipt>> {
        Box::pin(async move { self.admits(&token).await })
    }

    fn receive(&self, token: String, delivered: Delivered) -> BoxFuture<'_, Receipt> {
        Box::pin(async move { self.receive(&token, delivered).await })
    }
}
