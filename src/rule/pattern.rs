//! Regular expressions on the text as it stands.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::syntax::SyntaxError;

/// Most bytes of a regular expression as written.
const MOST_BYTES: usize = 1_000;
/// Most bytes that it may take in memory, and its cache besides.
const MOST_MEMORY: usize = 1 << 20;

/// A regular expression that can be looked for.
#[derive(Clone, Debug)]
pub(super) struct TextPattern {
    /// As written, without the slashes.
    source: String,
    any_case: bool,
    regex: Regex,
}

impl TextPattern {
    /// Compiles what stands between the slashes of `/.../` or `/.../i`, whose
    /// first byte stands at `start`.
    ///
    /// # Errors
    ///
    /// When it is none, is too large, or is found everywhere.
    pub(super) fn new(source: &str, any_case: bool, start: usize) -> Result<Self, SyntaxError> {
        let whole = start..start + source.len();
        if source.len() > MOST_BYTES {
            let message = format!("this regular expression is longer than {MOST_BYTES} bytes");
            return Err(SyntaxError::new(whole, message).hint("make several of it, with OR"));
        }
        let built = RegexBuilder::new(source)
            .case_insensitive(any_case)
            .size_limit(MOST_MEMORY)
            .dfa_size_limit(MOST_MEMORY)
            .nest_limit(50)
            .build();
        let regex = built.map_err(|error| {
            let error = match error {
                regex::Error::CompiledTooBig(_) => {
                    "this regular expression is too large".to_owned()
                }
                other => {
                    let text = other.to_string();
                    let last = text.trim().lines().last().unwrap_or_default();
                    let last = last.trim_start_matches("error: ");
                    format!("this is no regular expression: {last}")
                }
            };
            let hint = "\\d, \\w, (a|b), {2,4} are known; look-around and back-references are not";
            SyntaxError::new(whole.clone(), error).hint(hint)
        })?;
        if regex.is_match("") {
            let message = "this regular expression is found everywhere, in an empty text too";
            return Err(SyntaxError::new(whole, message).hint("say what must be there at least"));
        }
        Ok(Self { source: source.to_owned(), any_case, regex })
    }

    /// How it is written.
    pub(super) fn display(&self) -> String {
        format!("/{}/{}", self.source, if self.any_case { "i" } else { "" })
    }

    /// Everywhere it is found.
    pub(super) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}
