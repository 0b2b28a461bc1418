//! From what the finder found to the article: the page's own blocks of it,
//! with those that it missed among them and the lede before them, and without
//! links to other stories.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::blocks::{Block, Kind, PARAGRAPH, Page};
use super::cards::drop_cards;
use super::tree::squeezed;

/// Blocks at least so long are known by standing anywhere in what was found.
const LONG: usize = 25;
/// Bytes that are searched for them.
const SEARCHED: usize = 200 << 20;
/// So much of what was found must be blocks of the page, in percent.
const COVERED: usize = 80;
/// So much of the article lies in its container, in percent.
const CONTAINED: usize = 80;
/// The publisher's own text counts if it has this share of what was found, in
/// percent; some give the beginning only.
const STATED: usize = 70;
/// Blocks before the article among which the lede is looked for.
const BEFORE: usize = 12;
/// And among which what the page says of itself is looked for.
const FAR_BEFORE: usize = 60;
/// The shortest lede.
const LEDE: usize = 50;
/// Characters of a lede by which the page's summary is known to have it.
const SUMMED: RangeInclusive<usize> = 30..=40;

/// What is known of an article besides the page.
pub(super) struct Known<'a> {
    /// What the finder found, a line for each block.
    pub(super) found: &'a str,
    /// The publisher's own text of it.
    pub(super) body: Option<&'a str>,
    /// What the page says of itself for others.
    pub(super) summary: Option<&'a str>,
}

/// The article of a page, a line for each block. None where what was found is
/// not what the page shows.
pub(super) fn sieve(page: &Page, known: &Known<'_>) -> Option<String> {
    let mut kept = marked(page, known.found)?;
    let stated = known.body.filter(|body| body.len() * 100 >= known.found.len() * STATED);
    let stated = stated.and_then(|body| marked(page, body));
    if let Some(stated) = &stated {
        agree(page, &mut kept, stated);
    }
    let range = range(&kept)?;
    let container = container(page, &kept);
    add_missed(page, &mut kept, container, &range);
    add_lede(page, &mut kept, known.summary);
    drop_outside(page, &mut kept, container);
    drop_cards(page, &mut kept, (container, stated.as_deref().unwrap_or_default()));
    drop_links(page, &mut kept);
    drop_last_headings(page, &mut kept);
    let lines = page.blocks.iter().zip(&kept).filter(|(_, kept)| **kept);
    Some(lines.map(|(block, _)| block.text.as_str()).collect::<Vec<_>>().join("\n"))
}

/// The first and the last that is kept.
fn range(kept: &[bool]) -> Option<RangeInclusive<usize>> {
    let first = kept.iter().position(|kept| *kept)?;
    let last = kept.iter().rposition(|kept| *kept)?;
    Some(first..=last)
}

/// Which blocks of a page a text has; None where it has much besides.
fn marked(page: &Page, text: &str) -> Option<Vec<bool>> {
    let lines: HashSet<String> = text.lines().map(squeezed).collect();
    let whole = squeezed(text);
    let (mut covered, mut budget) = (0, SEARCHED);
    let mut has = |block: &Block| {
        let is_line = lines.contains(&block.bare);
        let searched = !is_line && block.length >= LONG && budget >= whole.len();
        budget -= if searched { whole.len() } else { 0 };
        let has = is_line || (searched && whole.contains(block.bare.as_str()));
        covered += if has { block.bare.len() } else { 0 };
        has
    };
    let mut marks: Vec<bool> = page.blocks.iter().map(&mut has).collect();
    covered += mark_cut(page, &mut marks, text);
    (covered * 100 >= whole.len() * COVERED).then_some(marks)
}

/// Marks blocks of which a text has a part only: the finder loses words after
/// a link or an emphasis. Gives the bytes of those parts.
fn mark_cut(page: &Page, marks: &mut [bool], text: &str) -> usize {
    let whole: HashSet<&str> = page.blocks.iter().map(|block| block.bare.as_str()).collect();
    let (mut covered, mut budget) = (0, SEARCHED);
    let lines = text.lines().map(squeezed);
    let is_cut = |line: &String| line.chars().count() >= LONG && !whole.contains(line.as_str());
    for line in lines.filter(is_cut) {
        // Each line costs a look at every block, at the least.
        let Some(rest) = budget.checked_sub(page.blocks.len()) else { break };
        budget = rest;
        let has = |(block, _): &(&Block, &mut bool)| {
            let searched = block.bare.len() > line.len() && budget >= block.bare.len();
            budget -= if searched { block.bare.len() } else { 0 };
            searched && block.bare.contains(&line)
        };
        let blocks = page.blocks.iter().zip(marks.iter_mut()).filter(has);
        if let Some((_, mark)) = blocks.min_by_key(|(block, _)| block.length) {
            covered += line.len();
            *mark = true;
        }
    }
    covered
}

/// What the publisher states counts; around it only paragraphs do besides.
fn agree(page: &Page, kept: &mut [bool], stated: &[bool]) {
    let Some(range) = range(stated) else { return };
    for (at, kept) in kept.iter_mut().enumerate() {
        let found = *kept && (range.contains(&at) || page.blocks[at].is_paragraph());
        *kept = found || stated[at];
    }
}

/// The innermost element with nearly all of the article.
fn container(page: &Page, kept: &[bool]) -> usize {
    let mut inside = vec![0; page.elements.len()];
    let mut total = 0;
    for (block, _) in page.blocks.iter().zip(kept).filter(|(_, kept)| **kept) {
        total += block.length;
        for (at, _) in page.around(block) {
            inside[at] += block.length;
        }
    }
    // Elements stand behind those around them.
    inside.iter().rposition(|length| length * 100 >= total * CONTAINED).unwrap_or(0)
}

/// Adds what the finder left out in the midst of the article: paragraphs,
/// short ones where they stand beside others, and headings over them.
fn add_missed(page: &Page, kept: &mut [bool], container: usize, range: &RangeInclusive<usize>) {
    let place = |block: &Block| {
        let element = &page.elements[block.element];
        (element.parent, element.kind)
    };
    let paragraphs = page.blocks.iter().zip(kept.iter());
    let paragraphs = paragraphs.filter(|(block, kept)| **kept && block.is_paragraph());
    let places: HashSet<_> = paragraphs.map(|(block, _)| place(block)).collect();
    for at in 0..kept.len() {
        let block = &page.blocks[at];
        if kept[at] || !(range.contains(&at) || block.element == container) {
            continue;
        }
        let heads = || {
            let next = page.blocks.get(at + 1).zip(kept.get(at + 1));
            block.linked == 0 && next.is_some_and(|(next, kept)| *kept && next.is_paragraph())
        };
        let fits = match place(block) {
            (_, Kind::Heading) => heads(),
            (parent, kind @ (Kind::Paragraph | Kind::Quote)) => {
                block.is_prose() && (places.contains(&(parent, kind)) || block.is_paragraph())
            }
            _ => block.is_paragraph(),
        };
        kept[at] = fits && is_within(page, block, container);
    }
}

/// Whether a block lies in the container, and not in something beside its text.
fn is_within(page: &Page, block: &Block, container: usize) -> bool {
    for (element, around) in page.around(block) {
        if element == container {
            return true;
        }
        if around.kind.is_beside() {
            return false;
        }
    }
    false
}

/// Adds what stands between headline and article, or says that it is a lede,
/// or is what the page says of itself.
fn add_lede(page: &Page, kept: &mut [bool], summary: Option<&str>) {
    let mut blocks = page.blocks.iter().zip(kept.iter());
    let Some(first) = blocks.position(|(block, kept)| *kept && block.is_paragraph()) else {
        return;
    };
    let near = first.saturating_sub(BEFORE);
    let is_headline = |at: &usize| page.elements[page.blocks[*at].element].kind == Kind::Headline;
    let headline = (near..first).rev().find(is_headline);
    let summary = summary.map(squeezed).unwrap_or_default();
    let blocks = page.blocks.iter().enumerate().take(first);
    for (at, block) in blocks.skip(first.saturating_sub(FAR_BEFORE)) {
        let beside = || page.around(block).any(|(_, around)| around.kind.is_beside());
        if block.length < LEDE || block.linked * 2 > block.length || beside() {
            continue;
        }
        let begin: String = block.bare.chars().take(*SUMMED.end()).collect();
        let summed = begin.chars().count() >= *SUMMED.start() && summary.contains(&begin);
        let labelled = || {
            page.around(block).take(3).any(|(_, around)| is_lede(&around.label))
                && (block.is_prose() || block.length >= PARAGRAPH)
        };
        let follows = || headline.is_some_and(|headline| at > headline) && block.is_prose();
        kept[at] |= summed || (at >= near && (labelled() || follows()));
    }
}

/// Whether a class or an id is that of a lede.
fn is_lede(label: &str) -> bool {
    const NAMES: &str = "lead lede teaser intro standfirst subtitle summary abstract chapo excerpt \
        dek deck preface bajada entradilla sumario vorspann subhead subline subheadline ingress sommario \
        description perex strapline copete catenaccio chapeau manchet preamble synopsis \
        zusammenfassung resumen leadtext teasertext introtext";
    let is_name = |word: &str| NAMES.split_whitespace().any(|name| name == word);
    label.split(|c: char| !c.is_alphanumeric()).any(is_name)
}

/// Drops what lies outside of the container once that has begun, but for
/// paragraphs.
fn drop_outside(page: &Page, kept: &mut [bool], container: usize) {
    let mut begun = false;
    for (block, kept) in page.blocks.iter().zip(kept.iter_mut()).filter(|(_, kept)| **kept) {
        let inside = page.around(block).any(|(element, _)| element == container);
        begun |= inside;
        *kept = inside || !begun || block.is_paragraph();
    }
}

/// Drops what is nothing but links. Headings may be, beside the article's
/// paragraphs; elsewhere they are those of other stories.
fn drop_links(page: &Page, kept: &mut [bool]) {
    let parent = |block: &Block| page.elements[block.element].parent;
    let paragraphs = page.blocks.iter().zip(kept.iter());
    let paragraphs = paragraphs.filter(|(block, kept)| **kept && block.is_paragraph());
    let parents: HashSet<usize> = paragraphs.map(|(block, _)| parent(block)).collect();
    for (block, kept) in page.blocks.iter().zip(kept.iter_mut()) {
        let is_heading = page.elements[block.element].kind == Kind::Heading;
        *kept &= !block.is_link() || (is_heading && parents.contains(&parent(block)));
    }
}

/// Drops headings at the end, which have nothing under them.
fn drop_last_headings(page: &Page, kept: &mut [bool]) {
    let blocks = page.blocks.iter().zip(kept.iter_mut()).rev();
    for (block, kept) in blocks.filter(|(_, kept)| **kept) {
        if page.elements[block.element].kind != Kind::Heading || block.is_prose() {
            return;
        }
        *kept = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "The port was closed on Sunday after the storm had broken two of its \
        cranes, the harbour master said, and ships wait in the bay.";
    const SECOND: &str = "Nobody was hurt, and the insurer expects repairs to take three weeks, \
        while the ferry company lands its passengers elsewhere.";
    const THIRD: &str = "Trains go to the old quay every half hour until the new terminal opens \
        again, which nobody expects before the end of the month.";

    /// What comes of a page on which the first and the third paragraph were found.
    fn check(html: &str, expected: &[&str]) {
        let page = Page::of(&scraper::Html::parse_document(html));
        let found = format!("{FIRST}\n{THIRD}");
        let known = Known {
            found: &found,
            body: None,
            summary: Some("Storm: the port is closed until further notice, ships wait in the bay"),
        };
        let sifted = sieve(&page, &known).unwrap();
        assert_eq!(sifted.lines().collect::<Vec<_>>(), expected, "{html}");
    }

    #[test]
    fn what_was_missed_within_the_article_is_added() {
        let all = [FIRST, SECOND, THIRD];
        check(&format!("<div><p>{FIRST}</p>{SECOND}<p>{THIRD}</p></div>"), &all);
        check(
            &format!("<p>{FIRST}</p><h2>In the bay</h2><p>\u{201c}No.\u{201d}</p><p>{THIRD}</p>"),
            &[FIRST, "\u{201c}No.\u{201d}", THIRD],
        );
        check(
            &format!("<p>{FIRST}</p><h2>In the bay</h2><p>{THIRD}</p>"),
            &[FIRST, "In the bay", THIRD],
        );
        let both = [FIRST, THIRD];
        check(&format!("<p>{FIRST}</p><aside>{SECOND}</aside><p>{THIRD}</p>"), &both);
        check(&format!("<p>{FIRST}</p><p><a>{SECOND}</a></p><p>{THIRD}</p>"), &both);
        check(&format!("<div><p>{FIRST}</p><p>{THIRD}</p></div><p>{SECOND}</p>"), &both);
    }

    #[test]
    fn paragraphs_of_which_a_part_was_found_are_whole() {
        let html = format!("<p>{FIRST}</p><p>{SECOND}</p><p>Trains: {THIRD}</p>");
        let page = Page::of(&scraper::Html::parse_document(&html));
        let found = format!("{}\n{}\n{}", &FIRST[..60], &SECOND[70..], &THIRD[50..110]);
        let known = Known { found: &found, body: None, summary: None };
        let expected = format!("{FIRST}\n{SECOND}\nTrains: {THIRD}");
        assert_eq!(sieve(&page, &known), Some(expected));
        // A few words may stand anywhere.
        let known = Known { found: &found[..20], body: None, summary: None };
        assert_eq!(sieve(&page, &known), None);
    }

    #[test]
    fn the_lede_is_added() {
        let story = format!("<div><p>{FIRST}</p><p>{THIRD}</p></div>");
        let lede = "The storm of the night has broken two cranes, and ships wait in the bay";
        let with = [lede, FIRST, THIRD];
        let full = format!("{lede}.");
        check(&format!("<h1>Port closed</h1><p>{full}</p>{story}"), &[&full, FIRST, THIRD]);
        check(
            &format!("<div class=article__teaser>{lede}, it is said</div>{story}"),
            &[&format!("{lede}, it is said"), FIRST, THIRD],
        );
        check(&format!("<p>{full}</p>{story}"), &with[1..]);
        // What the page says of itself, however far before.
        let summary = "Storm: the port is closed until further notice, ships wait.";
        let menu = "<p>Home</p>".repeat(20);
        check(&format!("<p>{summary}</p>{menu}{story}"), &[summary, FIRST, THIRD]);
        check(&format!("<h1>Port closed</h1><p>By A Writer</p>{story}"), &with[1..]);
        check(&format!("<h1>Port closed</h1><figure>{full}</figure>{story}"), &with[1..]);
    }

    #[test]
    fn headings_of_other_stories_go() {
        let sifted = |html: &str, found: &str| {
            let page = Page::of(&scraper::Html::parse_document(html));
            let found = format!("{FIRST}\n{THIRD}\n{found}");
            sieve(&page, &Known { found: &found, body: None, summary: None }).unwrap()
        };
        let story = format!("<p>{FIRST}</p><p>{THIRD}</p>");
        let both = format!("{FIRST}\n{THIRD}");
        let card = "<section><h3><a>Ferry line to open in May</a></h3></section>";
        assert_eq!(sifted(&format!("{story}{card}<p>.</p>"), "Ferry line to open in May"), both);
        assert_eq!(sifted(&format!("{story}<h2>In the bay</h2>"), "In the bay"), both);
        let within = format!("<p>{FIRST}</p><h2><a>In the bay</a></h2><p>{THIRD}</p>");
        let expected = format!("{FIRST}\nIn the bay\n{THIRD}");
        assert_eq!(sifted(&within, "In the bay"), expected);
    }

    #[test]
    fn what_the_publisher_states_counts() {
        let html = format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><p>Watch the film</p>");
        let page = Page::of(&scraper::Html::parse_document(&html));
        let found = format!("{FIRST}\n{THIRD}\nWatch the film");
        let body = format!("{FIRST} {SECOND} {THIRD}");
        let known = Known { found: &found, body: Some(&body), summary: None };
        assert_eq!(sieve(&page, &known).unwrap(), format!("{FIRST}\n{SECOND}\n{THIRD}"));
        // A text that the page does not show is none of its.
        let known = Known { found: &"Something else. ".repeat(9), body: None, summary: None };
        assert_eq!(sieve(&page, &known), None);
    }
}
