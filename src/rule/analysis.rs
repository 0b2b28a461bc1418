//! A story cut into words, and where each literal of the rules occurs in it.

mod side;

use std::cell::OnceCell;
use std::ops::Range;

use crate::model::{Field, Span};

use super::lexicon::{Lexicon, Shape};
use super::vocabulary::{LiteralId, Vocabulary};
use crate::text::language;
use crate::text::stem::Languages;
use crate::text::token::each_token;
use side::Side;

/// How many fields of a story are looked through.
pub(super) const FIELDS: usize = 6;
/// Marks the end of a literal's occurrences.
const END: u32 = u32::MAX;

/// A word of a text, as byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: u32,
    /// One past the last byte, without the possessive.
    pub(super) end: u32,
    /// One past the last byte, with the possessive.
    pub(super) after: u32,
    shape: u32,
}

/// What one worker needs to read stories; kept from story to story.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    lexicon: Lexicon,
    tokens: Vec<Token>,
    /// The tokens of each field.
    fields: [Range<usize>; FIELDS],
    /// By literal: whether this story has it, and where first.
    seen: Vec<Seen>,
    occurrences: Vec<Occurrence>,
    /// The literals of this story, each once.
    found: Vec<LiteralId>,
    /// Number of the story.
    epoch: u32,
    /// How many stories were counted.
    stories: u32,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    epoch: u32,
    first: u32,
    /// How many stories had it.
    stories: u32,
}

#[derive(Clone, Copy, Debug)]
struct Occurrence {
    token: u32,
    next: u32,
    languages: Languages,
}

/// A text, and the part of it that counts.
pub(super) type Part<'a> = (&'a str, Range<usize>);

impl Scratch {
    /// Reads a story.
    pub(super) fn read(&mut self, vocabulary: &Vocabulary, parts: &[Part<'_>; FIELDS]) {
        self.lexicon.prepare(vocabulary);
        self.tokens.clear();
        for (field, (text, part)) in self.fields.iter_mut().zip(parts) {
            let from = self.tokens.len();
            let (lexicon, tokens) = (&mut self.lexicon, &mut self.tokens);
            each_token(text, part.clone(), false, |raw| {
                let surface = text.get(raw.range.clone()).unwrap_or_default();
                tokens.push(Token {
                    start: offset(raw.range.start),
                    end: offset(raw.range.end),
                    after: offset(raw.after),
                    shape: lexicon.shape(vocabulary, surface, raw.dotted),
                });
            });
            *field = from..self.tokens.len();
        }
        self.locate(vocabulary);
    }

    /// Notes where each literal occurs, from the last token to the first, so
    /// that the chains lead from the first to the last.
    fn locate(&mut self, vocabulary: &Vocabulary) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.seen.len() != vocabulary.len() || self.epoch == 0 {
            self.epoch = 1;
            self.seen.clear();
            self.seen.resize(vocabulary.len(), Seen { epoch: 0, first: END, stories: 0 });
            self.stories = 0;
        }
        self.stories = self.stories.saturating_add(1);
        self.found.clear();
        self.occurrences.clear();
        for (at, token) in self.tokens.iter().enumerate().rev() {
            for satisfied in self.lexicon.satisfied(token.shape) {
                let Some(seen) = self.seen.get_mut(satisfied.id as usize) else { continue };
                if seen.epoch != self.epoch {
                    *seen = Seen { epoch: self.epoch, first: END, stories: seen.stories + 1 };
                    self.found.push(satisfied.id);
                }
                let (token, languages) = (offset(at), satisfied.languages);
                let number = offset(self.occurrences.len());
                self.occurrences.push(Occurrence { token, next: seen.first, languages });
                seen.first = number;
            }
        }
    }

    /// How many stories were read since the vocabulary last changed.
    pub(super) fn stories(&self) -> u32 {
        self.stories
    }

    /// How many of them had each literal.
    pub(super) fn counts(&self) -> Vec<u32> {
        self.seen.iter().map(|seen| seen.stories).collect()
    }

    /// The literals that the story has somewhere, in no order.
    pub(super) fn found(&self) -> &[LiteralId] {
        &self.found
    }

    /// Whether the story has a literal somewhere.
    pub(super) fn has(&self, id: LiteralId) -> bool {
        self.seen.get(id as usize).is_some_and(|seen| seen.epoch == self.epoch)
    }

    fn first(&self, id: LiteralId) -> u32 {
        let seen = self.seen.get(id as usize).filter(|seen| seen.epoch == self.epoch);
        seen.map_or(END, |seen| seen.first)
    }

    pub(super) fn field<'a>(&'a self, number: usize, story: &'a Story<'a>) -> FieldText<'a> {
        let range = self.fields.get(number).cloned().unwrap_or_default();
        FieldText {
            text: story.parts.get(number).map_or("", |(text, _)| text),
            tokens: self.tokens.get(range.clone()).unwrap_or_default(),
            base: range.start,
            story,
            number,
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What belongs to a story while rules are asked about it.
pub(super) struct Story<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) parts: [Part<'a>; FIELDS],
    /// The language that the story states.
    pub(super) stated: Option<&'a str>,
    /// The language its words are in, once somebody asked.
    detected: OnceCell<Option<&'static str>>,
    languages: OnceCell<Languages>,
    /// Whether capitals count for nothing where all is in capitals.
    strict: bool,
    sides: [OnceCell<Side>; FIELDS],
}

impl<'a> Story<'a> {
    /// A story that `scratch` has just read.
    pub(super) fn new(
        scratch: &'a Scratch,
        vocabulary: &'a Vocabulary,
        parts: [Part<'a>; FIELDS],
        stated: Option<&'a str>,
    ) -> Self {
        Self {
            scratch,
            vocabulary,
            parts,
            stated: stated.map(str::trim).filter(|tag| !tag.is_empty()),
            detected: OnceCell::new(),
            languages: OnceCell::new(),
            strict: false,
            sides: Default::default(),
        }
    }

    /// The same story, with capitals that count for nothing where all is in
    /// capitals; `None` when nowhere in its title it is.
    pub(super) fn strict(&self) -> Option<Self> {
        let title = self.scratch.field(Field::Title as usize, self);
        (0..title.tokens.len()).any(|place| title.is_shouted(place)).then(|| Self {
            strict: true,
            ..Self::new(self.scratch, self.vocabulary, self.parts.clone(), self.stated)
        })
    }

    /// The language, as stated or else as its words tell.
    pub(super) fn language(&self) -> Option<&str> {
        let [(title, _), (text, _), ..] = &self.parts;
        self.stated.or_else(|| *self.detected.get_or_init(|| language::detect(title, text)))
    }

    /// How its words are inflected. A language that was only detected may be
    /// wrong, so English is tried as well.
    fn languages(&self) -> Languages {
        *self.languages.get_or_init(|| {
            let languages = Languages::of_text(self.language());
            match self.stated {
                Some(_) => languages,
                None => languages.and(Languages::of_text(None)),
            }
        })
    }
}

/// One field of a story, ready to be looked through. Tokens are counted from
/// its first.
#[derive(Clone, Copy)]
pub(super) struct FieldText<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    base: usize,
    story: &'a Story<'a>,
    number: usize,
}

impl<'a> FieldText<'a> {
    /// The first words of the field only.
    pub(super) fn lead(self, words: usize) -> Self {
        let tokens = self.tokens.get(..words).unwrap_or(self.tokens);
        Self { tokens, ..self }
    }

    /// Where a literal occurs, in order.
    pub(super) fn positions(self, id: LiteralId) -> impl Iterator<Item = usize> + 'a {
        let scratch = self.story.scratch;
        let mut at = scratch.first(id);
        let shy = at != END && self.is_shy(id);
        std::iter::from_fn(move || {
            loop {
                let occurrence = scratch.occurrences.get(at as usize)?;
                at = occurrence.next;
                let Some(place) = (occurrence.token as usize).checked_sub(self.base) else {
                    continue;
                };
                if place >= self.tokens.len() {
                    return None;
                }
                if self.counts(occurrence.languages, shy, place) {
                    return Some(place);
                }
            }
        })
    }

    /// Whether the word at `place` is this literal.
    pub(super) fn is(self, place: usize, id: LiteralId) -> bool {
        let Some(token) = self.tokens.get(place) else { return false };
        let found = self.story.scratch.lexicon.satisfied(token.shape);
        let found = found.binary_search_by_key(&id, |satisfied| satisfied.id).ok();
        let satisfied =
            found.and_then(|at| self.story.scratch.lexicon.satisfied(token.shape).get(at));
        satisfied.is_some_and(|satisfied| self.counts(satisfied.languages, self.is_shy(id), place))
    }

    /// Whether a literal does not count in a run of words in capitals.
    fn is_shy(self, id: LiteralId) -> bool {
        self.story.vocabulary.is_shy(id, self.story.strict)
    }

    fn counts(self, languages: Languages, shy: bool, place: usize) -> bool {
        let spoken = languages == Languages::ALL || self.story.languages().meets(languages);
        spoken && !(shy && self.is_shouted(place))
    }

    /// Whether the story has a literal in any of its fields.
    pub(super) fn has(self, id: LiteralId) -> bool {
        self.story.scratch.has(id)
    }

    fn shape(self, place: usize) -> Option<&'a Shape> {
        self.story.scratch.lexicon.get(self.tokens.get(place)?.shape)
    }

    /// What stands before a token, up to the one before it.
    pub(super) fn gap_before(self, place: usize) -> &'a str {
        let token = |place: usize| self.tokens.get(place);
        let before = place.checked_sub(1).and_then(token).map_or(0, |before| before.after);
        let start = token(place).map_or(before, |token| token.start);
        self.text.get(before as usize..start as usize).unwrap_or_default()
    }

    /// The word as written, without its possessive.
    pub(super) fn surface(self, place: usize) -> &'a str {
        let range = self.tokens.get(place).map(|token| token.start as usize..token.end as usize);
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// The evidence that reaches from one token to another.
    pub(super) fn span(self, field: Field, first: usize, last: usize) -> Span {
        let token = |place: usize| self.tokens.get(place);
        Span {
            field,
            start: token(first).map_or(0, |token| token.start as usize),
            end: token(last).map_or(0, |token| token.end as usize),
        }
    }

    /// The text as far as its tokens reach.
    pub(super) fn shown(self) -> &'a str {
        let whole = self.story.scratch.field(self.number, self.story).tokens.len();
        let end = self.tokens.last().filter(|_| self.tokens.len() < whole);
        let end = end.map_or(self.text.len(), |token| token.after as usize);
        self.text.get(..end).unwrap_or(self.text)
    }

    /// The first and last token that lie at least partly in a range of bytes.
    pub(super) fn tokens_of(self, range: Range<usize>) -> Option<(usize, usize)> {
        let first = self.tokens.partition_point(|token| token.after as usize <= range.start);
        let after = self.tokens.partition_point(|token| (token.start as usize) < range.end);
        (first < after).then(|| (first, after - 1))
    }

    /// The number of each token's paragraph.
    pub(super) fn paragraphs(self) -> &'a [u32] {
        &self.side().paragraphs
    }

    /// The number of each token's sentence.
    pub(super) fn sentences(self) -> &'a [u32] {
        &self.side().sentences
    }

    /// Number of the paragraph of a token.
    pub(super) fn paragraph(self, place: usize) -> u32 {
        self.paragraphs().get(place).copied().unwrap_or_default()
    }

    /// Number of the sentence of a token.
    pub(super) fn sentence(self, place: usize) -> u32 {
        self.sentences().get(place).copied().unwrap_or_default()
    }

    fn is_shouted(self, place: usize) -> bool {
        let dotted = self.shape(place).is_some_and(|shape| shape.dotted);
        !dotted && self.side().shouted.get(place).copied().unwrap_or_default()
    }

    fn side(self) -> &'a Side {
        static NONE: Side =
            Side { paragraphs: Vec::new(), sentences: Vec::new(), shouted: Vec::new() };
        let whole = self.story.scratch.field(self.number, self.story);
        let side = self.story.sides.get(self.number);
        side.map_or(&NONE, |side| side.get_or_init(|| whole.look_aside()))
    }
}
