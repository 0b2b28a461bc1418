//! What stands right behind a term: weights, loose phrases, stems.

use super::super::syntax::SyntaxError;
use super::{Lex, Lexer};

/// Most extra words of a loose phrase.
const MOST_LOOSE: u32 = 100;
/// Largest weight.
const MOST_WEIGHT: i64 = 10_000;

impl Lexer<'_> {
    /// `^5` or `^-5`, the weight of what comes before.
    pub(super) fn weight(&mut self) {
        let rest = self.slice(self.at + 1..self.source.len());
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let end = self.at + 1 + sign + digits;
        let weight: Option<i64> = self.slice(self.at + 1..end).parse().ok();
        let weight = weight.filter(|weight| (1..=MOST_WEIGHT).contains(&weight.abs()));
        if weight.is_none() {
            let message =
                format!("a weight is a number from 1 to {MOST_WEIGHT}, or a negative one");
            self.errors.push(SyntaxError::new(self.at..end, message));
        }
        self.push(Lex::Weight(weight.unwrap_or(1)), end);
    }

    /// Reads `~3` after a phrase and `~` after a word.
    pub(super) fn suffix(&mut self) {
        if self.peek() != Some('~') {
            return;
        }
        if let Some(Lex::Phrase(_) | Lex::FormPhrase(_)) = self.lexemes.last().map(|l| &l.kind) {
            return self.loose();
        }
        let rest = self.slice(self.at + 1..self.source.len());
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let end = self.at + 1 + digits;
        let Some(last) = self.lexemes.last_mut() else { return };
        let start = last.span.start;
        match last.kind {
            Lex::Word(word) if digits == 0 => {
                last.kind = Lex::Stem(word);
                last.span.end = end;
            }
            Lex::Word(word) => {
                let error = SyntaxError::new(start..end, "words like this one are not looked for");
                self.errors.push(error.hint(format!("write {word}~ for its inflections")));
            }
            _ => {
                let message = "a word as written has no inflections";
                let error = SyntaxError::new(start..end, message);
                self.errors.push(error.hint("leave out ~, or the braces or equals sign"));
            }
        }
        self.at = end;
    }

    /// `~3` after a phrase.
    fn loose(&mut self) {
        let rest = self.slice(self.at + 1..self.source.len());
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, end) = (&rest[..length], self.at + 1 + length);
        if digits.is_empty() {
            let error = SyntaxError::new(self.at..end, "how many words may stand between?");
            self.errors.push(error.hint("write ~3 for at most three"));
            self.at = end;
        } else {
            let words = self.number(digits, MOST_LOOSE, end);
            self.push(Lex::Loose(words), end);
        }
    }
}
