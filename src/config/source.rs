//! Files and their TOML as a tree in which every key and value knows its place.
//! What the keys mean is not known here.

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::edit::Edits;
use super::problem::{Gravity, Problem, Problems, position};
use super::text;

/// Nobody writes this much by hand; a wrong path must not fill the memory.
const MAX_FILE: u64 = 8 * 1024 * 1024;

/// A range of bytes in one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) span: Range<usize>,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Item>),
    Table(Vec<Entry>),
    /// A type that no key takes, by its name.
    Other(&'static str),
    /// Stands where a syntax error left no value; already reported.
    Broken,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) node: Node,
    pub(super) at: Place,
}

/// A key, where it stands, and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Place,
    pub(super) value: Item,
}

struct Source {
    /// Where it is.
    real: PathBuf,
    /// As it was named, for people.
    shown: PathBuf,
    /// What relative paths in the file start from.
    directory: PathBuf,
    text: Arc<str>,
    /// Lines with syntax errors: what else is wrong there is their echo.
    broken_lines: Vec<usize>,
}

/// The files read so far and all that was found wrong with them.
#[derive(Default)]
pub(super) struct Findings {
    /// What files would contain, in place of what they do.
    edits: Edits,
    sources: Vec<Source>,
    list: Vec<(usize, Problem)>,
    /// A file could not be read or parsed, so things may seem to be missing that are not.
    pub(super) incomplete: bool,
}

impl Findings {
    /// Nothing read yet; these texts will be taken for the files'.
    pub(super) fn with(edits: Edits) -> Self {
        Self { edits, ..Self::default() }
    }

    /// Where the files are that were read.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().map(|source| source.real.as_path())
    }

    /// What files would contain.
    pub(super) fn edits(&self) -> &Edits {
        &self.edits
    }

    /// Reports an error at a place.
    pub(super) fn error(&mut self, at: &Place, message: String, hint: Option<String>) {
        self.report(Gravity::Error, at, message, hint);
    }

    /// Reports a warning at a place.
    pub(super) fn warn(&mut self, at: &Place, message: String, hint: Option<String>) {
        self.report(Gravity::Warning, at, message, hint);
    }

    /// Whether anything is wrong yet. Then what seems to be missing or unused
    /// may only be written wrongly.
    pub(super) fn has_errors(&self) -> bool {
        self.incomplete || self.list.iter().any(|(_, p)| p.severity == Gravity::Error)
    }

    /// Reports a warning about the configuration as a whole.
    pub(super) fn warn_all(&mut self, message: &str, hint: &str) {
        if let Some(source) = self.sources.first() {
            let problem = Problem::new(
                Gravity::Warning,
                &source.shown,
                source.text.clone(),
                None,
                message.to_owned(),
            );
            self.list.push((0, problem.with_hint(Some(hint.to_owned()))));
        }
    }

    fn report(&mut self, gravity: Gravity, at: &Place, message: String, hint: Option<String>) {
        let Some(source) = self.sources.get(at.file) else { return };
        let span = Some(at.span.clone());
        let problem = Problem::new(gravity, &source.shown, source.text.clone(), span, message);
        let last = problem.span.as_ref().map_or(problem.line, |s| position(&source.text, s.end).0);
        let is_echo = source.broken_lines.iter().any(|n| (problem.line..=last).contains(n));
        let problem = problem.with_hint(hint);
        let is_repeat = self.list.iter().any(|(file, p)| *file == at.file && *p == problem);
        if !is_echo && !is_repeat {
            self.list.push((at.file, problem));
        }
    }

    /// What paths named in this file are relative to.
    pub(super) fn directory(&self, at: &Place) -> PathBuf {
        self.sources.get(at.file).map(|source| source.directory.clone()).unwrap_or_default()
    }

    /// The place of a byte range inside a string's value.
    pub(super) fn inside(&self, at: &Place, range: Range<usize>) -> Place {
        let raw = self.sources.get(at.file).and_then(|source| source.text.get(at.span.clone()));
        let range = text::map(raw.unwrap_or_default(), range);
        Place { file: at.file, span: at.span.start + range.start..at.span.start + range.end }
    }

    /// `file:line`, to point from one place to another.
    pub(super) fn name_place(&self, at: &Place) -> String {
        self.sources.get(at.file).map_or_else(String::new, |source| {
            format!("{}:{}", source.shown.display(), position(&source.text, at.span.start).0)
        })
    }

    /// All that was found, in the order of files and lines, and the files.
    pub(super) fn finish(mut self) -> (Vec<PathBuf>, Problems) {
        self.list.sort_by_key(|(file, problem)| {
            (*file, problem.span.as_ref().map_or(0, |span| span.start), problem.severity)
        });
        let list = self.list.into_iter().map(|(_, problem)| problem).collect();
        (self.sources.into_iter().map(|source| source.shown).collect(), Problems { list })
    }

    /// Reads and parses one file. `shown` is its name for people, `real` where it is.
    pub(super) fn read(&mut self, shown: PathBuf, real: &Path) -> (usize, Vec<Entry>) {
        let directory = real.parent().map(Path::to_path_buf).unwrap_or_default();
        let file = self.sources.len();
        let edited = self.edits.text(real).map(|text| Ok(text.to_owned()));
        let (text, failure) = match edited.unwrap_or_else(|| read_text(real)) {
            Ok(text) => (text, None),
            Err(reason) => (String::new(), Some(reason)),
        };
        let text: Arc<str> = Arc::from(text);
        let broken_lines = Vec::new();
        let real = real.to_path_buf();
        self.sources.push(Source { real, shown: shown.clone(), directory, text, broken_lines });
        if let Some(message) = failure {
            self.incomplete = true;
            let hint = (file == 0 && !self.sources[file].real.exists()).then(|| NO_FILE.to_owned());
            let problem = Problem::new(Gravity::Error, &shown, Arc::from(""), None, message);
            self.list.push((file, problem.with_hint(hint)));
        }
        (file, self.parse(file))
    }

    fn parse(&mut self, file: usize) -> Vec<Entry> {
        let text = self.sources[file].text.clone();
        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            self.incomplete = true;
            let span = error.span().unwrap_or(0..0);
            let at = Place { file, span: span.start.min(text.len())..span.end.min(text.len()) };
            let line = position(&text, floor(&text, at.span.start)).0;
            // `report` drops all but the first error of a line, since this list grows here.
            let message = syntax_message(&text, &at.span, error.message());
            self.error(&at, message, syntax_hint(&text, &at.span));
            self.sources[file].broken_lines.push(line);
        }
        entries(table.get_ref(), file)
    }
}

/// Where to go on without a configuration.
const NO_FILE: &str = "name another with --config FILE; without it config/wirewatch.toml, \
    wirewatch.toml and /etc/wirewatch/wirewatch.toml are looked for; \
    `wirewatch generate reference` prints one to begin with";

fn read_text(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "no permission to read this file".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let file = File::open(path).map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_dir() {
        return Err("this is a directory, not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("the file is larger than 8 MiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn entries(table: &DeTable<'_>, file: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            at: Place { file, span: key.span() },
            value: item(value, file),
        })
        .collect();
    // The parser sorts by name.
    entries.sort_by_key(|entry| entry.at.span.start);
    entries
}

fn item(value: &Spanned<DeValue<'_>>, file: usize) -> Item {
    let node = match value.get_ref() {
        DeValue::String(text) => Node::Text(text.clone().into_owned()),
        // The parser's stand-in after a syntax error.
        DeValue::Integer(_) if value.span().is_empty() => Node::Broken,
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Node::Other("integer beyond all bounds"), Node::Integer),
        DeValue::Float(_) => Node::Other("number with a fraction"),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Datetime(_) => Node::Other("date"),
        DeValue::Array(list) => Node::List(list.iter().map(|value| item(value, file)).collect()),
        DeValue::Table(table) => Node::Table(entries(table, file)),
    };
    Item { node, at: Place { file, span: value.span() } }
}

fn syntax_message(text: &str, span: &Range<usize>, message: &str) -> String {
    match text.get(span.clone()) {
        Some(key) if message == "duplicate key" => format!("\"{key}\" is given twice"),
        _ => format!("not valid TOML: {message}"),
    }
}

/// The trap that rules invite: '...' knows no doubled quote.
fn syntax_hint(text: &str, span: &Range<usize>) -> Option<String> {
    let at = floor(text, span.start);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let line: Vec<char> = text[start..end].chars().collect();
    let doubled = line.windows(4).any(|c| {
        c[0].is_alphanumeric() && c[1] == '\'' && c[2] == '\'' && c[3] != '\'' && c[3] != ','
    });
    doubled.then(|| {
        "inside '...' a quote cannot be doubled: write '''...''' around the text, or the curly ’"
            .to_owned()
    })
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
