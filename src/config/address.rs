//! The URLs of feeds and webhooks, checked as far as that goes without asking anybody.

use std::path::{Path, PathBuf};

use url::Url;

use super::environment::Environment;
use super::fields::Text;
use super::problem::quoted;
use super::source::{Findings, Place};
use crate::net;

const ALLOW_PRIVATE: &str = "if that is meant, add allow_private = true to this table";

/// Checks an `http:` or `https:` URL as far as that goes without asking anybody.
pub(super) fn http_url(
    label: &str,
    given: &Text,
    allow_private: bool,
    findings: &mut Findings,
) -> Option<Url> {
    let wrong = |findings: &mut Findings, message: String, hint: Option<String>| {
        findings.error(&given.at, format!("{label}: {message}"), hint);
        None
    };
    let url = match Url::parse(&given.text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let hint = format!("did you mean {}?", quoted(&format!("https://{}", given.text)));
            return wrong(findings, "the URL does not begin with https://".to_owned(), Some(hint));
        }
        Err(error) => return wrong(findings, format!("not a URL: {error}"), None),
    };
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("cannot fetch {}", quoted(&format!("{}:", url.scheme())));
        return wrong(findings, message, Some("URLs begin with https:// or http://".to_owned()));
    }
    // URLs are logged and listed, so they cannot hold secrets.
    if !url.username().is_empty() || url.password().is_some() {
        let message = "a URL must not contain a user name or password".to_owned();
        let instead =
            if label.starts_with("feed") { "; write username and password_file" } else { "" };
        let hint = format!("URLs are shown in logs and messages{instead}");
        return wrong(findings, message, Some(hint));
    }
    // The address behind a name is checked when it is asked; of this one we know it.
    if url.host_str() == Some("localhost") && !allow_private {
        let message = "the URL is refused: \"localhost\" is this machine".to_owned();
        return wrong(findings, message, Some(ALLOW_PRIVATE.to_owned()));
    }
    if let Err(reason) = net::check_url(&url, allow_private) {
        let could_be_allowed = !allow_private && net::check_url(&url, true).is_ok();
        let hint = could_be_allowed.then(|| ALLOW_PRIVATE.to_owned());
        return wrong(findings, format!("the URL is refused: {reason}"), hint);
    }
    Some(url)
}

/// `file:` or `exec:` and the absolute path. The file may come later, so that
/// it is missing is no error.
pub(super) fn local_url(
    label: &str,
    (scheme, given): (&str, &Text),
    env: &Environment,
    findings: &mut Findings,
) -> Option<String> {
    let rest = given.text.strip_prefix(scheme).unwrap_or_default();
    let path = if rest.starts_with("//") {
        let file_url = Url::parse(&format!("file:{rest}")).ok();
        file_url.and_then(|url| url.to_file_path().ok())
    } else if rest.is_empty() {
        None
    } else {
        Some(findings.directory(&given.at).join(rest))
    };
    let Some(path) = path else {
        let hint = format!("write {scheme}relative/path or {scheme}///absolute/path");
        let article = if scheme == "exec:" { "an" } else { "a" };
        findings.error(&given.at, format!("{label}: not {article} {scheme} URL"), Some(hint));
        return None;
    };
    let path: PathBuf = env.working_directory.join(path).components().collect();
    report_state(label, &path, &given.at, findings);
    if scheme == "exec:" && path.is_file() && !is_executable(&path) {
        let message = format!("{label}: {} is not executable", quoted(&path.display().to_string()));
        findings.warn(&given.at, message, Some(format!("chmod +x {}", path.display())));
    }
    let Some(path) = path.to_str() else {
        findings.error(&given.at, format!("{label}: the file's path is not Unicode"), None);
        return None;
    };
    Some(format!("{scheme}{path}"))
}

fn report_state(label: &str, path: &Path, at: &Place, findings: &mut Findings) {
    let shown = quoted(&path.display().to_string());
    if path.is_dir() {
        findings.error(at, format!("{label}: {shown} is a directory"), None);
    } else if !path.exists() {
        findings.warn(at, format!("{label}: there is no file {shown} yet"), None);
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}
