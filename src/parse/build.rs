//! Builds the tree of each item, mending what is unbalanced, and hands every
//! complete item over before it reads on.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::entity;
use super::names::{self, Ns};
use super::repair::{Repair, Repairs};
use super::tree::{Element, Kind, Node, Tree};
use super::xml::{Token, Tokenizer};

/// Elements inside of elements; what is deeper loses its tags.
const MAX_DEPTH: usize = 256;
/// Elements, attributes and texts of one item, or of the feed around the items.
const MAX_NODES: usize = 200_000;
/// Namespace prefixes in force at a time.
const MAX_BINDINGS: usize = 128;

struct Open<'a> {
    index: u32,
    name: &'a str,
    ns: Ns,
    local: &'a str,
}

struct Binding<'a> {
    prefix: &'a str,
    ns: Ns,
    depth: usize,
}

/// Reads a document into trees.
pub(super) struct Builder<'a, 'r> {
    tokens: Tokenizer<'a>,
    tree: Tree<'a>,
    open: Vec<Open<'a>>,
    bindings: Vec<Binding<'a>>,
    /// Place of the open item in `open`.
    item: Option<usize>,
    item_name: &'static str,
    too_deep: usize,
    doctype: bool,
    root_closed: bool,
    repairs: &'r mut Repairs,
}

impl<'a, 'r> Builder<'a, 'r> {
    /// Reads `text` from the root element at `start`. Elements named `item`,
    /// `entry` or `extra_item` are items.
    pub(super) fn new(
        text: &'a str,
        start: usize,
        extra_item: &'static str,
        repairs: &'r mut Repairs,
    ) -> Self {
        let doctype = text[..start].contains("<!DOCTYPE") || text[..start].contains("<!doctype");
        Self {
            tokens: Tokenizer::new(text, start),
            tree: Tree::default(),
            open: Vec::new(),
            bindings: Vec::new(),
            item: None,
            item_name: extra_item,
            too_deep: 0,
            doctype,
            root_closed: false,
            repairs,
        }
    }

    /// Calls `on_item` for every complete item, until it breaks off, and
    /// returns what stands around the items.
    pub(super) fn run(
        mut self,
        on_item: &mut dyn FnMut(Element<'_, 'a>) -> ControlFlow<()>,
    ) -> Tree<'a> {
        loop {
            let inside = self.open.last().map_or("", |open| open.name);
            let Some(token) = self.tokens.next(inside, self.repairs) else { break };
            let step = match token {
                Token::Start { name, empty } => self.start(name, empty, on_item),
                Token::End(name) => self.end(name, on_item),
                Token::Text(raw) => {
                    if !self.open.is_empty() {
                        let text = entity::resolve(raw, self.doctype, self.repairs);
                        self.text(text);
                    } else if !raw.trim().is_empty() {
                        self.repairs.note(Repair::JunkAfter);
                    }
                    ControlFlow::Continue(())
                }
                Token::Cdata(text) => {
                    self.text(Cow::Borrowed(text));
                    ControlFlow::Continue(())
                }
                Token::Doctype(_) => {
                    self.doctype = true;
                    ControlFlow::Continue(())
                }
            };
            if step.is_break() {
                self.close_to(0);
                return self.tree;
            }
        }
        self.finish()
    }

    /// The end of the document: an item that is still open was cut off.
    fn finish(mut self) -> Tree<'a> {
        if self.tokens.cut || !self.open.is_empty() {
            self.repairs.note(Repair::Truncated);
        }
        if let Some(item) = self.item {
            self.repairs.note(Repair::CutItem);
            let index = self.open[item].index;
            self.open.truncate(item);
            self.tree.truncate(index);
        }
        self.close_to(0);
        self.tree
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let Some(open) = self.open.last() else { return };
        // White space around the elements of a feed means nothing.
        if text.is_empty() || (self.item.is_none() && text.trim_ascii().is_empty()) {
            return;
        }
        let parent = open.index;
        if self.tree.len() < MAX_NODES {
            let end = self.tree.nodes.len() as u32 + 1;
            self.tree.nodes.push(Node { end, parent, kind: Kind::Text(text) });
        }
    }

    fn start(
        &mut self,
        name: &'a str,
        empty: bool,
        on_item: &mut dyn FnMut(Element<'_, 'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.open.is_empty() && self.root_closed {
            self.repairs.note(Repair::JunkAfter);
        }
        let mut added = self.bind();
        let (ns, local) = self.resolve(name);
        let is_item = self.is_item(ns, local);
        if is_item && self.item.is_some() {
            self.repairs.note(Repair::UnclosedItem);
            self.bindings.truncate(self.bindings.len() - added);
            self.close_item(on_item)?;
            added = self.bind();
        } else if self.ends_the_open(ns, local) {
            self.repairs.note(Repair::Unclosed);
            self.bindings.truncate(self.bindings.len() - added);
            self.close_to(self.open.len() - 1);
            added = self.bind();
        }
        if self.open.len() >= MAX_DEPTH || self.tree.len() >= MAX_NODES {
            let deep = self.open.len() >= MAX_DEPTH;
            self.repairs.note(if deep { Repair::TooDeep } else { Repair::TooManyElements });
            self.bindings.truncate(self.bindings.len() - added);
            self.too_deep += usize::from(!empty);
            return ControlFlow::Continue(());
        }
        self.push(name, ns, local);
        if is_item {
            self.item = Some(self.open.len() - 1);
        }
        if !empty {
            return ControlFlow::Continue(());
        }
        if is_item { self.close_item(on_item) } else { self.pop_one() }
    }

    fn pop_one(&mut self) -> ControlFlow<()> {
        self.close_to(self.open.len() - 1);
        ControlFlow::Continue(())
    }

    fn push(&mut self, name: &'a str, ns: Ns, local: &'a str) {
        let index = self.tree.nodes.len() as u32;
        let first = self.tree.attributes.len() as u32;
        for &(key, raw) in &self.tokens.attributes {
            self.tree.has_xml |= key.starts_with("xml:");
            let value = entity::resolve(raw, self.doctype, self.repairs);
            self.tree.attributes.push((key, value));
        }
        let attributes = (first, self.tree.attributes.len() as u32);
        let parent = self.open.last().map_or(index, |open| open.index);
        let kind = Kind::Element { ns, local, attributes };
        self.tree.nodes.push(Node { end: index + 1, parent, kind });
        self.open.push(Open { index, name, ns, local });
    }

    fn end(
        &mut self,
        name: &'a str,
        on_item: &mut dyn FnMut(Element<'_, 'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(place) = self.place_of(name) else {
            match self.too_deep {
                0 => self.repairs.note(Repair::StrayEnd),
                _ => self.too_deep -= 1,
            }
            return ControlFlow::Continue(());
        };
        let structural = self.item.is_none_or(|item| place <= item + 1);
        if self.too_deep > 0 && !structural {
            self.too_deep -= 1;
            return ControlFlow::Continue(());
        }
        self.too_deep = 0;
        match self.item {
            Some(item) if place <= item => {
                if place < item {
                    self.repairs.note(Repair::UnclosedItem);
                } else if place + 1 < self.open.len() {
                    self.repairs.note(Repair::Unclosed);
                }
                self.close_item(on_item)?;
                if place < item {
                    self.close_to(place);
                }
            }
            _ => {
                if place + 1 < self.open.len() {
                    self.repairs.note(Repair::Unclosed);
                }
                self.close_to(place);
            }
        }
        ControlFlow::Continue(())
    }

    /// The open element that an end tag closes. Within an item only the end
    /// of the feed itself reaches what is around the item.
    fn place_of(&self, name: &str) -> Option<usize> {
        for (place, open) in self.open.iter().enumerate().rev() {
            if open.name == name || open.name.eq_ignore_ascii_case(name) {
                return Some(place);
            }
            if self.item == Some(place) && !is_container(name) {
                return None;
            }
        }
        None
    }

    fn close_item(
        &mut self,
        on_item: &mut dyn FnMut(Element<'_, 'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(item) = self.item.take() else { return ControlFlow::Continue(()) };
        let index = self.open[item].index;
        self.close_to(item);
        self.too_deep = 0;
        let step = on_item(self.tree.element(index));
        self.tree.truncate(index);
        step
    }

    /// Closes open elements until `depth` are left.
    fn close_to(&mut self, depth: usize) {
        let end = self.tree.nodes.len() as u32;
        for open in self.open.drain(depth..) {
            self.tree.nodes[open.index as usize].end = end;
        }
        if self.open.is_empty() {
            self.root_closed = true;
        }
        while self.bindings.pop_if(|binding| binding.depth >= depth).is_some() {}
    }

    /// Takes the namespace declarations of the tag at hand into force.
    fn bind(&mut self) -> usize {
        let before = self.bindings.len();
        let depth = self.open.len();
        for &(key, uri) in &self.tokens.attributes {
            let Some(rest) = key.strip_prefix("xmlns") else { continue };
            let prefix = match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None if rest.is_empty() => "",
                None => continue,
            };
            if self.bindings.len() < MAX_BINDINGS {
                self.bindings.push(Binding { prefix, ns: names::of_uri(uri), depth });
            }
        }
        self.bindings.len() - before
    }

    fn resolve(&mut self, name: &'a str) -> (Ns, &'a str) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let bound = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        let ns = match bound.map(|binding| binding.ns) {
            // An unknown vocabulary as the default is a misspelt or made-up one.
            Some(Ns::Other) if prefix.is_empty() => Ns::Plain,
            Some(Ns::Other) => names::of_prefix(prefix),
            Some(ns) => ns,
            None if prefix.is_empty() => Ns::Plain,
            None => {
                self.repairs.note(Repair::UndeclaredPrefix);
                names::of_prefix(prefix)
            }
        };
        (ns, local)
    }

    /// Whether the element begins an item. An entry may hold another feed as
    /// its content or source; the items of that one are none of ours.
    fn is_item(&self, ns: Ns, local: &str) -> bool {
        let named = matches!(ns, Ns::Plain | Ns::Atom)
            && (local.eq_ignore_ascii_case("item")
                || local.eq_ignore_ascii_case("entry")
                || (!self.item_name.is_empty() && local.eq_ignore_ascii_case(self.item_name)));
        let in_content = |item: usize| {
            let inner = self.open.get(item + 1);
            inner.is_some_and(|open| {
                open.ns == Ns::Atom && matches!(open.local, "content" | "source")
            })
        };
        named && !self.item.is_some_and(in_content)
    }

    /// Whether a new element shows that the end tag of the open one is missing.
    fn ends_the_open(&self, ns: Ns, local: &str) -> bool {
        let [.., around, open] = self.open.as_slice() else { return false };
        let around_items = ["item", "entry", "channel", "feed"];
        if !around_items.iter().any(|name| around.local.eq_ignore_ascii_case(name)) {
            return false;
        }
        let is = |names: &[&str], name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let own = matches!(ns, Ns::Plain | Ns::Atom);
        match open.ns {
            Ns::Dc => (own && is(&SIMPLE, local)) || ns == Ns::Dc,
            Ns::Plain | Ns::Atom if is(&LEAVES, open.local) => {
                (own && (is(&SIMPLE, local) || is(&LONG, local)))
                    || matches!(ns, Ns::Dc | Ns::Content)
            }
            Ns::Plain | Ns::Content if is(&LONG, open.local) => {
                (ns == Ns::Plain && is(&NOT_HTML, local)) || matches!(ns, Ns::Dc | Ns::Content)
            }
            _ => false,
        }
    }
}

/// Elements that hold text only.
const LEAVES: [&str; 10] = [
    "title",
    "link",
    "guid",
    "id",
    "pubDate",
    "published",
    "updated",
    "category",
    "comments",
    "language",
];
/// Elements that stand directly in an item.
const SIMPLE: [&str; 12] = [
    "title",
    "link",
    "guid",
    "id",
    "pubDate",
    "published",
    "updated",
    "category",
    "comments",
    "author",
    "enclosure",
    "item",
];
/// Elements that may hold markup.
const LONG: [&str; 4] = ["description", "summary", "content", "encoded"];
/// Elements of an item that no HTML page has.
const NOT_HTML: [&str; 6] = ["guid", "pubDate", "enclosure", "comments", "category", "description"];

/// Elements around items, whose end tag also ends an item that is not closed.
fn is_container(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or(name);
    ["channel", "rss", "feed", "RDF", "urlset", "items"]
        .iter()
        .any(|container| container.eq_ignore_ascii_case(local))
}
