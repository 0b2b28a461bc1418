//! Names of feeds and languages, which are no words of a text.

use std::ops::Range;

use super::super::lexer::Lex;
use super::super::syntax::{Expr, Kind, SyntaxError};
use super::{Parser, Reading};

impl<'a> Parser<'a> {
    /// What stands behind `feed:` or `lang:`.
    pub(super) fn name(&mut self, kind: &Lex<'a>, span: Range<usize>, reading: Reading) -> Expr {
        let (Lex::Word(text) | Lex::Phrase(text)) = kind else {
            if !matches!(kind, Lex::Missing(_)) {
                self.error(span.clone(), "only names can stand here, without braces, = or @");
            }
            return Expr::broken(span);
        };
        let text = text.trim();
        if reading == Reading::Feeds {
            if text.is_empty() {
                self.error(span.clone(), "a feed's name must stand here");
            }
            return Expr::new(Kind::Feed(text.to_owned()), span);
        }
        let part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let primary = text.split(['-', '_']).next().map_or(0, str::len);
        if !text.split(['-', '_']).all(part) || !(2..=3).contains(&primary) {
            let error = SyntaxError::new(span.clone(), format!("\"{text}\" is no language tag"));
            self.errors.push(error.hint("write a tag like en, zh or pt-BR"));
        }
        Expr::new(Kind::Lang(text.to_owned()), span)
    }
}
