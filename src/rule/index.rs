//! Which rules a story can concern at all. A rule is looked into only when
//! the story has one of its anchors: literals of which one must be there.

use std::collections::HashMap;
use std::sync::Arc;

use super::analysis::Scratch;
use super::rarity::Rarity;
use super::syntax::{Expr, Kind, Nearness};
use super::term::Term;
use super::vocabulary::LiteralId;

/// Literals of a guard at the most.
const MOST_GUARDS: usize = 12;
/// The end of a chain.
const NONE: u32 = u32::MAX;
/// Marks a target that is a group.
const GROUP: u32 = 1 << 31;

/// From literals to rules.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By literal: the first posting.
    heads: Vec<u32>,
    /// By group: the first posting.
    groups: Vec<u32>,
    postings: Vec<Posting>,
    /// Rules without an anchor: asked about every story.
    pub(super) always: Vec<u32>,
    /// By rule: which of `guards` are its own.
    guarded: Vec<Guard>,
    /// Literals of which a rule needs one as well.
    guards: Vec<LiteralId>,
    /// Whether lists are written out instead of being groups, and fields that
    /// are not kept by word count for nothing.
    plain: bool,
    /// Groups of lists, by where the list stands.
    lists: HashMap<usize, Vec<Need>>,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    /// A rule, or a group with [`GROUP`].
    target: u32,
    next: u32,
}

/// A range of guards; an empty one guards nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Guard {
    from: u32,
    to: u32,
}

/// One of several literals or groups must be in a story.
#[derive(Clone, Debug)]
struct Need {
    any_of: Vec<u32>,
    /// The share of stories that have one, about.
    cost: f32,
}

/// What a worker notes while it goes through the index.
#[derive(Debug, Default)]
pub(super) struct Marks {
    rules: Vec<u32>,
    groups: Vec<u32>,
    round: u32,
    pub(super) candidates: Vec<u32>,
}

impl Index {
    /// What a story must have in its title and text, the rarest first: one
    /// literal of each set.
    pub(super) fn plain_needs(expr: &Expr, rarity: &Rarity<'_>) -> Vec<Vec<LiteralId>> {
        let mut needs = Self { plain: true, ..Self::default() }.needs(expr, rarity);
        needs.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        needs.into_iter().map(|need| need.any_of).collect()
    }

    /// Adds a rule by its number.
    pub(super) fn add(&mut self, rule: u32, expr: &Expr, rarity: &Rarity<'_>) {
        if self.guarded.len() <= rule as usize {
            self.guarded.resize(rule as usize + 1, Guard::default());
        }
        let mut needs = self.needs(expr, rarity);
        needs.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        let Some(anchor) = needs.first() else {
            self.always.push(rule);
            return;
        };
        let literals = |need: &&Need| {
            need.any_of.len() <= MOST_GUARDS && need.any_of.iter().all(|node| node & GROUP == 0)
        };
        let guard = needs.iter().skip(1).find(literals).map_or(&[][..], |need| &need.any_of);
        let from = self.guards.len() as u32;
        self.guards.extend(guard);
        if let Some(own) = self.guarded.get_mut(rule as usize) {
            *own = Guard { from, to: self.guards.len() as u32 };
        }
        for node in anchor.any_of.clone() {
            self.post(node, rule);
        }
    }

    /// Puts the postings of each literal side by side, where one reading of
    /// memory gets several.
    pub(super) fn pack(&mut self) {
        let mut packed = Vec::with_capacity(self.postings.len());
        for head in self.heads.iter_mut().chain(&mut self.groups) {
            let mut at = std::mem::replace(head, packed.len() as u32);
            let first = packed.len();
            while let Some(posting) = self.postings.get(at as usize) {
                at = posting.next;
                packed.push(Posting { next: packed.len() as u32 + 1, ..*posting });
            }
            match packed.get_mut(first..).and_then(<[Posting]>::last_mut) {
                Some(last) => last.next = NONE,
                None => *head = NONE,
            }
        }
        self.postings = packed;
        self.heads.shrink_to_fit();
        self.guards.shrink_to_fit();
    }

    fn post(&mut self, node: u32, target: u32) {
        let number = u32::try_from(self.postings.len()).unwrap_or(NONE);
        let (heads, at) = match node & GROUP {
            0 => (&mut self.heads, node as usize),
            _ => (&mut self.groups, (node & !GROUP) as usize),
        };
        if heads.len() <= at {
            heads.resize(at + 1, NONE);
        }
        let Some(head) = heads.get_mut(at) else { return };
        let next = std::mem::replace(head, number);
        self.postings.push(Posting { target, next });
    }

    /// What a story must have for `expr` to hold; nothing when it may hold
    /// without any of its words.
    fn needs(&mut self, expr: &Expr, rarity: &Rarity<'_>) -> Vec<Need> {
        match &expr.kind {
            Kind::Term(term) => term_needs(term, rarity),
            Kind::And(parts) => parts.iter().flat_map(|part| self.needs(part, rarity)).collect(),
            Kind::Scoped(fields, _) if self.plain && fields.is_further() => Vec::new(),
            Kind::Scoped(_, inner) | Kind::AtLeast(_, inner) => self.needs(inner, rarity),
            Kind::Near(Nearness::NotNear(_), pair) => self.needs(&pair[0], rarity),
            Kind::Near(_, pair) => pair.iter().flat_map(|part| self.needs(part, rarity)).collect(),
            Kind::Or(parts) => self.one_of(parts, rarity).into_iter().collect(),
            Kind::List(list) => match &list.body {
                Some(body) => self.list(body, rarity),
                None => Vec::new(),
            },
            // Of three, two: one of any two.
            Kind::Of(count, parts) => {
                let mut needs: Vec<Need> =
                    parts.iter().filter_map(|part| self.cheapest(part, rarity)).collect();
                let wanted = (parts.len() + 1).saturating_sub(*count);
                needs.sort_by(|a, b| a.cost.total_cmp(&b.cost));
                needs.truncate(wanted);
                let enough = wanted > 0 && needs.len() == wanted;
                enough.then(|| union(needs)).into_iter().collect()
            }
            Kind::Score(threshold, weights, parts) => {
                self.score(*threshold, weights, parts, rarity).into_iter().collect()
            }
            Kind::Not(_)
            | Kind::Pattern(_)
            | Kind::Feed(_)
            | Kind::Site(_)
            | Kind::Lang(_)
            | Kind::Broken => Vec::new(),
        }
    }

    fn cheapest(&mut self, expr: &Expr, rarity: &Rarity<'_>) -> Option<Need> {
        self.needs(expr, rarity).into_iter().min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    fn one_of(&mut self, parts: &[Expr], rarity: &Rarity<'_>) -> Option<Need> {
        let needs: Option<Vec<Need>> =
            parts.iter().map(|part| self.cheapest(part, rarity)).collect();
        needs.map(union)
    }

    /// Members without which the threshold cannot be reached, the commonest
    /// left out as far as possible.
    fn score(
        &mut self,
        threshold: i64,
        weights: &[i64],
        parts: &[Expr],
        rarity: &Rarity<'_>,
    ) -> Option<Need> {
        let mut members = Vec::new();
        for (weight, part) in weights.iter().zip(parts).filter(|(weight, _)| **weight > 0) {
            members.push((*weight, self.cheapest(part, rarity)));
        }
        let cost = |need: &Option<Need>| need.as_ref().map_or(f32::INFINITY, |need| need.cost);
        members.sort_by(|a, b| cost(&b.1).total_cmp(&cost(&a.1)));
        let mut spare = 0;
        // A member with a negative weight below NOT would still only subtract.
        let needed = members.into_iter().skip_while(|(weight, _)| {
            spare += weight;
            spare < threshold
        });
        let needs: Option<Vec<Need>> = needed.map(|(_, need)| need).collect();
        needs.filter(|needs| !needs.is_empty()).map(union)
    }

    /// A list of several literals is a group of its own: rules that use it
    /// hang on the group, so that it is written down once.
    fn list(&mut self, body: &Arc<Expr>, rarity: &Rarity<'_>) -> Vec<Need> {
        let key = Arc::as_ptr(body) as usize;
        if let Some(known) = self.lists.get(&key) {
            return known.clone();
        }
        let mut needs = self.needs(body, rarity);
        for need in &mut needs {
            if need.any_of.len() > 1 && !self.plain {
                let group = u32::try_from(self.groups.len()).unwrap_or(NONE) | GROUP;
                self.groups.push(NONE);
                for node in std::mem::replace(&mut need.any_of, vec![group]) {
                    self.post(node, group);
                }
            }
        }
        self.lists.insert(key, needs.clone());
        needs
    }

    /// Finds the rules that the story just read can concern, in order.
    pub(super) fn candidates(&self, story: &Scratch, marks: &mut Marks) {
        marks.begin(self.guarded.len(), self.groups.len());
        for id in story.found() {
            if let Some(head) = self.heads.get(*id as usize) {
                self.follow(*head, story, marks);
            }
        }
        marks.candidates.extend(&self.always);
        marks.candidates.sort_unstable();
    }

    fn follow(&self, head: u32, story: &Scratch, marks: &mut Marks) {
        let mut at = head;
        while let Some(posting) = self.postings.get(at as usize) {
            at = posting.next;
            if posting.target & GROUP != 0 {
                let group = (posting.target & !GROUP) as usize;
                if marks.first_time(group, true)
                    && let Some(head) = self.groups.get(group)
                {
                    self.follow(*head, story, marks);
                }
            } else if self.is_possible(posting.target, story)
                && marks.first_time(posting.target as usize, false)
            {
                marks.candidates.push(posting.target);
            }
        }
    }

    /// Whether the story has one of the rule's guards.
    fn is_possible(&self, rule: u32, story: &Scratch) -> bool {
        let guard = self.guarded.get(rule as usize).copied().unwrap_or_default();
        let guards = self.guards.get(guard.from as usize..guard.to as usize).unwrap_or_default();
        guards.is_empty() || guards.iter().any(|id| story.has(*id))
    }

    /// Bytes of memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let lists: usize =
            self.lists.values().map(|needs| size_of::<Need>() * needs.len() + 32).sum();
        self.postings.capacity() * size_of::<Posting>()
            + (self.heads.capacity() + self.groups.capacity()) * 4
            + (self.always.capacity() + self.guards.capacity()) * 4
            + self.guarded.capacity() * size_of::<Guard>()
            + lists
    }
}

impl Marks {
    fn begin(&mut self, rules: usize, groups: usize) {
        self.candidates.clear();
        self.round = self.round.wrapping_add(1);
        if self.rules.len() != rules || self.groups.len() != groups || self.round == 0 {
            self.round = 1;
            self.rules = vec![0; rules];
            self.groups = vec![0; groups];
        }
    }

    fn first_time(&mut self, at: usize, group: bool) -> bool {
        let marks = if group { &mut self.groups } else { &mut self.rules };
        match marks.get_mut(at) {
            Some(mark) => std::mem::replace(mark, self.round) != self.round,
            None => false,
        }
    }
}

/// Each word of a term must be there, or what it may be written as with others.
fn term_needs(term: &Term, rarity: &Rarity<'_>) -> Vec<Need> {
    let step = |(at, step): (usize, &super::term::Step)| {
        let covers = |join: &&super::term::Join| (join.from..join.from + join.count).contains(&at);
        let joined = term.joins.iter().filter(covers).map(|join| join.forms.id);
        let mut any_of: Vec<LiteralId> = std::iter::once(step.forms.id).chain(joined).collect();
        any_of.sort_unstable();
        any_of.dedup();
        let cost = any_of.iter().map(|id| rarity.share(*id)).sum();
        Need { any_of, cost }
    };
    term.steps.iter().enumerate().map(step).collect()
}

fn union(needs: Vec<Need>) -> Need {
    let cost = needs.iter().map(|need| need.cost).sum();
    let mut any_of: Vec<u32> = needs.into_iter().flat_map(|need| need.any_of).collect();
    any_of.sort_unstable();
    any_of.dedup();
    Need { any_of, cost }
}
