//! Where words for people and programs go.

use std::io::{IsTerminal, Write};

use super::plain::{Escape, plain};
use crate::config::Problems;

/// Standard output. Errors of writing are returned: `tool | head` is no crash.
pub(super) struct Out {
    stdout: anstream::AutoStream<std::io::Stdout>,
}

impl Out {
    pub(super) fn new() -> Self {
        Self { stdout: anstream::AutoStream::auto(std::io::stdout()) }
    }

    /// A line of text, or several.
    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> std::io::Result<()> {
        writeln!(self.stdout, "{}", plain(&line.to_string(), Escape::Text))
    }

    /// A line with colours of ours, whose other parts were made plain.
    pub(super) fn painted(&mut self, line: &str) -> std::io::Result<()> {
        writeln!(self.stdout, "{line}")
    }

    /// A JSON object on a line of its own.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> std::io::Result<()> {
        let line = serde_json::to_string(value).map_err(std::io::Error::other)?;
        writeln!(self.stdout, "{}", plain(&line, Escape::Json))
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stdout.write_all(bytes)
    }

    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.stdout.flush()
    }
}

/// An error, on standard error.
pub(super) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "error: {}", plain(message, Escape::Text));
}

/// The same as a JSON object on a line of its own.
pub(super) fn complain_as_json(record: &serde_json::Value) {
    let _ = writeln!(std::io::stderr(), "{}", plain(&record.to_string(), Escape::Json));
}

/// A remark, on standard error.
pub(super) fn remark(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(message, Escape::Text));
}

/// How far long work got: a line that the next one overwrites, on a terminal only.
pub(super) fn progress(message: &str) {
    let mut stderr = std::io::stderr();
    if !stderr.is_terminal() {
        return;
    }
    let _ = write!(stderr, "\r\u{1b}[K{message}");
    let _ = stderr.flush();
}

/// Every problem of a configuration, on standard error.
pub(super) fn problems(problems: &Problems) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let _ = writeln!(std::io::stderr(), "{}", problems.render(colour));
}
