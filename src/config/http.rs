//! `[http]`: the endpoint that tells whether wirewatch is alive.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::address::http_url;
use super::document::Document;
use super::environment::Environment;
use super::fields::{Fields, Text};
use super::problem::quoted;
use super::request;
use super::secrets;
use super::source::Findings;
use crate::model::Secret;

/// Where the endpoint listens, and for whom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpConfig {
    /// The address; none if it does not listen (but for a passed socket).
    pub listen: Option<SocketAddr>,
    /// Names in the `Host` header besides those of this machine.
    pub hosts: Vec<String>,
    /// Who knows it may see figures and reasons; everybody if there is none.
    pub token: Option<Secret>,
    /// How it is reached from outside; ends with a slash.
    pub public_url: Option<Url>,
}

const TOKEN: (&str, &str) = ("token_file", "token_env");

/// Names as browsers and others write them in the `Host` header; addresses
/// without brackets.
fn hosts(given: Vec<Text>, findings: &mut Findings) -> Vec<String> {
    let mut hosts = Vec::new();
    for host in given {
        let bare = host.text.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() {
            hosts.push(bare.to_owned());
            continue;
        }
        let known = Host::parse(&host.text).ok().filter(|_| !host.text.contains('*'));
        let written = known.map(|known| known.to_string());
        if written.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&host.text))
            && !host.text.ends_with('.')
        {
            hosts.push(host.text);
            continue;
        }
        let message = format!("[http]: {} is no name to ask by", quoted(&host.text));
        let hint = match written.or_else(|| host_within(&host.text)) {
            Some(name) => format!("did you mean {}?", quoted(name.trim_end_matches('.'))),
            None => "write each name in full, alone: \"watch.example.org\"".to_owned(),
        };
        findings.error(&host.at, message, Some(hint));
    }
    hosts
}

/// The name in a URL, or before a port.
fn host_within(text: &str) -> Option<String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let host = Url::parse(&url).ok()?.host()?.to_string();
    (!host.contains('*')).then_some(host)
}

/// Reads the table.
pub(super) fn http(document: &Document, env: &Environment, findings: &mut Findings) -> HttpConfig {
    let fields = &document.http;
    let hosts: Vec<String> = hosts(fields.texts("hosts"), findings);
    let token = secrets::secret((fields, "[http]"), TOKEN, env, findings)
        .and_then(|token| request::check_secret((fields, "[http]"), TOKEN, token, findings));
    let public_url = public_url(fields, findings);
    let mut listen = None;
    if let Some(text) = fields.text("listen") {
        match text.text.replacen("localhost:", "127.0.0.1:", 1).parse::<SocketAddr>() {
            Ok(address) => listen = Some(address),
            Err(_) => {
                let message = format!("[http]: {} is no address to listen at", quoted(&text.text));
                let hint = "write an address and a port, such as \"127.0.0.1:8466\"".to_owned();
                findings.error(&text.at, message, Some(hint));
            }
        }
        let open = listen.is_some_and(|address| !address.ip().is_loopback());
        if open && (token.is_none() || hosts.is_empty()) && !findings.incomplete {
            let message = format!(
                "[http]: {} can be reached from other machines, so it needs a token and hosts",
                quoted(&text.text)
            );
            let hint = "give \"token_file\" and \"hosts\", or listen at 127.0.0.1".to_owned();
            findings.error(&text.at, message, Some(hint));
        }
    } else if let Some(key) = ["hosts", "token_file", "token_env", "public_url"]
        .into_iter()
        .find(|key| fields.is_given(key))
    {
        let message =
            "[http]: without \"listen\" only a socket of systemd's is answered".to_owned();
        findings.warn(fields.place(key), message, None);
    }
    HttpConfig { listen, hosts, token, public_url }
}

/// The base of the addresses that hubs are given.
fn public_url(fields: &Fields, findings: &mut Findings) -> Option<Url> {
    let given = fields.text("public_url")?;
    // It may lie in a network of the user's own.
    let mut url = http_url("[http]", &given, true, findings)?;
    if url.query().is_some() || url.fragment().is_some() {
        let message = format!("[http]: {} has more than a host and a path", quoted(&given.text));
        let hint = "leave out what stands behind ? and #".to_owned();
        findings.error(&given.at, message, Some(hint));
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}
