//! How likely an entry tells of the same event as a story.
//!
//! A weighted sum of what both share, found by logistic regression and a
//! local search on one half of the labelled clusters named in
//! docs/decisions/stories.md, then lowered by how many stories there are, how
//! old the story is, and by what look-alike events differ in.

use super::features::{DAY, Features, HABIT, NUMBER, TITLE, Term};
use super::growing::Carried;
use super::learned::Learned;

/// A word in the text counts so much of one in the title.
const IN_TEXT: f64 = 0.5;
/// An outlet seldom tells an event twice: an entry of fewer terms says too
/// little to join what it alone told, and so do fewer terms in common.
const FEWEST_TERMS: usize = 3;
const FEWEST_SHARED: u32 = 2;
/// What is shared must weigh this much among few stories, or it is shared by
/// chance; and the more, the more stories there are.
const BY_CHANCE: f64 = 2.5;
/// A term in a smaller share of the tellings says nothing of what is missing.
const NEGLIGIBLE: f64 = 0.04;

/// What of a story is compared: its terms by id, and how many tellings it has.
pub(super) struct Subject<'a> {
    pub(super) terms: &'a [Carried],
    pub(super) tellings: u32,
    /// Whether all its tellings stand under the entry's own roof.
    pub(super) own_host: bool,
    /// How many stories there are, as a logarithm above few.
    pub(super) crowd: f64,
}

/// A term of the entry with its weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    pub(super) term: Term,
    pub(super) weight: f64,
    pub(super) name: bool,
}

/// The terms of an entry that count, by id.
pub(super) fn weigh(features: &Features, learned: &Learned) -> Vec<Weighed> {
    let counted = features.terms.iter().filter(|term| !term.is(HABIT));
    counted
        .map(|term| {
            let (weight, name) = learned.weight_and_name(term.id);
            Weighed { term: *term, weight, name }
        })
        .collect()
}

impl Weighed {
    /// Its part in the entry.
    pub(super) fn part(&self) -> f64 {
        self.weight * if self.term.is(TITLE) { 1.0 } else { IN_TEXT }
    }
}

/// The share of tellings that have a term, of those in the text the half.
fn share(term: Carried, tellings: f64) -> f64 {
    (term.in_title() + IN_TEXT * term.in_text()) / tellings
}

/// Sums over the terms of entry and story.
#[derive(Default)]
struct Sums {
    dot: f64,
    entry: f64,
    story: f64,
    name_dot: f64,
    name_entry: f64,
    name_story: f64,
    title_dot: f64,
    title_entry: f64,
    title_story: f64,
    covered: f64,
    whole: f64,
    core_had: f64,
    core: f64,
    name_core_had: f64,
    name_core: f64,
    name_covered: f64,
    rarest: f64,
    /// What the shared terms weigh.
    evidence: f64,
    shared: u32,
    names_shared: u32,
    numbers: u32,
    numbers_shared: u32,
    /// Names and numbers in titles that the other side lacks.
    only_entry: Apart,
    only_story: Apart,
}

#[derive(Clone, Copy, Default)]
struct Apart {
    name: bool,
    number: bool,
    other: bool,
}

/// The likeness of an entry and a story: about -4 for nothing in common, 0 for
/// as likely as not, above 3 for nearly the same words.
pub(super) fn likeness(entry: &[Weighed], story: &Subject<'_>, learned: &Learned) -> Option<f64> {
    let sums = sums(entry, story, learned);
    // Numbers alone are alike by chance.
    if sums.shared == 0 {
        return None;
    }
    if story.own_host && (entry.len() < FEWEST_TERMS || sums.shared < FEWEST_SHARED) {
        return None;
    }
    let apart = apart(&sums, story.own_host)?;
    let cosine =
        |dot: f64, a: f64, b: f64| if a > 0.0 && b > 0.0 { dot / (a * b).sqrt() } else { 0.0 };
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let names = sums.name_entry > 0.0 && sums.name_story > 0.0;
    let both_names = f64::from(u8::from(names));
    let numbers = share(f64::from(sums.numbers_shared), f64::from(sums.numbers));
    let likeness = 8.088 * cosine(sums.dot, sums.entry, sums.story)
        + 0.298 * cosine(sums.title_dot, sums.title_entry, sums.title_story)
        + 1.771 * both_names * cosine(sums.name_dot, sums.name_entry, sums.name_story)
        + 4.643 * share(sums.covered, sums.whole)
        + 3.598 * share(sums.core_had, sums.core)
        - 0.413 * f64::from(story.tellings + 1).ln() / 5.0
        + 0.887 * sums.rarest / learned.most_weight()
        - 2.8 * entry.len() as f64 / 40.0
        - 0.100 * share(sums.name_core_had, sums.name_core)
        - 1.196 * both_names
        + 0.495 * numbers
        + 0.129 * share(sums.name_covered, sums.name_entry)
        - 3.800;
    Some(likeness - apart - 0.5 * chance(&sums, story))
}

/// What the shared terms weigh too little for so many stories.
fn chance(sums: &Sums, story: &Subject<'_>) -> f64 {
    (BY_CHANCE + story.crowd - sums.evidence).max(0.0)
}

/// What speaks against one event: an outlet that fills a form (quakes,
/// results, rates) has other names or numbers in it each time.
/// `None`: whatever they share, they are two.
fn apart(sums: &Sums, own_host: bool) -> Option<f64> {
    let numbers = sums.only_entry.number && sums.only_story.number;
    let names = sums.only_entry.name && sums.only_story.name;
    // Nothing but the number differs: one form, filled in twice.
    if numbers && !sums.only_entry.other && !sums.only_story.other {
        return None;
    }
    match (own_host, numbers, names) {
        (true, true, _) => None,
        (true, false, true) => Some(2.0),
        (true, false, false) => Some(0.7),
        // Both name somebody, and nobody in common.
        (false, _, true) if sums.names_shared == 0 => Some(2.0),
        (false, true, true) => Some(0.5),
        (false, _, _) => Some(0.0),
    }
}

fn sums(entry: &[Weighed], story: &Subject<'_>, learned: &Learned) -> Sums {
    let tellings = f64::from(story.tellings.max(1));
    let mut sums = Sums::default();
    let mut carried = story.terms.iter().peekable();
    for weighed in entry {
        while let Some(other) = carried.next_if(|other| other.id < weighed.term.id) {
            sums.add_story(*other, tellings, None, learned);
        }
        let both = carried.next_if(|other| other.id == weighed.term.id);
        sums.add_entry(weighed, both.copied(), tellings);
        if let Some(both) = both {
            sums.add_story(*both, tellings, Some(weighed), learned);
        }
    }
    for other in carried {
        sums.add_story(*other, tellings, None, learned);
    }
    sums
}

impl Sums {
    fn add_entry(&mut self, weighed: &Weighed, both: Option<Carried>, tellings: f64) {
        let (weight, part) = (weighed.weight, weighed.part());
        let (title, name) = (weighed.term.is(TITLE), weighed.name);
        let number = weighed.term.is(NUMBER);
        self.entry += part * part;
        self.whole += part * weight;
        self.numbers += u32::from(number);
        if name {
            self.name_entry += part * part;
        }
        if title {
            self.title_entry += weight * weight;
        }
        let Some(both) = both else {
            self.only_entry.name |= title && name;
            self.only_entry.number |= title && number;
            self.only_entry.other |= title && !number;
            return;
        };
        let share = share(both, tellings);
        self.shared += u32::from(!number);
        self.names_shared += u32::from(name && !weighed.term.is(DAY));
        self.dot += part * share * weight;
        self.covered += part * weight;
        self.evidence += weight * share.min(1.0).sqrt();
        self.rarest = self.rarest.max(weight * share.min(1.0).sqrt());
        self.numbers_shared += u32::from(number);
        if name {
            self.name_dot += part * share * weight;
            self.name_covered += part * part;
        }
        if title {
            self.title_dot += weight * weight * both.in_title() / tellings;
        }
    }

    fn add_story(
        &mut self,
        term: Carried,
        tellings: f64,
        had: Option<&Weighed>,
        learned: &Learned,
    ) {
        let share = share(term, tellings);
        if had.is_none() && share < NEGLIGIBLE {
            return;
        }
        let (weight, name) = match had {
            Some(weighed) => (weighed.weight, weighed.name),
            None => learned.weight_and_name(term.id),
        };
        let title = term.in_title() / tellings;
        let core = share * share * share.sqrt() * weight * weight;
        self.story += share * share * weight * weight;
        self.title_story += title * title * weight * weight;
        self.core += core;
        if name {
            self.name_story += share * share * weight * weight;
            self.name_core += core;
        }
        if had.is_some() {
            self.core_had += core;
            self.name_core_had += if name { core } else { 0.0 };
            return;
        }
        if title > 0.5 {
            self.only_story.name |= name;
            self.only_story.number |= term.is_number();
            self.only_story.other |= !term.is_number();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(features: &Features) -> Vec<Carried> {
        features.terms.iter().map(Carried::of).collect()
    }

    fn compare(first: &str, second: &str, own_host: bool) -> Option<f64> {
        let mut learned = Learned::default();
        let mut read = |text: &str, feed| {
            let mut features = Features::of(text, "", Some("en"));
            learned.observe(feed, &mut features);
            features
        };
        let (first, second) = (read(first, 1), read(second, 2));
        let terms = carried(&first);
        let story = Subject { terms: &terms, tellings: 1, own_host, crowd: 0.0 };
        likeness(&weigh(&second, &learned), &story, &learned)
    }

    #[test]
    fn tellings_of_one_event_score_above_look_alikes() {
        let quake = "Strong quake of 6.1 strikes Aceh in Indonesia, killing 22";
        let check = |other: &str| compare(quake, other, false).unwrap();
        let same = check("Quake kills 22 in Aceh, officials in Indonesia say");
        let other = check("Strong quake of 5.8 strikes Kamchatka in Russia, no deaths");
        assert!(same > other + 1.0, "{same} {other}");
    }

    #[test]
    fn a_form_that_one_feed_fills_in_anew_is_another_event() {
        let first = "M 5.1 earthquake near Hualien, Taiwan";
        let second = "M 6.3 earthquake near Arica, Chile";
        assert!(compare(first, second, false).is_some());
        assert_eq!(compare(first, second, true), None);
    }
}
