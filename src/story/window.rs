//! The stories that may still grow, and which of them an entry joins.
//!
//! Everything here follows from the tellings added, in their order: a window
//! that is built anew from the stored tellings decides as the old one did.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::features::{Features, NUMBER, TITLE};
use super::growing::{Carried, Story};
use super::index::{Index, Kind};
use super::learned::Learned;
use super::paper::Paper;
use super::reach::Reach;
use super::record::Part;
use super::score::{Subject, Weighed, likeness, weigh};
use super::texts::{Text, Texts};
use crate::model::{EntryId, Joined, StoryId};

/// A story that nobody told for so long rests: nothing joins it in other
/// words any more. In milliseconds.
const WINDOW: i64 = 72 * HOUR;
/// Copies of a text, and headlines under other roofs, join its story for so
/// long: weeklies and slow feeds bring them late.
const RECOGNISED: i64 = 7 * 24 * HOUR;
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
/// What may be kept at most, however much comes. Beyond it the stories that
/// nobody told for longest rest before their time, and the oldest texts are
/// forgotten.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Terms of stories that may grow: some thirty bytes of paper each.
    terms: usize,
    /// Such stories, and texts: some three hundred bytes of paper each, and some
    /// thirty of memory.
    stories: usize,
}

impl Bounds {
    /// On a disk.
    const WIDE: Self = Self { terms: 16_000_000, stories: 1_000_000 };
    /// In memory.
    const NARROW: Self = Self { terms: 1_500_000, stories: 80_000 };
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
#[derive(Debug)]
pub(super) struct Window {
    now: i64,
    reach: Reach,
    texts: Texts,
    index: Index,
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

/// A story found, and why it is joined.
type Found = (StoryId, Joined);

impl Window {
    /// An empty one that writes on this.
    pub(super) fn new(paper: &Arc<dyn Paper>) -> Self {
        Self {
            now: 0,
            reach: Reach::new(Arc::clone(paper)),
            texts: Texts::new(Arc::clone(paper)),
            index: Index::new(Arc::clone(paper)),
            bounds: if paper.takes_memory() { Bounds::NARROW } else { Bounds::WIDE },
        }
    }

    /// The story that an entry joins, and why; `None` if it tells of something
    /// new.
    ///
    /// # Errors
    /// When the paper fails; then this is not to be used any more.
    pub(super) fn choose(
        &mut self,
        host: u32,
        at: Timestamp,
        features: &Features,
        (join, learned): (Join, &Learned),
    ) -> io::Result<Option<Found>> {
        self.expire(at.as_millisecond())?;
        let weighed = weigh(features, learned);
        if let Some((story, found)) = self.copy_or_heading(host, features, &weighed)? {
            // Its own outlet told these words before: it means something new,
            // unless others just told them, too.
            let words = (features.heading, &features.sketch);
            let again = join == Join::Copies && self.texts.told_by(host, words, &self.index)?;
            return Ok((!again || self.is_fresh(story)?).then_some(found));
        }
        if join == Join::Copies {
            return Ok(None);
        }
        self.event(host, features, &weighed, learned)
    }

    fn is_fresh(&self, story: u32) -> io::Result<bool> {
        let story = self.reach.get(story, Part::Whole)?;
        Ok(story.is_some_and(|story| self.now - story.begun <= FRESH))
    }

    fn copy_or_heading(
        &self,
        host: u32,
        features: &Features,
        weighed: &[Weighed],
    ) -> io::Result<Option<(u32, Found)>> {
        if let Some((text, share)) = self.copy(host, features, weighed)? {
            return Ok(Some((text.story, (text.id, Joined::Copy { of: text.entry, share }))));
        }
        let Some(heading) = features.heading else { return Ok(None) };
        let text = self.texts.headed(heading, host, &self.index)?;
        Ok(text.map(|text| (text.story, (text.id, Joined::Headline { of: text.entry }))))
    }

    fn copy(
        &self,
        host: u32,
        features: &Features,
        weighed: &[Weighed],
    ) -> io::Result<Option<(Text, f64)>> {
        let mut best: Option<(Text, f64)> = None;
        for text in self.texts.alike(&features.sketch, host, &self.index)? {
            let Some(share) = features.sketch.copied(&text.sketch) else { continue };
            let better = best.as_ref().is_none_or(|(other, most)| {
                share > *most || (share == *most && text.entry.0 < other.entry.0)
            });
            if better && (share >= SURE_COPY || !self.has_other_numbers(text.story, weighed)?) {
                best = Some((text, share));
            }
        }
        Ok(best)
    }

    /// Whether the titles of a story and of an entry have numbers, but none
    /// in common: "magnitude 5.1" and "magnitude 6.3".
    fn has_other_numbers(&self, story: u32, weighed: &[Weighed]) -> io::Result<bool> {
        let Some(story) = self.reach.get(story, Part::Whole)? else { return Ok(false) };
        let of_story = |carried: &&Carried| carried.is_number() && carried.in_title() > 0.0;
        let of_entry = |weighed: &&Weighed| weighed.term.is(NUMBER) && weighed.term.is(TITLE);
        let mut numbers = weighed.iter().filter(of_entry).peekable();
        let carried = |id: u32| story.terms.iter().filter(of_story).any(|carried| carried.id == id);
        Ok(numbers.peek().is_some()
            && story.terms.iter().any(|carried| of_story(&carried))
            && !numbers.any(|weighed| carried(weighed.term.id)))
    }

    fn event(
        &mut self,
        host: u32,
        features: &Features,
        weighed: &[Weighed],
        learned: &Learned,
    ) -> io::Result<Option<Found>> {
        let entry = Entry { host, weighed, learned, crowd: self.crowd() };
        let mut best: Option<(f64, Story)> = None;
        for number in self.reach.candidates(weighed, &self.index)? {
            let Some(story) = self.reach.get(number, Part::WithRecent)? else { continue };
            let least = best.as_ref().map_or(JOINS, |(most, _)| *most);
            let Some(score) = self.score(&entry, &story, least) else { continue };
            let better = best.as_ref().is_none_or(|(most, other)| {
                score > *most || (score == *most && story.first.0 < other.first.0)
            });
            if better {
                best = Some((score, story));
            }
        }
        Ok(best.map(|(score, story)| {
            let shared = shared(&story, features, weighed);
            (story.id, Joined::Event { score: score - JOINS, shared })
        }))
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

    /// Adds a telling to its story, or begins the story with it.
    ///
    /// # Errors
    /// When the paper fails; then this is not to be used any more.
    pub(super) fn add(&mut self, telling: Telling) -> io::Result<()> {
        self.expire(telling.at.as_millisecond())?;
        let at = self.now;
        let tell = |story: &mut Story| {
            story.last = at;
            story.tell(telling.host, &telling.features)
        };
        let number = match self.reach.number(&telling.story, &self.index)? {
            Some(number) => {
                self.reach.tell(number, &mut self.index, tell)?;
                number
            }
            None => {
                let mut story = Story::new(telling.story.clone(), telling.entry, at);
                tell(&mut story);
                self.reach.begin(&story, &mut self.index)?
            }
        };
        self.texts.keep(number, telling, at, &mut self.index)?;
        self.make_room()?;
        let (reach, texts) = (&self.reach, &self.texts);
        self.index.tidy(at, |kind, number| match kind {
            Kind::Term | Kind::Id => reach.has(number),
            Kind::Words | Kind::Heading => texts.has(number),
        })
    }

    /// Lays the stories to rest that nobody told for a window's time, and
    /// forgets old texts. A story that is told again begins anew, under its
    /// old id. Time does not go back here.
    fn expire(&mut self, now: i64) -> io::Result<()> {
        self.now = self.now.max(now);
        self.texts.expire(self.now - RECOGNISED);
        self.reach.expire(self.now - WINDOW)
    }

    fn make_room(&mut self) -> io::Result<()> {
        let Bounds { terms, stories } = self.bounds;
        while self.reach.count() > stories
            || (self.reach.weight() > terms && self.reach.count() > 1)
        {
            self.reach.lay_to_rest()?;
        }
        while self.texts.count() > stories {
            self.texts.forget_oldest();
        }
        Ok(())
    }
}

/// The words that entry and story share, the heaviest first.
fn shared(story: &Story, features: &Features, weighed: &[Weighed]) -> Vec<String> {
    /// Words named.
    const NAMED: usize = 6;
    let has = |id: u32| story.terms.binary_search_by_key(&id, |carried| carried.id).is_ok();
    let mut shared: Vec<&Weighed> = weighed.iter().filter(|w| has(w.term.id)).collect();
    shared.sort_by(|a, b| b.part().total_cmp(&a.part()).then(a.term.id.cmp(&b.term.id)));
    let word = |weighed: &&Weighed| {
        let at = features.terms.binary_search_by_key(&weighed.term.id, |term| term.id).ok()?;
        features.words.get(at).cloned()
    };
    shared.iter().take(NAMED).filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::paper::MemoryPaper;
    use super::*;

    struct Desk {
        window: Window,
        learned: Learned,
        entries: i64,
    }

    impl Default for Desk {
        fn default() -> Self {
            let paper: Arc<dyn Paper> = Arc::new(MemoryPaper);
            Self { window: Window::new(&paper), learned: Learned::default(), entries: 0 }
        }
    }

    impl Desk {
        /// Takes in what a host tells some hours after the beginning; gives
        /// the story.
        fn hear(&mut self, host: u32, hours: i64, title: &str) -> String {
            let mut features = Features::of(title, "", Some("en"));
            self.learned.observe(host, &mut features);
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
            let found =
                self.window.choose(host, at, &features, (Join::Event, &self.learned)).unwrap();
            self.entries += 1;
            let (entry, new) = (EntryId(self.entries), format!("s{}", self.entries));
            let story = found.map_or_else(|| StoryId::new(new), |(story, _)| story);
            let name = story.as_str().to_owned();
            self.window.add(Telling { entry, story, host, at, features }).unwrap();
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
        check(Bounds::WIDE, (40, true));
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
            match desk.window.choose(host, at, &features, (Join::Event, &desk.learned)).unwrap() {
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
            let found =
                desk.window.choose(host, at, &features, (Join::Copies, &desk.learned)).unwrap();
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
