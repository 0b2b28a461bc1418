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

/// The text of a title: one line. A last `<` that nothing closes is a sign of
/// the headline's own ("profits<losses"), not markup.
pub fn title_text(html: &str) -> String {
    let sign = html.rfind('<').filter(|at| !html[*at..].contains('>'));
    let text = match sign {
        Some(at) => html_to_text(&format!("{}&lt;{}", &html[..at], &html[at + 1..])),
        None => html_to_text(html),
    };
    if text.contains('\n') { text.replace('\n', " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_without_markup() {
        let check = |html: &str, expected: &str| assert_eq!(title_text(html), expected, "{html:?}");
        check("A <b>bold</b> &amp; brave<br>headline", "A bold & brave headline");
        check("profits<losses", "profits<losses");
        check("a<b>c<d", "ac<d");
        check("1 < 2", "1 < 2");
        check("<", "<");
    }
}
