//! The rule language: what somebody wants to know, and whether a story has it.
//!
//! `lexer`, `parser` and `level` read an expression into `syntax`; `term`
//! works out which forms of a word will do. `bind` makes numbers of these
//! forms in a `vocabulary` that all rules share. `crate::text` cuts a text
//! into words; a `lexicon` remembers which numbers a word stands for; `analysis`
//! notes where they occur in a story. The `index` then names the rules that
//! the story can concern, and `eval`, `find` and `near` ask each of them and
//! keep the evidence. Nothing here knows of configuration files or of the
//! store.

mod analysis;
mod anatomy;
mod bind;
mod check;
mod compile;
mod english;
mod eval;
mod examples;
mod find;
mod flat;
mod index;
mod item;
mod level;
mod lexer;
mod lexicon;
mod lists;
#[cfg(test)]
mod naive;
mod narrow;
mod near;
mod parser;
mod pattern;
mod rarity;
mod sentence;
mod set;
mod syntax;
mod term;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use anatomy::Anatomy;
pub use compile::Compiled;
pub use examples::ExampleFailure;
pub use item::Item;
pub use lists::Lists;
pub use narrow::search_words;
pub use set::{Rule, RuleSet, Verdict, reads};
pub use syntax::SyntaxError;
