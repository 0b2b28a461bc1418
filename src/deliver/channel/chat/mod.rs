//! Chat and push services: one message to a delivery, within the limits and
//! at the pace of the service, and nobody called by what a headline says.

mod discord;
mod fit;
mod gotify;
mod markup;
mod matrix;
mod mattermost;
mod ntfy;
mod options;
mod pace;
mod pagerduty;
mod service;
mod slack;
mod teams;
mod telegram;
mod telling;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use tokio::time::Instant;

use super::answer;
use crate::deliver::message::Message;
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, DeliveryId, Manners, Outcome, RetryPolicy};
use crate::net::{self, ClientOptions};
use pace::Pace;
use service::{Answer, Call, Service};

pub(super) use markup::html;
pub use options::{ChatOptions, ChatService};
pub(super) use telling::Telling;

/// So many deliveries of unknown fate are remembered.
const MAX_DOUBTS: usize = 10_000;

/// Posts to one place of one service.
pub struct Chat {
    client: Client,
    service: Box<dyn Service>,
    allow_private: bool,
    timeout: Duration,
    pace: Pace,
    /// Deliveries whose last attempt may have arrived.
    doubts: Mutex<HashSet<DeliveryId>>,
}

/// How a request ended.
enum Ended {
    Answered(Answer),
    /// It cannot have arrived.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses and tokens are secrets.
        f.debug_struct("Chat").field("kind", &self.service.kind()).finish_non_exhaustive()
    }
}

impl Chat {
    /// Prepares the client; nothing is sent.
    ///
    /// # Errors
    ///
    /// When an option cannot be used.
    pub fn new(options: &ChatOptions, user_agent: &str) -> Result<Self, BuildError> {
        let service = options.build()?;
        let client = net::client(&ClientOptions {
            user_agent: user_agent.to_owned(),
            allow_private: options.allow_private,
            ca_file: options.ca_file.clone(),
            connect_timeout: options.timeout.min(Duration::from_secs(10)),
            timeout: options.timeout,
        })?;
        let gap = options.gap.unwrap_or_else(|| service.gap());
        Ok(Self {
            client,
            service,
            allow_private: options.allow_private,
            timeout: options.timeout,
            pace: Pace::new(gap),
            doubts: Mutex::default(),
        })
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let begun = Instant::now();
        if let Some(until) = self.pace.wait(now).await {
            let reason = format!("{} asked to wait", self.service.kind());
            return Outcome::TryAgain { reason, not_before: Some(until) };
        }
        let repeated = !self.service.drops_repeats() && self.doubts().contains(&delivery.id);
        let telling = Telling::of(&Message::of(&delivery.content), &delivery.id, repeated);
        let call = match self.service.call(&telling) {
            Ok(call) => call,
            Err(reason) => return Outcome::GiveUp(reason),
        };
        let mut ended = self.post(call).await;
        if let Ended::Answered(answer) = &ended
            && let Some(plainer) = self.service.plainer(&telling, answer)
        {
            // Both requests share the time of one attempt.
            let left = self.timeout.saturating_sub(begun.elapsed());
            ended = match tokio::time::timeout(left, self.post(plainer)).await {
                Ok(ended) => ended,
                Err(_) => Ended::Unknown("timed out".to_owned()),
            };
        }
        let spent = SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
        let now = now.saturating_add(spent).unwrap_or(now);
        self.conclude(&delivery.id, ended, now)
    }

    async fn post(&self, call: Call) -> Ended {
        if let Err(blocked) = net::check_url(&call.url, self.allow_private) {
            return Ended::NotSent(blocked.to_string());
        }
        let mut request = self.client.request(call.method, call.url);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json");
        match request.body(call.body.to_string()).send().await {
            Ok(mut response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = answer::body(&mut response).await;
                Ended::Answered(Answer { status, headers, body })
            }
            Err(error) if error.is_connect() || error.is_builder() => {
                Ended::NotSent(net::short_error(&error))
            }
            Err(error) => Ended::Unknown(net::short_error(&error)),
        }
    }

    /// What follows, and what the next attempt must know.
    fn conclude(&self, id: &DeliveryId, ended: Ended, now: Timestamp) -> Outcome {
        let (outcome, is_doubtful) = match ended {
            Ended::NotSent(reason) => (try_again(reason), false),
            Ended::Unknown(reason) => (try_again(reason), true),
            Ended::Answered(answer) => {
                if let Some(pause) = answer.pause() {
                    self.pace.hold(now.saturating_add(pause).unwrap_or(now));
                }
                let reading = self.service.read(&answer);
                let (outcome, is_doubtful) = reading.outcome(&answer, now);
                if let Outcome::TryAgain { not_before: Some(until), .. } = &outcome {
                    self.pace.hold(*until);
                }
                (self.redacted(outcome), is_doubtful)
            }
        };
        let mut doubts = self.doubts();
        doubts.remove(id);
        if is_doubtful && doubts.len() < MAX_DOUBTS {
            doubts.insert(id.clone());
        }
        outcome
    }

    fn doubts(&self) -> std::sync::MutexGuard<'_, HashSet<DeliveryId>> {
        // The lock guards no invariant that a panic could have broken.
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An outcome without what a server may have repeated of our secrets.
    fn redacted(&self, outcome: Outcome) -> Outcome {
        let clean = |mut text: String| {
            for secret in self.service.secrets().into_iter().filter(|secret| secret.len() > 3) {
                text = text.replace(&secret, "[secret]");
            }
            text
        };
        match outcome {
            Outcome::Sent(answer) => Outcome::Sent(clean(answer)),
            Outcome::Refused(reason) => Outcome::Refused(clean(reason)),
            Outcome::Unknown(reason) => Outcome::Unknown(clean(reason)),
            Outcome::GiveUp(reason) => Outcome::GiveUp(clean(reason)),
            Outcome::TryAgain { reason, not_before } => {
                Outcome::TryAgain { reason: clean(reason), not_before }
            }
        }
    }
}

impl Channel for Chat {
    fn kind(&self) -> &'static str {
        self.service.kind()
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Webhook)
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.attempt(delivery, now))
    }
}
