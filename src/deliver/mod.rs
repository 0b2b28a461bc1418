//! Renders messages and hands them to receivers, once for each call. Whether
//! and when to try again is decided elsewhere.

mod channel;
mod message;
mod template;
mod text;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::model::{ChannelName, Delivery, Manners, Outcome};
use crate::net::NetError;

pub use channel::{
    AtomFile, BodyFormat, Chat, ChatOptions, ChatService, Console, ConsoleOptions, Email,
    EmailOptions, Exec, ExecOptions, FeedOptions, FileOptions, JsonLines, SecretError, Tls,
    Webhook, WebhookOptions, parse_secret,
};
pub use template::{TemplateError, TemplateKind, Templates, check_template};

/// A way to reach somebody.
pub trait Channel: Send + Sync {
    /// The word used in configuration and output.
    fn kind(&self) -> &'static str;

    /// Who is told by separate deliveries: addresses, or one empty text where
    /// the channel is the only receiver.
    fn recipients(&self) -> Vec<String>;

    /// How the loop that feeds the channel should treat it.
    fn manners(&self) -> Manners;

    /// Whether the receiver is there, in a few words, without telling it
    /// anything. Ends by itself in bounded time.
    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok("not asked: that would be a message".to_owned()) })
    }

    /// Makes one attempt, which ends by itself in bounded time.
    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, Outcome>;
}

/// What a channel is built from. A reload compares two to see what changed.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelOptions {
    /// Standard output.
    Console(ConsoleOptions),
    /// Mail by SMTP.
    Email(EmailOptions),
    /// JSON by HTTP POST.
    Webhook(WebhookOptions),
    /// A chat or push service.
    Chat(ChatOptions),
    /// A program's standard input.
    Exec(ExecOptions),
    /// Lines of a file.
    File(FileOptions),
    /// An Atom file.
    Feed(FeedOptions),
}

/// Why a channel cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An address, name or URL that cannot be used.
    #[error("{field} \"{value}\" is not valid: {reason}")]
    Invalid {
        /// The option.
        field: &'static str,
        /// What it says.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Options that contradict each other.
    #[error("{0}")]
    Unsafe(&'static str),
    /// The webhook's secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A template of the user's.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The HTTP client.
    #[error(transparent)]
    Net(#[from] NetError),
    /// TLS for mail.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Builds a channel; nothing is sent yet.
///
/// # Errors
///
/// When the options cannot be used; `name` stands in the log then.
pub fn build(
    name: &ChannelName,
    options: &ChannelOptions,
    contact_user_agent: &str,
) -> Result<Arc<dyn Channel>, BuildError> {
    tracing::debug!(channel = %name, "building channel");
    Ok(match options {
        ChannelOptions::Console(options) => Arc::new(Console::terminal(options)?),
        ChannelOptions::Email(options) => Arc::new(Email::new(options)?),
        ChannelOptions::Webhook(options) => Arc::new(Webhook::new(options, contact_user_agent)?),
        ChannelOptions::Chat(options) => Arc::new(Chat::new(options, contact_user_agent)?),
        ChannelOptions::Exec(options) => Arc::new(Exec::new(options)?),
        ChannelOptions::File(options) => Arc::new(JsonLines::new(options)?),
        ChannelOptions::Feed(options) => Arc::new(AtomFile::new(options)?),
    })
}

/// A failed attempt that may go better later.
fn try_again(reason: impl Into<String>) -> Outcome {
    Outcome::TryAgain { reason: reason.into(), not_before: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertContent, Content, DeliveryId};

    /// A delivery of the sample story.
    pub(crate) fn delivery(recipient: &str) -> Delivery {
        Delivery {
            id: DeliveryId::new("d0123456789abcdef0123456789abcdef"),
            channel: ChannelName::new("desk"),
            recipient: recipient.to_owned(),
            attempts: 0,
            created_at: "2026-03-01T10:00:00Z".parse().unwrap(),
            content: Content::Alert(Box::new(message::tests::content())),
        }
    }

    /// The alert of a sample delivery.
    pub(crate) fn alert(delivery: &mut Delivery) -> &mut AlertContent {
        match &mut delivery.content {
            Content::Alert(content) => content,
            Content::Notices(_) | Content::Digest(_) => panic!("a sample is an alert"),
        }
    }

    #[tokio::test]
    async fn each_kind_of_channel_is_built_from_its_options() {
        let check = |options: ChannelOptions, kind: &str, recipients: &[&str]| {
            let channel = build(&ChannelName::new("desk"), &options, "wirewatch/test").unwrap();
            assert_eq!(channel.kind(), kind);
            assert_eq!(channel.recipients(), recipients);
        };
        check(ChannelOptions::Console(ConsoleOptions::default()), "console", &[""]);
        let url = "https://ops.example.org/hook".to_owned();
        let options = WebhookOptions { url, ..WebhookOptions::default() };
        check(ChannelOptions::Webhook(options), "webhook", &[""]);
        let options = EmailOptions {
            from: "wirewatch@example.org".to_owned(),
            to: vec!["Desk <desk@example.org>".to_owned(), "b@example.org".to_owned()],
            host: "smtp.example.org".to_owned(),
            ..EmailOptions::default()
        };
        check(ChannelOptions::Email(options), "email", &["desk@example.org", "b@example.org"]);
    }
}
