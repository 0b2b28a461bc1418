//! All rules together, asked about one story after the other.

use std::cell::OnceCell;

use crate::model::{FeedName, Match, RuleName};

use super::compile::Compiled;
use super::eval::{Place, Source, Subject};
use super::language;

/// Most pieces of evidence that a match tells.
const MOST_SPANS: usize = 64;

/// A story as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The headline.
    pub title: &'a str,
    /// The body; paragraphs are separated by `\n`.
    pub text: &'a str,
    /// The configured name of the feed it came from.
    pub feed: &'a str,
    /// The language tag it states.
    pub lang: Option<&'a str>,
}

/// An expression with its name and filters.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its key in the configuration.
    pub name: RuleName,
    /// What it looks for.
    pub compiled: Compiled,
    /// The feeds it looks at; all when `None`.
    pub feeds: Option<Vec<FeedName>>,
    /// The languages it reads; all when empty. A story whose language nobody
    /// knows is read.
    pub languages: Vec<String>,
}

/// The rules that are in force.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// Takes the rules in the order in which matches are to be told.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The names of the rules, in order.
    pub fn names(&self) -> impl Iterator<Item = &RuleName> {
        self.rules.iter().map(|rule| &rule.name)
    }

    /// The rules that hold for a story, in order, each with its evidence.
    pub fn matches(&self, item: &Item<'_>) -> Vec<Match> {
        let detected = OnceCell::new();
        let source = Source::Known { feed: item.feed, lang: item.lang, detected };
        let subject = Subject::new(item.title, item.text, source);
        self.rules.iter().filter_map(|rule| rule.matched(item, &subject)).collect()
    }
}

impl Rule {
    fn matched(&self, item: &Item<'_>, subject: &Subject<'_>) -> Option<Match> {
        let feed_wanted = |feeds: &Vec<FeedName>| feeds.iter().any(|f| f.as_str() == item.feed);
        if !self.feeds.as_ref().is_none_or(feed_wanted) {
            return None;
        }
        let mut spans = Vec::new();
        if !subject.holds(&self.compiled.expr, Place::TOP, &mut spans) {
            return None;
        }
        if !self.languages.is_empty() {
            let wanted = |tag| self.languages.iter().any(|lang| language::is_kind_of(tag, lang));
            if !subject.language().is_none_or(wanted) {
                return None;
            }
        }
        spans.sort_by_key(|span| (span.field, span.start, span.end));
        spans.dedup();
        spans.truncate(MOST_SPANS);
        Some(Match { rule: self.name.clone(), spans })
    }
}
