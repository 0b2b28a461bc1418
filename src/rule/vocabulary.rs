//! All words that rules look for, each once, and which of them a word of a
//! text is.

use hashbrown::HashMap;

use super::eval::wildcard_match;
use super::term::{Check, Forms, Pattern};
use crate::text::fold::{exact, fold};
use crate::text::stem::{self, Languages};
use crate::text::token::{Letters, letters};

/// A word that rules look for, with all its forms: its number in the vocabulary.
pub(super) type LiteralId = u32;

/// A literal that a word of a text is, in texts of these languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Satisfied {
    pub(super) id: LiteralId,
    pub(super) languages: Languages,
}

/// The end of a chain.
const END: u32 = u32::MAX;

/// Every literal of the rules in force.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    literals: Vec<Literal>,
    /// First link of a folded form's chain of literals.
    by_form: HashMap<Box<str>, u32>,
    /// The same by the first two letters of prefixes and wildcards.
    by_head: HashMap<Box<str>, u32>,
    /// The same by stem.
    by_stem: HashMap<Box<str>, u32>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Literal {
    pattern: Pattern,
    check: Check,
    /// Only for a stem: itself by algorithm.
    stems: Box<[(u8, String)]>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    literal: LiteralId,
    next: u32,
}

impl Vocabulary {
    /// How many literals there are; it only grows, so that it tells whether
    /// what was worked out before still holds.
    pub(super) fn len(&self) -> usize {
        self.literals.len()
    }

    /// Gives forms their number and takes them in; what they accept is then
    /// known here only.
    pub(super) fn adopt(&mut self, forms: &mut Forms) {
        let pattern = std::mem::replace(&mut forms.pattern, Pattern::Keys(Vec::new()));
        let check = std::mem::replace(&mut forms.check, Check::Plain);
        forms.id = self.intern(pattern, check);
    }

    fn intern(&mut self, pattern: Pattern, check: Check) -> LiteralId {
        let known = |id: &LiteralId| {
            self.literals
                .get(*id as usize)
                .is_some_and(|literal| literal.pattern == pattern && literal.check == check)
        };
        let chain = match &pattern {
            Pattern::Keys(keys) => keys.first().and_then(|key| self.by_form.get(key.as_str())),
            Pattern::Prefix(head) => self.by_head.get(first_letters(head)),
            Pattern::Wildcard(pattern) => self.by_head.get(first_letters(head_of(pattern))),
            Pattern::Stem(word) => self.by_form.get(fold(word).as_str()),
        };
        if let Some(id) = self.chain(chain.copied()).find(known) {
            return id;
        }
        let id = u32::try_from(self.literals.len()).unwrap_or(END);
        let mut stems = Vec::new();
        match &pattern {
            Pattern::Keys(keys) => {
                for key in keys {
                    add(&mut self.by_form, &mut self.links, key, id);
                }
            }
            Pattern::Prefix(head) => {
                add(&mut self.by_head, &mut self.links, first_letters(head), id);
            }
            Pattern::Wildcard(pattern) => {
                let head = first_letters(head_of(pattern));
                add(&mut self.by_head, &mut self.links, head, id);
            }
            Pattern::Stem(word) => {
                add(&mut self.by_form, &mut self.links, &fold(word), id);
                stems = stem::stems(word);
                let mut keys: Vec<&str> = stems.iter().map(|(_, stem)| stem.as_str()).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys {
                    add(&mut self.by_stem, &mut self.links, key, id);
                }
            }
        }
        self.literals.push(Literal { pattern, check, stems: stems.into() });
        id
    }

    fn chain(&self, first: Option<u32>) -> impl Iterator<Item = LiteralId> {
        let mut at = first.unwrap_or(END);
        std::iter::from_fn(move || {
            let link = self.links.get(at as usize)?;
            at = link.next;
            Some(link.literal)
        })
    }

    /// Whether a literal does not count in a run of words in capitals. When
    /// `strict`, that is any whose capitals matter.
    pub(super) fn is_shy(&self, id: LiteralId, strict: bool) -> bool {
        match self.literals.get(id as usize).map(|literal| &literal.check) {
            Some(Check::Capitals { common }) => *common || strict,
            Some(Check::CapitalsOrInitial | Check::Exactly(_) | Check::Contains(_)) => strict,
            _ => false,
        }
    }

    /// The folded forms of a literal, as far as they are known one by one.
    pub(super) fn forms(&self, id: LiteralId) -> &[String] {
        match self.literals.get(id as usize).map(|literal| &literal.pattern) {
            Some(Pattern::Keys(keys)) => keys,
            Some(Pattern::Prefix(one) | Pattern::Wildcard(one) | Pattern::Stem(one)) => {
                std::slice::from_ref(one)
            }
            None => &[],
        }
    }

    /// Adds the literals that a word is, by number.
    pub(super) fn satisfied(&self, surface: &str, dotted: bool, out: &mut Vec<Satisfied>) {
        let mut found = Vec::new();
        let folded = if dotted { fold(&surface.replace('.', "")) } else { fold(surface) };
        let word = Word { surface, dotted, letters: letters(surface) };
        let mut add = |id: LiteralId, languages: Languages| found.push(Satisfied { id, languages });
        for id in self.chain(self.by_form.get(folded.as_str()).copied()) {
            if self.literals.get(id as usize).is_some_and(|literal| word.passes(&literal.check)) {
                add(id, Languages::ALL);
            }
        }
        if !self.by_head.is_empty() {
            self.open_ended(&folded, &word, &mut add);
        }
        if !self.by_stem.is_empty() && !dotted {
            for (algorithm, stem) in stem::stems(surface) {
                let same = |id: &LiteralId| {
                    let literal = self.literals.get(*id as usize);
                    let stems = literal.map_or(&[][..], |literal| &literal.stems);
                    stems.iter().any(|(other, theirs)| *other == algorithm && *theirs == stem)
                };
                let chain = self.chain(self.by_stem.get(stem.as_str()).copied());
                chain.filter(same).for_each(|id| add(id, Languages::one(algorithm)));
            }
        }
        merge(&mut found);
        out.append(&mut found);
    }

    fn open_ended(&self, folded: &str, word: &Word<'_>, add: &mut dyn FnMut(u32, Languages)) {
        let mut head = first_letters(folded);
        loop {
            for id in self.chain(self.by_head.get(head).copied()) {
                let Some(literal) = self.literals.get(id as usize) else { continue };
                let fits = match &literal.pattern {
                    Pattern::Prefix(prefix) => folded.starts_with(prefix.as_str()),
                    Pattern::Wildcard(pattern) => {
                        folded.starts_with(head_of(pattern))
                            && wildcard_match(pattern, folded, true)
                    }
                    Pattern::Keys(_) | Pattern::Stem(_) => false,
                };
                if fits && word.passes(&literal.check) {
                    add(id, Languages::ALL);
                }
            }
            let Some((last, _)) = head.char_indices().next_back() else { return };
            head = head.get(..last).unwrap_or_default();
        }
    }

    /// The forms of a literal.
    pub(super) fn pattern(&self, id: LiteralId) -> Option<&Pattern> {
        self.literals.get(id as usize).map(|literal| &literal.pattern)
    }

    /// Bytes of memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let strings = |pattern: &Pattern| match pattern {
            Pattern::Keys(keys) => {
                keys.capacity() * size_of::<String>()
                    + keys.iter().map(String::capacity).sum::<usize>()
            }
            Pattern::Prefix(one) | Pattern::Wildcard(one) | Pattern::Stem(one) => one.capacity(),
        };
        let literals: usize = self.literals.iter().map(|literal| strings(&literal.pattern)).sum();
        let maps = [&self.by_form, &self.by_head, &self.by_stem];
        let maps = maps
            .iter()
            .map(|map| map.allocation_size() + map.keys().map(|key| key.len()).sum::<usize>());
        literals
            + self.literals.capacity() * size_of::<Literal>()
            + self.links.capacity() * size_of::<Link>()
            + maps.sum::<usize>()
    }
}

/// One link more at the front of a chain.
fn add(map: &mut HashMap<Box<str>, u32>, links: &mut Vec<Link>, key: &str, literal: LiteralId) {
    let at = u32::try_from(links.len()).unwrap_or(END);
    let next = match map.get_mut(key) {
        Some(first) => std::mem::replace(first, at),
        None => {
            map.insert(key.into(), at);
            END
        }
    };
    links.push(Link { literal, next });
}

/// In order of number, each once, with the languages of all.
fn merge(found: &mut Vec<Satisfied>) {
    found.sort_by_key(|satisfied| satisfied.id);
    found.dedup_by(|next, kept| {
        let same = next.id == kept.id;
        if same {
            kept.languages = kept.languages.and(next.languages);
        }
        same
    });
}

fn head_of(pattern: &str) -> &str {
    pattern.split(['*', '?']).next().unwrap_or_default()
}

fn first_letters(word: &str) -> &str {
    let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
    word.get(..end).unwrap_or_default()
}

/// A word of a text.
struct Word<'a> {
    surface: &'a str,
    dotted: bool,
    letters: Letters,
}

impl Word<'_> {
    fn passes(&self, check: &Check) -> bool {
        match check {
            Check::Plain => !self.dotted,
            Check::Dotted => self.dotted,
            Check::Capitals { .. } => self.letters == Letters::Capitals,
            Check::CapitalsOrInitial => self.letters != Letters::Other,
            Check::Exactly(wanted) => exact(self.surface).trim_end_matches('.') == wanted,
            Check::Contains(rows) => {
                let has = |row: &Vec<String>| row.iter().any(|part| self.surface.contains(part));
                !self.dotted && rows.iter().all(has)
            }
        }
    }
}
