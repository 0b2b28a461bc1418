//! Markup to readable text, and links to canonical form. Pure.

mod boilerplate;
mod html;
mod link;
mod plain;

pub use boilerplate::without_boilerplate;
pub use html::html_to_text;
pub use link::{canonical_link, unwrap_link};
pub use plain::{one_line, paragraphs};

/// The text of an entry's body: paragraphs, without what sites add to each
/// ("Advertisement", "Share this", "Read more…").
pub fn body_text(html: &str) -> String {
    without_boilerplate(html_to_text(html))
}

/// The text of a title: one line.
pub fn title_text(html: &str) -> String {
    let text = html_to_text(html);
    if text.contains('\n') { text.replace('\n', " ") } else { text }
}
