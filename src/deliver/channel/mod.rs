//! The channels, one file each. Adding one: its file with options, type,
//! `impl Channel` and tests; its lines here; its variant of
//! [`super::ChannelOptions`], after which the compiler shows the arm to add.
//! A chat service is a file in `chat/` and a variant of [`ChatService`].

mod answer;
mod body;
mod chat;
mod console;
mod email;
mod exec;
mod feed;
mod file;
mod mail;
mod probe;
mod relay;
mod signature;
mod smtp;
mod webhook;

pub use chat::{Chat, ChatOptions, ChatService};
pub use console::{Console, ConsoleOptions};
pub use email::{Email, EmailOptions, Tls};
pub use exec::{Exec, ExecOptions};
pub use feed::{AtomFile, FeedOptions};
pub use file::{FileOptions, JsonLines};
pub use signature::{SecretError, parse_secret};
pub use webhook::{BodyFormat, Webhook, WebhookOptions};
