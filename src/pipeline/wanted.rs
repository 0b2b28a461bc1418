//! Which entries' pages are read: those that can tell a rule more than the
//! feed does.

use std::collections::HashSet;

use crate::fetch::host_of;
use crate::model::{Entry, Feed, FeedName, Fulltext, RuleName, WantedPage};
use crate::rule::{self, Item, RuleSet};

/// A feed's text of so many words, or of twice so many ideographs, says most
/// of what there is.
const LONG: usize = 200;

/// How texts end that were cut.
const CUT: [&str; 7] =
    ["…", "...", "[...]", "[…]", "read more", "continue reading", "read the full story"];

/// What the rules want of pages.
#[derive(Debug, Default)]
pub struct Wants {
    /// Each rule's wish.
    pub rules: Vec<Wish>,
    /// The conditions of those that have one, under their names.
    pub gates: RuleSet,
}

/// What one rule wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The rule.
    pub rule: RuleName,
    /// Its own word, if it has one.
    pub mode: Option<Fulltext>,
    /// The feeds it looks at; all when `None`.
    pub feeds: Option<Vec<FeedName>>,
    /// The languages it reads; all when empty.
    pub languages: Vec<String>,
    /// Whether [`Wants::gates`] has a condition of it.
    pub gated: bool,
}

impl Wants {
    /// Whether a rule is asked about the pages of a feed.
    pub(super) fn allows(&self, rule: &RuleName, feed: &Feed) -> bool {
        let wish = self.rules.iter().find(|wish| wish.rule == *rule);
        mode(wish.and_then(|wish| wish.mode), feed) != Fulltext::Never
    }

    /// The page of a new entry, if it is to be read. `decided` are the rules
    /// that need no more text.
    pub(super) fn page(
        &self,
        feed: &Feed,
        item: &Item<'_>,
        entry: &Entry,
        decided: &HashSet<RuleName>,
    ) -> Option<WantedPage> {
        let url = entry.url.as_deref().filter(|url| is_page(url, feed))?;
        let always = feed.fulltext == Some(Fulltext::Always)
            || self.wishes(feed, entry, decided).any(|(_, mode)| mode == Fulltext::Always);
        let wanted =
            always || (is_short(&entry.text) && self.undecided(feed, entry, item, decided));
        wanted.then(|| WantedPage { url: url.to_owned(), host: host_of(url), always })
    }

    fn undecided(
        &self,
        feed: &Feed,
        entry: &Entry,
        item: &Item<'_>,
        decided: &HashSet<RuleName>,
    ) -> bool {
        let mut wishes = self.wishes(feed, entry, decided).peekable();
        if wishes.peek().is_none() {
            return false;
        }
        let mut open = None;
        let mut is_open = |rule: &RuleName| {
            open.get_or_insert_with(|| {
                let found = self.gates.matches(item);
                found.into_iter().map(|found| found.rule).collect::<HashSet<_>>()
            })
            .contains(rule)
        };
        wishes.any(|(wish, _)| !wish.gated || is_open(&wish.rule))
    }

    /// Rules that the page of an entry can still concern, and how. What an
    /// entry states of its language goes for its page.
    fn wishes<'a>(
        &'a self,
        feed: &'a Feed,
        entry: &'a Entry,
        decided: &'a HashSet<RuleName>,
    ) -> impl Iterator<Item = (&'a Wish, Fulltext)> {
        self.rules.iter().filter_map(|wish| {
            let looks = wish.feeds.as_ref().is_none_or(|feeds| feeds.contains(&feed.name));
            let reads = entry.lang.as_deref().is_none_or(|lang| rule::reads(&wish.languages, lang));
            let mode = mode(wish.mode, feed);
            (looks && reads && mode != Fulltext::Never && !decided.contains(&wish.rule))
                .then_some((wish, mode))
        })
    }
}

/// A feed may forbid; else the rule's word goes first.
fn mode(rule: Option<Fulltext>, feed: &Feed) -> Fulltext {
    match (rule, feed.fulltext) {
        (_, Some(Fulltext::Never)) => Fulltext::Never,
        (Some(mode), _) | (None, Some(mode)) => mode,
        (None, None) => Fulltext::Never,
    }
}

/// Files and programs are for the configuration to name, and the feed itself
/// is no article.
fn is_page(url: &str, feed: &Feed) -> bool {
    (url.starts_with("http://") || url.starts_with("https://")) && url != feed.url
}

fn is_short(text: &str) -> bool {
    let end = text.trim_end().to_lowercase();
    let wide =
        text.chars().filter(|c| matches!(*c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'));
    let words = text.split_whitespace().count() + wide.count() / 2;
    words < LONG || CUT.iter().any(|cut| end.ends_with(cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_known() {
        let check = |text: &str, expected: bool| assert_eq!(is_short(text), expected, "{text}");
        let long = "word ".repeat(300);
        check("", true);
        check("Twenty words of a summary.", true);
        check(&long, false);
        check(&format!("{long} and so on…"), true);
        check(&format!("{long} Continue reading"), true);
        check(&"\u{8ecd}".repeat(500), false);
        check(&"\u{8ecd}".repeat(100), true);
    }
}
