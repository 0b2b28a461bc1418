//! Cards of other stories: in a row of its like each has a linked headline or
//! a heading and a button, and a few words about the story. Known by that
//! alone, whatever classes say.

use std::collections::{HashMap, HashSet};

use super::blocks::{Block, Kind, Page};

/// Blocks of a card at the most.
const MOST_BLOCKS: usize = 8;
/// Characters of a card beside its links, at the most.
const LONGEST: usize = 600;
/// Characters of a linked headline, or of a teaser, at the least.
const SHORTEST: usize = 12;
/// Dates and topics before a headline are shorter, in characters.
const BEFORE: usize = 60;
/// So are buttons that lead to a story.
const BUTTON: usize = 40;
/// Cards in a row, at the least.
const ROW: usize = 2;
/// Where cards have more of an article, they are what it is about, in percent:
/// the posts of a live page, the items of a list.
const LARGEST_SHARE: usize = 25;

/// Drops cards that follow the article's first paragraph, but nothing that the
/// publisher states to be the article's.
pub(super) fn drop_cards(page: &Page, kept: &mut [bool], (container, stated): (usize, &[bool])) {
    let mut blocks = page.blocks.iter().zip(kept.iter());
    let Some(first) = blocks.position(|(block, kept)| *kept && block.is_paragraph()) else {
        return;
    };
    let mut dropped = vec![false; kept.len()];
    for (from, to) in rows(page, cards(page, first, container)) {
        dropped[from..=to].fill(true);
    }
    for (dropped, stated) in dropped.iter_mut().zip(stated) {
        *dropped &= !stated;
    }
    let length = |only: &dyn Fn(usize) -> bool| -> usize {
        let blocks = page.blocks.iter().enumerate().filter(|(at, _)| kept[*at] && only(*at));
        blocks.map(|(_, block)| block.length).sum()
    };
    if length(&|at| dropped[at]) * 100 <= length(&|_| true) * LARGEST_SHARE {
        kept.iter_mut().zip(dropped).for_each(|(kept, dropped)| *kept &= !dropped);
    }
}

/// An element, and its first and last block.
type Card = (usize, (usize, usize));

/// Elements after the first paragraph that are built like cards.
fn cards(page: &Page, first: usize, container: usize) -> Vec<Card> {
    let around: HashSet<usize> = page.outwards(container).map(|(at, _)| at).collect();
    let mut spans: Vec<Option<(usize, usize)>> = vec![None; page.elements.len()];
    for (at, block) in page.blocks.iter().enumerate() {
        for (element, _) in page.around(block) {
            let span = spans[element].get_or_insert((at, at));
            span.1 = at;
        }
    }
    // Of elements around the same blocks the outermost stands in the row.
    let mut seen = HashSet::new();
    let spans = spans.into_iter().enumerate().filter_map(|(at, span)| Some((at, span?)));
    let fits = |(at, span): &Card| {
        span.0 > first
            && !around.contains(at)
            && seen.insert(*span)
            && is_card(page, &page.blocks[span.0..=span.1])
    };
    spans.filter(fits).collect()
}

/// The blocks of cards that are in a row: in one element, or of one class.
fn rows(page: &Page, cards: Vec<Card>) -> impl Iterator<Item = (usize, usize)> {
    let parent = |card: &Card| page.elements[card.0].parent;
    let label = |card: &Card| page.elements[card.0].label.as_str();
    let (mut parents, mut labels) = (HashMap::new(), HashMap::new());
    for card in &cards {
        *parents.entry(parent(card)).or_insert(0) += 1;
        *labels.entry(label(card)).or_insert(0) += usize::from(!label(card).is_empty());
    }
    let in_row = move |card: &Card| {
        parents.get(&parent(card)).is_some_and(|count| *count >= ROW)
            || labels.get(label(card)).is_some_and(|count| *count >= ROW)
    };
    cards.into_iter().filter(in_row).map(|(_, span)| span)
}

/// Whether blocks are a linked headline and words, or a heading, words and a
/// button; a date or a topic may stand before.
fn is_card(page: &Page, blocks: &[Block]) -> bool {
    if blocks.len() > MOST_BLOCKS {
        return false;
    }
    let bare: usize = blocks.iter().map(|block| block.length.saturating_sub(block.linked)).sum();
    if bare > LONGEST {
        return false;
    }
    let is_heading = |block: &Block| page.elements[block.element].kind == Kind::Heading;
    let begins = |at: usize| {
        blocks[..at].iter().all(|block| !block.is_prose() && block.length < BEFORE)
            && blocks[at + 1..]
                .iter()
                .any(|block| !block.is_link() && !is_heading(block) && block.length >= SHORTEST)
    };
    // Before the link a heading may say what kind of story it is.
    let leads =
        |block: &Block| block.is_link() || (is_heading(block) && block.linked * 2 >= block.length);
    let linked = blocks.iter().position(|block| leads(block) && block.length >= SHORTEST);
    let heading = blocks.iter().position(is_heading);
    let button = blocks.last().is_some_and(|last| last.is_link() && last.length < BUTTON);
    linked.is_some_and(begins) || (button && heading.is_some_and(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "<p>The port was closed on Sunday after the storm had broken two of its \
        cranes, the harbour master said, and ships wait in the bay.</p>";

    /// What is left of a page on which everything was found.
    fn left(html: &str) -> Vec<String> {
        let page = Page::of(&scraper::Html::parse_document(html));
        let mut kept = vec![true; page.blocks.len()];
        drop_cards(&page, &mut kept, (0, &[]));
        let blocks = page.blocks.into_iter().zip(kept).filter(|(_, kept)| *kept);
        blocks.map(|(block, _)| block.text).collect()
    }

    fn check(beside: &str, stays: bool) {
        let story = STORY.repeat(6);
        let with = left(&format!("<div>{story}</div><div>{beside}</div>"));
        assert_eq!(with.len() > 6, stays, "{beside}: {with:?}");
    }

    #[test]
    fn cards_in_a_row_go() {
        let teaser = "A new line to the islands begins with two boats.";
        let linked = format!("<div><h3><a>Ferry line to open in May</a></h3><p>{teaser}</p></div>");
        check(&linked.repeat(2), false);
        let dated = format!("<div><div>26 April 2026</div>{linked}</div>");
        check(&dated.repeat(2), false);
        let button = format!("<div><h3>Ferry line</h3><p>{teaser}</p><a>Read on</a></div>");
        check(&button.repeat(2), false);
        check(&linked.replace("<a>", "Islands <a>").repeat(2), false);
        // Each in an element of its own, but of one class.
        let apart = linked.replacen("<div>", "<section><div class=teaser>", 1) + "</section>";
        check(&apart.repeat(2), false);
    }

    #[test]
    fn what_the_publisher_states_stays() {
        let card =
            "<div><h2><a>Harbour open again</a></h2><p>The first ferry left at noon.</p></div>";
        let html = format!("{}{}", STORY.repeat(6), card.repeat(2));
        let page = Page::of(&scraper::Html::parse_document(&html));
        let mut kept = vec![true; page.blocks.len()];
        drop_cards(&page, &mut kept, (0, &vec![true; page.blocks.len()]));
        assert!(kept.iter().all(|kept| *kept));
        drop_cards(&page, &mut kept, (0, &[]));
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 6);
    }

    #[test]
    fn what_only_looks_like_cards_stays() {
        let teaser = "A new line to the islands begins with two boats.";
        let linked = format!("<div><h3><a>Ferry line to open in May</a></h3><p>{teaser}</p></div>");
        check(&linked, true);
        let chapter = format!("<div><h3>Ferry line</h3><p>{teaser}</p></div>");
        check(&chapter.repeat(3), true);
        let after = format!("<div><p>{teaser}</p><p><a>Ferry line to open in May</a></p></div>");
        check(&after.repeat(3), true);
        let edited = "<div><h3>Ferry line</h3><a>Edit</a></div>";
        check(&edited.repeat(3), true);
        // They are what the page is about.
        check(&linked.repeat(9), true);
        assert_eq!(left(&linked.repeat(3)).len(), 6);
    }
}
