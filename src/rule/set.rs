//! All rules together, asked about one story after the other.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::model::{FeedName, Match, RuleName, Span};

use super::analysis::{Scratch, Story};
use super::anatomy::{self, Anatomy};
use super::bind::Binder;
use super::compile::Compiled;
use super::eval::{Origin, Place, Subject};
use super::examples::closest;
use super::flat::{self, Flat};
use super::index::{Index, Marks};
use super::item::{self, Item};
use super::narrow;
use super::rarity::Rarity;
use super::syntax::Expr;
use crate::text::language;

/// Most pieces of evidence that a match tells.
const MOST_SPANS: usize = 64;
/// After so many stories anchors are chosen anew, by what stories really had.
const LEARNED: [u32; 3] = [500, 10_000, 200_000];

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

/// The rules that are in force. Asked from several threads, each has its own
/// memory of words.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// In the order in which matches are told; `None` where one was removed.
    slots: Vec<Option<Slot>>,
    binder: Binder,
    flat: Flat,
    index: RwLock<Arc<Index>>,
    workers: Mutex<Vec<Worker>>,
}

/// A rule that was taken in.
#[derive(Debug)]
struct Slot {
    name: RuleName,
    /// Where it is laid out flat, if it can be.
    flat: Option<flat::Place>,
    expr: Expr,
    feeds: Option<Vec<FeedName>>,
    languages: Vec<String>,
}

#[derive(Debug, Default)]
struct Worker {
    scratch: Scratch,
    marks: Marks,
}

/// What a rule made of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds(Match),
    /// It does not.
    Fails {
        /// Which part of it decided, and what came closest.
        reason: String,
        /// Whether all the rest of it holds.
        nearly: bool,
    },
}

impl RuleSet {
    /// Takes the rules in the order in which matches are to be told.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut set = Self::default();
        for rule in rules {
            set.take(rule, None);
        }
        set.reindex(&[], 0);
        set
    }

    /// Adds a rule behind the others, without looking at those again.
    pub fn add(&mut self, rule: Rule) {
        let number = self.take(rule, None);
        self.index_one(number);
    }

    /// Removes a rule; false when there is none of that name.
    pub fn remove(&mut self, name: &RuleName) -> bool {
        let slot =
            self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|s| s.name == *name));
        slot.and_then(Option::take).is_some()
    }

    /// Puts a rule in the place of the one that has its name, or behind the
    /// others.
    pub fn replace(&mut self, rule: Rule) {
        let place = self.slots.iter().position(|s| s.as_ref().is_some_and(|s| s.name == rule.name));
        let number = self.take(rule, place);
        self.index_one(number);
    }

    fn take(&mut self, rule: Rule, place: Option<usize>) -> usize {
        let Rule { name, compiled, feeds, languages } = rule;
        let mut expr = compiled.expr;
        self.binder.bind(&mut expr);
        let flat = self.flat.add(&expr);
        let slot = Some(Slot { name, flat, expr, feeds, languages });
        if let Some(old) = place.and_then(|place| self.slots.get_mut(place)) {
            *old = slot;
            return place.unwrap_or_default();
        }
        self.slots.push(slot);
        self.slots.len() - 1
    }

    fn index_one(&mut self, number: usize) {
        let rarity = Rarity { vocabulary: &self.binder.vocabulary, counts: &[], stories: 0 };
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Some(Some(slot)), Some(index)) = (self.slots.get(number), Arc::get_mut(index)) {
            index.add(number as u32, &slot.expr, &rarity);
        }
    }

    /// Makes the index anew, with what is known of how rare words are.
    fn reindex(&self, counts: &[u32], stories: u32) {
        let rarity = Rarity { vocabulary: &self.binder.vocabulary, counts, stories };
        let mut index = Index::default();
        for (number, slot) in self.slots.iter().enumerate() {
            if let Some(slot) = slot {
                index.add(number as u32, &slot.expr, &rarity);
            }
        }
        index.pack();
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(index);
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the rules, in order.
    pub fn names(&self) -> impl Iterator<Item = &RuleName> {
        self.slots.iter().flatten().map(|slot| &slot.name)
    }

    /// The names of the rules that are asked about every story, because no
    /// word must be in one for them to hold.
    pub fn unindexed(&self) -> Vec<RuleName> {
        let index = Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner));
        let slot = |number: &u32| Some(self.slots.get(*number as usize)?.as_ref()?.name.clone());
        index.always.iter().filter_map(slot).collect()
    }

    /// Bytes of memory that the index takes, about; the expressions not
    /// counted.
    pub fn index_bytes(&self) -> usize {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        self.binder.vocabulary.bytes() + index.bytes() + self.flat.bytes()
    }

    /// A query of the full-text index of [`search_words`] that finds at least
    /// every story of which the only rule holds; `None` when none is narrower
    /// than all of them.
    ///
    /// [`search_words`]: super::search_words
    pub fn narrowing(&self) -> Option<String> {
        let [Some(slot)] = self.slots.as_slice() else { return None };
        let vocabulary = &self.binder.vocabulary;
        let rarity = Rarity { vocabulary, counts: &[], stories: 0 };
        narrow::query(vocabulary, &Index::plain_needs(&slot.expr, &rarity))
    }

    /// The rules that hold for a story, in order, each with its evidence.
    pub fn matches(&self, item: &Item<'_>) -> Vec<Match> {
        self.with_story(item, |worker, story| {
            let index = Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner));
            index.candidates(story.scratch, worker);
            let subject = Subject::new(story, origin(item));
            let candidates = worker.candidates.iter();
            let slots = candidates.filter_map(|at| self.slots.get(*at as usize)?.as_ref());
            self.ask(slots, item, &subject, Some(&self.flat))
        })
    }

    /// The same without index and flat forms: every rule is asked as it is
    /// written. Slow, and what the other is held against.
    pub fn matches_one_by_one(&self, item: &Item<'_>) -> Vec<Match> {
        self.with_story(item, |_, story| {
            let subject = Subject::new(story, origin(item));
            self.ask(self.slots.iter().flatten(), item, &subject, None)
        })
    }

    /// Asks some of the rules, and looks whether capitals alone made them hold.
    fn ask<'a>(
        &self,
        slots: impl Iterator<Item = &'a Slot>,
        item: &Item<'_>,
        subject: &Subject<'_>,
        flat: Option<&Flat>,
    ) -> Vec<Match> {
        let mut spans = Vec::new();
        let strict = OnceCell::new();
        let ask = |slot: &Slot| {
            let mut found = slot.matched(item, subject, flat, &mut spans)?;
            let strict = strict.get_or_init(|| {
                subject.story.strict().map(|story| Subject::new(story, origin(item)))
            });
            found.capitals_only = strict
                .as_ref()
                .is_some_and(|strict| !strict.holds(&slot.expr, Place::TOP, &mut Vec::new()));
            Some(found)
        };
        slots.filter_map(ask).collect()
    }

    /// What a rule makes of a story, and why; `None` when there is no such
    /// rule.
    pub fn explain(&self, rule: &RuleName, item: &Item<'_>) -> Option<Verdict> {
        let slot = self.slots.iter().flatten().find(|slot| slot.name == *rule)?;
        Some(self.with_story(item, |_, story| {
            let subject = Subject::new(story, origin(item));
            match slot.matched(item, &subject, None, &mut Vec::new()) {
                Some(found) => Verdict::Holds(found),
                None => slot.fails(item, &subject),
            }
        }))
    }

    /// The words of a rule and its lists, each once; none when there is no such
    /// rule.
    pub fn words(&self, rule: &RuleName) -> Vec<String> {
        let slot = self.slots.iter().flatten().find(|slot| slot.name == *rule);
        slot.map_or_else(Vec::new, |slot| anatomy::words(&slot.expr))
    }

    /// Which of a rule's [`words`](Self::words) a story has, and what only its
    /// exclusions kept out; `None` when there is no such rule.
    pub fn dissect(&self, rule: &RuleName, words: &[String], item: &Item<'_>) -> Option<Anatomy> {
        let slot = self.slots.iter().flatten().find(|slot| slot.name == *rule)?;
        Some(self.with_story(item, |_, story| {
            anatomy::dissect(&Subject::new(story, origin(item)), &slot.expr, words)
        }))
    }

    fn with_story<T>(&self, item: &Item<'_>, ask: impl FnOnce(&mut Marks, Story<'_>) -> T) -> T {
        let pool = || self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worker = pool().pop().unwrap_or_default();
        let texts = item.texts(self.binder.looks_further);
        let parts = item::parts(&texts);
        worker.scratch.read(&self.binder.vocabulary, &parts);
        let story = Story::new(&worker.scratch, &self.binder.vocabulary, parts, item.lang);
        let answer = ask(&mut worker.marks, story);
        if LEARNED.contains(&worker.scratch.stories()) {
            self.reindex(&worker.scratch.counts(), worker.scratch.stories());
        }
        pool().push(worker);
        answer
    }
}

fn origin<'a>(item: &Item<'a>) -> Origin<'a> {
    Origin::Known { feed: item.feed, url: item.url.unwrap_or_default() }
}

/// Whether a rule for these languages (any if there are none) reads what
/// states this one.
pub fn reads(languages: &[String], tag: &str) -> bool {
    languages.is_empty() || languages.iter().any(|wanted| language::is_kind_of(tag, wanted))
}

impl Slot {
    fn wants_feed(&self, item: &Item<'_>) -> bool {
        let wanted = |feeds: &Vec<FeedName>| feeds.iter().any(|f| f.as_str() == item.feed);
        self.feeds.as_ref().is_none_or(wanted)
    }

    fn wants_language(&self, subject: &Subject<'_>) -> bool {
        subject.story.language().is_none_or(|tag| reads(&self.languages, tag))
    }

    /// Its match, with the evidence, by its flat form where there is one;
    /// `spans` is room that is used again.
    fn matched(
        &self,
        item: &Item<'_>,
        subject: &Subject<'_>,
        flat: Option<&Flat>,
        spans: &mut Vec<Span>,
    ) -> Option<Match> {
        spans.clear();
        let holds = self.wants_feed(item)
            && match (flat, self.flat) {
                (Some(flat), Some(place)) => flat.holds(place, subject, spans),
                _ => subject.holds(&self.expr, Place::TOP, spans),
            }
            && self.wants_language(subject);
        if !holds {
            return None;
        }
        spans.sort_unstable_by_key(|span| (span.field, span.start, span.end));
        spans.dedup();
        let told = spans.get(..MOST_SPANS).unwrap_or(spans);
        Some(Match { rule: self.name.clone(), spans: told.to_vec(), capitals_only: false })
    }

    fn fails(&self, item: &Item<'_>, subject: &Subject<'_>) -> Verdict {
        if !self.wants_feed(item) {
            let reason = format!("the rule does not look at the feed \"{}\"", item.feed);
            return Verdict::Fails { reason, nearly: false };
        }
        if subject.holds(&self.expr, Place::TOP, &mut Vec::new()) {
            let language = subject.story.language().unwrap_or("unknown");
            let reason = format!("the words are there, but the rule does not read {language}");
            return Verdict::Fails { reason, nearly: true };
        }
        let (reason, nearly) = closest(subject, &self.expr);
        Verdict::Fails { reason, nearly }
    }
}
