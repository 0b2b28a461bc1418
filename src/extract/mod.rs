//! Markup to readable text, and links to canonical form. Pure.

mod html;
mod link;
mod plain;

pub use html::html_to_text;
pub use link::canonical_link;
pub use plain::{one_line, paragraphs};
