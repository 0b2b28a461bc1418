//! What a word is, in any language: tokens, the form they are compared in,
//! their stems; which language a text is in; datelines and credits. Pure.
//!
//! Rules and stories read texts by the same definition of a word.

pub(crate) mod credit;
pub(crate) mod fold;
pub(crate) mod language;
pub(crate) mod stem;
pub(crate) mod token;
