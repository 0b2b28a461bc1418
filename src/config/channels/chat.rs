//! `[channel.*.slack]` and its like as values.

use super::ChannelReader;
use crate::config::address::http_url;
use crate::config::fields::Text;
use crate::config::secrets;
use crate::config::source::Findings;
use crate::deliver::{ChatOptions, ChatService};
use crate::model::Secret;
use crate::net;

impl ChannelReader<'_> {
    /// A chat channel of this kind.
    pub(super) fn chat(&self, kind: &str, findings: &mut Findings) -> Option<ChatOptions> {
        let fields = self.fields();
        let ca_file = secrets::ca_file(fields, &self.label, findings);
        let service = self.service(kind, findings);
        Some(ChatOptions {
            allow_private: fields.flag("allow_private"),
            ca_file,
            timeout: fields.timeout("timeout"),
            ..ChatOptions::new(service?)
        })
    }

    fn service(&self, kind: &str, findings: &mut Findings) -> Option<ChatService> {
        let fields = self.fields();
        let word = |key: &str| fields.text(key).map(|text| text.text);
        Some(match kind {
            "slack" => ChatService::Slack { url: self.secret_url(findings)? },
            "discord" => ChatService::Discord { url: self.secret_url(findings)? },
            "teams" => ChatService::Teams { url: self.secret_url(findings)? },
            "mattermost" => ChatService::Mattermost {
                url: self.secret_url(findings)?,
                channel: word("channel"),
            },
            "telegram" => {
                let base_url = self.server_url("base_url", findings);
                let token = self.needed(("token_file", "token_env"), findings);
                let chat = fields.text("chat").and_then(|chat| self.chat_id(&chat, findings));
                let topic = fields.is_given("topic").then(|| fields.count("topic"));
                let topic = topic.and_then(|topic| i64::try_from(topic).ok());
                ChatService::Telegram { base_url: base_url?, token: token?, chat: chat?, topic }
            }
            "ntfy" => {
                let base_url = self.server_url("base_url", findings);
                let topic = self.topic(findings);
                let token = self.secret(("token_file", "token_env"), findings);
                ChatService::Ntfy { base_url: base_url?, topic: topic?, token }
            }
            "matrix" => {
                let homeserver = self.server_url("homeserver", findings);
                let token = self.needed(("token_file", "token_env"), findings);
                let room = fields.text("room").and_then(|room| self.room(&room, findings));
                ChatService::Matrix { homeserver: homeserver?, room: room?, token: token? }
            }
            "gotify" => {
                let base_url = self.server_url("base_url", findings);
                let token = self.needed(("token_file", "token_env"), findings);
                ChatService::Gotify { base_url: base_url?, token: token? }
            }
            _ => {
                let base_url = self.server_url("base_url", findings);
                let routing_key = self.needed(("routing_key_file", "routing_key_env"), findings);
                ChatService::PagerDuty { base_url: base_url?, routing_key: routing_key? }
            }
        })
    }

    fn secret(&self, keys: (&str, &str), findings: &mut Findings) -> Option<Secret> {
        let secret = secrets::secret((self.fields(), &self.label), keys, self.env, findings)?;
        Some(Secret::new(secret.expose().trim()))
    }

    /// A secret without which there is no channel.
    fn needed(&self, keys: (&str, &str), findings: &mut Findings) -> Option<Secret> {
        let fields = self.fields();
        if !fields.is_meant(keys.0) && !fields.is_meant(keys.1) && !findings.incomplete {
            let message = format!("{}: \"{}\" is missing", self.label, keys.0);
            findings.error(&fields.at, message, Some(format!("or give {}", keys.1)));
        }
        self.secret(keys, findings)
    }

    /// A webhook's address. What is wrong with it is said without it.
    fn secret_url(&self, findings: &mut Findings) -> Option<Secret> {
        let secret = self.needed(("url_file", "url_env"), findings)?;
        let allow_private = self.fields().flag("allow_private");
        let url = url::Url::parse(secret.expose()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let reason = match url {
            None => "is not a URL that begins with https://".to_owned(),
            Some(url) if url.scheme() == "http" && !allow_private => {
                "begins with http://, where anybody on the way could read it".to_owned()
            }
            Some(url) => match net::check_url(&url, allow_private) {
                Ok(()) => return Some(secret),
                Err(reason) => format!("is refused: {reason}"),
            },
        };
        let key = if self.fields().is_given("url_file") { "url_file" } else { "url_env" };
        let message = format!("{}: the address in {key} {reason}", self.label);
        findings.error(self.fields().place(key), message, None);
        None
    }

    fn server_url(&self, key: &str, findings: &mut Findings) -> Option<String> {
        let allow_private = self.fields().flag("allow_private");
        let given = self.fields().text(key)?;
        let url = http_url(&self.label, &given, allow_private, findings)?;
        if url.scheme() == "http" && !allow_private {
            let message = "the token would be readable by anybody on the way";
            self.wrong(&given, message, Some("write https://"), findings);
            return None;
        }
        Some(url.into())
    }

    /// A topic in plain sight, or kept as a secret.
    fn topic(&self, findings: &mut Findings) -> Option<Secret> {
        let keys = ("topic_file", "topic_env");
        let fields = self.fields();
        let secret_key = [keys.0, keys.1].into_iter().find(|key| fields.is_given(key));
        let topic = match (fields.text("topic"), secret_key) {
            (Some(topic), Some(key)) => {
                let message = format!("both topic and {key} are given");
                self.wrong(&topic, &message, Some("remove one of them"), findings);
                return None;
            }
            (Some(topic), None) => Secret::new(topic.text),
            (None, Some(_)) => self.secret(keys, findings)?,
            (None, None) => {
                if !["topic", keys.0, keys.1].iter().any(|key| fields.is_meant(key))
                    && !findings.incomplete
                {
                    let message = format!("{}: \"topic\" is missing", self.label);
                    findings.error(&fields.at, message, Some("or give topic_file".to_owned()));
                }
                return None;
            }
        };
        let is_sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if topic.expose().len() <= 64 && topic.expose().chars().all(is_sane) {
            return Some(topic);
        }
        let key = secret_key.unwrap_or("topic");
        let message = format!("{}: a topic has up to 64 of a-z, A-Z, 0-9, - and _", self.label);
        findings.error(fields.place(key), message, None);
        None
    }

    fn chat_id(&self, chat: &Text, findings: &mut Findings) -> Option<String> {
        let is_number = chat.text.parse::<i64>().is_ok();
        let is_name = chat.text.strip_prefix('@').is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if is_number || is_name {
            return Some(chat.text.clone());
        }
        let hint = "write a number in quotes, such as \"-1001234567890\", or \"@name\"";
        self.wrong(chat, "not a chat of Telegram", Some(hint), findings);
        None
    }

    fn room(&self, room: &Text, findings: &mut Findings) -> Option<String> {
        if room.text.starts_with('!') && room.text.len() <= 255 {
            return Some(room.text.clone());
        }
        let hint = "an id begins with \"!\"; clients show it in the room's settings";
        self.wrong(room, "not the id of a room", Some(hint), findings);
        None
    }
}
