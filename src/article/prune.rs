//! Takes out of a page's tree what its markup says is no part of an article:
//! navigation, boxes of other stories, of newsletters, of sharing, of authors,
//! of cookies, and advertisements. Words of classes and ids are looked at, in
//! the languages that web sites are built in.

use std::collections::HashSet;
use std::sync::LazyLock;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{Html, Node};

use super::tree;

/// A text run of so many characters counts as prose.
const PROSE: usize = 60;
/// What holds more than this share of a page's prose stays, in percent.
const LARGEST_SHARE: usize = 25;
/// Readers may say much more than an article.
const LARGEST_COMMENTS: usize = 80;
/// What all boxes together may hold of a page's prose, in percent.
const MOST_BOXED: usize = 60;
/// Labels of an element that are read.
pub(super) const MOST_LABELS: usize = 40;

/// What an element says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Content,
    Unwanted,
    /// What readers say.
    Comments,
    /// Nothing that people read.
    Machine,
}

/// An element that may go.
struct Found {
    id: NodeId,
    /// Characters of prose inside.
    prose: usize,
    meaning: Meaning,
}

/// An element on the way down.
struct Open {
    meaning: Meaning,
    /// Characters of prose inside.
    prose: usize,
    /// It holds something that only the article has.
    protected: bool,
}

/// Removes what is no article. A large part of the page's prose is never
/// removed: where boxes hold most of it, their names mean something else, and
/// only those without prose go.
pub(super) fn prune(tree: &mut Html) {
    let (unwanted, total) = candidates(tree);
    let (machine, boxes): (Vec<_>, Vec<_>) =
        unwanted.into_iter().partition(|found| found.meaning == Meaning::Machine);
    detach(tree, machine.iter());
    let boxes = outermost(tree, boxes, total);
    let wanted = boxes.iter().filter(|found| found.meaning == Meaning::Unwanted);
    let boxed: usize = wanted.map(|found| found.prose).sum();
    let spared = boxed * 100 > total * MOST_BOXED;
    let goes = |found: &&Found| !spared || found.prose == 0 || found.meaning == Meaning::Comments;
    detach(tree, boxes.iter().filter(goes));
}

/// Those that are not too large and not inside of another.
fn outermost(tree: &Html, found: Vec<Found>, total: usize) -> Vec<Found> {
    let mut chosen = HashSet::new();
    let is_small = |found: &Found| {
        let largest =
            if found.meaning == Meaning::Comments { LARGEST_COMMENTS } else { LARGEST_SHARE };
        found.prose * 100 <= total * largest
    };
    // What is around was found after what is inside.
    let mut outermost = found;
    outermost.reverse();
    outermost.retain(|found| {
        let inside = || {
            let node = tree.tree.get(found.id);
            node.is_some_and(|node| node.ancestors().any(|around| chosen.contains(&around.id())))
        };
        let goes = is_small(found) && !inside();
        if goes {
            chosen.insert(found.id);
        }
        goes
    });
    outermost
}

fn detach<'a>(tree: &mut Html, found: impl Iterator<Item = &'a Found>) {
    for found in found {
        if let Some(mut node) = tree.tree.get_mut(found.id) {
            node.detach();
        }
    }
}

/// Elements that may go, the inner ones first, and the prose of the page.
fn candidates(tree: &Html) -> (Vec<Found>, usize) {
    let (mut open, mut found, mut total): (Vec<Open>, _, _) = (Vec::new(), Vec::new(), 0);
    for edge in tree.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => open.push(Open {
                    meaning: of(element),
                    prose: 0,
                    protected: is_article(element),
                }),
                Node::Text(text) => {
                    let length = text.trim().chars().count();
                    if length >= PROSE && !is_unseen(node) {
                        total += length;
                        if let Some(last) = open.last_mut() {
                            last.prose += length;
                        }
                    }
                }
                _ => {}
            },
            Edge::Close(node) if node.value().is_element() => {
                let Some(closed) = open.pop() else { continue };
                if let Some(parent) = open.last_mut() {
                    parent.prose += closed.prose;
                    parent.protected |= closed.protected;
                }
                let goes = match closed.meaning {
                    Meaning::Content => false,
                    Meaning::Machine => true,
                    Meaning::Unwanted | Meaning::Comments => !closed.protected,
                };
                if goes {
                    found.push(Found {
                        id: node.id(),
                        prose: closed.prose,
                        meaning: closed.meaning,
                    });
                }
            }
            Edge::Close(_) => {}
        }
    }
    (found, total)
}

fn is_unseen(node: NodeRef<'_, Node>) -> bool {
    let name = node.parent().and_then(|parent| parent.value().as_element().map(Element::name));
    name.is_some_and(tree::is_hidden)
}

/// Whether an element is, or begins, the article.
fn is_article(element: &Element) -> bool {
    element.name() == "h1"
        || matches!(element.name(), "html" | "body" | "main" | "head" | "title")
        || element.attr("itemprop").is_some_and(|name| name.eq_ignore_ascii_case("articleBody"))
}

/// What an element says of itself.
fn of(element: &Element) -> Meaning {
    const ROLES: [&str; 7] =
        ["navigation", "complementary", "banner", "contentinfo", "search", "menu", "dialog"];
    const ITEMS: [&str; 3] = ["comment", "breadcrumb", "keywords"];
    match element.name() {
        // The finder reads markup inside of these, which was not looked at.
        "script" | "style" | "noscript" | "template" | "iframe" => return Meaning::Machine,
        "nav" | "form" | "dialog" => return Meaning::Unwanted,
        "html" | "body" | "main" | "article" | "head" => return Meaning::Content,
        _ => {}
    }
    let says = |key: &str, words: &[&str]| {
        element.attr(key).is_some_and(|said| words.contains(&said.to_ascii_lowercase().as_str()))
    };
    if says("role", &ROLES) || says("itemprop", &ITEMS) || is_invisible(element) {
        return Meaning::Unwanted;
    }
    let labels = ["class", "id"].iter().filter_map(|key| element.attr(key));
    let labels = labels.flat_map(|label| label.split_whitespace().take(MOST_LABELS));
    labels.map(meaning).find(|meaning| *meaning != Meaning::Content).unwrap_or(Meaning::Content)
}

/// Whether an element is not shown.
pub(super) fn is_invisible(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or_default();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    element.attr("hidden").is_some()
        || element.attr("aria-hidden").is_some_and(|hidden| hidden == "true")
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

/// What a class or an id says.
fn meaning(label: &str) -> Meaning {
    let words = words(label);
    let has = |set: &HashSet<&str>| {
        (0..words.len()).any(|at| {
            let mut joined = String::new();
            words[at..].iter().take(LONGEST_NAME).any(|word| {
                joined.push_str(if joined.is_empty() { "" } else { "-" });
                joined.push_str(word);
                set.contains(joined.as_str())
            })
        })
    };
    if has(&WANTED) {
        Meaning::Content
    } else if has(&COMMENTS) {
        Meaning::Comments
    } else if has(&UNWANTED) {
        Meaning::Unwanted
    } else {
        Meaning::Content
    }
}

/// What a label is made of: `relatedPosts_box` gives `related`, `posts`, `box`.
pub(super) fn words(label: &str) -> Vec<String> {
    let (mut words, mut lower) = (vec![String::new()], false);
    for c in label.chars().take(80) {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Words in a row that a name is made of, at the most.
const LONGEST_NAME: usize = 4;

/// Names of things that are no article: single words of labels, or several in
/// a row.
static UNWANTED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "related relacionadas relacionados relacionada relatedposts verwandte similar recommended \
     recommendation recommendations recirculation recirc read-more readmore read-also readalso \
     also-read lire-aussi leia-mais leia-tambem leggi-anche lees-ook weiterlesen mehr-zum-thema \
     te-puede-interesar most-read mostread most-popular meistgelesen popular-posts trending \
     more-about more-from more-stories morestories next-story nextstory next-article next-post \
     prev-next post-navigation nav-links pagination up-next linkbox yarpp crp taboola outbrain \
     plista story-list \
     newsletter subscribe signup sign-up mailing-list donate donation share sharing sharebar \
     sharedaddy social shariff addtoany addthis follow-us app-promo appstores promo \
     ad ads advert advertisement adsbygoogle anzeige werbung publicidad publicite sponsored \
     author-bio authorbio author-box authorbox author-info about-author about-the-author \
     breadcrumb breadcrumbs crumbs tags taglist cookie consent borlabs gdpr \
     content-blocker third-party embed-privacy disclosure print-only toc table-of-contents"
        .split_whitespace()
        .collect()
});
/// Names of what readers say to an article.
static COMMENTS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "comments commentlist comment-list comment-section comments-area comment-form disqus livefyre \
     viafoura openweb kommentare leserkommentare kommentarbereich comentarios commentaires commenti \
     reacties komentarze komentarze-lista respond"
        .split_whitespace()
        .collect()
});
/// With these words a label is of the article's own parts after all.
static WANTED: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| "body main lead headline title has with no".split_whitespace().collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_by_words() {
        let check = |label: &str, expected: Meaning| {
            assert!(meaning(label) == expected, "{label}");
        };
        let (unwanted, content) = (Meaning::Unwanted, Meaning::Content);
        check("relatedPosts_box", unwanted);
        check("article__related", unwanted);
        check("box-newsletter", unwanted);
        check("unrelated", content);
        check("header-shadow", content);
        check("has-related", content);
        check("readMoreLinks", unwanted);
        check("read-later-more", content);
        check("comments-area", Meaning::Comments);
        check("share-price", unwanted);
        check("", content);
    }

    #[test]
    fn what_is_no_article_goes_and_what_may_be_one_stays() {
        let check = |html: &str, expected: &str| {
            let mut tree = Html::parse_document(html);
            prune(&mut tree);
            assert_eq!(tree::lines(&tree), expected, "{html}");
        };
        let prose = format!("<p>{}</p>", "A sentence of the story. ".repeat(20).trim());
        let story = format!("{}\n", "A sentence of the story. ".repeat(20).trim());
        for unwanted in [
            "<nav>Home</nav>",
            "<div class=author-bio>She writes.</div>",
            "<div role=complementary>Beside</div>",
            "<ul itemprop=keywords><li>ships</ul>",
            "<div style='display: none'>Unseen</div>",
            "<section id=relatedStories><p>Another story that is told in more than a few words.</section>",
        ] {
            check(&format!("{prose}{unwanted}"), &story);
        }
        // What holds most of a page is no box, whatever it is called.
        check(&format!("<div class=share>{prose}</div>"), &story);
        check(&format!("<div class=promo><h1>Ships</h1></div>{prose}"), &format!("Ships\n{story}"));
        // Nor are boxes that hold most of it together: their name means something else.
        let posts: Vec<String> =
            (0..10).map(|n| format!("{story}{n}").replace('\n', " ")).collect();
        let boxes = posts.iter().map(|post| format!("<div class=share-item><p>{post}</p></div>"));
        check(&boxes.collect::<String>(), &(posts.join("\n") + "\n"));
        // Readers often say more than the article.
        let said = prose.replace("story", "reader").repeat(3);
        check(&format!("{prose}<div class=comment-list>{said}</div>"), &story);
    }

    #[test]
    fn what_only_machines_read_goes_whatever_it_holds() {
        for name in ["template", "noscript", "iframe", "script"] {
            let mut tree = Html::parse_document(&format!("<p>a</p><{name}><h1>x</h1></{name}>"));
            prune(&mut tree);
            assert!(!tree.html().contains(name), "{}", tree.html());
        }
    }
}
