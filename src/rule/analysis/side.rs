//! What only few rules ask of a field's tokens: where sentences and
//! paragraphs end, and where everything is in capitals.

use super::super::sentence;
use super::FieldText;
use crate::text::token::Letters;

/// What only few rules ask of a field's tokens.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) paragraphs: Vec<u32>,
    pub(super) sentences: Vec<u32>,
    /// One of three or more words in capitals, with only spaces between them.
    pub(super) shouted: Vec<bool>,
}

impl FieldText<'_> {
    pub(super) fn look_aside(self) -> Side {
        let mut side = Side::default();
        let (mut paragraph, mut sentence) = (0, 0);
        for place in 0..self.tokens.len() {
            let gap = self.gap_before(place);
            paragraph += u32::from(gap.contains('\n'));
            sentence += u32::from(place.checked_sub(1).is_some_and(|before| {
                let dotted = self.shape(before).is_some_and(|shape| shape.dotted);
                sentence::ends(self.surface(before), dotted, gap, self.surface(place))
            }));
            side.paragraphs.push(paragraph);
            side.sentences.push(sentence);
        }
        side.shouted = self.shouted();
        side
    }

    fn shouted(self) -> Vec<bool> {
        let mut shouted = vec![false; self.tokens.len()];
        let mut first = 0;
        for at in 0..=self.tokens.len() {
            if at > first && self.continues_shout(at) {
                continue;
            }
            if at - first >= 3
                && let Some(run) = shouted.get_mut(first..at)
            {
                run.fill(true);
            }
            first = at;
        }
        shouted
    }

    /// Whether the token at `at` and the one before it are words in capitals
    /// with only spaces between them.
    fn continues_shout(self, at: usize) -> bool {
        let capitals =
            |at: usize| self.shape(at).is_some_and(|shape| shape.letters == Letters::Capitals);
        let gap = self.gap_before(at);
        capitals(at)
            && capitals(at - 1)
            && gap.chars().all(char::is_whitespace)
            && !gap.contains('\n')
    }
}
