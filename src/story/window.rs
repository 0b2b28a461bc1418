//! The stories that may still grow, and which of them an entry joins.
//!
//! Everything here follows from the tellings added, in their order: a window
//! that is built anew from the stored tellings decides as the old one did.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use jiff::Timestamp;

use super::features::{Features, NUMBER, TITLE};
use super::growing::{Carried, Story};
use super::learned::Learned;
use super::reach::Reach;
use super::score::{Subject, Weighed, likeness, weigh};
use super::texts::{Text, Texts};
use crate::model::{EntryId, Joined, StoryId};

/// A story that nobody told for so long rests: nothing joins it in other
/// words any more. In milliseconds.
const WINDOW: i64 = 72 * HOUR;
/// Copies of its texts, and its headlines under other roofs, join it still
/// for so long: weeklies and slow feeds bring them late.
const RESTS: i64 = 7 * 24 * HOUR;
/// Words that an outlet repeats so soon, while others tell them, are no news.
const FRESH: i64 = 12 * HOUR;
const HOUR: i64 = 3_600_000;
/// So long after its first telling nothing joins a story in other words: what
/// is told then is another event of a long matter.
const LASTS: i64 = 96 * HOUR;
/// A copy whose title has other numbers must be this much of one.
const SURE_COPY: f64 = 0.9;
/// Likeness needed to join a story, before what is subtracted from it.
const JOINS: f64 = -2.2;
/// Up to so many stories in the window no likeness is taken for chance.
const FEW_STORIES: f64 = 250.0;
/// How much of that chance speaks against a join. The rest is left to the
/// guards: at 1 a crowded window parts a third of what belongs together.
const CROWD: f64 = 0.6;
/// All tellings together may make an entry so much more alike than the most
/// alike of the last ones does.
const TOGETHER: f64 = 3.0;
/// And so much more than the last one of the entry's own outlet does.
const ABOVE_OWN: f64 = 3.0;
/// What an outlet tells of a story for the second time is often a new
/// development: this is subtracted, and more for each time it told it.
const TOLD_ONCE: f64 = 0.4;
const TOLD_OFTEN: f64 = 0.2;
/// After so many texts what leads to forgotten stories is cleared away.
const CLEARED_AFTER: u32 = 10_000;

/// What may be kept at most, however much comes. Beyond it the stories that
/// nobody told for longest rest before their time, and are forgotten before it.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Terms of stories that may grow: some twenty bytes each.
    terms: usize,
    /// Stories that grow or rest: some four hundred bytes each for their texts.
    stories: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { terms: 8_000_000, stories: 400_000 }
    }
}

/// What an entry may join a story by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Whatever it has in common.
    Event,
    /// The words of another outlet only: its feed had these words before, under
    /// another date.
    Copies,
}

/// An entry that was counted to a story.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    /// Its row.
    pub entry: EntryId,
    /// Its story.
    pub story: StoryId,
    /// The host of its page, or its feed, as a number: what fills a form
    /// stands under one roof.
    pub host: u32,
    /// When it came.
    pub at: Timestamp,
    /// What of it counts.
    pub features: Features,
}

/// The stories of the last days.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    now: i64,
    reach: Reach,
    numbers: HashMap<StoryId, u32>,
    ages: BTreeSet<(i64, u32)>,
    resting: HashMap<u32, StoryId>,
    rest_ages: BTreeSet<(i64, u32)>,
    texts: Texts,
    bounds: Bounds,
}

/// An entry that looks for its story.
struct Entry<'a> {
    host: u32,
    weighed: &'a [Weighed],
    learned: &'a Learned,
    crowd: f64,
}

impl Entry<'_> {
    /// How alike it is to one of the last tellings.
    fn likeness(&self, terms: &[Carried], own_host: bool) -> Option<f64> {
        let one = Subject { terms, tellings: 1, own_host, crowd: self.crowd };
        likeness(self.weighed, &one, self.learned)
    }

    /// How alike it is to the most alike of the last tellings, or to one that
    /// is alike `enough`.
    fn nearest(&self, story: &Story, enough: f64) -> f64 {
        let mut most = f64::MIN;
        for telling in story.recent() {
            most = most.max(self.likeness(&telling.terms, false).unwrap_or(f64::MIN));
            if most >= enough {
                break;
            }
        }
        most
    }
}

impl Window {
    /// The story that an entry joins, and why; `None` if it tells of something
    /// new.
    pub(super) fn choose(
        &mut self,
        host: u32,
        at: Timestamp,
        features: &Features,
        (join, learned): (Join, &Learned),
    ) -> Option<(StoryId, Joined)> {
        self.expire(at.as_millisecond());
        // Its own outlet told these words before: it means something new, unless
        // others just told them, too.
        let words = (features.heading, &features.sketch);
        let again =
            join == Join::Copies && self.texts.has(host, words, |story| self.id(story).is_some());
        let weighed = weigh(features, learned);
        let found = self.copy(host, features, &weighed);
        let found = found.or_else(|| self.same_heading(host, features));
        let found = match join {
            Join::Event => found.or_else(|| self.event(host, features, &weighed, learned)),
            Join::Copies => found,
        };
        let (number, joined) = found.filter(|(story, _)| !again || self.is_fresh(*story))?;
        Some((self.id(number)?.clone(), joined))
    }

    fn is_fresh(&self, story: u32) -> bool {
        self.reach.get(story).is_some_and(|story| self.now - story.begun <= FRESH)
    }

    /// The id of a story that is told or rests.
    fn id(&self, number: u32) -> Option<&StoryId> {
        self.reach.get(number).map(|story| &story.id).or_else(|| self.resting.get(&number))
    }

    fn copy(&self, host: u32, features: &Features, weighed: &[Weighed]) -> Option<(u32, Joined)> {
        let alive = |story: u32| self.id(story).is_some();
        let mut best: Option<(f64, &Text)> = None;
        for text in self.texts.alike(&features.sketch, host, alive) {
            let Some(share) = features.sketch.copied(&text.sketch) else { continue };
            let better = best.is_none_or(|(most, other)| {
                share > most || (share == most && text.entry.0 < other.entry.0)
            });
            if better && (share >= SURE_COPY || !self.has_other_numbers(text.story, weighed)) {
                best = Some((share, text));
            }
        }
        best.map(|(share, text)| (text.story, Joined::Copy { of: text.entry, share }))
    }

    /// Whether the titles of a story and of an entry have numbers, but none
    /// in common: "magnitude 5.1" and "magnitude 6.3".
    fn has_other_numbers(&self, story: u32, weighed: &[Weighed]) -> bool {
        let Some(story) = self.reach.get(story) else { return false };
        let of_story = |carried: &&Carried| carried.is_number() && carried.in_title() > 0.0;
        let of_entry = |weighed: &&Weighed| weighed.term.is(NUMBER) && weighed.term.is(TITLE);
        let mut numbers = weighed.iter().filter(of_entry).peekable();
        let carried = |id: u32| story.terms.iter().filter(of_story).any(|carried| carried.id == id);
        numbers.peek().is_some()
            && story.terms.iter().any(|carried| of_story(&carried))
            && !numbers.any(|weighed| carried(weighed.term.id))
    }

    fn same_heading(&self, host: u32, features: &Features) -> Option<(u32, Joined)> {
        let alive = |story: u32| self.id(story).is_some();
        let text = self.texts.headed(features.heading?, host, alive)?;
        Some((text.story, Joined::Headline { of: text.entry }))
    }

    fn event(
        &mut self,
        host: u32,
        features: &Features,
        weighed: &[Weighed],
        learned: &Learned,
    ) -> Option<(u32, Joined)> {
        let entry = Entry { host, weighed, learned, crowd: self.crowd() };
        let mut best: Option<(f64, EntryId, u32)> = None;
        for number in self.reach.candidates(weighed) {
            let Some(story) = self.reach.get(number) else { continue };
            let least = best.map_or(JOINS, |(most, ..)| most);
            let Some(score) = self.score(&entry, story, least) else { continue };
            let better = best.is_none_or(|(most, first, _)| {
                score > most || (score == most && story.first.0 < first.0)
            });
            if better {
                best = Some((score, story.first, number));
            }
        }
        let (score, _, number) = best?;
        let shared = self.shared(number, features, weighed);
        Some((number, Joined::Event { score: score - JOINS, shared }))
    }

    /// How likely an entry tells of a story's event, if that is at least
    /// `least`: as alike as all tellings together make it, but not much more
    /// than one of the last tellings does alone. That keeps a story from
    /// taking up whatever has the words of its matter.
    fn score(&self, entry: &Entry<'_>, story: &Story, least: f64) -> Option<f64> {
        if self.now - story.begun > LASTS {
            return None;
        }
        let subject = Subject {
            terms: &story.terms,
            tellings: story.tellings,
            own_host: story.only_by(entry.host),
            crowd: entry.crowd,
        };
        let told = story.told_by(entry.host);
        let against = self.doubt(story)
            + if told > 0 { TOLD_ONCE + TOLD_OFTEN * f64::from(told).ln() } else { 0.0 };
        let mut alike = likeness(entry.weighed, &subject, entry.learned)?;
        if alike - against < least {
            return None;
        }
        if told > 0
            && let Some(own) = story.recent().find(|telling| telling.host == entry.host)
        {
            alike = alike.min(entry.likeness(&own.terms, true)? + ABOVE_OWN);
        }
        if story.tellings > 1 {
            alike = alike.min(entry.nearest(story, alike - TOGETHER) + TOGETHER);
        }
        Some(alike - against).filter(|score| *score >= least)
    }

    /// How many stories there are, as a logarithm above few.
    fn crowd(&self) -> f64 {
        (self.reach.count() as f64 / FEW_STORIES).max(1.0).ln()
    }

    /// The more stories there are, the more alike is the best of them by
    /// chance; and the older a story, the likelier it is that what comes now
    /// is another event of the same matter. After a day that grows quickly.
    fn doubt(&self, story: &Story) -> f64 {
        let days = |from: i64| (self.now - from).max(0) as f64 / (24 * HOUR) as f64;
        let age = days(story.begun);
        CROWD * self.crowd()
            + 0.7 * (1.0 + age).ln()
            + (age - 1.0).max(0.0)
            + 0.3 * (1.0 + 2.0 * days(story.last)).ln()
    }

    /// The words that entry and story share, the heaviest first.
    fn shared(&self, number: u32, features: &Features, weighed: &[Weighed]) -> Vec<String> {
        /// Words named.
        const NAMED: usize = 6;
        let Some(story) = self.reach.get(number) else { return Vec::new() };
        let has = |id: u32| story.terms.binary_search_by_key(&id, |carried| carried.id).is_ok();
        let mut shared: Vec<&Weighed> = weighed.iter().filter(|w| has(w.term.id)).collect();
        shared.sort_by(|a, b| b.part().total_cmp(&a.part()).then(a.term.id.cmp(&b.term.id)));
        let word = |weighed: &&Weighed| {
            let at = features.terms.binary_search_by_key(&weighed.term.id, |term| term.id).ok()?;
            features.words.get(at).cloned()
        };
        shared.iter().take(NAMED).filter_map(word).collect()
    }

    /// Adds a telling to its story, or begins the story with it.
    pub(super) fn add(&mut self, telling: Telling) {
        let at = telling.at.as_millisecond();
        self.expire(at);
        let number = match self.numbers.get(&telling.story) {
            Some(number) => *number,
            None => self.begin(&telling),
        };
        let ages = &mut self.ages;
        self.reach.tell(number, |story| {
            ages.remove(&(story.last, number));
            story.last = story.last.max(at);
            ages.insert((story.last, number));
            story.tell(telling.host, &telling.features)
        });
        let kept = self.texts.keep(number, telling);
        if kept.is_some_and(|number| number % CLEARED_AFTER == CLEARED_AFTER - 1) {
            self.clear_away();
        }
        self.make_room();
    }

    fn begin(&mut self, telling: &Telling) -> u32 {
        let at = telling.at.as_millisecond();
        let number = self.reach.push(Story::new(telling.story.clone(), telling.entry, at));
        self.numbers.insert(telling.story.clone(), number);
        number
    }

    /// Lays the stories to rest that nobody told for a window's time, and
    /// forgets those that have rested. One that is told again begins anew,
    /// under its old id.
    fn expire(&mut self, now: i64) {
        self.now = self.now.max(now);
        while self.ages.first().is_some_and(|(last, _)| *last < self.now - WINDOW) {
            self.lay_to_rest();
        }
        while self.rest_ages.first().is_some_and(|(last, _)| *last < self.now - RESTS) {
            self.forget();
        }
    }

    fn make_room(&mut self) {
        while self.reach.weight() > self.bounds.terms && self.ages.len() > 1 {
            self.lay_to_rest();
        }
        while self.ages.len() + self.rest_ages.len() > self.bounds.stories {
            if self.rest_ages.is_empty() {
                self.lay_to_rest();
            }
            self.forget();
        }
    }

    /// Lets the story grow no more that nobody told for longest.
    fn lay_to_rest(&mut self) {
        let Some((last, number)) = self.ages.pop_first() else { return };
        if let Some(story) = self.reach.take(number) {
            self.numbers.remove(&story.id);
            self.resting.insert(number, story.id);
            self.rest_ages.insert((last, number));
        }
    }

    /// Forgets the one that nobody told for longest of those that rest.
    fn forget(&mut self) {
        if let Some((_, number)) = self.rest_ages.pop_first() {
            self.resting.remove(&number);
        }
    }

    /// Drops what leads to stories that are forgotten; nobody asks through it.
    fn clear_away(&mut self) {
        self.reach.clear_away();
        let (reach, resting) = (&self.reach, &self.resting);
        self.texts.clear_away(|story| reach.get(story).is_some() || resting.contains_key(&story));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[derive(Default)]
    struct Desk {
        window: Window,
        learned: Learned,
        entries: i64,
    }

    impl Desk {
        /// Takes in what a host tells some hours after the beginning; gives
        /// the story.
        fn hear(&mut self, host: u32, hours: i64, title: &str) -> String {
            let mut features = Features::of(title, "", Some("en"));
            self.learned.observe(host, &mut features);
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
            let found = self.window.choose(host, at, &features, (Join::Event, &self.learned));
            self.entries += 1;
            let (entry, new) = (EntryId(self.entries), format!("s{}", self.entries));
            let story = found.map_or_else(|| StoryId::new(new), |(story, _)| story);
            let name = story.as_str().to_owned();
            self.window.add(Telling { entry, story, host, at, features });
            name
        }
    }

    #[test]
    fn too_much_at_once_makes_the_oldest_rest_and_then_be_forgotten() {
        let text = "The cabinet of the island met until late at night over the price of rice and \
                    of diesel, and could agree on neither, three people who were there said";
        let check = |bounds: Bounds, expected: (usize, bool)| {
            let mut desk = Desk::default();
            desk.window.bounds = bounds;
            let first = desk.hear(0, 0, text);
            for n in 1..40_u8 {
                let own = |word: &&str| {
                    format!("{word}{}x{}q", char::from(b'a' + n % 8), char::from(b'a' + n / 8))
                };
                let words = ["lorimp", "tecsun", "baxter", "ondrel", "mavik", "surtol"];
                desk.hear(n.into(), 0, &words.iter().map(own).collect::<Vec<_>>().join(" "));
            }
            let grows = desk.window.reach.count();
            assert_eq!((grows, desk.hear(77, 1, text) == first), expected, "{bounds:?}");
        };
        check(Bounds::default(), (40, true));
        check(Bounds { terms: 60, stories: 100 }, (10, true));
        check(Bounds { terms: 60, stories: 20 }, (10, false));
        check(Bounds { terms: 1_000, stories: 20 }, (20, false));
    }

    const QUAKE: [&str; 3] = [
        "Strong quake strikes Aceh in Indonesia, killing 22",
        "Quake kills 22 in Aceh, officials in Indonesia say",
        "Indonesia quake: rescuers in Aceh look for survivors after 22 die",
    ];

    #[test]
    fn an_event_told_by_several_outlets_in_a_day_is_one_story() {
        let mut desk = Desk::default();
        let stories: Vec<String> =
            (1..).zip(QUAKE).map(|(host, title)| desk.hear(host, i64::from(host), title)).collect();
        assert_eq!(stories, ["s1", "s1", "s1"]);
    }

    #[test]
    fn a_matter_that_is_told_for_days_breaks_into_stories() {
        let mut desk = Desk::default();
        let stories: Vec<String> = (0..15)
            .map(|n| {
                let title = format!("Strike at the port of Larnaka goes on, witness{n} says");
                desk.hear(n, i64::from(n) * 12, &title)
            })
            .collect();
        assert_eq!(stories[1], stories[0]);
        assert_ne!(stories[14], stories[0]);
    }

    #[test]
    fn what_one_outlet_tells_again_is_less_like_its_story_than_what_another_tells() {
        let score = |host| {
            let mut desk = Desk::default();
            desk.hear(1, 0, "Strike at the port of Larnaka enters its second day");
            desk.hear(2, 1, "Port of Larnaka: dockers on strike for a second day");
            let title = "Dockers in Larnaka reject an offer of the port";
            let features = Features::of(title, "", Some("en"));
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(3);
            match desk.window.choose(host, at, &features, (Join::Event, &desk.learned)) {
                Some((_, Joined::Event { score, .. })) => score,
                _ => f64::MIN,
            }
        };
        assert!(score(3) >= score(1) + TOLD_ONCE, "{} {}", score(3), score(1));
    }

    #[test]
    fn a_form_that_an_outlet_fills_in_daily_is_a_new_story_though_others_tell_it_too() {
        let mut desk = Desk::default();
        let first = desk.hear(1, 0, "Puzzle 513 answer and hints for Monday readers");
        desk.hear(2, 1, "Monday puzzle: hints for readers and the answer 513");
        let next = desk.hear(1, 24, "Puzzle 514 answer and hints for Tuesday readers");
        assert_ne!(next, first);
    }
    #[test]
    fn words_under_a_new_date_join_only_what_another_outlet_tells() {
        let title = "Harbour authority warns of strong tides at Serrano pier";
        let check = |told_by: &[u32], host: u32, hours: i64, expected: Option<&str>| {
            let mut desk = Desk::default();
            told_by.iter().for_each(|host| drop(desk.hear(*host, 0, title)));
            let features = Features::of(title, "", Some("en"));
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
            let found = desk.window.choose(host, at, &features, (Join::Copies, &desk.learned));
            let found = found.map(|(story, _)| story.as_str().to_owned());
            assert_eq!(found.as_deref(), expected, "{told_by:?} {host}");
        };
        // The feed carries the page of another host.
        check(&[1], 2, 3, Some("s1"));
        check(&[1, 2], 3, 60, Some("s1"));
        // The outlet repeats its warning.
        check(&[1], 1, 3, None);
        check(&[1, 2], 1, 24, None);
        // It has the same wire text under another section.
        check(&[1, 2], 1, 3, Some("s1"));
    }
    #[test]
    fn a_telling_in_another_language_joins_by_names_and_numbers() {
        let check = |title: &str, joins: bool| {
            let mut desk = Desk::default();
            let first = desk.hear(1, 0, "Java-Taragon ferry sinks off Puerto Alba, 37 dead");
            assert_eq!(desk.hear(2, 2, title) == first, joins, "{title}");
        };
        check("Fähre Java-Taragon vor Puerto Alba gesunken, 37 Tote", true);
        check("Le ferry Java-Taragon coule au large de Puerto Alba: 37 morts", true);
        check("Hafen von Oostmark feiert 37 Jahre Fährverkehr", false);
    }
}
