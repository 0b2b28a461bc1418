//! Reads an XML feed, sound or broken, with one reader: a feed that breaks for
//! a day keeps its entries' titles, texts and ids.

use std::ops::ControlFlow;

use url::Url;

use super::build::Builder;
use super::entry::Context;
use super::repair::{Repair, Repairs};
use super::root::{self, Root};
use super::{MAX_ENTRIES, ParseError, ParsedFeed, feed};
use crate::model::Entry;

/// Reads `text`.
///
/// # Errors
/// When it is no feed.
pub(super) fn read(
    text: &str,
    base: Option<&str>,
    repairs: &mut Repairs,
) -> Result<ParsedFeed, ParseError> {
    let base = base.and_then(|base| Url::parse(base).ok());
    let (root, start) = root::find(text, repairs)?;
    if has_controls(text) {
        repairs.note(Repair::Controls);
    }
    let in_atom = root == Root::Atom;
    let mut context = Context { base, in_atom, odd_dates: (0, String::new()) };
    let mut items = Items::default();
    let extra = if root == Root::Sitemap { "url" } else { "" };
    let tree = Builder::new(text, start, extra, repairs)
        .run(&mut |item| items.add(context.entry(item), item.holds_anything()));
    let mut parsed = feed::describe(&tree, root, context.base.as_ref(), repairs);
    let authors = feed::authors(&tree);
    if !authors.is_empty() {
        let silent = items.entries.iter_mut().filter(|entry| entry.authors.is_empty());
        silent.for_each(|entry| entry.authors.clone_from(&authors));
    }
    if let Some(lang) = &parsed.hints.lang {
        items.entries.iter_mut().for_each(|entry| {
            entry.lang.get_or_insert_with(|| lang.clone());
        });
    }
    parsed.entries = items.entries;
    parsed.warnings = items.warnings;
    if let (count @ 1.., example) = context.odd_dates {
        parsed
            .warnings
            .push(format!("{count} dates are not understood, the first is \"{example}\""));
    }
    Ok(parsed)
}

/// The entries read so far.
#[derive(Default)]
pub(super) struct Items {
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<String>,
    count: usize,
}

impl Items {
    /// Keeps an entry unless its item is empty (an item with only a picture is
    /// news all the same); breaks off when there are enough.
    pub(super) fn add(&mut self, entry: Entry, holds_anything: bool) -> ControlFlow<()> {
        self.count += 1;
        if self.count > MAX_ENTRIES {
            self.warnings
                .push(format!("more than {MAX_ENTRIES} entries, of which the first are read"));
            return ControlFlow::Break(());
        }
        if holds_anything {
            self.entries.push(entry);
        } else if self.warnings.len() < 20 {
            let count = self.count;
            self.warnings.push(format!("entry {count} is empty; left out"));
        }
        ControlFlow::Continue(())
    }
}

/// Whether there are control characters that XML forbids.
fn has_controls(text: &str) -> bool {
    let forbidden = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r');
    text.as_bytes().chunks(4_096).any(|chunk| chunk.iter().filter(|b| forbidden(b)).count() > 0)
}
