//! What of an entry counts when it is compared with a story: its words'
//! stems, where they stand and how they are written, and a sketch of its text.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_64;

use super::sketch::Sketch;
use crate::text::fold::{Class, fold};
use crate::text::stem::stem_in;
use crate::text::token::{RawToken, scan};
use crate::text::{credit, language};

/// Words of a text that count: what a story is about stands at its beginning.
const LEAD: usize = 60;
/// Bytes of a text that are looked at for them.
const LEAD_BYTES: usize = 2_000;
/// Bytes of a text that its sketch is made of.
const SKETCH_BYTES: usize = 16_384;
/// A heading with so large a share of words in capitals says nothing by them.
const TITLE_CASE: f64 = 0.6;

/// The term stands in the title.
pub(super) const TITLE: u8 = 1;
/// It is written small where names are not.
pub(super) const SMALL: u8 = 2;
/// It is written with a capital where other words are not.
pub(super) const CAPITAL: u8 = 4;
/// It is a number.
pub(super) const NUMBER: u8 = 8;
/// Its feed says it all the time.
pub(super) const HABIT: u8 = 16;

/// It is a day or a month: a name that two events of a day share.
pub(super) const DAY: u8 = 32;

/// A word of an entry: a hash of its stem, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) id: u32,
    pub(super) flags: u8,
}

impl Term {
    pub(super) fn is(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What of an entry counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Each term once, by id.
    pub(super) terms: Vec<Term>,
    /// The words of `terms` as they were written; empty for stored features.
    pub(super) words: Vec<String>,
    /// Of title and text.
    pub(super) sketch: Sketch,
    /// A hash of the title's terms, if it has enough of them to be alone.
    pub(super) heading: Option<u32>,
}

/// Terms that a title must have for equal titles to be one story.
const TELLING_TITLE: usize = 4;
/// The version of the stored form.
const VERSION: u8 = 1;

impl Features {
    /// Of a title and a text in a language, as far as that is known.
    pub fn of(title: &str, text: &str, lang: Option<&str>) -> Self {
        let body = text.get(credit::body(text)).unwrap_or(text);
        let lead = body.get(..body.floor_char_boundary(LEAD_BYTES)).unwrap_or(body);
        let lang = lang.or_else(|| language::detect(title, lead));
        let mut found = Collector { lang, terms: Vec::new() };
        found.read(title, TITLE, usize::MAX);
        let in_title = found.terms.len();
        found.read(lead, 0, in_title.saturating_add(LEAD));
        let heading = heading(found.terms.get(..in_title).unwrap_or_default());
        found.terms.sort_by_key(|(term, _)| term.id);
        let (terms, words) = found.terms.into_iter().unzip();
        let whole = body.get(..body.floor_char_boundary(SKETCH_BYTES)).unwrap_or(body);
        Self { terms, words, sketch: Sketch::of(title, whole), heading }
    }

    /// The form in which they are stored; words are left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.heading.unwrap_or_default().to_le_bytes());
        self.sketch.write(&mut out);
        for term in &self.terms {
            out.extend(term.id.to_le_bytes());
            out.push(term.flags);
        }
        out
    }

    /// Reads [`Features::to_bytes`]; anything else is read as nothing at all.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (heading, rest) = rest.split_first_chunk::<4>()?;
        let (sketch, rest) = Sketch::read(rest)?;
        let term = |chunk: &[u8]| {
            let (id, flags) = chunk.split_first_chunk::<4>()?;
            Some(Term { id: u32::from_le_bytes(*id), flags: *flags.first()? })
        };
        let terms = rest.chunks_exact(5).map(term).collect::<Option<Vec<_>>>()?;
        let heading = Some(u32::from_le_bytes(*heading)).filter(|heading| *heading != 0);
        Some(Self { terms, words: Vec::new(), sketch, heading })
    }
}

/// Hash of a stem; an accidental equal costs a little likeness, no more.
pub(super) fn term_id(stem: &str) -> u32 {
    (xxh3_64(stem.as_bytes()) >> 32) as u32
}

fn heading(terms: &[(Term, String)]) -> Option<u32> {
    if terms.len() < TELLING_TITLE {
        return None;
    }
    let mut ids: Vec<u32> = terms.iter().map(|(term, _)| term.id).collect();
    ids.sort_unstable();
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    Some((xxh3_64(&bytes) >> 32) as u32 | 1)
}

/// Words so common that they tell nothing, in English; those of other
/// languages are learnt to be common.
const EMPTY: &str = " a an and are as at be been but by for from had has have he her his i if in \
    into is it its me my no not of on or our she so than that the their them then there these \
    they this to too up was we were what when where which who why will with would you your said \
    says say after over about more how can could also out just do does did all one two first \
    last year years day days get gets amid may s t re ve ll d m via vs am pm now here some most \
    off very only other any while until during against between both being because like make made \
    many much own per still such through under update video photo photos ";

/// Days and months.
const CALENDAR: &str = " monday tuesday wednesday thursday friday saturday sunday january \
    february march april june july august september october november december mon tue wed thu \
    fri sat sun jan feb mar apr jun jul aug sept sep oct nov dec ";

fn is_empty_word(folded: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| EMPTY.split_whitespace().collect());
    WORDS.contains(folded)
}

fn is_of_calendar(folded: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| CALENDAR.split_whitespace().collect());
    WORDS.contains(folded)
}

/// Collects terms, each with its first word.
struct Collector<'a> {
    lang: Option<&'a str>,
    terms: Vec<(Term, String)>,
}

impl Collector<'_> {
    /// Reads a text until there are `most` terms.
    fn read(&mut self, text: &str, place: u8, most: usize) {
        let text = &without_links(text);
        let tokens = scan(text, false);
        let capitals = Capitals::of(text, &tokens);
        let mut before: Option<&RawToken> = None;
        for token in &tokens {
            if self.terms.len() >= most {
                return;
            }
            let gap_start = before.map_or(0, |before| before.after);
            let gap = text.get(gap_start..token.range.start).unwrap_or_default();
            let word = text.get(token.range.clone()).unwrap_or_default();
            match token.class {
                Class::Spaced | Class::Hangul => {
                    let begins = before.is_none() || gap.contains(SENTENCE_ENDS);
                    self.word(word, token.dotted, place | capitals.flag(word, begins));
                }
                // Scripts without spaces: pairs of neighbours.
                Class::Ideograph | Class::Cluster => {
                    let joined = before.filter(|b| gap.is_empty() && b.class == token.class);
                    let pair = joined.and_then(|b| text.get(b.range.start..token.range.end));
                    if let Some(pair) = pair {
                        self.add(&fold(pair), pair, place);
                    }
                }
            }
            before = Some(token);
        }
    }

    fn word(&mut self, word: &str, dotted: bool, flags: u8) {
        let mut folded = fold(word);
        if dotted {
            folded.retain(|c| c != '.');
        }
        let number = folded.starts_with(|c: char| c.is_ascii_digit());
        if is_empty_word(&folded) || (!number && folded.chars().nth(1).is_none()) {
            return;
        }
        let flags = flags | if is_of_calendar(&folded) { DAY } else { 0 };
        let stem = if number { folded.replace(',', "") } else { stem_in(&folded, self.lang) };
        self.add(&stem, word, flags | if number { NUMBER } else { 0 });
    }

    fn add(&mut self, stem: &str, word: &str, flags: u8) {
        let id = term_id(stem);
        if !self.terms.iter().any(|(term, _)| term.id == id) {
            self.terms.push((Term { id, flags }, word.to_owned()));
        }
    }
}

const SENTENCE_ENDS: [char; 10] = ['.', '!', '?', '\n', ':', '"', '“', '|', '…', '–'];

/// Whether capitals tell names from other words in a text.
struct Capitals {
    tell: bool,
}

impl Capitals {
    fn of(text: &str, tokens: &[RawToken]) -> Self {
        let (mut long, mut capital, mut any) = (0_u32, 0_u32, false);
        for token in tokens {
            let word = text.get(token.range.clone()).unwrap_or_default();
            let upper = word.starts_with(char::is_uppercase);
            any |= upper;
            if word.chars().nth(3).is_some() {
                long += 1;
                capital += u32::from(upper);
            }
        }
        let title_case = long > 0 && f64::from(capital) > TITLE_CASE * f64::from(long);
        Self { tell: any && !title_case }
    }

    fn flag(&self, word: &str, begins: bool) -> u8 {
        let upper = word.starts_with(char::is_uppercase);
        match (self.tell, upper) {
            (false, _) => 0,
            (true, true) if begins => 0,
            (true, true) => CAPITAL,
            (true, false) => SMALL,
        }
    }
}

/// A text without the web addresses in it.
fn without_links(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !text.contains("www.") {
        return Cow::Borrowed(text);
    }
    let is_link = |word: &str| word.contains("://") || word.starts_with("www.");
    text.split_inclusive(char::is_whitespace).filter(|word| !is_link(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(title: &str, text: &str, flag: u8) -> Vec<String> {
        let found = Features::of(title, text, Some("en"));
        let terms = found.terms.iter().zip(&found.words);
        let mut words: Vec<String> =
            terms.filter(|(term, _)| term.is(flag)).map(|(_, word)| word.clone()).collect();
        words.sort();
        words
    }

    #[test]
    fn names_are_told_by_capitals_only_where_capitals_tell() {
        let check = |title: &str, text: &str, expected: &[&str]| {
            assert_eq!(words(title, text, CAPITAL), expected, "{title} / {text}");
        };
        check("Minister meets rival Chen for talks about ferries in Hanoi", "", &["Chen", "Hanoi"]);
        check("Minister Meets Rival In Capital City", "", &[]);
        check("minister meets rival", "", &[]);
        check("", "Talks failed. Nobody met Chen there yesterday.", &["Chen"]);
    }

    #[test]
    fn words_without_meaning_links_and_credits_do_not_count() {
        let found =
            words("The talks", "HANOI (Reuters) - They met, see https://example.org/a", 0xff);
        assert_eq!(found, ["talks"]);
        assert_eq!(
            words("", "BEIJING (AP) — Ships met 4,000 boats", 0xff),
            ["4,000", "boats", "met"]
        );
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        let found = Features::of("中国防长", "", None);
        assert_eq!(found.terms.len(), 3);
    }

    #[test]
    fn stored_features_come_back() {
        let long =
            "Ships of two navies met near a reef on Monday and went apart again. ".repeat(20);
        for (title, text) in [("", ""), ("Ships meet near the reef", long.as_str())] {
            let found = Features::of(title, text, None);
            let back = Features::from_bytes(&found.to_bytes());
            assert_eq!(back, Features { words: Vec::new(), ..found });
        }
        assert_eq!(Features::from_bytes(b"\x09junk"), Features::default());
    }
}
