//! Words as texts write them, and what was found out about each: a word is
//! folded, stemmed and looked up in the vocabulary only the first time.

use hashbrown::HashMap;

use super::vocabulary::{Satisfied, Vocabulary};
use crate::text::token::{Letters, letters};

/// More words than this are not remembered: those of some thousand stories.
const MOST_SHAPES: usize = 28_000;
/// Nor more bytes of them.
const MOST_BYTES: usize = 1024 * 1024;

/// A word as written: its number in the lexicon.
pub(super) type ShapeId = u32;

/// What is known of words as written.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    by_surface: HashMap<Box<str>, ShapeId>,
    shapes: Vec<Shape>,
    satisfied: Vec<Satisfied>,
    bytes: usize,
    /// Size of the vocabulary that this was looked up in.
    vocabulary: usize,
}

/// A word as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    from: u32,
    to: u32,
    /// How it is capitalised.
    pub(super) letters: Letters,
    /// Whether it is an abbreviation with dots.
    pub(super) dotted: bool,
}

impl Lexicon {
    /// To be called between stories: forgets what no longer holds, or all
    /// when it is too much.
    pub(super) fn prepare(&mut self, vocabulary: &Vocabulary) {
        let full = self.shapes.len() > MOST_SHAPES || self.bytes > MOST_BYTES;
        if full || self.vocabulary != vocabulary.len() {
            *self = Self { vocabulary: vocabulary.len(), ..Self::default() };
        }
    }

    /// The number of a word; works out what there is to know of a new one.
    pub(super) fn shape(
        &mut self,
        vocabulary: &Vocabulary,
        surface: &str,
        dotted: bool,
    ) -> ShapeId {
        if let Some(known) = self.by_surface.get(surface) {
            return *known;
        }
        let from = self.satisfied.len();
        vocabulary.satisfied(surface, dotted, &mut self.satisfied);
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (from, to) = (number(from), number(self.satisfied.len()));
        let id = number(self.shapes.len());
        self.shapes.push(Shape { from, to, letters: letters(surface), dotted });
        self.by_surface.insert(surface.into(), id);
        self.bytes += surface.len();
        id
    }

    /// A word by its number.
    pub(super) fn get(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id as usize)
    }

    /// The literals that a word is, by number.
    pub(super) fn satisfied(&self, id: ShapeId) -> &[Satisfied] {
        let of = |shape: &Shape| self.satisfied.get(shape.from as usize..shape.to as usize);
        self.get(id).and_then(of).unwrap_or_default()
    }
}
