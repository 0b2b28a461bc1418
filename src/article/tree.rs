//! A tree to lines.

use ego_tree::iter::Edge;
use scraper::{Html, Node};

use super::guard;

/// The text of a fragment of markup, a block a line.
pub(super) fn fragment_lines(html: &str) -> String {
    lines(&guard::parse(html).any())
}

/// The text of a tree, a block a line.
pub(super) fn lines(tree: &Html) -> String {
    let (mut out, mut skipped) = (String::new(), 0_usize);
    for edge in tree.tree.root().traverse() {
        let (open, node) = match edge {
            Edge::Open(node) => (true, node),
            Edge::Close(node) => (false, node),
        };
        match node.value() {
            Node::Element(element) => match element.name() {
                name if is_hidden(name) && open => skipped += 1,
                name if is_hidden(name) => skipped = skipped.saturating_sub(1),
                "td" | "th" => space(&mut out),
                name if is_block(name) => end_line(&mut out),
                _ => {}
            },
            Node::Text(text) if open && skipped == 0 => push(&mut out, text),
            _ => {}
        }
    }
    end_line(&mut out);
    out
}

/// A plain text with its lines, white space and control characters folded.
pub(super) fn plain_lines(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        push(&mut out, line);
        end_line(&mut out);
    }
    out
}

/// A text on one line, white space and control characters folded.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::new();
    push(&mut out, text);
    out.truncate(out.trim_end().len());
    out
}

/// A text without its spaces.
pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

pub(super) fn push(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\u{200b}' | '\u{feff}' => space(out),
            c if c.is_whitespace() => space(out),
            '\u{ad}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

pub(super) fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with([' ', '\n']) {
        out.push(' ');
    }
}

fn end_line(out: &mut String) {
    while out.ends_with(' ') {
        out.pop();
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

pub(super) fn is_hidden(name: &str) -> bool {
    const HIDDEN: [&str; 10] = [
        "script", "style", "noscript", "template", "title", "iframe", "svg", "button", "select",
        "textarea",
    ];
    HIDDEN.contains(&name)
}

pub(super) fn is_block(name: &str) -> bool {
    const BLOCKS: [&str; 46] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "thead",
        "tr",
        "ul",
        "caption",
        "body",
        "html",
        "head",
        "row",
        "item",
        "list",
        "quote",
        "lb",
        "center",
    ];
    BLOCKS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines() {
        let check = |html: &str, expected: &str| {
            assert_eq!(fragment_lines(html), expected, "{html}");
        };
        check("<p>One\n two</p><p>Three<br>four", "One two\nThree\nfour\n");
        check("<div>A<script>x()</script><b>b</b></div>", "Ab\n");
        check("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3\n");
        check("co\u{ad}operate\u{200b}d", "cooperate d\n");
        check("", "");
    }
}
