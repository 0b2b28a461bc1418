//! Keys that a table does not have, and what was probably meant.

use super::keys::{self, Section};
use super::problem::{nearest, quoted};
use super::source::{Entry, Findings};

/// Reports a key that its table does not have; the one that was probably meant.
pub(super) fn report(
    section: &'static Section,
    entry: &Entry,
    label: &str,
    findings: &mut Findings,
) -> Option<&'static str> {
    let known = || section.keys.iter().map(|key| key.name);
    let meant = nearest(&entry.key, known());
    let elsewhere: Vec<String> = keys::SECTIONS
        .iter()
        .filter(|other| other.key(&entry.key).is_some())
        .map(|other| other.header())
        .collect();
    let hint = match meant {
        Some(meant) => format!("did you mean {}?", quoted(meant)),
        None if elsewhere.is_empty() => {
            format!("keys here: {}", known().collect::<Vec<_>>().join(", "))
        }
        None => format!("{} belongs in {}", quoted(&entry.key), elsewhere.join(" or ")),
    };
    findings.error(&entry.at, format!("{label}: unknown key {}", quoted(&entry.key)), Some(hint));
    meant
}
