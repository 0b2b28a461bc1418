//! Names of feeds and languages, which are no words of a text.

use std::ops::Range;

use super::super::lexer::Lex;
use super::super::syntax::{Expr, Kind, SyntaxError};
use super::{Parser, Reading};

impl<'a> Parser<'a> {
    /// What stands behind `feed:`, `site:` or `lang:`.
    pub(super) fn name(&mut self, kind: &Lex<'a>, span: Range<usize>, reading: Reading) -> Expr {
        let (Lex::Word(text) | Lex::Phrase(text)) = kind else {
            if !matches!(kind, Lex::Missing(_)) {
                self.error(span.clone(), "only names can stand here, without braces, = or @");
            }
            return Expr::broken(span);
        };
        let text = text.trim();
        if reading == Reading::Feeds || reading == Reading::Sites {
            let feed = reading == Reading::Feeds;
            if text.is_empty() {
                let what = if feed { "a feed's name" } else { "a host like example.org" };
                self.error(span.clone(), format!("{what} must stand here"));
            } else if !feed && text.contains(['/', ':']) {
                let error = SyntaxError::new(span.clone(), "a site is a host, without the rest");
                self.errors.push(error.hint("write site:example.org, or url:(...) for its words"));
            }
            let name = text.to_owned();
            return Expr::new(if feed { Kind::Feed(name) } else { Kind::Site(name) }, span);
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
