//! Entries that have no words in common, and the documents that show them.
//!
//! The program takes entries of much the same words for one story. Here every
//! entry is to be a story of its own, so titles and texts are made of words
//! that no other entry has.

use jiff::Timestamp;

use crate::random::Random;

const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo",
];
const TITLE_WORDS: usize = 5;
const TEXT_WORDS: usize = 24;

/// One entry of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) guid: String,
    pub(crate) link: String,
    /// What the far end recognises it by: no two items have the same.
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) date: Option<Timestamp>,
}

impl Item {
    /// One of this name whose text has these words besides its own.
    pub(crate) fn new(name: &str, words: &str, random: &mut Random) -> Self {
        Self {
            guid: name.to_owned(),
            link: format!("https://wire.example.org/{name}"),
            title: invented(TITLE_WORDS, random),
            text: format!("{words} {}", invented(TEXT_WORDS, random)),
            date: None,
        }
    }
}

/// So many words that no language has.
fn invented(count: usize, random: &mut Random) -> String {
    let word = |_| (0..4).map(|_| random.choose(&SYLLABLES)).collect::<String>();
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// An RSS document, the newest item first as feeds have it.
pub(crate) fn rss(items: &[Item]) -> String {
    let body: String = items.iter().rev().map(rss_item).collect();
    format!("<rss version=\"2.0\"><channel><title>Wire</title>{body}</channel></rss>")
}

fn rss_item(item: &Item) -> String {
    let date = item.date.map_or_else(String::new, |date| {
        format!("<pubDate>{}</pubDate>", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    });
    format!(
        "<item><guid isPermaLink=\"false\">{}</guid><title>{}</title><link>{}</link>\
         <description>{}</description>{date}</item>",
        item.guid, item.title, item.link, item.text
    )
}

/// The same as Atom, with longer texts as HTML content and ids that are `tag:`
/// URIs, as another program would write them.
pub(crate) fn atom(items: &[Item]) -> String {
    let body: String = items.iter().rev().map(atom_entry).collect();
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Wire</title>\
         <id>tag:wire.example.org,2026:feed</id>\
         <link rel=\"self\" href=\"https://wire.example.org/atom\"/>{body}</feed>"
    )
}

fn atom_entry(item: &Item) -> String {
    let date = item.date.map_or_else(String::new, |date| {
        format!("<published>{date}</published><updated>{date}</updated>")
    });
    format!(
        "<entry><id>tag:wire.example.org,2026:{}</id><title type=\"text\">{}</title>\
         <link rel=\"alternate\" href=\"{}\"/>\
         <content type=\"html\">&lt;p&gt;{}&lt;/p&gt;&lt;p&gt;In full on our \
         pages.&lt;/p&gt;</content>{date}</entry>",
        item.guid, item.title, item.link, item.text
    )
}
