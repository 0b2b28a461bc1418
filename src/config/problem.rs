//! What is wrong with a configuration, and how it is shown to a person.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};

use crate::model::secret_parts;

/// Whether a problem keeps the configuration from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// The configuration is refused.
    Error,
    /// It works, but probably not as meant.
    Warning,
}

impl Gravity {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Gravity,
    /// The file, as it was named.
    pub file: PathBuf,
    /// Bytes of the file's text (without a byte order mark).
    pub span: Option<Range<usize>>,
    /// From 1; 1 when the problem is the file as a whole.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Shared by all problems of the file; empty when it could not be read.
    source: Arc<str>,
}

impl Problem {
    /// A problem at a place in `source`, or of the whole file.
    pub(super) fn new(
        severity: Gravity,
        file: &Path,
        source: Arc<str>,
        span: Option<Range<usize>>,
        message: String,
    ) -> Self {
        let span = span.map(|span| snap(&source, span));
        let (line, column) = span.as_ref().map_or((1, 1), |span| position(&source, span.start));
        let file = file.to_path_buf();
        Self { severity, file, span, line, column, message, hint: None, source }
    }

    /// The same with advice.
    pub(super) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Shows the problem with its source line, a caret and the hint.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let level = match self.severity {
            Gravity::Error => Level::ERROR,
            Gravity::Warning => Level::WARNING,
        };
        let path = normalize_untrusted_str(&self.file.display().to_string());
        let title = level.primary_title(self.message.as_str());
        let first = match &self.span {
            Some(span) => title.element(self.snippet(span, path)),
            None => title.element(Origin::path(path)),
        };
        let mut report: Vec<Group<'_>> = vec![first];
        if let Some(hint) = &self.hint {
            let hint = Level::HELP.secondary_title(normalize_untrusted_str(hint));
            report.push(Group::with_title(hint));
        }
        renderer.render(&report)
    }

    fn snippet<'a>(
        &'a self,
        span: &Range<usize>,
        path: String,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        // Only the lines concerned are handed over, for the renderer looks at all it gets.
        let start = line_start(&self.source, span.start);
        let end = self.source[span.end..].find('\n').map_or(self.source.len(), |n| span.end + n);
        let table = self.source[..start].rfind("\n[").map_or(0, |at| at + 1);
        let in_channel = self.source[table..].starts_with("[channel.");
        Snippet::source(masked(&self.source[start..end], in_channel))
            .line_start(self.line)
            .path(path)
            .annotation(AnnotationKind::Primary.span(span.start - start..span.end - start))
    }
}

impl fmt::Display for Problem {
    /// One line, for logs: `watch.toml:12:13: rule "mergers": …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        let line = format!("{file}:{}:{}: {}", self.line, self.column, self.message);
        f.write_str(&normalize_untrusted_str(&line))
    }
}

/// Everything that is wrong, errors and warnings, in the order of files and lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The problems.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Shows all problems, a blank line between them.
    pub fn render(&self, color: bool) -> String {
        let parts: Vec<String> = self.list.iter().map(|problem| problem.render(color)).collect();
        parts.join("\n\n")
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Gravity::Error).count()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// A text of the user's inside a message: quoted, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut line: String =
        text.chars().take(LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        line.push('…');
    }
    format!("\"{line}\"")
}

/// The closest of `known`, if it is close enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| {
            let longest = word.chars().count().max(candidate.chars().count());
            *distance <= (longest / 3).max(1) && *distance < longest
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint made of [`nearest`].
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, known).map(|best| format!("did you mean \"{best}\"?"))
}

/// The lines, with stars for what looks like a secret that was written where
/// none belongs: problems are printed, and land in logs. Of a channel's URL the
/// path may be the secret, too.
fn masked(lines: &str, in_channel: bool) -> Cow<'_, str> {
    const WORDS: [&str; 5] = ["password", "passwd", "secret", "token", "api_key"];
    let is_secret = |line: &str| {
        let key = line.split_once('=').map_or("", |(key, _)| key).to_ascii_lowercase();
        let key = key.trim();
        let place = key.ends_with("_file") || key.ends_with("_env");
        !place && WORDS.iter().any(|word| key.contains(word))
    };
    if !lines.lines().any(|line| is_secret(line) || line.contains("://")) {
        return Cow::Borrowed(lines);
    }
    // As many bytes as before, so that the place stays right.
    let star = |c: char| match c {
        ' ' | '\n' | '\r' | '"' | '\'' => c.to_string(),
        c => "*".repeat(c.len_utf8()),
    };
    let stars = |text: &str| text.chars().map(star).collect::<String>();
    let masked = lines.split_inclusive('\n').map(|line| match line.split_once('=') {
        Some((key, value)) if is_secret(line) => {
            format!("{key}={}", stars(value))
        }
        _ => {
            let mut line = line.to_owned();
            for part in secrets_of_urls(&line, in_channel) {
                let hidden = stars(&line[part.clone()]);
                line.replace_range(part, &hidden);
            }
            line
        }
    });
    Cow::Owned(masked.collect())
}

/// Where the URLs of a line hold secrets.
fn secrets_of_urls(line: &str, in_channel: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("://") {
        let start = line[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let end = line[at..].find(['"', '\'', ' ', '\n']).map_or(line.len(), |n| at + n);
        let url = &line[start..end];
        found
            .extend(secret_parts(url).into_iter().map(|part| start + part.start..start + part.end));
        let path = url[at + 3 - start..].find(['/', '?', '#']).map(|n| at + 3 + n);
        found.extend(path.filter(|_| in_channel).map(|path| path..end));
    }
    found
}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(super) fn position(source: &str, at: usize) -> (usize, usize) {
    let start = line_start(source, at);
    let line = source[..start].matches('\n').count() + 1;
    (line, source[start..at].chars().count() + 1)
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Brings a span inside the text and onto character boundaries, since spans
/// also come from parsers of other modules.
fn snap(source: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_stand_where_none_belongs_are_not_shown() {
        let check = |line: &str, expected: &str| assert_eq!(masked(line, false), expected);
        check("password = \"hunter2\"", "password = \"*******\"");
        check("x = 1\nsmtp_password = 'pä'\nurl = 'u'", "x = 1\nsmtp_password = '***'\nurl = 'u'");
        check("Authorization_Token='abc' # why", "Authorization_Token='***' * ***");
        check("password_file = \"smtp-password\"", "password_file = \"smtp-password\"");
        check("url = 'https://example.org/?token=x'", "url = 'https://example.org/?token=*'");
        check("url = \"https://us:pä@example.org/é\"", "url = \"https://******@example.org/é\"");
        let line = "url = \"https://u@hooks.example.org/T0/B0/x?y=z\" # why";
        let expected = "url = \"https://*@hooks.example.org************\" # why";
        assert_eq!(masked(line, true), expected);
    }
}
