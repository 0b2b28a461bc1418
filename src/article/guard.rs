//! Parses a page, and stops at what only a machine would write.
//!
//! The parser is quadratic in the depth of elements and in the attributes of
//! one tag, and what works on its trees is recursive. So the tree is looked at
//! while it grows, and attributes are counted as they are fed. The limits
//! are many times what pages of news have; all are counts, so that one page
//! has one answer on every machine.

use std::cell::Cell;

use html5ever_article::tendril::StrTendril;
use html5ever_article::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever_article::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use scraper::Html;
use scraper::html::HtmlTreeSink;

use crate::markup::{Told, by_steps};

/// Elements inside each other.
const MAX_DEPTH: usize = 200;
/// Elements, texts and comments; the largest of hundreds of real pages has 25,000.
const MAX_NODES: usize = 150_000;
/// The depths of all elements together: what work on each element's surroundings
/// costs.
const MAX_DEPTHS: usize = 4_000_000;
/// Attributes of all tags. A tag of too many is cut short.
const MAX_ATTRIBUTES: u64 = 200_000;
/// Bytes of all names and values of attributes. An element that is not closed
/// is copied into each paragraph that follows, with all that its tag has.
const MAX_TOLD: usize = 8 << 20;

/// A page's tree, or as much of it as was built when a bound was met.
pub(super) enum Tree {
    /// All of it; other code may recurse into it.
    Whole(Html),
    /// The beginning of a tree that no recursive code may see.
    Hostile(Html),
}

impl Tree {
    /// The tree, for code that does not recurse.
    pub(super) fn any(self) -> Html {
        match self {
            Self::Whole(tree) | Self::Hostile(tree) => tree,
        }
    }
}

/// Parses a page, a step at a time.
pub(super) fn parse(html: &str) -> Tree {
    let sink = HtmlTreeSink::new(Html::new_document());
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let watch = Watch { builder, seen: Cell::new(Seen::default()) };
    let tokenizer = Tokenizer::new(watch, TokenizerOpts::default());
    let hostile = feed(&tokenizer, html);
    if !hostile {
        tokenizer.end();
    }
    let tree = tokenizer.sink.builder.sink.finish();
    if hostile || depth(&tree) > MAX_DEPTH { Tree::Hostile(tree) } else { Tree::Whole(tree) }
}

/// Whether a bound was met.
fn feed(tokenizer: &Tokenizer<Watch>, html: &str) -> bool {
    let input = BufferQueue::default();
    let all = by_steps(html, |step, attributes| {
        input.push_back(StrTendril::from_slice(step));
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        let seen = tokenizer.sink.seen.get();
        tokenizer.sink.seen.set(Seen { told: Told::Nothing, ..seen });
        (!seen.hostile && attributes <= MAX_ATTRIBUTES).then_some(seen.told)
    });
    !all
}

/// Elements move while a tree is built; this is how deep they are at last.
fn depth(page: &Html) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for edge in page.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(_) => depth += 1,
            ego_tree::iter::Edge::Close(_) => depth -= 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Stands between tokenizer and builder, and looks at the tree after each tag.
struct Watch {
    builder: TreeBuilder<ego_tree::NodeId, HtmlTreeSink>,
    seen: Cell<Seen>,
}

/// What has passed so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// What came of the step.
    told: Told,
    /// Nodes of the tree.
    nodes: usize,
    /// The depths of all elements together.
    depths: usize,
    /// Attributes of all elements, copies counted, and their bytes.
    attributes: usize,
    told_bytes: usize,
    hostile: bool,
}

impl TokenSink for Watch {
    type Handle = ego_tree::NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Self::Handle> {
        let mut seen = self.seen.get();
        seen.told = seen.told.max(match token {
            // A repeated attribute is an error inside of its tag.
            Token::ParseError(_) => Told::Nothing,
            Token::CharacterTokens(_) | Token::NullCharacterToken => Told::Text,
            _ => Told::Markup,
        });
        self.seen.set(seen);
        if seen.hostile {
            return TokenSinkResult::Continue;
        }
        let starts = matches!(&token, Token::TagToken(tag) if tag.kind == TagKind::StartTag);
        let result = self.builder.process_token(token, line);
        if starts {
            self.seen.set(self.look(seen));
        }
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Watch {
    /// The newest of the elements that came is the one that may be too deep.
    fn look(&self, mut seen: Seen) -> Seen {
        let page = self.builder.sink.0.borrow();
        let nodes = page.tree.nodes();
        let many = nodes.len() > MAX_NODES;
        let came = nodes.len() - seen.nodes;
        seen.nodes = nodes.len();
        let mut elements = nodes.rev().take(came).filter(|node| node.value().is_element());
        let newest = elements.next();
        for node in newest.into_iter().chain(elements) {
            for (name, value) in node.value().as_element().into_iter().flat_map(|it| it.attrs()) {
                seen.attributes += 1;
                seen.told_bytes += name.len() + value.len();
            }
        }
        let depth = newest.map_or(0, |node| node.ancestors().take(MAX_DEPTH + 1).count());
        seen.depths += depth;
        let tells_much = seen.attributes as u64 > MAX_ATTRIBUTES || seen.told_bytes > MAX_TOLD;
        seen.hostile = many || tells_much || depth > MAX_DEPTH || seen.depths > MAX_DEPTHS;
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, hostile: bool) {
        let shown: String = html.chars().take(60).collect();
        assert_eq!(matches!(parse(html), Tree::Hostile(_)), hostile, "{shown}");
    }

    #[test]
    fn ordinary_pages_pass() {
        check("", false);
        check("<p>a<p>b", false);
        check(&format!("<div {}>x</div>", "a=b ".repeat(100)), false);
        check(&format!("<div data-x='{}'>x</div>", "{\"a\": 1 > 0}, ".repeat(9_000)), false);
        check(&format!("<!-- <a {} -->x", "b ".repeat(9_000)), false);
        check(&format!("<script>if (a<b {}) x</script>", "c ".repeat(9_000)), false);
        check(&format!("<title>a<b {}</title>", "c ".repeat(9_000)), false);
        check(&"<p>a</p>".repeat(50_000), false);
        check(&("<div>".repeat(20) + &"</div>".repeat(20)).repeat(2_000), false);
        check(&"<div>".repeat(150), false);
    }

    #[test]
    fn tags_that_make_nothing_cost_nothing() {
        check(&format!("<body>{}{}", "<!---->".repeat(140_000), "<tr>".repeat(200_000)), false);
        let halves = "document.write(\"<scr\" + \"ipt a b c d e f></scr\" + \"ipt>\");";
        check(&format!("<script>{}</script><p>x", halves.repeat(700)), false);
    }

    #[test]
    fn depth_is_limited_whatever_makes_it() {
        for tag in ["<div>", "<b>", "<span>", "<table><tr><td>", "<ul><li>", "<div><p>", "<svg>"] {
            check(&tag.repeat(40_000), true);
        }
    }

    #[test]
    fn nodes_are_limited() {
        check(&"<br>".repeat(400_000), true);
        let deep = "<div>".repeat(150) + &"</div>".repeat(150);
        check(&deep.repeat(900), true);
        let fonts: String = (0..3_000).map(|n| format!("<p><font color={n}>a</p>")).collect();
        // Each paragraph opens all the fonts again.
        check(&fonts, true);
    }

    #[test]
    fn copies_of_what_is_not_closed_are_limited() {
        let after = "<p>x".repeat(20_000);
        check(&format!("<p><b title='{}'>x{after}", "t".repeat(50_000)), true);
        let many: String = (0..1_500).map(|n| format!(" a{n}")).collect();
        check(&format!("<p><b{many}>x{after}"), true);
        check(&format!("<p><b class='a b c'>x{after}"), false);
    }

    #[test]
    fn attributes_are_limited_wherever_they_stand() {
        let many: String = (0..200_000).map(|n| format!(" a{n}")).collect();
        for html in [
            format!("<div{many}>"),
            format!("<p>a < b</p><div{many}"),
            format!("<div{}>", many.replace(' ', "/")),
            format!("<div x='>'{many}>"),
            format!("<div x=\"a>b>c\"y{many}>"),
            format!("<div ='x' {many}>"),
            format!("<div a = b{many}>"),
            format!("</><p{many}>"),
            format!("<svg><![CDATA[x]]><p{many}>"),
            format!("<p a /=\"{many}>"),
            format!("</div{many}>"),
            format!("<title>x</title{many}>"),
            format!("<script>x</script{many}>"),
            format!("<!-- > --><div{many}>"),
            format!("<!doctype html><div{many}>"),
            format!("<?x?><div{many}>"),
        ] {
            let tree = parse(&(html.clone() + "<b>the end")).any();
            let elements = tree.tree.values().filter_map(scraper::Node::as_element);
            let most = elements.map(|element| element.attrs().count()).max().unwrap_or(0);
            let shown: String = html.chars().take(60).collect();
            assert!(most < 2_600, "{most} in {shown}");
            assert!(tree.root_element().text().any(|text| text == "the end"), "{shown}");
        }
        check(&format!("<p{}>x", " a=1".repeat(50)).repeat(9_000), true);
    }
}
