//! The rule language: what somebody wants to know, and whether a story has it.
//!
//! `lexer`, `parser` and `level` read an expression into `syntax`; `term`
//! works out which forms of a word will do; `token` cuts texts into words;
//! `find`, `near` and `eval` bring the two together and keep the evidence. Nothing
//! here knows of configuration files or of the store.

mod check;
mod compile;
mod english;
mod eval;
mod examples;
mod find;
mod fold;
mod language;
mod level;
mod lexer;
mod lists;
#[cfg(test)]
mod naive;
mod near;
mod parser;
mod sentence;
mod set;
mod syntax;
mod term;
#[cfg(test)]
mod tests;
mod token;

pub use compile::Compiled;
pub use examples::ExampleFailure;
pub use lists::Lists;
pub use set::{Item, Rule, RuleSet};
pub use syntax::SyntaxError;
