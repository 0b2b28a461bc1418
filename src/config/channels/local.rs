//! `[channel.*.exec]`, `[channel.*.file]` and `[channel.*.feed]` as values.

use std::path::PathBuf;

use super::ChannelReader;
use crate::config::fields::Text;
use crate::config::problem::quoted;
use crate::config::source::Findings;
use crate::deliver::{ExecOptions, FeedOptions, FileOptions};

impl ChannelReader<'_> {
    pub(super) fn exec(&self, findings: &mut Findings) -> Option<ExecOptions> {
        let fields = self.fields();
        let command = fields.texts("command");
        let Some(program) = command.first() else {
            // A list of the wrong type was told already, and has no texts either.
            if fields.is_read("command") {
                let message = format!("{}: \"command\" names no program", self.label);
                findings.error(fields.place("command"), message, None);
            }
            return None;
        };
        if !program.text.starts_with('/') {
            let hint = Some("there is no search in PATH, and no shell");
            self.wrong(program, "the program's path is not absolute", hint, findings);
            return None;
        }
        if !std::path::Path::new(&program.text).exists() {
            let message =
                format!("{}: there is no program {} yet", self.label, quoted(&program.text));
            findings.warn(&program.at, message, None);
        }
        Some(ExecOptions {
            command: command.into_iter().map(|text| text.text).collect(),
            timeout: fields.timeout("timeout"),
        })
    }

    pub(super) fn file(&self, findings: &mut Findings) -> Option<FileOptions> {
        Some(FileOptions { path: self.path(&self.fields().text("path")?, findings)? })
    }

    pub(super) fn feed(&self, findings: &mut Findings) -> Option<FeedOptions> {
        let fields = self.fields();
        Some(FeedOptions {
            path: self.path(&fields.text("path")?, findings)?,
            title: fields.text("title").map(|title| title.text),
            entries: fields.count("entries"),
        })
    }

    /// A file to write, relative to the configuration's.
    fn path(&self, given: &Text, findings: &mut Findings) -> Option<PathBuf> {
        let path = findings.directory(&given.at).join(&given.text);
        let path: PathBuf = self.env.working_directory.join(path).components().collect();
        if path.is_dir() {
            let message = format!("{} is a directory", quoted(&path.display().to_string()));
            self.wrong(given, &message, None, findings);
            return None;
        }
        if path.parent().is_some_and(|folder| !folder.is_dir()) {
            let message = format!(
                "{}: the folder of {} does not exist yet",
                self.label,
                quoted(&path.display().to_string())
            );
            findings.warn(&given.at, message, None);
        }
        Some(path)
    }
}
