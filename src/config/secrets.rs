//! Files that the configuration names: secrets, templates, certificates.
//! What a secret file contains never enters a message.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::fields::{Fields, Text};
use super::problem::quoted;
use super::source::Findings;
use crate::deliver::{self, TemplateKind};
use crate::model::Secret;

/// No password, template or bundle of certificates is larger.
const MAX_FILE: u64 = 1024 * 1024;

/// Where a secret is kept.
#[derive(Clone, Debug)]
pub(super) enum Keeper {
    /// In a file of this name.
    File(Text),
    /// In this variable of the environment.
    Env(Text),
}

/// The secret of `NAME_file` or `NAME_env`, if one is given and all is well.
pub(super) fn secret(
    (fields, label): (&Fields, &str),
    (file_key, env_key): (&str, &str),
    env: &Environment,
    findings: &mut Findings,
) -> Option<Secret> {
    let keeper = match (fields.text(file_key), fields.text(env_key)) {
        (Some(_), Some(variable)) => {
            let message = format!("{label}: both {file_key} and {env_key} are given");
            findings.error(&variable.at, message, Some("remove one of them".to_owned()));
            return None;
        }
        (Some(file), None) => Keeper::File(file),
        (None, Some(variable)) => Keeper::Env(variable),
        (None, None) => return None,
    };
    fetch(label, &keeper, env, findings)
}

/// The secret itself, if all is well.
pub(super) fn fetch(
    label: &str,
    keeper: &Keeper,
    env: &Environment,
    findings: &mut Findings,
) -> Option<Secret> {
    let (found, at) = match keeper {
        Keeper::File(file) => (from_file(file, env, findings), &file.at),
        Keeper::Env(variable) => (from_variable(variable, env), &variable.at),
    };
    found.map_err(|(message, hint)| findings.error(at, format!("{label}: {message}"), hint)).ok()
}

fn from_variable(variable: &Text, env: &Environment) -> Result<Secret, Reason> {
    let value = env.variables.get(&variable.text).map(|value| value.trim_end());
    match value.filter(|value| !value.is_empty()) {
        Some(value) => Ok(Secret::new(value.to_owned())),
        None => {
            let name = quoted(&variable.text);
            Err((format!("the environment variable {name} is not set"), None))
        }
    }
}

type Reason = (String, Option<String>);

fn from_file(file: &Text, env: &Environment, findings: &Findings) -> Result<Secret, Reason> {
    let given = Path::new(&file.text);
    let credential = env
        .credentials_directory
        .as_ref()
        .zip(given.file_name())
        .map(|(directory, name)| directory.join(name))
        .filter(|path| path.exists());
    let is_credential = credential.is_some();
    let path = credential.unwrap_or_else(|| findings.directory(&file.at).join(given));
    let shown = quoted(&path.display().to_string());
    let text =
        read(&path).map_err(|reason| (format!("the secret's file {shown} {reason}"), None))?;
    if !is_credential {
        check_mode(&path, &shown)?;
    }
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err((format!("the secret's file {shown} is empty"), None));
    }
    Ok(Secret::new(text.to_owned()))
}

/// systemd guards its credentials itself; other files are ours to check.
#[cfg(unix)]
fn check_mode(path: &Path, shown: &str) -> Result<(), Reason> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("other users may read the secret's file {shown}");
    Err((message, Some(format!("chmod 600 {}", path.display()))))
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _shown: &str) -> Result<(), Reason> {
    Ok(())
}

/// The source of a template, checked.
pub(super) fn template(
    (fields, label): (&Fields, &str),
    (key, kind): (&str, TemplateKind),
    findings: &mut Findings,
) -> Option<String> {
    let file = fields.text(key)?;
    let path = findings.directory(&file.at).join(&file.text);
    let shown = quoted(&file.text);
    let source = match read(&path) {
        Ok(source) => source,
        Err(reason) => {
            findings.error(&file.at, format!("{label}: the template {shown} {reason}"), None);
            return None;
        }
    };
    if let Err(error) = deliver::check_template(kind, &source) {
        let line = error.line.map_or_else(String::new, |line| format!(", line {line}"));
        let message = format!("{label}: the template {shown}{line}: {}", error.message);
        findings.error(&file.at, message, None);
        return None;
    }
    Some(source)
}

/// The path of a bundle of certificates that can be read.
pub(super) fn ca_file(fields: &Fields, label: &str, findings: &mut Findings) -> Option<PathBuf> {
    let file = fields.text("ca_file")?;
    let path = findings.directory(&file.at).join(&file.text);
    let shown = quoted(&file.text);
    let reason = match read(&path) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return Some(path),
        Ok(_) => "contains no certificate in PEM form".to_owned(),
        Err(reason) => reason,
    };
    findings.error(&file.at, format!("{label}: the ca_file {shown} {reason}"), None);
    None
}

/// A file's text; the error completes a sentence that begins with its name.
fn read(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}
