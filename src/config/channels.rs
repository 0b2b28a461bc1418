//! `[channel.*]` as values.

mod chat;
mod local;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use lettre::message::Mailbox;
use url::Host;

use super::address::http_url;
use super::document::{Document, Named, label};
use super::environment::Environment;
use super::fields::{Fields, Text};
use super::problem::quoted;
use super::rules::RuleConfig;
use super::secrets;
use super::source::Findings;
use crate::deliver::{
    self, BodyFormat, ChannelOptions, ConsoleOptions, EmailOptions, FeedOptions, FileOptions,
    TemplateKind, Templates, Tls, WebhookOptions,
};
use crate::model::{ChannelName, Secret};

/// The channels by name.
pub(super) fn channels(
    document: &Document,
    env: &Environment,
    findings: &mut Findings,
) -> BTreeMap<ChannelName, ChannelOptions> {
    let mut channels = BTreeMap::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for named in &document.channels {
        let reader = ChannelReader { label: label("channel", &named.name), named, env };
        if let Some(options) = reader.read(findings) {
            if let ChannelOptions::File(FileOptions { path })
            | ChannelOptions::Feed(FeedOptions { path, .. }) = &options
            {
                if files.contains(path) {
                    let message = format!("{}: another channel writes this file", reader.label);
                    findings.error(named.fields.place("path"), message, None);
                }
                files.push(path.clone());
            }
            channels.insert(ChannelName::new(named.name.clone()), options);
        }
    }
    channels
}

/// Warns of channels that no rule uses.
pub(super) fn report_unused(document: &Document, rules: &[RuleConfig], findings: &mut Findings) {
    // A rule that is wrong may be the one that uses it.
    if findings.has_errors() {
        return;
    }
    for named in &document.channels {
        let notified = document.operator.texts("notify");
        let is_used = rules
            .iter()
            .flat_map(|rule| {
                let escalated = rule.escalate.iter().flat_map(|(_, channels)| channels);
                rule.channels.iter().chain(escalated)
            })
            .any(|name| name.as_str() == named.name)
            || notified.iter().any(|name| name.text == named.name);
        if !is_used {
            let message = format!("{}: no rule uses it", label("channel", &named.name));
            let hint = format!("add {} to the channels of a rule", quoted(&named.name));
            findings.warn(&named.fields.at, message, Some(hint));
        }
    }
}

struct ChannelReader<'a> {
    label: String,
    named: &'a Named,
    env: &'a Environment,
}

impl ChannelReader<'_> {
    fn read(&self, findings: &mut Findings) -> Option<ChannelOptions> {
        let kind: &str = self.fields().section.path.last()?;
        match kind {
            "console" => Some(ChannelOptions::Console(ConsoleOptions {
                template: self.template("template", TemplateKind::Console, findings),
                stderr: false,
            })),
            "email" => self.email(findings).map(ChannelOptions::Email),
            "webhook" => self.webhook(findings).map(ChannelOptions::Webhook),
            "exec" => self.exec(findings).map(ChannelOptions::Exec),
            "file" => self.file(findings).map(ChannelOptions::File),
            "feed" => self.feed(findings).map(ChannelOptions::Feed),
            chat => self.chat(chat, findings).map(ChannelOptions::Chat),
        }
    }

    fn fields(&self) -> &Fields {
        &self.named.fields
    }

    fn wrong(&self, at: &Text, message: &str, hint: Option<&str>, findings: &mut Findings) {
        findings.error(&at.at, format!("{}: {message}", self.label), hint.map(str::to_owned));
    }

    fn template(&self, key: &str, kind: TemplateKind, findings: &mut Findings) -> Option<String> {
        secrets::template((self.fields(), &self.label), (key, kind), findings)
    }

    fn webhook(&self, findings: &mut Findings) -> Option<WebhookOptions> {
        let fields = self.fields();
        let allow_private = fields.flag("allow_private");
        let url =
            fields.text("url").and_then(|url| http_url(&self.label, &url, allow_private, findings));
        let secret = self.signing_secret(("secret_file", "secret_env"), findings);
        let old_secret = self.signing_secret(("old_secret_file", "old_secret_env"), findings);
        self.check_signing(findings);
        let body = self.template("body_template", TemplateKind::WebhookBody, findings);
        let ca_file = secrets::ca_file(fields, &self.label, findings);
        Some(WebhookOptions {
            url: url?.into(),
            secret,
            old_secret,
            format: self.format(findings),
            allow_private,
            ca_file,
            timeout: fields.timeout("timeout"),
            templates: Templates { subject: None, text: None, html: None, body },
        })
    }

    fn signing_secret(&self, keys: (&str, &str), findings: &mut Findings) -> Option<Secret> {
        let fields = self.fields();
        let secret = secrets::secret((fields, &self.label), keys, self.env, findings)?;
        if let Err(reason) = deliver::parse_secret(secret.expose()) {
            let key = if fields.is_given(keys.0) { keys.0 } else { keys.1 };
            let message = format!("{}: the webhook secret: {reason}", self.label);
            findings.error(fields.place(key), message, None);
        }
        Some(secret)
    }

    fn check_signing(&self, findings: &mut Findings) {
        let fields = self.fields();
        if fields.is_meant("secret_file") || fields.is_meant("secret_env") {
            return;
        }
        if let Some(key) =
            ["old_secret_file", "old_secret_env"].into_iter().find(|key| fields.is_given(key))
        {
            let message = format!("{}: {key} without a new secret", self.label);
            let hint = "the one secret there is stands in secret_file".to_owned();
            findings.error(fields.place(key), message, Some(hint));
            return;
        }
        let message = format!("{}: no secret, so deliveries are not signed", self.label);
        let hint = "add secret_file, so that the receiver can tell who sends".to_owned();
        findings.warn(&fields.at, message, Some(hint));
    }

    fn format(&self, findings: &mut Findings) -> BodyFormat {
        let fields = self.fields();
        let source = fields.text("source");
        if fields.text("format").is_some_and(|format| format.text == "cloudevents") {
            return BodyFormat::CloudEvents(source.map(|source| source.text));
        }
        if let Some(source) = source {
            let hint = Some("add format = \"cloudevents\"");
            self.wrong(&source, "only a CloudEvent has a source", hint, findings);
        }
        BodyFormat::Standard
    }

    fn email(&self, findings: &mut Findings) -> Option<EmailOptions> {
        let fields = self.fields();
        let (from, to) = (fields.text("from"), fields.texts("to"));
        self.check_addresses(from.iter().chain(&to), findings);
        let tls = match fields.text("tls").as_ref().map(|tls| tls.text.as_str()) {
            Some("implicit") => Tls::Implicit,
            Some("none") => Tls::None,
            _ => Tls::StartTls,
        };
        let server = fields.text("smtp").and_then(|smtp| self.server(&smtp, &tls, findings));
        let keys = ("password_file", "password_env");
        let password = secrets::secret((fields, &self.label), keys, self.env, findings);
        self.check_login(findings);
        let hello_name = fields.text("hello_name");
        if let Some(name) = hello_name.as_ref().filter(|name| host(&name.text).is_none()) {
            self.wrong(name, "\"hello_name\" is not a host name", None, findings);
        }
        let ca_file = secrets::ca_file(fields, &self.label, findings);
        let templates = self.mail_templates(findings);
        let (host, port) = server?;
        Some(EmailOptions {
            from: from?.text,
            to: to.into_iter().map(|address| address.text).collect(),
            host,
            port,
            tls,
            username: fields.text("username").map(|name| name.text),
            password,
            ca_file,
            hello_name: hello_name.map(|name| name.text),
            timeout: fields.timeout("timeout"),
            accept_timeout: fields.timeout("accept_timeout"),
            templates,
        })
    }

    fn mail_templates(&self, findings: &mut Findings) -> Templates {
        Templates {
            subject: self.template("subject_template", TemplateKind::EmailSubject, findings),
            text: self.template("text_template", TemplateKind::EmailText, findings),
            html: self.template("html_template", TemplateKind::EmailHtml, findings),
            body: None,
        }
    }

    fn check_addresses<'a>(
        &self,
        addresses: impl Iterator<Item = &'a Text>,
        findings: &mut Findings,
    ) {
        for address in addresses {
            self.check_address(address, findings);
        }
        let fields = self.fields();
        // A list of the wrong type was told already, and has no texts either.
        if fields.is_read("to") && fields.texts("to").is_empty() {
            let message = format!("{}: \"to\" names no recipient", self.label);
            findings.error(fields.place("to"), message, None);
        }
    }

    fn check_address(&self, address: &Text, findings: &mut Findings) {
        if address.text.parse::<Mailbox>().is_err() {
            let message = format!("not a mail address: {}", quoted(&address.text));
            let hint = "write \"desk@example.org\" or \"The Desk <desk@example.org>\"";
            self.wrong(address, &message, Some(hint), findings);
        }
    }

    fn check_login(&self, findings: &mut Findings) {
        const PASSWORD: [&str; 2] = ["password_file", "password_env"];
        let fields = self.fields();
        let password = PASSWORD.into_iter().find(|key| fields.is_given(key));
        let is_meant = PASSWORD.iter().any(|key| fields.is_meant(key));
        let (key, message, hint) = match (fields.is_given("username"), password) {
            (true, None) if !is_meant => {
                ("username", "a username without a password", "add password_file")
            }
            (false, Some(key)) if !fields.is_meant("username") => {
                (key, "a password without a username", "add username")
            }
            _ => return,
        };
        let message = format!("{}: {message}", self.label);
        findings.error(fields.place(key), message, Some(hint.to_owned()));
    }

    /// Host and port of the mail server.
    fn server(&self, smtp: &Text, tls: &Tls, findings: &mut Findings) -> Option<(String, u16)> {
        let hint = Some("write host:port, for example \"smtp.example.org:587\"");
        let text = smtp.text.as_str();
        // The last colon is the port's, unless it is one inside an IPv6 address.
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (text, None),
        };
        let usual = match tls {
            Tls::StartTls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        };
        let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port > 0));
        let (Some(host), Some(port)) = (host(name), port) else {
            let message = format!("not a mail server: {}", quoted(text));
            self.wrong(smtp, &message, hint, findings);
            return None;
        };
        if matches!(tls, Tls::None) && !is_loopback(&host) {
            let at = self.fields().place("tls").clone();
            let message = format!("{}: tls = \"none\" is for this machine only", self.label);
            let hint = "over the network, alerts and password would be readable by anybody";
            findings.error(&at, message, Some(hint.to_owned()));
            return None;
        }
        let host = match host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        Some((host, port))
    }
}

/// A host name or address; IPv6 addresses stand in brackets.
fn host(text: &str) -> Option<Host<String>> {
    let host = Host::parse(text).ok()?;
    let is_sane = match &host {
        Host::Domain(name) => {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    is_sane.then_some(host)
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.') == "localhost",
        Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
        Host::Ipv6(address) => Ipv6Addr::is_loopback(address),
    }
}
