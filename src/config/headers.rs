//! `headers = { ... }` of a feed: which may be set, and where their values come from.

use super::fields::{Text, kind_of};
use super::problem::quoted;
use super::secrets::Keeper;
use super::source::{Entry, Findings, Node, Place};

/// A header field as the file gives it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) value: HeaderValue,
}

/// Where its value comes from.
#[derive(Clone, Debug)]
pub(super) enum HeaderValue {
    /// Stands in the configuration: no secret.
    Plain(Text),
    /// Kept elsewhere.
    Secret(Keeper),
}

/// Fields that we set ourselves, or that would break the reading of answers,
/// each with the reason.
const RESERVED: [(&str, &str); 19] = [
    ("accept-encoding", "it is set to what can be decoded"),
    ("authorization", "use username or bearer_token_file"),
    ("connection", "it belongs to the connection"),
    ("content-encoding", "a request for a feed has no body"),
    ("content-length", "a request for a feed has no body"),
    ("content-type", "a request for a feed has no body"),
    ("cookie", "no cookies are kept or sent"),
    ("expect", "a request for a feed has no body"),
    ("host", "it comes from the URL"),
    ("if-match", "it would hide news"),
    ("if-modified-since", "it is set from the last answer"),
    ("if-none-match", "it is set from the last answer"),
    ("if-unmodified-since", "it would hide news"),
    ("proxy-authorization", "put the credentials into the URL in proxy_file"),
    ("range", "it would hide news"),
    ("te", "it belongs to the connection"),
    ("transfer-encoding", "it belongs to the connection"),
    ("upgrade", "it belongs to the connection"),
    ("user-agent", "use user_agent"),
];

/// Reads the table. What is wrong is reported and left out.
pub(super) fn read(entries: &[Entry], findings: &mut Findings) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for entry in entries {
        let label = format!("header {}", quoted(&entry.key));
        if let Err((message, hint)) = check_name(&entry.key) {
            findings.error(&entry.at, format!("{label}: {message}"), hint);
            continue;
        }
        if headers.iter().any(|other| other.name.eq_ignore_ascii_case(&entry.key)) {
            findings.error(&entry.at, format!("{label}: given twice"), None);
            continue;
        }
        if let Some(value) = value(&label, entry, findings) {
            headers.push(Header { name: entry.key.clone(), at: entry.at.clone(), value });
        }
    }
    headers
}

type Reason = (String, Option<String>);

/// Field names are tokens (RFC 9110 section 5.6.2).
fn check_name(name: &str) -> Result<(), Reason> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(("not a header's name".to_owned(), None));
    }
    let lower = name.to_ascii_lowercase();
    match RESERVED.iter().find(|(reserved, _)| *reserved == lower) {
        Some((_, reason)) => Err(("cannot be set".to_owned(), Some((*reason).to_owned()))),
        None => Ok(()),
    }
}

fn value(label: &str, entry: &Entry, findings: &mut Findings) -> Option<HeaderValue> {
    let at = &entry.value.at;
    match &entry.value.node {
        Node::Text(text) => {
            if let Err(reason) = check_value(text) {
                findings.error(at, format!("{label}: {reason}"), None);
                return None;
            }
            Some(HeaderValue::Plain(Text { text: text.clone(), at: at.clone() }))
        }
        Node::Table(entries) => match entries.as_slice() {
            [only] => secret(label, only, findings),
            _ => wrong(label, at, findings),
        },
        Node::Broken => None,
        node => {
            let message = format!("{label}: takes a text, not {}", kind_of(node));
            findings.error(at, message, None);
            None
        }
    }
}

fn secret(label: &str, only: &Entry, findings: &mut Findings) -> Option<HeaderValue> {
    match (only.key.as_str(), &only.value.node) {
        (_, Node::Broken) => None,
        ("file" | "env", Node::Text(text)) if !text.trim().is_empty() => {
            let text = Text { text: text.clone(), at: only.value.at.clone() };
            let is_file = only.key == "file";
            Some(HeaderValue::Secret(if is_file { Keeper::File(text) } else { Keeper::Env(text) }))
        }
        _ => wrong(label, &only.at, findings),
    }
}

fn wrong(label: &str, at: &Place, findings: &mut Findings) -> Option<HeaderValue> {
    let hint = "write { file = \"api-key\" } or { env = \"API_KEY\" }".to_owned();
    findings.error(at, format!("{label}: takes one of file and env"), Some(hint));
    None
}

/// Whether a text can be a field's value (RFC 9110 section 5.5).
///
/// # Errors
/// The reason, without the value.
pub(super) fn check_value(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        return Err("the value is empty");
    }
    if text.chars().any(|c| c != '\t' && !(' '..='~').contains(&c)) {
        return Err("the value has characters that a header cannot carry");
    }
    Ok(())
}
