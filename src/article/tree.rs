//! Markup to a tree, with bounds that hostile pages cannot pass, and a tree
//! to lines.

use std::time::{Duration, Instant};

use ego_tree::iter::Edge;
use html5ever_article::tendril::{StrTendril, TendrilSink};
use scraper::{Html, Node};

/// Deepest nesting; news pages stay far below.
const DEEPEST: usize = 200;
/// Most nodes of a page.
const MOST_NODES: usize = 300_000;
/// Longest time for a parse. The parser takes quadratic time for deep nesting
/// and for very many attributes, so that no size alone bounds it.
const LONGEST: Duration = Duration::from_millis(1500);
/// Bytes between two looks at these bounds.
const STEP: usize = 4096;

/// A page's tree, or as much of it as was built when a bound was met.
pub(super) enum Tree {
    /// All of it; other code may recurse into it.
    Whole(Html),
    /// The beginning of a tree that no recursive code may see.
    Hostile(Html),
}

/// Parses a page in small steps.
pub(super) fn parse(html: &str) -> Tree {
    let began = Instant::now();
    let sink = scraper::html::HtmlTreeSink::new(Html::new_document());
    let mut parser =
        html5ever_article::parse_document(sink, html5ever_article::ParseOpts::default());
    let (mut at, mut hostile) = (0, false);
    while at < html.len() && !hostile {
        let end = html.ceil_char_boundary((at + STEP).min(html.len()));
        parser.process(StrTendril::from_slice(&html[at..end]));
        at = end;
        let tree = parser.tokenizer.sink.sink.0.borrow();
        let mut nodes = tree.tree.nodes();
        hostile = began.elapsed() > LONGEST || nodes.len() > MOST_NODES;
        // The newest node tells how deep we are.
        hostile |= nodes
            .next_back()
            .is_some_and(|node| node.ancestors().take(DEEPEST + 1).count() > DEEPEST);
    }
    let tree = parser.finish();
    if hostile || depth(&tree) > DEEPEST { Tree::Hostile(tree) } else { Tree::Whole(tree) }
}

fn depth(tree: &Html) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for edge in tree.tree.root().traverse() {
        match edge {
            Edge::Open(_) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Edge::Close(_) => depth -= 1,
        }
    }
    deepest
}

/// The text of a fragment of markup, a block a line.
pub(super) fn fragment_lines(html: &str) -> String {
    lines(&Html::parse_fragment(html))
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

fn push(out: &mut String, text: &str) {
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

fn space(out: &mut String) {
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

fn is_hidden(name: &str) -> bool {
    const HIDDEN: [&str; 10] = [
        "script", "style", "noscript", "template", "title", "iframe", "svg", "button", "select",
        "textarea",
    ];
    HIDDEN.contains(&name)
}

fn is_block(name: &str) -> bool {
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

    fn is_hostile(html: &str) -> bool {
        matches!(parse(html), Tree::Hostile(_))
    }

    #[test]
    fn blocks_are_lines() {
        let check = |html: &str, expected: &str| {
            let Tree::Whole(tree) = parse(html) else { panic!("hostile: {html}") };
            assert_eq!(lines(&tree), expected, "{html}");
        };
        check("<p>One\n two</p><p>Three<br>four", "One two\nThree\nfour\n");
        check("<div>A<script>x()</script><b>b</b></div>", "Ab\n");
        check("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3\n");
        check("co\u{ad}operate\u{200b}d", "cooperate d\n");
        check("", "");
    }

    #[test]
    fn bounds_hold_on_a_small_stack() {
        let run = || {
            for tag in ["div", "b", "span", "blockquote", "ul"] {
                assert!(is_hostile(&format!("<{tag}>").repeat(100_000)), "{tag}");
                let closed = format!(
                    "{}x{}",
                    format!("<{tag}>").repeat(5_000),
                    format!("</{tag}>").repeat(5_000)
                );
                is_hostile(&closed);
            }
            let attributes: String = (0..200_000).map(|n| format!(" a{n}=1")).collect();
            is_hostile(&format!("<p{attributes}>x"));
            assert!(is_hostile(&"<p>x".repeat(400_000)));
            assert!(!is_hostile(&"<p>An honest paragraph.</p>".repeat(2_000)));
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
        thread.join().unwrap();
    }
}
