//! The elements of one item, or of the feed around its items, in document
//! order. Flat, so that no depth of nesting can exhaust the stack.

use std::borrow::Cow;

use super::names::Ns;

/// An element or a run of text.
pub(super) struct Node<'a> {
    /// Index of the first node behind this one and all it holds.
    pub(super) end: u32,
    /// Index of the element around it; its own for a root.
    pub(super) parent: u32,
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    Element { ns: Ns, local: &'a str, attributes: (u32, u32) },
    Text(Cow<'a, str>),
}

/// Nodes in document order.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) attributes: Vec<(&'a str, Cow<'a, str>)>,
    /// Some element states `xml:base` or `xml:lang`.
    pub(super) has_xml: bool,
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub(super) struct Element<'t, 'a> {
    tree: &'t Tree<'a>,
    index: u32,
}

impl<'a> Tree<'a> {
    /// The element at `index`, which must be one.
    pub(super) fn element(&self, index: u32) -> Element<'_, 'a> {
        Element { tree: self, index }
    }

    /// All elements without one around them.
    pub(super) fn roots(&self) -> impl Iterator<Item = Element<'_, 'a>> {
        Children { tree: self, at: 0, end: self.nodes.len() as u32 }
    }

    /// Nodes and attributes.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() + self.attributes.len()
    }

    /// Forgets `index` and what follows.
    pub(super) fn truncate(&mut self, index: u32) {
        if let Some(Kind::Element { attributes: (first, _), .. }) =
            self.nodes.get(index as usize).map(|node| &node.kind)
        {
            self.attributes.truncate(*first as usize);
        }
        self.nodes.truncate(index as usize);
    }
}

struct Children<'t, 'a> {
    tree: &'t Tree<'a>,
    at: u32,
    end: u32,
}

impl<'t, 'a> Iterator for Children<'t, 'a> {
    type Item = Element<'t, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.end {
            let index = self.at;
            let node = self.tree.nodes.get(index as usize)?;
            // An element that is still open ends where the tree ends.
            self.at = node.end.max(index + 1);
            if matches!(node.kind, Kind::Element { .. }) {
                return Some(Element { tree: self.tree, index });
            }
        }
        None
    }
}

impl<'t, 'a> Element<'t, 'a> {
    fn node(self) -> &'t Node<'a> {
        &self.tree.nodes[self.index as usize]
    }

    pub(super) fn ns(self) -> Ns {
        match self.node().kind {
            Kind::Element { ns, .. } => ns,
            Kind::Text(_) => Ns::Other,
        }
    }

    pub(super) fn local(self) -> &'a str {
        match self.node().kind {
            Kind::Element { local, .. } => local,
            Kind::Text(_) => "",
        }
    }

    /// Whether its name is `local` in any case, whatever the vocabulary.
    pub(super) fn named(self, local: &str) -> bool {
        self.local().eq_ignore_ascii_case(local)
    }

    pub(super) fn children(self) -> impl Iterator<Item = Element<'t, 'a>> {
        Children { tree: self.tree, at: self.index + 1, end: self.node().end }
    }

    pub(super) fn child(self, local: &str) -> Option<Element<'t, 'a>> {
        self.children().find(|child| child.named(local))
    }

    pub(super) fn parent(self) -> Option<Element<'t, 'a>> {
        let parent = self.node().parent;
        (parent != self.index).then_some(Element { tree: self.tree, index: parent })
    }

    pub(super) fn attributes(self) -> &'t [(&'a str, Cow<'a, str>)] {
        match self.node().kind {
            Kind::Element { attributes: (from, to), .. } => {
                &self.tree.attributes[from as usize..to as usize]
            }
            Kind::Text(_) => &[],
        }
    }

    /// The value of an attribute, by its whole name or what follows its
    /// prefix, in any case; namespace declarations are none.
    pub(super) fn attribute(self, name: &str) -> Option<&'t str> {
        let attributes = self.attributes();
        let whole = attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let local = || {
            attributes.iter().find(|(key, _)| {
                key.split_once(':').is_some_and(|(prefix, local)| {
                    local.eq_ignore_ascii_case(name) && !matches!(prefix, "xmlns" | "xml")
                })
            })
        };
        whole.or_else(local).map(|(_, value)| value.as_ref())
    }

    /// What an attribute of XML itself says here, or on the closest element around.
    pub(super) fn inherited(self, name: &str) -> Option<&'t str> {
        if !self.tree.has_xml {
            return None;
        }
        let mut at = Some(self);
        while let Some(element) = at {
            if let Some((_, value)) = element.attributes().iter().find(|(key, _)| *key == name) {
                return Some(value);
            }
            at = element.parent();
        }
        None
    }

    /// Every `xml:base` that applies here, the outermost first.
    pub(super) fn bases(self) -> Vec<&'t str> {
        let mut bases = Vec::new();
        let mut at = self.tree.has_xml.then_some(self);
        while let Some(element) = at {
            bases.extend(
                element
                    .attributes()
                    .iter()
                    .find(|(key, _)| *key == "xml:base")
                    .map(|a| a.1.as_ref()),
            );
            at = element.parent();
        }
        bases.reverse();
        bases
    }

    fn inner(self) -> &'t [Node<'a>] {
        &self.tree.nodes[self.index as usize + 1..self.node().end as usize]
    }

    /// Whether there is a text or an attribute in it.
    pub(super) fn holds_anything(self) -> bool {
        !self.attributes().is_empty()
            || self.inner().iter().any(|node| match &node.kind {
                Kind::Text(text) => !text.trim().is_empty(),
                Kind::Element { attributes: (from, to), .. } => from < to,
            })
    }

    pub(super) fn has_elements(self) -> bool {
        self.inner().iter().any(|node| matches!(node.kind, Kind::Element { .. }))
    }

    /// All its text, without the tags between.
    pub(super) fn text(self) -> Cow<'t, str> {
        let mut runs = self.inner().iter().filter_map(|node| match &node.kind {
            Kind::Text(text) => Some(text.as_ref()),
            Kind::Element { .. } => None,
        });
        let Some(first) = runs.next() else { return Cow::Borrowed("") };
        let mut rest = runs.peekable();
        if rest.peek().is_none() {
            return Cow::Borrowed(first);
        }
        Cow::Owned(std::iter::once(first).chain(rest).collect())
    }

    /// Its content as HTML. `escape` where text stands for itself (XHTML);
    /// without it, text may hold tags of its own, as in RSS.
    pub(super) fn markup(self, escape: bool) -> Cow<'t, str> {
        if !self.has_elements() {
            return self.text();
        }
        let mut out = String::new();
        let mut open: Vec<(u32, &str)> = Vec::new();
        for (node, index) in self.inner().iter().zip(self.index + 1..) {
            close(&mut open, index, &mut out);
            match &node.kind {
                Kind::Text(text) if escape => push_escaped(&mut out, text),
                Kind::Text(text) => out.push_str(text),
                Kind::Element { local, .. } => {
                    let element = Element { tree: self.tree, index };
                    element.push_start(&mut out);
                    if !is_void(local) {
                        open.push((node.end, local));
                    }
                }
            }
        }
        close(&mut open, u32::MAX, &mut out);
        Cow::Owned(out)
    }

    fn push_start(self, out: &mut String) {
        out.push('<');
        out.push_str(self.local());
        for (name, value) in self.attributes().iter().filter(|(name, _)| !name.starts_with("xmlns"))
        {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&value.replace('&', "&amp;").replace('"', "&quot;"));
            out.push('"');
        }
        out.push('>');
    }
}

fn close(open: &mut Vec<(u32, &str)>, until: u32, out: &mut String) {
    while let Some((_, name)) = open.pop_if(|(end, _)| *end <= until) {
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            _ => out.push(c),
        }
    }
}

/// Elements of HTML that have no end tag.
pub(super) fn is_void(name: &str) -> bool {
    ["br", "img", "hr", "input", "wbr", "area"].iter().any(|void| void.eq_ignore_ascii_case(name))
}
