//! A page as a row of blocks: what a reader sees as paragraphs, headings and
//! items, each with what surrounds it.

use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{Html, Node};

use super::{prune, tree};

/// So much of a label is read, in bytes.
const LONGEST_LABEL: usize = 80;

/// A shorter block is no paragraph by itself, in characters.
pub(super) const PARAGRAPH: usize = 80;

/// One paragraph, heading or item.
#[derive(Debug)]
pub(super) struct Block {
    /// Its text, white space folded.
    pub(super) text: String,
    /// The text without spaces.
    pub(super) bare: String,
    /// Characters.
    pub(super) length: usize,
    /// Characters inside of links.
    pub(super) linked: usize,
    /// The element it lies in, as a place in [`Page::elements`].
    pub(super) element: usize,
}

/// An element that is a block.
#[derive(Debug)]
pub(super) struct Around {
    /// The block element around this one; the root is its own.
    pub(super) parent: usize,
    pub(super) kind: Kind,
    /// Class and id, in lower case.
    pub(super) label: String,
}

/// What an element is for.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Kind {
    /// The page's headline.
    Headline,
    /// Another heading.
    Heading,
    Paragraph,
    Item,
    Quote,
    /// Words about a picture.
    Caption,
    /// Beside the text: `aside`, `footer`, `table`.
    Beside,
    Other,
}

impl Kind {
    /// Words about a picture or beside the text, not the text.
    pub(super) fn is_beside(self) -> bool {
        matches!(self, Self::Caption | Self::Beside)
    }
}

/// A page's blocks, in order.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) blocks: Vec<Block>,
    pub(super) elements: Vec<Around>,
}

impl Page {
    /// The blocks of a tree that is not hostile.
    pub(super) fn of(tree: &Html) -> Self {
        let root = Around { parent: 0, kind: Kind::Other, label: String::new() };
        let page = Self { blocks: Vec::new(), elements: vec![root] };
        let mut reader = Reader { page, run: String::new(), linked: 0, at: 0, links: 0, hidden: 0 };
        for edge in tree.tree.root().traverse() {
            let (opens, node) = match edge {
                Edge::Open(node) => (true, node),
                Edge::Close(node) => (false, node),
            };
            match node.value() {
                Node::Element(element) => reader.element(element, opens),
                Node::Text(text) if opens && reader.hidden == 0 => reader.text(text),
                _ => {}
            }
        }
        reader.end();
        reader.page
    }

    /// The elements around a block, the nearest first.
    pub(super) fn around(&self, block: &Block) -> impl Iterator<Item = (usize, &Around)> {
        self.outwards(block.element)
    }

    /// An element and those around it.
    pub(super) fn outwards(&self, element: usize) -> impl Iterator<Item = (usize, &Around)> {
        let mut next = Some(element);
        std::iter::from_fn(move || {
            let at = next?;
            let around = &self.elements[at];
            next = (around.parent != at).then_some(around.parent);
            Some((at, around))
        })
    }
}

impl Block {
    /// Sentences, with few links.
    pub(super) fn is_prose(&self) -> bool {
        let end = self.text.trim_end_matches(['"', '\'', '”', '’', '»', '“', ')', ']']);
        self.linked * 3 <= self.length
            && end.ends_with(['.', '!', '?', '。', '！', '？', '…', ':', '؟', '।'])
    }

    /// Prose that is long enough to be a paragraph by itself.
    pub(super) fn is_paragraph(&self) -> bool {
        self.length >= PARAGRAPH && self.is_prose()
    }

    /// A link, and hardly anything else.
    pub(super) fn is_link(&self) -> bool {
        self.linked * 100 >= self.length * 90
    }
}

/// A page as far as it was read.
struct Reader {
    page: Page,
    /// The block that has begun, and how much of it is in links.
    run: String,
    linked: usize,
    /// The block element around.
    at: usize,
    /// Links and unseen elements around.
    links: usize,
    hidden: usize,
}

impl Reader {
    fn element(&mut self, element: &Element, opens: bool) {
        let count = |around: usize| if opens { around + 1 } else { around.saturating_sub(1) };
        match element.name() {
            name if tree::is_hidden(name) => self.hidden = count(self.hidden),
            "a" => self.links = count(self.links),
            "td" | "th" => tree::space(&mut self.run),
            "br" | "hr" => self.end(),
            name if tree::is_block(name) => {
                self.end();
                if opens {
                    self.page.elements.push(Around::new(self.at, element));
                    self.at = self.page.elements.len() - 1;
                } else {
                    self.at = self.page.elements[self.at].parent;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let before = self.run.len();
        tree::push(&mut self.run, text);
        if self.links > 0 {
            self.linked += self.run[before..].chars().count();
        }
    }

    /// Ends a block, if one has begun.
    fn end(&mut self) {
        let text = self.run.trim();
        if !text.is_empty() {
            self.page.blocks.push(Block {
                bare: tree::squeezed(text),
                length: text.chars().count(),
                linked: self.linked,
                element: self.at,
                text: text.to_owned(),
            });
        }
        self.run.clear();
        self.linked = 0;
    }
}

impl Around {
    fn new(parent: usize, element: &Element) -> Self {
        let kind = match element.name() {
            _ if prune::is_invisible(element) => Kind::Beside,
            "h1" => Kind::Headline,
            "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Heading,
            "p" => Kind::Paragraph,
            "li" | "dd" | "dt" => Kind::Item,
            "blockquote" => Kind::Quote,
            "figcaption" | "caption" | "figure" => Kind::Caption,
            "aside" | "footer" | "table" | "details" | "nav" | "form" => Kind::Beside,
            _ => Kind::Other,
        };
        let labels = [element.attr("class"), element.attr("id")].into_iter().flatten();
        let labels = labels.flat_map(|label| label.split_whitespace().take(prune::MOST_LABELS));
        let labels = labels
            .map(|label| label.get(..label.floor_char_boundary(LONGEST_LABEL)).unwrap_or(label));
        let label = labels.take(prune::MOST_LABELS).collect::<Vec<_>>().join(" ").to_lowercase();
        Self { parent, kind, label }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_row_of_blocks() {
        let html = "<h1>Ships <i>meet</i></h1><div class='Story Text'>One<br>two <a>three</a>\
                    <p>four</p>five</div><aside><p>six</p></aside><p hidden>seven</p>";
        let page = Page::of(&Html::parse_document(html));
        let shown = page.blocks.iter().map(|block| {
            let kind = page.elements[block.element].kind;
            (block.text.as_str(), kind, block.linked)
        });
        let expected = [
            ("Ships meet", Kind::Headline, 0),
            ("One", Kind::Other, 0),
            ("two three", Kind::Other, 5),
            ("four", Kind::Paragraph, 0),
            ("five", Kind::Other, 0),
            ("six", Kind::Paragraph, 0),
            ("seven", Kind::Beside, 0),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let beside = |at: usize| page.around(&page.blocks[at]).any(|(_, it)| it.kind.is_beside());
        assert!(beside(5) && !beside(3));
        assert_eq!(page.elements[page.blocks[4].element].label, "story text");
    }
}
