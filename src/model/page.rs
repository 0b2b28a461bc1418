//! The page behind an entry's link: whether it is read, and what came of it.

use jiff::Timestamp;

use super::{Entry, EntryId, FeedName, StoryId};

/// When pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fulltext {
    /// Not at all: what the feed says is all there is.
    #[default]
    Never,
    /// Where the feed's text is short and a rule is not decided by it.
    Auto,
    /// For each new entry.
    Always,
}

impl Fulltext {
    /// All of them, as written in the configuration.
    pub const ALL: [Self; 3] = [Self::Never, Self::Auto, Self::Always];

    /// The word used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Auto => "auto",
            Self::Always => "always",
        }
    }

    /// Reads [`Fulltext::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A page that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPage {
    /// `http(s)://…`
    pub url: String,
    /// Its host, which has a budget.
    pub host: String,
    /// Whether it is read although the story's text was read elsewhere.
    pub always: bool,
}

/// What each host is asked for at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageBudget {
    /// Pages a day (UTC).
    pub pages: u32,
    /// Bytes a day (UTC), as they arrived after decoding.
    pub bytes: u64,
}

/// A page that was claimed to be read.
#[derive(Clone, Debug)]
pub struct ClaimedPage {
    /// The entry that links to it.
    pub entry: EntryId,
    /// Its feed.
    pub feed: FeedName,
    /// The address.
    pub url: String,
    /// Its host.
    pub host: String,
    /// Tries so far, this one included.
    pub attempts: u32,
}

/// A page's text, made plain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadPage {
    /// Paragraphs, one a line.
    pub text: String,
    /// The page's own headline.
    pub title: Option<String>,
    /// BCP 47.
    pub lang: Option<String>,
    /// Bytes of the page.
    pub bytes: u64,
}

/// What became of a try that gave no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadPage {
    /// For people.
    pub reason: String,
    /// Bytes that arrived.
    pub bytes: u64,
    /// When to try again; `None` when that would not help.
    pub again: Option<Timestamp>,
    /// Until when its host wants no request.
    pub host_rests: Option<Timestamp>,
}

/// What is known of an entry's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRow {
    /// The entry.
    pub entry: EntryId,
    /// Its story.
    pub story: StoryId,
    /// The address.
    pub url: String,
    /// waiting, read, unread or spared.
    pub state: String,
    /// Why it was not read.
    pub reason: Option<String>,
    /// When it was decided.
    pub at: Option<Timestamp>,
    /// Words of its text.
    pub words: usize,
}

/// A last line of more bytes is no credits.
const LONGEST_CREDITS: usize = 300;

/// The whole text of an entry: the page's text and, unless the page says that
/// too, what the feed says. It stands at the end, but before a short last line:
/// a dateline is looked for at the beginning, and credits at the end.
pub fn whole_text(entry: &Entry, page: &str) -> String {
    let fold = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let own = fold(&entry.text);
    // A summary is often cut in the middle of a word.
    let own: String = own.chars().take(own.chars().count().saturating_sub(12).max(1)).collect();
    if own.len() <= 1 || fold(page).contains(&own) {
        page.to_owned()
    } else {
        let credits = page.rsplit_once('\n').filter(|(_, last)| last.len() <= LONGEST_CREDITS);
        match credits {
            Some((page, credits)) => format!("{page}\n{}\n{credits}", entry.text),
            None => format!("{page}\n{}", entry.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feeds_text_is_said_once() {
        let check = |feed: &str, page: &str, expected: &str| {
            let entry = Entry { text: feed.to_owned(), ..Entry::default() };
            assert_eq!(whole_text(&entry, page), expected, "{feed} | {page}");
        };
        check("", "The page.", "The page.");
        check(
            "Two ships met in the str…",
            "Two ships met in the strait.",
            "Two ships met in the strait.",
        );
        check("An editor's summary.", "The page.", "The page.\nAn editor's summary.");
        check(
            "An editor's summary.",
            "BEIJING (AP) — It began.\nIt went on.\nReporting by A. Writer",
            "BEIJING (AP) — It began.\nIt went on.\nAn editor's summary.\nReporting by A. Writer",
        );
        let long = "It ended. ".repeat(40);
        check(
            "An editor's summary.",
            &format!("It began.\n{long}"),
            &format!("It began.\n{long}\nAn editor's summary."),
        );
        check(
            "A “quoted” start of it all",
            "A \"quoted\" start of it all.",
            "A \"quoted\" start of it all.",
        );
    }
}
