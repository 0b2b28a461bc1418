//! The channels, one file each. Adding one: its file with options, type,
//! `impl Channel` and tests; its lines here; its variant of
//! [`super::ChannelOptions`], after which the compiler shows the arm to add.

mod console;
mod email;
mod line_stream;
mod mail;
mod signature;
mod webhook;

pub use console::{Console, ConsoleOptions};
pub use email::{Email, EmailOptions, Tls};
pub use signature::{SecretError, parse_secret};
pub use webhook::{Webhook, WebhookOptions};
