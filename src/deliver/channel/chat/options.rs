//! What a chat channel is built from.

use std::path::PathBuf;
use std::time::Duration;

use super::discord::Discord;
use super::gotify::Gotify;
use super::matrix::Matrix;
use super::mattermost::Mattermost;
use super::ntfy::Ntfy;
use super::pagerduty::PagerDuty;
use super::service::{Service, url};
use super::slack::Slack;
use super::teams::Teams;
use super::telegram::Telegram;
use crate::deliver::BuildError;
use crate::model::Secret;

/// A place to post to, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatOptions {
    /// The service and the place.
    pub service: ChatService,
    /// Whether the service may be on a private or loopback address.
    pub allow_private: bool,
    /// A PEM file with authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Limit for one request.
    pub timeout: Duration,
    /// Time between two posts, in place of the service's own.
    pub gap: Option<Duration>,
}

/// A service and a place of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatService {
    /// An incoming webhook.
    Slack {
        /// Its address.
        url: Secret,
    },
    /// A webhook.
    Discord {
        /// Its address.
        url: Secret,
    },
    /// A workflow's or connector's webhook.
    Teams {
        /// Its address.
        url: Secret,
    },
    /// A bot's messages to one chat.
    Telegram {
        /// Where the Bot API is.
        base_url: String,
        /// The bot's token.
        token: Secret,
        /// A number or `@channelname`.
        chat: String,
        /// A topic of a forum.
        topic: Option<i64>,
    },
    /// A topic.
    Ntfy {
        /// The server.
        base_url: String,
        /// The topic, which may be all the protection there is.
        topic: Secret,
        /// An access token.
        token: Option<Secret>,
    },
    /// A room.
    Matrix {
        /// The homeserver.
        homeserver: String,
        /// The room's id.
        room: String,
        /// An access token.
        token: Secret,
    },
    /// An application.
    Gotify {
        /// The server.
        base_url: String,
        /// The application's token.
        token: Secret,
    },
    /// An incoming webhook.
    Mattermost {
        /// Its address.
        url: Secret,
        /// Another channel than the webhook's own.
        channel: Option<String>,
    },
    /// A service's integration by Events API v2.
    PagerDuty {
        /// Where the Events API is.
        base_url: String,
        /// The integration key.
        routing_key: Secret,
    },
}

impl ChatOptions {
    /// Usual options for a place.
    pub fn new(service: ChatService) -> Self {
        Self {
            service,
            allow_private: false,
            ca_file: None,
            timeout: Duration::from_secs(15),
            gap: None,
        }
    }

    pub(super) fn build(&self) -> Result<Box<dyn Service>, BuildError> {
        Ok(match &self.service {
            ChatService::Slack { url: hook } => Box::new(Slack { url: url("url", hook.expose())? }),
            ChatService::Discord { url: hook } => Box::new(Discord::new(hook)?),
            ChatService::Teams { url: hook } => Box::new(Teams { url: url("url", hook.expose())? }),
            ChatService::Telegram { base_url, token, chat, topic } => Box::new(Telegram {
                base: url("base_url", base_url)?,
                token: token.clone(),
                chat: chat.clone(),
                topic: *topic,
            }),
            ChatService::Ntfy { base_url, topic, token } => Box::new(Ntfy {
                url: url("base_url", base_url)?,
                topic: topic.clone(),
                token: token.clone(),
            }),
            ChatService::Matrix { homeserver, room, token } => Box::new(Matrix {
                base: url("homeserver", homeserver)?,
                room: room.clone(),
                token: token.clone(),
            }),
            ChatService::Gotify { base_url, token } => {
                Box::new(Gotify { base: url("base_url", base_url)?, token: token.clone() })
            }
            ChatService::Mattermost { url: hook, channel } => {
                Box::new(Mattermost { url: url("url", hook.expose())?, channel: channel.clone() })
            }
            ChatService::PagerDuty { base_url, routing_key } => {
                Box::new(PagerDuty { base: url("base_url", base_url)?, key: routing_key.clone() })
            }
        })
    }
}

impl ChatService {
    /// The word used in configuration and output.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack",
            Self::Discord { .. } => "discord",
            Self::Teams { .. } => "teams",
            Self::Telegram { .. } => "telegram",
            Self::Ntfy { .. } => "ntfy",
            Self::Matrix { .. } => "matrix",
            Self::Gotify { .. } => "gotify",
            Self::Mattermost { .. } => "mattermost",
            Self::PagerDuty { .. } => "pagerduty",
        }
    }

    /// The server it posts to: all of the place that is no secret.
    pub fn origin(&self) -> String {
        let text = match self {
            Self::Slack { url } | Self::Discord { url } | Self::Teams { url } => url.expose(),
            Self::Mattermost { url, .. } => url.expose(),
            Self::Telegram { base_url, .. }
            | Self::Ntfy { base_url, .. }
            | Self::Gotify { base_url, .. }
            | Self::PagerDuty { base_url, .. } => base_url,
            Self::Matrix { homeserver, .. } => homeserver,
        };
        url("url", text).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}
