//! Parses a page, and stops at what only a machine would write.
//!
//! The parser is quadratic in the depth of elements and in the attributes of
//! one tag, and what works on its trees is recursive. So the tree is looked at
//! while it grows, and tags are counted out before they are fed. The limits
//! are many times what pages of news have; all are counts, so that one page
//! has one answer on every machine.

use std::cell::Cell;

use html5ever_article::tendril::StrTendril;
use html5ever_article::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever_article::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use scraper::html::HtmlTreeSink;
use scraper::{Html, Node};

/// Elements inside each other.
const MAX_DEPTH: usize = 200;
/// Elements, texts and comments; the largest of hundreds of real pages has 25,000.
const MAX_NODES: usize = 150_000;
/// The depths of all elements together: what work on each element's surroundings
/// costs.
const MAX_DEPTHS: usize = 4_000_000;
/// Attributes of one tag.
const MAX_ATTRIBUTES: usize = 2_000;
/// Attributes of all tags.
const MAX_ATTRIBUTES_IN_ALL: usize = 200_000;

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

/// Parses a page, a tag at a time.
pub(super) fn parse(html: &str) -> Tree {
    let sink = HtmlTreeSink::new(Html::new_document());
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let watch = Watch { builder, raw: Cell::new(false), seen: Cell::new(Seen::default()) };
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
    let (mut tag, mut attributes) = (Tag::default(), 0);
    // A tag ends with `>`, and only there can the meaning of `<` change.
    for part in html.split_inclusive('>') {
        let marks = tokenizer.sink.seen.get().marks;
        tag.read(part.as_bytes(), tokenizer.sink.raw.get());
        if tag.attributes > MAX_ATTRIBUTES || attributes + tag.attributes > MAX_ATTRIBUTES_IN_ALL {
            return true;
        }
        input.push_back(StrTendril::from_slice(part));
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        if tokenizer.sink.seen.get().hostile {
            return true;
        }
        if tokenizer.sink.seen.get().marks != marks {
            attributes += tag.attributes;
            tag = Tag::default();
        }
    }
    false
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
    /// Inside a script, style, title or the like, where `<` is a letter.
    raw: Cell<bool>,
    seen: Cell<Seen>,
}

/// What has passed so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Tags and comments.
    marks: usize,
    /// The depths of all elements together.
    depths: usize,
    hostile: bool,
}

impl TokenSink for Watch {
    type Handle = ego_tree::NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Self::Handle> {
        let is_tag = matches!(token, Token::TagToken(_));
        let mut seen = self.seen.get();
        if is_tag || matches!(token, Token::CommentToken(_) | Token::DoctypeToken(_)) {
            seen.marks += 1;
            self.seen.set(seen);
        }
        if seen.hostile {
            return TokenSinkResult::Continue;
        }
        let starts = matches!(&token, Token::TagToken(tag) if tag.kind == TagKind::StartTag);
        let result = self.builder.process_token(token, line);
        if is_tag {
            self.raw
                .set(matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext));
        }
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
    /// The newest node is the one that may be too deep.
    fn look(&self, mut seen: Seen) -> Seen {
        let page = self.builder.sink.0.borrow();
        let mut nodes = page.tree.nodes();
        let many = nodes.len() > MAX_NODES;
        let newest = nodes.rfind(|node| matches!(node.value(), Node::Element(_)));
        let depth = newest.map_or(0, |node| node.ancestors().take(MAX_DEPTH + 1).count());
        seen.depths += depth;
        seen.hostile = many || depth > MAX_DEPTH || seen.depths > MAX_DEPTHS;
        seen
    }
}

/// Where in a tag the reading stands (HTML standard, sections 13.2.5.32 ff.).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Not in a tag that counts.
    #[default]
    Text,
    /// In something that begins like a comment: what it means, the tokenizer says.
    Aside,
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quoted(u8),
}

/// Counts the attributes of a tag, which may be fed in parts.
#[derive(Debug, Default)]
struct Tag {
    place: Place,
    attributes: usize,
}

impl Tag {
    fn read(&mut self, part: &[u8], raw: bool) {
        for (at, byte) in part.iter().enumerate() {
            self.place = match self.place {
                Place::Text if *byte == b'<' => opened(&part[at + 1..], raw),
                Place::Text | Place::Aside => self.place,
                place => self.step(place, *byte),
            };
        }
    }

    fn step(&mut self, place: Place, byte: u8) -> Place {
        let space = matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b' ' | b'/');
        match (place, byte) {
            (Place::Quoted(quote), _) if byte == quote => Place::BeforeName,
            (Place::Quoted(_), _) => place,
            (_, b'>') => Place::Text,
            (Place::TagName, _) if !space => Place::TagName,
            (Place::Value, b'/') => Place::Value,
            (Place::TagName | Place::Value, _) if space => Place::BeforeName,
            (Place::BeforeName, _) if space => Place::BeforeName,
            (Place::BeforeValue, b'"' | b'\'') => Place::Quoted(byte),
            (Place::BeforeValue, _) if space && byte != b'/' => Place::BeforeValue,
            (Place::BeforeValue | Place::Value, _) => Place::Value,
            (Place::Name | Place::AfterName, b'=') => Place::BeforeValue,
            (Place::Name, b'/') => Place::BeforeName,
            (Place::Name, _) if space => Place::AfterName,
            (Place::Name, _) => Place::Name,
            (Place::AfterName, _) if space => Place::AfterName,
            _ => {
                self.attributes += 1;
                Place::Name
            }
        }
    }
}

/// What a `<` opens, by what follows it.
fn opened(rest: &[u8], raw: bool) -> Place {
    match rest {
        [b'/', letter, ..] if letter.is_ascii_alphabetic() => Place::TagName,
        _ if raw => Place::Text,
        [letter, ..] if letter.is_ascii_alphabetic() => Place::TagName,
        [b'!' | b'?' | b'/', ..] => Place::Aside,
        _ => Place::Text,
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
    fn attributes_are_limited_wherever_they_stand() {
        let many: String = (0..200_000).map(|n| format!(" a{n}")).collect();
        check(&format!("<div{many}>"), true);
        check(&format!("<p>a < b</p><div{many}"), true);
        check(&format!("<div{}>", many.replace(' ', "/")), true);
        check(&format!("<div x='>'{many}>"), true);
        check(&format!("<div x=\"a>b>c\"y{many}>"), true);
        check(&format!("<div ='x' {many}>"), true);
        check(&format!("<div a = b{many}>"), true);
        check(&format!("</div{many}>"), true);
        check(&format!("<title>x</title{many}>"), true);
        check(&format!("<script>x</script{many}>"), true);
        check(&format!("<!-- > --><div{many}>"), true);
        check(&format!("<!doctype html><div{many}>"), true);
        check(&format!("<?x?><div{many}>"), true);
        check(&format!("<p{}>x", " a=1".repeat(50)).repeat(9_000), true);
    }
}
