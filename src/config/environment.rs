//! What a configuration takes from the process that reads it.

use std::collections::HashMap;
use std::path::PathBuf;

/// Directories and variables that paths and secrets may refer to. It has no
/// `Debug`, since variables hold secrets.
#[derive(Clone, Default)]
pub struct Environment {
    /// `$STATE_DIRECTORY`, set by systemd's `StateDirectory=`.
    pub state_directory: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`, set by systemd's `LoadCredential=`.
    pub credentials_directory: Option<PathBuf>,
    /// Where the process was started.
    pub working_directory: PathBuf,
    /// All variables whose name and value are Unicode.
    pub variables: HashMap<String, String>,
}

impl Environment {
    /// Reads the process's own.
    pub fn from_process() -> Self {
        let variables: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let directory = |name: &str| {
            // systemd separates several by colons; the first is the main one.
            let first = variables.get(name)?.split(':').next()?;
            (!first.is_empty()).then(|| PathBuf::from(first))
        };
        Self {
            state_directory: directory("STATE_DIRECTORY"),
            credentials_directory: directory("CREDENTIALS_DIRECTORY"),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            variables,
        }
    }
}
